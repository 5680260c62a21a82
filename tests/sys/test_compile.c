/* SPDX-License-Identifier: BSD-2-Clause */
/* When and how programs are compiled: in the background while they run, and with constants that
 * cannot be found in their machine code. */
#include "base/types.h"
#include "sys/compile.h"
#include "sys/engine.h"
#include "tests/sys/engine_programs.h"

#include <errno.h>
#include <pthread.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct skep_engine *engine;

static void start(const struct skep_engine_opts *opts)
{
	engine = skep_engine_new(opts, NULL);
	assert_non_null(engine);
}

static int tear_down(void **state)
{
	skep_engine_free(engine);
	engine = NULL;
	return 0;
}

static int bpf(int cmd, union bpf_attr attr)
{
	return skep_bpf(engine, cmd, &attr, sizeof(attr));
}

/* The machine code: its length. */
static u32 code_of(int prog, u8 *out, u32 room)
{
	struct bpf_prog_info info = {.jited_prog_insns = ptr_to_u64(out),
				     .jited_prog_len = room};

	assert_int_equal(bpf(BPF_OBJ_GET_INFO_BY_FD,
			     (union bpf_attr){.info = {.bpf_fd = (u32)prog,
						       .info = ptr_to_u64(&info),
						       .info_len = sizeof(info)}}),
			 0);
	assert_true(info.jited_prog_len <= room);
	return info.jited_prog_len;
}

/* --- in the background --- */

/* r0 is a number out of the loop, which both tiers make other code of. */
static const char loop[] = "r0 = 0; r6 = 100;"
			   "again: r1 = r6; r1 *= 3; r0 += r1; r6 += -1;"
			   "if r6 != 0 goto again; exit";
#define LOOP_RESULT (3 * 100 * 101 / 2)

static void test_swap(void **state)
{
	static u8 before[1 << 16], behind[1 << 16];
	u32 first, second;
	int prog;

	start(&(struct skep_engine_opts){.sz = sizeof(struct skep_engine_opts),
					 .jit = SKEP_JIT_BASE});
	prog = engine_load(engine, loop);
	first = code_of(prog, before, sizeof(before));
	close(prog);
	tear_down(NULL);

	start(&(struct skep_engine_opts){.sz = sizeof(struct skep_engine_opts),
					 .jit_background = 4});
	prog = engine_load(engine, loop);
	assert_int_equal(engine_run(engine, prog, 1), LOOP_RESULT);
	compile_settle(engine);
	second = code_of(prog, behind, sizeof(behind));
	assert_false(first == second && !memcmp(before, behind, first));
	assert_int_equal(engine_run(engine, prog, 1), LOOP_RESULT);
	close(prog);
	tear_down(NULL);

	/* A smaller one is optimised at once. */
	start(&(struct skep_engine_opts){.sz = sizeof(struct skep_engine_opts),
					 .jit_background = 1000});
	prog = engine_load(engine, loop);
	assert_int_equal(code_of(prog, before, sizeof(before)), second);
	close(prog);
}

/* A program that is gone before its turn, and an engine that is. */
static void test_gone(void **state)
{
	start(&(struct skep_engine_opts){.sz = sizeof(struct skep_engine_opts),
					 .jit_background = 1});
	for (u32 i = 0; i < 50; i++)
		close(engine_load(engine, loop));
	tear_down(NULL);
}

#define RUNNERS 3
#define ROUNDS	40

struct runner {
	pthread_t thread;
	int prog;
	u64 runs;
};

static atomic_bool is_over;

static void *keep_running(void *cookie)
{
	struct runner *runner = cookie;

	while (!atomic_load(&is_over)) {
		if (engine_run(engine, runner->prog, 20) != LOOP_RESULT)
			return "another result";
		runner->runs++;
	}
	return NULL;
}

