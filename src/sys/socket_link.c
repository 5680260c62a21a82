/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/socket_link.h"

#include "sys/socket_attach.h"

#include <errno.h>
#include <stdlib.h>

struct socket_link {
	struct link link; /* first */
	enum socket_prog kind;
	struct map *map; /* reference, as a descriptor has one; NULL: detached; under `lock` */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct socket_link *of_link(struct link *link)
{
	return container_of(link, struct socket_link, link);
}

int socket_link_detach(struct link *link)
{
	struct socket_link *own = of_link(link);
	struct map *map;

	pthread_mutex_lock(&lock);
	map = own->map;
	own->map = NULL;
	if (map)
		map_socket_attach_link(map, own->kind, NULL, &link->prog->object, own);
	pthread_mutex_unlock(&lock);
	if (map)
		engine_drop_user(&map->object);
	return 0;
}

static void release(struct object *object)
{
	struct link *link = link_of_object(object);

	socket_link_detach(link);
	object_put(&link->prog->object);
	free(of_link(link));
}

static struct socket_link *new_link(u32 attach_type, struct prog *prog, struct map *map)
{
	struct socket_link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	object_init(&link->link.object, OBJECT_LINK, release);
	link->link.type = BPF_LINK_TYPE_SOCKMAP;
	link->link.attach_type = attach_type;
	link->link.prog = prog;
	link->map = map;
	socket_attach_kind(attach_type, &link->kind);
	return link;
}

static int link_to(struct call *call, struct prog *prog, struct map *map, struct link **out)
{
	struct socket_link *link;
	int ret;

	if (!map_has_socket_progs(map))
		return call_fail(call, -EINVAL, "descriptor %u is no sockmap or sockhash",
				 call->attr.v.link_create.target_fd);
	link = new_link(call->attr.v.link_create.attach_type, prog, map);
	if (!link)
		return -ENOMEM;
	ret = map_socket_attach_link(map, link->kind, &prog->object, NULL, link);
	if (ret) {
		free(link);
		return call_fail(call, ret,
				 "the map has a link there, or a verdict of the other kind");
	}
	object_get(&prog->object);
	atomic_fetch_add(&map->object.users, 1);
	object_get(&map->object);
	socket_attach_want(prog, map);
	*out = &link->link;
	return 0;
}

int socket_link_create(struct call *call, struct prog *prog, struct link **out)
{
	struct map *map;
	int ret = 0;

	if (call->attr.v.link_create.flags)
		return call_fail(call, -EINVAL, "flags %#x of a link to a map",
				 call->attr.v.link_create.flags);
	map = call_map(call, (int)call->attr.v.link_create.target_fd, 0, &ret);
	if (!map)
		return ret;
	ret = link_to(call, prog, map, out);
	object_put(&map->object);
	return ret;
}

/* With the lock held. */
static int replace(struct socket_link *link, struct prog *prog, const struct prog *expected)
{
	struct prog *old = link->link.prog;
	int ret;

	if (expected && expected != old)
		return -EPERM;
	if (prog->type != old->type || prog->attach_type != old->attach_type)
		return -EINVAL;
	if (!link->map)
		return -ENOLINK;
	ret = map_socket_attach_link(link->map, link->kind, &prog->object, &old->object, link);
	if (ret)
		return ret;
	object_get(&prog->object);
	link->link.prog = prog;
	object_put(&old->object);
	return 0;
}

int socket_link_update(struct link *link, struct prog *prog, const struct prog *expected)
{
	int ret;

	pthread_mutex_lock(&lock);
	ret = replace(of_link(link), prog, expected);
	pthread_mutex_unlock(&lock);
	return ret;
}

u32 socket_link_map(struct link *link)
{
	u32 id;

	pthread_mutex_lock(&lock);
	id = of_link(link)->map ? of_link(link)->map->object.id : 0;
	pthread_mutex_unlock(&lock);
	return id;
}
