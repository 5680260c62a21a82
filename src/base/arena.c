/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_MIN 4096
#define CHUNK_MAX (1 << 20)
#define ALIGNMENT 16

struct arena_chunk {
	struct arena_chunk *older;
	size_t size;
	_Alignas(ALIGNMENT) u8 bytes[];
};

struct arena_adopted {
	struct arena_adopted *older;
	void *block;
};

void arena_init(struct arena *arena)
{
	*arena = (struct arena){};
}

void arena_done(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks, *older;

	for (struct arena_adopted *at = arena->adopted; at; at = at->older)
		free(at->block);
	for (; chunk; chunk = older) {
		older = chunk->older;
		free(chunk);
	}
	arena_init(arena);
}

/* Chunks grow with the arena, so that large products need few of them. They are zeros from the
 * start: for large ones the system has such pages at hand. */
static bool arena_grow(struct arena *arena, size_t need)
{
	size_t size = min(max(arena->bytes, (size_t)CHUNK_MIN), (size_t)CHUNK_MAX);
	struct arena_chunk *chunk;

	size = max(size, need);
	chunk = calloc(1, sizeof(*chunk) + size);
	if (!chunk)
		return false;
	chunk->older = arena->chunks;
	chunk->size = size;
	arena->chunks = chunk;
	arena->next = chunk->bytes;
	arena->end = chunk->bytes + size;
	arena->bytes += size;
	return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *memory;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = round_up(max(size, (size_t)1), ALIGNMENT);
	if (size > (size_t)(arena->end - arena->next) && !arena_grow(arena, size))
		return NULL;
	memory = arena->next;
	arena->next += size;
	return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		return NULL;
	return arena_alloc(arena, total);
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
	void *memory = arena_alloc(arena, size);

	return memory && size ? memcpy(memory, data, size) : memory;
}

char *arena_string(struct arena *arena, const char *text)
{
	return arena_copy(arena, text, strlen(text) + 1);
}

bool arena_adopt(struct arena *arena, void *block)
{
	struct arena_adopted *adopted = arena_alloc(arena, sizeof(*adopted));

	if (!adopted)
		return false;
	*adopted = (struct arena_adopted){arena->adopted, block};
	arena->adopted = adopted;
	return true;
}
