/* SPDX-License-Identifier: BSD-2-Clause */
/* The directory of a region, for the files shared*.c alone. */
#ifndef SKEP_MAP_SHARED_DIRECTORY_H
#define SKEP_MAP_SHARED_DIRECTORY_H

#include "map/ops.h"
#include "map/shared.h"

#include <stdatomic.h>

#define MAPS	   256
#define PINS	   256
#define PIN_PATH   252
#define USER_WORDS ((COMMONS_MEMBERS + 64) / 64)

/* A map that is being made is garbage when its maker died. */
enum { ENTRY_FREE, ENTRY_USED, ENTRY_MAKING };

struct shared_entry {
	atomic_uint state;
	u32 type, key_size, value_size, max_entries, flags;
	u64 extra, seed;
	u64 offset, size;      /* of its extent, whole pages */
	u64 users[USER_WORDS]; /* members that have it open */
	u32 frozen, unused;
	char name[BPF_OBJ_NAME_LEN];
};

struct shared_pin {
	atomic_uint map; /* number of the entry + 1; 0: no pin */
	char path[PIN_PATH];
};

/* What the region has behind its header: the directory, the slots, then the maps' memory. */
struct directory {
	struct shared_entry maps[MAPS];
	struct shared_pin pins[PINS];
};

struct shared {
	atomic_uint uses; /* by the engine and by maps */
	struct commons *commons;
	struct directory *directory;
	u64 slots, memory; /* offsets */
	/* Under commons_lock(): the map of each entry as this process has it, and how many
	 * structures of it are not gone yet. */
	struct map *map[MAPS];
	u32 opened[MAPS];
};

static inline u32 shared_number(const struct shared *shared, const struct shared_entry *entry)
{
	return (u32)(entry - shared->directory->maps);
}

/* --- under commons_lock() --- */

bool shared_is_pinned(const struct shared *shared, const struct shared_entry *entry);
/* The entry that begins first at or behind the offset; NULL: none. */
const struct shared_entry *shared_first_behind(const struct shared *shared, u64 offset);
/* *out has an extent, and is not in the directory of this process. */
int shared_open_entry(struct shared *shared, struct shared_entry *entry,
		      const struct map_world *world, struct map **out, struct skep_error *err);
/* The map is this process's from now on: it has a reference to the region. */
void shared_opened(struct map *map);
/* Nobody has it and no path leads to it: it goes. */
void shared_free_unused(struct shared *shared, struct shared_entry *entry);
/* Nobody else is a member: judges what is there, and puts it in order. */
int shared_recover(struct shared *shared, struct skep_error *err);

#endif
