/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of 9000 bytes and more at ports: programs that know of fragments have the first page
 * in reach and the rest in fragments, others have all; what they make of it leaves as one
 * piece. */
#include "tests/net/out_file.h"

#include <skep/attach.h>
#include <skep/route.h>

#define LINEAR 3520 /* of a page, without headroom and Linux's own */
#define FRAMES 20

struct outcome {
	u32 lengths[FRAMES], count;
	u8 bytes[CAPTURE_PACKET_MAX]; /* of the last */
};

static struct outcome outcome;

static void read_outcome(void)
{
	struct capture_packet packet;
	struct capture_reader reader;

	outcome.count = 0;
	assert_int_equal(capture_open(&reader, out_path, NULL), 0);
	while (capture_next(&reader, &packet, NULL) == 1) {
		assert_true(outcome.count < FRAMES);
		outcome.lengths[outcome.count++] = packet.length;
		memcpy(outcome.bytes, packet.data, packet.length);
	}
	capture_close(&reader);
}

static void run(u32 flags, u32 size, bool is_generic, const char *text)
{
	const struct program_kind kind = {.type = BPF_PROG_TYPE_XDP, .flags = flags};
	const struct skep_attach_opts opts = {.sz = sizeof(opts), .generic = is_generic};
	int prog = load_kind(&world, kind, text, NULL), port, link;
	char spec[96];

	assert_true(prog >= 0);
	snprintf(spec, sizeof(spec), "gen:count=%d,size=%u,proto=udp,out=%s", FRAMES, size,
		 out_path);
	port = skep_port_open(world.engine, spec, NULL);
	link = skep_attach(world.engine, port, prog, &opts);
	assert_true(port > 0 && link >= 0);
	assert_int_equal(skep_ports_run(world.engine, NULL, NULL), 0);
	close(link);
	close(prog);
	skep_port_close(world.engine, port);
	read_outcome();
}

/* Sends the frame back when its length and what is in direct reach are these. */
#define SEES                                                              \
	"r6 = r1\ncall 188\nif r0 != %u goto +5\nr2 = *(u32 *)(r6 + 0)\n" \
	"r3 = *(u32 *)(r6 + 4)\nr3 -= r2\nr0 = 3\nif r3 == %u goto +1\nr0 = 1\nexit"

static void how_much_is_in_reach(void **state)
{
	static const struct {
		u32 size, flags, linear;
	} rows[] = {
		{3520, BPF_F_XDP_HAS_FRAGS, 3520},   {3521, BPF_F_XDP_HAS_FRAGS, LINEAR},
		{9014, BPF_F_XDP_HAS_FRAGS, LINEAR}, {9014, 0, 9014},
		{64, BPF_F_XDP_HAS_FRAGS, 64},
	};

	for (u32 i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		const u32 row = i / 2;
		char text[300];

		snprintf(text, sizeof(text), SEES, rows[row].size, rows[row].linear);
		run(rows[row].flags, rows[row].size, i & 1, text);
		assert_int_equal(outcome.count, FRAMES);
		assert_int_equal(outcome.lengths[0], rows[row].size);
	}
}

/* Programs that change frames of 9014 bytes and send them back. */
static void changed_frames_leave_whole(void **state)
{
	static const struct {
		const char *text;
		u32 length;
	} rows[] = {
		/* the tail: into the fragments, out of all of them, into the first page */
		{"r2 = -100\ncall 65\nr0 = 3\nexit", 8914},
		{"r2 = -5494\ncall 65\nr0 = 3\nexit", LINEAR},
		{"r2 = -8000\ncall 65\nr0 = 3\nexit", 1014},
		{"r2 = 100\ncall 65\nr0 = 3\nexit", 9114},
		/* Linux: not beyond the last page */
		{"r2 = 4000\ncall 65\nr0 = 3\nexit", 9014},
		/* all away, then longer again, in the first page */
		{"r6 = r1\nr2 = -8000\ncall 65\nr1 = r6\nr2 = 200\ncall 65\nr0 = 3\nexit",
		 1214},
		/* the head, and metadata in front of it */
		{"r2 = -14\ncall 44\nr0 = 3\nexit", 9028},
		{"r2 = 14\ncall 44\nr0 = 3\nexit", 9000},
		{"r2 = -8\ncall 54\nr0 = 3\nexit", 9014},
	};

	for (u32 i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		run(BPF_F_XDP_HAS_FRAGS, 9014, i & 1, rows[i / 2].text);
		assert_int_equal(outcome.count, FRAMES);
		for (u32 n = 0; n < FRAMES; n++)
			assert_int_equal(outcome.lengths[n], rows[i / 2].length);
	}
}

