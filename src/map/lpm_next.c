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

/* The first prefix of the node behind `order`, or of what is below: its value. A node may have
 * lost its last entry meanwhile: what comes behind it is still there. */
static void *first_behind(const struct lpm_node *node, u32 order)
{
	struct lpm_entry entry;

	while (next_entry(node, order, &entry)) {
		void *value = entry.target;

		if (entry.is_branch)
			value = lpm_is_leaf(value) ? lpm_leaf_value(value)
						   : first_behind(value, 0);
		if (value)
			return value;
		order = lpm_order(&entry);
	}
	return NULL;
}

static void *first_of(void *branch)
{
	if (!branch)
		return NULL;
	return lpm_is_leaf(branch) ? lpm_leaf_value(branch) : first_behind(branch, 0);
}

/* The first prefix behind the key's, which is where the way ends. */
static void *next_on_way(const struct lpm_way *way, const void *key)
{
	struct lpm_entry entry = lpm_entry_of(key, NULL);
	void *value = NULL;

	for (u32 i = way->count; i-- && !value;) {
		const struct lpm_node *node = way->step[i];

		if (way->below || i + 1 < way->count)
			entry = (struct lpm_entry){NULL, lpm_data(key)[node->depth], 8, true};
		value = first_behind(node, lpm_order(&entry));
	}
	return value;
}

int lpm_next_key(struct map *map, const void *key, void *next)
{
	struct lpm *lpm = lpm_of(map);
	void *all = lpm_target(&lpm->all), *value;
	u32 length = key ? lpm_length(key) : 0;
	struct lpm_way way = {};

	if (key && !length && all)
		return -ENOENT;
	if (length && length <= lpm->bits)
		lpm_find_way(lpm, key, &way);
	value = way.value ? next_on_way(&way, key) : first_of(lpm_target(&lpm->root));
	if (!value && !all)
		return -ENOENT;
	length = value ? lpm_value_length(lpm, value, lpm->data_size) : 0;
	memcpy(next, &length, LPM_KEY_LENGTH);
	memcpy((u8 *)next + LPM_KEY_LENGTH, lpm_behind(lpm, value ? value : all),
	       lpm->data_size);
	return 0;
}
