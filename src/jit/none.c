/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines that skep makes no code for: programs are interpreted. */
#include "jit/jit.h"

#include <errno.h>

int jit_make(const struct prog *prog, enum jit_tier tier, struct native **out)
{
	return -EOPNOTSUPP;
}

int jit_compile(struct prog *prog, enum jit_tier tier)
{
	return tier == JIT_OFF ? 0 : -EOPNOTSUPP;
}
