/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tc programs at a port in their order: long walks of random attachments, with links and
 * without, each asked of Linux (at an interface of a network of the test's own) and of skep (at
 * a port), and after each what is attached where.
 */
#include "sys/attr.h"
#include "tests/sys/programs.h"

#include <net/if.h>
#include <sched.h>
#include <skep/port.h>

#define PROGS 6
#define LINKS 4
#define STEPS 500

struct walk {
	struct world *world;
	u32 ifindex, attach_type, random;
	int progs[PROGS], other; /* `other`: of another type */
	int links[LINKS];	 /* descriptors; -1: none */
	u32 prog_ids[PROGS], link_ids[LINKS], other_id;
};

static u32 next_random(struct walk *walk, u32 below)
{
	walk->random = walk->random * 1664525 + 1013904223;
	return (walk->random >> 8) % below;
}

static int call(struct walk *walk, int cmd, union attr *attr)
{
	return bpf_size(walk->world, cmd, attr, sizeof(*attr));
}

static u32 id_of(struct walk *walk, int fd, bool is_link)
{
	struct bpf_prog_info prog = {};
	struct bpf_link_info link = {};
	union attr attr = {.v.info = {.bpf_fd = (u32)fd,
				      .info_len = is_link ? sizeof(link) : sizeof(prog),
				      .info = is_link ? ptr_to_u64(&link) : ptr_to_u64(&prog)}};

	assert_int_equal(call(walk, BPF_OBJ_GET_INFO_BY_FD, &attr), 0);
	return is_link ? link.id : prog.id;
}

/* What its information says; whose members are newer than the header. */
static void note_link(struct walk *walk, int fd, const char *what)
{
	struct bpf_link_info info = {};
	union attr attr = {.v.info = {.bpf_fd = (u32)fd,
				      .info_len = sizeof(info),
				      .info = ptr_to_u64(&info)}};

	assert_int_equal(call(walk, BPF_OBJ_GET_INFO_BY_FD, &attr), 0);
	note(walk->world, info.type, "%s: type of the link", what);
	note(walk->world, info.xdp.ifindex == walk->ifindex, "%s: its interface", what);
	note(walk->world, info.netns.attach_type, "%s: its attach type", what);
}

/* Which of ours it is, from 1 on. */
static u32 index_of(const u32 *ids, u32 count, u32 id)
{
	for (u32 i = 0; i < count; i++)
		if (id && ids[i] == id)
			return i + 1;
	return 0;
}

static u64 note_query(struct walk *walk, u32 room, const char *what)
{
	u32 progs[PROGS * 2] = {}, links[PROGS * 2] = {}, flags[PROGS * 2] = {};
	u64 order = 0, held = 0;
	union attr attr = {.v.query = {.target_fd = walk->ifindex,
				       .attach_type = walk->attach_type,
				       .prog_ids = ptr_to_u64(progs),
				       .prog_cnt = room}};

	attr.query.link_ids = ptr_to_u64(links);
	attr.query.prog_attach_flags = ptr_to_u64(flags);
	note(walk->world, call(walk, BPF_PROG_QUERY, &attr), "%s: query", what);
	note(walk->world, attr.v.query.prog_cnt, "%s: how many", what);
	note(walk->world, (long long)attr.query.revision, "%s: revision", what);
	for (u32 i = 0; i < room; i++) {
		order = order << 4 | index_of(walk->prog_ids, PROGS, progs[i]);
		held = held << 4 | index_of(walk->link_ids, LINKS, links[i]);
	}
	note(walk->world, (long long)order, "%s: programs", what);
	note(walk->world, (long long)held, "%s: links", what);
	return attr.query.revision;
}

/* A descriptor or number of a program or link, now and then of none. */
static u32 pick_relative(struct walk *walk, u32 flags)
{
	const u32 which = next_random(walk, 10);

	if (which == 9)
		return flags & BPF_F_ID ? 0x7ffffff0 : 9999;
	if (which == 8)
		return 0;
	if (which == 7)
		return flags & BPF_F_ID ? walk->other_id : (u32)walk->other;
	if (flags & BPF_F_LINK)
		return flags & BPF_F_ID ? walk->link_ids[which % LINKS]
					: (u32)walk->links[which % LINKS];
	return flags & BPF_F_ID ? walk->prog_ids[which % PROGS]
				: (u32)walk->progs[which % PROGS];
}

static u32 pick_flags(struct walk *walk)
{
	static const u32 flags[] = {0,
				    0,
				    BPF_F_BEFORE,
				    BPF_F_AFTER,
				    BPF_F_BEFORE | BPF_F_ID,
				    BPF_F_AFTER | BPF_F_ID,
				    BPF_F_BEFORE | BPF_F_LINK,
				    BPF_F_AFTER | BPF_F_LINK | BPF_F_ID,
				    BPF_F_BEFORE | BPF_F_AFTER,
				    BPF_F_LINK,
				    BPF_F_ID,
				    BPF_F_REPLACE,
				    BPF_F_REPLACE | BPF_F_BEFORE,
				    BPF_F_REPLACE | BPF_F_AFTER,
				    1 << 0,
				    1 << 7};

	return flags[next_random(walk, ARRAY_SIZE(flags))];
}

