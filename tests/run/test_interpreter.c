/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests/programs cannot say: what the checked build finds, calls back and forth between
 * programs and helpers, tail calls, statistics, references.
 */
#include "unit.h"

#include "base/os.h"
#include "btf/btf.h"
#include "catalog/ctx.h"
#include "isa/isa.h"
#include "map/map.h"
#include "run/checker.h"
#include "run/run.h"
#include <skep/skep.h>

#include <stdlib.h>
#include <string.h>

static void assemble(const char *text, struct bpf_insn **insns, u32 *count)
{
	struct skep_error err = {0};

	if (insns_assemble(text, insns, count, &err))
		fail_msg("%s\n%s %s", text, err.where, err.text);
}

/* --- unproven code --- */
static const struct unproven_case {
	const char *text;
	enum violation_kind kind;
	u32 insn;
	u64 result;
} unproven_cases[] = {
	{"r0 = 7\nexit\n", VIOLATION_NONE, 0, 7},
	{"*(u64 *)(r10 - 512) = 5\nr0 = *(u64 *)(r10 - 512)\nexit\n", VIOLATION_NONE, 0, 5},
	{"r0 = *(u8 *)(r1 + 15)\nexit\n", VIOLATION_NONE, 0, 15},
	{"r0 = *(u8 *)(r1 + 16)\nexit\n", VIOLATION_ACCESS, 0},
	{"r0 = *(u32 *)(r1 + 13)\nexit\n", VIOLATION_ACCESS, 0},
	{"r0 = *(u8 *)(r1 - 1)\nexit\n", VIOLATION_ACCESS, 0},
	{"r2 = 0\n*(u64 *)(r2 + 0) = 1\nexit\n", VIOLATION_ACCESS, 1},
	{"*(u64 *)(r10 - 520) = 1\nexit\n", VIOLATION_ACCESS, 0},
	{"*(u64 *)(r10 - 4) = 1\nexit\n", VIOLATION_ACCESS, 0},
	{"r2 = -1\nr0 = *(u64 *)(r2 + 0)\nexit\n", VIOLATION_ACCESS, 1},
	{"r2 = 1\nlock *(u32 *)(r1 + 2) += r2\nr0 = 0\nexit\n", VIOLATION_ALIGNMENT, 1},
	{"r2 = 1\nlock *(u32 *)(r1 + 16) += r2\nr0 = 0\nexit\n", VIOLATION_ACCESS, 1},
	{"r0 = 0\ngoto -2\nexit\n", VIOLATION_BUDGET, 0},
	{"r0 = 0\n", VIOLATION_TARGET, 1},
	{"r0 = 0\ngoto +7\nexit\n", VIOLATION_TARGET, 9},
	{"r0 = 0\nagain: call again\nexit\n", VIOLATION_CALL_DEPTH, 1},
	{"r6 = 1\ncall sub\nr0 += r6\nexit\nsub: r6 = 4\nr0 = 8\nexit\n", VIOLATION_NONE, 0, 9},
	{"r6 = r1\nr0 = *(u8 *)skb[0]\nexit\n", VIOLATION_REGISTER, 1},
};

static helper_fn *no_helper(u32 id)
{
	return NULL;
}

static void run_unproven(const struct unproven_case *row)
{
	struct executor exec = {0};
	struct run_context run = {0};
	u8 memory[16] = {0};
	struct run_region region = {memory, sizeof(memory)};
	struct checker checker = {.budget = 10000, .regions = &region, .region_cnt = 1};
	struct unproven input = {.helper = no_helper};
	struct skep_error err = {0};
	const u64 args[5] = {ptr_to_u64(memory)};
	struct bpf_insn *insns;
	struct prog_code *code;
	u64 result;

	for (u32 i = 0; i < sizeof(memory); i++)
		memory[i] = i;
	assemble(row->text, &insns, &input.count);
	input.insns = insns;
	if (code_build_unproven(&input, &code, &err))
		fail_msg("%s: %s", row->text, err.text);
	executor_start(&exec, code, &run);
	exec.checker = &checker;
	result = executor_run(&exec, args);
	if (checker.found.kind != row->kind ||
	    (row->kind && row->kind != VIOLATION_BUDGET && checker.found.insn != row->insn) ||
	    result != row->result)
		fail_msg("%s: violation %u at %u, result %llu", row->text, checker.found.kind,
			 checker.found.insn, result);
	code_free(code);
	free(insns);
}

static void test_unproven(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(unproven_cases); i++)
		run_unproven(&unproven_cases[i]);
}

/* --- verified programs --- */
#define MAPS 4

static struct map *maps[MAPS];
static struct run_env env;
static struct run_violation last;

