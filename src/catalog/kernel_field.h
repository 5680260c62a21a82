/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Members of the kernel's structures: how far a pointer can be trusted that was read from one,
 * and which of them programs may write (writable_fields.def).
 */
#ifndef SKEP_CATALOG_KERNEL_FIELD_H
#define SKEP_CATALOG_KERNEL_FIELD_H

#include "base/types.h"
#include "btf/btf.h"
#include "catalog/uapi.h"

/* What a pointer is that was read from a trusted object, or from one that RCU protects. */
enum field_trust {
	FIELD_PLAIN,	   /* not trusted, whatever the object was */
	FIELD_RCU,	   /* valid in an RCU section, never NULL */
	FIELD_RCU_OR_NULL, /* as above, or NULL */
	FIELD_TRUSTED,
	FIELD_TRUSTED_OR_NULL,
};

/*
 * The kernel says it in its own BTF: structure task_struct__safe_rcu has those members of
 * task_struct that are FIELD_RCU, and so on. `structure` is a type id; a member matches by
 * name.
 */
enum field_trust kernel_field_trust(const struct btf_view *kernel, u32 structure,
				    const char *member);

enum field_write {
	FIELD_WRITABLE,
	FIELD_READ_ONLY_STRUCTURE, /* no member of it may be written */
	FIELD_READ_ONLY_MEMBER,
	FIELD_WRITE_BEYOND, /* a writable one begins there, but is shorter */
};

/*
 * May a program of this type write `size` bytes at `offset` of the structure? `struct_ops` is
 * the structure that a BPF_PROG_TYPE_STRUCT_OPS program implements, else NULL. `end` is filled
 * in for FIELD_WRITE_BEYOND: where the member ends.
 */
enum field_write kernel_field_write(const struct btf_view *kernel, u32 structure,
				    enum bpf_prog_type type, const char *struct_ops, u32 offset,
				    u32 size, u32 *end);

#endif
