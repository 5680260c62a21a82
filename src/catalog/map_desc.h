/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a map without its content: what the verifier needs, and what OBJ_GET_INFO
 * shows. A struct map (src/map) begins with a reference-counted object and embeds one of these.
 */
#ifndef SKEP_CATALOG_MAP_DESC_H
#define SKEP_CATALOG_MAP_DESC_H

#include "base/types.h"
#include "btf/fields.h"
#include "catalog/uapi.h"

struct btf_view;
struct skep_map_type;

struct map_desc {
	u32 type; /* enum bpf_map_type */
	u32 key_size, value_size, max_entries;
	u32 flags; /* BPF_F_* of map creation */
	u64 extra;
	u64 user_start; /* arenas: where user space has it; 0: not known yet */
	char name[BPF_OBJ_NAME_LEN];
	u32 id;

	const struct btf_view *btf; /* NULL: none. Kept alive by the map. */
	u32 btf_id, key_type, value_type;
	u32 vmlinux_value_type;	       /* struct_ops: type id of the kernel's structure */
	const struct btf_view *kernel; /* with vmlinux_value_type, the engine's; NULL: none */
	struct btf_fields fields;      /* of a value: those with a meaning of their own */

	const struct skep_map_type *host; /* of the host's types; NULL: Linux's */
	void *host_cookie;
	const struct map_desc *inner; /* template of the inner maps of a map of maps */
	u32 ifindex;
	u32 numa_node; /* with BPF_F_NUMA_NODE */

	/* Values that sit at fixed addresses (array without per-CPU values): value i is at
	 * `values + i * value_stride`; NULL: there are none. */
	u8 *values;
	u32 value_stride;

	bool by_unprivileged; /* made without CAP_PERFMON: speculation may use any index */
	bool frozen;	      /* BPF_MAP_FREEZE: user space can no longer write */
};

static inline bool map_desc_is_per_cpu(const struct map_desc *desc)
{
	return desc->type == BPF_MAP_TYPE_PERCPU_HASH ||
	       desc->type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       desc->type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
	       desc->type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

/* Where a value has its field of this kind; -1: it has none. */
static inline s32 map_desc_field(const struct map_desc *desc, enum btf_field_kind kind)
{
	const struct btf_field *field;

	if (!(desc->fields.kinds & BTF_FIELD_BIT(kind)))
		return -1;
	field = btf_field_of_kind(&desc->fields, kind);
	return field ? (s32)field->offset : -1;
}

/* Content that can never change: the verifier reads it as constants. */
static inline bool map_desc_is_constant(const struct map_desc *desc)
{
	return desc->values && desc->frozen && (desc->flags & BPF_F_RDONLY_PROG);
}

#endif
