/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Program types and their contexts: rows of progs.def and ctx.def.
 */
#ifndef SKEP_CATALOG_PROG_H
#define SKEP_CATALOG_PROG_H

#include "base/types.h"
#include "catalog/uapi.h"

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
	CTX_BTF_POINTER, /* kernel object by BTF */
};

enum ctx_field_flags {
	CTX_READ_NARROW = 1 << 0, /* aligned loads narrower than the field are allowed */
	CTX_WRITE_NARROW = 1 << 1,
	CTX_READ_WIDE = 1 << 2, /* 8-byte access over this and the next 4-byte field */
	CTX_WRITE_WIDE = 1 << 3,
	CTX_CONVERTED = 1 << 4, /* the own field is elsewhere or of another size (own_*) */
};

struct ctx_field {
	const char *name;
	u16 offset, size; /* in the uapi structure */
	u8 value;	  /* enum ctx_value */
	u8 flags;
	u16 own_offset, own_size;    /* in the engine's structure (catalog/ctx.h) */
	u64 read_progs, write_progs; /* PROG_BIT()s */
};

struct prog_row {
	enum bpf_prog_type type;
	const char *name; /* bpftool's: "xdp", "sched_cls" */
	const char *since;
	const char *ctx_name; /* uapi structure: "struct __sk_buff" */
	u16 ctx_size;	      /* of the uapi structure; 0: depends on the attach point */
	u8 rights;	      /* enum skep_rights needed to load, beside BPF */
	bool has_packet;      /* direct packet access */
	bool may_write_packet;
	bool has_ld_abs; /* LD_ABS and LD_IND are allowed */
	bool has_test_run;
};

/* NULL: Linux has no such type. */
const struct prog_row *prog_row(u32 type);
const struct prog_row *prog_row_by_name(const char *name);

/*
 * The row for an access of `size` bytes at `offset` of the type's context, NULL when Linux
 * allows none. A load of part of a field returns the field's row.
 */
const struct ctx_field *ctx_field_find(enum bpf_prog_type type,
				       enum bpf_attach_type attach_type, s32 offset, u32 size,
				       bool is_write);

struct ret_range {
	s64 low, high; /* as 32-bit signed unless `is64` */
	bool checked;  /* false: any value */
	bool is64;
};

/* What r0 may be at the program's exit. */
struct ret_range prog_ret_range(enum bpf_prog_type type, enum bpf_attach_type attach_type);

/* Whether Linux takes this expected_attach_type at PROG_LOAD: 0 or -EINVAL. */
int prog_check_attach_type(enum bpf_prog_type type, enum bpf_attach_type attach_type);

#endif
