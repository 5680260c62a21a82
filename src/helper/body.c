/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper/body.h"

#include <string.h>

static helper_fn *const bodies[] = {
#define BODY(name) [BPF_FUNC_##name] = helper_##name,
#include "helper/bodies.def"
#undef BODY
#define ABSENT(name, ...) [BPF_FUNC_##name] = helper_##name,
#include "helper/absent.def"
};

static const struct {
	const char *name;
	helper_fn *body;
} kfuncs[] = {
#define BODY(name) {#name, kfunc_##name},
#include "helper/kfuncs.def"
};

helper_fn *helper_body(u32 id)
{
	return id < ARRAY_SIZE(bodies) ? bodies[id] : NULL;
}

helper_fn *kfunc_body(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(kfuncs); i++)
		if (!strcmp(kfuncs[i].name, name))
			return kfuncs[i].body;
	return NULL;
}
