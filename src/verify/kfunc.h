/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel functions that a program calls. Their prototypes are in the kernel's BTF, where names
 * of arguments and of types have a meaning (Documentation/bpf/kfuncs.rst); what BTF does not
 * tell is a row of kfuncs.def. A call site is resolved before the walk.
 */
#ifndef SKEP_VERIFY_KFUNC_H
#define SKEP_VERIFY_KFUNC_H

#include "verify/kfunc_proto.h"
#include "verify/walk.h"

/* --- before the walk (kfunc_proto.c) --- */

/* The function that the instruction calls, kept in its fact. Rejects what cannot be called. */
int kfunc_resolve(struct walk *walk, const struct bpf_insn *insn, struct insn_fact *fact);

/* --- the call (kfunc.c) --- */
int prove_kfunc(struct walk *walk);
int transfer_kfunc(struct walk *walk);

/* --- its arguments (kfunc_arguments.c), numbered from 0; walk->call is filled in --- */
int kfunc_prove_arguments(struct walk *walk, const struct kfunc *kfunc);

/* What is not memory is passed as it came. */
int kfunc_prove_offset(struct walk *walk, u32 index);

/* --- objects and memory (kfunc_memory.c) --- */
int kfunc_prove_pointer(struct walk *walk, const struct kfunc *kfunc, u32 index);

/* The type has numbers only, also in what it contains. */
bool kfunc_is_plain(const struct btf_view *btf, u32 type_id);

static inline u32 kfunc_arg_reg(u32 index)
{
	return BPF_REG_1 + index;
}

static inline bool kfunc_has_flag(const struct kfunc *kfunc, u16 flag)
{
	return kfunc->row->flags & flag;
}

/* Pointers to objects must be trusted, or such that RCU protects them. */
static inline bool kfunc_needs_trusted(const struct kfunc *kfunc)
{
	return !kfunc_has_flag(kfunc, KF_RCU);
}

#endif
