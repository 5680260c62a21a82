/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands on one element of a map. */
#include "hook/extension_link.h"
#include "map/account.h"
#include "map/device.h"
#include "sys/extension.h"
#include "sys/map_value.h"
#include "sys/offload.h"

#include <errno.h>
#include <stdlib.h>

/* One command on one element: the map and copies of what the caller's pointers show. */
struct element {
	struct map *map; /* reference */
	void *key;	 /* owned; NULL: the map has no keys */
	void *value;	 /* owned */
	u32 value_size;
};

static void element_done(struct element *element)
{
	free(element->key);
	free(element->value);
	if (element->map)
		object_put(&element->map->object);
}

static int read_key(struct call *call, const struct map *map, u64 user_key, void **out)
{
	int ret;

	*out = NULL;
	if (!map->desc.key_size && user_key)
		return call_fail(call, -EINVAL, "a key for a map that has none");
	ret = user_duplicate(user_key, map->desc.key_size, out);
	return ret ? call_fail(call, ret, "the key cannot be read") : 0;
}

static int check_lock(struct call *call, const struct map *map, u64 flags)
{
	if ((flags & BPF_F_LOCK) && map_desc_field(&map->desc, BTF_FIELD_SPIN_LOCK) < 0)
		return call_fail(call, -EINVAL, "BPF_F_LOCK on values without a spin lock");
	return 0;
}

/* Opens map and key, and makes room for a value. `allowed`: the flags that the command takes.
 */
static int element_init(struct call *call, u32 mode, u64 allowed, struct element *element)
{
	const union bpf_attr *attr = &call->attr.v;
	int ret = 0;

	*element = (struct element){0};
	if (attr->flags & ~allowed)
		return call_fail(call, -EINVAL, "flags %#llx", attr->flags);
	element->map = call_map(call, (int)attr->map_fd, mode, &ret);
	if (!element->map)
		return ret;
	ret = check_lock(call, element->map, attr->flags);
	if (!ret)
		ret = read_key(call, element->map, attr->key, &element->key);
	if (ret)
		return ret;
	element->value_size = map_user_value_size(element->map);
	element->value = calloc(1, element->value_size ? element->value_size : 1);
	return element->value ? 0 : call_fail(call, -ENOMEM, "no memory for the value");
}

static int write_value(struct call *call, const struct element *element)
{
	if (!user_write(call->attr.v.value, element->value, element->value_size))
		return 0;
	return call_fail(call, -EFAULT, "the value cannot be written");
}

/* A device that went during the call is told of as one that was gone before. */
static int result(struct call *call, const struct element *element, int ret)
{
	return ret == -ENODEV && element->map
		       ? offload_check(call, map_offloaded(element->map)) ?: ret
		       : ret;
}

int command_map_lookup_elem(struct call *call)
{
	struct element element;
	int ret = element_init(call, DESCRIPTOR_READ, BPF_F_LOCK, &element);

	/* A bloom filter's key comes in the value. */
	if (!ret && element.map->desc.type == BPF_MAP_TYPE_BLOOM_FILTER)
		ret = user_read(element.value, call->attr.v.value, element.value_size);
	if (!ret)
		ret = map_user_lookup(element.map, element.key, element.value,
				      call->attr.v.flags);
	if (!ret)
		ret = write_value(call, &element);
	ret = result(call, &element, ret);
	element_done(&element);
	return ret;
}

/* Whether the object may be in the map: 0 or a negative errno. */
static int admit(struct map *map, struct object *object)
{
	struct prog *prog = container_of(object, struct prog, object);
	int ret;

	if (map->desc.type != BPF_MAP_TYPE_PROG_ARRAY || object->kind != OBJECT_PROG)
		return 0;
	ret = owner_admit(map, prog);
	return ret ? ret : extension_prove_member(prog);
}

