/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps that packets are redirected to, with programs at their entries, and XSK maps: Linux, in
 * a network of the test's own, and skep, with ports. */
#include "tests/sys/programs.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <skep/port.h>
#include <sys/socket.h>

#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif

static const u32 types[] = {BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH, BPF_MAP_TYPE_CPUMAP};

static int make(struct world *world, u32 type, u32 value_size, u32 entries)
{
	union bpf_attr attr = {.map_type = type,
			       .key_size = 4,
			       .value_size = value_size,
			       .max_entries = entries};

	return bpf(world, BPF_MAP_CREATE, &attr);
}

static int element(struct world *world, int cmd, int map, u32 key, void *value, u64 flags)
{
	union bpf_attr attr = {.map_fd = map,
			       .key = ptr_to_u64(&key),
			       .value = ptr_to_u64(value),
			       .flags = flags};

	return bpf(world, cmd, &attr);
}

static int put(struct world *world, int map, u32 key, u32 target, int prog, u64 flags)
{
	struct bpf_devmap_val value = {.ifindex = target, .bpf_prog.fd = prog};

	return element(world, BPF_MAP_UPDATE_ELEM, map, key, &value, flags);
}

/* --- which programs may be at an entry --- */

#define PASSES "r0 = 2\nexit"
#define SENDS  "r1 = map_fd 0 ll\nr2 = 0\nr3 = 0\ncall 51\nexit"

static const struct program_kind kinds[] = {
	{BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, 0},
	{BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP, 0},
	{BPF_PROG_TYPE_XDP, BPF_XDP, 0},
	{BPF_PROG_TYPE_XDP, 0, 0},
	{BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, BPF_F_XDP_HAS_FRAGS},
	{BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP, BPF_F_XDP_HAS_FRAGS},
	{BPF_PROG_TYPE_SOCKET_FILTER, 0, 0},
};

/* What is there: 0 nothing; +1 an entry, +2 with a program. */
static int entry_at(struct world *world, int map, u32 key)
{
	u32 value[2] = {};
	int ret = element(world, BPF_MAP_LOOKUP_ELEM, map, key, value, 0);

	return ret ? ret : (value[0] != 0) + 2 * (value[1] != 0);
}

static void try_programs(struct world *world, int map, const int *progs, u32 type)
{
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		note(world, put(world, map, 1, 1, progs[i], 0), "type %u program %u", type, i);
		note(world, entry_at(world, map, 1), "type %u entry after %u", type, i);
	}
	note(world, put(world, map, 1, 1, map, 0), "type %u a map", type);
	note(world, put(world, map, 1, 1, 9999, 0), "type %u no descriptor", type);
	note(world, put(world, map, 1, 1, -1, 0), "type %u no program", type);
	note(world, entry_at(world, map, 1), "type %u no program is there", type);
	for (u32 i = 0; i < 2; i++) {
		note(world, put(world, map, 0, 1, progs[i], 4), "type %u flags", type);
		note(world, put(world, map, 1, 1, progs[i], BPF_NOEXIST), "type %u there",
		     type);
		note(world, put(world, map, 0, 1, progs[i], BPF_EXIST), "type %u exist", type);
		note(world, put(world, map, 9, 1, progs[i], 0), "type %u behind", type);
		note(world, put(world, map, 0, 0, progs[i], 0), "type %u no target", type);
	}
	note(world, element(world, BPF_MAP_DELETE_ELEM, map, 1, NULL, 0), "type %u delete",
	     type);
	note(world, entry_at(world, map, 1), "type %u deleted", type);
}

/* The one that sends there first decides about fragments. */
static void try_senders(struct world *world, const int *progs, u32 type)
{
	static const struct program_kind frags = {BPF_PROG_TYPE_XDP, BPF_XDP,
						  BPF_F_XDP_HAS_FRAGS};
	static const struct program_kind plain = {BPF_PROG_TYPE_XDP, 0, 0};

	for (u32 size = 4; size <= 8; size += 4) {
		int map = make(world, type, size, 4);

		note_fd(world, load_kind(world, frags, SENDS, &map), "sends fragments");
		note_fd(world, load_kind(world, plain, SENDS, &map), "sends");
		if (size == 8)
			for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
				note(world, put(world, map, 0, 1, progs[i], 0),
				     "type %u after a sender: program %u", type, i);
		close(map);
	}
}

static void programs_at_entries(struct world *world)
{
	int progs[ARRAY_SIZE(kinds)];

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		progs[i] = load_kind(world, kinds[i], PASSES, NULL);
		assert_true(progs[i] >= 0);
	}
	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		int map = make(world, types[i], 8, 4);

		try_programs(world, map, progs, types[i]);
		close(map);
		try_senders(world, progs, types[i]);
	}
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		close(progs[i]);
}

