/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of helper functions: helpers.c, arguments.c, and the parts of special.c for them. */
#ifndef SKEP_VERIFY_HELPERS_H
#define SKEP_VERIFY_HELPERS_H

#include "verify/memory.h"

/* Whether the stack bytes at walk->access are one spilled number or zero; *number is it. */
bool stack_holds_number(struct walk *walk, struct reg_state *number);

/* The register fits the argument by its kind, and was not moved from where it came. */
int argument_prove_object(struct walk *walk, u32 regno, const struct helper_arg *arg);
/* Memory that a callee accesses; `may_be_raw`: it fills it before it reads it. What it writes
 * to the stack is noted in walk->call. */
int argument_prove_extent(struct walk *walk, const struct extent *extent, bool may_be_raw);

/* What the call under way wrote to the stack is unknown from here on. */
void call_write_memory(struct walk *walk);
/* No pointer into the packet is good any more. */
void call_change_packet(struct walk *walk);
/* For kernel functions: `size` bytes behind the register may be accessed so; a string in a map
 * that cannot change; a reference that was given back. */
int call_prove_memory(struct walk *walk, u32 regno, u32 size, u8 access);
int call_prove_string(struct walk *walk, u32 regno);
void call_forget_pointer(struct walk *walk, struct reg_state *reg);
void call_forget_reference(struct walk *walk, u32 ref_id);

#endif
