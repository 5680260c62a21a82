/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps of a device's programs: the device has them, and user space is asked through the
 * channel. */
#include "device/device.h"
#include "map/ops.h"

#include <string.h>

struct offloaded_map {
	struct map map;
	struct device_handle *handle; /* owned */
};

static struct device_handle *handle_of(const struct map *map)
{
	return container_of(map, struct offloaded_map, map)->handle;
}

static int ask(const struct map *map, const struct device_request *request, void *answer,
	       size_t room)
{
	int got = device_ask(handle_of(map)->device, request, answer, room, NULL);

	/* An answer of another length is none. */
	return got < 0 ? got : (size_t)got == room ? 0 : -EIO;
}

static int offload_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	const struct device_map_lookup head = {.map = handle_of(map)->number, .flags = flags};
	const struct device_request request = {
		DEVICE_map_lookup, &head, sizeof(head), {key}, {map->desc.key_size}};

	return ask(map, &request, value, map->desc.value_size);
}

static int offload_update(struct map *map, const void *key, const void *value, u64 flags)
{
	const struct device_map_update head = {.map = handle_of(map)->number, .flags = flags};
	const struct device_request request = {DEVICE_map_update,
					       &head,
					       sizeof(head),
					       {key, value},
					       {map->desc.key_size, map->desc.value_size}};

	return flags > BPF_EXIST ? -EINVAL : ask(map, &request, NULL, 0);
}

static int offload_delete(struct map *map, const void *key)
{
	const struct device_map_delete head = {.map = handle_of(map)->number};
	const struct device_request request = {
		DEVICE_map_delete, &head, sizeof(head), {key}, {map->desc.key_size}};

	return ask(map, &request, NULL, 0);
}

static int offload_next_key(struct map *map, const void *key, void *next)
{
	const struct device_map_next_key head = {.map = handle_of(map)->number};
	const struct device_request request = {DEVICE_map_next_key,
					       &head,
					       sizeof(head),
					       {key},
					       {key ? map->desc.key_size : 0}};

	return ask(map, &request, next, map->desc.key_size);
}

static int offload_init(struct map *map)
{
	return 0;
}

static void offload_done(struct map *map)
{
	device_handle_free(handle_of(map));
}

static const struct map_ops map_offload = {
	.size = sizeof(struct offloaded_map),
	.waits = true,
	.init = offload_init,
	.done = offload_done,
	.user_lookup = offload_lookup,
	.user_update = offload_update,
	.user_delete = offload_delete,
	.next_key = offload_next_key,
};

const struct device_handle *map_offloaded(const struct map *map)
{
	return map->ops == &map_offload ? handle_of(map) : NULL;
}

static int check(struct map_desc *desc, struct skep_error *err)
{
	if (desc->type != BPF_MAP_TYPE_ARRAY && desc->type != BPF_MAP_TYPE_HASH)
		return map_refuse(desc, err, -EINVAL,
				  "devices have maps of type array and hash only");
	if (desc->key_size > DEVICE_KEY_MAX || desc->value_size > DEVICE_VALUE_MAX)
		return map_refuse(desc, err, -E2BIG,
				  "devices take keys of 512 bytes, values of 4 MiB");
	if (desc->flags & BPF_F_MMAPABLE)
		return map_refuse(desc, err, -EINVAL,
				  "a device shares no memory: globals and BPF_F_MMAPABLE are "
				  "not for its programs, arrays and hashes are");
	return desc->fields.kinds ? map_refuse(desc, err, -ENOTSUPP,
					       "devices have no locks, timers or pointers in "
					       "values")
				  : 0;
}

static int create_there(const struct map_desc *desc, struct device *device,
			struct device_handle **out, struct skep_error *err)
{
	struct device_map_create head = {
		.type = desc->type,
		.key_size = desc->key_size,
		.value_size = desc->value_size,
		.max_entries = desc->max_entries,
		.flags = desc->flags & ~(u32)BPF_F_NUMA_NODE,
	};
	struct device_made made;
	int got;

	memcpy(head.name, desc->name, sizeof(head.name));
	got = device_ask(
		device,
		&(struct device_request){DEVICE_map_create, &head, sizeof(head), {}, {}}, &made,
		sizeof(made), err);
	if (got < 0)
		return got;
	if (got != sizeof(made))
		return map_refuse(desc, err, -EIO, "the device's answer is none");
	*out = device_handle_new(device, &made);
	return *out ? 0 : map_refuse(desc, err, -ENOMEM, "out of memory");
}

static int take_memory(struct map *map, const struct map_world *world, struct skep_error *err)
{
	int code = map_take_memory(map, world);

	if (!code)
		return 0;
	device_handle_free(handle_of(map));
	map_refuse(&map->desc, err, code, "out of memory");
	map_drop(map);
	return code;
}

int map_make_offloaded(const struct map_desc *given, struct device *device,
		       const struct map_world *world, struct map **out, struct skep_error *err)
{
	struct map_desc desc = map_desc_normal(given);
	const struct map_ops *ops = map_ops(desc.type);
	struct device_handle *handle;
	struct map *map;
	int code;

	if (!ops)
		return map_refuse(&desc, err, -EINVAL, "no such map type");
	code = map_check(&desc, ops, NULL, err) ?: check(&desc, err);
	code = code ?: create_there(&desc, device, &handle, err);
	if (code)
		return code;
	map = map_new_structure(&desc, &map_offload, world);
	if (!map) {
		device_handle_free(handle);
		return map_refuse(&desc, err, -ENOMEM, "out of memory");
	}
	container_of(map, struct offloaded_map, map)->handle = handle;
	code = take_memory(map, world, err);
	if (!code)
		*out = map;
	return code;
}
