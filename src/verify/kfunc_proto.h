/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel function's prototype as the names and types of the kernel's BTF tell it. */
#ifndef SKEP_VERIFY_KFUNC_PROTO_H
#define SKEP_VERIFY_KFUNC_PROTO_H

#include "btf/btf.h"
#include "catalog/kfunc.h"

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

#endif
