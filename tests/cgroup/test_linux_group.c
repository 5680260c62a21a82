/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of control groups: who may be attached where, and what comes of calls. */
#include "tests/cgroup/groups.h"

/* --- who may be attached where --- */

#define ALLOW "r0 = 1\nexit"

static int load(struct world *world, u32 type, u32 attach_type, const char *text,
		const int *maps)
{
	const struct program_kind kind = {.type = type, .attach_type = attach_type};
	const int prog = load_kind(world, kind, text, maps);

	assert_true(prog >= 0);
	return prog;
}

static int connect_prog(struct world *world, const char *text)
{
	return load(world, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, text,
		    NULL);
}

static void note_query(struct world *world, int group, u32 type, u32 room, const char *what)
{
	u32 ids[8] = {0};

	for (u32 flags = 0; flags < 2; flags++) {
		union bpf_attr attr = {.query = {.target_fd = group,
						 .attach_type = type,
						 .query_flags = flags,
						 .prog_ids = ptr_to_u64(ids),
						 .prog_cnt = room}};

		note(world, bpf(world, BPF_PROG_QUERY, &attr), "%s: query %u %u", what, flags,
		     room);
		note(world, attr.query.prog_cnt, "%s: count %u %u", what, flags, room);
		note(world, attr.query.attach_flags, "%s: flags %u %u", what, flags, room);
		note(world, ids[0] != 0, "%s: first %u %u", what, flags, room);
	}
}

/* Both groups with all flags: what is allowed below, and after another. */
static void attaching(struct world *world)
{
	static const u32 flags[] = {0, BPF_F_ALLOW_OVERRIDE, BPF_F_ALLOW_MULTI, 3, 4, 6, 8};
	const u32 type = BPF_CGROUP_INET4_CONNECT;
	struct nest nest = enter_groups();
	const int progs[] = {connect_prog(world, ALLOW), connect_prog(world, ALLOW),
			     connect_prog(world, ALLOW)};

	for (u32 i = 0; i < ARRAY_SIZE(flags); i++)
		for (u32 j = 0; j < ARRAY_SIZE(flags); j++) {
			note(world, group_attach(world, progs[0], nest.outer, type, flags[i]),
			     "outer %u", flags[i]);
			note(world, group_attach(world, progs[0], nest.outer, type, flags[i]),
			     "again %u", flags[i]);
			note(world, group_attach(world, progs[1], nest.inner, type, flags[j]),
			     "inner %u %u", flags[i], flags[j]);
			note(world, group_attach(world, progs[2], nest.inner, type, flags[j]),
			     "beside %u %u", flags[i], flags[j]);
			note(world, group_attach(world, progs[2], nest.outer, type, flags[j]),
			     "beside outer %u %u", flags[i], flags[j]);
			note_query(world, nest.inner, type, 8, "inner");
			note_query(world, nest.outer, type, 8, "outer");
			note_query(world, nest.inner, type, 1, "inner");
			note_query(world, nest.inner, type, 0, "inner");
			note(world, group_detach(world, 0, nest.inner, type), "none %u %u",
			     flags[i], flags[j]);
			for (u32 p = 0; p < 3; p++) {
				note(world, group_detach(world, progs[p], nest.inner, type),
				     "detach inner %u %u", flags[i], flags[j]);
				note(world, group_detach(world, progs[p], nest.outer, type),
				     "detach outer %u %u", flags[i], flags[j]);
			}
		}
	note_query(world, nest.inner, BPF_CGROUP_DEVICE, 8, "another attach type");
	for (u32 i = 0; i < 3; i++)
		close(progs[i]);
	leave_groups(&nest);
}

