/* SPDX-License-Identifier: BSD-2-Clause */
/* maps.def: flags of creation, and which helpers take which maps, as on the running kernel. */
#include "catalog/helper.h"
#include "catalog/map_type.h"
#include "catalog/prog.h"
#include "tests/catalog/linux_load.h"
#include "tests/unit.h"

#include <skep/skep.h>

#define LAST_MAP_TYPE 33
#define STACK_BYTES   128

static void every_type_has_a_row(void **state)
{
	assert_int_equal(map_type_last(), LAST_MAP_TYPE);
	assert_null(map_type_row(0));
	assert_null(map_type_row(LAST_MAP_TYPE + 1));
	assert_null(map_type_row_by_name("none"));
	for (u32 type = 1; type <= LAST_MAP_TYPE; type++) {
		const struct map_type_row *row = map_type_row(type);

		assert_non_null(row);
		assert_int_equal(row->type, type);
		assert_ptr_equal(map_type_row_by_name(row->name), row);
		assert_int_equal(row->required_flags & ~row->flags, 0);
		for (u32 i = 0; i < MAP_TYPE_HELPERS && row->helpers[i]; i++)
			assert_non_null(helper_row(row->helpers[i]));
	}
}

/* Sizes with which each type can be made. */
static const struct map_sizes {
	u16 key, value, entries;
} sizes[LAST_MAP_TYPE + 1] = {
	[1] = {4, 8, 4},   [2] = {4, 8, 4},	[3] = {4, 4, 4},   [4] = {4, 4, 4},
	[5] = {4, 8, 4},   [6] = {4, 8, 4},	[7] = {4, 80, 4},  [8] = {4, 4, 4},
	[9] = {4, 8, 4},   [10] = {4, 8, 4},	[11] = {8, 8, 4},  [12] = {4, 4, 4},
	[13] = {4, 4, 4},  [14] = {4, 4, 4},	[15] = {4, 4, 4},  [16] = {4, 4, 2},
	[17] = {4, 4, 4},  [18] = {4, 4, 4},	[19] = {16, 8, 0}, [20] = {4, 8, 4},
	[21] = {16, 8, 0}, [22] = {0, 8, 4},	[23] = {0, 8, 4},  [24] = {4, 4, 0},
	[25] = {4, 4, 4},  [27] = {0, 0, 4096}, [28] = {4, 4, 0},  [29] = {4, 4, 0},
	[30] = {0, 8, 4},  [31] = {0, 0, 4096}, [32] = {4, 4, 0},  [33] = {0, 0, 4},
};

static int linux_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* A BTF of one type, a 4-byte int: what local storage wants. */
static int load_int_btf(void)
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

static bool is_local_storage(u32 type)
{
	return type == BPF_MAP_TYPE_SK_STORAGE || type == BPF_MAP_TYPE_INODE_STORAGE ||
	       type == BPF_MAP_TYPE_TASK_STORAGE || type == (u32)BPF_MAP_TYPE_CGRP_STORAGE;
}

static int make_map(u32 type, u32 flags)
{
	static int btf = -1, inner = -1;
	union bpf_attr attr = {
		.map_type = type,
		.key_size = sizes[type].key,
		.value_size = sizes[type].value,
		.max_entries = sizes[type].entries,
		.map_flags = flags,
	};

	if (is_local_storage(type)) {
		btf = btf < 0 ? load_int_btf() : btf;
		attr.btf_fd = btf;
		attr.btf_key_type_id = attr.btf_value_type_id = 1;
	}
	if (type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS) {
		inner = inner < 0 ? make_map(BPF_MAP_TYPE_ARRAY, 0) : inner;
		attr.inner_map_fd = inner;
	}
	return linux_bpf(BPF_MAP_CREATE, &attr);
}