/* --- what they do --- */

enum { INGRESS = 1, OUTS = 2, FRAMES = 3 };

/* Two ways out of the world, and how many frames left there. */
struct network {
	u32 ifindex[OUTS];
	int arrived; /* Linux: counted by a program at the other end */
	int receiver;
	int links[OUTS];
};

static void open_ports(struct world *world, struct network *network)
{
	skep_port_open(world->engine, "gen:count=1", NULL);
	for (u32 i = 0; i < OUTS; i++)
		network->ifindex[i] = (u32)skep_port_open(world->engine, "gen:count=1", NULL);
}

/* Not what the host's stack sends by itself. */
#define COUNTS_ARRIVED                                                            \
	"r2 = *(u32 *)(r1 + 12)\n*(u32 *)(r10 - 4) = r2\nr3 = *(u32 *)(r1 + 0)\n" \
	"r4 = *(u32 *)(r1 + 4)\nr5 = r3\nr5 += 6\nif r5 > r4 goto +10\n"          \
	"r5 = *(u8 *)(r3 + 0)\nif r5 != 2 goto +8\nr2 = r10\nr2 += -4\n"          \
	"r1 = map_fd 0 ll\ncall 1\nif r0 == 0 goto +2\nr1 = 1\n"                  \
	"lock *(u64 *)(r0 + 0) += r1\nr0 = 1\nexit"

static void open_veths(struct world *world, struct network *network)
{
	char name[16], command[160];

	network->arrived = make(world, BPF_MAP_TYPE_ARRAY, 8, 64);
	network->receiver =
		load_text(world, BPF_PROG_TYPE_XDP, COUNTS_ARRIVED, &network->arrived);
	assert_true(network->receiver >= 0);
	for (u32 i = 0; i < OUTS; i++) {
		union bpf_attr attr = {
			.link_create = {.prog_fd = network->receiver, .attach_type = BPF_XDP}};

		snprintf(
			command, sizeof(command),
			"ip link add out%u type veth peer name in%u && ip link set out%u up && "
			"ip link set in%u up",
			i, i, i, i);
		assert_int_equal(system(command), 0);
		snprintf(name, sizeof(name), "out%u", i);
		network->ifindex[i] = if_nametoindex(name);
		name[0] = 'i', name[1] = 'n', name[2] = (char)('0' + i), name[3] = 0;
		attr.link_create.target_ifindex = if_nametoindex(name);
		network->links[i] = bpf(world, BPF_LINK_CREATE, &attr);
		assert_true(network->links[i] >= 0);
	}
}

static void network_open(struct world *world, struct network *network)
{
	*network = (struct network){};
	if (world->engine)
		open_ports(world, network);
	else
		open_veths(world, network);
}

static void network_close(struct world *world, struct network *network)
{
	if (world->engine)
		return;
	for (u32 i = 0; i < OUTS; i++)
		close(network->links[i]);
	close(network->arrived);
	close(network->receiver);
	assert_int_equal(system("ip link del out0 && ip link del out1"), 0);
}

static u64 frames_out(struct world *world, const struct network *network, u32 out)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	char name[] = {'i', 'n', (char)('0' + out), 0};
	u64 count = 0;

	if (world->engine)
		return skep_port_stats(world->engine, (int)network->ifindex[out], &stats)
			       ? 0
			       : stats.out_packets;
	element(world, BPF_MAP_LOOKUP_ELEM, network->arrived, if_nametoindex(name), &count, 0);
	return count;
}

/* What a program at an entry saw: how often it ran, from where, to where. */
#define NOTES_OF_ENTRY(egress)                                                         \
	"r6 = r1\nr7 = *(u32 *)(r6 + 12)\n" egress "*(u32 *)(r10 - 4) = 0\nr2 = r10\n" \
	"r2 += -4\nr1 = map_fd 0 ll\ncall 1\nif r0 == 0 goto +4\nr1 = 1\n"             \
	"lock *(u64 *)(r0 + 0) += r1\n*(u64 *)(r0 + 8) = r7\n*(u64 *)(r0 + 16) = r8\n"
#define DEVICE_NOTES NOTES_OF_ENTRY("r8 = *(u32 *)(r6 + 20)\n")
#define CPU_NOTES    NOTES_OF_ENTRY("r8 = 0\n")

static int run_frames(struct world *world, int prog, u32 ingress)
{
	static u8 packet[64] = {2, 0, 0, 0, 0, 1};
	struct xdp_md ctx = {.data_end = sizeof(packet), .ingress_ifindex = ingress};
	union bpf_attr attr = {.test = {.prog_fd = prog,
					.data_in = ptr_to_u64(packet),
					.data_size_in = sizeof(packet),
					.ctx_in = ptr_to_u64(&ctx),
					.ctx_size_in = sizeof(ctx),
					.repeat = FRAMES,
					.flags = BPF_F_TEST_XDP_LIVE_FRAMES}};

	return bpf(world, BPF_PROG_TEST_RUN, &attr);
}

