/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory is a memfd, which user space maps, and which the engine has mapped whole: no
 * access of a program ever faults, whoever takes pages away meanwhile. Two bits for each page
 * say whether it may be allocated and whether it is there. User space allocates a page by
 * touching it, which only the memfd knows: it is asked before a page counts as missing.
 *
 * Both maps of bits change under the lock; `present` is read without.
 */
#include "map/arena.h"

#include "base/os.h"
#include "map/ops.h"
#include "map/region.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SIZE_MAX_BYTES (1ULL << 32)
#define LOW(address)   ((u32)(address))
#define HIGH(address)  ((address) & ~0xffffffffULL)
#define WORD_BITS      64

struct page_bits {
	struct region region;
	atomic_ullong *words;
};

struct arena_map {
	struct map map;
	struct region region; /* base: the engine's view */
	u32 page_cnt, page_size;
	pthread_mutex_t lock;
	struct page_bits taken;	  /* allocated or reserved */
	struct page_bits present; /* there */
};

static struct arena_map *arena_of(struct map *map)
{
	return container_of(map, struct arena_map, map);
}

static bool bit_is_set(const struct page_bits *bits, u32 page)
{
	return atomic_load_explicit(&bits->words[page / WORD_BITS], memory_order_acquire) >>
		       (page % WORD_BITS) &
	       1;
}

static void bit_set(struct page_bits *bits, u32 page, bool on)
{
	u64 bit = 1ULL << (page % WORD_BITS);

	/* Release pairs with bit_is_set(): the page is empty before it counts as there. */
	if (on)
		atomic_fetch_or_explicit(&bits->words[page / WORD_BITS], bit,
					 memory_order_release);
	else
		atomic_fetch_and_explicit(&bits->words[page / WORD_BITS], ~bit,
					  memory_order_release);
}

/* --- life --- */

/* Programs keep the low half of an address: the range must not cross a multiple of 4 GiB. */
static int check(struct map_desc *desc, struct skep_error *err)
{
	u64 size = (u64)desc->max_entries * os_page_size(), last = desc->extra + size - 1;

	if (desc->key_size || desc->value_size || !desc->max_entries ||
	    desc->extra % os_page_size())
		return map_refuse(desc, err, -EINVAL, "pages at a page's address only");
	if (size > SIZE_MAX_BYTES)
		return map_refuse(desc, err, -E2BIG, "more than 4 GiB");
	if (desc->extra >> 32 != last >> 32)
		return map_refuse(desc, err, -ERANGE, "map_extra: the range crosses 4 GiB");
	return 0;
}

static int check_btf(const struct map_desc *desc)
{
	return 0;
}

static void done(struct map *map)
{
	struct arena_map *arena = arena_of(map);

	region_free(&arena->taken.region);
	region_free(&arena->present.region);
	region_free(&arena->region);
	pthread_mutex_destroy(&arena->lock);
}

static int bits_init(struct page_bits *bits, struct account *account, u32 count)
{
	int err =
		region_new(account, &bits->region, ((u64)count / WORD_BITS + 1) * sizeof(u64));

	bits->words = err ? NULL : (atomic_ullong *)bits->region.base;
	return err;
}

static int init(struct map *map)
{
	struct arena_map *arena = arena_of(map);
	int err;

	arena->taken.region = arena->present.region = REGION_NONE;

	arena->page_cnt = map->desc.max_entries;
	arena->page_size = os_page_size();
	err = region_new_shared(map->account, &arena->region, "arena",
				(u64)arena->page_cnt * arena->page_size);
	if (err)
		return err;
	pthread_mutex_init(&arena->lock, NULL);
	err = bits_init(&arena->taken, map->account, arena->page_cnt);
	if (!err)
		err = bits_init(&arena->present, map->account, arena->page_cnt);
	if (err) {
		done(map);
		return err;
	}
	map->memfd = arena->region.fd;
	map->desc.user_start = map->desc.extra;
	return 0;
}

/* --- pages --- */

static u32 page_of(const struct arena_map *arena, u64 address)
{
	return (LOW(address) - LOW(arena->map.desc.user_start)) / arena->page_size;
}

