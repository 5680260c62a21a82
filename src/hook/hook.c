/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One lock for all hooks: attaching is rare, and a link must be able to lose its hook while
 * another thread detaches the link. Readers take no lock.
 */
#include "hook/hook.h"

#include <errno.h>
#include <stdlib.h>

static pthread_mutex_t hook_lock = PTHREAD_MUTEX_INITIALIZER;

void hook_lock_all(void)
{
	pthread_mutex_lock(&hook_lock);
}

void hook_unlock_all(void)
{
	pthread_mutex_unlock(&hook_lock);
}

void hook_init(struct hook *hook, enum bpf_attach_type attach_type, u32 ifindex)
{
	*hook = (struct hook){
		.attach_type = attach_type, .ifindex = ifindex, .queues = 1, .revision = 1};
}

/* --- what readers may still see is freed after a grace period --- */

static void chain_free_later(struct rcu_head *rcu)
{
	free(container_of(rcu, struct chain, rcu));
}

static void attachment_free_later(struct rcu_head *rcu)
{
	struct attachment *attachment = container_of(rcu, struct attachment, rcu);

	if (!attachment->link)
		object_put(&attachment->prog->object);
	attachment_free(attachment);
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

/* --- with hook_lock held --- */

static void set_chain(struct hook *hook, struct chain *chain)
{
	struct chain *old = hook->chain;

	rcu_assign_pointer(hook->chain, chain);
	if (old)
		call_rcu(&old->rcu, chain_free_later);
	/* Linux forgets a hook that is empty. */
	hook->revision = chain ? hook->revision + 1 : 1;
}

static void remove_at(struct hook *hook, u32 index)
{
	struct attachment *attachment = hook->chain->at[index];
	struct chain *less = attachment->for_less;

	if (hook->chain->count > 1) {
		attachment->for_less = NULL;
		chain_remove(less, hook->chain, index);
		set_chain(hook, less);
	} else {
		set_chain(hook, NULL);
	}
	call_rcu(&attachment->rcu, attachment_free_later);
}

static int index_of_link(const struct hook *hook, const struct link *link)
{
	for (u32 i = 0; hook->chain && i < hook->chain->count; i++)
		if (hook->chain->at[i]->link == link)
			return (int)i;
	return -ENOENT;
}

static void link_leave_hook(struct link *link)
{
	if (!link->hook)
		return;
	remove_at(link->hook, (u32)index_of_link(link->hook, link));
	link->hook = NULL;
	link->ifindex = 0;
}

void hook_done(struct hook *hook)
{
	pthread_mutex_lock(&hook_lock);
	while (hook->chain) {
		if (hook->chain->at[0]->link)
			link_leave_hook(hook->chain->at[0]->link);
		else
			remove_at(hook, 0);
	}
	pthread_mutex_unlock(&hook_lock);
}

/* --- what fits where --- */

static bool prog_fits(const struct hook *hook, const struct prog *prog)
{
	if (hook->cgroup) {
		const struct attach_row *row = attach_row(hook->attach_type);

		return row->progs & PROG_BIT(prog->type) &&
		       (prog->type == BPF_PROG_TYPE_SOCK_OPS ||
			prog->attach_type == hook->attach_type);
	}
	if (hook->btf_id)
		return prog->type == BPF_PROG_TYPE_TRACING &&
		       prog->attach_type == hook->attach_type &&
		       prog->attach_btf_id == hook->btf_id;
	if (hook->attach_type == BPF_TCX_INGRESS || hook->attach_type == BPF_TCX_EGRESS)
		return prog->type == BPF_PROG_TYPE_SCHED_CLS;
	if (hook->attach_type != BPF_XDP || prog->type != BPF_PROG_TYPE_XDP)
		return false;
	if (prog->bound_ifindex && prog->bound_ifindex != hook->ifindex)
		return false;
	/* Linux: programs made for map entries do not run on a device, 0 is "not said". */
	return prog->attach_type == BPF_XDP || prog->attach_type == 0;
}

/* The attachment is the chain's afterwards, else the caller's. */
static int insert(struct hook *hook, const struct hook_request *request,
		  struct attachment *attachment, struct chain *with_it)
{
	int index;

	if (request->revision && request->revision != hook->revision)
		return -ESTALE;
	index = chain_index(hook->chain, attachment->prog, &request->place);
	if (index < 0)
		return index;
	attachment->priority = request->place.priority;
	attachment->proceed_on = request->place.proceed_on;
	attachment->is_alone = request->place.is_alone;
	attachment->is_generic = request->place.is_generic;
	attachment->is_first = request->place.is_first;
	chain_insert(with_it, hook->chain, (u32)index, attachment);
	set_chain(hook, with_it);
	return 0;
}

/* `link` NULL: the attachment has a reference of its own. */
static int attach(struct hook *hook, struct prog *prog, struct link *link,
		  const struct hook_request *request)
{
	struct chain *with_it;
	struct attachment *attachment = attachment_new(hook->queues, &with_it);
	int ret;

	if (!attachment)
		return -ENOMEM;
	if (prog->bound_ifindex && request->place.is_generic) {
		free(with_it);
		attachment_free(attachment);
		return -EINVAL;
	}
	attachment->prog = prog;
	attachment->link = link;
	pthread_mutex_lock(&hook_lock);
	ret = insert(hook, request, attachment, with_it);
	pthread_mutex_unlock(&hook_lock);
	if (ret) {
		free(with_it);
		attachment_free(attachment);
		return ret;
	}
	object_get(&prog->object);
	return 0;
}

/* --- links --- */

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

int link_new(struct hook *hook, enum bpf_link_type type, struct prog *prog,
	     const struct hook_request *request, struct link **out)
{
	static const struct hook_request alone = {.place.is_alone = true};
	struct link *link;
	int ret;

	if (!prog_fits(hook, prog))
		return -EINVAL;
	link = calloc(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	object_init(&link->object, OBJECT_LINK, link_release);
	link->type = type;
	link->attach_type = hook->attach_type;
	link->ifindex = hook->ifindex;
	link->cgroup = hook->cgroup;
	link->cookie = request ? request->cookie : 0;
	link->prog = prog;
	link->hook = hook;
	ret = attach(hook, prog, link, request ?: &alone);
	if (ret) {
		free(link);
		return ret;
	}
	*out = link;
	return 0;
}

static bool is_attached(const struct hook *hook, const struct prog *prog)
{
	for (u32 i = 0; hook->chain && i < hook->chain->count; i++)
		if (hook->chain->at[i]->prog == prog)
			return true;
	return false;
}

/* With hook_lock held. */
static void replace_at(struct hook *hook, u32 index, struct prog *prog)
{
	rcu_assign_pointer(hook->chain->at[index]->prog, prog);
	hook->revision++;
}

/* The same. `old` receives the program whose reference is to be dropped; NULL: none. */
static int link_replace(struct link *link, struct prog *prog, struct prog *expected,
			struct prog **old)
{
	*old = NULL;
	if (!link->hook)
		return -ENOLINK;
	if (expected && expected != link->prog)
		return -EPERM;
	if (!prog_fits(link->hook, prog) ||
	    (link->type == BPF_LINK_TYPE_XDP && prog->attach_type != link->prog->attach_type))
		return -EINVAL;
	if (prog == link->prog)
		return 0;
	if (!link->hook->cgroup && is_attached(link->hook, prog))
		return -EEXIST;
	*old = link->prog;
	link->prog = prog;
	object_get(&prog->object);
	replace_at(link->hook, (u32)index_of_link(link->hook, link), prog);
	return 0;
}

int link_update(struct link *link, struct prog *prog, struct prog *expected)
{
	struct old_prog *old = malloc(sizeof(*old));
	int ret;

	if (!old)
		return -ENOMEM;
	pthread_mutex_lock(&hook_lock);
	ret = link_replace(link, prog, expected, &old->prog);
	pthread_mutex_unlock(&hook_lock);
	if (ret || !old->prog)
		free(old);
	else
		call_rcu(&old->rcu, old_prog_put);
	return ret;
}

int link_detach(struct link *link)
{
	pthread_mutex_lock(&hook_lock);
	link_leave_hook(link);
	pthread_mutex_unlock(&hook_lock);
	return 0;
}

/* --- without links --- */

/* With hook_lock held. */
static int replace(struct hook *hook, struct prog *prog, const struct hook_request *request,
		   struct prog **old)
{
	int index;

	if (request->revision && request->revision != hook->revision)
		return -ESTALE;
	index = chain_index(hook->chain, prog, &request->place);
	if (index < 0)
		return index;
	*old = hook->chain->at[index]->prog;
	object_get(&prog->object);
	replace_at(hook, (u32)index, prog);
	return 0;
}

static int attach_in_place(struct hook *hook, struct prog *prog,
			   const struct hook_request *request)
{
	struct old_prog *old = malloc(sizeof(*old));
	int ret;

	if (!old)
		return -ENOMEM;
	pthread_mutex_lock(&hook_lock);
	ret = replace(hook, prog, request, &old->prog);
	pthread_mutex_unlock(&hook_lock);
	if (ret)
		free(old);
	else
		call_rcu(&old->rcu, old_prog_put);
	return ret;
}

int hook_attach(struct hook *hook, struct prog *prog, const struct hook_request *request)
{
	if (!prog_fits(hook, prog))
		return -EINVAL;
	return request->place.flags & BPF_F_REPLACE ? attach_in_place(hook, prog, request)
						    : attach(hook, prog, NULL, request);
}

int hook_detach(struct hook *hook, const struct prog *prog, const struct hook_request *request)
{
	int index;

	pthread_mutex_lock(&hook_lock);
	if (!hook->chain)
		index = -ENOENT;
	else if (request->place.flags & BPF_F_REPLACE)
		index = -EINVAL;
	else if (request->revision && request->revision != hook->revision)
		index = -ESTALE;
	else
		index = chain_find(hook->chain, prog, &request->place);
	if (index >= 0)
		remove_at(hook, (u32)index);
	pthread_mutex_unlock(&hook_lock);
	return min(index, 0);
}

int hook_take_off(struct hook *hook, const struct prog *prog)
{
	int ret = -ENOENT;

	pthread_mutex_lock(&hook_lock);
	for (u32 i = 0; hook->chain && i < hook->chain->count && ret; i++) {
		const struct attachment *at = hook->chain->at[i];

		if (at->link || (prog && at->prog != prog))
			continue;
		remove_at(hook, i);
		ret = 0;
	}
	pthread_mutex_unlock(&hook_lock);
	return ret;
}

u32 hook_list(struct hook *hook, struct hook_listing *out, u32 room, u64 *revision)
{
	u32 count;

	pthread_mutex_lock(&hook_lock);
	count = hook->chain ? hook->chain->count : 0;
	for (u32 i = 0; i < min(count, room); i++) {
		const struct attachment *attachment = hook->chain->at[i];

		out[i] = (struct hook_listing){
			.prog_id = attachment->prog->object.id,
			.link_id = attachment->link ? attachment->link->object.id : 0};
	}
	*revision = hook->revision;
	pthread_mutex_unlock(&hook_lock);
	return count;
}
