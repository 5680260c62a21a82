/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions to text and back. What other tools make of the same text: test_llvm.c. */
#include "isa/isa.h"
#include "sample.h"
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void text_of(const struct bpf_insn *insn, enum insn_syntax syntax, struct strbuf *out)
{
	strbuf_clear(out);
	insn_print(insn, 2, 0, syntax, NULL, out);
}

static void every_row_survives_printing_and_assembling(void **state)
{
	struct sample sample[SAMPLES_MAX];
	struct strbuf text;

	strbuf_init(&text);
	for (u32 op = 1; op < INSN_OPS; op++)
		for (u32 i = 0; i < samples(op, sample); i++) {
			struct bpf_insn *insns;
			struct skep_error err;
			u32 count;

			text_of(sample[i].insn, INSN_SYNTAX_LLVM, &text);
			if (insns_assemble(strbuf_text(&text), &insns, &count, &err))
				fail_msg("\"%s\": %s: %s", strbuf_text(&text), err.where,
					 err.text);
			if (count != insn_slots(insns) ||
			    memcmp(insns, sample[i].insn, count * sizeof(*insns)))
				fail_msg("\"%s\" gives other bytes", strbuf_text(&text));
			free(insns);
		}
	strbuf_done(&text);
}

static const struct {
	struct bpf_insn insn[2];
	const char *llvm, *kernel;
} prints[] = {
	{{{.code = 0xb7, .dst_reg = 1, .imm = -3}}, "r1 = -0x3", "(b7) r1 = -3"},
	{{{.code = 0xb7, .imm = INT32_MIN}}, "r0 = -0x80000000", "(b7) r0 = -2147483648"},
	{{{.code = 0x3c, .dst_reg = 1, .src_reg = 2, .off = 1}}, "w1 s/= w2", "(3c) w1 s/= w2"},
	{{{.code = 0x97, .dst_reg = 1, .imm = 10}}, "r1 %= 0xa", "(97) r1 %= 10"},
	{{{.code = 0x61, .dst_reg = 1, .src_reg = 2, .off = -32768}},
	 "r1 = *(u32 *)(r2 - 0x8000)",
	 "(61) r1 = *(u32 *)(r2 -32768)"},
	{{{.code = 0x15, .dst_reg = 1, .off = -5, .imm = -1}},
	 "if r1 == -0x1 goto -0x5",
	 "(15) if r1 == 0xffffffff goto pc-5"},
	{{{.code = 0xe5, .off = 3}}, "may_goto +0x3", "(e5) may_goto pc+3"},
	{{{.code = 0x06, .imm = -9}}, "gotol -0x9", "(06) gotol pc-9"},
	{{{.code = 0x85, .src_reg = 1, .imm = 5}}, "call pc+0x5", "(85) call pc+5"},
	{{{.code = 0x85, .src_reg = 2, .imm = 16}},
	 "call kfunc 0x10, 0x0",
	 "(85) call unknown#16"},
	{{{.code = 0x40, .src_reg = 2, .imm = -4}},
	 "r0 = *(u32 *)skb[r2 - 0x4]",
	 "(40) r0 = *(u32 *)skb[r2 + -4]"},
	{{{.code = 0x18, .dst_reg = 1, .imm = -2}, {.imm = 0x55}},
	 "r1 = 0x55fffffffe ll",
	 "(18) r1 = 0x55fffffffe"},
	{{{.code = 0x18, .dst_reg = 1, .src_reg = 2, .imm = 3}, {.imm = 8}},
	 "ld_pseudo r1, 0x2, 0x800000003",
	 "(18) r1 = 0x800000003"},
	{{{.code = 0xdb, .dst_reg = 10, .src_reg = 2, .off = -8, .imm = BPF_CMPXCHG}},
	 "r0 = cmpxchg_64(r10 - 0x8, r0, r2)",
	 "(db) r0 = atomic64_cmpxchg((u64 *)(r10 -8), r0, r2)"},
	{{{.code = 0xff}}, "<unknown>", "(ff) BUG_ff"},
	{{{.code = 0xdb, .imm = 0x77}}, "<unknown>", "(db) BUG_db"},
	{{{.code = 0xd4, .dst_reg = 1, .imm = 17}}, "<unknown>", "(d4) r1 = le17 r1"},
};

static void both_syntaxes_are_exact(void **state)
{
	struct strbuf text;

	strbuf_init(&text);
	for (u32 i = 0; i < ARRAY_SIZE(prints); i++) {
		text_of(prints[i].insn, INSN_SYNTAX_LLVM, &text);
		assert_string_equal(strbuf_text(&text), prints[i].llvm);
		text_of(prints[i].insn, INSN_SYNTAX_KERNEL, &text);
		assert_string_equal(strbuf_text(&text), prints[i].kernel);
	}
	strbuf_clear(&text);
	insn_print(prints[11].insn, 1, 0, INSN_SYNTAX_LLVM, NULL, &text);
	assert_string_equal(strbuf_text(&text), "r1 = 0xfffffffe ll");
	strbuf_done(&text);
}