/* `found`: what looking for the object (NULL: none) came to. */
static int update_object(struct map *map, const void *key, struct object *object, u64 flags,
			 int found)
{
	int ret = object ? admit(map, object) : found, refused;

	if (ret && object)
		return ret;
	refused = map_user_update_object(map, key, object, flags);
	return refused ? refused : ret;
}

static int update_plain(struct call *call, struct map *map, const void *key, const void *value,
			u64 flags)
{
	if (map->desc.type == BPF_MAP_TYPE_STRUCT_OPS)
		return map_value_update_ops(call, map, key, value, flags);
	if (map_device_program(map, value))
		return map_value_update_device(call, map, key, value, flags);
	return map_user_update(map, key, value, flags);
}

int map_value_update(struct call *call, struct map *map, const void *key, const void *value,
		     u64 flags)
{
	bool holds_progs = map->desc.type == BPF_MAP_TYPE_PROG_ARRAY;
	struct object *object;
	int ret = 0;

	if (!map_holds_objects(map)) {
		ret = update_plain(call, map, key, value, flags);
		if (ret == -ENOMEM && account_was_refused(map->account))
			account_refuse(map->account, map->desc.name, call->err);
		return ret;
	}
	object = descriptor_any(call->engine, *(const s32 *)value, NULL, &ret);
	if (holds_progs) {
		descriptors_reap(call->engine); /* programs are extended no longer */
		extension_lock();
	}
	ret = update_object(map, key, object, flags, ret);
	if (holds_progs)
		extension_unlock();
	object_put(object);
	return ret;
}

int command_map_update_elem(struct call *call)
{
	struct element element;
	int ret = element_init(call, DESCRIPTOR_WRITE, ~0ULL, &element);

	if (!ret && user_read(element.value, call->attr.v.value, element.value_size))
		ret = call_fail(call, -EFAULT, "the value cannot be read");
	if (!ret)
		ret = map_value_update(call, element.map, element.key, element.value,
				       call->attr.v.flags);
	ret = result(call, &element, ret);
	element_done(&element);
	return ret;
}

int command_map_delete_elem(struct call *call)
{
	struct element element = {0};
	int ret = 0;

	element.map = call_map(call, call->attr.v.map_fd, DESCRIPTOR_WRITE, &ret);
	if (!ret)
		ret = read_key(call, element.map, call->attr.v.key, &element.key);
	if (!ret)
		ret = map_user_delete(element.map, element.key);
	ret = result(call, &element, ret);
	element_done(&element);
	return ret;
}

int command_map_lookup_and_delete_elem(struct call *call)
{
	struct element element;
	int ret = element_init(call, DESCRIPTOR_RDWR, BPF_F_LOCK, &element);

	if (!ret)
		ret = map_user_lookup_and_delete(element.map, element.key, element.value,
						 call->attr.v.flags);
	if (!ret)
		ret = write_value(call, &element);
	ret = result(call, &element, ret);
	element_done(&element);
	return ret;
}

int command_map_get_next_key(struct call *call)
{
	const union bpf_attr *attr = &call->attr.v;
	struct element element = {0};
	int ret = 0;

	element.map = call_map(call, attr->map_fd, DESCRIPTOR_READ, &ret);
	if (!ret && attr->key)
		ret = read_key(call, element.map, attr->key, &element.key);
	if (!ret) {
		element.value = malloc(max(element.map->desc.key_size, 1));
		ret = element.value ? map_user_next_key(element.map, element.key, element.value)
				    : -ENOMEM;
	}
	if (!ret && user_write(attr->next_key, element.value, element.map->desc.key_size))
		ret = call_fail(call, -EFAULT, "the next key cannot be written");
	ret = result(call, &element, ret);
	element_done(&element);
	return ret;
}

int command_map_freeze(struct call *call)
{
	int ret = 0;
	struct map *map = call_map(call, call->attr.v.map_fd, DESCRIPTOR_WRITE, &ret);

	if (!map)
		return ret;
	ret = map_freeze(map);
	object_put(&map->object);
	return ret;
}
