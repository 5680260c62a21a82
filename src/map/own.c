/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/own.h"
#include "base/rcu.h"
#include "map/async.h"
#include "map/own_graph.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct own_world {
	atomic_uint uses;
	atomic_ullong count;
	bool is_listed;
	pthread_mutex_t lock; /* guards `objects`; a leaf */
	struct cds_list_head objects;
};

struct own_type {
	atomic_uint uses;
	struct own_world *world;
	struct own_type_params params;
	struct btf_fields fields;
	u32 stride; /* from one copy to the next */
};

/* Stands before each object. */
struct own_header {
	struct own_type *type;
	struct cds_list_head link; /* in a world that is listed */
	struct rcu_head rcu;
	u64 unused; /* so that the object is aligned to 16 bytes, as what malloc() gives is */
	u8 object[];
};

_Static_assert(offsetof(struct own_header, object) % 16 == 0,
	       "objects are aligned to 16 bytes");

static struct own_header *header_of(void *object)
{
	return container_of(object, struct own_header, object);
}

/* --- worlds --- */
struct own_world *own_world_new(bool is_listed)
{
	struct own_world *world = calloc(1, sizeof(*world));

	if (!world)
		return NULL;
	world->uses = 1;
	world->is_listed = is_listed;
	pthread_mutex_init(&world->lock, NULL);
	CDS_INIT_LIST_HEAD(&world->objects);
	return world;
}

void own_world_put(struct own_world *world)
{
	/* acquire, release: what others did with the world comes before its end */
	if (!world || atomic_fetch_sub_explicit(&world->uses, 1, memory_order_acq_rel) > 1)
		return;
	pthread_mutex_destroy(&world->lock);
	free(world);
}

u64 own_world_count(struct own_world *world)
{
	return atomic_load_explicit(&world->count, memory_order_relaxed);
}

static void enter(struct own_world *world, struct own_header *header)
{
	atomic_fetch_add_explicit(&world->count, 1, memory_order_relaxed);
	if (!world->is_listed)
		return;
	pthread_mutex_lock(&world->lock);
	cds_list_add(&header->link, &world->objects);
	pthread_mutex_unlock(&world->lock);
}

static void leave(struct own_world *world, struct own_header *header)
{
	if (world->is_listed) {
		pthread_mutex_lock(&world->lock);
		cds_list_del(&header->link);
		pthread_mutex_unlock(&world->lock);
	}
	atomic_fetch_sub_explicit(&world->count, 1, memory_order_relaxed);
}

static u64 bytes_of(const struct own_type *type)
{
	return (u64)type->stride * type->params.copies;
}

bool own_world_has(struct own_world *world, u64 address, u32 size)
{
	const struct own_header *header;
	bool found = false;

	pthread_mutex_lock(&world->lock);
	cds_list_for_each_entry (header, &world->objects, link) {
		const u64 at = address - ptr_to_u64(header->object);

		found = at <= bytes_of(header->type) &&
			size <= bytes_of(header->type) - at;
		if (found)
			break;
	}
	pthread_mutex_unlock(&world->lock);
	return found;
}

/* --- types --- */
struct own_type *own_type_new(struct own_world *world, const struct own_type_params *params)
{
	struct own_type *type = calloc(1, sizeof(*type));

	if (!type)
		return NULL;
	type->uses = 1;
	type->world = world;
	atomic_fetch_add_explicit(&world->uses, 1, memory_order_relaxed);
	type->params = *params;
	if (params->fields)
		type->fields = *params->fields;
	if (params->btf)
		object_get(params->btf);
	type->stride = round_up(params->size, params->copies > 1 ? CACHE_LINE : 8);
	return type;
}

void own_type_put(struct own_type *type)
{
	/* acquire, release: as for own_world_put() */
	if (!type || atomic_fetch_sub_explicit(&type->uses, 1, memory_order_acq_rel) > 1)
		return;
	object_put(type->params.btf);
	own_world_put(type->world);
	free(type);
}

/* --- objects --- */
static _Atomic u32 *count_of(void *object)
{
	const s32 offset = header_of(object)->type->params.count_offset;

	return offset < 0 ? NULL : (_Atomic u32 *)((u8 *)object + offset);
}

