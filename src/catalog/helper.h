/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A helper function as the verifier sees it: one row of helpers.def. The terms are Linux's
 * (include/linux/bpf.h: enum bpf_arg_type, bpf_return_type), so that what is known of a helper
 * there can be said here.
 */
#ifndef SKEP_CATALOG_HELPER_H
#define SKEP_CATALOG_HELPER_H

#include "base/types.h"
#include "catalog/uapi.h"

#define HELPER_ARGS 5

/* What an argument must be. */
enum arg_kind {
	ARG_NONE,
	ARG_ANYTHING,	   /* any initialised value */
	ARG_CONST_MAP_PTR, /* the map itself */
	ARG_MAP_KEY,	   /* key_size readable bytes; the map is the preceding map argument */
	ARG_MAP_VALUE,	   /* value_size bytes */
	ARG_MEM,	   /* memory whose size is the next argument */
	ARG_FIXED_MEM,	   /* memory of the row's own size (helper_arg.size) */
	ARG_CONST_SIZE,	   /* size of the preceding memory, at least 1 */
	ARG_CONST_SIZE_OR_ZERO,
	ARG_CONST_ALLOC_SIZE, /* a constant: the size of the memory that is returned */
	ARG_CTX,
	ARG_SPIN_LOCK,
	ARG_TIMER,
	ARG_SOCK_COMMON,
	ARG_SOCKET,
	ARG_BTF_ID, /* kernel object of the type named in helper_arg.btf_type */
	ARG_BTF_ID_SOCK_COMMON,
	ARG_PERCPU_BTF_ID,
	ARG_RINGBUF_MEM, /* what ringbuf_reserve returned */
	ARG_FUNC,	 /* a callback of this program */
	ARG_STACK,	 /* callback's context: stack memory or NULL */
	ARG_CONST_STR,	 /* terminated string in a frozen read-only map */
	ARG_KPTR,
	ARG_DYNPTR,
};

enum arg_flags {
	ARG_OR_NULL = 1 << 0,
	ARG_UNINIT = 1 << 1, /* the helper writes it before it reads it: may be uninitialised */
	ARG_WRITE = 1 << 2,  /* the helper writes it */
	ARG_RELEASE = 1 << 3, /* the reference is given back */
	ARG_ALIGNED = 1 << 4,
	ARG_DYNPTR_LOCAL = 1 << 5,
	ARG_DYNPTR_RINGBUF = 1 << 6,
	ARG_DYNPTR_READ = 1 << 7, /* read-only dynptrs too */
};

struct helper_arg {
	u8 kind; /* enum arg_kind */
	u8 flags;
	u16 size;	      /* ARG_FIXED_MEM: bytes */
	const char *btf_type; /* ARG_BTF_ID: name of the struct */
};

enum ret_kind {
	RET_INTEGER,
	RET_VOID,
	RET_MAP_VALUE,
	RET_SOCKET,
	RET_TCP_SOCK,
	RET_SOCK_COMMON,
	RET_RINGBUF_MEM,
	RET_DYNPTR_MEM,
	RET_BTF_ID,	   /* kernel object of helper_row.ret_btf_type */
	RET_MEM_OR_BTF_ID, /* per-CPU variable */
};

enum helper_flags {
	HELPER_GPL = 1 << 0,		/* only for programs under a GPL-compatible licence */
	HELPER_PACKET_ARGS = 1 << 1,	/* memory arguments may point into the packet */
	HELPER_CHANGES_PACKET = 1 << 2, /* all packet pointers are void afterwards */
	HELPER_RET_OR_NULL = 1 << 3,
	HELPER_ACQUIRES = 1 << 4, /* the result is a reference that must be released */
	HELPER_SLEEPS = 1 << 5,	  /* only for sleepable programs */
	HELPER_RET_TRUSTED = 1 << 6,
	HELPER_ALL_ARGS = 1 << 7, /* uses registers of which the verifier asks nothing */
};

/* Program types as a set: bit n is enum bpf_prog_type n. */
#define PROG_BIT(type) (1ull << (type))

struct helper_row {
	u16 id;
	u8 ret; /* enum ret_kind */
	u8 flags;
	u8 rights; /* enum skep_rights that a program's loader needs beyond those of its type */
	const char *name;  /* without bpf_ */
	const char *since; /* first Linux that has it: "4.1" */
	const char *ret_btf_type;
	u64 progs; /* PROG_BIT()s of the program types that may call it */
	struct helper_arg arg[HELPER_ARGS];
};

/* NULL: Linux has no helper of this id. */
const struct helper_row *helper_row(u32 id);
/* The helper as it is for programs of this type: some take other arguments there. Its row's
 * `progs` are those types; NULL: no program of this type may call it. */
const struct helper_row *helper_row_for(u32 id, enum bpf_prog_type type);
const struct helper_row *helper_row_by_name(const char *name);
u32 helper_last_id(void);

/* Whether Linux lets this kind of program call it (attach types matter for some types). Which
 * function d_path() and the sk_storage helpers may be called in is BTF's to say. */
bool helper_is_allowed(const struct helper_row *row, enum bpf_prog_type type,
		       enum bpf_attach_type attach_type, bool sleepable, u32 rights);

#endif
