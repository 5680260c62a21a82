/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel functions that give a pointer another type: the kernel's own context, and anything. */
#ifndef SKEP_VERIFY_CAST_H
#define SKEP_VERIFY_CAST_H

#include "verify/kfunc.h"

int cast_prove(struct walk *walk);
int cast_prove_context(struct walk *walk);
void cast_set_object(struct walk *walk, const struct kfunc *kfunc, struct reg_state *result);
void cast_set_context(struct walk *walk, const struct kfunc *kfunc, struct reg_state *result);

#endif
