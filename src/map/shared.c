/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/shared_directory.h"

#include "base/os.h"
#include "base/slot.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void put(struct shared *shared)
{
	/* Both sides: what maps did with the region comes before it goes. */
	if (atomic_fetch_sub_explicit(&shared->uses, 1, memory_order_acq_rel) > 1)
		return;
	commons_leave(shared->commons);
	free(shared);
}

void shared_close(struct shared *shared)
{
	if (shared)
		put(shared);
}

struct commons *shared_commons(const struct shared *shared)
{
	return shared->commons;
}

void *shared_slots(const struct shared *shared)
{
	return commons_base(shared->commons) + shared->slots;
}

/* --- which maps --- */

int shared_check(const struct map_desc *desc, struct skep_error *err)
{
	const struct map_ops *ops = map_ops(desc->type);
	const char *why = NULL;

	if (desc->fields.count)
		why = "values with locks, timers or pointers belong to one process: a region's "
		      "maps cannot have them";
	else if (desc->flags & BPF_F_NO_COMMON_LRU)
		why = "lists of one slot each (BPF_F_NO_COMMON_LRU) belong to one process: a "
		      "region cannot have them";
	else if (!ops || !ops->recover)
		why = "maps of this type belong to one process: a region cannot have them";
	return why ? map_refuse(desc, err, -EOPNOTSUPP, why) : 0;
}

static void describe(const struct shared_entry *entry, struct map_desc *desc)
{
	*desc = (struct map_desc){.type = entry->type,
				  .key_size = entry->key_size,
				  .value_size = entry->value_size,
				  .max_entries = entry->max_entries,
				  .flags = entry->flags,
				  .extra = entry->extra,
				  .numa_node = UINT32_MAX};
	memcpy(desc->name, entry->name, sizeof(desc->name) - 1);
}

/* --- extents, under commons_lock() --- */

bool shared_is_pinned(const struct shared *shared, const struct shared_entry *entry)
{
	for (u32 i = 0; i < PINS; i++)
		if (atomic_load(&shared->directory->pins[i].map) ==
		    shared_number(shared, entry) + 1)
			return true;
	return false;
}

static void set_user(const struct shared *shared, struct shared_entry *entry, bool on)
{
	u32 number = commons_number(shared->commons);
	u64 bit = 1ULL << number % 64;

	if (on)
		entry->users[number / 64] |= bit;
	else
		entry->users[number / 64] &= ~bit;
}

static bool has_users(const struct shared *shared, struct shared_entry *entry)
{
	for (u32 word = 0; word < USER_WORDS; word++)
		for (u64 users = entry->users[word]; users; users &= users - 1) {
			u32 member = word * 64 + (u32)__builtin_ctzll(users);

			if (!commons_is_dead(shared->commons, member))
				return true;
		}
	return false;
}

/* The gaps between extents are zeros: first they are cleared, then they are gaps. */
static void free_entry(struct shared *shared, struct shared_entry *entry)
{
	commons_clear(shared->commons, entry->offset, entry->size);
	memset(entry->users, 0, sizeof(entry->users));
	atomic_store(&entry->state, ENTRY_FREE);
}

/* Nobody has it and no path leads to it: it goes. */
void shared_free_unused(struct shared *shared, struct shared_entry *entry)
{
	if (atomic_load(&entry->state) != ENTRY_FREE && !has_users(shared, entry) &&
	    !shared_is_pinned(shared, entry))
		free_entry(shared, entry);
}

/* The entry that begins first at or behind the offset; NULL: none. */
const struct shared_entry *shared_first_behind(const struct shared *shared, u64 offset)
{
	const struct shared_entry *first = NULL, *entry = shared->directory->maps;

	for (; entry < shared->directory->maps + MAPS; entry++)
		if (atomic_load(&entry->state) != ENTRY_FREE && entry->offset >= offset &&
		    (!first || entry->offset < first->offset))
			first = entry;
	return first;
}

/* The largest gap: how much a map takes is known when it has it. */
static void find_gap(const struct shared *shared, u64 *offset, u64 *size)
{
	u64 at = shared->memory, end = commons_size(shared->commons);
	const struct shared_entry *next;

	*size = 0;
	do {
		next = shared_first_behind(shared, at);
		if ((next ? next->offset : end) - at > *size) {
			*offset = at;
			*size = (next ? next->offset : end) - at;
		}
		at = next ? next->offset + next->size : end;
	} while (next);
}

static struct shared_entry *free_place(struct shared *shared)
{
	for (u32 i = 0; i < MAPS; i++) {
		struct shared_entry *entry = &shared->directory->maps[i];

		/* Nobody else is making one: the lock is ours. */
		if (atomic_load(&entry->state) == ENTRY_MAKING)
			free_entry(shared, entry);
		if (atomic_load(&entry->state) == ENTRY_FREE && !shared->opened[i])
			return entry;
	}
	return NULL;
}

static u64 random_seed(const struct map_desc *desc)
{
	u64 seed = 0;

	if (!(desc->flags & BPF_F_ZERO_SEED) && getrandom(&seed, sizeof(seed), 0) < 0)
		seed = os_time_ns(CLOCK_MONOTONIC);
	return seed;
}

static int attach_extent(struct shared *shared, struct shared_entry *entry, struct map *map,
			 bool is_new)
{
	struct extent *extent = malloc(sizeof(*extent));
	u8 *base = commons_base(shared->commons) + entry->offset;

	if (!extent)
		return -ENOMEM;
	*extent = (struct extent){shared, entry, base, base + entry->size, is_new};
	map->extent = extent;
	return 0;
}