static void replacing(struct world *world)
{
	const u32 type = BPF_CGROUP_INET4_CONNECT;
	struct nest nest = enter_groups();
	const int progs[] = {
		connect_prog(world, ALLOW), connect_prog(world, ALLOW),
		load(world, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND, ALLOW, NULL),
		load_text(world, BPF_PROG_TYPE_SOCK_OPS, ALLOW, NULL)};

	note(world, group_replace(world, progs[0], nest.inner, type, progs[1]),
	     "nothing there");
	note(world, group_attach(world, progs[0], nest.inner, type, BPF_F_ALLOW_MULTI),
	     "first");
	note(world, group_replace(world, progs[1], nest.inner, type, progs[1]), "not there");
	note(world, group_replace(world, progs[0], nest.inner, type, progs[0]), "by itself");
	note(world, group_replace(world, progs[1], nest.inner, type, progs[0]), "by another");
	note(world, group_replace(world, progs[1], nest.inner, type, -1), "no descriptor");
	note(world, group_detach(world, progs[0], nest.inner, type), "the old one");
	note(world, group_detach(world, progs[2], nest.inner, type), "one of another kind");
	note(world, group_detach(world, progs[3], nest.inner, type), "one of another type");
	note(world, group_attach(world, progs[2], nest.inner, type, BPF_F_ALLOW_MULTI),
	     "made for another attach type");
	note(world, group_attach(world, progs[3], nest.inner, type, BPF_F_ALLOW_MULTI),
	     "of another type");
	note(world, group_detach(world, progs[1], nest.inner, type), "the new one");
	note(world, group_attach(world, progs[0], -1, type, 0), "no group");
	note(world, group_attach(world, progs[0], progs[1], type, 0), "a program");
	note(world, group_detach(world, progs[0], progs[1], type), "detach of a program");
	for (u32 i = 0; i < ARRAY_SIZE(progs); i++)
		close(progs[i]);
	leave_groups(&nest);
}

static void links(struct world *world)
{
	const u32 type = BPF_CGROUP_INET4_CONNECT;
	struct nest nest = enter_groups();
	const int progs[] = {connect_prog(world, ALLOW), connect_prog(world, ALLOW),
			     load_text(world, BPF_PROG_TYPE_SOCK_OPS, ALLOW, NULL)};
	struct bpf_link_info info = {};
	union bpf_attr about = {.info = {.info = ptr_to_u64(&info), .info_len = sizeof(info)}};
	struct stat status;
	int link, second;

	note_fd(world, group_link(world, progs[0], -1, type), "no group");
	note_fd(world, group_link(world, progs[2], nest.inner, type), "another type");
	note(world, group_attach(world, progs[1], nest.outer, type, 0), "alone above");
	note_fd(world, group_link(world, progs[0], nest.inner, type),
		"below one that is alone");
	note_fd(world, group_link(world, progs[0], nest.outer, type), "beside it");
	note(world, group_detach(world, progs[1], nest.outer, type), "detach");
	link = group_link(world, progs[0], nest.inner, type);
	second = group_link(world, progs[0], nest.inner, type);
	note(world, link >= 0 && second >= 0, "two links of one program");
	note(world, group_attach(world, progs[0], nest.inner, type, BPF_F_ALLOW_MULTI),
	     "the same without a link");
	note_query(world, nest.inner, type, 8, "three");
	note(world, group_attach(world, progs[1], nest.inner, type, 0), "alone beside links");
	note(world, group_detach(world, progs[1], nest.inner, type), "what is not there");
	note(world, group_detach(world, progs[0], nest.inner, type), "what has no link");
	note(world, group_detach(world, progs[0], nest.inner, type), "what has a link");
	about.info.bpf_fd = link;
	note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &about), "info");
	note(world, info.type, "type");
	note(world, info.cgroup.attach_type, "attach type");
	assert_int_equal(fstat(nest.inner, &status), 0);
	note(world, info.cgroup.cgroup_id == status.st_ino, "group");
	for (u32 i = 0; i < 3; i++) {
		union bpf_attr attr = {
			.link_update = {.link_fd = link, .new_prog_fd = progs[i]}};

		note(world, bpf(world, BPF_LINK_UPDATE, &attr), "update to %u", i);
		attr.link_update.flags = BPF_F_REPLACE;
		attr.link_update.old_prog_fd = progs[0];
		note(world, bpf(world, BPF_LINK_UPDATE, &attr), "replace by %u", i);
	}
	for (u32 i = 0; i < 2; i++) {
		union bpf_attr attr = {.link_detach.link_fd = link};

		note(world, bpf(world, BPF_LINK_DETACH, &attr), "detach %u", i);
	}
	note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &about), "info of a detached one");
	note(world, info.cgroup.cgroup_id != 0, "its group");
	close(second);
	close(link);
	/* Links leave their hooks some time after the last descriptor was closed. */
	for (u32 i = 0; i < ARRAY_SIZE(progs); i++)
		close(progs[i]);
	leave_groups(&nest);
}