/* Eight bytes over the border are read, changed and written. */
static void bytes_over_the_border(void **state)
{
	static const char text[] = "r6 = r1\nr2 = 3516\nr3 = r10\nr3 += -8\nr4 = 8\ncall 189\n"
				   "r2 = 0x1122334455667788 ll\n*(u64 *)(r10 - 8) = r2\n"
				   "r1 = r6\nr2 = 3516\nr3 = r10\nr3 += -8\nr4 = 8\ncall 190\n"
				   "r0 = 3\nexit";
	static const u8 want[] = {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};

	for (u32 generic = 0; generic < 2; generic++) {
		run(BPF_F_XDP_HAS_FRAGS, 9014, generic, text);
		assert_int_equal(outcome.lengths[0], 9014);
		assert_memory_equal(outcome.bytes + 3516, want, sizeof(want));
	}
}

/* One that knows nothing of fragments makes all of them see the frame in one piece. */
static void who_is_beside_whom(void **state)
{
	const struct skep_attach_opts opts = {.sz = sizeof(opts), .proceed_on = 1u << XDP_PASS};
	const struct program_kind frags = {.type = BPF_PROG_TYPE_XDP,
					   .flags = BPF_F_XDP_HAS_FRAGS};
	int port = skep_port_open(world.engine, "gen:count=10,size=9014", NULL), progs[2];
	struct skep_attached attached = {.sz = sizeof(attached)};
	char text[300];

	snprintf(text, sizeof(text), SEES, 9014, 9014);
	progs[0] = load_text(&world, BPF_PROG_TYPE_XDP, "r0 = 2\nexit", NULL);
	progs[1] = load_kind(&world, frags, text, NULL);
	for (u32 i = 0; i < 2; i++)
		assert_true(skep_attach(world.engine, port, progs[i], &opts) >= 0);
	assert_int_equal(skep_ports_run(world.engine, NULL, NULL), 0);
	assert_int_equal(skep_attached(world.engine, port, 1, -1, &attached), 0);
	assert_int_equal(attached.packets[XDP_TX], 10);
	close(progs[0]);
	close(progs[1]);
}

/* The MTU is what the engine's routes say of the port. */
static void a_large_mtu_needs_fragments(void **state)
{
	static const char large[] = "device 1 name a mtu 3507\n",
			  small[] = "device 1 name a mtu 3506\n";
	const struct program_kind frags = {.type = BPF_PROG_TYPE_XDP,
					   .flags = BPF_F_XDP_HAS_FRAGS};
	const struct skep_attach_opts generic = {.sz = sizeof(generic), .generic = true};
	int port = skep_port_open(world.engine, "gen:count=10", NULL), link;
	int plain = load_text(&world, BPF_PROG_TYPE_XDP, "r0 = 2\nexit", NULL);
	int knows = load_kind(&world, frags, "r0 = 2\nexit", NULL);
	union bpf_attr attr = {.link_create = {.prog_fd = plain,
					       .target_ifindex = (u32)port,
					       .attach_type = BPF_XDP}};

	assert_int_equal(skep_routes_set(world.engine, large, strlen(large), NULL), 0);
	assert_int_equal(skep_attach(world.engine, port, plain, NULL), -ERANGE);
	assert_int_equal(bpf(&world, BPF_LINK_CREATE, &attr), -ERANGE);
	link = skep_attach(world.engine, port, plain, &generic);
	assert_true(link >= 0);
	close(link);
	link = skep_attach(world.engine, port, knows, NULL);
	assert_true(link >= 0);
	close(link);
	assert_int_equal(skep_routes_set(world.engine, small, strlen(small), NULL), 0);
	link = skep_attach(world.engine, port, plain, NULL);
	assert_true(link >= 0);
	close(link);
	close(plain);
	close(knows);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(how_much_is_in_reach),	   TEST(changed_frames_leave_whole),
		TEST(bytes_over_the_border),	   TEST(who_is_beside_whom),
		TEST(a_large_mtu_needs_fragments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
