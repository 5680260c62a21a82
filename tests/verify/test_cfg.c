/* SPDX-License-Identifier: BSD-2-Clause */
/* The shape of programs: what is rejected before the walk, as Linux 6.18 words it. */
#include "base/arena.h"
#include "isa/isa.h"
#include "tests/unit.h"
#include "verify/cfg.h"
#include <skep/skep.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INSNS_MAX 12

#define MOV(dst, value)                                       \
	{                                                     \
		BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value \
	}
#define EXIT                                   \
	{                                      \
		BPF_JMP | BPF_EXIT, 0, 0, 0, 0 \
	}
#define JA(off)                                \
	{                                      \
		BPF_JMP | BPF_JA, 0, 0, off, 0 \
	}
#define JA_LONG(off)                             \
	{                                        \
		BPF_JMP32 | BPF_JA, 0, 0, 0, off \
	}
#define JEQ(dst, value, o)                                  \
	{                                                   \
		BPF_JMP | BPF_JEQ | BPF_K, dst, 0, o, value \
	}
#define CALL(distance)                                              \
	{                                                           \
		BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, distance \
	}
#define HELPER(id)                              \
	{                                       \
		BPF_JMP | BPF_CALL, 0, 0, 0, id \
	}
#define WIDE(dst, src, lo)                            \
	{BPF_LD | BPF_IMM | BPF_DW, dst, src, 0, lo}, \
	{                                             \
		0, 0, 0, 0, 0                         \
	}
#define MAY_GOTO(off)                             \
	{                                         \
		BPF_JMP | BPF_JCOND, 0, 0, off, 0 \
	}

struct shape_row {
	const char *name;
	struct bpf_insn insns[INSNS_MAX];
	u32 count;
	bool unprivileged;
	int code;
	const char *log;
};

static const struct shape_row shapes[] = {
	{"exit", {MOV(0, 0), EXIT}, 2, .log = ""},
	{"falls off the end",
	 {MOV(0, 0)},
	 1,
	 .code = -EINVAL,
	 .log = "last insn is not an exit or jmp\n"},
	{"conditional jump last",
	 {MOV(0, 0), JEQ(0, 0, -2)},
	 2,
	 .code = -EINVAL,
	 .log = "last insn is not an exit or jmp\n"},
	{"call last",
	 {MOV(0, 0), EXIT, CALL(-3)},
	 3,
	 .code = -EINVAL,
	 .log = "last insn is not an exit or jmp\n"},
	{"jump last", {MOV(0, 0), JA(-2)}, 2, .log = ""},
	{"long jump", {MOV(0, 0), JA_LONG(0), EXIT}, 3, .log = ""},
	{"jump beyond the end",
	 {MOV(0, 0), JA(5), EXIT},
	 3,
	 .code = -EINVAL,
	 .log = "jump out of range from insn 1 to 7\n"},
	{"jump before the start",
	 {MOV(0, 0), JA(-5), EXIT},
	 3,
	 .code = -EINVAL,
	 .log = "jump out of range from insn 1 to -3\n"},
	{"long jump beyond the end",
	 {MOV(0, 0), JA_LONG(9), EXIT},
	 3,
	 .code = -EINVAL,
	 .log = "jump out of range from insn 1 to 11\n"},
	{"code that nothing reaches",
	 {MOV(0, 0), EXIT, MOV(0, 1), EXIT},
	 4,
	 .code = -EINVAL,
	 .log = "unreachable insn 2\n"},
	{"wide code that nothing reaches",
	 {MOV(0, 0), JA(2), WIDE(0, 0, 1), EXIT},
	 5,
	 .code = -EINVAL,
	 .log = "unreachable insn 2\n"},
	{"loop that never ends",
	 {MOV(0, 0), JA(-1), EXIT},
	 3,
	 .code = -EINVAL,
	 .log = "unreachable insn 2\n"},
	{"jump over the first half",
	 {MOV(0, 0), JEQ(0, 0, 1), WIDE(0, 0, 1), EXIT},
	 5,
	 .code = -EINVAL,
	 .log = "jump into the middle of ldimm64 insn 2\n"},
	{"loop", {MOV(0, 0), JEQ(0, 1, -1), EXIT}, 3, .log = ""},
	{"loop of the unprivileged",
	 {MOV(0, 0), JEQ(0, 1, -1), EXIT},
	 3,
	 .unprivileged = true,
	 .code = -EINVAL,
	 .log = "back-edge from insn 1 to 1\n"},
	{"call of the unprivileged",
	 {CALL(1), EXIT, MOV(0, 0), EXIT},
	 4,
	 .unprivileged = true,
	 .code = -EPERM,
	 .log = "loading/calling other bpf or kernel functions are allowed for CAP_BPF and "
		"CAP_SYS_ADMIN\n"},
	{"call beyond the end",
	 {CALL(5), EXIT},
	 2,
	 .code = -EINVAL,
	 .log = "call to invalid destination\n"},
	{"call before the start",
	 {CALL(-5), EXIT},
	 2,
	 .code = -EINVAL,
	 .log = "call to invalid destination\n"},
	{"call of itself", {MOV(0, 0), CALL(-2), EXIT}, 3, .log = ""},
	{"call", {CALL(1), EXIT, WIDE(0, 0, 1), EXIT}, 5, .log = ""},
	{"call of a second half",
	 {MOV(0, 0), CALL(2), EXIT, WIDE(0, 0, 1), EXIT},
	 6,
	 .code = -EINVAL,
	 .log = "last insn is not an exit or jmp\n"},
	{"jump into the next function",
	 {MOV(0, 0), CALL(2), JA(2), EXIT, MOV(0, 0), EXIT},
	 6,
	 .code = -EINVAL,
	 .log = "jump out of range from insn 2 to 5\n"},
	{"address of a function",
	 {WIDE(2, BPF_PSEUDO_FUNC, 3), MOV(0, 0), EXIT, MOV(0, 0), EXIT},
	 6,
	 .log = ""},
	{"address beyond the end",
	 {WIDE(2, BPF_PSEUDO_FUNC, 30), MOV(0, 0), EXIT, MOV(0, 0), EXIT},
	 6,
	 .code = -EINVAL,
	 .log = "call to invalid destination\n"},
	{"call in dead code",
	 {MOV(0, 0), JEQ(0, 0, 1), CALL(1), EXIT, MOV(0, 1), EXIT},
	 6,
	 .log = ""},
};