static u8 *view_of(const struct arena_map *arena, u32 page)
{
	return arena->region.base + (u64)page * arena->page_size;
}

/* Did user space touch it? */
static bool is_in_memory(const struct arena_map *arena, u32 page)
{
	unsigned char state = 0;

	return !mincore(view_of(arena, page), arena->page_size, &state) && state & 1;
}

/* Under the lock. */
static void notice_touched(struct arena_map *arena, u32 page)
{
	if (bit_is_set(&arena->present, page) || !is_in_memory(arena, page))
		return;
	bit_set(&arena->taken, page, true);
	bit_set(&arena->present, page, true);
}

static bool is_there(struct arena_map *arena, u32 page)
{
	if (likely(bit_is_set(&arena->present, page)))
		return true;
	pthread_mutex_lock(&arena->lock);
	notice_touched(arena, page);
	pthread_mutex_unlock(&arena->lock);
	return bit_is_set(&arena->present, page);
}

void *map_arena_at(struct map *map, u64 address, u32 size)
{
	struct arena_map *arena = arena_of(map);
	u64 at = address - LOW(map->desc.user_start);

	if (at >= arena->region.size || size > arena->region.size - at ||
	    !is_there(arena, at / arena->page_size) ||
	    !is_there(arena, (at + size - 1) / arena->page_size))
		return NULL;
	return arena->region.base + at;
}

/* Under the lock. */
static bool is_free(struct arena_map *arena, u32 first, u32 count)
{
	for (u32 page = first; page < first + count; page++) {
		if (bit_is_set(&arena->taken, page))
			return false;
		notice_touched(arena, page);
		if (bit_is_set(&arena->taken, page))
			return false;
	}
	return true;
}

/* How many pages from here on are free. */
static u32 free_run(struct arena_map *arena, u32 first)
{
	u32 page = first;

	while (page < arena->page_cnt && !bit_is_set(&arena->taken, page))
		page++;
	return page - first;
}

/* The smallest range in which they fit; page_cnt: none. */
static u32 best_range(struct arena_map *arena, u32 count)
{
	u32 best = arena->page_cnt, best_size = UINT32_MAX;

	for (u32 page = 0; page < arena->page_cnt; page++) {
		u32 size = free_run(arena, page);

		if (size >= count && size < best_size) {
			best = page;
			best_size = size;
		}
		page += size;
	}
	return best;
}

/* Pages that user space touched are found when a range was chosen; then another one is. */
static u32 find_range(struct arena_map *arena, u32 count)
{
	u32 first;

	do
		first = best_range(arena, count);
	while (first < arena->page_cnt && !is_free(arena, first, count));
	return first;
}

/* What a store that lost its race left there, or the last owner, goes. */
static void empty(const struct arena_map *arena, u32 first, u32 count)
{
	fallocate(arena->region.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		  (off_t)first * arena->page_size, (off_t)count * arena->page_size);
}

static void set_pages(struct page_bits *bits, u32 first, u32 count, bool on)
{
	for (u32 page = first; page < first + count; page++)
		bit_set(bits, page, on);
}

static u32 choose(struct arena_map *arena, u64 address, u32 count)
{
	u32 first = page_of(arena, address);

	if (!address)
		return find_range(arena, count);
	return first <= arena->page_cnt - count && is_free(arena, first, count)
		       ? first
		       : arena->page_cnt;
}

u64 map_arena_alloc(struct map *map, u64 address, u32 pages)
{
	struct arena_map *arena = arena_of(map);
	const u64 start = map->desc.user_start;
	u32 first;

	if (!pages || pages > arena->page_cnt || address % arena->page_size)
		return 0;
	pthread_mutex_lock(&arena->lock);
	first = choose(arena, address, pages);
	if (first < arena->page_cnt) {
		empty(arena, first, pages);
		set_pages(&arena->taken, first, pages, true);
		set_pages(&arena->present, first, pages, true);
	}
	pthread_mutex_unlock(&arena->lock);
	return first < arena->page_cnt
		       ? HIGH(start) + LOW(start + (u64)first * arena->page_size)
		       : 0;
}