static u64 pick_revision(struct walk *walk, u64 now)
{
	static const int by[] = {0, 0, 0, 0, 0, 0, 1, -1};
	const u32 which = next_random(walk, ARRAY_SIZE(by) + 1);

	return which == ARRAY_SIZE(by) ? now : by[which] ? now + (u64)by[which] : 0;
}

static int pick_prog(struct walk *walk)
{
	return next_random(walk, 20) ? walk->progs[next_random(walk, PROGS)] : walk->other;
}

static void try_link(struct walk *walk, u64 revision, const char *what)
{
	const u32 slot = next_random(walk, LINKS);
	union attr attr = {.v.link_create = {.prog_fd = (u32)pick_prog(walk),
					     .target_ifindex = walk->ifindex,
					     .attach_type = walk->attach_type}};
	int fd;

	attr.v.link_create.flags = pick_flags(walk);
	attr.link_create.relative_fd = pick_relative(walk, attr.v.link_create.flags);
	attr.link_create.expected_revision = pick_revision(walk, revision);
	if (walk->links[slot] >= 0)
		return;
	fd = call(walk, BPF_LINK_CREATE, &attr);
	note(walk->world, fd < 0 ? fd : 1, "%s: link, flags %#x, %d", what,
	     attr.v.link_create.flags, (int)attr.link_create.relative_fd);
	if (fd < 0)
		return;
	walk->links[slot] = fd;
	walk->link_ids[slot] = id_of(walk, fd, true);
	note_link(walk, fd, what);
}

static void try_attach(struct walk *walk, u64 revision, const char *what)
{
	union attr attr = {.v = {.target_fd = walk->ifindex,
				 .attach_bpf_fd = (u32)pick_prog(walk),
				 .attach_type = walk->attach_type}};

	attr.v.attach_flags = pick_flags(walk);
	attr.v.replace_bpf_fd = (u32)pick_prog(walk);
	attr.detach.relative_fd = pick_relative(walk, attr.v.attach_flags);
	attr.detach.expected_revision = pick_revision(walk, revision);
	note(walk->world, call(walk, BPF_PROG_ATTACH, &attr), "%s: attach, flags %#x, %d", what,
	     attr.v.attach_flags, (int)attr.detach.relative_fd);
}

static void try_detach(struct walk *walk, u64 revision, const char *what)
{
	union attr attr = {.v = {.target_fd = walk->ifindex, .attach_type = walk->attach_type}};

	attr.v.attach_bpf_fd = next_random(walk, 4) ? (u32)pick_prog(walk) : 0;
	attr.v.attach_flags = pick_flags(walk);
	attr.detach.relative_fd = pick_relative(walk, attr.v.attach_flags);
	attr.detach.expected_revision = pick_revision(walk, revision);
	note(walk->world, call(walk, BPF_PROG_DETACH, &attr), "%s: detach %d, flags %#x, %d",
	     what, attr.v.attach_bpf_fd, attr.v.attach_flags, (int)attr.detach.relative_fd);
}

static void try_update(struct walk *walk, const char *what)
{
	const u32 slot = next_random(walk, LINKS);
	union attr attr = {.v.link_update = {.link_fd = (u32)walk->links[slot],
					     .new_prog_fd = (u32)pick_prog(walk)}};

	if (next_random(walk, 2)) {
		attr.v.link_update.flags = BPF_F_REPLACE;
		attr.v.link_update.old_prog_fd = (u32)pick_prog(walk);
	}
	if (walk->links[slot] < 0)
		return;
	note(walk->world, call(walk, BPF_LINK_UPDATE, &attr), "%s: update, flags %#x", what,
	     attr.v.link_update.flags);
}

static void try_close(struct walk *walk, const char *what)
{
	const u32 slot = next_random(walk, LINKS);
	union attr attr = {.v.link_detach.link_fd = (u32)walk->links[slot]};

	if (walk->links[slot] < 0)
		return;
	if (next_random(walk, 2))
		note(walk->world, call(walk, BPF_LINK_DETACH, &attr), "%s: detach a link",
		     what);
	close(walk->links[slot]);
	walk->links[slot] = -1;
	walk->link_ids[slot] = 0;
}

static void step(struct walk *walk, u32 number)
{
	char what[32];
	u64 revision;

	snprintf(what, sizeof(what), "%u %u", walk->attach_type, number);
	revision = note_query(walk, 2 * PROGS, what);
	switch (next_random(walk, 8)) {
	case 0:
	case 1: try_link(walk, revision, what); break;
	case 2:
	case 3: try_attach(walk, revision, what); break;
	case 4:
	case 5: try_detach(walk, revision, what); break;
	case 6: try_update(walk, what); break;
	case 7: try_close(walk, what); break;
	}
}