struct analysis {
	struct arena arena;
	struct strbuf log;
	struct skep_error err;
	struct cfg cfg;
	int ret;
};

static void analyse(struct analysis *analysis, const struct bpf_insn *insns, u32 count,
		    bool unprivileged)
{
	struct verify_input input = {.insns = insns,
				     .insn_cnt = count,
				     .rights = unprivileged ? 0 : SKEP_RIGHTS_ALL,
				     .log = &analysis->log,
				     .log_level = VERIFY_LOG_PATH};

	memset(analysis, 0, sizeof(*analysis));
	arena_init(&analysis->arena);
	strbuf_init(&analysis->log);
	analysis->ret =
		cfg_find_subprogs(&input, &analysis->arena, &analysis->cfg, &analysis->err);
	if (!analysis->ret)
		analysis->ret = cfg_check_edges(&analysis->cfg, !unprivileged, &analysis->arena,
						&analysis->log, &analysis->err);
}

static void analysis_done(struct analysis *analysis)
{
	arena_done(&analysis->arena);
	strbuf_done(&analysis->log);
}

static void shapes_are_judged_as_linux_does(void **state)
{
	struct analysis analysis;

	for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct shape_row *row = &shapes[i];

		analyse(&analysis, row->insns, row->count, row->unprivileged);
		if (analysis.ret != row->code || strcmp(strbuf_text(&analysis.log), row->log))
			fail_msg("%s: %d, log: %s", row->name, analysis.ret,
				 strbuf_text(&analysis.log));
		if (row->code)
			assert_non_null(analysis.err.reason);
		analysis_done(&analysis);
	}
}

struct flag_row {
	const char *name;
	struct bpf_insn insns[INSNS_MAX];
	u32 count;
	u8 flags[INSNS_MAX];
};

#define TARGET (CFG_JUMP_TARGET | CFG_PRUNE_POINT | CFG_BLOCK_START)

static const struct flag_row flag_rows[] = {
	{"conditional jump",
	 {MOV(0, 0), JEQ(0, 0, 1), MOV(0, 1), EXIT},
	 4,
	 {0, CFG_PRUNE_POINT, CFG_BLOCK_START, TARGET}},
	{"loop",
	 {MOV(0, 0), JEQ(0, 9, 1), JA(-2), EXIT},
	 4,
	 {0, TARGET | CFG_LOOP_HEAD, CFG_BLOCK_START, TARGET}},
	{"may_goto",
	 {MAY_GOTO(1), JA(-2), MOV(0, 0), EXIT},
	 4,
	 {TARGET | CFG_LOOP_HEAD | CFG_FORCE_CHECKPOINT, CFG_BLOCK_START, TARGET, 0}},
	{"helper that calls back",
	 {HELPER(BPF_FUNC_loop), EXIT},
	 2,
	 {CFG_PRUNE_POINT | CFG_FORCE_CHECKPOINT | CFG_CALLS_BACK, CFG_PRUNE_POINT}},
	{"wide", {WIDE(0, 0, 0), EXIT}, 3, {0, CFG_SECOND_HALF, 0}},
};