/* Which of the network's interfaces that is. */
static int role_of(const struct network *network, u64 ifindex)
{
	for (u32 i = 0; i < OUTS; i++)
		if (network->ifindex[i] == ifindex)
			return 10 + (int)i;
	return (int)ifindex;
}

static void note_outcome(struct world *world, const struct network *network, int notes,
			 const u64 *before, const char *what)
{
	u64 seen[3] = {}, none[3] = {};

	if (!world->engine)
		usleep(50000); /* the frames come later, on another thread */
	element(world, BPF_MAP_LOOKUP_ELEM, notes, 0, seen, 0);
	element(world, BPF_MAP_UPDATE_ELEM, notes, 0, none, 0);
	note(world, seen[0], "%s: runs at entries", what);
	note(world, seen[0] ? role_of(network, seen[1]) : 0, "%s: from", what);
	note(world, seen[0] == FRAMES ? role_of(network, seen[2]) : 0, "%s: to", what);
	for (u32 i = 0; i < OUTS; i++)
		note(world, frames_out(world, network, i) - before[i], "%s: out %u", what, i);
}

static void send_frames(struct world *world, const struct network *network, int notes,
			const char *sender, int map, u32 ingress, const char *what)
{
	const struct program_kind kind = {BPF_PROG_TYPE_XDP, BPF_XDP, 0};
	int prog = load_kind(world, kind, sender, &map);
	u64 before[OUTS];

	assert_true(prog >= 0);
	for (u32 i = 0; i < OUTS; i++)
		before[i] = frames_out(world, network, i);
	note(world, run_frames(world, prog, ingress), "%s", what);
	note_outcome(world, network, notes, before, what);
	close(prog);
}

#define TO_ENTRY(key, flags) "r1 = map_fd 0 ll\nr2 = " #key "\nr3 = " #flags "\ncall 51\nexit"

static void devices_run_programs(struct world *world)
{
	static const char *const programs[] = {
		DEVICE_NOTES "r0 = 0\nexit", DEVICE_NOTES "r0 = 1\nexit",
		DEVICE_NOTES "r0 = 2\nexit", DEVICE_NOTES "r0 = 3\nexit",
		DEVICE_NOTES "r0 = 4\nexit", DEVICE_NOTES "r0 = 9\nexit"};
	int notes = make(world, BPF_MAP_TYPE_ARRAY, 24, 1);
	struct network network;

	network_open(world, &network);
	for (u32 i = 0; i < 2 * ARRAY_SIZE(programs); i++) {
		int map = make(world, types[i % 2], 8, 4);
		int prog = load_kind(world, kinds[0], programs[i / 2], &notes);

		assert_true(prog >= 0);
		put(world, map, 1, network.ifindex[0], prog, 0);
		put(world, map, 2, network.ifindex[1], 0, 0);
		send_frames(world, &network, notes, TO_ENTRY(1, 0), map, 0, "to the program");
		send_frames(world, &network, notes, TO_ENTRY(2, 0), map, 0, "to none");
		send_frames(world, &network, notes, TO_ENTRY(3, 1), map, 0, "to no entry");
		send_frames(world, &network, notes, TO_ENTRY(0, 8), map, 0, "to all");
		send_frames(world, &network, notes, TO_ENTRY(0, 24), map, network.ifindex[0],
			    "to all but 0");
		send_frames(world, &network, notes, TO_ENTRY(0, 24), map, network.ifindex[1],
			    "to all but 1");
		send_frames(world, &network, notes, TO_ENTRY(1, 16), map, network.ifindex[0],
			    "back, no broadcast");
		close(prog);
		close(map);
	}
	close(notes);
	network_close(world, &network);
}

/* A cpumap's programs may redirect. */
static void cpus_run_programs(struct world *world)
{
	static const char *const programs[] = {
		CPU_NOTES "r0 = 0\nexit", CPU_NOTES "r0 = 1\nexit", CPU_NOTES "r0 = 2\nexit",
		CPU_NOTES "r0 = 3\nexit",
		CPU_NOTES "r1 = map_fd 1 ll\nr2 = 1\nr3 = 0\ncall 51\nexit"};
	int maps[2] = {make(world, BPF_MAP_TYPE_ARRAY, 24, 1),
		       make(world, BPF_MAP_TYPE_DEVMAP, 4, 4)};
	struct network network;

	network_open(world, &network);
	put(world, maps[1], 1, network.ifindex[0], 0, 0);
	for (u32 i = 0; i < ARRAY_SIZE(programs); i++) {
		int map = make(world, BPF_MAP_TYPE_CPUMAP, 8, 4);
		int prog = load_kind(world, kinds[1], programs[i], maps);

		assert_true(prog >= 0);
		put(world, map, 0, 64, prog, 0);
		send_frames(world, &network, maps[0], TO_ENTRY(0, 0), map, 0, "to a CPU");
		send_frames(world, &network, maps[0], TO_ENTRY(1, 1), map, 0, "to no CPU");
		close(prog);
		close(map);
	}
	close(maps[0]);
	close(maps[1]);
	network_close(world, &network);
}