static const struct map_desc *map_by_fd(void *cookie, int fd, bool is_index, int *err)
{
	return &maps[fd]->desc;
}

static void note_violation(void *engine, const struct run_violation *violation)
{
	last = *violation;
}

#define FUNCTIONS 3
#define PROTO_ID  2

/* Type information as clang gives it: int, int(), a static function per subprogram. */
static const struct types {
	struct btf_header header;
	struct btf_type integer;
	u32 integer_bits;
	struct btf_type proto, function[FUNCTIONS];
	char strings[24];
} types = {
	.header = {BTF_MAGIC, BTF_VERSION, 0, sizeof(struct btf_header), 0,
		   offsetof(struct types, strings) - sizeof(struct btf_header),
		   offsetof(struct types, strings) - sizeof(struct btf_header), 24},
	.integer = {1, BTF_KIND_INT << 24, {4}},
	.integer_bits = BTF_INT_SIGNED << 24 | 32,
	.proto = {0, BTF_KIND_FUNC_PROTO << 24, {1}},
	.function = {{5, BTF_KIND_FUNC << 24, {PROTO_ID}},
		     {10, BTF_KIND_FUNC << 24, {PROTO_ID}},
		     {16, BTF_KIND_FUNC << 24, {PROTO_ID}}},
	.strings = "\0int\0main\0first\0second",
};
static struct btf_view *types_view;

/* `starts`: the first instruction of each subprogram but the first, 0 behind the last. */
static void describe_functions(struct verify_input *input, const u32 starts[FUNCTIONS - 1],
			       struct bpf_func_info *info)
{
	u32 count = 1;

	while (count < FUNCTIONS && starts[count - 1])
		count++;
	for (u32 i = 0; i < count; i++)
		info[i] = (struct bpf_func_info){i ? starts[i - 1] : 0, PROTO_ID + 1 + i};
	input->btf = types_view;
	input->func_info = info;
	input->func_info_cnt = count;
	input->func_info_rec_size = sizeof(*info);
}

static struct verified *verify_functions(const char *text, const u32 starts[FUNCTIONS - 1])
{
	struct bpf_func_info info[FUNCTIONS];
	struct skep_error err = {0};
	struct verified *verified;
	struct bpf_insn *insns;
	struct verify_input input = {
		.type = BPF_PROG_TYPE_XDP,
		.flags = VERIFY_REG_FACTS,
		.rights = SKEP_RIGHTS_ALL,
		.gpl = true,
		.map_by_fd = map_by_fd,
	};

	assemble(text, &insns, &input.insn_cnt);
	input.insns = insns;
	if (starts[0])
		describe_functions(&input, starts, info);
	if (verify_program(&input, &verified, &err))
		fail_msg("%s\ninstruction %d: %s", text, err.insn, err.text);
	assert_true(arena_adopt(&verified->arena, insns));
	return verified;
}

static struct verified *verify(const char *text)
{
	static const u32 none[FUNCTIONS - 1];

	return verify_functions(text, none);
}

static struct prog *load(struct verified *verified)
{
	struct map *used[MAPS];
	struct skep_error err = {0};
	struct prog *prog;

	for (u32 i = 0; i < verified->map_cnt; i++)
		used[i] = map_of_desc(verified->maps[i]);
	if (prog_new(verified, used, NULL, &prog, &err))
		fail_msg("%s", err.text);
	return prog;
}

static u64 run_xdp(const struct prog *prog, bool checked)
{
	u8 packet[64] = {1, 2, 3};
	struct xdp_ctx ctx = {
		.data = packet,
		.data_meta = packet,
		.data_end = packet + sizeof(packet),
		.hard_start = packet,
		.frame_end = packet + sizeof(packet),
	};
	struct run_context run;
	u64 result;

	env.checked = checked;
	last.kind = VIOLATION_NONE;
	run_begin(&run, &env);
	result = prog_run(prog, &ctx, &run);
	assert_int_equal(run.violated, last.kind != VIOLATION_NONE);
	run_end(&run);
	return result;
}

static void drop(struct prog *prog)
{
	object_put(&prog->object);
}

/* Facts that are turned into lies: the checked build must find each. */
#define PROGRAM                    \
	"r2 = *(u32 *)(r1 + 0)\n"  \
	"r3 = *(u32 *)(r1 + 4)\n"  \
	"r4 = r2\n"                \
	"r4 += 4\n"                \
	"if r4 > r3 goto out\n"    \
	"r0 = *(u8 *)(r2 + 0)\n"   \
	"*(u64 *)(r10 - 8) = r0\n" \
	"r5 = *(u64 *)(r10 - 8)\n" \
	"if r5 > 7 goto out\n"     \
	"r0 = 1\n"                 \
	"r0 += r0\n"               \
	"exit\n"                   \
	"out: r0 = 1\n"            \
	"exit\n"

