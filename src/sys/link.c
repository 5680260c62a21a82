/* SPDX-License-Identifier: BSD-2-Clause */
/* Links: programs at the hooks of ports. */
#include "base/rcu.h"
#include "hook/hook.h"
#include "net/net.h"
#include "sys/command.h"

#include <errno.h>
#include <linux/if_link.h>

/* Links and PROG_ATTACH to hooks that only a kernel has. */
static int refuse_hook(struct call *call, u32 attach_type)
{
	return call_fail(call, -EINVAL, "skep has no hook for attach type %u", attach_type);
}

static int new_xdp_link(struct call *call, struct prog *prog, struct link **out)
{
	const union bpf_attr *attr = &call->attr.v;
	struct hook *hook;
	int ret;

	if (attr->link_create.flags & ~XDP_FLAGS_MODES)
		return call_fail(call, -EINVAL, "flags %#x of an XDP link",
				 attr->link_create.flags);
	rcu_read_lock();
	hook = net_hook(call->engine->net, attr->link_create.target_ifindex, BPF_XDP);
	ret = hook ? link_new(hook, BPF_LINK_TYPE_XDP, prog, out) : -EINVAL;
	rcu_read_unlock();
	if (!hook)
		return call_fail(call, ret, "no port has ifindex %u",
				 attr->link_create.target_ifindex);
	return ret;
}

int command_link_create(struct call *call)
{
	u32 attach_type = call->attr.v.link_create.attach_type;
	struct link *link;
	int ret = 0;
	struct prog *prog = call_prog(call, call->attr.v.link_create.prog_fd, &ret);

	if (!prog)
		return ret;
	if (attach_type != BPF_XDP || prog->type != BPF_PROG_TYPE_XDP)
		ret = refuse_hook(call, attach_type);
	else
		ret = new_xdp_link(call, prog, &link);
	object_put(&prog->object);
	if (ret)
		return ret;
	descriptors_reap(call->engine);
	return call_hand_out(call, &link->object, DESCRIPTOR_RDWR);
}

static struct link *call_link(struct call *call, int fd, int *ret)
{
	struct object *object = descriptor_object(call->engine, fd, OBJECT_LINK, NULL, ret);

	if (object)
		return link_of_object(object);
	call_fail(call, *ret, "descriptor %d is no link", fd);
	return NULL;
}

static int update(struct call *call, struct link *link, struct prog *new_prog)
{
	const union bpf_attr *attr = &call->attr.v;
	struct prog *old = NULL;
	int ret = 0;

	if (attr->link_update.flags & BPF_F_REPLACE) {
		old = call_prog(call, attr->link_update.old_prog_fd, &ret);
		if (!old)
			return ret;
	} else if (attr->link_update.old_prog_fd) {
		return call_fail(call, -EINVAL, "old_prog_fd without BPF_F_REPLACE");
	}
	ret = link_update(link, new_prog, old);
	if (old)
		object_put(&old->object);
	return ret;
}

int command_link_update(struct call *call)
{
	const union bpf_attr *attr = &call->attr.v;
	struct link *link;
	struct prog *prog;
	int ret = 0;

	if (attr->link_update.flags & ~BPF_F_REPLACE)
		return call_fail(call, -EINVAL, "flags %#x", attr->link_update.flags);
	link = call_link(call, attr->link_update.link_fd, &ret);
	if (!link)
		return ret;
	prog = call_prog(call, attr->link_update.new_prog_fd, &ret);
	if (prog) {
		ret = update(call, link, prog);
		object_put(&prog->object);
	}
	object_put(&link->object);
	return ret;
}

int command_link_detach(struct call *call)
{
	int ret = 0;
	struct link *link = call_link(call, call->attr.v.link_detach.link_fd, &ret);

	if (!link)
		return ret;
	ret = link_detach(link);
	object_put(&link->object);
	return ret;
}

/* --- what came before links; XDP never had it --- */

static bool is_unknown_attach_type(u32 type)
{
	return type >= __MAX_BPF_ATTACH_TYPE;
}

int command_prog_attach(struct call *call)
{
	const u32 known = BPF_F_ALLOW_OVERRIDE | BPF_F_ALLOW_MULTI | BPF_F_REPLACE;

	if (is_unknown_attach_type(call->attr.v.attach_type))
		return call_fail(call, -EINVAL, "attach_type %u", call->attr.v.attach_type);
	if (call->attr.v.attach_flags & ~known)
		return call_fail(call, -EINVAL, "attach_flags %#x", call->attr.v.attach_flags);
	return refuse_hook(call, call->attr.v.attach_type);
}

int command_prog_detach(struct call *call)
{
	return refuse_hook(call, call->attr.v.attach_type);
}

int command_prog_query(struct call *call)
{
	if (!engine_may(call->engine, SKEP_RIGHT_NET_ADMIN))
		return call_fail(call, -EPERM, "queries need CAP_NET_ADMIN");
	return refuse_hook(call, call->attr.v.query.attach_type);
}

/* --- hooks of a kernel: tracing, iterators, tokens --- */

int command_raw_tracepoint_open(struct call *call)
{
	int ret = 0;
	struct prog *prog = call_prog(call, call->attr.v.raw_tracepoint.prog_fd, &ret);
	char name[128];

	if (!prog)
		return ret;
	object_put(&prog->object);
	if (user_read_string(name, call->attr.v.raw_tracepoint.name, sizeof(name)) < 0)
		return call_fail(call, -EFAULT, "the name cannot be read");
	return call_fail(call, -ENOENT, "skep has no tracepoint '%s'", name);
}

int command_iter_create(struct call *call)
{
	if (call->attr.v.iter_create.flags)
		return call_fail(call, -EINVAL, "flags %#x", call->attr.v.iter_create.flags);
	return call_fail(call, -EINVAL, "skep has no iterators");
}

int command_task_fd_query(struct call *call)
{
	if (!engine_may(call->engine, SKEP_RIGHT_ADMIN))
		return call_fail(call, -EPERM, "queries of tasks need CAP_SYS_ADMIN");
	if (call->attr.v.task_fd_query.flags)
		return call_fail(call, -EINVAL, "flags %#x", call->attr.v.task_fd_query.flags);
	return call_fail(call, -EOPNOTSUPP, "no task holds a tracing descriptor of skep");
}

int command_token_create(struct call *call)
{
	return call_fail(call, -EOPNOTSUPP, "skep has no BPF tokens");
}

/* Streams carry what bpf_stream_vprintk() writes, which is a kernel function. */
int command_prog_stream_read_by_fd(struct call *call)
{
	return call_fail(call, -EOPNOTSUPP, "skep has no program streams");
}
