/* SPDX-License-Identifier: BSD-2-Clause */
/* BTF types for keys and values of maps. */
#ifndef SKEP_TESTS_SYS_MAP_TYPES_H
#define SKEP_TESTS_SYS_MAP_TYPES_H

#include "tests/sys/worlds.h"

enum { INT = 1, LONG, BYTE, BYTES, CGROUP_KEY, TYPES };

/* One BTF with an integer of each size, an array of bytes and struct bpf_cgroup_storage_key. */
static inline int load_types(struct world *world)
{
	static const struct {
		struct btf_header header;
		struct {
			struct btf_type type;
			u32 encoding;
		} ints[3];
		struct btf_type array;
		struct btf_array bytes;
		struct btf_type key;
		struct btf_member members[2];
		char strings[32];
	} blob = {
		.header = {.magic = BTF_MAGIC,
			   .version = 1,
			   .hdr_len = sizeof(struct btf_header),
			   .type_len = 3 * 16 + 24 + 12 + 24,
			   .str_off = 3 * 16 + 24 + 12 + 24,
			   .str_len = 32},
		.ints = {{{1, BTF_KIND_INT << 24, {4}}, BTF_INT_SIGNED << 24 | 32},
			 {{5, BTF_KIND_INT << 24, {8}}, 64},
			 {{10, BTF_KIND_INT << 24, {1}}, 8}},
		.array = {0, BTF_KIND_ARRAY << 24, {0}},
		.bytes = {BYTE, INT, 16},
		.key = {15, BTF_KIND_STRUCT << 24 | 2, {16}},
		.members = {{19, LONG, 0}, {21, INT, 64}},
		.strings = "\0int\0long\0byte\0key\0a\0b",
	};
	union bpf_attr attr = {.btf = ptr_to_u64(&blob), .btf_size = sizeof(blob)};

	return bpf(world, BPF_BTF_LOAD, &attr);
}

#endif
