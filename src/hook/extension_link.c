/* SPDX-License-Identifier: BSD-2-Clause */
#include "hook/extension_link.h"
#include "run/extension.h"

#include <errno.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void extension_lock(void)
{
	pthread_mutex_lock(&lock);
}

void extension_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

struct extension_link {
	struct link link; /* first */
	struct extension_place place;
};

static struct extension_link *of_link(struct link *link)
{
	return container_of(link, struct extension_link, link);
}

const struct extension_place *extension_link_place(const struct link *link)
{
	return &of_link((struct link *)link)->place;
}

static void free_link(struct rcu_head *rcu)
{
	struct extension_link *link = of_link(container_of(rcu, struct link, rcu));

	object_put(&link->link.prog->object);
	object_put(&link->place.prog->object);
	free(link);
}

/* A run may still be in the extension: the references fall after a grace period. */
static void release(struct object *object)
{
	struct extension_link *link = of_link(link_of_object(object));

	extension_lock();
	extension_set(link->place.prog, link->place.subprog, NULL);
	extension_unlock();
	call_rcu(&link->link.rcu, free_link);
}

static struct extension_link *new_link(struct prog *extension,
				       const struct extension_place *place)
{
	struct extension_link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	object_init(&link->link.object, OBJECT_LINK, release);
	link->link.type = BPF_LINK_TYPE_TRACING;
	link->link.prog = extension;
	link->place = *place;
	return link;
}

int extension_link_new(struct prog *extension, const struct extension_place *place,
		       struct link **out)
{
	struct extension_link *link;

	if (extension_of(place->prog->code, place->subprog))
		return -EBUSY;
	link = new_link(extension, place);
	if (!link)
		return -ENOMEM;
	object_get(&place->prog->object);
	object_get(&extension->object);
	extension_set(place->prog, place->subprog, extension);
	if (extension->target)
		object_put(&extension->target->object);
	extension->target = NULL;
	*out = &link->link;
	return 0;
}

struct prog *extension_target(struct prog *extension)
{
	struct prog *target;

	extension_lock();
	target = extension->target;
	if (target)
		object_get(&target->object);
	extension_unlock();
	return target;
}