void *own_new(struct own_type *type)
{
	struct own_header *header;

	if (type->params.btf && type->params.size > OWN_SIZE_MAX)
		return NULL;
	header = aligned_alloc(CACHE_LINE,
			       round_up(sizeof(*header) + bytes_of(type), CACHE_LINE));
	if (!header)
		return NULL;
	memset(header, 0, sizeof(*header) + bytes_of(type));
	header->type = type;
	atomic_fetch_add_explicit(&type->uses, 1, memory_order_relaxed);
	enter(type->world, header);
	if (count_of(header->object))
		atomic_store_explicit(count_of(header->object), 1, memory_order_relaxed);
	return header->object;
}

void *own_hidden(void *object)
{
	return (u8 *)object + header_of(object)->type->params.hidden;
}

bool own_get(void *object)
{
	_Atomic u32 *count = count_of(object);
	u32 refs = atomic_load_explicit(count, memory_order_relaxed);

	do {
		if (!refs)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		count, &refs, refs + 1, memory_order_relaxed, memory_order_relaxed));
	return true;
}

static void free_object(struct rcu_head *rcu)
{
	struct own_header *header = container_of(rcu, struct own_header, rcu);
	struct own_type *type = header->type;

	own_release_fields(&type->fields, header->object);
	leave(type->world, header);
	own_type_put(type);
	free(header);
}

void own_put(void *object)
{
	_Atomic u32 *count = count_of(object);

	/* acquire, release: what other owners did comes before the end */
	if (count && atomic_fetch_sub_explicit(count, 1, memory_order_acq_rel) > 1)
		return;
	call_rcu(&header_of(object)->rcu, free_object);
}

void *own_copy(void *object, u32 slot)
{
	const struct own_type *type = header_of(object)->type;

	return slot < type->params.copies ? (u8 *)object + (u64)slot * type->stride : NULL;
}

/* --- fields --- */
static void put_one(void *object, u32 *left)
{
	own_put(object);
	--*left;
}

static void put_pointer(void *_Atomic *field, u32 *left)
{
	void *object = *left ? atomic_exchange(field, NULL) : NULL;

	if (object)
		put_one(object, left);
}

static void put_list(struct own_list *list, u32 node_offset, u32 *left)
{
	struct own_list_node *node;

	while (*left && (node = own_list_pop(list, true)))
		put_one((u8 *)node - node_offset, left);
}

static void put_tree(struct own_tree *tree, u32 node_offset, u32 *left)
{
	struct own_tree_node *node;

	while (*left && (node = tree->first)) {
		own_tree_remove(tree, node);
		put_one((u8 *)node - node_offset, left);
	}
}

static void release_field(const struct btf_field *field, u8 *at, u32 *left)
{
	switch ((enum btf_field_kind)field->kind) {
	case BTF_FIELD_KPTR_UNTRUSTED: memset(at, 0, sizeof(u64)); break;
	case BTF_FIELD_KPTR:
	case BTF_FIELD_KPTR_PERCPU: put_pointer((void *_Atomic *)at, left); break;
	case BTF_FIELD_LIST_HEAD:
		put_list((struct own_list *)at, field->node_offset, left);
		break;
	case BTF_FIELD_RB_ROOT:
		put_tree((struct own_tree *)at, field->node_offset, left);
		break;
	case BTF_FIELD_TIMER:
	case BTF_FIELD_WORKQUEUE: async_release(at); break;
	case BTF_FIELD_SPIN_LOCK:
	case BTF_FIELD_RES_SPIN_LOCK:
	case BTF_FIELD_TASK_WORK:
	case BTF_FIELD_LIST_NODE:
	case BTF_FIELD_RB_NODE:
	case BTF_FIELD_REFCOUNT:
	case BTF_FIELD_UPTR:
	case BTF_FIELD_KINDS: break;
	}
}

bool own_release_some(const struct btf_fields *fields, void *base, u32 *left)
{
	for (u32 i = 0; i < fields->count; i++)
		release_field(&fields->field[i], (u8 *)base + fields->field[i].offset, left);
	return *left;
}

void own_release_fields(const struct btf_fields *fields, void *base)
{
	u32 left;

	do
		left = UINT32_MAX;
	while (!own_release_some(fields, base, &left));
}
