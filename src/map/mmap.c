/* SPDX-License-Identifier: BSD-2-Clause */
/* What user space maps of a map, and freezing, which must not meet a writable mapping. */
#include "map/ops.h"
#include "map/shared.h"
#include "map/value.h"

#include <sys/mman.h>

static int check_mmap(const struct map *map, int prot, int flags)
{
	if (!map->ops->mmap || value_has_fields(&map->desc))
		return -ENOTSUPP;
	if (!(flags & MAP_SHARED))
		return -EINVAL;
	if (!(prot & PROT_WRITE))
		return 0;
	if (map->desc.frozen)
		return -EPERM;
	return map->desc.flags & BPF_F_RDONLY_PROG ? -EACCES : 0;
}

int map_mmap(struct map *map, void *address, size_t length, int prot, int flags, u64 offset,
	     void **out)
{
	int err = check_mmap(map, prot, flags);

	return err ? err : map->ops->mmap(map, address, length, prot, flags, offset, out);
}

int map_freeze(struct map *map)
{
	if (value_has_fields(&map->desc))
		return -ENOTSUPP;
	if (map->desc.frozen)
		return -EPERM;
	if (map->ops->has_writers && map->ops->has_writers(map))
		return -EBUSY;
	map->desc.frozen = true;
	map_share_frozen(map);
	return 0;
}
