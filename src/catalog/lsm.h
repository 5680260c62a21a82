/* SPDX-License-Identifier: BSD-2-Clause */
/* Security hooks, where LSM programs attach: rows of lsm_hooks.def. */
#ifndef SKEP_CATALOG_LSM_H
#define SKEP_CATALOG_LSM_H

#include "base/types.h"

enum lsm_hook_flags {
	LSM_SLEEPABLE = 1 << 0, /* sleepable programs may attach */
	LSM_UNTRUSTED = 1 << 1, /* arguments are half made or half gone: not trusted */
	LSM_DISABLED = 1 << 2,	/* no programs */
	LSM_BOOL = 1 << 3,	/* returns 0 or 1, not an errno */
	LSM_SOCKOPT = 1 << 4,	/* with BPF_LSM_CGROUP: bpf_setsockopt() and _getsockopt() */
	LSM_NO_HOOK = 1 << 5,	/* no hook at all, despite its name */
};

/* enum lsm_hook_flags of a function of the kernel. */
u32 lsm_hook_flags(const char *function);

#endif
