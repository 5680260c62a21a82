/* SPDX-License-Identifier: BSD-2-Clause */
/* What rejections say of how they came: the steps, one a line, and what is missing. */
#include "base/strbuf.h"
#include "isa/isa.h"
#include "tests/unit.h"
#include "verify/explain.h"

#include <skep/skep.h>
#include <stdlib.h>
#include <string.h>

static const struct map_desc map = {.type = BPF_MAP_TYPE_HASH,
				    .key_size = 4,
				    .value_size = 16,
				    .max_entries = 4,
				    .name = "m"};

static const struct map_desc *map_by_fd(void *cookie, int fd, bool is_index, int *err)
{
	return &map;
}

struct explain_row {
	const char *name, *text;
	enum bpf_prog_type type;
	u32 rights; /* 0: all */
	const char *want;
};

static const struct explain_row rows[] = {
	{"a value goes through moves, a spill and a call",
	 "r6 = *(u32 *)(r1 + 0)\n"
	 "*(u64 *)(r10 - 8) = r6\n"
	 "r2 = *(u64 *)(r10 - 8)\n"
	 "r1 = r10\n"
	 "call pc+1\n"
	 "exit\n"
	 "r1 += r2\n"
	 "r0 = *(u8 *)(r1 + 0)\n"
	 "exit\n",
	 BPF_PROG_TYPE_SOCKET_FILTER, 0,
	 "0 born r6: r6 is loaded from ctx->len: any 32-bit number\n"
	 "1 moved fp-8: fp-8 is what r6 was: any 32-bit number\n"
	 "2 moved r2: r2 is what fp-8 was: any 32-bit number\n"
	 "3 moved r1: r1 is what r10 was: fp\n"
	 "4 moved r1: r1 is what r1 was: fp\n"
	 "4 moved r2: r2 is what r2 was: any 32-bit number\n"
	 "6 changed r1: r1 += r2 gives fp + (any 32-bit number)\n"
	 "needs all bytes are in the frame, fp-512..fp-1\n"
	 "known 1 bytes at r1+0, r1 is fp + (any 32-bit number)\n"},
	{"a result of a function",
	 "call pc+2\n"
	 "r0 = *(u8 *)(r0 + 0)\n"
	 "exit\n"
	 "r0 = 5\n"
	 "exit\n",
	 BPF_PROG_TYPE_SOCKET_FILTER, 0,
	 "3 born r0: r0 is set to 5\n"
	 "4 moved r0: r0 is what r0 was: 5\n"
	 "needs r0 is a pointer to memory\n"
	 "known r0 is 5\n"},
	{"a check of one copy narrows the other",
	 "r6 = *(u32 *)(r1 + 0)\n"
	 "r7 = r6\n"
	 "if r7 > 9 goto +3\n"
	 "r1 = r10\n"
	 "r1 += r6\n"
	 "r0 = *(u8 *)(r1 + 0)\n"
	 "r0 = 0\n"
	 "exit\n",
	 BPF_PROG_TYPE_SOCKET_FILTER, 0,
	 "0 born r6: r6 is loaded from ctx->len: any 32-bit number\n"
	 "2 narrowed r6: this check leaves r6 0..9 (before: any 32-bit number)\n"
	 "3 moved r1: r1 is what r10 was: fp\n"
	 "4 changed r1: r1 += r6 gives fp + (0..9)\n"
	 "needs all bytes are in the frame, fp-512..fp-1\n"
	 "known 1 bytes at r1+0, r1 is fp + (0..9)\n"},
	{"half of it",
	 "r6 = *(u64 *)(r10 - 8)\n"
	 "r0 = 0\n"
	 "if r6 > 9 goto +5\n"
	 "r6 += -20\n"
	 "w6 = w6\n"
	 "r1 = r10\n"
	 "r1 += r6\n"
	 "*(u8 *)(r1 + 0) = 1\n"
	 "exit\n",
	 BPF_PROG_TYPE_SOCKET_FILTER, 0,
	 "0 changed r6: r6 keeps a part of fp-8 only: any number (before: nothing)\n"
	 "2 narrowed r6: this check leaves r6 0..9 (before: any number)\n"
	 "3 changed r6: r6 becomes -20..-11 (before: 0..9)\n"
	 "4 lost r6: r6 takes the low 32 bits of r6: 0xffffffec..0xfffffff5 (before: "
	 "-20..-11)\n"
	 "5 moved r1: r1 is what r10 was: fp\n"
	 "needs r6 is a number between -536870912 and 536870912\n"
	 "known r6 is 0xffffffec..0xfffffff5\n"},
	{"a call destroys",
	 "r3 = 1\n"
	 "call 5\n"
	 "r0 = r3\n"
	 "exit\n",
	 BPF_PROG_TYPE_SOCKET_FILTER, 0,
	 "1 lost r3: bpf_ktime_get_ns() leaves nothing in r3: a call destroys r0 to r5\n"
	 "needs r3 holds a value\n"
	 "known on this path nothing is in r3\n"},
	{"a helper writes to the stack",
	 "r1 = r10\n"
	 "r1 += -16\n"
	 "r2 = 16\n"
	 "call 16\n"
	 "r1 = *(u64 *)(r10 - 8)\n"
	 "r0 = *(u8 *)(r1 + 0)\n"
	 "exit\n",
	 BPF_PROG_TYPE_KPROBE, 0,
	 "3 born fp-8: bpf_get_current_comm() writes to fp-8\n"
	 "4 changed r1: r1 keeps a part of fp-8 only: any number (before: 8 written bytes)\n"
	 "needs r1 is a pointer to memory\n"
	 "known r1 is any number\n"},
	{"a part of what a helper reads",
	 "*(u32 *)(r10 - 8) = 1\n"
	 "r1 = map_fd 0 ll\n"
	 "r2 = r10\n"
	 "r2 += -6\n"
	 "call 3\n"
	 "exit\n",
	 BPF_PROG_TYPE_SOCKET_FILTER, SKEP_RIGHT_BPF,
	 "0 born fp-8: fp-8 is set to 1\n"
	 "needs the 4 bytes from fp-6 on are written\n"
	 "known on this path nothing was written at fp-4\n"},
	{"a reference, and the way past its release",
	 "r2 = r10\n"
	 "r2 += -48\n"
	 "r3 = 36\n"
	 "r4 = 0\n"
	 "r5 = 0\n"
	 "call 84\n"
	 "if r0 == 0 goto +1\n"
	 "r0 = 0\n"
	 "exit\n",
	 BPF_PROG_TYPE_SCHED_CLS, 0,
	 "5 born -: bpf_sk_lookup_tcp() acquires a reference, which must be released\n"
	 "6 branch -: from here the path goes on to instruction 7\n"
	 "needs every reference is given back before the program ends\n"
	 "known that of instruction 5 is still held\n"},
	{"nothing ends the loop",
	 "r0 = *(u32 *)(r1 + 0)\n"
	 "r0 += 0\n"
	 "if r0 != 7 goto -2\n"
	 "exit\n",
	 BPF_PROG_TYPE_SOCKET_FILTER, 0,
	 "1 round -: the loop begins here, at instruction 1: 3 rounds on this path\n"
	 "2 round -: the loop could end here: r0 is any 32-bit number in every round\n"
	 "needs something changes from round to round that ends the loop\n"
	 "known at instruction 1 all that is known is the same again\n"},
	{"a value of a map",
	 "*(u32 *)(r10 - 4) = 1\n"
	 "r1 = map_fd 0 ll\n"
	 "r2 = r10\n"
	 "r2 += -4\n"
	 "call 1\n"
	 "if r0 == 0 goto +3\n"
	 "r1 = *(u32 *)(r0 + 0)\n"
	 "r0 += r1\n"
	 "r0 = *(u8 *)(r0 + 0)\n"
	 "exit\n",
	 BPF_PROG_TYPE_SOCKET_FILTER, 0,
	 "5 born r0: bpf_map_lookup_elem() returns r0: pointer to a value of map 'm', or NULL\n"
	 "7 born r1: r1 is loaded from 4 bytes of a value of map 'm': any 32-bit number\n"
	 "8 changed r0: r0 += r1 gives pointer to a value of map 'm' + (any 32-bit number)\n"
	 "needs the offset in the map's value is 0..15 (1 of its 16 bytes are used)\n"
	 "known the offset is any 32-bit number\n"},
};

