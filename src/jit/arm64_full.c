/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/full.h"

#include <errno.h>

int full_compile(const struct prog *prog, struct native **out)
{
	return -EOPNOTSUPP;
}