/* --- which programs run, and in which order --- */

/* Appends a digit to the only value of the array. */
static int digit_prog(struct world *world, int map, u32 digit)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "*(u32 *)(r10 - 4) = 0\n"
		 "r1 = map_fd 0 ll\n"
		 "r2 = r10\n"
		 "r2 += -4\n"
		 "call 1\n"
		 "if r0 == 0 goto end\n"
		 "r1 = *(u64 *)(r0 + 0)\n"
		 "r1 *= 10\n"
		 "r1 += %u\n"
		 "*(u64 *)(r0 + 0) = r1\n"
		 "end:\n"
		 "r0 = 1\n"
		 "exit\n",
		 digit);
	return load(world, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, text,
		    &map);
}

static void note_digits(struct world *world, int map, const char *what)
{
	const struct sockaddr_in nobody = here(1);
	const int fd = do_socket(world, AF_INET, SOCK_DGRAM);
	u64 digits = 0, none = 0;
	u32 key = 0;
	union bpf_attr attr = {
		.map_fd = map, .key = ptr_to_u64(&key), .value = ptr_to_u64(&digits)};

	do_connect(world, fd, &nobody, sizeof(nobody));
	close(fd);
	bpf(world, BPF_MAP_LOOKUP_ELEM, &attr);
	note(world, (long long)digits, "%s", what);
	attr.value = ptr_to_u64(&none);
	bpf(world, BPF_MAP_UPDATE_ELEM, &attr);
}

static void order(struct world *world)
{
	static const u32 flags[][4] = {
		{2, 2, 2, 2},
		{2 | BPF_F_PREORDER, 2, 2 | BPF_F_PREORDER, 2},
		{2, 2 | BPF_F_PREORDER, 2 | BPF_F_PREORDER, 2 | BPF_F_PREORDER},
	};
	const u32 type = BPF_CGROUP_INET4_CONNECT;
	struct nest nest = enter_groups();
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = 4,
			       .value_size = 8,
			       .max_entries = 1};
	const int map = bpf(world, BPF_MAP_CREATE, &attr);
	int progs[4];

	for (u32 i = 0; i < 4; i++)
		progs[i] = digit_prog(world, map, i + 1);
	for (u32 f = 0; f < ARRAY_SIZE(flags); f++) {
		for (u32 i = 0; i < 4; i++)
			note(world,
			     group_attach(world, progs[i], i < 2 ? nest.outer : nest.inner,
					  type, flags[f][i]),
			     "attach %u with %u", i, flags[f][i]);
		note_digits(world, map, "order");
		for (u32 i = 0; i < 4; i++)
			group_detach(world, progs[i], i < 2 ? nest.outer : nest.inner, type);
	}
	group_attach(world, progs[0], nest.outer, type, BPF_F_ALLOW_OVERRIDE);
	note_digits(world, map, "one above");
	group_attach(world, progs[1], nest.inner, type, BPF_F_ALLOW_OVERRIDE);
	note_digits(world, map, "overridden");
	group_detach(world, progs[1], nest.inner, type);
	group_attach(world, progs[1], nest.inner, type, BPF_F_ALLOW_MULTI);
	note_digits(world, map, "overridden by several");
	move_to(nest.outer_path);
	note_digits(world, map, "in the group above");
	move_to(mount_point());
	note_digits(world, map, "in neither");
	move_to(nest.inner_path);
	group_detach(world, progs[0], nest.outer, type);
	group_detach(world, progs[1], nest.inner, type);
	note_digits(world, map, "none");
	for (u32 i = 0; i < 4; i++)
		close(progs[i]);
	close(map);
	leave_groups(&nest);
}

/* --- what programs of a group keep --- */

