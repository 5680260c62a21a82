/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays of cgroups and the old cgroup storage: Linux and skep. */
#include "tests/sys/programs.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static const char *mount_point(void)
{
	return access("/sys/fs/cgroup/unified", F_OK) ? "/sys/fs/cgroup"
						      : "/sys/fs/cgroup/unified";
}

static int make(struct world *world, u32 type, u32 key, u32 value, u32 entries)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = key, .value_size = value, .max_entries = entries};

	return bpf(world, BPF_MAP_CREATE, &attr);
}

static int element(struct world *world, int cmd, int map, const void *key, void *value,
		   u64 flags)
{
	union bpf_attr attr = {.map_fd = map,
			       .key = ptr_to_u64(key),
			       .value = ptr_to_u64(value),
			       .flags = flags};

	return bpf(world, cmd, &attr);
}

/* --- arrays --- */

static void array(struct world *world)
{
	const int map = make(world, BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 3);
	char path[96], file[128];
	u32 keys[] = {1, 3, ~0U}, next = 0;
	int values[7];

	snprintf(path, sizeof(path), "%s/skep-array-%d", mount_point(), getpid());
	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	mkdir(path, 0700);
	values[0] = open(path, O_RDONLY);
	values[1] = open(file, O_RDONLY);
	values[2] = open("/sys/fs/cgroup/cpu", O_RDONLY);
	values[3] = open("/tmp", O_RDONLY);
	values[4] = -1;
	values[5] = 999;
	values[6] = open(path, O_PATH);
	for (u32 k = 0; k < ARRAY_SIZE(keys); k++)
		for (u32 v = 0; v < ARRAY_SIZE(values); v++)
			for (u64 flags = 0; flags < 5; flags++)
				note(world,
				     element(world, BPF_MAP_UPDATE_ELEM, map, &keys[k],
					     &values[v], flags),
				     "key %u, value %u, flags %u", k, v, (u32)flags);
	for (u32 k = 0; k < ARRAY_SIZE(keys); k++) {
		note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, &keys[k], &next, 0),
		     "look-up %u", k);
		note(world, element(world, BPF_MAP_GET_NEXT_KEY, map, &keys[k], &next, 0),
		     "next of %u", k);
		note(world, next, "next key of %u", k);
		note(world, element(world, BPF_MAP_DELETE_ELEM, map, &keys[k], NULL, 0),
		     "delete %u", k);
		note(world, element(world, BPF_MAP_DELETE_ELEM, map, &keys[k], NULL, 0),
		     "again %u", k);
	}
	rmdir(path);
	note(world, element(world, BPF_MAP_UPDATE_ELEM, map, &keys[0], &values[0], 0),
	     "removed");
	for (u32 v = 0; v < ARRAY_SIZE(values); v++)
		if (values[v] >= 0 && values[v] != 999)
			close(values[v]);
	close(map);
}

static const char is_task_under[] = "	r1 = map_fd 0 ll\n"
				    "	r2 = %u\n"
				    "	call 37			# current_task_under_cgroup\n"
				    "	exit\n";
static const char is_packet_under[] = "	r2 = map_fd 0 ll\n"
				      "	r3 = %u\n"
				      "	call 33			# skb_under_cgroup\n"
				      "	exit\n";

static void under(struct world *world)
{
	const int map = make(world, BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 3);
	int root = open(mount_point(), O_RDONLY), other;
	char path[96], text[256];
	u32 key = 0;

	snprintf(path, sizeof(path), "%s/skep-under-%d", mount_point(), getpid());
	mkdir(path, 0700);
	other = open(path, O_RDONLY);
	note(world, element(world, BPF_MAP_UPDATE_ELEM, map, &key, &root, 0), "root");
	key = 1;
	note(world, element(world, BPF_MAP_UPDATE_ELEM, map, &key, &other, 0), "other");
	for (u32 i = 0; i < 4; i++) {
		snprintf(text, sizeof(text), is_task_under, i);
		note(world, (int)run_text(world, BPF_PROG_TYPE_SCHED_CLS, text, &map),
		     "under %u", i);
		/* In skep no group has a packet's socket; on Linux the root has. */
		if (!i)
			continue;
		snprintf(text, sizeof(text), is_packet_under, i);
		note(world, (int)run_text(world, BPF_PROG_TYPE_SCHED_CLS, text, &map),
		     "packet under %u", i);
	}
	rmdir(path);
	close(root);
	close(other);
	close(map);
}

/* --- storage --- */

static const u32 storages[] = {BPF_MAP_TYPE_CGROUP_STORAGE, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE};

