/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct_ops maps of congestion controls: what they take, their states, their links: Linux and
 * skep. What is registered has a name of its own, is never used and is gone at the end.
 */
#include "btf/btf.h"
#include "sys/kernel_btf.h"
#include "tests/sys/map_types.h"
#include "tests/sys/programs.h"

static struct kernel_btf kernel_btf;
static const struct btf_view *kernel;

static const struct btf_type *structure(const char *name)
{
	return btf_type(kernel, btf_find(kernel, name, BTF_KIND_STRUCT));
}

static const struct btf_type *congestion(void)
{
	return structure("tcp_congestion_ops");
}

static u32 index_of(const char *name)
{
	const struct btf_type *type = congestion();

	for (u32 i = 0; i < btf_vlen(type); i++)
		if (!strcmp(btf_string(kernel, btf_members(type)[i].name_off), name))
			return i;
	fail_msg("no member %s", name);
	return 0;
}

static u32 value_size(void)
{
	return structure("bpf_struct_ops_tcp_congestion_ops")->size;
}

static u32 data_offset(void)
{
	const struct btf_type *type = structure("bpf_struct_ops_tcp_congestion_ops");

	return btf_member_bit_offset(type, &btf_members(type)[1]) / 8;
}

static u32 offset_of(const char *name)
{
	const struct btf_type *type = congestion();

	return data_offset() +
	       btf_member_bit_offset(type, &btf_members(type)[index_of(name)]) / 8;
}

static int make(struct world *world, u32 flags)
{
	int types = load_types(world);
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_STRUCT_OPS,
		.key_size = 4,
		.value_size = value_size(),
		.max_entries = 1,
		.btf_fd = types,
		.map_flags = flags,
		.btf_vmlinux_value_type_id =
			btf_find(kernel, "bpf_struct_ops_tcp_congestion_ops", BTF_KIND_STRUCT)};
	int map = bpf(world, BPF_MAP_CREATE, &attr);

	assert_true(map >= 0);
	close(types);
	return map;
}

static int load_member(struct world *world, const char *member)
{
	const struct program_kind kind = {
		.type = BPF_PROG_TYPE_STRUCT_OPS,
		.attach_type = index_of(member),
		.attach_btf_id = btf_find(kernel, "tcp_congestion_ops", BTF_KIND_STRUCT)};
	int prog = load_kind(world, kind, "r0 = 2\nexit", NULL);

	assert_true(prog >= 0);
	return prog;
}

static int element(struct world *world, int cmd, int map, u32 key, void *value, u64 flags)
{
	union bpf_attr attr = {.map_fd = map,
			       .key = ptr_to_u64(&key),
			       .value = ptr_to_u64(value),
			       .flags = flags};

	return bpf(world, cmd, &attr);
}

/* --- values --- */

static const char *const members[] = {"ssthresh", "undo_cwnd", "cong_avoid"};

struct control {
	int progs[ARRAY_SIZE(members)];
	u64 ids[ARRAY_SIZE(members)];
	u8 *value;
};

static void set(struct control *control, const char *member, u64 value)
{
	memcpy(control->value + offset_of(member), &value, sizeof(value));
}

static u64 id_of(struct world *world, int prog)
{
	struct bpf_prog_info info = {};
	union bpf_attr attr = {.info = {.bpf_fd = (u32)prog,
					.info_len = sizeof(info),
					.info = ptr_to_u64(&info)}};

	assert_int_equal(bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), 0);
	return info.id;
}

static void control_init(struct world *world, struct control *control)
{
	control->value = calloc(1, value_size());
	strcpy((char *)control->value + offset_of("name"), "skep_test_ops");
	for (u32 i = 0; i < ARRAY_SIZE(members); i++) {
		control->progs[i] = load_member(world, members[i]);
		control->ids[i] = id_of(world, control->progs[i]);
		set(control, members[i], (u64)control->progs[i]);
	}
}

static void control_done(struct control *control)
{
	for (u32 i = 0; i < ARRAY_SIZE(members); i++)
		close(control->progs[i]);
	free(control->value);
}

/* User space gets back what it gave, ids in the place of descriptors. */
static bool is_content(const struct control *control, const u8 *value)
{
	u8 *want = malloc(value_size());
	bool same;

	memcpy(want, control->value, value_size());
	for (u32 i = 0; i < ARRAY_SIZE(members); i++)
		memcpy(want + offset_of(members[i]), &control->ids[i], sizeof(u64));
	same = !memcmp(value + data_offset(), want + data_offset(),
		       value_size() - data_offset());
	free(want);
	return same;
}