static const char *name_of_callee(void *cookie, const struct bpf_insn *insn)
{
	return insn->imm == 1 ? cookie : NULL;
}

static u64 address_of_map(void *cookie, const struct bpf_insn *insn)
{
	return 0xffff888000000000 + insn->imm;
}

static void the_caller_names_functions_and_addresses(void **state)
{
	static const struct bpf_insn insns[] = {
		{.code = 0x85, .imm = 1},
		{.code = 0x85, .imm = 2},
		{.code = 0x18, .dst_reg = 1, .src_reg = 1, .imm = 7},
		{0},
	};
	static const char *const want[] = {
		"(85) call lookup#1",
		"(85) call unknown#2",
		"(18) r1 = 0xffff888000000007",
	};
	const struct insn_names names = {(void *)"lookup", name_of_callee, address_of_map};
	struct strbuf text;

	strbuf_init(&text);
	for (u32 i = 0; i < ARRAY_SIZE(want); i++) {
		strbuf_clear(&text);
		insn_print(insns, ARRAY_SIZE(insns), i, INSN_SYNTAX_KERNEL, &names, &text);
		assert_string_equal(strbuf_text(&text), want[i]);
	}
	strbuf_done(&text);
}

/* Each text, and the plain one that it means. */
static const struct {
	const char *text, *plain;
} spellings[] = {
	{"r1=5", "r1 = 0x5"},
	{"  R1 = 0b101 // five", "r1 = 0x5"},
	{"r1 = 05 # five", "r1 = 0x5"},
	{"r1 = /* five,\n or so */ 5", "r1 = 0x5"},
	{"r1 = 0xffffffff", "r1 = -0x1"},
	{"r1 = 5ll", "r1 = 0x5 ll"},
	{"r1 = 0xffffffffffffffff ll", "r1 = -0x1 ll"},
	{"r1 = -0x8000000000000000 ll", "r1 = -0x8000000000000000 ll"},
	{"w1 = *(u32 *)(r2 + 4)", "r1 = *(u32 *)(r2 + 0x4)"},
	{"*(u8*)(r10-1)=w2", "*(u8 *)(r10 - 0x1) = r2"},
	{"lock *(u32 *)(r1 + 0) += w2", "lock *(u32 *)(r1 + 0x0) += r2"},
	{"goto 5", "goto +0x5"},
	{"a: goto a", "goto -0x1"},
	{"goto a; a: r0 = 0; exit", "goto +0x0\nr0 = 0x0\nexit"},
	{"goto a; r1 = 1 ll; a:\nexit", "goto +0x2\nr1 = 0x1 ll\nexit"},
	{"a: b: c: gotol b", "gotol -0x1"},
	{"if w1 s>= -1 goto end\nexit\nend: exit", "if w1 s>= -0x1 goto +0x1\nexit\nexit"},
	{"call f; exit; f: exit", "call pc+0x1\nexit\nexit"},
	{"r1 = func f ll; exit; f: exit", "ld_pseudo r1, 0x4, 0x2\nexit\nexit"},
	{"r1 = map_fd 3 ll", "ld_pseudo r1, 0x1, 0x3"},
	{"r1 = map_value 3 + 8 ll", "ld_pseudo r1, 0x2, 0x800000003"},
	{"r1 = btf_id 9 ll", "ld_pseudo r1, 0x3, 0x9"},
	{"r1 = map_idx 1 ll", "ld_pseudo r1, 0x5, 0x1"},
	{"r1 = map_idx_value 1 + 4 ll", "ld_pseudo r1, 0x6, 0x400000001"},
	{"", ""},
	{"\n;; // nothing\n", ""},
	{"r11 = 1", "r11 = 0x1"},
};

static void print_all(const struct bpf_insn *insns, u32 count, struct strbuf *out)
{
	strbuf_clear(out);
	for (u32 at = 0; at < count; at += insn_slots(&insns[at])) {
		if (at)
			strbuf_addc(out, '\n');
		insn_print(insns, count, at, INSN_SYNTAX_LLVM, NULL, out);
	}
}

