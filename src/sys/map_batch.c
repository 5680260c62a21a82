/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands on many elements. Arrays and tries go from key to key, and the caller's place is
 * the last key; hash maps go from slot to slot, and the place is a slot's number, so that
 * elements that come and go meanwhile do not send the walk back to its start. (Linux's place is
 * a bucket's number, and a bucket that does not fit is -ENOSPC; this walk never needs that.)
 */
#include "map/map.h"
#include "sys/map_value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A part of the caller's keys or values, read ahead: one system call for many. */
#define AHEAD_BYTES 65536

struct ahead {
	u64 from; /* the caller's first element */
	u32 size; /* of each */
	u32 first, count, room;
	u8 *bytes; /* owned */
};

struct batch {
	struct call *call;
	struct map *map; /* reference */
	u32 key_size, value_size;
	u32 count, done;	   /* asked for; elements gone through */
	u64 flags;		   /* of each element */
	u8 *key, *value;	   /* room for one of each; owned */
	struct ahead keys, values; /* of a change */
};

#define TYPE(name) (1ULL << BPF_MAP_TYPE_##name)

static const u64 hash_types = TYPE(HASH) | TYPE(PERCPU_HASH) | TYPE(LRU_HASH) |
			      TYPE(LRU_PERCPU_HASH) | TYPE(HASH_OF_MAPS);
static const u64 key_types =
	TYPE(ARRAY) | TYPE(PERCPU_ARRAY) | TYPE(LPM_TRIE) | TYPE(ARRAY_OF_MAPS);
static const u64 delete_types = hash_types | TYPE(LPM_TRIE);

#undef TYPE

static bool has_type(const struct map *map, u64 types)
{
	return map->desc.type < 64 && (types >> map->desc.type & 1);
}

static int check(struct batch *batch, u32 mode, u64 types)
{
	u64 flags = batch->call->attr.v.batch.flags;

	if (!has_type(batch->map, types) || map_offloaded(batch->map))
		return call_fail(batch->call, -ENOTSUPP, "not for %s of type %u",
				 map_offloaded(batch->map) ? "a device's maps" : "maps",
				 batch->map->desc.type);
	if (batch->flags & ~(u64)BPF_F_LOCK)
		return call_fail(batch->call, -EINVAL, "elem_flags %#llx", batch->flags);
	if ((batch->flags & BPF_F_LOCK) &&
	    map_desc_field(&batch->map->desc, BTF_FIELD_SPIN_LOCK) < 0)
		return call_fail(batch->call, -EINVAL, "values have no spin lock");
	/* Only the look-ups of hash maps care for them. */
	if (flags && (mode & DESCRIPTOR_READ) && has_type(batch->map, hash_types))
		return call_fail(batch->call, -EINVAL, "flags %#llx", flags);
	return 0;
}

static int batch_init(struct call *call, u32 mode, u64 types, struct batch *batch)
{
	const union bpf_attr *attr = &call->attr.v;
	int ret = 0;

	*batch = (struct batch){.call = call,
				.map = call_map(call, attr->batch.map_fd, mode, &ret),
				.count = attr->batch.count,
				.flags = attr->batch.elem_flags};
	if (!batch->map)
		return ret;
	ret = check(batch, mode, types);
	if (ret || !batch->count)
		return ret;
	batch->key_size = batch->map->desc.key_size;
	batch->value_size = map_user_value_size(batch->map);
	batch->key = calloc(2, batch->key_size);
	batch->value = malloc(batch->value_size);
	if (!batch->key || !batch->value)
		return call_fail(call, -ENOMEM, "no memory for an element");
	return call_put(call, v.batch.count, 0);
}

/* Tells the caller how far it came, whatever stopped it. */
static int batch_done(struct batch *batch, int ret)
{
	if (batch->key && batch->value && ret != -EFAULT &&
	    call_put(batch->call, v.batch.count, batch->done))
		ret = -EFAULT;
	free(batch->keys.bytes);
	free(batch->values.bytes);
	free(batch->key);
	free(batch->value);
	if (batch->map)
		object_put(&batch->map->object);
	return ret;
}

static int write_element(struct batch *batch, const void *key)
{
	const union bpf_attr *attr = &batch->call->attr.v;
	int ret = user_write(attr->batch.keys + (u64)batch->done * batch->key_size, key,
			     batch->key_size);

	if (!ret)
		ret = user_write(attr->batch.values + (u64)batch->done * batch->value_size,
				 batch->value, batch->value_size);
	batch->done += !ret;
	return ret;
}

/* --- update and delete --- */

static int ahead_init(struct ahead *ahead, u64 from, u32 size)
{
	*ahead = (struct ahead){.from = from, .size = size};
	ahead->room = max(AHEAD_BYTES / size, 1u);
	ahead->bytes = malloc((size_t)ahead->room * size);
	return ahead->bytes ? 0 : -ENOMEM;
}

/* Where many cannot be read one may. */
static int ahead_read(struct ahead *ahead, u32 index, u32 count)
{
	const u64 from = ahead->from + (u64)index * ahead->size;
	int ret = user_read(ahead->bytes, from, (size_t)count * ahead->size);

	if (ret && count > 1) {
		count = 1;
		ret = user_read(ahead->bytes, from, ahead->size);
	}
	ahead->first = index;
	ahead->count = ret ? 0 : count;
	return ret;
}

/* The element `index` of `all`. 0 or -EFAULT. */
static int ahead_get(struct ahead *ahead, u32 index, u32 all, void *out)
{
	int ret = 0;

	if (index - ahead->first >= ahead->count)
		ret = ahead_read(ahead, index, min(ahead->room, all - index));
	if (!ret)
		memcpy(out, ahead->bytes + (size_t)(index - ahead->first) * ahead->size,
		       ahead->size);
	return ret;
}

static int update_one(struct batch *batch)
{
	int ret = ahead_get(&batch->keys, batch->done, batch->count, batch->key);

	ret = ret ?: ahead_get(&batch->values, batch->done, batch->count, batch->value);
	return ret
		       ?: map_value_update(batch->call, batch->map, batch->key, batch->value,
					   batch->flags);
}

static int delete_one(struct batch *batch)
{
	return ahead_get(&batch->keys, batch->done, batch->count, batch->key)
		       ?: map_user_delete(batch->map, batch->key);
}

static int read_ahead(struct batch *batch)
{
	const union bpf_attr *attr = &batch->call->attr.v;

	if (ahead_init(&batch->keys, attr->batch.keys, batch->key_size) ||
	    ahead_init(&batch->values, attr->batch.values, batch->value_size))
		return call_fail(batch->call, -ENOMEM, "no memory for elements");
	return 0;
}

static int change(struct call *call, u64 types, int (*one)(struct batch *batch))
{
	struct batch batch;
	int ret = batch_init(call, DESCRIPTOR_WRITE, types, &batch);

	if (!ret && batch.count)
		ret = read_ahead(&batch);
	while (!ret && batch.done < batch.count) {
		ret = one(&batch);
		batch.done += !ret;
	}
	/* Unlike a look-up, a change that fails half-way says how much was changed. */
	if (ret == -EFAULT && batch.key && batch.value)
		call_put(call, v.batch.count, batch.done);
	return batch_done(&batch, ret);
}

int command_map_update_batch(struct call *call)
{
	return change(call, hash_types | key_types, update_one);
}

int command_map_delete_batch(struct call *call)
{
	return change(call, delete_types, delete_one);
}

/* --- look-up from key to key --- */

static int look_up_keys(struct batch *batch)
{
	const union bpf_attr *attr = &batch->call->attr.v;
	u8 *last = attr->batch.in_batch ? batch->key + batch->key_size : NULL;
	int ret = 0;

	if (last && user_read(last, attr->batch.in_batch, batch->key_size))
		return -EFAULT;
	while (batch->done < batch->count) {
		ret = map_user_next_key(batch->map, last, batch->key);
		if (ret)
			break;
		ret = map_user_lookup(batch->map, batch->key, batch->value, batch->flags);
		if (!ret)
			ret = write_element(batch, batch->key);
		else if (ret == -ENOENT)
			ret = 0; /* gone meanwhile, or an empty place of an array of maps */
		if (ret)
			break;
		last = batch->key + batch->key_size;
		memcpy(last, batch->key, batch->key_size);
	}
	if (ret != -EFAULT && batch->done &&
	    user_write(attr->batch.out_batch, last, batch->key_size))
		ret = -EFAULT;
	return ret;
}

/* --- look-up from slot to slot --- */

/* Linux takes maps out of maps in batches, but not one by one. */
static int take_one(struct batch *batch)
{
	int ret;

	if (!map_holds_objects(batch->map))
		return map_user_lookup_and_delete(batch->map, batch->key, batch->value,
						  batch->flags);
	ret = map_user_lookup(batch->map, batch->key, batch->value, batch->flags);
	return ret ? ret : map_user_delete(batch->map, batch->key);
}

/* One element; -ENOENT when another thread deleted it meanwhile. */
static int look_up_one(struct batch *batch, bool deletes)
{
	int ret = deletes ? take_one(batch)
			  : map_user_lookup(batch->map, batch->key, batch->value, batch->flags);

	return ret ? ret : write_element(batch, batch->key);
}

/* Ends with -ENOENT behind the last element, also when the last one filled the batch. */
static int look_up_slots(struct batch *batch, u32 *slot, bool deletes)
{
	int ret;

	for (;;) {
		ret = map_user_next_slot(batch->map, slot, batch->key);
		if (ret || batch->done == batch->count)
			return ret;
		ret = look_up_one(batch, deletes);
		if (ret && ret != -ENOENT)
			return ret;
		++*slot;
	}
}

static int look_up_hash(struct batch *batch, bool deletes)
{
	const union bpf_attr *attr = &batch->call->attr.v;
	u32 slot = 0;
	int ret = 0;

	if (attr->batch.in_batch)
		ret = user_read(&slot, attr->batch.in_batch, sizeof(slot));
	if (!ret)
		ret = look_up_slots(batch, &slot, deletes);
	if (ret != -EFAULT && user_write(attr->batch.out_batch, &slot, sizeof(slot)))
		ret = -EFAULT;
	return ret;
}

static int look_up(struct call *call, u32 mode, u64 types, bool deletes)
{
	struct batch batch;
	int ret = batch_init(call, mode, types, &batch);

	if (!ret && batch.count)
		ret = has_type(batch.map, hash_types) ? look_up_hash(&batch, deletes)
						      : look_up_keys(&batch);
	return batch_done(&batch, ret);
}

int command_map_lookup_batch(struct call *call)
{
	return look_up(call, DESCRIPTOR_READ, hash_types | key_types, false);
}

int command_map_lookup_and_delete_batch(struct call *call)
{
	return look_up(call, DESCRIPTOR_RDWR, hash_types, true);
}
