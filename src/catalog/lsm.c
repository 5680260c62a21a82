/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups in lsm_hooks.def. */
#include "catalog/lsm.h"
#include <string.h>

enum {
	SLEEPABLE = LSM_SLEEPABLE,
	UNTRUSTED = LSM_UNTRUSTED,
	DISABLED = LSM_DISABLED,
	BOOL = LSM_BOOL,
	SOCKOPT = LSM_SOCKOPT,
	NO_HOOK = LSM_NO_HOOK,
};

static const struct {
	const char *name;
	u32 flags;
} hooks[] = {
#define HOOK(its_name, its_flags) {"bpf_lsm_" #its_name, its_flags},
#include "catalog/lsm_hooks.def"
};

u32 lsm_hook_flags(const char *function)
{
	if (strncmp(function, "bpf_lsm_", strlen("bpf_lsm_")))
		return LSM_NO_HOOK;
	for (u32 i = 0; i < ARRAY_SIZE(hooks); i++)
		if (!strcmp(hooks[i].name, function))
			return hooks[i].flags;
	return 0;
}
