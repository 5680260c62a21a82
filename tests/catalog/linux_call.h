/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps of every type, and calls of helpers with arguments that fit. */
#ifndef SKEP_TESTS_CATALOG_LINUX_CALL_H
#define SKEP_TESTS_CATALOG_LINUX_CALL_H

#include "catalog/helper.h"
#include "catalog/map_type.h"
#include "tests/catalog/linux_load.h"

#define STACK_BYTES 128

/* Sizes with which each type can be made. */
static const struct map_sizes {
	u16 key, value, entries;
} linux_map_sizes[] = {
	[1] = {4, 8, 4},   [2] = {4, 8, 4},	[3] = {4, 4, 4},   [4] = {4, 4, 4},
	[5] = {4, 8, 4},   [6] = {4, 8, 4},	[7] = {4, 80, 4},  [8] = {4, 4, 4},
	[9] = {4, 8, 4},   [10] = {4, 8, 4},	[11] = {8, 8, 4},  [12] = {4, 4, 4},
	[13] = {4, 4, 4},  [14] = {4, 4, 4},	[15] = {4, 4, 4},  [16] = {4, 4, 2},
	[17] = {4, 4, 4},  [18] = {4, 4, 4},	[19] = {16, 8, 0}, [20] = {4, 8, 4},
	[21] = {16, 8, 0}, [22] = {0, 8, 4},	[23] = {0, 8, 4},  [24] = {4, 4, 0},
	[25] = {4, 4, 4},  [27] = {0, 0, 4096}, [28] = {4, 4, 0},  [29] = {4, 4, 0},
	[30] = {0, 8, 4},  [31] = {0, 0, 4096}, [32] = {4, 4, 0},  [33] = {0, 0, 4},
};

static inline int linux_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* A BTF of one type, a 4-byte int: what local storage wants. */
static inline int linux_load_int_btf(void)
{
	static const struct {
		struct btf_header header;
		struct btf_type type;
		u32 encoding;
		char strings[5];
	} blob = {
		.header = {.magic = BTF_MAGIC,
			   .version = 1,
			   .hdr_len = sizeof(struct btf_header),
			   .type_len = 16,
			   .str_off = 16,
			   .str_len = 5},
		.type = {.name_off = 1, .info = BTF_KIND_INT << 24, .size = 4},
		.encoding = BTF_INT_SIGNED << 24 | 32,
		.strings = "\0int",
	};
	union bpf_attr attr = {.btf = (uintptr_t)&blob,
			       .btf_size = sizeof(struct btf_header) + 21};

	return linux_bpf(BPF_BTF_LOAD, &attr);
}

static inline bool linux_is_local_storage(u32 type)
{
	return type == BPF_MAP_TYPE_SK_STORAGE || type == BPF_MAP_TYPE_INODE_STORAGE ||
	       type == BPF_MAP_TYPE_TASK_STORAGE || type == (u32)BPF_MAP_TYPE_CGRP_STORAGE;
}

static inline int linux_make_map(u32 type, u32 flags)
{
	static int btf = -1, inner = -1;
	union bpf_attr attr = {
		.map_type = type,
		.key_size = linux_map_sizes[type].key,
		.value_size = linux_map_sizes[type].value,
		.max_entries = linux_map_sizes[type].entries,
		.map_flags = flags,
	};

	if (linux_is_local_storage(type)) {
		btf = btf < 0 ? linux_load_int_btf() : btf;
		attr.btf_fd = btf;
		attr.btf_key_type_id = attr.btf_value_type_id = 1;
	}
	if (type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS) {
		inner = inner < 0 ? linux_make_map(BPF_MAP_TYPE_ARRAY, 0) : inner;
		attr.inner_map_fd = inner;
	}
	return linux_bpf(BPF_MAP_CREATE, &attr);
}

/* A map that the helper takes, kept open for later calls; -1: none can be made here. */
static inline int linux_map_for(u32 helper_id)
{
	static int maps[ARRAY_SIZE(linux_map_sizes)];

	for (u32 type = 1; type < ARRAY_SIZE(linux_map_sizes); type++) {
		if (!map_type_may_use_helper(type, helper_id) || !linux_map_sizes[type].key)
			continue;
		if (!maps[type])
			maps[type] = linux_make_map(type, map_type_row(type)->required_flags);
		if (maps[type] > 0)
			return maps[type];
	}
	for (u32 type = 1; type < ARRAY_SIZE(linux_map_sizes); type++)
		if (map_type_may_use_helper(type, helper_id) && type != BPF_MAP_TYPE_STRUCT_OPS)
			return linux_make_map(type, map_type_row(type)->required_flags);
	return -1;
}

static inline u32 call_set(u8 reg, s32 value, struct bpf_insn *out)
{
	*out = (struct bpf_insn){
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = reg, .imm = value};
	return 1;
}

static inline u32 call_copy(u8 to, u8 from, struct bpf_insn *out)
{
	*out = (struct bpf_insn){
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from};
	return 1;
}

/* r6: context, r8: an unknown number, the stack's last STACK_BYTES: zeros. */
static inline u32 call_prologue(struct bpf_insn *out)
{
	u32 count = call_copy(6, 1, out);

	for (s32 offset = -STACK_BYTES; offset < 0; offset += 8)
		out[count++] = (struct bpf_insn){
			.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = offset};
	out[count++] =
		(struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_prandom_u32};
	return count + call_copy(8, 0, out + count);
}

/* Puts a fitting argument into a register; 0: none can be made here. */
static inline u32 call_argument(const struct helper_arg *arg, u8 reg, int map,
				struct bpf_insn *out)
{
	switch (arg->kind) {
	case ARG_CTX: return call_copy(reg, 6, out);
	case ARG_CONST_MAP_PTR:
		out[0] = (struct bpf_insn){.code = BPF_LD | BPF_IMM | BPF_DW,
					   .dst_reg = reg,
					   .src_reg = BPF_PSEUDO_MAP_FD,
					   .imm = map};
		out[1] = (struct bpf_insn){};
		return 2;
	case ARG_MAP_KEY:
	case ARG_MAP_VALUE:
	case ARG_MEM:
	case ARG_FIXED_MEM:
		call_copy(reg, 10, out);
		out[1] = (struct bpf_insn){.code = BPF_ALU64 | BPF_ADD | BPF_K,
					   .dst_reg = reg,
					   .imm = -STACK_BYTES};
		return 2;
	case ARG_ANYTHING:
	case ARG_CONST_SIZE:
	case ARG_CONST_SIZE_OR_ZERO:
	case ARG_CONST_ALLOC_SIZE: return call_set(reg, 8, out);
	default: return 0;
	}
}

static inline u32 call_epilogue(u32 helper_id, struct bpf_insn *out)
{
	out[0] = (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = helper_id};
	call_set(0, 1, out + 1);
	out[2] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	return 3;
}

/* 0: an argument cannot be made here. */
static inline u32 build_call(const struct helper_row *helper, int map, struct bpf_insn *out)
{
	u32 count = call_prologue(out);

	for (u32 i = 0; i < HELPER_ARGS && helper->arg[i].kind != ARG_NONE; i++) {
		u32 added = call_argument(&helper->arg[i], i + 1, map, out + count);

		if (!added)
			return 0;
		count += added;
	}
	return count + call_epilogue(helper->id, out + count);
}

#endif
