/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/object_table.h"

#include "sys/engine.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The index of the first object whose id is at least `id`. */
static u32 lower_bound(const struct object_table *table, u32 id)
{
	u32 low = 0, high = table->count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (table->objects[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_id(const struct object_table *table, u32 at, u32 id)
{
	return at < table->count && table->objects[at]->id == id;
}

static u32 free_id(const struct object_table *table)
{
	u32 id = table->last_id;

	do
		id = id == INT_MAX ? 1 : id + 1;
	while (has_id(table, lower_bound(table, id), id));
	return id;
}

static int reserve(struct object_table *table)
{
	u32 capacity = table->capacity ? table->capacity * 2 : 16;
	struct object **objects;

	if (table->count < table->capacity)
		return 0;
	objects = realloc(table->objects, capacity * sizeof(*objects));
	if (!objects)
		return -ENOMEM;
	table->objects = objects;
	table->capacity = capacity;
	return 0;
}

static void object_left(struct object *object)
{
	struct skep_engine *engine = object->engine;
	struct object_table *table = &engine->objects[object->kind];
	u32 at;

	pthread_mutex_lock(&engine->lock);
	at = lower_bound(table, object->id);
	memmove(table->objects + at, table->objects + at + 1,
		(table->count - at - 1) * sizeof(*table->objects));
	table->count--;
	pthread_mutex_unlock(&engine->lock);
}

int object_publish(struct skep_engine *engine, struct object *object)
{
	struct object_table *table = &engine->objects[object->kind];
	u32 id, at;
	int ret;

	pthread_mutex_lock(&engine->lock);
	ret = reserve(table);
	if (!ret) {
		id = free_id(table);
		at = lower_bound(table, id);
		memmove(table->objects + at + 1, table->objects + at,
			(table->count - at) * sizeof(*table->objects));
		table->objects[at] = object;
		table->count++;
		table->last_id = object->id = id;
		object->engine = engine;
		object->leave = object_left;
	}
	pthread_mutex_unlock(&engine->lock);
	return ret;
}

struct object *object_by_id(struct skep_engine *engine, enum object_kind kind, u32 id)
{
	struct object_table *table = &engine->objects[kind];
	struct object *found = NULL;
	u32 at;

	pthread_mutex_lock(&engine->lock);
	at = lower_bound(table, id);
	if (has_id(table, at, id) && object_get_unless_zero(table->objects[at]))
		found = table->objects[at];
	pthread_mutex_unlock(&engine->lock);
	return found;
}

u32 object_next_id(struct skep_engine *engine, enum object_kind kind, u32 id)
{
	struct object_table *table = &engine->objects[kind];
	u32 at, next = 0;

	pthread_mutex_lock(&engine->lock);
	at = id == UINT_MAX ? table->count : lower_bound(table, id + 1);
	if (at < table->count)
		next = table->objects[at]->id;
	pthread_mutex_unlock(&engine->lock);
	return next;
}

/* Objects that something outside the engine still holds live on without it. */
void object_table_done(struct object_table *table)
{
	for (u32 i = 0; i < table->count; i++) {
		table->objects[i]->leave = NULL;
		table->objects[i]->wake = NULL;
		table->objects[i]->engine = NULL;
	}
	free(table->objects);
}
