/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same operations on a map of skep and on a map of the live kernel: same results, same
 * errno, same content. Sequences come from a fixed seed. What is not comparable is left out:
 * the order of hash maps, whom an LRU map evicts, what a bloom filter wrongly finds.
 */
#include "tests/unit.h"

#include "base/os.h"
#include "map/map.h"
#include "tests/map/live.h"

#include <stdio.h>

#define STEPS	  3000
#define KEY_MAX	  64
#define VALUE_MAX 1024

enum {
	ORDERED = 1 << 0,    /* get_next_key goes the same way on both */
	UNCERTAIN = 1 << 1,  /* look-ups may find what is not there */
	PREFIXES = 1 << 2,   /* keys are struct bpf_lpm_trie_key */
	DESCRIPTORS = 1 << 3 /* values are file descriptors: none is valid here */
};

static const struct row {
	const char *name;
	u32 type, key_size, value_size, max_entries, flags;
	u32 keys; /* the keys are the numbers below this */
	u32 traits;
} rows[] = {
	{"array", BPF_MAP_TYPE_ARRAY, 4, 12, 50, 0, 60, ORDERED},
	{"array of 1", BPF_MAP_TYPE_ARRAY, 4, 3, 1, 0, 3, ORDERED},
	{"array, mmapable", BPF_MAP_TYPE_ARRAY, 4, 8, 50, BPF_F_MMAPABLE, 60, ORDERED},
	{"array, read-only", BPF_MAP_TYPE_ARRAY, 4, 8, 5, BPF_F_RDONLY_PROG, 6, ORDERED},
	{"percpu_array", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 12, 50, 0, 60, ORDERED},
	{"percpu_array of bytes", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 1, 5, 0, 6, ORDERED},
	{"hash", BPF_MAP_TYPE_HASH, 4, 8, 100, 0, 150, 0},
	{"hash of 1", BPF_MAP_TYPE_HASH, 4, 8, 1, 0, 3, 0},
	{"hash, 16-byte keys", BPF_MAP_TYPE_HASH, 16, 24, 100, 0, 150, 0},
	{"hash, odd sizes", BPF_MAP_TYPE_HASH, 5, 3, 64, 0, 100, 0},
	{"hash, large values", BPF_MAP_TYPE_HASH, 8, 400, 20, 0, 30, 0},
	{"hash, not preallocated", BPF_MAP_TYPE_HASH, 4, 8, 100, BPF_F_NO_PREALLOC, 150, 0},
	{"hash, zero seed", BPF_MAP_TYPE_HASH, 12, 8, 30, BPF_F_ZERO_SEED, 50, 0},
	{"hash, write-only", BPF_MAP_TYPE_HASH, 4, 8, 30, BPF_F_WRONLY_PROG, 50, 0},
	{"percpu_hash", BPF_MAP_TYPE_PERCPU_HASH, 4, 12, 50, 0, 80, 0},
	{"percpu_hash, not preallocated", BPF_MAP_TYPE_PERCPU_HASH, 6, 5, 50, BPF_F_NO_PREALLOC,
	 80, 0},
	{"lru_hash", BPF_MAP_TYPE_LRU_HASH, 4, 8, 1000, 0, 100, 0},
	{"lru_hash, own lists", BPF_MAP_TYPE_LRU_HASH, 4, 16, 1000, BPF_F_NO_COMMON_LRU, 50, 0},
	{"lru_percpu_hash", BPF_MAP_TYPE_LRU_PERCPU_HASH, 8, 9, 1000, 0, 100, 0},
	{"lpm_trie", BPF_MAP_TYPE_LPM_TRIE, 8, 8, 60, BPF_F_NO_PREALLOC, 24,
	 ORDERED | PREFIXES},
	{"lpm_trie, 1 byte", BPF_MAP_TYPE_LPM_TRIE, 5, 3, 200, BPF_F_NO_PREALLOC, 8,
	 ORDERED | PREFIXES},
	{"lpm_trie, 16 bytes", BPF_MAP_TYPE_LPM_TRIE, 20, 4, 300, BPF_F_NO_PREALLOC, 128,
	 ORDERED | PREFIXES},
	{"queue", BPF_MAP_TYPE_QUEUE, 0, 12, 10, 0, 1, 0},
	{"queue of 1", BPF_MAP_TYPE_QUEUE, 0, 4, 1, 0, 1, 0},
	{"stack", BPF_MAP_TYPE_STACK, 0, 12, 10, 0, 1, 0},
	{"bloom_filter", BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 100, 0, 1, UNCERTAIN},
	{"ringbuf", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0, 1, 0},
	{"prog_array", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 10, 0, 15, ORDERED | DESCRIPTORS},
	{"perf_event_array", BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 10, 0, 15,
	 ORDERED | DESCRIPTORS},
	{"devmap", BPF_MAP_TYPE_DEVMAP, 4, 4, 10, 0, 15, ORDERED},
	{"devmap, programs", BPF_MAP_TYPE_DEVMAP, 4, 8, 10, 0, 15, ORDERED},
	{"devmap_hash", BPF_MAP_TYPE_DEVMAP_HASH, 4, 4, 10, 0, 15, 0},
	{"cpumap", BPF_MAP_TYPE_CPUMAP, 4, 4, 10, 0, 15, ORDERED},
};

