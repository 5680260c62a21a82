/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Program types, attach types and contexts: rows of progs.def, attach.def and ctx.def.
 */
#ifndef SKEP_CATALOG_PROG_H
#define SKEP_CATALOG_PROG_H

#include "base/types.h"
#include "catalog/uapi.h"

/* The structures that ctx.def describes: contexts, and objects that a context leads to. */
enum ctx_view {
	CTX_VIEW_NONE,
	CTX_VIEW_SK_BUFF,
	CTX_VIEW_XDP_MD,
	CTX_VIEW_CGROUP_SOCK,
	CTX_VIEW_SOCK_ADDR,
	CTX_VIEW_SOCK_OPS,
	CTX_VIEW_SK_MSG,
	CTX_VIEW_SK_REUSEPORT,
	CTX_VIEW_SK_LOOKUP,
	CTX_VIEW_CGROUP_DEVICE,
	CTX_VIEW_SYSCTL,
	CTX_VIEW_SOCKOPT,
	CTX_VIEW_PERF_EVENT_DATA,
	CTX_VIEW_PT_REGS,
	CTX_VIEW_TRACEPOINT,
	CTX_VIEW_RAW_TRACEPOINT,
	CTX_VIEW_LIRC_MODE2,
	CTX_VIEW_NETFILTER,
	CTX_VIEW_SYSCALL,
	CTX_VIEW_BTF_ARGUMENTS, /* u64 each; types from BTF */
	/* objects */
	CTX_VIEW_SOCK_COMMON, /* what CTX_SOCK_COMMON_OR_NULL points to */
	CTX_VIEW_SOCKET,
	CTX_VIEW_TCP_SOCK,
	CTX_VIEW_XDP_SOCK,
	CTX_VIEW_FLOW_KEYS,
};

/* What a load of a context field gives. */
enum ctx_value {
	CTX_SCALAR,
	CTX_PACKET, /* start of the packet */
	CTX_PACKET_META,
	CTX_PACKET_END,
	CTX_FLOW_KEYS,
	CTX_SOCK_COMMON_OR_NULL, /* __sk_buff.sk, ... */
	CTX_SOCK_OR_NULL,
	CTX_SOCKET,	 /* never NULL */
	CTX_BUFFER,	 /* read-only or writable tracing buffer */
	CTX_BTF_POINTER, /* kernel object by BTF: ctx_field.btf_type, or found by its argument
			  */
};

enum ctx_field_flags {
	CTX_READ_NARROW = 1 << 0, /* aligned loads narrower than the field are allowed */
	CTX_WRITE_NARROW = 1 << 1,
	CTX_READ_WIDE = 1 << 2, /* 8-byte access over this and the next 4-byte field */
	CTX_WRITE_WIDE = 1 << 3,
	CTX_CONVERTED = 1 << 4, /* the own field is elsewhere or of another size (own_*) */
	CTX_READ_HEAD = 1 << 5, /* narrower loads, but only of the field's first bytes */
	CTX_RANGE = 1 << 6,	/* an area: any naturally aligned access inside */
	CTX_WORDS = 1 << 7,	/* an area of 8-byte words, each accessed as a whole */
	CTX_UNALIGNED = 1 << 8, /* with CTX_RANGE: at any offset */
};

struct ctx_field {
	const char *name;
	u16 offset, size;	     /* in the uapi structure */
	u16 flags;		     /* enum ctx_field_flags */
	u8 value;		     /* enum ctx_value */
	u8 view;		     /* enum ctx_view */
	u16 own_offset, own_size;    /* in the engine's structure (catalog/ctx.h) */
	u64 read_progs, write_progs; /* PROG_BIT()s */
	u64 attach;		     /* bit n: attach type n has the field; 0: all have it */
	const char *btf_type;	     /* CTX_BTF_POINTER: the structure's name, or NULL */
};

struct prog_row {
	enum bpf_prog_type type;
	const char *name; /* bpftool's: "xdp", "sched_cls" */
	const char *since;
	const char *ctx_name; /* uapi structure: "struct __sk_buff" */
	u16 ctx_size;	      /* of the uapi structure; 0: depends on the attach point */
	u8 ctx_view;	      /* enum ctx_view */
	u8 rights;	      /* enum skep_rights needed to load, beside BPF */
	bool has_packet;      /* direct packet access */
	bool may_write_packet;
	bool has_ld_abs; /* LD_ABS and LD_IND are allowed */
	bool has_test_run;
};

/* NULL: Linux has no such type. */
const struct prog_row *prog_row(u32 type);
const struct prog_row *prog_row_by_name(const char *name);

struct attach_row {
	enum bpf_attach_type type;
	const char *name; /* bpftool's and libbpf's: "cgroup_inet4_bind" */
	u64 progs;	  /* PROG_BIT()s of the program types that attach so */
	const char *since;
};

/* NULL: Linux has no such attach type. */
const struct attach_row *attach_row(u32 type);
const struct attach_row *attach_row_by_name(const char *name);

/*
 * The row for an access of `size` bytes at `offset` of the type's context, NULL when Linux
 * allows none. A load of part of a field returns the field's row.
 */
const struct ctx_field *ctx_field_find(enum bpf_prog_type type,
				       enum bpf_attach_type attach_type, s32 offset, u32 size,
				       bool is_write);

/* The same for an object that a program got a pointer to (CTX_VIEW_SOCK_COMMON ...). */
const struct ctx_field *ctx_object_field_find(enum ctx_view view, s32 offset, u32 size,
					      bool is_write);

/* First Linux that has the field; NULL: it is as old as its context. */
const char *ctx_field_since(const struct ctx_field *field);

struct ret_range {
	s64 low, high; /* as 32-bit signed unless `is64` */
	bool checked;  /* false: any value */
	bool is64;
};

/* What r0 may be at the program's exit. LSM hooks that return bool or nothing differ: BTF. */
struct ret_range prog_ret_range(enum bpf_prog_type type, enum bpf_attach_type attach_type);

/* Whether Linux takes this expected_attach_type at PROG_LOAD: 0 or -EINVAL. */
int prog_check_attach_type(enum bpf_prog_type type, enum bpf_attach_type attach_type);

/* The expected_attach_type that Linux puts in place of 0, for programs older than the field. */
enum bpf_attach_type prog_default_attach_type(enum bpf_prog_type type,
					      enum bpf_attach_type attach_type);

#endif
