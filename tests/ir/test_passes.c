/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the passes make of programs, as text, and that the programs still compute the same: each
 * one runs interpreted and by both tiers, on packets of several contents.
 */
#include "base/os.h"
#include "tests/sys/engine_programs.h"

#include <linux/bpf.h>
#include <skep/inspect.h>
#include <skep/skep.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PACKETS	    64
#define PACKET_SIZE 512

/* r6: the packet, of which `bytes` are there. */
#define PACKET(bytes)                      \
	"r6 = *(u32 *)(r1 + 0)\n"          \
	"r2 = *(u32 *)(r1 + 4)\n"          \
	"r3 = r6\n"                        \
	"r3 += " #bytes "\n"               \
	"if r3 > r2 goto out\n"
#define OUT "out:\nr0 = 0\nexit\n"

static const struct row {
	const char *title, *stage, *program;
	const char *has, *lacks; /* NULL: whatever */
	u32 count;		 /* how often it has that; 0: at least once */
} rows[] = {
#include "tests/ir/passes.def"
};

static const enum skep_jit tiers[] = {SKEP_JIT_OFF, SKEP_JIT_BASE, SKEP_JIT_FULL};

static struct skep_engine *start(enum skep_jit jit)
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts), .jit = jit};
	struct skep_engine *engine = skep_engine_new(&opts, NULL);

	assert_non_null(engine);
	return engine;
}

static u32 count(const char *text, const char *what)
{
	u32 count = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		count++;
	return count;
}

/* Whether the text is another on this machine. */
static bool lacks_instructions(const struct row *row)
{
	static const char *const counts[] = {"popcnt", "clz", "ctz"};

	if (!row->has)
		return false;
	if (!strncmp(row->has, "reduce", 6))
		return !os_has_vectors();
	for (u32 i = 0; i < ARRAY_SIZE(counts); i++)
		if (!strncmp(row->has, counts[i], strlen(counts[i])))
			return !os_counts_bits();
	return false;
}

static void check_text(struct skep_engine *engine, int fd, const struct row *row)
{
	char *text;

	if (lacks_instructions(row))
		return;
	assert_int_equal(skep_prog_print(engine, fd, row->stage, &text), 0);
	if (row->has && (row->count ? count(text, row->has) != row->count : !strstr(text, row->has)))
		fail_msg("%s: '%s' is missing:\n%s", row->title, row->has, text);
	if (row->lacks && strstr(text, row->lacks))
		fail_msg("%s: '%s' is left:\n%s", row->title, row->lacks, text);
	free(text);
}

/* Packets of one byte, of few different ones, of any. */
static void fill(u8 *packet, u32 number)
{
	u32 seed = number * 2654435761u + 1;

	for (u32 i = 0; i < PACKET_SIZE; i++) {
		seed = seed * 1664525 + 1013904223;
		packet[i] = number % 4 == 0 ? (u8)number : (u8)(seed >> 24) >> number % 4;
	}
}

struct outcome {
	u32 value;
	u8 packet[PACKET_SIZE];
};

static void run(struct skep_engine *engine, int fd, u32 number, struct outcome *out)
{
	u8 packet[PACKET_SIZE];
	union bpf_attr attr = {.test = {.prog_fd = (u32)fd,
					.data_in = ptr_to_u64(packet),
					.data_size_in = sizeof(packet),
					.data_out = ptr_to_u64(out->packet),
					.data_size_out = sizeof(out->packet)}};

	fill(packet, number);
	assert_int_equal(skep_bpf(engine, BPF_PROG_TEST_RUN, &attr, sizeof(attr)), 0);
	out->value = attr.test.retval;
}

static void run_all(const struct row *row)
{
	struct skep_engine *engines[ARRAY_SIZE(tiers)];
	struct outcome first, other;
	int fds[ARRAY_SIZE(tiers)];

	for (u32 i = 0; i < ARRAY_SIZE(tiers); i++) {
		engines[i] = start(tiers[i]);
		fds[i] = engine_load(engines[i], row->program);
	}
	check_text(engines[ARRAY_SIZE(tiers) - 1], fds[ARRAY_SIZE(tiers) - 1], row);
	for (u32 number = 0; number < PACKETS; number++) {
		run(engines[0], fds[0], number, &first);
		for (u32 i = 1; i < ARRAY_SIZE(tiers); i++) {
			run(engines[i], fds[i], number, &other);
			if (other.value != first.value)
				fail_msg("%s, packet %u, tier %u: %#x, not %#x", row->title, number, i,
					 other.value, first.value);
			assert_memory_equal(first.packet, other.packet, PACKET_SIZE);
		}
	}
	for (u32 i = 0; i < ARRAY_SIZE(tiers); i++) {
		close(fds[i]);
		skep_engine_free(engines[i]);
	}
}

static void test_row(void **state)
{
	run_all(*state);
	if (lacks_instructions(*state))
		skip();
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows)];

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		tests[i] = (struct CMUnitTest){.name = rows[i].title,
					       .test_func = test_row,
					       .initial_state = (void *)&rows[i]};
	return cmocka_run_group_tests_name("passes", tests, NULL, NULL);
}
