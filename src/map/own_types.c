/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/own.h"

#include <pthread.h>
#include <stdlib.h>

struct entry {
	struct entry *next;
	u32 type_id, copies;
	struct own_type *type;
};

struct own_types {
	struct own_world *world;
	struct object *btf;
	const struct btf_view *view;
	pthread_mutex_t lock; /* who adds an entry */
	struct entry *_Atomic entries;
};

struct own_types *own_types_new(struct own_world *world, struct object *btf,
				const struct btf_view *view)
{
	struct own_types *types = calloc(1, sizeof(*types));

	if (!types)
		return NULL;
	types->world = world;
	types->btf = btf ? object_get(btf) : NULL;
	types->view = view;
	pthread_mutex_init(&types->lock, NULL);
	return types;
}

void own_types_free(struct own_types *types)
{
	struct entry *entry = types ? types->entries : NULL;

	while (entry) {
		struct entry *next = entry->next;

		own_type_put(entry->type);
		free(entry);
		entry = next;
	}
	if (!types)
		return;
	object_put(types->btf);
	pthread_mutex_destroy(&types->lock);
	free(types);
}

static struct own_type *make_type(struct own_types *types, u32 type_id, u32 copies)
{
	struct btf_fields fields;
	const struct btf_field *count;

	if (btf_find_fields(types->view, type_id, ~0u, &fields))
		fields = (struct btf_fields){};
	count = btf_field_of_kind(&fields, BTF_FIELD_REFCOUNT);
	return own_type_new(types->world,
			    &(struct own_type_params){
				    .size = btf_size(types->view, type_id),
				    .copies = copies,
				    .count_offset = count ? (s32)count->offset : -1,
				    .btf = types->btf,
				    .fields = &fields,
			    });
}

static struct own_type *add_type(struct own_types *types, u32 type_id, u32 copies)
{
	struct entry *entry = malloc(sizeof(*entry));

	if (!entry)
		return NULL;
	*entry = (struct entry){types->entries, type_id, copies, NULL};
	entry->type = make_type(types, type_id, copies);
	if (!entry->type) {
		free(entry);
		return NULL;
	}
	/* release: pairs with the acquire in find() */
	atomic_store_explicit(&types->entries, entry, memory_order_release);
	return entry->type;
}

static struct own_type *find(struct own_types *types, u32 type_id, u32 copies)
{
	struct entry *entry = atomic_load_explicit(&types->entries, memory_order_acquire);

	while (entry && (entry->type_id != type_id || entry->copies != copies))
		entry = entry->next;
	return entry ? entry->type : NULL;
}

struct own_type *own_types_get(struct own_types *types, u32 type_id, u32 copies)
{
	struct own_type *type = find(types, type_id, copies);

	if (type)
		return type;
	pthread_mutex_lock(&types->lock);
	type = find(types, type_id, copies);
	if (!type)
		type = add_type(types, type_id, copies);
	pthread_mutex_unlock(&types->lock);
	return type;
}
