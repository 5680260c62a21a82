/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/jit.h"
#include "jit/base.h"
#include "jit/full.h"

#include <errno.h>

int jit_compile(struct prog *prog, enum jit_tier tier)
{
	switch (tier) {
	case JIT_OFF: return 0;
	case JIT_BASE: return base_compile(prog, &prog->native);
	case JIT_FULL: break;
	}
	return full_compile(prog, &prog->native) ? base_compile(prog, &prog->native) : 0;
}
