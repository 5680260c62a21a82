/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets from hell: every length from nothing on, random bytes, records as long as captures
 * have them, through programs that move the packet's ends, its tags and its headers at random,
 * redirect and copy it anywhere, and end with any result. Nothing crashes, and what came in is
 * always the sum of what became of it.
 */
#include "net/capture.h"
#include "tests/sys/programs.h"

#include <skep/attach.h>

#define RANDOM_FRAMES 3000

static char in_path[] = "/tmp/skep-hell-XXXXXX";
static u64 frames_written;
static u32 longest;

static u32 next_random(u64 *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(*state >> 33);
}

static void add(struct capture_writer *writer, u8 *bytes, u32 length)
{
	assert_int_equal(capture_write(writer, bytes, length, length, frames_written), 0);
	frames_written++;
	longest = max(longest, length);
}

/* Frames that begin as real ones do, cut everywhere. */
static void add_truncated(struct capture_writer *writer, u8 *bytes)
{
	static const u8 headers[][24] = {
		{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0, 0, 40},
		{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60},
		{255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 2, 0x81, 0, 0x20, 1, 0x08, 0x00,
		 0x4f},
		{1, 0,	  94,	0, 0, 1,    2, 0, 0, 0,	   0,
		 2, 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x86, 0xdd},
		{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 4, 0xff, 0xff},
	};

	for (u32 i = 0; i < ARRAY_SIZE(headers); i++) {
		memset(bytes, 0x5a, 256);
		memcpy(bytes, headers[i], sizeof(headers[i]));
		for (u32 length = 0; length <= 160; length++)
			add(writer, bytes, length);
	}
}

static int write_frames(void **state)
{
	static const u32 lengths[] = {1514,
				      3519,
				      3520,
				      3521,
				      3524,
				      4096,
				      7616,
				      9014,
				      16384,
				      65535,
				      73152,
				      73153,
				      100000,
				      CAPTURE_PACKET_MAX - 1,
				      CAPTURE_PACKET_MAX};
	u8 *bytes = malloc(CAPTURE_PACKET_MAX);
	struct capture_writer writer;
	u64 random = 1;
	int fd = mkstemp(in_path);

	assert_true(bytes && fd >= 0);
	close(fd);
	assert_int_equal(capture_create(&writer, in_path, NULL), 0);
	add_truncated(&writer, bytes);
	for (u32 i = 0; i < CAPTURE_PACKET_MAX; i++)
		bytes[i] = (u8)next_random(&random);
	for (u32 i = 0; i < ARRAY_SIZE(lengths); i++)
		add(&writer, bytes, lengths[i]);
	for (u32 i = 0; i < RANDOM_FRAMES; i++) {
		for (u32 byte = 0; byte < 32; byte++)
			bytes[byte] = (u8)next_random(&random);
		add(&writer, bytes, next_random(&random) % (i % 50 ? 300 : 20000));
	}
	free(bytes);
	return capture_finish(&writer);
}

static int remove_frames(void **state)
{
	return unlink(in_path);
}

#define RANDOM "call 7\n"

/* The packet's ends move; the result is any. r6 is the context. */
static const char xdp_hell[] =
	"r6 = r1\n" RANDOM "r2 = r0\nr2 &= 63\nr2 -= 32\nr1 = r6\ncall 44\n" RANDOM
	"r2 = r0\nr2 &= 8191\nr2 -= 7000\nr1 = r6\ncall 65\n" RANDOM
	"r0 &= 31\nr2 = 0\nr2 -= r0\nr1 = r6\ncall 54\n" RANDOM
	"if r0 & 1 goto +3\nr2 = -14\nr1 = r6\ncall 44\n" RANDOM
	"r0 &= 7\nif r0 != 4 goto +6\n" RANDOM "r1 = r0\nr1 &= 3\nr2 = 0\ncall 23\nexit\nexit";

/* Tags, room, both ends; a copy anywhere; any result. */
static const char tc_hell[] =
	"r6 = r1\n" RANDOM "if r0 & 1 goto +4\nr1 = r6\nr2 = 0x81\nr3 = 5\ncall 18\n" RANDOM
	"if r0 & 1 goto +2\nr1 = r6\ncall 19\n" RANDOM
	"r2 = r0\nr2 &= 1023\nr1 = r6\nr3 = 0\ncall 38\n" RANDOM
	"r2 = r0\nr2 &= 63\nr1 = r6\nr3 = 0\ncall 43\n" RANDOM
	"r2 = r0\nr2 &= 63\nr2 -= 32\nr1 = r6\nr3 = r0\nr3 >>= 8\nr3 &= 1\nr4 = 0\ncall 50\n" RANDOM
	"if r0 & 7 goto +6\nr2 = r0\nr2 >>= 3\nr2 &= 3\nr3 = 0\nr1 = r6\ncall 13\n" RANDOM
	"r0 &= 15\nr0 -= 1\nif r0 == 7 goto +1\nexit\n" RANDOM
	"r1 = r0\nr1 &= 3\nr2 = r0\nr2 >>= 2\nr2 &= 1\ncall 23\nexit";

