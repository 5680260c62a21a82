/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/region.h"

#include "base/os.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Below this a mapping of its own costs more than it gives: thousands of small inner maps must
 * not use up the process's mappings. */
#define HEAP_LIMIT (64 << 10)
/* No x86-64 process has more addresses than this. */
#define ADDRESSES (1ULL << 46)

#define HUGE_PAGE (2UL << 20)
/* Below this the processor's tables of small pages reach far enough. */
#define HUGE_PAGES_FROM (HUGE_PAGE / 4)

/* NULL: no memory. */
static u8 *map_aligned(size_t size, size_t alignment)
{
	size_t spare = alignment - os_page_size(), before;
	u8 *base = mmap(NULL, size + spare, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return NULL;
	before = round_up((uintptr_t)base, alignment) - (uintptr_t)base;
	if (before)
		munmap(base, before);
	if (before < spare)
		munmap(base + before + size, spare - before);
	return base + before;
}

int region_new(struct region *out, u64 size)
{
	struct region region = REGION_NONE;

	if (size > ADDRESSES)
		return -ENOMEM;
	region.size = round_up(size, CACHE_LINE);
	region.heap = region.size < HEAP_LIMIT;
	if (!region.size) {
		*out = REGION_NONE;
		return 0;
	}
	if (region.heap) {
		region.base = aligned_alloc(CACHE_LINE, region.size);
		if (!region.base)
			return -ENOMEM;
		memset(region.base, 0, region.size);
		*out = region;
		return 0;
	}
	if (region.size >= HUGE_PAGES_FROM)
		region.size = round_up(region.size, HUGE_PAGE);
	region.base =
		map_aligned(region.size, region.size >= HUGE_PAGE ? HUGE_PAGE : os_page_size());
	if (!region.base)
		return -ENOMEM;
	*out = region;
	return 0;
}

int region_new_shared(struct region *out, const char *name, u64 size)
{
	struct region region = REGION_NONE;

	if (size > ADDRESSES)
		return -ENOMEM;
	region.size = round_up(size, os_page_size());
	region.fd = os_memfd(name, region.size);
	if (region.fd < 0)
		return region.fd;
	region.base = mmap(NULL, region.size, PROT_READ | PROT_WRITE, MAP_SHARED, region.fd, 0);
	if (region.base == MAP_FAILED) {
		close(region.fd);
		return -ENOMEM;
	}
	*out = region;
	return 0;
}

void region_free(struct region *region)
{
	if (region->heap)
		free(region->base);
	else if (region->base)
		munmap(region->base, region->size);
	if (region->fd >= 0)
		close(region->fd);
	*region = REGION_NONE;
}

/* A wish: what the system makes of it does not matter. */
void region_prefer_huge(void *memory, size_t size)
{
	if (size >= HUGE_PAGES_FROM)
		madvise(memory, round_up(size, HUGE_PAGE), MADV_HUGEPAGE);
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