/* The state and who counts; and whether the rest came back as it was given. */
static void note_state(struct world *world, int map, const struct control *control,
		       const char *what)
{
	u8 *value = calloc(1, value_size());
	u32 common[2] = {};

	note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, 0, value, 0), "%s: look-up", what);
	memcpy(common, value, sizeof(common));
	note(world, common[0], "%s: refcount", what);
	note(world, common[1], "%s: state", what);
	note(world, is_content(control, value), "%s: content", what);
	free(value);
}

static int put(struct world *world, int map, const struct control *control)
{
	return element(world, BPF_MAP_UPDATE_ELEM, map, 0, control->value, 0);
}

/* Tries the value in a map for links, which registers nothing. */
static void try_value(struct world *world, const struct control *control, const char *what)
{
	int map = make(world, BPF_F_LINK);

	note(world, put(world, map, control), "%s", what);
	note_state(world, map, control, what);
	close(map);
}

/* --- scenarios --- */

static void values(struct world *world)
{
	static const char *const names[] = {
		"", "a", "a b", "a.b_c", "fifteen_letters", "sixteen_letters_", "\x01"};
	struct control control;
	int other;

	control_init(world, &control);
	try_value(world, &control, "good");
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		memset(control.value + offset_of("name"), 0, 16);
		memcpy(control.value + offset_of("name"), names[i], strlen(names[i]));
		try_value(world, &control, "name");
	}
	strcpy((char *)control.value + offset_of("name"), "skep_test_ops");
	for (u32 bit = 0; bit < 32; bit++) {
		u32 flags = 1U << bit;

		memcpy(control.value + offset_of("flags"), &flags, sizeof(flags));
		try_value(world, &control, "flags");
	}
	memset(control.value + offset_of("flags"), 0, 4);
	control.value[offset_of("key")] = 1;
	try_value(world, &control, "key");
	control.value[offset_of("key")] = 0;
	control.value[offset_of("list")] = 1;
	try_value(world, &control, "list");
	control.value[offset_of("list")] = 0;
	for (u32 at = 0; at < data_offset(); at++) {
		control.value[at] = 1;
		try_value(world, &control, "in front");
		control.value[at] = 0;
	}
	control.value[value_size() - 1] = 1;
	try_value(world, &control, "behind");
	control.value[value_size() - 1] = 0;
	other = load_text(world, BPF_PROG_TYPE_XDP, "r0 = 2\nexit", NULL);
	for (u32 i = 0; i < ARRAY_SIZE(members); i++) {
		set(&control, members[i], 0);
		try_value(world, &control, "lacks one");
		set(&control, members[i], (u64)other);
		try_value(world, &control, "another type");
		set(&control, members[i], (u64)control.progs[(i + 1) % 3]);
		try_value(world, &control, "another member's");
		set(&control, members[i], 9999);
		try_value(world, &control, "no descriptor");
		set(&control, members[i], (u64)-1);
		try_value(world, &control, "negative");
		set(&control, members[i], (u64)control.progs[i] | 1ULL << 32);
		try_value(world, &control, "long");
		set(&control, members[i], (u64)control.progs[i]);
	}
	close(other);
	control_done(&control);
}

static void next_keys(struct world *world, int map)
{
	u32 next = 7;
	union bpf_attr attr = {.map_fd = map, .next_key = ptr_to_u64(&next)};

	note(world, bpf(world, BPF_MAP_GET_NEXT_KEY, &attr), "first key");
	note(world, next, "is");
	for (u32 key = 0; key < 2; key++) {
		attr.key = ptr_to_u64(&key);
		note(world, bpf(world, BPF_MAP_GET_NEXT_KEY, &attr), "behind %u", key);
	}
}

static void note_map(struct world *world, int map)
{
	struct bpf_map_info info = {};
	union bpf_attr attr = {
		.info = {.bpf_fd = (u32)map, .info_len = sizeof(info), .info = ptr_to_u64(&info)}};

	note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "info");
	note(world, info.btf_vmlinux_value_type_id, "type of the value");
	note(world, info.value_size, "size of the value");
}

