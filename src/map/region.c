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
#define ADDRESSES   (1ULL << 46)

#define UNMAP_PIECE (16UL << 20)
#define HUGE_PAGE   (2UL << 20)
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

static u8 *from_heap(size_t size)
{
	u8 *base = aligned_alloc(CACHE_LINE, size);

	return base ? memset(base, 0, size) : NULL;
}

/* Small ones come from the heap, large ones are whole pages or whole huge pages. */
static u64 real_size(u64 size)
{
	return size >= HUGE_PAGES_FROM ? round_up(size, HUGE_PAGE) : round_up(size, CACHE_LINE);
}

static int charge(struct region *region, struct account *account, u64 bytes)
{
	int err = account ? account_charge(account, bytes) : 0;

	if (err)
		return err;
	region->account = account;
	region->charged = bytes;
	return 0;
}

static void uncharge(struct region *region)
{
	if (region->account)
		account_uncharge(region->account, region->charged);
}

/* `unused` bytes at the end of it are not charged. */
static int new_private(struct account *account, struct region *out, u64 size, u64 unused)
{
	struct region region = REGION_NONE;
	int err;

	if (size > ADDRESSES)
		return -ENOMEM;
	region.size = real_size(size);
	region.heap = region.size < HEAP_LIMIT;
	if (!region.size) {
		*out = REGION_NONE;
		return 0;
	}
	err = charge(&region, account, region.size - unused);
	if (err)
		return err;
	region.base = region.heap ? from_heap(region.size)
				  : map_aligned(region.size, region.size >= HUGE_PAGE
								     ? HUGE_PAGE
								     : os_page_size());
	if (!region.base) {
		uncharge(&region);
		return -ENOMEM;
	}
	*out = region;
	return 0;
}

int region_new(struct account *account, struct region *out, u64 size)
{
	return new_private(account, out, size, 0);
}

int region_reserve(struct account *account, struct region *out, u64 size, u64 used)
{
	return new_private(account, out, size, real_size(size) - real_size(used));
}

int region_use(struct region *region, u64 bytes)
{
	int err = region->account ? account_charge(region->account, bytes) : 0;

	if (!err)
		__atomic_fetch_add(&region->charged, bytes, __ATOMIC_RELAXED);
	return err;
}

int region_new_shared(struct account *account, struct region *out, const char *name, u64 size)
{
	struct region region = REGION_NONE;
	int err;

	if (size > ADDRESSES)
		return -ENOMEM;
	region.size = round_up(size, os_page_size());
	err = charge(&region, account, region.size);
	if (err)
		return err;
	region.fd = os_memfd(name, region.size);
	if (region.fd >= 0)
		region.base = mmap(NULL, region.size, PROT_READ | PROT_WRITE, MAP_SHARED,
				   region.fd, 0);
	if (region.fd >= 0 && region.base != MAP_FAILED) {
		*out = region;
		return 0;
	}
	err = region.fd < 0 ? region.fd : -ENOMEM;
	if (region.fd >= 0)
		close(region.fd);
	uncharge(&region);
	return err;
}

/* In pieces, so that nobody who maps memory meanwhile waits for the whole. */
static void unmap(u8 *base, size_t size)
{
	for (size_t piece; size; base += piece, size -= piece) {
		piece = min(size, (size_t)UNMAP_PIECE);
		munmap(base, piece);
	}
}

void region_free(struct region *region)
{
	if (region->heap)
		free(region->base);
	else if (region->base && !region->is_common)
		unmap(region->base, region->size);
	if (region->fd >= 0)
		close(region->fd);
	uncharge(region);
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
	int fd = region->is_common ? region->common_fd : region->fd;
	void *mapped = mmap(address, length, prot, flags, fd, (off_t)(region->offset + offset));

	if (mapped == MAP_FAILED)
		return -errno;
	*out = mapped;
	return 0;
}

/* A line of /proc/self/maps: a shared writable mapping of the file, not at `own`? */
static bool is_foreign_writer(const char *line, const struct stat *file,
			      const struct region *region)
{
	unsigned long start, end, offset, inode;
	unsigned int major_number, minor_number;
	char access[5];

	if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu", &start, &end, access, &offset,
		   &major_number, &minor_number, &inode) != 7)
		return false;
	return inode == file->st_ino && makedev(major_number, minor_number) == file->st_dev &&
	       access[1] == 'w' && offset < region->offset + region->size &&
	       offset + (end - start) > region->offset &&
	       start - offset != (uintptr_t)region->base - region->offset;
}

/* Mappings come and go without the library being asked, so the process's own list is read:
 * freezing is rare. */
bool region_has_writers(const struct region *region)
{
	struct stat file;
	char line[512];
	bool found = false;
	FILE *maps;

	if (fstat(region->is_common ? region->common_fd : region->fd, &file) < 0)
		return false;
	maps = fopen("/proc/self/maps", "re");
	if (!maps)
		return false;
	while (!found && fgets(line, sizeof(line), maps))
		found = is_foreign_writer(line, &file, region);
	fclose(maps);
	return found;
}
