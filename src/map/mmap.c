/* SPDX-License-Identifier: BSD-2-Clause */
/* What user space maps of a map, and freezing, which must not meet a writable mapping. */
#include "map/ops.h"
#include "map/region.h"
#include "map/value.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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

int region_mmap(const struct region *region, void *address, size_t length, int prot, int flags,
		u64 offset, void **out)
{
	void *mapped = mmap(address, length, prot, flags, region->fd, (off_t)offset);

	if (mapped == MAP_FAILED)
		return -errno;
	*out = mapped;
	return 0;
}

/* A line of /proc/self/maps: a shared writable mapping of the file, not at `own`? */
static bool is_foreign_writer(const char *line, const struct stat *file, const void *own)
{
	unsigned long start, end, inode;
	unsigned int major_number, minor_number;
	char access[5];

	if (sscanf(line, "%lx-%lx %4s %*x %x:%x %lu", &start, &end, access, &major_number,
		   &minor_number, &inode) != 6)
		return false;
	return inode == file->st_ino && makedev(major_number, minor_number) == file->st_dev &&
	       access[1] == 'w' && start != (uintptr_t)own;
}

/* Mappings come and go without the library being asked, so the process's own list is read:
 * freezing is rare. */
bool region_has_writers(const struct region *region)
{
	struct stat file;
	char line[512];
	bool found = false;
	FILE *maps;

	if (region->fd < 0 || fstat(region->fd, &file) < 0)
		return false;
	maps = fopen("/proc/self/maps", "re");
	if (!maps)
		return false;
	while (!found && fgets(line, sizeof(line), maps))
		found = is_foreign_writer(line, &file, region->base);
	fclose(maps);
	return found;
}

int map_freeze(struct map *map)
{
	if (value_has_fields(&map->desc) || map->desc.fields.has_kptr)
		return -ENOTSUPP;
	if (map->desc.frozen)
		return -EPERM;
	if (map->ops->has_writers && map->ops->has_writers(map))
		return -EBUSY;
	map->desc.frozen = true;
	return 0;
}