/* Without links: an update registers, a deletion ends that. */
static void states(struct world *world)
{
	struct control control;
	u8 *value;
	int map;

	control_init(world, &control);
	value = calloc(1, value_size());
	map = make(world, 0);
	note_map(world, map);
	next_keys(world, map);
	note_state(world, map, &control, "new");
	note(world, element(world, BPF_MAP_LOOKUP_ELEM, map, 1, value, 0), "look-up of 1");
	note(world, element(world, BPF_MAP_DELETE_ELEM, map, 0, NULL, 0), "delete: new");
	for (u64 flags = 1; flags < 8; flags <<= 1)
		note(world, element(world, BPF_MAP_UPDATE_ELEM, map, 0, control.value, flags),
		     "flags");
	note(world, element(world, BPF_MAP_UPDATE_ELEM, map, 1, control.value, 0), "key 1");
	note(world, put(world, map, &control), "registered");
	note_state(world, map, &control, "registered");
	note(world, put(world, map, &control), "registered again");
	next_keys(world, map);
	note(world, element(world, BPF_MAP_LOOKUP_AND_DELETE_ELEM, map, 0, value, 0), "take");
	note(world, element(world, BPF_MAP_DELETE_ELEM, map, 1, NULL, 0), "delete");
	note_state(world, map, &control, "deleted");
	note(world, element(world, BPF_MAP_DELETE_ELEM, map, 0, NULL, 0), "delete again");
	note(world, put(world, map, &control), "after its end");
	close(map);
	free(value);
	control_done(&control);
}

static int create_link(struct world *world, int map)
{
	union bpf_attr attr = {
		.link_create = {.prog_fd = (u32)map, .attach_type = BPF_STRUCT_OPS}};

	return bpf(world, BPF_LINK_CREATE, &attr);
}

static int update_link(struct world *world, int link, int map, int old, u32 flags)
{
	union bpf_attr attr = {.link_update = {.link_fd = (u32)link,
					       .new_prog_fd = (u32)map,
					       .old_prog_fd = (u32)old,
					       .flags = flags}};

	return bpf(world, BPF_LINK_UPDATE, &attr);
}

static void note_link(struct world *world, int link, const char *what)
{
	struct bpf_link_info info = {};
	union bpf_attr attr = {.info = {.bpf_fd = (u32)link,
					.info_len = sizeof(info),
					.info = ptr_to_u64(&info)}};

	note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "%s: info", what);
	note(world, info.type, "%s: type", what);
	note(world, info.prog_id, "%s: program", what);
	note(world, info.xdp.ifindex != 0, "%s: a map", what);
}

static int detach(struct world *world, int link)
{
	union bpf_attr attr = {.link_detach = {.link_fd = (u32)link}};

	return bpf(world, BPF_LINK_DETACH, &attr);
}

static void links(struct world *world)
{
	int plain = make(world, 0), map = make(world, BPF_F_LINK), second, other, empty, link;
	struct control control;

	control_init(world, &control);
	note_fd(world, create_link(world, plain), "a map without links");
	note_fd(world, create_link(world, map), "an empty map");
	note_fd(world, create_link(world, control.progs[0]), "a program");
	note_fd(world, create_link(world, 9999), "no descriptor");
	note(world, put(world, map, &control), "update");
	note(world, put(world, map, &control), "update again");
	note(world, element(world, BPF_MAP_DELETE_ELEM, map, 0, NULL, 0), "delete");
	link = create_link(world, map);
	assert_true(link >= 0);
	note_state(world, map, &control, "linked");
	note_link(world, link, "link");
	second = make(world, BPF_F_LINK);
	note(world, put(world, second, &control), "second");
	other = make(world, BPF_F_LINK);
	strcpy((char *)control.value + offset_of("name"), "skep_test_other");
	note(world, put(world, other, &control), "other name");
	empty = make(world, BPF_F_LINK);
	note(world, update_link(world, link, empty, 0, 0), "to an empty map");
	note(world, update_link(world, link, plain, 0, 0), "to a plain map");
	note(world, update_link(world, link, other, 0, 0), "to another name");
	note(world, update_link(world, link, second, map, 0), "old without a flag");
	note(world, update_link(world, link, second, second, BPF_F_REPLACE), "wrong old");
	note(world, update_link(world, link, second, 9999, BPF_F_REPLACE), "no old");
	note(world, update_link(world, link, 9999, map, BPF_F_REPLACE), "no new");
	note(world, update_link(world, link, second, map, BPF_F_REPLACE), "right old");
	note_state(world, map, &control, "left");
	note_state(world, second, &control, "entered");
	note(world, update_link(world, link, map, 0, 0), "back");
	note(world, detach(world, link), "detach");
	note_state(world, map, &control, "detached");
	note_link(world, link, "detached");
	note(world, update_link(world, link, second, 0, 0), "update of a detached one");
	note(world, detach(world, link), "detach again");
	close(link);
	close(plain);
	close(map);
	close(second);
	close(other);
	close(empty);
	control_done(&control);
}

static bool has_congestion_control(void)
{
	if (!kernel_btf.was_read)
		kernel_btf_init(&kernel_btf);
	kernel = kernel_btf_view(&kernel_btf);
	return kernel && congestion() && structure("bpf_struct_ops_tcp_congestion_ops");
}

SCENARIO_IF(values, has_congestion_control())
SCENARIO_IF(states, has_congestion_control())
SCENARIO_IF(links, has_congestion_control())

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
