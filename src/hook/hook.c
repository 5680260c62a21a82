/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One lock for all hooks: attaching is rare, and a link must be able to lose its hook while
 * another thread detaches the link. Readers take no lock.
 */
#include "hook/hook.h"

#include <errno.h>
#include <stdlib.h>

static pthread_mutex_t hook_lock = PTHREAD_MUTEX_INITIALIZER;

void hook_init(struct hook *hook, enum bpf_attach_type attach_type, u32 ifindex)
{
	*hook = (struct hook){.attach_type = attach_type, .ifindex = ifindex};
}

/* Called with hook_lock held. */
static void link_leave_hook(struct link *link)
{
	if (!link->hook)
		return;
	rcu_assign_pointer(link->hook->prog, NULL);
	link->hook->link = NULL;
	link->hook = NULL;
	link->ifindex = 0;
}

void hook_done(struct hook *hook)
{
	pthread_mutex_lock(&hook_lock);
	if (hook->link)
		link_leave_hook(hook->link);
	pthread_mutex_unlock(&hook_lock);
}

static void link_free(struct rcu_head *rcu)
{
	struct link *link = container_of(rcu, struct link, rcu);

	object_put(&link->prog->object);
	free(link);
}

/* A reader may still run the program: the reference falls after a grace period. */
static void link_release(struct object *object)
{
	struct link *link = link_of_object(object);

	link_detach(link);
	call_rcu(&link->rcu, link_free);
}

static bool prog_fits(const struct hook *hook, const struct prog *prog)
{
	if (hook->btf_id)
		return prog->type == BPF_PROG_TYPE_TRACING &&
		       prog->attach_type == hook->attach_type &&
		       prog->attach_btf_id == hook->btf_id;
	if (hook->attach_type != BPF_XDP || prog->type != BPF_PROG_TYPE_XDP)
		return false;
	/* Linux: programs made for map entries do not run on a device, 0 is "not said". */
	return prog->attach_type == BPF_XDP || prog->attach_type == 0;
}

/* Called with hook_lock held. */
static int hook_take(struct hook *hook, struct link *link)
{
	if (hook->link)
		return -EBUSY;
	hook->link = link;
	rcu_assign_pointer(hook->prog, link->prog);
	return 0;
}

int link_new(struct hook *hook, enum bpf_link_type type, struct prog *prog, struct link **out)
{
	struct link *link;
	int err;

	if (!prog_fits(hook, prog))
		return -EINVAL;
	link = calloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	object_init(&link->object, OBJECT_LINK, link_release);
	link->type = type;
	link->attach_type = hook->attach_type;
	link->ifindex = hook->ifindex;
	link->prog = prog;
	link->hook = hook;
	pthread_mutex_lock(&hook_lock);
	err = hook_take(hook, link);
	pthread_mutex_unlock(&hook_lock);
	if (err) {
		free(link);
		return err;
	}
	object_get(&prog->object);
	*out = link;
	return 0;
}

struct old_prog {
	struct rcu_head rcu;
	struct prog *prog;
};

static void old_prog_put(struct rcu_head *rcu)
{
	struct old_prog *old = container_of(rcu, struct old_prog, rcu);

	object_put(&old->prog->object);
	free(old);
}

/* Called with hook_lock held. `old` receives the program whose reference is to be dropped. */
static int link_replace(struct link *link, struct prog *prog, struct prog *expected,
			struct old_prog *old)
{
	if (!link->hook)
		return -ENOLINK;
	if (expected && expected != link->prog)
		return -EPERM;
	if (!prog_fits(link->hook, prog) || prog->attach_type != link->prog->attach_type)
		return -EINVAL;
	old->prog = link->prog;
	link->prog = prog;
	object_get(&prog->object);
	rcu_assign_pointer(link->hook->prog, prog);
	return 0;
}

int link_update(struct link *link, struct prog *prog, struct prog *expected)
{
	struct old_prog *old = malloc(sizeof(*old));
	int err;

	if (!old)
		return -ENOMEM;
	pthread_mutex_lock(&hook_lock);
	err = link_replace(link, prog, expected, old);
	pthread_mutex_unlock(&hook_lock);
	if (err)
		free(old);
	else
		call_rcu(&old->rcu, old_prog_put);
	return err;
}

int link_detach(struct link *link)
{
	pthread_mutex_lock(&hook_lock);
	link_leave_hook(link);
	pthread_mutex_unlock(&hook_lock);
	return 0;
}