static bool linux_takes_flags(u32 type, u32 flags)
{
	int fd = make_map(type, flags);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void flags_are_those_of_linux(void **state)
{
	if (!linux_is_oracle())
		skip();
	for (u32 type = 1; type <= LAST_MAP_TYPE; type++) {
		const struct map_type_row *row = map_type_row(type);

		if (type == BPF_MAP_TYPE_STRUCT_OPS)
			continue; /* needs the kernel's types */
		assert_true(linux_takes_flags(type, row->required_flags));
		if (row->required_flags)
			assert_false(linux_takes_flags(type, 0));
		for (u32 bit = 0; bit < 20; bit++) {
			u32 flag = 1u << bit;
			bool want;

			/* build ids change the sizes; a link wants struct_ops */
			if (flag == BPF_F_STACK_BUILD_ID || (row->required_flags & flag))
				continue;
			want = linux_takes_flags(type, row->required_flags | flag);
			if (!!(row->flags & flag) != want)
				fail_msg("%s: flag %#x: Linux %s it", row->name, flag,
					 want ? "takes" : "refuses");
		}
	}
}

/* Builds a call with arguments that fit; 0: an argument cannot be made here. */
static u32 build_call(const struct helper_row *helper, int map, struct bpf_insn *out)
{
	u32 count = 0;

	out[count++] = (struct bpf_insn){
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 6, .src_reg = 1};
	for (s32 offset = -STACK_BYTES; offset < 0; offset += 8)
		out[count++] = (struct bpf_insn){
			.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = offset};
	for (u32 i = 0; i < HELPER_ARGS && helper->arg[i].kind != ARG_NONE; i++) {
		u8 reg = i + 1;

		switch (helper->arg[i].kind) {
		case ARG_CTX:
			out[count++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X,
							 .dst_reg = reg,
							 .src_reg = 6};
			break;
		case ARG_CONST_MAP_PTR:
			out[count++] = (struct bpf_insn){.code = BPF_LD | BPF_IMM | BPF_DW,
							 .dst_reg = reg,
							 .src_reg = BPF_PSEUDO_MAP_FD,
							 .imm = map};
			out[count++] = (struct bpf_insn){};
			break;
		case ARG_MAP_KEY:
		case ARG_MAP_VALUE:
		case ARG_MEM:
			out[count++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X,
							 .dst_reg = reg,
							 .src_reg = 10};
			out[count++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_ADD | BPF_K,
							 .dst_reg = reg,
							 .imm = -STACK_BYTES};
			break;
		case ARG_ANYTHING:
		case ARG_CONST_SIZE:
		case ARG_CONST_SIZE_OR_ZERO:
			out[count++] = (struct bpf_insn){
				.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = reg, .imm = 8};
			break;
		default: return 0;
		}
	}
	out[count++] = (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = helper->id};
	out[count++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1};
	out[count++] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	return count;
}

static u32 caller_of(const struct helper_row *helper)
{
	for (u32 type = 1; type <= 32; type++)
		if (linux_can_load_plainly(type) &&
		    helper_row_for(helper->id, type) == helper &&
		    helper_is_allowed(helper, type, 0, true, SKEP_RIGHTS_ALL) &&
		    !prog_check_attach_type(type, 0))
			return type;
	return 0;
}

static bool takes_a_map(const struct helper_row *helper)
{
	for (u32 i = 0; i < HELPER_ARGS; i++)
		if (helper->arg[i].kind == ARG_CONST_MAP_PTR)
			return true;
	return false;
}

static void helpers_take_the_maps_of_linux(void **state)
{
	static char log[16384];
	struct bpf_insn insns[64];
	u32 pairs = 0;

	if (!linux_is_oracle())
		skip();
	for (u32 type = 1; type <= LAST_MAP_TYPE; type++) {
		int map = type == BPF_MAP_TYPE_STRUCT_OPS
				  ? -1
				  : make_map(type, map_type_row(type)->required_flags);

		for (u32 id = 1; map >= 0 && id <= helper_last_id(); id++) {
			const struct helper_row *helper = helper_row(id);
			u32 caller = caller_of(helper), count;
			int result;

			if (!takes_a_map(helper) || !caller)
				continue;
			count = build_call(helper, map, insns);
			if (!count)
				continue;
			result = linux_load(caller, 0, insns, count, log, sizeof(log));
			if (result && !strstr(log, "cannot pass map_type"))
				continue; /* something else is wrong with the call */
			pairs++;
			if (map_type_may_use_helper(type, id) != !result)
				fail_msg("%s with %s: Linux %s it", helper->name,
					 map_type_row(type)->name,
					 result ? "refuses" : "takes");
		}
		close(map);
	}
	assert_in_range(pairs, 100, 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_a_row),
		cmocka_unit_test(flags_are_those_of_linux),
		cmocka_unit_test(helpers_take_the_maps_of_linux),
	};

	return cmocka_run_group_tests_name("catalog.map_type", tests, NULL, NULL);
}