/* Programs that others tail-call are swapped and replaced while they run. */
static void test_torture(void **state)
{
	struct runner runners[RUNNERS] = {0};
	u32 key = 0;
	char text[512];
	int map;

	start(&(struct skep_engine_opts){.sz = sizeof(struct skep_engine_opts),
					 .jit_background = 1});
	map = bpf(BPF_MAP_CREATE, (union bpf_attr){.map_type = BPF_MAP_TYPE_PROG_ARRAY,
						   .key_size = 4,
						   .value_size = 4,
						   .max_entries = 1});
	assert_true(map >= 0);
	/* Where nothing is there it goes on by itself. */
	snprintf(text, sizeof(text), "r2 = map_fd %d ll; r3 = 0; call %d; %s", map,
		 BPF_FUNC_tail_call, loop);
	atomic_store(&is_over, false);
	for (u32 i = 0; i < RUNNERS; i++) {
		runners[i].prog = engine_load(engine, text);
		assert_int_equal(
			pthread_create(&runners[i].thread, NULL, keep_running, &runners[i]), 0);
	}
	for (u32 i = 0; i < ROUNDS; i++) {
		int callee = engine_load(engine, loop);

		assert_int_equal(bpf(BPF_MAP_UPDATE_ELEM,
				     (union bpf_attr){.map_fd = (u32)map,
						      .key = ptr_to_u64(&key),
						      .value = ptr_to_u64(&callee)}),
				 0);
		close(callee);
		if (i % 3 == 0)
			compile_settle(engine);
	}
	atomic_store(&is_over, true);
	for (u32 i = 0; i < RUNNERS; i++) {
		void *what;

		assert_int_equal(pthread_join(runners[i].thread, &what), 0);
		if (what)
			fail_msg("%s", (char *)what);
		close(runners[i].prog);
	}
	close(map);
}

/* --- tail calls --- */

/* How the index is given, and what the caller returns where the call goes nowhere. */
static const struct {
	const char *name, *text;
	u32 nowhere;
} tail_callers[] = {
	{"a constant", "r2 = map_fd %d ll; r3 = %u; call 12; r0 = 7; exit", 7},
	{"of the run", "r3 = *(u32 *)(r1 + 12); r3 &= 0; r3 += %2$u; r2 = map_fd %1$d ll; call 12; r0 = 8; exit",
	 8},
	{"from a frame",
	 "r6 = 9; *(u64 *)(r10 - 8) = r6; r6 = *(u32 *)(r1 + 12); r2 = map_fd %d ll; r3 = %u; call 12;"
	 "r0 = *(u64 *)(r10 - 8); r6 &= 0; r0 += r6; exit",
	 9},
};

static void run_tail_caller(int map, u32 caller, u32 index, u32 want)
{
	char text[512];
	u32 found;
	int prog;

	snprintf(text, sizeof(text), tail_callers[caller].text, map, index);
	prog = engine_load(engine, text);
	for (u32 repeat = 1; repeat <= 3; repeat++) {
		found = engine_run(engine, prog, repeat);
		if (found != want)
			fail_msg("index %u, %s, run %u: %u, expected %u", index,
				 tail_callers[caller].name, repeat, found, want);
	}
	close(prog);
}

/* At each index a program of another tier; then one that is absent, and one beyond the map. */
static void test_tail_calls(void **state)
{
	static const enum jit_tier tiers[] = {JIT_OFF, JIT_BASE, JIT_FULL};
	const u32 count = ARRAY_SIZE(tiers);
	int map;

	start(&(struct skep_engine_opts){.sz = sizeof(struct skep_engine_opts)});
	map = bpf(BPF_MAP_CREATE, (union bpf_attr){.map_type = BPF_MAP_TYPE_PROG_ARRAY,
						   .key_size = 4,
						   .value_size = 4,
						   .max_entries = count + 1});
	assert_true(map >= 0);
	for (u32 i = 0; i < count; i++) {
		int callee;

		engine->jit = tiers[i];
		callee = engine_load(engine, loop);
		assert_int_equal(bpf(BPF_MAP_UPDATE_ELEM,
				     (union bpf_attr){.map_fd = (u32)map,
						      .key = ptr_to_u64(&i),
						      .value = ptr_to_u64(&callee)}),
				 0);
		close(callee);
	}
	for (u32 i = 0; i < count; i++)
		for (u32 caller = 0; caller < ARRAY_SIZE(tail_callers); caller++) {
			engine->jit = tiers[i];
			for (u32 index = 0; index < count; index++)
				run_tail_caller(map, caller, index, LOOP_RESULT);
			for (u32 index = count; index < count + 3; index++)
				run_tail_caller(map, caller, index, tail_callers[caller].nowhere);
		}
	close(map);
}

/* --- constants --- */