static void lie_access(struct verified *v)
{
	v->facts[5].mem = MEM_STACK;
}

static void lie_stack(struct verified *v)
{
	v->facts[6].mem = MEM_MAP_VALUE;
}

static void lie_depth(struct verified *v)
{
	v->subprogs[0].stack_depth = 0;
}

static void lie_scalar(struct verified *v)
{
	v->regs[8][5].number = scalar_urange(2, 7);
}

static void lie_kind(struct verified *v)
{
	v->regs[1][1] = (struct reg_fact){.kind = REG_FACT_SCALAR, .number = scalar_const(0)};
}

static void lie_taken(struct verified *v)
{
	v->facts[8].always_taken = true;
}

static void lie_not_taken(struct verified *v)
{
	v->facts[8].always_taken = false;
}

static void lie_mask(struct verified *v)
{
	insn_fact_set_mask(&v->facts[10], (struct offset_mask){.kind = MASK_SRC, .limit = 0});
}

static void lie_dead(struct verified *v)
{
	v->facts[9].visited = false;
}

static const struct lie {
	const char *name;
	void (*tell)(struct verified *verified);
	enum violation_kind kind;
	u32 insn;
} lies[] = {
	{"none", lie_not_taken, VIOLATION_NONE, 0},
	{"kind of memory", lie_access, VIOLATION_ACCESS, 5},
	{"kind of memory, store", lie_stack, VIOLATION_ACCESS, 6},
	{"depth of the stack", lie_depth, VIOLATION_ACCESS, 6},
	{"range", lie_scalar, VIOLATION_REGISTER, 8},
	{"kind of register", lie_kind, VIOLATION_REGISTER, 1},
	{"branch", lie_taken, VIOLATION_BRANCH, 8},
	{"mask", lie_mask, VIOLATION_MASK, 10},
	{"dead code", lie_dead, VIOLATION_DEAD_CODE, 9},
};

static void test_lies(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(lies); i++) {
		struct verified *verified = verify(PROGRAM);
		struct strbuf text;
		struct prog *prog;
		u64 result;

		lies[i].tell(verified);
		prog = load(verified);
		result = run_xdp(prog, true);
		strbuf_init(&text);
		violation_print(&last, &text);
		if (last.kind != lies[i].kind || (last.kind && last.insn != lies[i].insn))
			fail_msg("%s: %s", lies[i].name, strbuf_text(&text));
		assert_int_equal(result, last.kind ? 0 : 2);
		strbuf_done(&text);
		drop(prog);
	}
}

static const struct run_case {
	const char *name, *text;
	u64 result;
	u32 starts[FUNCTIONS - 1];
} run_cases[] = {
	{"packet", PROGRAM, 2},
	/* bpf_loop: 5 times; the callback counts in the caller's frame, and calls again. */
	{"loop",
	 "*(u64 *)(r10 - 8) = 0\n"
	 "r1 = 5\n"
	 "r2 = func callback ll\n"
	 "r3 = r10\n"
	 "r3 += -8\n"
	 "r4 = 0\n"
	 "call 181\n"
	 "r6 = *(u64 *)(r10 - 8)\n"
	 "r0 *= 100\n"
	 "r0 += r6\n"
	 "exit\n"
	 "callback:\n"
	 "*(u64 *)(r10 - 8) = r2\n"
	 "r6 = 77\n"
	 "r1 = r10\n"
	 "r1 += -8\n"
	 "call add_one\n"
	 "r0 = 0\n"
	 "exit\n"
	 "add_one:\n"
	 "r2 = *(u64 *)(r1 + 0)\n"
	 "r3 = *(u64 *)(r2 + 0)\n"
	 "r3 += 1\n"
	 "*(u64 *)(r2 + 0) = r3\n"
	 "r6 = 99\n"
	 "exit\n",
	 505,
	 {12, 19}},
	{"registers and frames across calls",
	 "r6 = 1\nr7 = 2\n*(u64 *)(r10 - 16) = 3\n"
	 "call callee\n"
	 "r1 = *(u64 *)(r10 - 16)\n"
	 "r0 += r6\nr0 += r7\nr0 += r1\nexit\n"
	 "callee: r6 = 50\nr7 = 60\n*(u64 *)(r10 - 16) = 70\nr0 = 100\nexit\n",
	 106},
};

static void test_programs(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(run_cases); i++) {
		struct prog *prog =
			load(verify_functions(run_cases[i].text, run_cases[i].starts));
		u64 fast = run_xdp(prog, false), checked = run_xdp(prog, true);

		if (fast != run_cases[i].result || checked != fast || last.kind)
			fail_msg("%s: %llu, checked %llu", run_cases[i].name, fast, checked);
		drop(prog);
	}
}