static const char *const kinds[] = {"born", "moved",  "changed", "narrowed",
				    "lost", "branch", "round",	 "frame"};

static void print(const struct skep_explanation *explanation, struct strbuf *out)
{
	for (u32 i = 0; i < explanation->step_count; i++) {
		const struct skep_step *step = explanation->steps[i];

		strbuf_addf(out, "%u %s %s: %s\n", step->insn, kinds[step->kind],
			    step->place ?: "-", step->text);
	}
	if (explanation->needs)
		strbuf_addf(out, "needs %s\n", explanation->needs);
	if (explanation->known)
		strbuf_addf(out, "known %s\n", explanation->known);
}

static struct explanation *verify(const struct explain_row *row)
{
	struct explanation *explanation = NULL;
	struct verify_input input = {
		.type = row->type,
		.rights = row->rights ?: SKEP_RIGHTS_ALL,
		.gpl = true,
		.map_by_fd = map_by_fd,
		.explanation = &explanation,
	};
	struct verified *verified;
	struct bpf_insn *insns;
	struct skep_error err;

	if (insns_assemble(row->text, &insns, &input.insn_cnt, &err))
		fail_msg("%s: %s: %s", row->name, err.where, err.text);
	input.insns = insns;
	if (!verify_program(&input, &verified, &err))
		fail_msg("%s: accepted", row->name);
	free(insns);
	return explanation;
}

