/* SPDX-License-Identifier: BSD-2-Clause */
/* Local storage answers as Linux does: by descriptors from user space, and to programs. */
#include "tests/sys/map_types.h"
#include "tests/sys/programs.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct {
	u32 type;
	const char *name;
} storages[] = {
	{BPF_MAP_TYPE_SK_STORAGE, "sk"},
	{BPF_MAP_TYPE_INODE_STORAGE, "inode"},
	{BPF_MAP_TYPE_TASK_STORAGE, "task"},
	{BPF_MAP_TYPE_CGRP_STORAGE, "cgrp"},
};

static int make(struct world *world, u32 type)
{
	int types = load_types(world);
	union bpf_attr attr = {.map_type = type,
			       .key_size = 4,
			       .value_size = 4,
			       .map_flags = BPF_F_NO_PREALLOC,
			       .btf_fd = types,
			       .btf_key_type_id = INT,
			       .btf_value_type_id = INT};
	int fd = bpf(world, BPF_MAP_CREATE, &attr);

	close(types);
	return fd;
}

static int element(struct world *world, int cmd, int map, int key, u32 *value, u64 flags)
{
	union bpf_attr attr = {.map_fd = map,
			       .key = ptr_to_u64(&key),
			       .value = ptr_to_u64(value),
			       .flags = flags};

	return bpf(world, cmd, &attr);
}

/* --- things that may own a value --- */

enum {
	OWN_PROCESS,
	TCP,
	UDP,
	UNIX,
	FILE_OF_TMP,
	DIRECTORY,
	MEMFD,
	PIPE,
	CGROUP,
	CGROUP_FILE,
	CGROUP_REMOVED,
	CHILD_GONE,
	NOT_OPEN,
	NEGATIVE,
	THINGS
};

static int dead_child(void)
{
	pid_t child = fork();
	int fd;

	if (!child)
		_exit(0);
	fd = (int)syscall(SYS_pidfd_open, child, 0);
	waitpid(child, NULL, 0);
	return fd;
}

static int own_cgroup(const char *file, bool keep)
{
	char path[64], name[96];
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%sskep-storage-%d",
		 access("/sys/fs/cgroup/unified", F_OK) ? "" : "unified/", getpid());
	mkdir(path, 0700);
	snprintf(name, sizeof(name), "%s/%s", path, file);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (!keep)
		rmdir(path);
	return fd;
}

static int open_thing(u32 thing)
{
	int ends[2] = {-1, -1};

	switch (thing) {
	case OWN_PROCESS: return (int)syscall(SYS_pidfd_open, getpid(), 0);
	case TCP: return socket(AF_INET, SOCK_STREAM, 0);
	case UDP: return socket(AF_INET, SOCK_DGRAM, 0);
	case UNIX: return socket(AF_UNIX, SOCK_STREAM, 0);
	case FILE_OF_TMP: return open("/tmp", O_TMPFILE | O_RDWR, 0600);
	case DIRECTORY: return open("/tmp", O_PATH);
	case MEMFD: return memfd_create("owner", 0);
	case PIPE:
		if (!pipe(ends))
			close(ends[1]);
		return ends[0];
	case CGROUP: return own_cgroup(".", true);
	case CGROUP_FILE: return own_cgroup("cgroup.procs", true);
	case CGROUP_REMOVED: return own_cgroup(".", false);
	case CHILD_GONE: return dead_child();
	case NOT_OPEN: return 999;
	default: return -1;
	}
}

static const u64 tried_flags[] = {BPF_EXIST, BPF_NOEXIST, BPF_NOEXIST, BPF_EXIST, BPF_ANY,
				  3,	     BPF_F_LOCK,  8,	       1ULL << 32};

static void try_owner(struct world *world, int map, int key, const char *what)
{
	u32 value = 0;

	note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, key, &value, 0), "%s: empty",
	     what);
	for (u32 i = 0; i < ARRAY_SIZE(tried_flags); i++) {
		u32 next = 10 + i;

		note(world,
		     element(world, BPF_MAP_UPDATE_ELEM, map, key, &next, tried_flags[i]),
		     "%s: update %u with %llx", what, i, tried_flags[i]);
		note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, key, &value, 0),
		     "%s: look-up %u", what, i);
		note(world, value, "%s: value %u", what, i);
	}
	note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, key, &value, BPF_F_LOCK),
	     "%s: look-up locked", what);
	note(world, element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, map, key, &value, 0),
	     "%s: take", what);
	note(world, element(world, BPF_MAP_GET_NEXT_KEY, map, key, &value, 0), "%s: next key",
	     what);
	note(world, element(world, BPF_MAP_DELETE_ELEM, map, key, NULL, 0), "%s: delete", what);
	note(world, element(world, BPF_MAP_DELETE_ELEM, map, key, NULL, 0), "%s: again", what);
}