struct pair {
	const struct row *row;
	struct map *map;
	int fd;
	u64 random;
	u32 step;
	u32 value_size; /* as user space sees it */
};

static u32 draw(struct pair *pair, u32 below)
{
	pair->random ^= pair->random << 13;
	pair->random ^= pair->random >> 7;
	pair->random ^= pair->random << 17;
	return (u32)(pair->random >> 32) % below;
}

static void draw_key(struct pair *pair, u8 key[KEY_MAX])
{
	const struct row *row = pair->row;
	u32 number;

	memset(key, 0, KEY_MAX);
	if (row->traits & PREFIXES) {
		number = draw(pair, row->keys + 1 + row->keys / 20);
		memcpy(key, &number, sizeof(number));
		/* Few different bits, so that prefixes share beginnings. */
		for (u32 i = 4; i < row->key_size; i++)
			key[i] = draw(pair, 4) ? 0 : draw(pair, 256);
		return;
	}
	number = draw(pair, row->keys);
	memcpy(key, &number, min(row->key_size, 4U));
	if (row->key_size > 4)
		key[row->key_size - 1] = (u8)(number * 7);
}

/* Values of device maps must name what exists: interface 1 is the loopback of every machine. */
static void draw_value(struct pair *pair, u8 value[VALUE_MAX])
{
	u32 target = 1;

	memset(value, 0, VALUE_MAX);
	if (pair->row->traits & DESCRIPTORS) {
		memset(value, 0xff, sizeof(u32));
		return;
	}
	switch (pair->row->type) {
	case BPF_MAP_TYPE_CPUMAP: target = draw(pair, 4) ? 192 : draw(pair, 2) * 20000; break;
	case BPF_MAP_TYPE_DEVMAP: target = draw(pair, 3) != 0; break;
	case BPF_MAP_TYPE_DEVMAP_HASH: target = draw(pair, 8) != 0; break;
	default:
		for (u32 i = 0; i < pair->value_size; i++)
			value[i] = draw(pair, 256);
		return;
	}
	memcpy(value, &target, sizeof(target));
}

static u64 draw_flags(struct pair *pair)
{
	static const u64 flags[] = {
		BPF_ANY,   BPF_ANY,	BPF_ANY,     BPF_ANY,	 BPF_EXIST,
		BPF_EXIST, BPF_NOEXIST, BPF_NOEXIST, BPF_F_LOCK, BPF_F_LOCK | BPF_EXIST,
		3,	   8,		1ULL << 40};

	return flags[draw(pair, ARRAY_SIZE(flags))];
}

static void compare(struct pair *pair, const char *what, int ours, int theirs)
{
	if (ours != theirs)
		fail_msg("%s, step %u: %s: skep %d, Linux %d", pair->row->name, pair->step,
			 what, ours, theirs);
}