static void rejections_say_how_they_came(void **state)
{
	u32 failed = 0;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct explanation *explanation = verify(&rows[i]);
		struct strbuf got;

		assert_non_null(explanation);
		strbuf_init(&got);
		print(explanation_face(explanation), &got);
		if (strcmp(strbuf_text(&got), rows[i].want)) {
			print_error("%s: %s\n%s", rows[i].name,
				    explanation_face(explanation)->message, strbuf_text(&got));
			failed++;
		}
		strbuf_done(&got);
		explanation_free(explanation);
	}
	assert_int_equal(failed, 0);
}

/* The cost adds up, of accepted programs too. */
static void the_cost_adds_up(void **state)
{
	static const char text[] = "r6 = 3\n"
				   "call pc+3\n"
				   "r6 += -1\n"
				   "if r6 != 0 goto -3\n"
				   "exit\n"
				   "r0 = 0\n"
				   "exit\n";
	struct explanation *explanation;
	struct verify_input input = {.type = BPF_PROG_TYPE_SOCKET_FILTER,
				     .rights = SKEP_RIGHTS_ALL,
				     .explanation = &explanation};
	const struct skep_explanation *face;
	struct verified *verified;
	struct bpf_insn *insns;

	assert_int_equal(insns_assemble(text, &insns, &input.insn_cnt, NULL), 0);
	input.insns = insns;
	assert_int_equal(verify_program(&input, &verified, NULL), 0);
	face = explanation_face(explanation);
	assert_int_equal(face->code, 0);
	assert_int_equal(face->step_count, 0);
	assert_int_equal(face->function_count, 2);
	assert_int_equal(face->processed, 1 + 3 * 5 + 1);
	assert_int_equal(face->functions[0]->processed + face->functions[1]->processed,
			 face->processed);
	assert_int_equal(face->functions[1]->processed, 3 * 2);
	explanation_free(explanation);
	verified_free(verified);
	free(insns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejections_say_how_they_came),
		cmocka_unit_test(the_cost_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
