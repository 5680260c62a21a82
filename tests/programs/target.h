/* SPDX-License-Identifier: BSD-2-Clause */
/* Somewhere a program can be loaded and run, reached through bpf(2) only. */
#ifndef SKEP_TESTS_TARGET_H
#define SKEP_TESTS_TARGET_H

#include "base/types.h"
#include <linux/bpf.h>

struct target {
	const char *name;
	bool is_linux;
	int (*bpf)(const struct target *target, int cmd, union bpf_attr *attr);
	void *cookie; /* skep: the engine, owned */
	u32 rights;   /* with which programs are loaded: enum skep_rights */
};

/* For loaders with these rights (enum skep_rights): "linux", "skep", "base" (its tier of one pass),
 * "interpreted" or "checked" (its two interpreters). -ENOENT: no such target; -EPERM: not allowed here; or what the engine
 * returned. */
int target_open(const char *name, u32 rights, struct target *out);
void target_close(struct target *target);

/* What the target says of the last call that failed; "" when it says nothing. */
const char *target_error(const struct target *target);

static inline int target_bpf(const struct target *target, int cmd, union bpf_attr *attr)
{
	return target->bpf(target, cmd, attr);
}

#endif