static void instructions_are_flagged(void **state)
{
	struct analysis analysis;

	for (u32 i = 0; i < ARRAY_SIZE(flag_rows); i++) {
		const struct flag_row *row = &flag_rows[i];

		analyse(&analysis, row->insns, row->count, false);
		assert_int_equal(analysis.ret, 0);
		for (u32 at = 0; at < row->count; at++) {
			u8 flags = row->flags[at] | (at ? 0 : CFG_ENTRY | CFG_BLOCK_START);

			if (analysis.cfg.flags[at] != flags)
				fail_msg("%s, insn %u: %#x", row->name, at,
					 analysis.cfg.flags[at]);
		}
		analysis_done(&analysis);
	}
}

static void postorder_ends_with_the_entry(void **state)
{
	static const struct bpf_insn insns[] = {MOV(0, 0), JEQ(0, 0, 1), CALL(1),
						EXIT,	   MOV(0, 1),	 EXIT};
	static const struct cfg_block want[] = {{3, 3}, {2, 2}, {0, 1}, {4, 5}};
	struct analysis analysis;

	analyse(&analysis, insns, ARRAY_SIZE(insns), false);
	assert_int_equal(analysis.ret, 0);
	assert_int_equal(analysis.cfg.subprog_cnt, 2);
	assert_int_equal(analysis.cfg.postorder_start[1], 3);
	assert_int_equal(analysis.cfg.postorder_start[2], 4);
	assert_memory_equal(analysis.cfg.postorder, want, sizeof(want));
	analysis_done(&analysis);
}

/* --- depth --- */

struct depth_row {
	const char *name;
	u32 depths[9], count; /* each subprogram calls the next one */
	s32 tail_call_in;     /* -1: none */
	int code;
	u32 deepest;
	const char *log;
	enum bpf_prog_type type;
	enum bpf_attach_type attach_type;
};

static const struct depth_row depth_rows[] = {
	{"one", {512}, 1, -1, 0, 512, ""},
	{"two halves", {256, 256}, 2, -1, 0, 512, ""},
	{"rounded up",
	 {264, 248},
	 2,
	 -1,
	 -EACCES,
	 0,
	 "combined stack size of 2 calls is 528. Too large\n"},
	{"a frame of nothing", {512, 0}, 2, -1, 0, 512, ""},
	{"a frame of little",
	 {504, 8},
	 2,
	 -1,
	 -EACCES,
	 0,
	 "combined stack size of 2 calls is 528. Too large\n"},
	{"eight frames", {64, 64, 64, 64, 64, 64, 64, 64}, 8, -1, 0, 512, ""},
	{"eight larger frames",
	 {72, 72, 72, 72, 72, 72, 72, 72},
	 8,
	 -1,
	 -EACCES,
	 0,
	 "combined stack size of 7 calls is 560. Too large\n"},
	{"nine frames",
	 {0, 0, 0, 0, 0, 0, 0, 0, 0},
	 9,
	 -1,
	 -E2BIG,
	 0,
	 "the call stack of 8 frames is too deep !\n"},
	{"tail call in the callee", {240, 0}, 2, 1, 0, 240, ""},
	{"tail call under a deep stack",
	 {256, 0},
	 2,
	 1,
	 -EACCES,
	 0,
	 "tail_calls are not allowed when call stack of previous frames is 256 bytes. "
	 "Too large\n"},
	{"tail call in the program itself", {512}, 1, 0, 0, 512, ""},
	{"larger frames of a tracing program",
	 {512, 64, 512, 56},
	 4,
	 -1,
	 0,
	 1152,
	 "",
	 BPF_PROG_TYPE_KPROBE},
	{"small frames of a tracing program",
	 {48, 48, 48, 48, 48, 48, 48, 512},
	 8,
	 -1,
	 0,
	 848,
	 "",
	 BPF_PROG_TYPE_RAW_TRACEPOINT},
	{"tail call in a tracing program",
	 {512, 64},
	 2,
	 0,
	 -EACCES,
	 0,
	 "combined stack size of 2 calls is 576. Too large\n",
	 BPF_PROG_TYPE_KPROBE},
	{"an iterator does not interrupt",
	 {512, 64},
	 2,
	 -1,
	 -EACCES,
	 0,
	 "combined stack size of 2 calls is 576. Too large\n",
	 BPF_PROG_TYPE_TRACING,
	 BPF_TRACE_ITER},
};