static void one_program_has_many_spellings(void **state)
{
	struct strbuf text;

	strbuf_init(&text);
	for (u32 i = 0; i < ARRAY_SIZE(spellings); i++) {
		struct bpf_insn *insns;
		struct skep_error err;
		u32 count;

		if (insns_assemble(spellings[i].text, &insns, &count, &err))
			fail_msg("\"%s\": %s: %s", spellings[i].text, err.where, err.text);
		print_all(insns, count, &text);
		assert_string_equal(strbuf_text(&text), spellings[i].plain);
		free(insns);
	}
	strbuf_done(&text);
}

static const struct {
	const char *text, *where, *want;
} mistakes[] = {
	{"bogus", "line 1, column 1", "expected an instruction or a label, found 'bogus'"},
	{"r0 = 0\n\n  exit now", "line 3, column 8",
	 "expected the end of the line, found 'now'"},
	{"exit\nr1 = *(u32 *)(r2 + 70000)", "line 2, column 18",
	 "expected a number of 16 bits"},
	{"r1 = 0x100000000", "line 1, column 6", "expected a number of 32 bits"},
	{"r1 = -0x80000001", "line 1, column 6", "expected a number of 32 bits"},
	{"r1 = 0x10000000000000000 ll", "line 1, column 6",
	 "expected a number of 64 bits, found '0x10000000000000000'"},
	{"r1 = -0x8000000000000001 ll", "line 1, column 6", "expected a number of 64 bits"},
	{"goto 40000", "line 1, column 6", "expected a number of 16 bits"},
	{"r1 = addr_space_cast(r2, 0x10000, 1)", "line 1, column 26",
	 "expected numbers of 16 bits"},
	{"r2 = be16 r1", "line 1, column 11",
	 "expected the same register as before, found 'r1'"},
	{"w1 += r2", "line 1, column 7", "expected a number, a 32-bit register, found 'r2'"},
	{"*(u64 *)(r1) = r2", "line 1, column 12", "expected '+' or '-', found ')'"},
	{"lock *(u64 *)(r1 + 0) -= r2", "line 1, column 23",
	 "expected '+', '|', '&', '^', found '-'"},
	{"r1 = *(u128 *)(r1 + 0)", "line 1, column 8",
	 "expected 'u8', 'u16', 'u32', 'u64', 's8', 's16', 's32', found 'u128'"},
	{"call", "line 1, column 5",
	 "expected a number, 'pc', 'kfunc', a label, found the end of the text"},
	{"goto there", "line 1, column 6", "label 'there' is not defined"},
	{"a: exit\na: exit", "line 2, column 1", "label 'a' is defined twice"},
	{"exit\n/* never\nclosed", "line 3, column 7",
	 "expected '*/', found the end of the text"},
	{"r12 = 1", "line 1, column 1", "expected an instruction or a label, found 'r12'"},
	{"r1 = = = = = = = = = = = = = = = = = = = = = = = = = = = = = = = = = =",
	 "line 1, column 64", "expected the end of the line, found '='"},
};

static void mistakes_are_told_with_their_place(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(mistakes); i++) {
		struct bpf_insn *insns = NULL;
		struct skep_error err;
		u32 count;

		assert_int_equal(insns_assemble(mistakes[i].text, &insns, &count, &err),
				 -EINVAL);
		assert_string_equal(err.text, mistakes[i].want);
		assert_string_equal(err.where, mistakes[i].where);
		assert_null(insns);
	}
	assert_int_equal(insns_assemble("bogus", &(struct bpf_insn *){NULL}, &(u32){0}, NULL),
			 -EINVAL);
}

/* A jump over `between` instructions. */
static int assemble_jump(const char *jump, u32 between, struct skep_error *err)
{
	struct bpf_insn *insns;
	struct strbuf text;
	u32 count;
	int error;

	strbuf_init(&text);
	strbuf_addf(&text, "%s end\n", jump);
	for (u32 i = 0; i < between; i++)
		strbuf_adds(&text, "r0 = 0\n");
	strbuf_adds(&text, "end: exit\n");
	error = insns_assemble(strbuf_text(&text), &insns, &count, err);
	if (!error) {
		assert_int_equal(count, between + 2);
		free(insns);
	}
	strbuf_done(&text);
	return error;
}

static void labels_out_of_reach_are_refused(void **state)
{
	struct skep_error err;

	assert_int_equal(assemble_jump("goto", 32767, &err), 0);
	assert_int_equal(assemble_jump("goto", 32768, &err), -EINVAL);
	assert_string_equal(err.text,
			    "expected a label at most 32767 instructions away, found 32768");
	assert_int_equal(assemble_jump("gotol", 32768, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_survives_printing_and_assembling),
		cmocka_unit_test(both_syntaxes_are_exact),
		cmocka_unit_test(the_caller_names_functions_and_addresses),
		cmocka_unit_test(one_program_has_many_spellings),
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(labels_out_of_reach_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
