/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuel: what a run costs is known to the instruction, and the same in all ways of execution. */
#include "base/types.h"
#include "tests/sys/engine_programs.h"

#include <errno.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- what is run, and the least fuel that it needs --- */

static const struct row {
	const char *name;
	u64 cost;
	u32 result;
	const char *text;
} rows[] = {
	{"no loop, no call", 0, 7, "r0 = 7; exit"},
	{"one round of a loop of two instructions", 2, 3, "\
		r6 = 1\n\
	loop:	r6 += -1\n\
		if r6 != 0 goto loop\n\
		r0 = 3\n\
		exit"},
	{"500 rounds", 1000, 3, "\
		r6 = 500\n\
	loop:	r6 += -1\n\
		if r6 != 0 goto loop\n\
		r0 = 3\n\
		exit"},
	/* The first round is entered in the middle: its head is what is jumped to. */
	{"a loop whose condition stands below", 11 * 3, 10, "\
		r0 = 0\n\
		r6 = 10\n\
		goto test\n\
	body:	r0 += 1\n\
		r6 += -1\n\
	test:	if r6 != 0 goto body\n\
		exit"},
	{"a way around in a loop", 6 * 4, 2, "\
		r0 = 0\n\
		r6 = 6\n\
	loop:	r6 += -1\n\
		if r6 s> 3 goto next\n\
		r0 = 2\n\
	next:	if r6 != 0 goto loop\n\
		exit"},
	{"two ways back", 5 * 4, 1, "\
		r0 = 1\n\
		r6 = 5\n\
	loop:	r6 += -1\n\
		if r6 == 3 goto loop\n\
		if r6 == 0 goto out\n\
		goto loop\n\
	out:	exit"},
	/* A round of the outer one has the inner one's instructions once, as text has it. */
	{"a loop in a loop", 3 * 5 + 3 * 4 * 2, 12, "\
		r0 = 0\n\
		r6 = 3\n\
	outer:	r7 = 4\n\
	inner:	r7 += -1\n\
		if r7 != 0 goto inner\n\
		r6 += -1\n\
		if r6 != 0 goto outer\n\
		r0 = 12\n\
		exit"},
	{"a function", 2, 4, "\
		r1 = 3\n\
		call own\n\
		exit\n\
	own:	r0 = 4\n\
		exit"},
	{"a function, from a loop", 5 * 4 + 5 * 2, 10, "\
		r7 = 0\n\
		r6 = 5\n\
	loop:	call own\n\
		r7 += r0\n\
		r6 += -1\n\
		if r6 != 0 goto loop\n\
		r0 = r7\n\
		exit\n\
	own:	r0 = 2\n\
		exit"},
	{"a loop in a function, from a loop", 2 * 4 + 2 * 5 + 2 * 3 * 2, 9, "\
		r6 = 2\n\
	loop:	call own\n\
		r7 = r0\n\
		r6 += -1\n\
		if r6 != 0 goto loop\n\
		r0 = r7\n\
		exit\n\
	own:	r6 = 3\n\
	round:	r6 += -1\n\
		if r6 != 0 goto round\n\
		r0 = 9\n\
		exit"},
	{"a function of a function", 4 + 2, 5, "\
		call own\n\
		exit\n\
	own:	call deep\n\
		r0 = 5\n\
		r1 = 0\n\
		exit\n\
	deep:	r0 = 4\n\
		exit"},
	/* Loops whose ends are not counted by the verifier count all the same. */
	{"may_goto", 4 * 4, 4, "\
		r0 = 0\n\
	loop:	may_goto out\n\
		r0 += 1\n\
		if r0 == 4 goto out\n\
		goto loop\n\
	out:	exit"},
};

/* --- in every way --- */

static const struct {
	const char *name;
	u32 jit;
	bool checked;
} ways[] = {
	{"full", SKEP_JIT_FULL, false},
	{"base", SKEP_JIT_BASE, false},
	{"interpreted", SKEP_JIT_OFF, false},
	{"checked", SKEP_JIT_OFF, true},
};

static struct skep_engine *start(u32 way, u64 fuel)
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts),
					      .fuel = fuel,
					      .jit = ways[way].jit,
					      .checked = ways[way].checked};
	struct skep_engine *engine = skep_engine_new(&opts, NULL);

	assert_non_null(engine);
	return engine;
}

/* An engine whose runs have that much; fuel 0 means no limit. */
static void expect(const struct row *row, u32 way, u64 fuel, u32 want)
{
	struct skep_engine *engine = start(way, fuel);
	int prog = engine_load(engine, row->text);
	u32 got = engine_run(engine, prog, 1);

	close(prog);
	skep_engine_free(engine);
	if (got != want)
		fail_msg("%s, %s, fuel %llu: wanted %#x, got %#x", row->name, ways[way].name,
			 fuel, want, got);
}

static void test_costs(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		for (u32 way = 0; way < ARRAY_SIZE(ways); way++) {
			const struct row *row = &rows[i];

			expect(row, way, 0, row->result);
			expect(row, way, row->cost ?: 1, row->result);
			if (row->cost > 1)
				expect(row, way, row->cost - 1, (u32)-EINTR);
		}
}

/* --- programs that go on in one another --- */

static int make_programs_map(struct skep_engine *engine)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_PROG_ARRAY,
			       .key_size = 4,
			       .value_size = 4,
			       .max_entries = 1};

	return skep_bpf(engine, BPF_MAP_CREATE, &attr, sizeof(attr));
}

/* Two rounds here, and two rounds there. */
#define TAIL_CALL_COST (2 * 2 + 2 * 2)

static u32 run_tail_call(u32 way, u64 fuel)
{
	static const char second[] =
		"r6 = 2; loop: r6 += -1; if r6 != 0 goto loop; r0 = 6; exit";
	struct skep_engine *engine = start(way, fuel);
	int map = make_programs_map(engine), callee = engine_load(engine, second), caller;
	char text[256];
	u32 key = 0, result;
	union bpf_attr attr = {
		.map_fd = (u32)map, .key = ptr_to_u64(&key), .value = ptr_to_u64(&callee)};

	assert_true(map >= 0);
	assert_int_equal(skep_bpf(engine, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)), 0);
	snprintf(text, sizeof(text),
		 "r6 = 2; loop: r6 += -1; if r6 != 0 goto loop;"
		 "r2 = map_fd %d ll; r3 = 0; call %d; r0 = 1; exit",
		 map, BPF_FUNC_tail_call);
	caller = engine_load(engine, text);
	result = engine_run(engine, caller, 1);
	close(caller);
	close(callee);
	close(map);
	skep_engine_free(engine);
	return result;
}

static void test_tail_call(void **state)
{
	for (u32 way = 0; way < ARRAY_SIZE(ways); way++) {
		assert_int_equal(run_tail_call(way, TAIL_CALL_COST), 6);
		assert_int_equal(run_tail_call(way, TAIL_CALL_COST - 1), (u32)-EINTR);
	}
}

/* The next run has all of it again. */
static void test_next_run(void **state)
{
	for (u32 way = 0; way < ARRAY_SIZE(ways); way++) {
		struct skep_engine *engine = start(way, 1000);
		int prog = engine_load(engine, rows[2].text);

		for (u32 i = 0; i < 3; i++)
			assert_int_equal(engine_run(engine, prog, 1), rows[2].result);
		close(prog);
		skep_engine_free(engine);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_costs),
		cmocka_unit_test(test_tail_call),
		cmocka_unit_test(test_next_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