/* --- tail calls: map 0 is a program array, 1 an array of one counter --- */
#define COUNT                                                          \
	"r6 = r1\n*(u32 *)(r10 - 4) = 0\nr1 = map_fd 1 ll\nr2 = r10\n" \
	"r2 += -4\ncall 1\nif r0 == 0 goto +3\n"                       \
	"r1 = *(u64 *)(r0 + 0)\nr1 += 1\n*(u64 *)(r0 + 0) = r1\n"

static u64 count_take(void)
{
	u32 key = 0;
	u64 value = 0, zero = 0;

	assert_int_equal(map_user_lookup(maps[1], &key, &value, 0), 0);
	assert_int_equal(map_user_update(maps[1], &key, &zero, 0), 0);
	return value;
}

static void set_slot(u32 index, struct prog *prog)
{
	assert_int_equal(map_user_update_object(maps[0], &index, &prog->object, BPF_ANY), 0);
}

static void test_tail_calls(void **state)
{
	static const u32 sub[FUNCTIONS - 1] = {4};
	/* Calls itself until the limit; then falls through. */
	struct prog *self = load(
		verify(COUNT "r1 = r6\nr2 = map_fd 0 ll\nr3 = 0\ncall 12\nr0 = 3\nexit\n"));
	/* A subprogram's tail call returns to its caller, in the caller's program. */
	struct prog *outer =
		load(verify_functions("r6 = 5\ncall sub\nr0 += r6\nexit\n"
				      "sub: r2 = map_fd 0 ll\nr3 = 1\ncall 12\nr0 = 40\nexit\n",
				      sub));
	struct prog *inner = load(verify("r6 = 1\nr0 = 2\nexit\n"));
	struct prog *out_of_range =
		load(verify("r2 = map_fd 0 ll\nr3 = 4\ncall 12\nr0 = 9\nexit\n"));

	for (int checked = 0; checked < 2; checked++) {
		set_slot(0, self);
		assert_int_equal(run_xdp(self, checked), 3);
		assert_int_equal(count_take(), 1 + TAIL_CALLS_MAX);
		set_slot(1, inner);
		assert_int_equal(run_xdp(outer, checked), 7);
		assert_int_equal(run_xdp(out_of_range, checked), 9);
		assert_int_equal(last.kind, VIOLATION_NONE);
	}
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(map_user_delete(maps[0], &i), 0);
	drop(self);
	drop(outer);
	drop(inner);
	drop(out_of_range);
}

/* --- life --- */
static void test_statistics(void **state)
{
	struct prog *prog = load(verify(PROGRAM));

	run_xdp(prog, false);
	assert_int_equal(atomic_load(&prog->run_cnt), 0);
	run_stats_enable(true);
	run_xdp(prog, false);
	run_xdp(prog, true);
	run_stats_enable(false);
	run_xdp(prog, false);
	assert_int_equal(atomic_load(&prog->run_cnt), 2);
	assert_true(atomic_load(&prog->run_time_ns) > 0);
	drop(prog);
}

static void test_references(void **state)
{
	struct prog *prog;
	int before;

	rcu_barrier(); /* what earlier tests dropped */
	before = atomic_load(&maps[1]->object.refs);
	prog = load(verify(COUNT "r0 = 2\nexit\n"));
	assert_int_equal(atomic_load(&maps[1]->object.refs), before + 1);
	drop(prog);
	rcu_barrier();
	assert_int_equal(atomic_load(&maps[1]->object.refs), before);
}

static int setup(void **state)
{
	static const struct map_desc descs[] = {
		{.type = BPF_MAP_TYPE_PROG_ARRAY,
		 .key_size = 4,
		 .value_size = 4,
		 .max_entries = 4},
		{.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1},
	};
	const u32 slots = os_possible_cpus();

	env.slots = slots_new(slots);
	env.violation = note_violation;
	for (u32 i = 0; i < ARRAY_SIZE(descs); i++)
		if (map_new(&descs[i], NULL, slots, &maps[i], NULL))
			return -1;
	if (btf_view_new(&types, sizeof(types), &types_view, NULL, NULL))
		return -1;
	return env.slots ? 0 : -1;
}

static int teardown(void **state)
{
	for (u32 i = 0; i < 2; i++)
		object_put(&maps[i]->object);
	rcu_barrier();
	btf_view_free(types_view);
	slots_free(env.slots);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unproven),   cmocka_unit_test(test_lies),
		cmocka_unit_test(test_programs),   cmocka_unit_test(test_tail_calls),
		cmocka_unit_test(test_statistics), cmocka_unit_test(test_references),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
