/* SPDX-License-Identifier: BSD-2-Clause */
/* What is skep's own about tc at ports: where packets go that pass, what is counted, metadata
 * from XDP, and that nothing runs in circles. What programs see is compared in test_linux_tc.c.
 */
#include "tests/net/out_file.h"

#include <skep/attach.h>

/* A port that keeps what leaves it, and makes no packets that get anywhere. */
static int open_sink(void)
{
	static const struct skep_attach_opts opts = {.sz = sizeof(opts)};
	char spec[64];
	int port, drops = load_text(&world, BPF_PROG_TYPE_XDP, "r0 = 1\nexit", NULL);

	snprintf(spec, sizeof(spec), "gen:count=1,out=%s", out_path);
	port = open_port(spec);
	assert_true(skep_attach(world.engine, port, drops, &opts) >= 0);
	close(drops);
	return port;
}

static int attach(int port, u32 place, const char *text)
{
	const struct skep_attach_opts opts = {.sz = sizeof(opts), .place = place};
	const u32 type = place == SKEP_HOOK_XDP ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS;
	int prog = load_text(&world, type, text, NULL), link;

	assert_true(prog >= 0);
	link = skep_attach(world.engine, port, prog, &opts);
	assert_true(link >= 0);
	close(prog);
	return link;
}

static void move(void)
{
	assert_int_equal(skep_ports_run(world.engine, NULL, NULL), 0);
}

static u64 tc_count(int port, u32 place, enum skep_tc_verdict verdict)
{
	uint64_t packets[SKEP_TC_VERDICTS];

	assert_int_equal(skep_port_tc(world.engine, port, place, packets), 0);
	return packets[verdict];
}

static u64 exceptions(int port, enum skep_exception which)
{
	uint64_t counts[SKEP_EXCEPTIONS];

	assert_int_equal(skep_port_exceptions(world.engine, port, counts, SKEP_EXCEPTIONS), 0);
	return counts[which];
}

/* XDP passes, ingress passes, and what is behind the port is the sink, whose egress makes it
 * longer. */
static void what_passes_leaves_by_the_port_behind(void **state)
{
	int from = open_port("gen:count=500,size=100"), to = open_sink();

	assert_int_equal(skep_port_pass_to(world.engine, from, 60), -ENODEV);
	assert_int_equal(skep_port_pass_to(world.engine, 60, to), -ENODEV);
	assert_int_equal(skep_port_pass_to(world.engine, from, to), 0);
	attach(from, SKEP_HOOK_XDP, "r0 = 2\nexit");
	attach(from, SKEP_HOOK_TC_INGRESS, "r0 = -1\nexit");
	attach(to, SKEP_HOOK_TC_EGRESS, "r2 = 120\nr3 = 0\ncall 38\nr0 = 0\nexit");
	move();
	assert_int_equal(tc_count(from, SKEP_HOOK_TC_INGRESS, SKEP_TC_PASS), 500);
	assert_int_equal(tc_count(to, SKEP_HOOK_TC_EGRESS, SKEP_TC_PASS), 500);
	skep_port_close(world.engine, to);
	assert_int_equal(packets_out(120), 500);
}

/* Every third packet each: all that came in are in the verdicts. */
static void verdicts_add_up(void **state)
{
	int from = open_port("gen:count=999,size=100"), to = open_sink();
	struct skep_attached attached = {.sz = sizeof(attached)};
	const u32 places[] = {SKEP_HOOK_TC_INGRESS, SKEP_HOOK_TC_EGRESS};
	u64 sum;

	assert_int_equal(skep_port_pass_to(world.engine, from, to), 0);
	/* random results: OK, SHOT, STOLEN, REDIRECT to nowhere */
	for (u32 i = 0; i < 2; i++)
		attach(i ? to : from, places[i],
		       "call 7\nr0 &= 3\nif r0 == 1 goto +4\nif r0 == 2 goto +5\n"
		       "if r0 == 3 goto +6\nr0 = 0\nexit\nr0 = 2\nexit\nr0 = 4\nexit\nr0 = 7\nexit");
	move();
	for (u32 i = 0; i < 2; i++) {
		const int port = i ? to : from;
		const u64 passed = i ? tc_count(from, SKEP_HOOK_TC_INGRESS, SKEP_TC_PASS) : 999;

		sum = 0;
		for (u32 verdict = 0; verdict < SKEP_TC_VERDICTS; verdict++) {
			assert_true(tc_count(port, places[i], verdict) > 0);
			sum += tc_count(port, places[i], verdict);
		}
		assert_int_equal(sum, passed);
		/* the sink's first program is its XDP program */
		assert_int_equal(skep_attached(world.engine, port, i, -1, &attached), 0);
		assert_int_equal(attached.place, places[i]);
		sum = 0;
		for (u32 result = 0; result < SKEP_RESULTS; result++)
			sum += attached.packets[result];
		assert_int_equal(sum, passed);
	}
	assert_int_equal(exceptions(from, SKEP_EXCEPTION_NO_TARGET),
			 tc_count(from, SKEP_HOOK_TC_INGRESS, SKEP_TC_REDIRECT) +
				 tc_count(to, SKEP_HOOK_TC_EGRESS, SKEP_TC_REDIRECT));
	sum = tc_count(to, SKEP_HOOK_TC_EGRESS, SKEP_TC_PASS);
	skep_port_close(world.engine, to);
	assert_int_equal(packets_out(100), sum);
}