static void compare_bytes(struct pair *pair, const char *what, const u8 *ours, const u8 *theirs,
			  u32 size)
{
	if (memcmp(ours, theirs, size))
		fail_msg("%s, step %u: %s: bytes differ", pair->row->name, pair->step, what);
}

static int our_update(struct pair *pair, const void *key, const void *value, u64 flags)
{
	int err;

	if (!map_holds_objects(pair->map))
		return map_user_update(pair->map, key, value, flags);
	err = map_user_update_object(pair->map, key, NULL, flags);
	return err ? err : -EBADF;
}

static void step_update(struct pair *pair)
{
	u8 key[KEY_MAX], value[VALUE_MAX];
	u64 flags = draw_flags(pair);

	draw_key(pair, key);
	draw_value(pair, value);
	compare(pair, "update", our_update(pair, key, value, flags),
		live_element(BPF_MAP_UPDATE_ELEM, pair->fd, pair->row->key_size ? key : NULL,
			     value, flags));
}

static void step_lookup(struct pair *pair)
{
	u8 key[KEY_MAX], ours[VALUE_MAX], theirs[VALUE_MAX];
	u64 flags = draw(pair, 10) ? 0 : draw_flags(pair);
	int our_result, their_result;

	draw_key(pair, key);
	draw_value(pair, ours);
	memcpy(theirs, ours, sizeof(ours));
	our_result = map_user_lookup(pair->map, key, ours, flags);
	their_result = live_element(BPF_MAP_LOOKUP_ELEM, pair->fd,
				    pair->row->key_size ? key : NULL, theirs, flags);
	if (pair->row->traits & UNCERTAIN)
		return;
	compare(pair, "look-up", our_result, their_result);
	if (!our_result)
		compare_bytes(pair, "look-up", ours, theirs, pair->value_size);
}

static void step_delete(struct pair *pair)
{
	u8 key[KEY_MAX];

	draw_key(pair, key);
	compare(pair, "delete", map_user_delete(pair->map, key),
		live_element(BPF_MAP_DELETE_ELEM, pair->fd, pair->row->key_size ? key : NULL,
			     NULL, 0));
}

static void step_take(struct pair *pair)
{
	u8 key[KEY_MAX], ours[VALUE_MAX] = {0}, theirs[VALUE_MAX] = {0};
	u64 flags = draw(pair, 10) ? 0 : draw_flags(pair);
	int result;

	draw_key(pair, key);
	result = map_user_lookup_and_delete(pair->map, key, ours, flags);
	compare(pair, "look-up and delete", result,
		live_element(BPF_MAP_LOOKUP_AND_DELETE_ELEM, pair->fd,
			     pair->row->key_size ? key : NULL, theirs, flags));
	if (!result)
		compare_bytes(pair, "look-up and delete", ours, theirs, pair->value_size);
}

static void step_next_key(struct pair *pair)
{
	u8 key[KEY_MAX], ours[KEY_MAX] = {0}, theirs[KEY_MAX] = {0};
	bool first = !pair->row->key_size || !draw(pair, 10);
	int our_result, their_result;

	draw_key(pair, key);
	our_result = map_user_next_key(pair->map, first ? NULL : key, ours);
	their_result =
		live_element(BPF_MAP_GET_NEXT_KEY, pair->fd, first ? NULL : key, theirs, 0);
	if (!first && !(pair->row->traits & ORDERED))
		return;
	compare(pair, "next key", our_result, their_result);
	if (!our_result && (pair->row->traits & ORDERED))
		compare_bytes(pair, "next key", ours, theirs, pair->row->key_size);
}

