/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that replace functions of others answer as Linux 6.12 did (extension_notes.def); the
 * kernels that refuse them all before they look at one cannot be asked.
 */
#include "tests/sys/extension_load.h"
#include "tests/sys/extension_run.h"

struct expectation {
	long long of_linux, of_skep;
	const char *what;
};

#define SCENARIO_NOTES(name) static const struct expectation notes_##name[] = {
#define SCENARIO_END \
	}            \
	;
#define SAME(value, what)		 {value, value, what},
#define DIFFERS(of_linux, of_skep, what) {of_linux, of_skep, what},
#include "tests/sys/extension_notes.def"

static void check(void (*scenario)(struct world *world), const struct expectation *expected,
		  u32 count, bool of_linux, const struct skep_engine_opts *opts)
{
	struct world world = {.notes = calloc(NOTES_MAX, sizeof(struct note))};
	u32 differences = 0;

	if (!of_linux)
		world.engine = skep_engine_new(opts, NULL);
	scenario(&world);
	assert_int_equal(world.count, count);
	for (u32 i = 0; i < count; i++) {
		long long wanted = of_linux ? expected[i].of_linux : expected[i].of_skep;

		assert_string_equal(world.notes[i].what, expected[i].what);
		if (world.notes[i].value == wanted)
			continue;
		print_error("%s: %lld, expected %lld\n", expected[i].what, world.notes[i].value,
			    wanted);
		differences++;
	}
	free(world.notes);
	if (world.engine)
		skep_engine_free(world.engine);
	assert_int_equal(differences, 0);
}

/* Whether the kernel gets as far as to say what is wrong with an extension of nothing. */
static bool linux_has_extensions(void)
{
	return linux_has_bpf() &&
	       linux_prog_load(BPF_PROG_TYPE_EXT, returns_7, 2, 0, NULL, 0) == -EINVAL;
}

/* By machine code, by the interpreter, by the one that checks each step. */
static void check_all(void (*scenario)(struct world *world), const struct expectation *expected,
		      u32 count)
{
	const struct skep_engine_opts interpreted = {.sz = sizeof(interpreted),
						     .jit = SKEP_JIT_OFF};
	const struct skep_engine_opts checked = {.sz = sizeof(checked), .checked = true};

	check(scenario, expected, count, false, NULL);
	check(scenario, expected, count, false, &interpreted);
	check(scenario, expected, count, false, &checked);
	if (linux_has_extensions())
		check(scenario, expected, count, true, NULL);
}

#define TEST(name)                                                       \
	static void test_##name(void **state)                            \
	{                                                                \
		check_all(name, notes_##name, ARRAY_SIZE(notes_##name)); \
	}

TEST(prototypes)
TEST(tags)
TEST(load_arguments)
TEST(main_prototypes)
TEST(kinds)
TEST(links)
TEST(entries)
TEST(registers)
TEST(prog_arrays)
TEST(tail_calls)
TEST(memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prototypes),     cmocka_unit_test(test_tags),
		cmocka_unit_test(test_load_arguments), cmocka_unit_test(test_main_prototypes),
		cmocka_unit_test(test_kinds),	       cmocka_unit_test(test_links),
		cmocka_unit_test(test_entries),	       cmocka_unit_test(test_registers),
		cmocka_unit_test(test_prog_arrays),    cmocka_unit_test(test_tail_calls),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
