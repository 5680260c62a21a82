/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of helper functions: helpers.c, arguments.c, and the parts of special.c for them. */
#ifndef SKEP_VERIFY_HELPERS_H
#define SKEP_VERIFY_HELPERS_H

#include "verify/memory.h"

/* Whether the stack bytes at walk->access are one spilled number or zero; *number is it. */
bool stack_holds_number(struct walk *walk, struct reg_state *number);

int special_prove_lock(struct walk *walk, u32 regno, u32 helper);
int special_prove_timer(struct walk *walk, u32 regno);
void special_transfer_lock(struct walk *walk, u32 helper);

#endif
