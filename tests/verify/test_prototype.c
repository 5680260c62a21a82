/* SPDX-License-Identifier: BSD-2-Clause */
/* Types of functions that no compiler and loader makes; others are in tests/objects. */
#include "btf/btf.h"
#include "tests/unit.h"
#include "verify/verify.h"
#include <skep/skep.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define INFO(kind, vlen) ((u32)(kind) << 24 | (vlen))

enum { NAME_INT = 1, NAME_MAIN = 5, NAME_SUB = 10, NAME_TAG = 14, STRINGS = 38 };
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

	NAME_TAG,
	INFO(BTF_KIND_DECL_TAG, 0),
	TYPE_MAIN,
	(u32)-1, /* of the function itself */
};

#define TAG_WORDS 4

/* `callback`: what main's tag names; NULL: it has no tag. */
static struct btf_view *new_btf(const char *callback)
{
	u32 size = sizeof(types) - (callback ? 0 : TAG_WORDS * sizeof(u32));
	struct {
		struct btf_header header;
		u8 types_and_strings[sizeof(types) + STRINGS];
	} blob = {
		.header = {BTF_MAGIC, BTF_VERSION, 0, sizeof(struct btf_header), 0, size, size,
			   STRINGS},
	};
	char *strings = (char *)blob.types_and_strings + size;
	struct btf_view *btf;
	struct skep_error err;

	memcpy(blob.types_and_strings, types, size);
	memcpy(strings, "\0int\0main\0sub", NAME_TAG);
	snprintf(strings + NAME_TAG, STRINGS - NAME_TAG, "exception_callback:%s",
		 callback ? callback : "");
	if (btf_view_new(&blob, sizeof(struct btf_header) + size + STRINGS, &btf, NULL, &err))
		fail_msg("%s", err.text);
	return btf;
}

/* The program calls a function; `count` of the two have a type. */
static void check(const char *callback, u32 count, const char *reason)
{
	static const struct bpf_insn insns[] = {
		{BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
		{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
	};
	static const struct bpf_func_info functions[] = {{0, TYPE_MAIN}, {2, TYPE_SUB}};
	struct btf_view *btf = new_btf(callback);
	struct verify_input input = {
		.insns = insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.type = BPF_PROG_TYPE_XDP,
		.rights = SKEP_RIGHT_ADMIN,
		.btf = btf,
		.func_info = functions,
		.func_info_cnt = count,
		.func_info_rec_size = sizeof(functions[0]),
	};
	struct verified *verified;
	struct skep_error err;

	assert_int_equal(verify_program(&input, &verified, &err), -EINVAL);
	assert_string_equal(err.reason, reason);
	btf_view_free(btf);
}

static void six_arguments_are_too_many(void **state)
{
	check(NULL, 2, "too_many_params");
}

static void exception_callbacks_are_other_functions_of_the_program(void **state)
{
	check("main", 2, "exception_callback_main");
	check("sub", 1, "exception_callback_missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(six_arguments_are_too_many),
		cmocka_unit_test(exception_callbacks_are_other_functions_of_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
