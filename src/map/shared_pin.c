/* SPDX-License-Identifier: BSD-2-Clause */
/* Pins of a region: the paths under which its maps are found. */
#include "map/shared_directory.h"

#include <errno.h>
#include <string.h>

static struct shared_pin *find_pin(struct shared *shared, const char *path)
{
	for (u32 i = 0; i < PINS; i++) {
		struct shared_pin *pin = &shared->directory->pins[i];

		if (atomic_load(&pin->map) && !strcmp(pin->path, path))
			return pin;
	}
	return NULL;
}

/* NULL: this process has it not, or is about to lose it. */
static struct map *already_open(struct shared *shared, u32 number)
{
	struct map *map = shared->map[number];

	return map && object_get_unless_zero(&map->object) ? map : NULL;
}

struct map *shared_get(struct shared *shared, const char *path, const struct map_world *world,
		       int *code, struct skep_error *err)
{
	struct shared_pin *pin;
	struct map *map = NULL;
	u32 number;

	commons_lock(shared->commons);
	pin = find_pin(shared, path);
	*code = pin ? 0 : -ENOENT;
	if (pin) {
		number = atomic_load(&pin->map) - 1;
		map = already_open(shared, number);
		if (!map) {
			*code = shared_open_entry(shared, &shared->directory->maps[number],
						  world, &map, err);
			if (!*code)
				shared_opened(map);
		}
	}
	commons_unlock(shared->commons);
	return *code ? NULL : map;
}

static int pin_locked(struct shared *shared, struct map *map, const char *path)
{
	if (find_pin(shared, path))
		return -EEXIST;
	for (u32 i = 0; i < PINS; i++) {
		struct shared_pin *pin = &shared->directory->pins[i];

		if (atomic_load(&pin->map))
			continue;
		memset(pin->path, 0, sizeof(pin->path));
		memcpy(pin->path, path, strlen(path));
		atomic_store(&pin->map, shared_number(shared, map->extent->entry) + 1);
		return 0;
	}
	return -ENOSPC;
}

int shared_pin(struct shared *shared, struct map *map, const char *path)
{
	int code;

	if (strlen(path) >= PIN_PATH)
		return -ENAMETOOLONG;
	commons_lock(shared->commons);
	code = pin_locked(shared, map, path);
	commons_unlock(shared->commons);
	return code;
}

int shared_unpin(struct shared *shared, const char *path)
{
	struct shared_pin *pin;
	u32 number;

	commons_lock(shared->commons);
	pin = find_pin(shared, path);
	if (pin) {
		number = atomic_exchange(&pin->map, 0) - 1;
		shared_free_unused(shared, &shared->directory->maps[number]);
	}
	commons_unlock(shared->commons);
	return pin ? 0 : -ENOENT;
}
