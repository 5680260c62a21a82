/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups in a trie. */
#include "map/lpm.h"

static inline __attribute__((always_inline)) void *leaf_or(const struct lpm *lpm, void *branch,
							   const u8 *data, u32 length,
							   u32 data_size, void *best)
{
	void *value = lpm_leaf_value(branch);
	bool found = lpm_covers(lpm_behind(lpm, value), lpm_value_length(lpm, value, data_size),
				data, length, data_size);

	return found ? value : best;
}

/* Where a look-up begins. */
static inline __attribute__((always_inline)) void *enter(struct lpm *lpm, const u8 *data,
							 u32 length, void **best)
{
	struct lpm_slot *slot = atomic_load_explicit(&lpm->front, memory_order_acquire);
	void *found;

	*best = lpm_target(&lpm->all);
	if (!slot || length < LPM_FRONT_BITS)
		return lpm_target(&lpm->root);
	slot += (u32)data[0] << 8 | data[1];
	found = lpm_target(&slot->best);
	*best = found ? found : *best;
	return lpm_target(&slot->branch);
}

static inline __attribute__((always_inline)) void *look_up(struct lpm *lpm, const void *key,
							   u32 data_size)
{
	u32 length = lpm_length(key), bytes = length / 8;
	const u8 *data = lpm_data(key);
	void *best, *branch, *shorter;

	if (length > data_size * 8)
		return NULL;
	for (branch = enter(lpm, data, length, &best);;) {
		const struct lpm_node *node = branch;

		if (!branch)
			return best;
		if (lpm_is_leaf(branch))
			return leaf_or(lpm, branch, data, length, data_size, best);
		if (unlikely(node->depth >= bytes))
			break;
		if (unlikely(!lpm_on_path(node, data)))
			return best;
		branch = lpm_step(node, data[node->depth], &best);
	}
	if (length % 8 == 0 || ((struct lpm_node *)branch)->depth > bytes ||
	    !lpm_on_path(branch, data))
		return best;
	shorter = lpm_node_shorter(branch, data[bytes], length % 8);
	return shorter ? shorter : best;
}

#define LOOKUP(name, data_size, target)                                      \
	static target void *name(struct map *map, const void *key, u32 slot) \
	{                                                                    \
		return look_up(lpm_of(map), key, data_size);                 \
	}
#define LOOKUPS(name, target)         \
	LOOKUP(name##_4, 4, target)   \
	LOOKUP(name##_16, 16, target) \
	LOOKUP(name##_any, lpm_of(map)->data_size, target)

LOOKUPS(lookup, )
#if defined(__x86_64__)
/* Processors of the last fifteen years count bits with one instruction. */
LOOKUPS(lookup_popcnt, __attribute__((target("popcnt"))))
#endif

void *lpm_lookup(struct map *map, const void *key, u32 slot)
{
	return lookup_any(map, key, slot);
}

map_lookup_op *lpm_lookup_op(const struct lpm *lpm)
{
#define ROW(name)                               \
	{                                       \
		name##_4, name##_16, name##_any \
	}
	static map_lookup_op *const ops[][3] = {
		ROW(lookup),
#if defined(__x86_64__)
		ROW(lookup_popcnt),
#endif
	};
#undef ROW
	u32 row = 0;

#if defined(__x86_64__)
	row = __builtin_cpu_supports("popcnt") != 0;
#endif
	switch (lpm->data_size) {
	case 4: return ops[row][0];
	case 16: return ops[row][1];
	default: return ops[row][2];
	}
}