static void fill_entry(struct shared_entry *entry, const struct map_desc *desc)
{
	entry->type = desc->type;
	entry->key_size = desc->key_size;
	entry->value_size = desc->value_size;
	entry->max_entries = desc->max_entries;
	entry->flags = desc->flags & ~(u32)(BPF_F_NUMA_NODE | MAP_FLAGS_USER);
	entry->extra = desc->extra;
	entry->seed = random_seed(desc);
	entry->frozen = 0;
	memcpy(entry->name, desc->name, sizeof(entry->name));
}

int shared_begin(struct shared *shared, struct map *map, struct skep_error *err)
{
	struct shared_entry *entry;
	int code = -ENOSPC;

	commons_lock(shared->commons);
	entry = free_place(shared);
	if (!entry) {
		map_refuse(&map->desc, err, code, "the region has 256 maps");
	} else {
		fill_entry(entry, &map->desc);
		find_gap(shared, &entry->offset, &entry->size);
		code = attach_extent(shared, entry, map, true);
	}
	if (code) {
		commons_unlock(shared->commons);
		return code;
	}
	atomic_store(&entry->state, ENTRY_MAKING);
	return 0;
}

/* The map is this process's from now on: it has a reference to the region. */
void shared_opened(struct map *map)
{
	struct shared *shared = map->extent->shared;
	u32 number = shared_number(shared, map->extent->entry);

	set_user(shared, map->extent->entry, true);
	shared->opened[number]++;
	shared->map[number] = map;
	atomic_fetch_add_explicit(&shared->uses, 1, memory_order_relaxed);
}

int shared_end(struct map *map, int code)
{
	struct extent *extent = map->extent;
	struct shared *shared = extent->shared;
	u8 *base = commons_base(shared->commons) + extent->entry->offset;

	if (!code) {
		extent->entry->size = round_up((u64)(extent->at - base), os_page_size());
		shared_opened(map);
		atomic_store(&extent->entry->state, ENTRY_USED);
	} else {
		free_entry(shared, extent->entry);
		free(extent);
		map->extent = NULL;
	}
	commons_unlock(shared->commons);
	return code;
}

void shared_forget(struct map *map)
{
	struct extent *extent = map->extent;
	struct shared *shared = extent->shared;
	u32 number = shared_number(shared, extent->entry);

	commons_lock(shared->commons);
	if (shared->map[number] == map)
		shared->map[number] = NULL;
	if (!--shared->opened[number]) {
		set_user(shared, extent->entry, false);
		shared_free_unused(shared, extent->entry);
	}
	commons_unlock(shared->commons);
	free(extent);
	put(shared);
}

/* --- opening a map that is there, under commons_lock() --- */

/* Whether the type took exactly what the entry has. */
static bool is_used_up(const struct shared *shared, const struct map *map)
{
	const struct shared_entry *entry = map->extent->entry;
	u64 end = (u64)(map->extent->at - commons_base(shared->commons));

	return round_up(end, os_page_size()) == entry->offset + entry->size;
}

/* *out has an extent; its maker gives it to shared_opened(), or drops it. */
int shared_open_entry(struct shared *shared, struct shared_entry *entry,
		      const struct map_world *world, struct map **out, struct skep_error *err)
{
	struct map_desc desc;
	struct map *map;
	int code;

	describe(entry, &desc);
	code = shared_check(&desc, err) ?: map_prepare(&desc, world, &map, err);
	if (code)
		return code;
	code = attach_extent(shared, entry, map, false) ?: map_take_memory(map, world);
	if (!code && !is_used_up(shared, map)) {
		map->ops->done(map);
		code = -EINVAL;
	}
	if (!code) {
		map->desc.frozen = entry->frozen;
		*out = map;
		return 0;
	}
	free(map->extent);
	map->extent = NULL;
	map_drop(map);
	return map_refuse(&desc, err, code, "its memory in the region is not of its sizes");
}

/* --- joining --- */

static int locate(struct shared *shared, struct skep_error *err)
{
	u64 start = commons_start(shared->commons), slots;

	slots = round_up(start + sizeof(struct directory), CACHE_LINE);
	shared->directory = (struct directory *)(commons_base(shared->commons) + start);
	shared->slots = slots;
	shared->memory =
		round_up(slots + slots_bytes(commons_slots(shared->commons)), os_page_size());
	if (shared->memory < commons_size(shared->commons))
		return 0;
	return error_set(err, SKEP_STAGE_MAP, -EINVAL, "%.160s: too small for %u slots",
			 commons_name(shared->commons), commons_slots(shared->commons));
}

static int put_in_order(void *cookie, bool is_new, struct skep_error *err)
{
	struct shared *shared = cookie;
	int code = locate(shared, err);

	if (!code && commons_take(shared->commons, 0, shared->memory))
		code = error_set(err, SKEP_STAGE_MAP, -ENOSPC,
				 "%.160s: no room in its file system",
				 commons_name(shared->commons));
	if (code || is_new)
		return code;
	memset(shared_slots(shared), 0, slots_bytes(commons_slots(shared->commons)));
	return shared_recover(shared, err);
}

int shared_open(const struct commons_params *given, struct shared **out, struct skep_error *err)
{
	struct commons_params params = *given;
	struct shared *shared = calloc(1, sizeof(*shared));
	int code;

	if (!shared)
		return error_set(err, SKEP_STAGE_MAP, -ENOMEM, "out of memory");
	shared->uses = 1;
	params.alone = put_in_order;
	params.cookie = shared;
	code = commons_join(&params, &shared->commons, err);
	if (!code)
		code = locate(shared, err);
	if (!code) {
		*out = shared;
		return 0;
	}
	commons_leave(shared->commons);
	free(shared);
	return code;
}
