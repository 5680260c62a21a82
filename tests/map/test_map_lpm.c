/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tries of all shapes beside the live kernel's: nodes that grow until they are wide and shrink
 * again, paths that are split and joined, prefixes of up to 2048 bits.
 */
#include "tests/unit.h"

#include "map/map.h"
#include "tests/map/live.h"

#include <stdio.h>

#define DATA_MAX 256
#define STEPS	 12000
#define LARGE	 40000

struct key {
	u32 length;
	u8 data[DATA_MAX];
};

static const struct row {
	const char *name;
	u32 data_size;
	u32 shared; /* bytes at the start that are the same in most keys */
	u32 values; /* different values of the bytes behind */
	u32 least, most;
	u32 first; /* prefixes that come first: so many make a trie large */
} rows[] = {
	{"one byte, all prefixes", 1, 0, 256, 0, 8},
	{"one wide node", 4, 2, 256, 17, 24},
	{"a node of short prefixes", 4, 0, 256, 0, 9},
	{"IPv4", 4, 0, 256, 8, 32},
	{"IPv4, crowded", 4, 0, 6, 0, 32},
	{"IPv4, large", 4, 0, 256, 8, 32, LARGE},
	{"IPv4, large and crowded", 4, 0, 60, 20, 32, LARGE},
	{"IPv6", 16, 2, 16, 16, 64},
	{"IPv6, large", 16, 0, 16, 12, 64, LARGE},
	{"IPv6, long paths", 16, 13, 64, 100, 128},
	{"odd size", 7, 3, 3, 0, 56},
	{"2048 bits", 256, 250, 4, 1900, 2048},
	{"2048 bits, far apart", 256, 0, 2, 0, 2048},
};

struct pair {
	const struct row *row;
	struct map *map;
	int fd;
	u64 random;
};

static u32 draw(struct pair *pair, u32 below)
{
	pair->random ^= pair->random << 13;
	pair->random ^= pair->random >> 7;
	pair->random ^= pair->random << 17;
	return (u32)(pair->random >> 32) % below;
}

static struct key draw_key(struct pair *pair)
{
	const struct row *row = pair->row;
	struct key key = {.length = row->least + draw(pair, row->most - row->least + 1)};
	u32 shared = draw(pair, 16) ? row->shared : draw(pair, row->shared + 1);

	for (u32 i = 0; i < row->data_size; i++)
		key.data[i] = i < shared ? (u8)(i + 7) : (u8)(draw(pair, row->values) * 77);
	return key;
}

static void expect(const struct pair *pair, const char *what, s64 ours, s64 theirs)
{
	if (ours != theirs)
		fail_msg("%s: %s: skep %lld, Linux %lld", pair->row->name, what, ours, theirs);
}

static void check_lookup(struct pair *pair, const struct key *key)
{
	u32 ours = 0, theirs = 0;

	expect(pair, "look-up", map_user_lookup(pair->map, key, &ours, 0),
	       live_element(BPF_MAP_LOOKUP_ELEM, pair->fd, key, &theirs, 0));
	expect(pair, "value", ours, theirs);
}

static void change(struct pair *pair, u32 step, u32 deletes_of_8)
{
	struct key key = draw_key(pair);

	if (draw(pair, 8) < deletes_of_8)
		expect(pair, "delete", map_user_delete(pair->map, &key),
		       live_element(BPF_MAP_DELETE_ELEM, pair->fd, &key, NULL, 0));
	else
		expect(pair, "update", map_user_update(pair->map, &key, &step, step % 7 == 0),
		       live_element(BPF_MAP_UPDATE_ELEM, pair->fd, &key, &step, step % 7 == 0));
	check_lookup(pair, &key);
	key = draw_key(pair);
	if (step % 2)
		key.length = pair->row->data_size * 8;
	check_lookup(pair, &key);
}

static void fill(struct pair *pair)
{
	for (u32 i = 0; i < pair->row->first; i++) {
		struct key key = draw_key(pair);

		expect(pair, "update", map_user_update(pair->map, &key, &i, 0),
		       live_element(BPF_MAP_UPDATE_ELEM, pair->fd, &key, &i, 0));
	}
}

/* All keys, in the same order; how many. */
static u32 check_walk(struct pair *pair)
{
	struct key ours = {}, theirs = {}, before;
	u32 size = sizeof(ours.length) + pair->row->data_size, count = 0;
	int end = 0;

	for (;; count++) {
		before = ours;
		end = map_user_next_key(pair->map, count ? &before : NULL, &ours);
		expect(pair, "next key", end,
		       live_element(BPF_MAP_GET_NEXT_KEY, pair->fd, count ? &before : NULL,
				    &theirs, 0));
		if (end)
			return count;
		expect(pair, "key", memcmp(&ours, &theirs, size), 0);
		check_lookup(pair, &ours);
	}
}

/* Deletes what comes first until nothing is left. */
static void empty(struct pair *pair)
{
	struct key key = {};

	for (u32 i = 0; !map_user_next_key(pair->map, NULL, &key); i++) {
		expect(pair, "delete", map_user_delete(pair->map, &key),
		       live_element(BPF_MAP_DELETE_ELEM, pair->fd, &key, NULL, 0));
		if (i % 64 == 0)
			check_lookup(pair, &key);
	}
	expect(pair, "keys that are left", check_walk(pair), 0);
}

static void run_row(const struct row *row)
{
	struct map_desc desc = {.type = BPF_MAP_TYPE_LPM_TRIE,
				.key_size = sizeof(u32) + row->data_size,
				.value_size = sizeof(u32),
				.max_entries = 100000,
				.flags = BPF_F_NO_PREALLOC};
	struct pair pair = {.row = row, .random = 0x9e3779b97f4a7c15ULL};

	pair.fd = live_create(&desc, -1);
	if (pair.fd == -EPERM)
		skip();
	if (pair.fd < 0)
		fail_msg("%s: the kernel says %d", row->name, pair.fd);
	assert_int_equal(map_new(&desc, NULL, 2, &pair.map, NULL), 0);
	fill(&pair);
	for (u32 step = 0; step < STEPS; step++)
		change(&pair, step, step < STEPS * 2 / 3 ? 1 : 6);
	assert_true(check_walk(&pair) > 1);
	empty(&pair);
	close(pair.fd);
	object_put(&pair.map->object);
}

static void test_beside_linux(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		run_row(&rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_beside_linux)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
