/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues and stacks: a circle of values under one lock. `head` is where the next value goes,
 * `tail` the oldest; a queue gives from the tail, a stack from the head. One place stays empty,
 * so that full and empty differ.
 */
#include "map/ops.h"
#include "map/shared.h"
#include "map/value.h"

#include <string.h>

/* In front of the values. */
struct queue_state {
	_Alignas(CACHE_LINE) u32 lock;
	u32 head, tail;
};

struct queue {
	struct map map;
	struct region region;
	struct queue_state *state;
	u32 size;
};

static struct queue *queue_of(struct map *map)
{
	return container_of(map, struct queue, map);
}

static int queue_check(struct map_desc *desc, struct skep_error *err)
{
	if (!desc->max_entries || desc->key_size || !desc->value_size)
		return map_refuse(desc, err, -EINVAL, "queues and stacks have values, no keys");
	if (desc->value_size > MAP_VALUE_MAX)
		return map_refuse(desc, err, -E2BIG, "values of more than 4 MiB");
	return 0;
}

static int queue_init(struct map *map)
{
	struct queue *queue = queue_of(map);
	u64 size = (u64)map->desc.max_entries + 1;
	int err;

	if (size > UINT32_MAX)
		return -ENOMEM;
	err = map_memory(map, &queue->region,
			 sizeof(struct queue_state) + size * map->desc.value_size);
	queue->size = size;
	queue->state = (struct queue_state *)queue->region.base;
	return err;
}

static void queue_done(struct map *map)
{
	region_free(&queue_of(map)->region);
}

/* Whoever died with the lock changed one of the ends, or none: a value came or went, or not. */
static int queue_recover(struct map *map)
{
	const struct queue *queue = queue_of(map);

	queue->state->lock = 0;
	return queue->state->head < queue->size && queue->state->tail < queue->size ? 0
										    : -EINVAL;
}

static void lock(const struct queue *queue)
{
	const struct commons *commons = map_commons(&queue->map);

	if (unlikely(commons))
		commons_spin_lock(commons, &queue->state->lock);
	else
		value_spin_lock(&queue->state->lock);
}

static void unlock(const struct queue *queue)
{
	value_spin_unlock(&queue->state->lock);
}

static u8 *place(const struct queue *queue, u32 index)
{
	return (u8 *)(queue->state + 1) + (u64)index * queue->map.desc.value_size;
}

static u32 after(const struct queue *queue, u32 index)
{
	return index + 1 == queue->size ? 0 : index + 1;
}

static u32 before(const struct queue *queue, u32 index)
{
	return index ? index - 1 : queue->size - 1;
}

static int push_locked(struct queue *queue, const void *value, bool replace)
{
	u32 next = after(queue, queue->state->head);

	if (next == queue->state->tail) {
		if (!replace)
			return -E2BIG;
		queue->state->tail = after(queue, queue->state->tail);
	}
	memcpy(place(queue, queue->state->head), value, queue->map.desc.value_size);
	queue->state->head = next;
	return 0;
}

/* BPF_EXIST: a full map drops its oldest value. */
static int queue_push(struct map *map, const void *value, u64 flags)
{
	struct queue *queue = queue_of(map);
	int err;

	if ((flags & BPF_NOEXIST) || flags > BPF_EXIST)
		return -EINVAL;
	lock(queue);
	err = push_locked(queue, value, flags & BPF_EXIST);
	unlock(queue);
	return err;
}

enum end { OLDEST, NEWEST };

static int take(struct map *map, void *value, enum end end, bool remove)
{
	struct queue *queue = queue_of(map);
	u32 size = map->desc.value_size;
	bool empty;

	lock(queue);
	empty = queue->state->head == queue->state->tail;
	if (empty) {
		memset(value, 0, size);
	} else if (end == OLDEST) {
		memcpy(value, place(queue, queue->state->tail), size);
		if (remove)
			queue->state->tail = after(queue, queue->state->tail);
	} else {
		memcpy(value, place(queue, before(queue, queue->state->head)), size);
		if (remove)
			queue->state->head = before(queue, queue->state->head);
	}
	unlock(queue);
	return empty ? -ENOENT : 0;
}

static int queue_pop(struct map *map, void *value)
{
	return take(map, value, OLDEST, true);
}

static int queue_peek(struct map *map, void *value)
{
	return take(map, value, OLDEST, false);
}

static int stack_pop(struct map *map, void *value)
{
	return take(map, value, NEWEST, true);
}

static int stack_peek(struct map *map, void *value)
{
	return take(map, value, NEWEST, false);
}

static int no_delete(struct map *map, const void *key, u32 slot)
{
	return -EINVAL;
}

static int no_next_key(struct map *map, const void *key, void *next)
{
	return -EINVAL;
}

#define QUEUE                                                                                \
	.size = sizeof(struct queue), .check = queue_check, .recover = queue_recover,        \
	.init = queue_init, .done = queue_done, .equal = map_desc_equal, .push = queue_push, \
	.delete = no_delete, .next_key = no_next_key

const struct map_ops map_queue = {
	QUEUE,
	.pop = queue_pop,
	.peek = queue_peek,
};

const struct map_ops map_stack = {
	QUEUE,
	.pop = stack_pop,
	.peek = stack_peek,
};
