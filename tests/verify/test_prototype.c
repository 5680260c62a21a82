/* SPDX-License-Identifier: BSD-2-Clause */
/* Prototypes of global functions that no compiler makes; the others are in tests/objects. */
#include "btf/btf.h"
#include "tests/unit.h"
#include "verify/verify.h"
#include <skep/skep.h>

#include <errno.h>

#define INFO(kind, vlen) ((u32)(kind) << 24 | (vlen))

enum { NAME_INT = 1, NAME_MAIN = 5, NAME_SUB = 10, STRINGS = 14 };
enum { TYPE_INT = 1, TYPE_NO_ARGUMENTS, TYPE_MAIN, TYPE_SIX_ARGUMENTS, TYPE_SUB };

static const u32 types[] = {
	NAME_INT,
	INFO(BTF_KIND_INT, 0),
	4,
	BTF_INT_SIGNED << 24 | 32,
	0,
	INFO(BTF_KIND_FUNC_PROTO, 0),
	TYPE_INT,

	NAME_MAIN,
	INFO(BTF_KIND_FUNC, BTF_FUNC_GLOBAL),
	TYPE_NO_ARGUMENTS,

	0,
	INFO(BTF_KIND_FUNC_PROTO, 6),
	TYPE_INT,
	NAME_INT,
	TYPE_INT,
	NAME_INT,
	TYPE_INT,
	NAME_INT,
	TYPE_INT,
	NAME_INT,
	TYPE_INT,
	NAME_INT,
	TYPE_INT,
	NAME_INT,
	TYPE_INT,

	NAME_SUB,
	INFO(BTF_KIND_FUNC, BTF_FUNC_GLOBAL),
	TYPE_SIX_ARGUMENTS,
};

static struct btf_view *new_btf(void)
{
	struct {
		struct btf_header header;
		u32 types[ARRAY_SIZE(types)];
		char strings[STRINGS];
	} blob = {
		.header = {BTF_MAGIC, BTF_VERSION, 0, sizeof(struct btf_header), 0,
			   sizeof(types), sizeof(types), STRINGS},
		.strings = "\0int\0main\0sub",
	};
	struct btf_view *btf;
	struct skep_error err;

	for (u32 i = 0; i < ARRAY_SIZE(types); i++)
		blob.types[i] = types[i];
	if (btf_view_new(&blob, sizeof(struct btf_header) + sizeof(types) + STRINGS, &btf, NULL,
			 &err))
		fail_msg("%s", err.text);
	return btf;
}

static void six_arguments_are_too_many(void **state)
{
	static const struct bpf_insn insns[] = {
		{BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
		{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
	};
	static const struct bpf_func_info functions[] = {{0, TYPE_MAIN}, {2, TYPE_SUB}};
	struct btf_view *btf = new_btf();
	struct verify_input input = {
		.insns = insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.type = BPF_PROG_TYPE_XDP,
		.rights = SKEP_RIGHT_ADMIN,
		.btf = btf,
		.func_info = functions,
		.func_info_cnt = ARRAY_SIZE(functions),
		.func_info_rec_size = sizeof(functions[0]),
	};
	struct verified *verified;
	struct skep_error err;

	assert_int_equal(verify_program(&input, &verified, &err), -EINVAL);
	assert_string_equal(err.reason, "too_many_params");
	btf_view_free(btf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(six_arguments_are_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
