/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper/body.h"

static helper_fn *const bodies[] = {
#define BODY(name) [BPF_FUNC_##name] = helper_##name,
#include "helper/bodies.def"
};

helper_fn *helper_body(u32 id)
{
	return id < ARRAY_SIZE(bodies) ? bodies[id] : NULL;
}