static void descriptors(struct world *world)
{
	for (u32 s = 0; s < ARRAY_SIZE(storages); s++) {
		int map = make(world, storages[s].type);

		for (u32 thing = 0; thing < THINGS; thing++) {
			char what[32];
			int fd = open_thing(thing);

			snprintf(what, sizeof(what), "%s: thing %u", storages[s].name, thing);
			try_owner(world, map, fd, what);
			if (fd >= 0)
				close(fd);
		}
		own_cgroup(".", false);
		close(map);
	}
}

/* A value is there by every descriptor of its owner, and with no other owner. */
static void identity(struct world *world)
{
	static const u32 things[] = {TCP, MEMFD, OWN_PROCESS, CGROUP};

	for (u32 s = 0; s < ARRAY_SIZE(storages); s++) {
		int map = make(world, storages[s].type);
		int first = open_thing(things[s]), copy = dup(first);
		int second = open_thing(things[s]);
		u32 value = 5;

		note(world, element(world, BPF_MAP_UPDATE_ELEM, map, first, &value, 0), "%s",
		     storages[s].name);
		note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, copy, &value, 0),
		     "%s: by the copy", storages[s].name);
		note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, second, &value, 0),
		     "%s: by another", storages[s].name);
		close(first);
		note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, copy, &value, 0),
		     "%s: the first closed", storages[s].name);
		close(copy);
		close(second);
		first = open_thing(things[s]);
		note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, first, &value, 0),
		     "%s: opened again", storages[s].name);
		close(first);
		own_cgroup(".", false);
		close(map);
	}
}

/* --- programs --- */

static const char count_task[] = "	call 158		# get_current_task_btf\n"
				 "	r2 = r0\n"
				 "	r1 = map_fd 0 ll\n"
				 "	r3 = 0\n"
				 "	r4 = 1\n"
				 "	call 156		# task_storage_get\n"
				 "	if r0 == 0 goto out\n"
				 "	r1 = *(u32 *)(r0 + 0)\n"
				 "	r1 += 1\n"
				 "	*(u32 *)(r0 + 0) = r1\n"
				 "	r0 = r1\n"
				 "out:	exit\n";
static const char find_task[] = "	call 158\n"
				"	r2 = r0\n"
				"	r1 = map_fd 0 ll\n"
				"	r3 = 0\n"
				"	r4 = 0\n"
				"	call 156\n"
				"	if r0 == 0 goto out\n"
				"	r0 = *(u32 *)(r0 + 0)\n"
				"out:	exit\n";
static const char flags_task[] = "	call 158\n"
				 "	r2 = r0\n"
				 "	r1 = map_fd 0 ll\n"
				 "	r3 = 0\n"
				 "	r4 = 2\n"
				 "	call 156\n"
				 "	if r0 == 0 goto out\n"
				 "	r0 = 1\n"
				 "out:	exit\n";
static const char delete_task[] = "	call 158\n"
				  "	r2 = r0\n"
				  "	r1 = map_fd 0 ll\n"
				  "	call 157		# task_storage_delete\n"
				  "	exit\n";

static void tasks(struct world *world)
{
	const int map = make(world, BPF_MAP_TYPE_TASK_STORAGE);
	const int self = open_thing(OWN_PROCESS);
	u32 value = 40;

	note(world, run_text(world, BPF_PROG_TYPE_SCHED_CLS, delete_task, &map), "delete none");
	note(world, run_text(world, BPF_PROG_TYPE_SCHED_CLS, find_task, &map), "find none");
	note(world, run_text(world, BPF_PROG_TYPE_SCHED_CLS, flags_task, &map), "bad flags");
	note(world, run_text(world, BPF_PROG_TYPE_SCHED_CLS, count_task, &map), "first");
	note(world, run_text(world, BPF_PROG_TYPE_XDP, count_task, &map), "second");
	note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, self, &value, 0), "look-up");
	note(world, value, "value");
	value = 41;
	note(world, element(world, BPF_MAP_UPDATE_ELEM, map, self, &value, 0), "update");
	note(world, run_text(world, BPF_PROG_TYPE_SCHED_CLS, count_task, &map), "third");
	note(world, run_text(world, BPF_PROG_TYPE_SCHED_CLS, delete_task, &map), "delete");
	note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, self, &value, 0), "deleted");
	note(world, run_text(world, BPF_PROG_TYPE_SCHED_CLS, find_task, &map), "find deleted");
	close(self);
	close(map);
}

