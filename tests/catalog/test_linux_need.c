/* SPDX-License-Identifier: BSD-2-Clause */
/* The oldest Linux for a program, one feature at a time. */
#include "catalog/helper.h"
#include "catalog/linux_need.h"
#include "catalog/map_type.h"
#include "catalog/prog.h"
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

static void versions_are_numbers(void **state)
{
	assert_true(linux_version_compare("5.9", "5.10") < 0);
	assert_true(linux_version_compare("4.20", "5.0") < 0);
	assert_true(linux_version_compare("6.1", "6.1") == 0);
	assert_true(linux_version_compare("6.15", "6.6") > 0);
}

static bool is_version(const char *text)
{
	unsigned major, minor;
	int end = 0;

	return sscanf(text, "%u.%u%n", &major, &minor, &end) == 2 && !text[end] && major >= 3 &&
	       major <= 6 && minor <= 20;
}

static void every_row_has_a_version(void **state)
{
	for (u32 type = 1; prog_row(type); type++)
		assert_true(is_version(prog_row(type)->since));
	for (u32 type = 0; attach_row(type); type++)
		assert_true(is_version(attach_row(type)->since));
	for (u32 type = 1; type <= map_type_last(); type++)
		assert_true(is_version(map_type_row(type)->since));
	for (u32 id = 1; id <= helper_last_id(); id++) {
		assert_true(is_version(helper_row(id)->since));
		/* ids were given in order, but for merges of one release */
		assert_true(id == 1 || linux_version_compare(helper_row(id - 1)->since,
							     helper_row(id)->since) <= 0);
	}
}

static const struct {
	struct bpf_insn insn;
	const char *since, *what;
} feature_cases[] = {
	{{.code = BPF_ALU64 | BPF_MOV | BPF_K}, "3.19", "socket_filter"},
	{{.code = BPF_JMP | BPF_JGT | BPF_K}, "3.19", "socket_filter"},
	{{.code = BPF_JMP | BPF_JLT | BPF_K}, "4.14", "jumps if less"},
	{{.code = BPF_JMP | BPF_JSLE | BPF_X}, "4.14", "jumps if less"},
	{{.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL},
	 "4.16",
	 "calls between BPF functions"},
	{{.code = BPF_JMP32 | BPF_JEQ | BPF_K}, "5.1", "32-bit jumps"},
	{{.code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = BPF_PSEUDO_MAP_FD},
	 "3.19",
	 "socket_filter"},
	{{.code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = BPF_PSEUDO_MAP_VALUE},
	 "5.2",
	 "global data"},
	{{.code = BPF_JMP | BPF_JA, .off = -1}, "5.3", "bounded loops"},
	{{.code = BPF_JMP | BPF_JNE | BPF_K, .off = -3}, "5.3", "bounded loops"},
	{{.code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = BPF_PSEUDO_BTF_ID},
	 "5.10",
	 "variables of the kernel"},
	{{.code = BPF_STX | BPF_ATOMIC | BPF_W, .imm = BPF_ADD}, "3.19", "socket_filter"},
	{{.code = BPF_STX | BPF_ATOMIC | BPF_W, .imm = BPF_ADD | BPF_FETCH},
	 "5.12",
	 "atomic operations other than addition"},
	{{.code = BPF_STX | BPF_ATOMIC | BPF_DW, .imm = BPF_OR},
	 "5.12",
	 "atomic operations other than addition"},
	{{.code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = BPF_PSEUDO_FUNC}, "5.13", "callbacks"},
	{{.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL},
	 "5.13",
	 "kernel functions"},
	{{.code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = BPF_PSEUDO_MAP_IDX},
	 "5.14",
	 "maps by index"},
	{{.code = BPF_LDX | BPF_MEMSX | BPF_B}, "6.6", "sign-extending loads"},
	{{.code = BPF_ALU64 | BPF_MOV | BPF_X, .off = 8}, "6.6", "sign-extending moves"},
	{{.code = BPF_ALU | BPF_DIV | BPF_K, .off = 1}, "6.6", "signed division"},
	{{.code = BPF_ALU64 | BPF_END, .imm = 32}, "6.6", "unconditional byte swaps"},
	{{.code = BPF_ALU | BPF_END, .imm = 32}, "3.19", "socket_filter"},
	{{.code = BPF_JMP32 | BPF_JA, .imm = 1},
	 "6.6",
	 "jumps over more than 32767 instructions"},
	{{.code = BPF_JMP | BPF_JCOND, .off = 1}, "6.9", "may_goto"},
	{{.code = BPF_ALU64 | BPF_MOV | BPF_X, .off = 1},
	 "6.9",
	 "casts between address spaces"},
	{{.code = BPF_STX | BPF_ATOMIC | BPF_W, .imm = BPF_LOAD_ACQ},
	 "6.15",
	 "load-acquire and store-release"},
	{{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_loop}, "5.17", "loop"},
};

static void instructions_tell_their_linux(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(feature_cases); i++) {
		struct linux_need need = linux_need_of_prog(BPF_PROG_TYPE_SOCKET_FILTER, 0,
							    &feature_cases[i].insn, 1);

		if (strcmp(need.since, feature_cases[i].since) ||
		    strcmp(need.what, feature_cases[i].what))
			fail_msg("row %u: %s (%s)", i, need.since, need.what);
	}
}

static void the_newest_need_wins(void **state)
{
	struct bpf_insn insns[] = {
		{.code = BPF_JMP32 | BPF_JEQ | BPF_K},
		/* the second half of a 64-bit load is no instruction */
		{.code = BPF_LD | BPF_IMM | BPF_DW},
		{.code = BPF_JMP | BPF_JCOND},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ringbuf_output},
	};
	struct linux_need need;

	need = linux_need_of_prog(BPF_PROG_TYPE_XDP, BPF_XDP, insns, ARRAY_SIZE(insns));
	assert_string_equal(need.since, "5.9");
	assert_string_equal(need.kind, "attach type");
	need = linux_need_of_prog(BPF_PROG_TYPE_XDP, 0, insns, ARRAY_SIZE(insns));
	assert_string_equal(need.since, "5.8");
	assert_string_equal(need.what, "ringbuf_output");
	assert_int_equal(need.insn, 3);
	need = linux_need_of_prog(BPF_PROG_TYPE_NETFILTER, BPF_NETFILTER, insns, 1);
	assert_string_equal(need.since, "6.4");
	need = linux_need_of_map(BPF_MAP_TYPE_RINGBUF);
	assert_string_equal(need.since, "5.8");
}

static void long_programs_need_newer_linux(void **state)
{
	static struct bpf_insn insns[5000];

	for (u32 i = 0; i < ARRAY_SIZE(insns); i++)
		insns[i].code = BPF_ALU64 | BPF_MOV | BPF_K;
	assert_string_equal(
		linux_need_of_prog(BPF_PROG_TYPE_XDP, 0, insns, ARRAY_SIZE(insns)).since,
		"5.2");
	assert_string_equal(linux_need_of_prog(BPF_PROG_TYPE_XDP, 0, insns, 4096).since, "4.8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_numbers),
		cmocka_unit_test(every_row_has_a_version),
		cmocka_unit_test(instructions_tell_their_linux),
		cmocka_unit_test(the_newest_need_wins),
		cmocka_unit_test(long_programs_need_newer_linux),
	};

	return cmocka_run_group_tests_name("catalog.linux_need", tests, NULL, NULL);
}