/* Each kind of instruction that has one, and sums that folding would make one of. */
static const char constants[] = "\
	r5 = *(u32 *)(r1 + 12)\n\
	r2 = 0x11223344\n\
	r3 = 0x1122334455667788 ll\n\
	r3 += r5\n\
	r3 ^= 0x22334455\n\
	r3 += 0x33445566\n\
	w3 |= 0x44556677\n\
	r3 &= 0x55667788\n\
	r3 *= 0x66778899\n\
	r3 /= 0x00112233\n\
	w3 %= 0x778899\n\
	*(u32 *)(r10 - 8) = 0x12345678\n\
	*(u64 *)(r10 - 16) = 0x23456789\n\
	if r3 > 0x3456789a goto next\n\
	r2 -= 0x1a2b3c4d\n\
next:	r4 = 0x61\n\
	r4 <<= 8\n\
	r4 |= 0x62\n\
	r4 <<= 16\n\
	r4 |= 0x6364\n\
	r1 = *(u32 *)(r10 - 8)\n\
	r0 = r2\n\
	r0 += r3\n\
	r0 += r4\n\
	r0 += r1\n\
	r1 = *(u64 *)(r10 - 16)\n\
	r0 += r1\n\
	exit";

static const u32 found[] = {0x11223344, 0x55667788, 0x22334455, 0x33445566, 0x44556677,
			    0x66778899, 0x00112233, 0x778899,	0x12345678, 0x23456789,
			    0x3456789a, 0x1a2b3c4d, 0x61626364, 0x6364,	    0x61620000};

static bool is_in(const u8 *code, u32 length, u32 value)
{
	const u32 negative = -value;

	for (u32 i = 0; i + sizeof(value) <= length; i++)
		if (!memcmp(code + i, &value, sizeof(value)) ||
		    !memcmp(code + i, &negative, sizeof(negative)))
			return true;
	return false;
}

static u32 count_found(const u8 *code, u32 length)
{
	u32 count = 0;

	for (u32 i = 0; i < ARRAY_SIZE(found); i++)
		count += is_in(code, length, found[i]);
	return count;
}

static void test_constants(void **state)
{
	static const struct {
		u32 harden, rights;
		bool hides;
	} rows[] = {
		{SKEP_JIT_HARDEN_NONE, SKEP_RIGHTS_ALL, false},
		{SKEP_JIT_HARDEN_UNPRIVILEGED, SKEP_RIGHTS_ALL, false},
		{SKEP_JIT_HARDEN_ALL, SKEP_RIGHTS_ALL, true},
	};
	static const u32 tiers[] = {SKEP_JIT_BASE, SKEP_JIT_FULL};
	static u8 code[1 << 16];
	u32 want = 0, length;

	for (u32 i = 0; i < ARRAY_SIZE(rows) * ARRAY_SIZE(tiers); i++) {
		const u32 row = i / ARRAY_SIZE(tiers);
		int prog;

		start(&(struct skep_engine_opts){.sz = sizeof(struct skep_engine_opts),
						 .jit = tiers[i % ARRAY_SIZE(tiers)],
						 .jit_harden = rows[row].harden,
						 .rights = rows[row].rights,
						 .rights_given = true});
		prog = engine_load(engine, constants);
		length = code_of(prog, code, sizeof(code));
		if (rows[row].hides)
			assert_int_equal(count_found(code, length), 0);
		else
			assert_true(count_found(code, length) > 0);
		want = want ?: engine_run(engine, prog, 1);
		assert_int_equal(engine_run(engine, prog, 1), want);
		close(prog);
		tear_down(NULL);
	}
}

/* Those of a loader without rights, of a type that it may load. */
static void test_unprivileged(void **state)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 0x12345678},
		{.code = BPF_JMP | BPF_EXIT}};
	static u8 code[1 << 16];
	int prog;

	start(&(struct skep_engine_opts){.sz = sizeof(struct skep_engine_opts),
					 .jit_harden = SKEP_JIT_HARDEN_UNPRIVILEGED,
					 .rights_given = true});
	prog = bpf(BPF_PROG_LOAD, (union bpf_attr){.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
						   .license = ptr_to_u64("none"),
						   .insns = ptr_to_u64(insns),
						   .insn_cnt = ARRAY_SIZE(insns)});
	assert_true(prog >= 0);
	assert_false(is_in(code, code_of(prog, code, sizeof(code)), 0x12345678));
	assert_int_equal(engine_run(engine, prog, 1), 0x12345678);
	close(prog);
}

static void test_options(void **state)
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts), .jit_harden = 3};
	struct skep_error err;

	assert_null(skep_engine_new(&opts, &err));
	assert_int_equal(err.code, -EINVAL);
	assert_non_null(strstr(err.text, "jit_harden 3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_swap, tear_down),
		cmocka_unit_test_teardown(test_gone, tear_down),
		cmocka_unit_test_teardown(test_torture, tear_down),
		cmocka_unit_test_teardown(test_tail_calls, tear_down),
		cmocka_unit_test_teardown(test_constants, tear_down),
		cmocka_unit_test_teardown(test_unprivileged, tear_down),
		cmocka_unit_test_teardown(test_options, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