static const char count_socket[] = "	r6 = *(u64 *)(r1 + 168)	# sk\n"
				   "	r0 = 0\n"
				   "	if r6 == 0 goto out\n"
				   "	r1 = r6\n"
				   "	call 95			# sk_fullsock\n"
				   "	if r0 == 0 goto out\n"
				   "	r6 = r0\n"
				   "	r1 = map_fd 0 ll\n"
				   "	r2 = r6\n"
				   "	r3 = r10\n"
				   "	r3 += -8\n"
				   "	r3 = 0\n"
				   "	r4 = 1\n"
				   "	call 107		# sk_storage_get\n"
				   "	if r0 == 0 goto out\n"
				   "	r1 = *(u32 *)(r0 + 0)\n"
				   "	r1 += 7\n"
				   "	*(u32 *)(r0 + 0) = r1\n"
				   "	r1 = map_fd 0 ll\n"
				   "	r2 = r6\n"
				   "	r3 = 0\n"
				   "	r4 = 0\n"
				   "	call 107\n"
				   "	if r0 == 0 goto out\n"
				   "	r7 = *(u32 *)(r0 + 0)\n"
				   "	r1 = map_fd 0 ll\n"
				   "	r2 = r6\n"
				   "	call 108		# sk_storage_delete\n"
				   "	r7 += r0\n"
				   "	r1 = map_fd 0 ll\n"
				   "	r2 = r6\n"
				   "	call 108\n"
				   "	r7 += r0\n"
				   "	r0 = r7\n"
				   "out:	exit\n";

static void sockets(struct world *world)
{
	const int map = make(world, BPF_MAP_TYPE_SK_STORAGE);

	note(world, run_text(world, BPF_PROG_TYPE_SCHED_CLS, count_socket, &map), "first");
	note(world, run_text(world, BPF_PROG_TYPE_SCHED_CLS, count_socket, &map), "second");
	close(map);
}

/* Values go with the map while their owners stay, and the other way round. */
static void ends(struct world *world)
{
	int kept = make(world, BPF_MAP_TYPE_SK_STORAGE);
	int sockets_cnt = 300, owner = open_thing(UDP);
	u32 value = 1;

	note(world, element(world, BPF_MAP_UPDATE_ELEM, kept, owner, &value, 0), "kept");
	for (int i = 0; i < sockets_cnt; i++) {
		int map = make(world, BPF_MAP_TYPE_SK_STORAGE), fd = open_thing(UDP);

		note(world, element(world, BPF_MAP_UPDATE_ELEM, map, fd, &value, 0), "map %d",
		     i);
		note(world, element(world, BPF_MAP_UPDATE_ELEM, map, owner, &value, 0),
		     "map %d, kept owner", i);
		note(world, element(world, BPF_MAP_UPDATE_ELEM, kept, fd, &value, 0),
		     "owner %d", i);
		close(i % 2 ? map : fd);
		close(i % 2 ? fd : map);
	}
	note(world, element(world, BPF_MAP_LOOKUP_ELEM, kept, owner, &value, 0), "still there");
	close(owner);
	close(kept);
}

/* The same in the checked interpreter. */
static void test_checked(void **state)
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts), .checked = true};

	if (!linux_has_isa())
		skip();
	worlds_compare_with(tasks, &opts);
	worlds_compare_with(sockets, &opts);
}

SCENARIO(descriptors)
SCENARIO(identity)
SCENARIO(tasks)
SCENARIO(sockets)
SCENARIO(ends)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors), cmocka_unit_test(test_identity),
		cmocka_unit_test(test_tasks),	    cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_ends),	    cmocka_unit_test(test_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