/* The XDP program leaves a number in front of the packet, by which tc drops every packet but
 * those of one kind. */
static void metadata_reaches_tc(void **state)
{
	int port = open_port("gen:count=300,size=100");

	attach(port, SKEP_HOOK_XDP,
	       "r6 = r1\nr2 = -4\ncall 54\nif r0 != 0 goto +7\nr2 = *(u32 *)(r6 + 8)\n"
	       "r3 = *(u32 *)(r6 + 0)\nr4 = r2\nr4 += 4\nif r4 > r3 goto +2\nr4 = 0x1234\n"
	       "*(u32 *)(r2 + 0) = r4\nr0 = 2\nexit");
	attach(port, SKEP_HOOK_TC_INGRESS,
	       "r2 = *(u32 *)(r1 + 140)\nr3 = *(u32 *)(r1 + 76)\nr0 = 2\nr4 = r2\nr4 += 4\n"
	       "if r4 > r3 goto +3\nr4 = *(u32 *)(r2 + 0)\nif r4 != 0x1234 goto +1\nr0 = 0\n"
	       "exit");
	move();
	assert_int_equal(tc_count(port, SKEP_HOOK_TC_INGRESS, SKEP_TC_PASS), 300);
}

static void redirects_end(void **state)
{
	static const struct {
		const char *program;
		enum skep_exception exception;
	} rows[] = {
		/* to the own ingress, again and again */
		{"r1 = *(u32 *)(r1 + 40)\nr2 = 1\ncall 23\nexit", SKEP_EXCEPTION_LOOP},
		{"r1 = 60\nr2 = 0\ncall 23\nexit", SKEP_EXCEPTION_NO_PORT},
		{"r0 = 7\nexit", SKEP_EXCEPTION_NO_TARGET},
		{"r1 = *(u32 *)(r1 + 40)\nr2 = 0\ncall 155\nexit", SKEP_EXCEPTION_NO_PEER},
		{"r1 = *(u32 *)(r1 + 40)\nr2 = 0\nr3 = 0\nr4 = 0\ncall 152\nexit",
		 SKEP_EXCEPTION_NO_NEIGHBOUR},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		int port = open_port("gen:count=20"),
		    link = attach(port, SKEP_HOOK_TC_INGRESS, rows[i].program);

		move();
		for (u32 n = 0; n < SKEP_EXCEPTIONS; n++)
			assert_int_equal(exceptions(port, n), n == rows[i].exception ? 20 : 0);
		close(link);
		skep_port_close(world.engine, port);
	}
}

/* A program at an egress sends copies to that egress: they end, too. */
static void copies_of_copies_end(void **state)
{
	int from = open_port("gen:count=3,size=100"), to = open_sink();

	assert_int_equal(skep_port_pass_to(world.engine, from, to), 0);
	attach(to, SKEP_HOOK_TC_EGRESS,
	       "r2 = *(u32 *)(r1 + 40)\nr3 = 0\ncall 13\nr0 = 0\nexit");
	move();
	skep_port_close(world.engine, to);
	assert_int_equal(packets_out(100), 3 * 9);
}

/* The same programs natively and generically: the same results, in other memory. */
static void modes_give_the_same(void **state)
{
	static const char program[] = "r2 = -14\ncall 44\nr0 = 3\nexit";
	int prog = load_text(&world, BPF_PROG_TYPE_XDP, program, NULL);

	for (u32 generic = 0; generic < 2; generic++) {
		const struct skep_attach_opts opts = {.sz = sizeof(opts), .generic = generic};
		char spec[80];
		int port, link;

		snprintf(spec, sizeof(spec), "gen:count=700,size=100,out=%s", out_path);
		port = open_port(spec);
		link = skep_attach(world.engine, port, prog, &opts);
		assert_true(link >= 0);
		move();
		close(link);
		skep_port_close(world.engine, port);
		assert_int_equal(packets_out(114), 700);
	}
	close(prog);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_passes_leaves_by_the_port_behind),
		TEST(verdicts_add_up),
		TEST(metadata_reaches_tc),
		TEST(redirects_end),
		TEST(copies_of_copies_end),
		TEST(modes_give_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