/* Adds 1 to its own value. */
#define COUNT                                                     \
	"r1 = map_fd 0 ll\nr2 = 0\ncall 81\n"                     \
	"r1 = *(u64 *)(r0 + 0)\nr1 += 1\n*(u64 *)(r0 + 0) = r1\n" \
	"r0 = 1\nexit\n"

/* Of all slots together, for the group itself or the one above. */
static void note_value(struct world *world, int map, int group, u32 type, const char *what)
{
	struct stat status;
	struct bpf_cgroup_storage_key key = {.attach_type = type};
	u64 values[256] = {0}, sum = 0;
	union bpf_attr attr = {
		.map_fd = map, .key = ptr_to_u64(&key), .value = ptr_to_u64(values)};

	assert_int_equal(fstat(group, &status), 0);
	key.cgroup_inode_id = status.st_ino;
	note(world, bpf(world, BPF_MAP_LOOKUP_ELEM, &attr), "%s: look-up", what);
	for (u32 i = 0; i < ARRAY_SIZE(values); i++)
		sum += values[i];
	note(world, (long long)sum, "%s: count", what);
}

static void note_keys(struct world *world, int map, const struct nest *nest)
{
	struct bpf_cgroup_storage_key key = {}, next = {};
	struct stat outer;
	union bpf_attr attr = {.map_fd = map, .next_key = ptr_to_u64(&next)};
	u32 count = 0;

	assert_int_equal(fstat(nest->outer, &outer), 0);
	while (count < 5 && !bpf(world, BPF_MAP_GET_NEXT_KEY, &attr)) {
		note(world, next.cgroup_inode_id == outer.st_ino, "key %u: outer", count++);
		note(world, next.attach_type, "key %u: attach type", count);
		key = next;
		attr.key = ptr_to_u64(&key);
	}
	note(world, count, "keys");
}

static void keeping_in(struct world *world, u32 map_type, u32 key_size)
{
	static const u32 types[] = {BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT};
	struct nest nest = enter_groups();
	union bpf_attr attr = {.map_type = map_type, .key_size = key_size, .value_size = 8};
	const int map = bpf(world, BPF_MAP_CREATE, &attr);
	const struct sockaddr_in nobody = here(1);
	int progs[2];

	note_keys(world, map, &nest);
	for (u32 i = 0; i < 2; i++) {
		progs[i] = load(world, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, types[i], COUNT, &map);
		note(world,
		     group_attach(world, progs[i], nest.outer, types[i], BPF_F_ALLOW_MULTI),
		     "outer %u", i);
		note(world,
		     group_attach(world, progs[i], nest.inner, types[i], BPF_F_ALLOW_MULTI),
		     "inner %u", i);
	}
	note_keys(world, map, &nest);
	for (u32 round = 0; round < 3; round++) {
		const int fd = do_socket(world, AF_INET, SOCK_DGRAM);

		do_connect(world, fd, &nobody, sizeof(nobody));
		close(fd);
		if (!round)
			group_detach(world, progs[0], nest.outer, types[0]);
		for (u32 i = 0; i < 2; i++) {
			note_value(world, map, nest.outer, types[i], "outer");
			note_value(world, map, nest.inner, types[i], "inner");
		}
	}
	group_detach(world, progs[0], nest.inner, types[0]);
	note_keys(world, map, &nest);
	group_detach(world, progs[1], nest.inner, types[1]);
	group_detach(world, progs[1], nest.outer, types[1]);
	close(progs[0]);
	close(progs[1]);
	close(map);
	leave_groups(&nest);
}

static void keeping(struct world *world)
{
	for (u32 size = 8; size <= 16; size += 8) {
		keeping_in(world, BPF_MAP_TYPE_CGROUP_STORAGE, size);
		keeping_in(world, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, size);
	}
}

SCENARIO_IF(keeping, has_groups())
SCENARIO_IF(attaching, has_groups())
SCENARIO_IF(replacing, has_groups())
SCENARIO_IF(links, has_groups())
SCENARIO_IF(order, has_groups())

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attaching), cmocka_unit_test(test_keeping),
		cmocka_unit_test(test_replacing), cmocka_unit_test(test_links),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