static void storage_elements(struct world *world)
{
	for (u32 t = 0; t < ARRAY_SIZE(storages); t++)
		for (u32 size = 8; size <= 16; size += 8) {
			const int map = make(world, storages[t], size, 8, 0);
			u64 key[2] = {1, 0}, value[256] = {0};

			note(world, map >= 0, "made");
			note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, key, value, 0),
			     "%u/%u: look-up", t, size);
			for (u64 flags = 0; flags < 9; flags++)
				note(world,
				     element(world, BPF_MAP_UPDATE_ELEM, map, key, value,
					     flags),
				     "%u/%u: update with %u", t, size, (u32)flags);
			note(world, element(world, BPF_MAP_DELETE_ELEM, map, key, NULL, 0),
			     "%u/%u: delete", t, size);
			note(world, element(world, BPF_MAP_GET_NEXT_KEY, map, NULL, value, 0),
			     "%u/%u: first", t, size);
			note(world, element(world, BPF_MAP_GET_NEXT_KEY, map, key, value, 0),
			     "%u/%u: next", t, size);
			close(map);
		}
}

static const char count[] = "	r1 = map_fd 0 ll\n"
			    "	r2 = 0\n"
			    "	call 81			# get_local_storage\n"
			    "	r6 = r0\n"
			    "	r1 = map_fd 1 ll\n"
			    "	r2 = 0\n"
			    "	call 81\n"
			    "	r1 = *(u64 *)(r6 + 0)\n"
			    "	r1 += 1\n"
			    "	*(u64 *)(r6 + 0) = r1\n"
			    "	r2 = *(u64 *)(r0 + 8)\n"
			    "	r2 += r1\n"
			    "	*(u64 *)(r0 + 8) = r2\n"
			    "	r0 = r2\n"
			    "	r0 &= 1\n"
			    "	exit\n";

static void storage_runs(struct world *world)
{
	const int maps[] = {make(world, storages[0], 16, 8, 0),
			    make(world, storages[1], 8, 16, 0)};
	const int prog = load_text(world, BPF_PROG_TYPE_CGROUP_SKB, count, maps);
	u8 packet[64] = {0};
	u64 key[2] = {0}, value[256];

	for (u32 repeat = 1; repeat < 7; repeat++) {
		union bpf_attr attr = {.test = {.prog_fd = prog,
						.repeat = repeat,
						.data_in = ptr_to_u64(packet),
						.data_size_in = sizeof(packet)}};

		note(world, bpf(world, BPF_PROG_TEST_RUN, &attr), "run %u", repeat);
		note(world, attr.test.retval, "result %u", repeat);
	}
	for (u32 i = 0; i < 2; i++)
		note(world, element(world, BPF_MAP_LOOKUP_ELEM, maps[i], key, value, 0),
		     "not found in %u", i);
	close(prog);
	close(maps[0]);
	close(maps[1]);
}

/* Tail calls take the values along: only to programs with the same maps, or without. */
static void storage_owners(struct world *world)
{
	static const char plain[] = "	r0 = 1\n	exit\n";
	const int maps[] = {make(world, storages[0], 16, 8, 0),
			    make(world, storages[1], 8, 16, 0),
			    make(world, storages[0], 16, 8, 0)};
	const int other[] = {maps[2], maps[1]};
	const int progs[] = {load_text(world, BPF_PROG_TYPE_CGROUP_SKB, count, maps),
			     load_text(world, BPF_PROG_TYPE_CGROUP_SKB, count, other),
			     load_text(world, BPF_PROG_TYPE_CGROUP_SKB, plain, NULL)};
	u32 key = 0;

	for (u32 first = 0; first < 3; first++) {
		const int map = make(world, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1);
		int value = progs[first];

		element(world, BPF_MAP_UPDATE_ELEM, map, &key, &value, 0);
		for (u32 second = 0; second < 3; second++) {
			value = progs[second];
			note(world, element(world, BPF_MAP_UPDATE_ELEM, map, &key, &value, 0),
			     "%u beside %u", second, first);
		}
		close(map);
	}
	for (u32 i = 0; i < 3; i++) {
		close(progs[i]);
		close(maps[i]);
	}
}

static void test_checked(void **state)
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts), .checked = true};

	if (!linux_has_isa())
		skip();
	worlds_compare_with(storage_runs, &opts);
}

SCENARIO(array)
SCENARIO(under)
SCENARIO(storage_elements)
SCENARIO(storage_runs)
SCENARIO(storage_owners)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_array),
		cmocka_unit_test(test_under),
		cmocka_unit_test(test_storage_elements),
		cmocka_unit_test(test_storage_runs),
		cmocka_unit_test(test_storage_owners),
		cmocka_unit_test(test_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
