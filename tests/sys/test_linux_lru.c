/* SPDX-License-Identifier: BSD-2-Clause */
/* LRU maps with BPF_F_NO_COMMON_LRU: the same sequences of calls leave the same keys, Linux and
 * skep. A CPU of Linux is a slot of skep. */
#include "tests/sys/programs.h"

#include <sched.h>

enum { KEYS = 40, STEPS = 1500, CPUS_MAX = 64, WORDS_MAX = 8 };

static const u32 types[] = {BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH};
static const u32 value_sizes[] = {4, 8, 24};

static int make(struct world *world, u32 type, u32 value_size, u32 entries)
{
	union bpf_attr attr = {.map_type = type,
			       .key_size = 4,
			       .value_size = value_size,
			       .max_entries = entries,
			       .map_flags = BPF_F_NO_COMMON_LRU};

	return bpf(world, BPF_MAP_CREATE, &attr);
}

static u64 values[CPUS_MAX * WORDS_MAX];

static int element(struct world *world, int cmd, int map, u32 key, u64 flags)
{
	union bpf_attr attr = {.map_fd = map,
			       .key = ptr_to_u64(&key),
			       .value = ptr_to_u64(values),
			       .flags = flags};

	return bpf(world, cmd, &attr);
}

/* The key is what the packet begins with, behind its addresses; 1: it is there. */
#define REFERS                                                                       \
	"r2 = *(u32 *)(r1 + 0)\nr3 = *(u32 *)(r1 + 4)\nr4 = r2\nr4 += 4\n"           \
	"if r4 > r3 goto +8\nr5 = *(u32 *)(r2 + 0)\n*(u32 *)(r10 - 4) = r5\n"        \
	"r2 = r10\nr2 += -4\nr1 = map_fd 0 ll\ncall 1\nif r0 != 0 goto +2\nr0 = 0\n" \
	"exit\nr0 = 1\nexit"

static long long refer(struct world *world, int prog, u32 key)
{
	u32 packet[16] = {key};
	union bpf_attr attr = {.test = {.prog_fd = prog,
					.data_in = ptr_to_u64(packet),
					.data_size_in = sizeof(packet)}};
	int ret = bpf(world, BPF_PROG_TEST_RUN, &attr);

	return ret < 0 ? ret : attr.test.retval;
}

static void run_on(u32 cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % (u32)sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static u32 next_random(u32 *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

static void one_step(struct world *world, int map, int prog, u32 *random)
{
	const u32 key = next_random(random) % KEYS, what = next_random(random) % 16;

	switch (what) {
	case 0 ... 4:
		note(world, element(world, BPF_MAP_UPDATE_ELEM, map, key, 0), "any");
		break;
	case 5:
	case 6:
		note(world, element(world, BPF_MAP_UPDATE_ELEM, map, key, BPF_NOEXIST),
		     "noexist");
		break;
	case 7:
	case 8:
		note(world, element(world, BPF_MAP_UPDATE_ELEM, map, key, BPF_EXIST), "exist");
		break;
	case 9: note(world, element(world, BPF_MAP_DELETE_ELEM, map, key, 0), "delete"); break;
	case 10:
		note(world, element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, map, key, 0),
		     "take");
		break;
	case 11:
		note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, key, 0), "look-up");
		break;
	case 12: run_on(next_random(random)); break;
	default: note(world, refer(world, prog, key), "look-up by a program");
	}
}

static void note_keys(struct world *world, int map)
{
	for (u32 key = 0; key < KEYS; key++)
		note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, key, 0), "key %u", key);
}

static void sequence(struct world *world, u32 type, u32 value_size, u32 entries, u32 random)
{
	int map = make(world, type, value_size, entries);
	int prog = load_text(world, BPF_PROG_TYPE_XDP, REFERS, &map);

	assert_true(prog >= 0);
	run_on(0);
	for (u32 i = 0; i < STEPS; i++)
		one_step(world, map, prog, &random);
	note_keys(world, map);
	close(prog);
	close(map);
}

static void sequences(struct world *world)
{
	static const u32 entries[] = {2, 3, 9, 16, 33};
	cpu_set_t set;

	assert_true(sizeof(values) >= 24 * (u64)sysconf(_SC_NPROCESSORS_CONF));
	sched_getaffinity(0, sizeof(set), &set);
	for (u32 i = 0; i < ARRAY_SIZE(entries); i++)
		sequence(world, types[i % 2], value_sizes[i % 3], entries[i], i);
	sched_setaffinity(0, sizeof(set), &set);
}

static void more_sequences(struct world *world)
{
	static const u32 entries[] = {16, 9, 3, 2, 64};
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	for (u32 i = 0; i < ARRAY_SIZE(entries); i++)
		sequence(world, types[(i + 1) % 2], value_sizes[(i + 1) % 3], entries[i],
			 100 + i);
	sched_setaffinity(0, sizeof(set), &set);
}

/* The capacity is a multiple of the number of CPUs. */
static void sizes(struct world *world)
{
	static const u32 entries[] = {1, 2, 3, 4, 5, 1000, 1001};

	for (u32 i = 0; i < ARRAY_SIZE(entries) * 2; i++) {
		struct bpf_map_info info = {};
		int map = make(world, types[i % 2], 8, entries[i / 2]);
		union bpf_attr attr = {.info = {.bpf_fd = map,
						.info_len = sizeof(info),
						.info = ptr_to_u64(&info)}};

		note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "info");
		note(world, info.max_entries, "%u entries", entries[i / 2]);
		close(map);
	}
}

SCENARIO(sequences)
SCENARIO(more_sequences)
SCENARIO(sizes)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_more_sequences),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
