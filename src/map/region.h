/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory behind a map: zeroed, aligned to a cache line, and touched lazily, so that a map
 * of ten million entries costs nothing until it is filled. Shared regions are memfds that user
 * space can map too.
 */
#ifndef SKEP_MAP_REGION_H
#define SKEP_MAP_REGION_H

#include "map/account.h"

struct region {
	u8 *base;
	size_t size;
	struct account *account; /* of the map that it is charged to; NULL: none */
	u64 charged;
	int fd;		/* memfd of a shared region, owned; -1: private */
	bool is_common; /* it is in a region of several processes (shared.h), whose file is */
	int common_fd;	/* this; not owned */
	u64 offset;	/* in the file */
	bool heap;	/* from the heap instead of mmap */
};

#define REGION_NONE ((struct region){.fd = -1})

/* 0 or -ENOMEM. A size of 0 gives an empty region. All of it is charged to the account, here
 * and below, which may be NULL. */
int region_new(struct account *account, struct region *out, u64 size);
/* The same, and only `used` bytes are charged: of the others region_use() is asked when they
 * are needed. */
int region_reserve(struct account *account, struct region *out, u64 size, u64 used);
/* So many more bytes of a reserved region will be used: 0 or -ENOMEM. */
int region_use(struct region *region, u64 bytes);
/* Rounded up to whole pages; 0 or a negative errno. */
int region_new_shared(struct account *account, struct region *out, const char *name, u64 size);
void region_free(struct region *region);
/* The first `size` bytes of a private region are used all over, at random: fewer and larger
 * pages. */
void region_prefer_huge(void *memory, size_t size);

/* mmap(2) of a shared region, and whether anyone else of this process may write through one. */
int region_mmap(const struct region *region, void *address, size_t length, int prot, int flags,
		u64 offset, void **out);
bool region_has_writers(const struct region *region);

static inline bool region_holds(const struct region *region, const void *address, size_t size)
{
	uintptr_t base = (uintptr_t)region->base, at = (uintptr_t)address;

	return at >= base && size <= region->size && at - base <= region->size - size;
}

#endif
