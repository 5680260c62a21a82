/* SPDX-License-Identifier: BSD-2-Clause */
/* What the types ask of a map's extent: memory, and what the directory says of the map. */
#include "map/shared_directory.h"

#include "base/os.h"

#include <errno.h>

const struct commons *map_commons(const struct map *map)
{
	return map->extent ? map->extent->shared->commons : NULL;
}

bool map_is_new(const struct map *map)
{
	return !map->extent || map->extent->is_new;
}

u64 map_shared_seed(const struct map *map)
{
	return map->extent->entry->seed;
}

void map_share_frozen(struct map *map)
{
	if (map->extent)
		map->extent->entry->frozen = true;
}

static int take(struct map *map, struct region *out, u64 size, u64 alignment)
{
	struct extent *extent = map->extent;
	struct commons *commons = extent->shared->commons;
	u8 *at = u64_to_ptr(round_up(ptr_to_u64(extent->at), alignment));
	int err;

	if (!size) {
		*out = REGION_NONE;
		return 0;
	}
	size = round_up(size, alignment);
	if (at > extent->end || size > (u64)(extent->end - at))
		return extent->is_new ? -ENOSPC : -EINVAL;
	err = account_charge(map->account, size);
	if (err)
		return err;
	if (extent->is_new)
		err = commons_take(commons, (u64)(at - commons_base(commons)), size);
	if (err) {
		account_uncharge(map->account, size);
		return err;
	}
	extent->at = at + size;
	*out = (struct region){.base = at,
			       .size = size,
			       .account = map->account,
			       .charged = size,
			       .fd = -1,
			       .common_fd = commons_fd(commons),
			       .offset = (u64)(at - commons_base(commons)),
			       .is_common = true};
	return 0;
}

int map_memory(struct map *map, struct region *out, u64 size)
{
	return map->extent ? take(map, out, size, CACHE_LINE)
			   : region_new(map->account, out, size);
}

int map_memory_mappable(struct map *map, struct region *out, const char *name, u64 size)
{
	return map->extent ? take(map, out, size, os_page_size())
			   : region_new_shared(map->account, out, name, size);
}
