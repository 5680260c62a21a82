/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel functions that a program calls. Their prototypes are in the kernel's BTF, where names
 * of arguments and of types have a meaning (Documentation/bpf/kfuncs.rst); what BTF does not
 * tell is a row of kfuncs.def. A call site is resolved before the walk.
 */
#ifndef SKEP_VERIFY_KFUNC_H
#define SKEP_VERIFY_KFUNC_H

#include "btf/btf.h"
#include "catalog/kfunc.h"
#include "verify/walk.h"

#define KFUNC_ARGS 5

/* What an argument is by its name and type alone. */
enum kfunc_arg_kind {
	KFUNC_ARG_SCALAR,
	KFUNC_ARG_IGNORED,    /* "__ign": anything, also nothing */
	KFUNC_ARG_PROGRAM,    /* "__prog": given by the kernel, the program sets nothing */
	KFUNC_ARG_CONTEXT,    /* the program's own context */
	KFUNC_ARG_ALLOCATED,  /* "__alloc": an object of the program's own */
	KFUNC_ARG_REFCOUNTED, /* "__refcounted_kptr": the same, with a bpf_refcount */
	KFUNC_ARG_DYNPTR,
	KFUNC_ARG_ITERATOR,
	KFUNC_ARG_LIST_HEAD,
	KFUNC_ARG_LIST_NODE,
	KFUNC_ARG_RB_ROOT,
	KFUNC_ARG_RB_NODE,
	KFUNC_ARG_STRING, /* "__str": terminated, in a map that cannot change */
	KFUNC_ARG_MAP,	  /* "__map" */
	KFUNC_ARG_WORKQUEUE,
	KFUNC_ARG_TASK_WORK,
	KFUNC_ARG_IRQ_FLAG,
	KFUNC_ARG_RES_LOCK,
	KFUNC_ARG_CALLBACK,
	KFUNC_ARG_POINTER, /* an object or memory, as the register says */
	KFUNC_ARG_UNKNOWN, /* of a type that no register holds */
};

enum kfunc_arg_flags {
	KFUNC_ARG_NULLABLE = 1 << 0,   /* "__nullable" */
	KFUNC_ARG_OPTIONAL = 1 << 1,   /* "__opt": memory that may be NULL whatever its size */
	KFUNC_ARG_CONSTANT = 1 << 2,   /* "__k" */
	KFUNC_ARG_SIZE = 1 << 3,       /* "__sz": of the memory before it */
	KFUNC_ARG_CONST_SIZE = 1 << 4, /* "__szk" */
	KFUNC_ARG_UNINIT = 1 << 5,     /* "__uninit": what is there does not count */
};

struct kfunc_arg {
	u8 kind; /* enum kfunc_arg_kind */
	u8 flags;
	const char *name;
	u32 type_id;   /* as declared */
	u32 target_id; /* what it points to, without modifiers */
};

static inline bool kfunc_arg_is_size(const struct kfunc_arg *arg)
{
	return arg->flags & (KFUNC_ARG_SIZE | KFUNC_ARG_CONST_SIZE);
}

/* A kernel function as a program calls it; lives as long as the verified program. */
struct kfunc {
	u32 id; /* of the function in `btf` */
	const char *name;
	const struct kfunc_row *row; /* NULL: no program may call it */
	const struct btf_view *btf;
	u32 return_id; /* without modifiers; 0: void */
	u32 arg_cnt;
	struct kfunc_arg arg[KFUNC_ARGS];
};

/* --- before the walk (kfunc_proto.c) --- */

/* The function that the instruction calls, kept in its fact. Rejects what cannot be called. */
int kfunc_resolve(struct walk *walk, const struct bpf_insn *insn, struct insn_fact *fact);

/* --- the call (kfunc.c) --- */
int prove_kfunc(struct walk *walk);
int transfer_kfunc(struct walk *walk);

/* --- its arguments (kfunc_arguments.c), numbered from 0; walk->call is filled in --- */
int kfunc_prove_arguments(struct walk *walk, const struct kfunc *kfunc);

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
