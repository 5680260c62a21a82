/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/slab.h"

#include "base/rcu.h"
#include "map/region.h"
#include "map/value.h"

#include <stdlib.h>

#define CHUNK_FIRST	 (4UL << 10)
#define CHUNK_LAST	 (2UL << 20) /* a huge page */
#define CHUNK_GROWTH	 8
#define RETIRED_PER_CALL 60
/* As many bytes wait for a grace period before it is asked for. */
#define RETIRED_BYTES (64UL << 10)

struct chunk {
	struct chunk *next;
	struct region region; /* which the chunk is the beginning of */
};

struct free_piece {
	struct free_piece *next;
};

/* Pieces that serve again after one grace period. */
struct retired {
	struct rcu_head rcu;
	struct slab *slab;
	u32 count;
	size_t bytes;
	struct {
		void *piece;
		u32 kind;
	} row[RETIRED_PER_CALL];
};

struct slab {
	struct account *account; /* reference */
	u32 lock;		 /* guards all below */
	u32 kinds;
	size_t size[SLAB_KINDS_MAX];
	struct free_piece *free[SLAB_KINDS_MAX];
	struct chunk *chunks;
	u8 *fresh, *end; /* of the first chunk */
	size_t next_chunk;
	struct retired *retired; /* not handed over yet; NULL: none */
	u32 waiting;		 /* handed over, and not back yet */
	bool unused;		 /* the map is gone */
};

struct slab *slab_new(struct account *account, const size_t *sizes, u32 kinds)
{
	struct slab *slab = calloc(1, sizeof(*slab));

	if (!slab || account_charge(account, sizeof(*slab))) {
		free(slab);
		return NULL;
	}
	slab->account = account_get(account);
	slab->kinds = kinds;
	slab->next_chunk = CHUNK_FIRST;
	for (u32 i = 0; i < kinds; i++)
		slab->size[i] = max(sizes[i], sizeof(struct free_piece));
	return slab;
}

static void destroy(struct slab *slab)
{
	while (slab->chunks) {
		struct region region = slab->chunks->region;

		slab->chunks = slab->chunks->next;
		region_free(&region);
	}
	free(slab->retired);
	account_uncharge(slab->account, sizeof(*slab));
	account_put(slab->account);
	free(slab);
}

void slab_free(struct slab *slab)
{
	bool last;

	if (!slab)
		return;
	value_spin_lock(&slab->lock);
	slab->unused = true;
	last = !slab->waiting;
	value_spin_unlock(&slab->lock);
	if (last)
		destroy(slab);
}

/* --- under the lock --- */

static int add_chunk(struct slab *slab, size_t size)
{
	size_t wanted =
		max(slab->next_chunk, size + round_up(sizeof(struct chunk), CACHE_LINE));
	struct region region;
	struct chunk *chunk;
	int err = region_new(slab->account, &region, wanted);

	if (err)
		return err;
	region_prefer_huge(region.base, region.size);
	chunk = (struct chunk *)region.base;
	chunk->region = region;
	chunk->next = slab->chunks;
	slab->chunks = chunk;
	slab->fresh = region.base + round_up(sizeof(*chunk), CACHE_LINE);
	slab->end = region.base + region.size;
	slab->next_chunk = min(slab->next_chunk * CHUNK_GROWTH, CHUNK_LAST);
	return 0;
}

static void give(struct slab *slab, u32 kind, struct free_piece *piece)
{
	piece->next = slab->free[kind];
	slab->free[kind] = piece;
}

static void *take(struct slab *slab, u32 kind)
{
	size_t size = slab->size[kind], lines;
	void *piece = slab->free[kind];

	if (piece) {
		slab->free[kind] = slab->free[kind]->next;
		return piece;
	}
	lines = round_up(size, CACHE_LINE);
	if ((size_t)(slab->end - slab->fresh) < lines && add_chunk(slab, lines))
		return NULL;
	piece = slab->fresh;
	slab->fresh += lines;
	for (u8 *other = (u8 *)piece + size; other + size <= slab->fresh; other += size)
		give(slab, kind, (struct free_piece *)other);
	return piece;
}

static void retired_back(struct rcu_head *head)
{
	struct retired *retired = container_of(head, struct retired, rcu);
	struct slab *slab = retired->slab;
	bool last;

	rcu_grace_period_passed();
	value_spin_lock(&slab->lock);
	for (u32 i = 0; i < retired->count; i++)
		give(slab, retired->row[i].kind, retired->row[i].piece);
	last = --slab->waiting == 0 && slab->unused;
	value_spin_unlock(&slab->lock);
	free(retired);
	if (last)
		destroy(slab);
}

/* Without memory to note it, the piece serves no more until the map goes. */
static void retire(struct slab *slab, u32 kind, void *piece)
{
	struct retired *retired = slab->retired;

	if (!retired) {
		retired = malloc(sizeof(*retired));
		if (!retired)
			return;
		retired->slab = slab;
		retired->count = 0;
		retired->bytes = 0;
		slab->retired = retired;
	}
	retired->row[retired->count].piece = piece;
	retired->row[retired->count++].kind = kind;
	retired->bytes += slab->size[kind];
	if (retired->count < RETIRED_PER_CALL && retired->bytes < RETIRED_BYTES)
		return;
	slab->retired = NULL;
	slab->waiting++;
	call_rcu(&retired->rcu, retired_back);
}

/* --- what others call --- */

void *slab_take(struct slab *slab, u32 kind)
{
	void *piece;

	value_spin_lock(&slab->lock);
	piece = take(slab, kind);
	value_spin_unlock(&slab->lock);
	return piece;
}

void slab_give(struct slab *slab, u32 kind, void *piece)
{
	value_spin_lock(&slab->lock);
	give(slab, kind, piece);
	value_spin_unlock(&slab->lock);
}

void slab_retire(struct slab *slab, u32 kind, void *piece)
{
	value_spin_lock(&slab->lock);
	retire(slab, kind, piece);
	value_spin_unlock(&slab->lock);
}

bool slab_owns(struct slab *slab, const void *address, size_t size)
{
	bool owns = false;

	value_spin_lock(&slab->lock);
	for (struct chunk *chunk = slab->chunks; chunk && !owns; chunk = chunk->next)
		owns = region_holds(&chunk->region, address, size);
	value_spin_unlock(&slab->lock);
	return owns;
}