static void load_programs(struct walk *walk)
{
	for (u32 i = 0; i < PROGS; i++) {
		walk->progs[i] =
			load_text(walk->world, BPF_PROG_TYPE_SCHED_CLS, "r0 = 0\nexit", NULL);
		assert_true(walk->progs[i] >= 0);
		walk->prog_ids[i] = id_of(walk, walk->progs[i], false);
	}
	walk->other = load_text(walk->world, BPF_PROG_TYPE_XDP, "r0 = 2\nexit", NULL);
	assert_true(walk->other >= 0);
	walk->other_id = id_of(walk, walk->other, false);
	for (u32 i = 0; i < LINKS; i++)
		walk->links[i] = -1;
}

static void walk_hook(struct world *world, u32 ifindex, u32 attach_type, u32 seed)
{
	struct walk walk = {
		.world = world, .ifindex = ifindex, .attach_type = attach_type, .random = seed};

	load_programs(&walk);
	for (u32 i = 0; i < STEPS; i++)
		step(&walk, i);
	note_query(&walk, 1, "one only");
	note_query(&walk, 0, "none");
	for (u32 i = 0; i < LINKS; i++)
		if (walk.links[i] >= 0)
			close(walk.links[i]);
	for (u32 i = 0; i < PROGS; i++)
		close(walk.progs[i]);
	close(walk.other);
}

static u32 open_interface(struct world *world)
{
	if (world->engine)
		return (u32)skep_port_open(world->engine, "gen:count=1", NULL);
	if (!if_nametoindex("walk0"))
		assert_int_equal(system("ip link add walk0 type veth peer name walk1"), 0);
	return if_nametoindex("walk0");
}

/* More than fit, and the links of an interface that has gone. */
static void a_hook_is_full(struct world *world)
{
	const u32 ifindex = open_interface(world);
	struct walk walk = {.world = world, .ifindex = ifindex, .attach_type = BPF_TCX_EGRESS};
	union attr attr = {
		.v.link_create = {.target_ifindex = ifindex, .attach_type = BPF_TCX_EGRESS}};
	int progs[66], link;

	load_programs(&walk);
	attr.v.link_create.prog_fd = (u32)walk.progs[0];
	link = call(&walk, BPF_LINK_CREATE, &attr);
	assert_true(link >= 0);
	for (u32 i = 0; i < ARRAY_SIZE(progs); i++) {
		union attr more = {.v = {.target_fd = ifindex, .attach_type = BPF_TCX_EGRESS}};

		progs[i] = load_text(world, BPF_PROG_TYPE_SCHED_CLS, "r0 = 0\nexit", NULL);
		more.v.attach_bpf_fd = (u32)progs[i];
		note(world, call(&walk, BPF_PROG_ATTACH, &more), "program %u", i);
		close(progs[i]);
	}
	if (world->engine)
		skep_port_close(world->engine, (int)ifindex);
	else
		assert_int_equal(system("ip link del walk0"), 0);
	walk.ifindex = 0;
	note_link(&walk, link, "after its interface");
	attr = (union attr){
		.v.link_update = {.link_fd = (u32)link, .new_prog_fd = (u32)walk.progs[1]}};
	note(world, call(&walk, BPF_LINK_UPDATE, &attr), "update after its interface");
	attr = (union attr){.v.link_detach.link_fd = (u32)link};
	note(world, call(&walk, BPF_LINK_DETACH, &attr), "detach after its interface");
	close(link);
}

static void programs_have_an_order(struct world *world)
{
	u32 ifindex = open_interface(world);
	union attr query = {.v.query = {.target_fd = 9999, .attach_type = BPF_TCX_INGRESS}};

	assert_true(ifindex);
	for (u32 seed = 1; seed <= 3; seed++) {
		walk_hook(world, ifindex, BPF_TCX_INGRESS, seed);
		walk_hook(world, ifindex, BPF_TCX_EGRESS, seed + 100);
		if (world->engine)
			skep_port_close(world->engine, (int)ifindex);
		else
			assert_int_equal(system("ip link del walk0"), 0);
		ifindex = open_interface(world);
		assert_true(ifindex);
	}
	note(world, bpf_size(world, BPF_PROG_QUERY, &query, sizeof(query)), "no interface");
	query.v.query.query_flags = BPF_F_QUERY_EFFECTIVE;
	note(world, bpf_size(world, BPF_PROG_QUERY, &query, sizeof(query)), "effective");
}

SCENARIO_IF(programs_have_an_order, !unshare(CLONE_NEWNET))
SCENARIO_IF(a_hook_is_full, !unshare(CLONE_NEWNET))

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_programs_have_an_order),
					   cmocka_unit_test(test_a_hook_is_full)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
