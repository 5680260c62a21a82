/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of a trie's keys: a prefix comes after all that extend it, 0 before 1. */
#include "map/lpm.h"

#include <errno.h>

/* The entry that comes first of those behind `order`. */
static bool next_entry(const struct lpm_node *node, u32 order, struct lpm_entry *out)
{
	u32 least = UINT32_MAX;
	struct lpm_entry entry;

	for (u32 i = 0, places = lpm_places(node); i < places; i++) {
		if (!lpm_entry_at(node, i, &entry))
			continue;
		if (lpm_order(&entry) > order && lpm_order(&entry) < least) {
			least = lpm_order(&entry);
			*out = entry;
		}
	}
	return least != UINT32_MAX;
}

/* The first prefix of the node behind `order`, or of what is below: its value and length. A
 * node may have lost its last entry meanwhile: what comes behind it is still there. */
static void *first_behind(const struct lpm_node *node, u32 order, u32 *length)
{
	struct lpm_entry entry;

	while (next_entry(node, order, &entry)) {
		void *value =
			entry.is_node ? first_behind(entry.target, 0, length) : entry.target;

		if (value && !entry.is_node)
			*length = node->depth * 8u + entry.length;
		if (value)
			return value;
		order = lpm_order(&entry);
	}
	return NULL;
}

/* The first prefix behind the key's, which is in the last node of the way. */
static void *next_on_way(const struct lpm_way *way, const void *key, u32 *length)
{
	struct lpm_entry entry = lpm_entry_of(key, NULL);
	void *value = NULL;

	for (u32 i = way->count; i-- && !value;) {
		value = first_behind(way->step[i].node, lpm_order(&entry), length);
		if (i)
			entry = (struct lpm_entry){
				NULL, lpm_data(key)[way->step[i - 1].node->depth], 8, true};
	}
	return value;
}

int lpm_next_key(struct map *map, const void *key, void *next)
{
	struct lpm *lpm = lpm_of(map);
	const struct lpm_node *root = lpm_target(&lpm->root);
	void *all = lpm_target(&lpm->all), *value;
	struct lpm_way way;
	u32 length = 0;

	if (key && !lpm_length(key) && all)
		return -ENOENT;
	if (key && lpm_length(key) && lpm_length(key) <= lpm->bits && lpm_find_way(lpm, key, &way))
		value = next_on_way(&way, key, &length);
	else
		value = root ? first_behind(root, 0, &length) : NULL;
	if (!value && !all)
		return -ENOENT;
	memcpy(next, &length, LPM_KEY_LENGTH);
	memcpy((u8 *)next + LPM_KEY_LENGTH, lpm_behind(lpm, value ? value : all), lpm->data_size);
	return 0;
}
