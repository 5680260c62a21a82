/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of a map that grows: pieces of a few sizes, cut from chunks. Pieces that go out of
 * use serve again for their size; the chunks go all at once with the map, however many pieces
 * they hold.
 *
 * Any thread may call anything here; a lock is held for a few instructions.
 */
#ifndef SKEP_MAP_SLAB_H
#define SKEP_MAP_SLAB_H

#include "map/account.h"

#define SLAB_KINDS_MAX 14

struct slab;

/* Pieces of kind i have sizes[i] bytes, multiples of 8. `account`: what its memory is charged
 * to, by chunks. NULL: out of memory. */
struct slab *slab_new(struct account *account, const size_t *sizes, u32 kinds);
/* The map is gone: the memory goes when no reader can be at a retired piece any more. */
void slab_free(struct slab *slab);
/* A piece aligned to 8, with whatever is in it; NULL: out of memory. */
void *slab_take(struct slab *slab, u32 kind);
/* A piece that no reader has seen. */
void slab_give(struct slab *slab, u32 kind, void *piece);
/* A piece that readers may still be at: it serves again after a grace period. */
void slab_retire(struct slab *slab, u32 kind, void *piece);
bool slab_owns(struct slab *slab, const void *address, size_t size);

#endif
