/* SPDX-License-Identifier: BSD-2-Clause */
/* A region that nobody else has: its content may be anything, and is made whole or refused. */
#include "map/shared_directory.h"

#include "base/os.h"

#include <stdlib.h>
#include <string.h>

static int damaged(const struct shared *shared, struct skep_error *err, const char *what,
		   u32 number)
{
	error_set(err, SKEP_STAGE_MAP, -EINVAL, "%.120s is damaged: %s %u",
		  commons_name(shared->commons), what, number);
	error_hint(err, "remove the file; its maps are lost");
	return -EINVAL;
}

static bool is_extent(const struct shared *shared, const struct shared_entry *entry)
{
	u64 end = commons_size(shared->commons), page = os_page_size();

	return entry->offset >= shared->memory && entry->offset < end && entry->size &&
	       entry->size <= end - entry->offset && entry->offset % page == 0 &&
	       entry->size % page == 0;
}

static bool overlaps(const struct shared *shared, const struct shared_entry *entry)
{
	const struct shared_entry *other = shared->directory->maps;

	for (; other < entry; other++)
		if (atomic_load(&other->state) == ENTRY_USED &&
		    other->offset < entry->offset + entry->size &&
		    entry->offset < other->offset + other->size)
			return true;
	return false;
}

/* The entry's map as it stands, judged and repaired by its type. */
static int recover_map(struct shared *shared, struct shared_entry *entry,
		       struct skep_error *err)
{
	const struct map_world world = {.slots = commons_slots(shared->commons)};
	struct map *map;
	int code = shared_open_entry(shared, entry, &world, &map, err);

	if (code)
		return code;
	code = map->ops->recover(map) ? damaged(shared, err, "the content of map",
						shared_number(shared, entry))
				      : 0;
	map->ops->done(map);
	free(map->extent);
	map->extent = NULL;
	map_drop(map);
	return code;
}

static int check_entry(struct shared *shared, struct shared_entry *entry,
		       struct skep_error *err)
{
	u32 number = shared_number(shared, entry), state = atomic_load(&entry->state);
	bool has_end = !entry->name[BPF_OBJ_NAME_LEN - 1];

	if (state == ENTRY_FREE)
		return 0;
	if (!is_extent(shared, entry) || !has_end || state > ENTRY_MAKING ||
	    (state == ENTRY_USED && overlaps(shared, entry)))
		return damaged(shared, err, "the directory's map", number);
	memset(entry->users, 0, sizeof(entry->users));
	if (state == ENTRY_MAKING || !shared_is_pinned(shared, entry)) {
		atomic_store(&entry->state, ENTRY_FREE);
		return 0;
	}
	if (commons_take(shared->commons, entry->offset, entry->size))
		return damaged(shared, err, "no room in the file system for map", number);
	return recover_map(shared, entry, err);
}

static int check_pins(struct shared *shared, struct skep_error *err)
{
	for (u32 i = 0; i < PINS; i++) {
		struct shared_pin *pin = &shared->directory->pins[i];
		u32 map = atomic_load(&pin->map);

		if (!map)
			continue;
		if (map > MAPS || pin->path[0] != '/' || pin->path[PIN_PATH - 1] ||
		    atomic_load(&shared->directory->maps[map - 1].state) != ENTRY_USED)
			return damaged(shared, err, "the directory's pin", i);
	}
	return 0;
}

static void clear_gaps(struct shared *shared)
{
	u64 at = shared->memory, end = commons_size(shared->commons);
	const struct shared_entry *next;

	do {
		next = shared_first_behind(shared, at);
		if ((next ? next->offset : end) > at)
			commons_clear(shared->commons, at, (next ? next->offset : end) - at);
		at = next ? next->offset + next->size : end;
	} while (next);
}

int shared_recover(struct shared *shared, struct skep_error *err)
{
	int code = check_pins(shared, err);

	for (u32 i = 0; i < MAPS && !code; i++)
		code = check_entry(shared, &shared->directory->maps[i], err);
	if (!code)
		clear_gaps(shared);
	return code;
}
