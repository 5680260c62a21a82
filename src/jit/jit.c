/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/jit.h"
#include "jit/base.h"
#include "jit/full.h"

#include <errno.h>

int jit_make(const struct prog *prog, enum jit_tier tier, struct native **out)
{
	switch (tier) {
	case JIT_OFF: return -EOPNOTSUPP;
	case JIT_BASE: return base_compile(prog, out);
	case JIT_FULL: break;
	}
	return full_compile(prog, out);
}

int jit_compile(struct prog *prog, enum jit_tier tier)
{
	struct native *native = NULL;
	int err;

	if (tier == JIT_OFF)
		return 0;
	err = jit_make(prog, tier, &native);
	if (err && tier == JIT_FULL)
		err = jit_make(prog, JIT_BASE, &native);
	prog->native = native;
	return err;
}