/* Every key of skep's map is in the kernel's, with the same value; and they are as many. */
static void compare_content(struct pair *pair)
{
	u8 keys[2][KEY_MAX], ours[VALUE_MAX], theirs[VALUE_MAX];
	u32 our_count = 0, their_count = 0;

	while (!map_user_next_key(pair->map, our_count ? keys[our_count % 2] : NULL,
				  keys[(our_count + 1) % 2])) {
		const u8 *key = keys[++our_count % 2];
		int result = map_user_lookup(pair->map, key, ours, 0);

		compare(pair, "content", result,
			live_element(BPF_MAP_LOOKUP_ELEM, pair->fd, key, theirs, 0));
		if (!result)
			compare_bytes(pair, "content", ours, theirs, pair->value_size);
	}
	while (!live_element(BPF_MAP_GET_NEXT_KEY, pair->fd, their_count ? keys[0] : NULL,
			     keys[0], 0))
		their_count++;
	compare(pair, "number of elements", our_count, their_count);
}

static void run_row(const struct row *row)
{
	static void (*const steps[])(struct pair *) = {step_update, step_update,  step_update,
						       step_lookup, step_lookup,  step_delete,
						       step_take,   step_next_key};
	struct map_desc desc = {.type = row->type,
				.key_size = row->key_size,
				.value_size = row->value_size,
				.max_entries = row->max_entries,
				.flags = row->flags};
	struct pair pair = {
		.row = row, .random = 0x9e3779b97f4a7c15ULL, .fd = live_create(&desc, 0)};

	if (pair.fd < 0)
		fail_msg("%s: the kernel says %d", row->name, pair.fd);
	assert_int_equal(map_new(&desc, NULL, os_possible_cpus(), &pair.map, NULL), 0);
	pair.value_size = map_user_value_size(pair.map);
	for (pair.step = 0; pair.step < STEPS; pair.step++)
		steps[draw(&pair, ARRAY_SIZE(steps))](&pair);
	if (row->key_size)
		compare_content(&pair);
	object_put(&pair.map->object);
	close(pair.fd);
}

static bool have_bpf(void)
{
	struct map_desc desc = {
		.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 4, .max_entries = 1};
	int fd = live_create(&desc, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void test_differential(void **state)
{
	if (!have_bpf())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		run_row(&rows[i]);
}

/* One creation on both sides. */
static void compare_creation(const char *name, const struct map_desc *desc)
{
	struct map *map = NULL;
	int ours = map_new(desc, NULL, os_possible_cpus(), &map, NULL);
	int theirs = live_create(desc, 0);

	if (map)
		object_put(&map->object);
	if (theirs >= 0) {
		close(theirs);
		theirs = 0;
	}
	if (ours != theirs)
		fail_msg("%s: key %u, value %u, max_entries %u, flags %#x: skep %d, Linux %d",
			 name, desc->key_size, desc->value_size, desc->max_entries, desc->flags,
			 ours, theirs);
}

/* Sizes at the edges, one at a time. */
static void compare_sizes(const struct row *row, u32 flags)
{
	static const u32 sizes[] = {0, 1, 3, 4, 5, 8, 9, 32768, 32769, 4194304};
	static const u32 entries[] = {0, 1, 4096, 5000, 8192};
	const struct map_desc desc = {.type = row->type,
				      .key_size = row->key_size,
				      .value_size = row->value_size,
				      .max_entries = 1,
				      .flags = flags};

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct map_desc key = desc, value = desc;

		key.key_size = sizes[i];
		value.value_size = sizes[i];
		compare_creation(row->name, &key);
		compare_creation(row->name, &value);
	}
	for (u32 i = 0; i < ARRAY_SIZE(entries); i++) {
		struct map_desc many = desc;

		/* Bounded by the number of CPUs that the kernel was built for. */
		if (row->type == BPF_MAP_TYPE_CPUMAP && entries[i] > 1)
			break;
		many.max_entries = entries[i];
		compare_creation(row->name, &many);
	}
}

/* Every type with every flag and with sizes at the edges. BPF_F_TOKEN_FD is not the map's. */
static void test_creation(void **state)
{
	if (!have_bpf())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		compare_sizes(&rows[i], rows[i].flags);
		for (u32 bit = 0; bit < 20; bit++)
			if (bit != 16)
				compare_sizes(&rows[i], rows[i].flags ^ 1U << bit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_differential),
		cmocka_unit_test(test_creation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
