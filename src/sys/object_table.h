/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ids. One table per kind of object: ids grow from 1 and are not reused before the numbers run
 * out, as Linux allocates them. A table holds no reference: an object leaves it when its last
 * reference is put.
 */
#ifndef SKEP_SYS_OBJECT_TABLE_H
#define SKEP_SYS_OBJECT_TABLE_H

#include "base/object.h"

struct object_table {
	struct object **objects; /* sorted by id */
	u32 count, capacity;
	u32 last_id;
};

void object_table_done(struct object_table *table);

/* Gives the object an id in its kind's table: 0 or -ENOMEM. */
int object_publish(struct skep_engine *engine, struct object *object);
/* A reference to the object of this id; NULL when there is none. */
struct object *object_by_id(struct skep_engine *engine, enum object_kind kind, u32 id);
/* The smallest id greater than `id`; 0: none. */
u32 object_next_id(struct skep_engine *engine, enum object_kind kind, u32 id);

#endif