static struct world world;

static int load(u32 type, u32 flags, const char *text)
{
	const struct program_kind kind = {.type = type, .flags = flags};
	int fd = load_kind(&world, kind, text, NULL);

	if (fd < 0)
		fail_msg("%d: %s", fd, skep_engine_error(world.engine)->text);
	return fd;
}

static void attach(int port, u32 place, int prog, bool is_generic)
{
	const struct skep_attach_opts opts = {.sz = sizeof(opts),
					      .place = place,
					      .generic = is_generic,
					      .proceed_on = 1u << XDP_PASS};
	int link = skep_attach(world.engine, port, prog, &opts);

	assert_true(link >= 0);
}

static u64 results_of(int port, u32 n)
{
	struct skep_attached attached = {.sz = sizeof(attached)};
	u64 sum = 0;

	assert_int_equal(skep_attached(world.engine, port, n, -1, &attached), 0);
	for (u32 i = 0; i < SKEP_RESULTS; i++)
		sum += attached.packets[i];
	return sum;
}

static u64 tc_sum(int port, u32 place)
{
	uint64_t packets[SKEP_TC_VERDICTS];
	u64 sum = 0;

	assert_int_equal(skep_port_tc(world.engine, port, place, packets), 0);
	for (u32 i = 0; i < SKEP_TC_VERDICTS; i++)
		sum += packets[i];
	return sum;
}

/* Port 1 receives; all three may be sent to. Programs: XDP is number 0, tc 1 and 2. */
static void check_counts(const int *ports)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	u64 sum = 0;

	assert_int_equal(skep_port_stats(world.engine, ports[0], &stats), 0);
	assert_int_equal(stats.in_packets, frames_written);
	for (u32 i = 0; i < SKEP_VERDICTS; i++) {
		assert_true(stats.verdict_packets[i] > 0);
		sum += stats.verdict_packets[i];
	}
	assert_int_equal(sum, frames_written);
	assert_int_equal(results_of(ports[0], 0), frames_written);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(results_of(ports[i], 1),
				 tc_sum(ports[i], SKEP_HOOK_TC_INGRESS));
		assert_int_equal(results_of(ports[i], 2),
				 tc_sum(ports[i], SKEP_HOOK_TC_EGRESS));
		assert_true(tc_sum(ports[i], SKEP_HOOK_TC_EGRESS) > 0);
	}
}

static void go_through_hell(bool is_generic, bool has_frags, bool is_checked)
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts), .checked = is_checked};
	int ports[3], xdp, tc;
	char spec[64];

	world.engine = skep_engine_new(&opts, NULL);
	assert_non_null(world.engine);
	xdp = load(BPF_PROG_TYPE_XDP, has_frags ? BPF_F_XDP_HAS_FRAGS : 0, xdp_hell);
	tc = load(BPF_PROG_TYPE_SCHED_CLS, 0, tc_hell);
	snprintf(spec, sizeof(spec), "pcap:%s", in_path);
	for (u32 i = 0; i < 3; i++) {
		ports[i] = skep_port_open(world.engine, i ? "gen:count=1" : spec, NULL);
		assert_int_equal(ports[i], i + 1);
		attach(ports[i], SKEP_HOOK_XDP, xdp, is_generic);
		attach(ports[i], SKEP_HOOK_TC_INGRESS, tc, false);
		attach(ports[i], SKEP_HOOK_TC_EGRESS, tc, false);
	}
	assert_int_equal(skep_port_pass_to(world.engine, ports[0], ports[1]), 0);
	assert_int_equal(skep_port_pass_to(world.engine, ports[1], ports[2]), 0);
	assert_int_equal(skep_ports_run(world.engine, NULL, NULL), 0);
	check_counts(ports);
	skep_engine_free(world.engine);
	close(xdp);
	close(tc);
}

static void natively(void **state)
{
	go_through_hell(false, false, false);
}

static void generically(void **state)
{
	go_through_hell(true, false, false);
}

static void in_fragments(void **state)
{
	go_through_hell(false, true, false);
}

static void in_generic_fragments(void **state)
{
	go_through_hell(true, true, false);
}

static void checked(void **state)
{
	go_through_hell(false, true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(natively),	cmocka_unit_test(generically),
		cmocka_unit_test(in_fragments), cmocka_unit_test(in_generic_fragments),
		cmocka_unit_test(checked),
	};

	return cmocka_run_group_tests(tests, write_frames, remove_frames);
}