static void stack_depth_is_limited(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(depth_rows); i++) {
		const struct depth_row *row = &depth_rows[i];
		struct verify_input input = {.type = row->type,
					     .attach_type = row->attach_type};
		struct bpf_insn insns[18] = {0};
		struct analysis analysis;
		u32 deepest = 0;
		int ret;

		for (u32 f = 0; f < row->count; f++) {
			insns[2 * f] = (struct bpf_insn)MOV(0, 0);
			if (f + 1 < row->count)
				insns[2 * f] = (struct bpf_insn)CALL(1);
			insns[2 * f + 1] = (struct bpf_insn)EXIT;
		}
		analyse(&analysis, insns, 2 * row->count, false);
		assert_int_equal(analysis.ret, 0);
		for (u32 f = 0; f < row->count; f++) {
			analysis.cfg.subprogs[f].stack_depth = row->depths[f];
			analysis.cfg.subprogs[f].has_tail_call = row->tail_call_in == (s32)f;
		}
		input.log = &analysis.log;
		ret = cfg_check_stack_depth(&analysis.cfg, &input, &analysis.err, &deepest);
		if (ret != row->code || deepest != row->deepest ||
		    strcmp(strbuf_text(&analysis.log), row->log))
			fail_msg("%s: %d, deepest %u, log: %s", row->name, ret, deepest,
				 strbuf_text(&analysis.log));
		analysis_done(&analysis);
	}
}

static void subprograms_are_limited(void **state)
{
	struct bpf_insn insns[2 * (SUBPROGS_MAX + 1)];
	struct analysis analysis;

	for (s32 i = 0; i < SUBPROGS_MAX; i++)
		insns[i] = (struct bpf_insn)CALL(SUBPROGS_MAX);
	insns[SUBPROGS_MAX] = (struct bpf_insn)EXIT;
	for (u32 i = SUBPROGS_MAX + 1; i < ARRAY_SIZE(insns); i++)
		insns[i] = (struct bpf_insn)EXIT;
	analyse(&analysis, insns, ARRAY_SIZE(insns), false);
	assert_int_equal(analysis.ret, -E2BIG);
	assert_string_equal(analysis.err.text, "too many subprograms");
	analysis_done(&analysis);
}

/* Eight layers of 31 subprograms, each calls all of the next layer: 31^7 chains. */
static void many_chains_take_no_time(void **state)
{
	enum { LAYERS = 8, WIDTH = 31, LENGTH = WIDTH + 2, COUNT = LAYERS * WIDTH * LENGTH };
	struct bpf_insn *insns = calloc(COUNT, sizeof(*insns));
	struct verify_input input = {.type = BPF_PROG_TYPE_XDP};
	struct analysis analysis;
	u32 deepest;

	for (u32 at = 0; at < COUNT; at++) {
		u32 layer = at / (WIDTH * LENGTH), place = at % LENGTH;
		u32 callee = ((layer + 1) * WIDTH + place) * LENGTH;

		insns[at] = (struct bpf_insn)MOV(0, 0);
		if (place < WIDTH && layer + 1 < LAYERS)
			insns[at] = (struct bpf_insn)CALL((s32)(callee - at - 1));
		else if (place == LENGTH - 1)
			insns[at] = (struct bpf_insn)EXIT;
	}
	analyse(&analysis, insns, COUNT, false);
	assert_int_equal(analysis.ret, -EINVAL); /* nothing calls the rest of the first layer */
	for (u32 i = 0; i < analysis.cfg.subprog_cnt; i++)
		analysis.cfg.subprogs[i].stack_depth = 1;
	assert_int_equal(cfg_check_stack_depth(&analysis.cfg, &input, &analysis.err, &deepest),
			 0);
	assert_int_equal(deepest, LAYERS * FRAME_ROUND);
	analysis_done(&analysis);
	free(insns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes_are_judged_as_linux_does),
		cmocka_unit_test(instructions_are_flagged),
		cmocka_unit_test(postorder_ends_with_the_entry),
		cmocka_unit_test(stack_depth_is_limited),
		cmocka_unit_test(subprograms_are_limited),
		cmocka_unit_test(many_chains_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