/* --- XSK maps --- */

static int put_fd(struct world *world, int map, u32 key, int fd, u64 flags)
{
	return element(world, BPF_MAP_UPDATE_ELEM, map, key, &fd, flags);
}

/* XDP_REDIRECT or what the flags say; 1 more: a program sees a socket. */
#define XSK_REDIRECT "r1 = map_fd 0 ll\nr2 = 1\nr3 = 1\ncall 51\nexit"
#define XSK_LOOKUP                                                               \
	"r1 = 1\n*(u32 *)(r10 - 4) = r1\nr2 = r10\nr2 += -4\nr1 = map_fd 0 ll\n" \
	"call 1\nif r0 == 0 goto +2\nr0 = *(u32 *)(r0 + 0)\nr0 += 100\nexit"

static void note_xsk(struct world *world, int map, const char *what)
{
	u32 value;

	note(world, run_text(world, BPF_PROG_TYPE_XDP, XSK_REDIRECT, &map), "%s: redirect",
	     what);
	note(world, run_text(world, BPF_PROG_TYPE_XDP, XSK_LOOKUP, &map), "%s: look-up", what);
	note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, 1, &value, 0), "%s: user", what);
}

static void try_descriptors(struct world *world, int map)
{
	int fds[] = {socket(AF_XDP, SOCK_RAW, 0),
		     socket(AF_INET, SOCK_DGRAM, 0),
		     open("/dev/null", O_RDONLY),
		     9999,
		     -1,
		     map};
	static const u64 flags[] = {BPF_ANY, BPF_NOEXIST, BPF_EXIST, BPF_EXIST + 1, BPF_F_LOCK};

	for (u32 i = 0; i < ARRAY_SIZE(fds); i++)
		for (u32 key = 1; key < 6; key += 3)
			for (u32 at = 0; at < ARRAY_SIZE(flags); at++)
				note(world, put_fd(world, map, key, fds[i], flags[at]),
				     "descriptor %u at %u, flags %u", i, key, at);
	for (u32 i = 0; i < 3; i++)
		close(fds[i]);
}

static void xsk_maps(struct world *world)
{
	int map = make(world, BPF_MAP_TYPE_XSKMAP, 4, 4);
	int one = socket(AF_XDP, SOCK_RAW, 0), two = socket(AF_XDP, SOCK_RAW, 0);

	assert_true(one >= 0 && two >= 0);
	note_xsk(world, map, "empty");
	note(world, put_fd(world, map, 1, one, BPF_EXIST), "no socket there");
	note(world, put_fd(world, map, 1, one, BPF_NOEXIST), "one");
	note(world, put_fd(world, map, 2, one, BPF_NOEXIST), "one in a second place");
	note_xsk(world, map, "filled");
	note(world, put_fd(world, map, 1, one, BPF_NOEXIST), "the same again");
	note(world, put_fd(world, map, 1, two, BPF_NOEXIST), "another");
	note(world, put_fd(world, map, 1, two, BPF_EXIST), "another, replacing");
	close(two);
	note(world, put_fd(world, map, 1, one, BPF_EXIST), "in the place of a closed one");
	note(world, put_fd(world, map, 1, one, BPF_NOEXIST), "the place of a closed one");
	note(world, element(world, BPF_MAP_DELETE_ELEM, map, 1, NULL, 0), "delete");
	note(world, element(world, BPF_MAP_DELETE_ELEM, map, 1, NULL, 0), "delete again");
	note(world, element(world, BPF_MAP_DELETE_ELEM, map, 4, NULL, 0), "delete behind");
	note_xsk(world, map, "deleted");
	try_descriptors(world, map);
	close(one);
	close(map);
}

SCENARIO(programs_at_entries)
SCENARIO_IF(devices_run_programs, !unshare(CLONE_NEWNET))
SCENARIO_IF(cpus_run_programs, !unshare(CLONE_NEWNET))
SCENARIO(xsk_maps)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs_at_entries),
		cmocka_unit_test(test_devices_run_programs),
		cmocka_unit_test(test_cpus_run_programs),
		cmocka_unit_test(test_xsk_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
