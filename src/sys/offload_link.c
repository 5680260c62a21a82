/* SPDX-License-Identifier: BSD-2-Clause */
/* The link of a program that a device runs. The device knows what is attached there. */
#include "hook/hook.h"
#include "net/net.h"
#include "sys/offload.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>

struct offload_link {
	struct link link;      /* first */
	struct device *device; /* reference */
	bool is_attached;      /* under `lock` */
};

/* What is at devices does not change in two ways at a time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct offload_link *of_link(const struct link *link)
{
	return (struct offload_link *)container_of(link, struct offload_link, link);
}

bool offload_is_wanted(const struct call *call)
{
	return call->attr.v.link_create.attach_type == BPF_XDP &&
	       call->attr.v.link_create.flags == XDP_FLAGS_HW_MODE;
}

static int ask_to_attach(struct device *device, const struct prog *prog, const struct prog *old,
			 struct skep_error *err)
{
	const struct device_attach head = {.prog = prog->offload->number,
					   .replaces = old ? old->offload->number : 0};

	return device_ask(device,
			  &(struct device_request){DEVICE_attach, &head, sizeof(head), {}, {}},
			  NULL, 0, err);
}

int offload_link_detach(struct link *link)
{
	struct offload_link *own = of_link(link);
	struct device_detach head;

	pthread_mutex_lock(&lock);
	head = (struct device_detach){.prog = link->prog->offload->number};
	/* A device that is gone runs nothing. */
	if (own->is_attached)
		device_ask(own->device,
			   &(struct device_request){DEVICE_detach, &head, sizeof(head), {}, {}},
			   NULL, 0, NULL);
	own->is_attached = false;
	pthread_mutex_unlock(&lock);
	return 0;
}

static void release(struct object *object)
{
	struct link *link = link_of_object(object);

	offload_link_detach(link);
	object_put(&link->prog->object);
	device_put(of_link(link)->device);
	free(of_link(link));
}

bool offload_is_link(const struct link *link)
{
	return link->object.release == release;
}

u32 offload_link_ifindex(const struct link *link)
{
	u32 ifindex;

	pthread_mutex_lock(&lock);
	ifindex = of_link(link)->is_attached && !device_check(of_link(link)->device, NULL)
			  ? link->ifindex
			  : 0;
	pthread_mutex_unlock(&lock);
	return ifindex;
}

/* Linux: a program that was loaded for another device, or for none. */
static int check(struct call *call, const struct prog *prog, u32 ifindex)
{
	if (!net_has_port(call->engine->net, ifindex))
		return call_fail(call, -EINVAL, "no port has ifindex %u", ifindex);
	if (prog->offload && prog->bound_ifindex == ifindex)
		return device_check(prog->offload->device, call->err);
	return call_fail(call, -EINVAL,
			 "XDP_FLAGS_HW_MODE: the program was not loaded for port %u "
			 "(prog_ifindex)",
			 ifindex);
}

static struct offload_link *new_link(struct prog *prog)
{
	struct offload_link *own = calloc(1, sizeof(*own));

	if (!own)
		return NULL;
	object_init(&own->link.object, OBJECT_LINK, release);
	own->link.type = BPF_LINK_TYPE_XDP;
	own->link.attach_type = BPF_XDP;
	own->link.ifindex = prog->bound_ifindex;
	object_get(&prog->object);
	own->link.prog = prog;
	own->device = device_get(prog->offload->device);
	return own;
}

int offload_link_create(struct call *call, struct prog *prog, struct link **out)
{
	struct offload_link *own;
	int ret = check(call, prog, call->attr.v.link_create.target_ifindex);

	if (ret)
		return ret;
	own = new_link(prog);
	if (!own)
		return -ENOMEM;
	ret = ask_to_attach(own->device, prog, NULL, call->err);
	own->is_attached = !ret;
	if (ret)
		object_put(&own->link.object);
	else
		*out = &own->link;
	return ret;
}

/* With the lock held. */
static int replace(struct call *call, struct offload_link *own, struct prog *prog,
		   const struct prog *expected)
{
	struct prog *old = own->link.prog;
	int ret;

	if (expected && expected != old)
		return -EPERM;
	if (!own->is_attached)
		return -ENOLINK;
	ret = ask_to_attach(own->device, prog, old, call->err);
	if (ret)
		return ret;
	object_get(&prog->object);
	own->link.prog = prog;
	object_put(&old->object);
	return 0;
}

int offload_link_update(struct call *call, struct link *link, struct prog *prog,
			const struct prog *expected)
{
	int ret = check(call, prog, link->ifindex);

	if (ret)
		return ret;
	pthread_mutex_lock(&lock);
	ret = replace(call, of_link(link), prog, expected);
	pthread_mutex_unlock(&lock);
	return ret;
}
