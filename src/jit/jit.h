/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verified programs to machine code. A program that has none is interpreted; with the same
 * results, only slower.
 */
#ifndef SKEP_JIT_JIT_H
#define SKEP_JIT_JIT_H

#include "run/run.h"

enum jit_tier { JIT_OFF, JIT_BASE, JIT_FULL };

/*
 * Gives a program that does not run yet its machine code. -EOPNOTSUPP: skep does not know this
 * machine; -EACCES: the system allows no memory that can be written and then executed; -ENOMEM.
 */
int jit_compile(struct prog *prog, enum jit_tier tier);
/* Makes machine code of this tier beside what the program has, which may run meanwhile. */
int jit_make(const struct prog *prog, enum jit_tier tier, struct native **out);

#endif
