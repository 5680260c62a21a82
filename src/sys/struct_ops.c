/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/struct_ops.h"

#include "map/struct_ops.h"
#include "sys/map_value.h"
#include "sys/prog_details.h"

#include <errno.h>
#include <stdlib.h>

/* --- updates --- */

static int find_program(void *cookie, int fd, u32 type, u32 index, struct object **out)
{
	struct call *call = cookie;
	struct prog *prog;
	int ret = 0;

	if (!fd)
		return 0;
	prog = call_prog(call, fd, &ret);
	if (!prog)
		return ret;
	if (prog->type == BPF_PROG_TYPE_STRUCT_OPS &&
	    prog->attach_btf_id == type && prog->attach_type == index) {
		*out = &prog->object;
		return 0;
	}
	object_put(&prog->object);
	return call_fail(call, -EINVAL, "program %d does not implement member %u", fd, index);
}

int map_value_update_ops(struct call *call, struct map *map, const void *key, const void *value,
			 u64 flags)
{
	if (map->desc.frozen)
		return -EPERM;
	return map_struct_ops_update(map, key, value, flags, find_program, call);
}

/* --- links --- */

struct ops_link {
	struct link link; /* first */
	struct map *map;  /* reference; NULL: detached; under `lock` */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct ops_link *of_link(struct link *link)
{
	return container_of(link, struct ops_link, link);
}

static void leave(struct map *map)
{
	if (!map)
		return;
	map_struct_ops_count_links(map, -1);
	object_put(&map->object);
}

static struct map *exchange(struct link *link, struct map *map)
{
	struct map *old;

	pthread_mutex_lock(&lock);
	old = of_link(link)->map;
	of_link(link)->map = map;
	pthread_mutex_unlock(&lock);
	return old;
}

static void release(struct object *object)
{
	struct link *link = link_of_object(object);

	leave(exchange(link, NULL));
	free(of_link(link));
}

static struct map *ready_map(struct call *call, int fd, int *ret)
{
	struct map *map = call_map(call, fd, 0, ret);

	if (!map || map_struct_ops_is_ready(map))
		return map;
	object_put(&map->object);
	*ret = call_fail(call, -EINVAL, "map %d has no structure that a link may register", fd);
	return NULL;
}

int struct_ops_link_create(struct call *call)
{
	struct ops_link *link;
	int ret = 0;
	struct map *map = ready_map(call, (int)call->attr.v.link_create.prog_fd, &ret);

	if (!map)
		return ret;
	link = calloc(1, sizeof(*link));
	if (!link) {
		object_put(&map->object);
		return call_fail(call, -ENOMEM, "out of memory");
	}
	object_init(&link->link.object, OBJECT_LINK, release);
	link->link.type = BPF_LINK_TYPE_STRUCT_OPS;
	link->link.attach_type = BPF_STRUCT_OPS;
	link->map = map;
	map_struct_ops_count_links(map, 1);
	return call_hand_out(call, &link->link.object, DESCRIPTOR_RDWR);
}

static int replace(struct link *link, struct map *map, const struct map *expected)
{
	struct map *old;
	int ret;

	pthread_mutex_lock(&lock);
	old = of_link(link)->map;
	ret = !old ? -ENOLINK : expected && old != expected ? -EPERM : 0;
	ret = ret ?: map_struct_ops_may_replace(map, old);
	if (!ret) {
		of_link(link)->map = map;
		object_get(&map->object);
		map_struct_ops_count_links(map, 1);
	}
	pthread_mutex_unlock(&lock);
	if (!ret)
		leave(old);
	return ret;
}

int struct_ops_link_update(struct call *call, struct link *link)
{
	const union bpf_attr *attr = &call->attr.v;
	struct map *map, *expected = NULL;
	int ret = 0;

	map = call_map(call, (int)attr->link_update.new_prog_fd, 0, &ret);
	if (!map)
		return ret;
	if (attr->link_update.flags & BPF_F_REPLACE)
		expected = call_map(call, (int)attr->link_update.old_prog_fd, 0, &ret);
	else if (attr->link_update.old_prog_fd)
		ret = call_fail(call, -EINVAL, "old_map_fd without BPF_F_REPLACE");
	if (!ret && !map_struct_ops_is_ready(map))
		ret = call_fail(call, -EINVAL, "the map has no structure to register");
	ret = ret ?: replace(link, map, expected);
	if (expected)
		object_put(&expected->object);
	object_put(&map->object);
	return ret;
}

int struct_ops_link_detach(struct link *link)
{
	leave(exchange(link, NULL));
	return 0;
}

u32 struct_ops_link_map(struct link *link)
{
	u32 id;

	pthread_mutex_lock(&lock);
	id = of_link(link)->map ? of_link(link)->map->object.id : 0;
	pthread_mutex_unlock(&lock);
	return id;
}
