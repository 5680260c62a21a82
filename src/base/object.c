/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/object.h"

void object_init(struct object *object, enum object_kind kind,
		 void (*release)(struct object *object))
{
	object->kind = kind;
	object->id = 0;
	object->release = release;
	atomic_init(&object->refs, 1);
	object->engine = NULL;
	object->descriptors = NULL;
	atomic_init(&object->users, 0);
	object->leave = NULL;
	object->wake = NULL;
}

struct object *object_get(struct object *object)
{
	atomic_fetch_add_explicit(&object->refs, 1, memory_order_relaxed);
	return object;
}

bool object_get_unless_zero(struct object *object)
{
	int refs = atomic_load_explicit(&object->refs, memory_order_relaxed);

	while (refs > 0)
		if (atomic_compare_exchange_weak_explicit(&object->refs, &refs, refs + 1,
							  memory_order_relaxed,
							  memory_order_relaxed))
			return true;
	return false;
}

void object_put(struct object *object)
{
	/* Release orders this owner's last use before the count; acquire is its partner in
	 * whoever takes the count to zero and frees. */
	if (!object || atomic_fetch_sub_explicit(&object->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (object->leave)
		object->leave(object);
	object->release(object);
}

void object_wake(struct object *object)
{
	if (object->wake)
		object->wake(object);
}