void map_arena_free_pages(struct map *map, u64 address, u32 pages)
{
	struct arena_map *arena = arena_of(map);
	u32 first = page_of(arena, address);

	if (first >= arena->page_cnt)
		return;
	pages = min(pages, arena->page_cnt - first);
	pthread_mutex_lock(&arena->lock);
	set_pages(&arena->present, first, pages, false);
	empty(arena, first, pages);
	set_pages(&arena->taken, first, pages, false);
	pthread_mutex_unlock(&arena->lock);
}

int map_arena_reserve(struct map *map, u64 address, u32 pages)
{
	struct arena_map *arena = arena_of(map);
	u32 first = page_of(arena, address);
	bool is_possible;

	if (!pages)
		return 0;
	if (pages > arena->page_cnt || first > arena->page_cnt - pages)
		return -EINVAL;
	pthread_mutex_lock(&arena->lock);
	is_possible = is_free(arena, first, pages);
	if (is_possible)
		set_pages(&arena->taken, first, pages, true);
	pthread_mutex_unlock(&arena->lock);
	return is_possible ? 0 : -EBUSY;
}

/* --- user space --- */

static int no_value(struct map *map, const void *key, void *value, u64 flags)
{
	return -EINVAL;
}

static int no_update(struct map *map, const void *key, const void *value, u64 flags)
{
	return -EOPNOTSUPP;
}

static int no_delete(struct map *map, const void *key)
{
	return -EOPNOTSUPP;
}

static int no_next_key(struct map *map, const void *key, void *next)
{
	return -EOPNOTSUPP;
}

/* Room for the arena that does not cross a multiple of 4 GiB; the caller maps over it. */
static void *find_room(size_t length)
{
	const size_t size = length + SIZE_MAX_BYTES;
	void *room =
		mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	u64 start, chosen;

	if (room == MAP_FAILED)
		return NULL;
	start = ptr_to_u64(room);
	chosen = HIGH(start) == HIGH(start + length - 1) ? start : HIGH(start + SIZE_MAX_BYTES);
	if (chosen > start)
		munmap(room, chosen - start);
	munmap(u64_to_ptr(chosen + length), start + size - chosen - length);
	return u64_to_ptr(chosen);
}

static int choose_address(const struct arena_map *arena, void *wanted, int *flags, void **out)
{
	const u64 start = arena->map.desc.user_start, size = arena->region.size;
	const u64 fixed = *flags & MAP_FIXED ? ptr_to_u64(wanted) : 0;

	if (start && fixed && fixed != start)
		return arena->map.desc.extra ? -EINVAL : -EBUSY;
	if (HIGH(fixed) != HIGH(fixed + size - 1))
		return -EINVAL;
	*out = fixed ? wanted : start ? u64_to_ptr(start) : find_room(size);
	if (!fixed)
		*flags |= start ? MAP_FIXED_NOREPLACE : MAP_FIXED;
	return *out ? 0 : -ENOMEM;
}

/* Whole, and always at the same address; the first mapping says which, unless map_extra does.
 */
static int map_memory(struct map *map, void *address, size_t length, int prot, int flags,
		      u64 offset, void **out)
{
	struct arena_map *arena = arena_of(map);
	void *at;
	int err;

	if (offset || length != arena->region.size)
		return -EINVAL;
	err = choose_address(arena, address, &flags, &at);
	err = err ?: region_mmap(&arena->region, at, length, prot, flags, 0, out);
	if (!err)
		map->desc.user_start = ptr_to_u64(*out);
	return err;
}

static bool owns(struct map *map, const void *address, size_t size)
{
	return region_holds(&arena_of(map)->region, address, size);
}

const struct map_ops map_arena = {
	.size = sizeof(struct arena_map),
	.check = check,
	.check_btf = check_btf,
	.init = init,
	.done = done,
	.equal = map_desc_equal,
	.user_lookup = no_value,
	.user_update = no_update,
	.user_delete = no_delete,
	.next_key = no_next_key,
	.owns = owns,
	.mmap = map_memory,
};
