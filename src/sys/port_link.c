/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/port_link.h"
#include "base/rcu.h"
#include "catalog/ctx.h"
#include "hook/hook.h"
#include "map/route.h"
#include "net/net.h"
#include "sys/offload.h"
#include "sys/relative.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <stdlib.h>

/* The next program runs after TC_ACT_UNSPEC, which tcx calls TCX_NEXT. */
#define AFTER_NEXT  1u
#define PLACE_FLAGS (BPF_F_REPLACE | BPF_F_BEFORE | BPF_F_AFTER | BPF_F_ID | BPF_F_LINK)

bool is_tcx(u32 attach_type)
{
	return attach_type == BPF_TCX_INGRESS || attach_type == BPF_TCX_EGRESS;
}

static int no_port(struct call *call, int code, u32 ifindex)
{
	return call_fail(call, code, "no port has ifindex %u", ifindex);
}

/* What fits the first page of a frame: Linux's limit of veth, without the header. */
#define MTU_WITHOUT_FRAGS (4096 - PACKET_HEADROOM - 320 - ETH_HLEN)

int xdp_check_mtu(struct call *call, const struct prog *prog, u32 ifindex, bool is_generic)
{
	const struct route_device *device;
	u32 mtu;

	rcu_read_lock();
	device = call->engine->env.routes ? routes_device(call->engine->env.routes, ifindex)
					  : NULL;
	mtu = device ? device->mtu : 0;
	rcu_read_unlock();
	if (is_generic || prog_has_frags(prog) || mtu <= MTU_WITHOUT_FRAGS)
		return 0;
	return call_fail(call, -ERANGE,
			 "port %u has an MTU of %u: programs that know nothing of fragments "
			 "(xdp.frags) take %d, or run generically",
			 ifindex, mtu, MTU_WITHOUT_FRAGS);
}

int xdp_link_create(struct call *call, struct prog *prog, struct link **out)
{
	const union bpf_attr *attr = &call->attr.v;
	const u32 ifindex = attr->link_create.target_ifindex, mode = attr->link_create.flags;
	const struct hook_request request = {
		.place = {.is_alone = true, .is_generic = mode == XDP_FLAGS_SKB_MODE}};
	struct hook *hook;
	int ret;

	if (mode & ~XDP_FLAGS_MODES || (mode & (mode - 1)))
		return call_fail(call, -EINVAL, "flags %#x of an XDP link", mode);
	if (mode == XDP_FLAGS_HW_MODE)
		return offload_link_create(call, prog, out);
	ret = xdp_check_mtu(call, prog, ifindex, request.place.is_generic);
	if (ret)
		return ret;
	rcu_read_lock();
	hook = net_hook(call->engine->net, ifindex, BPF_XDP);
	ret = hook ? link_new(hook, BPF_LINK_TYPE_XDP, prog, &request, out) : -EINVAL;
	rcu_read_unlock();
	return hook ? ret : no_port(call, ret, ifindex);
}

/* --- where a tc program goes --- */

static void find_place(struct call *call, u32 flags, u32 fd_or_id, u64 revision,
		       enum bpf_prog_type type, struct relative *out)
{
	relative_find(call, flags, fd_or_id, revision, type, out);
	out->request.place.proceed_on = AFTER_NEXT;
}

typedef int hook_call(struct hook *hook, struct relative *relative, void *cookie);

/* The call with the port's hook, which links that were closed have left, or -ENODEV. */
static int at_hook(struct call *call, u32 ifindex, u32 attach_type, struct relative *relative,
		   hook_call *do_it, void *cookie)
{
	struct hook *hook;
	int ret;

	descriptors_reap(call->engine);
	rcu_read_lock();
	hook = net_hook(call->engine->net, ifindex, attach_type);
	ret = hook ? do_it(hook, relative, cookie) : -ENODEV;
	rcu_read_unlock();
	return hook ? ret : no_port(call, ret, ifindex);
}

struct new_link {
	struct prog *prog;
	struct link **out;
};

static int make_link(struct hook *hook, struct relative *relative, void *cookie)
{
	const struct new_link *link = cookie;

	return link_new(hook, BPF_LINK_TYPE_TCX, link->prog, &relative->request, link->out);
}

int tcx_link_create(struct call *call, struct prog *prog, struct link **out)
{
	const union bpf_attr *attr = &call->attr.v;
	struct new_link link = {prog, out};
	struct relative relative = {};
	int ret;

	find_place(call, attr->link_create.flags, call->attr.link_create.relative_fd,
		   call->attr.link_create.expected_revision, prog->type, &relative);
	ret = at_hook(call, attr->link_create.target_ifindex, attr->link_create.attach_type,
		      &relative, make_link, &link);
	relative_done(&relative);
	return ret;
}

static int attach_at(struct hook *hook, struct relative *relative, void *prog)
{
	return hook_attach(hook, prog, &relative->request);
}

static int attach_beside(struct call *call, struct prog *prog, struct relative *relative)
{
	const union bpf_attr *attr = &call->attr.v;
	int ret = 0;

	if (attr->attach_flags & BPF_F_REPLACE) {
		relative->replaced = call_prog(call, attr->replace_bpf_fd, &ret);
		if (!relative->replaced)
			return ret;
		if (relative->replaced->type != prog->type)
			return call_fail(call, -EINVAL, "replace_bpf_fd %u is no tc program",
					 attr->replace_bpf_fd);
	}
	relative->request.place.replaced = relative->replaced;
	find_place(call, attr->attach_flags, call->attr.detach.relative_fd,
		   call->attr.detach.expected_revision, prog->type, relative);
	return at_hook(call, attr->target_fd, attr->attach_type, relative, attach_at, prog);
}

int tcx_attach(struct call *call, struct prog *prog)
{
	struct relative relative = {};
	int ret = call->attr.v.attach_flags & ~PLACE_FLAGS
			  ? call_fail(call, -EINVAL, "attach_flags %#x",
				      call->attr.v.attach_flags)
			  : attach_beside(call, prog, &relative);

	relative_done(&relative);
	return ret;
}

static int detach_at(struct hook *hook, struct relative *relative, void *prog)
{
	return hook_detach(hook, prog, &relative->request);
}

static int detach_beside(struct call *call, struct prog *prog, struct relative *relative)
{
	const union bpf_attr *attr = &call->attr.v;

	if (attr->attach_flags & ~PLACE_FLAGS)
		return call_fail(call, -EINVAL, "attach_flags %#x", attr->attach_flags);
	find_place(call, attr->attach_flags, call->attr.detach.relative_fd,
		   call->attr.detach.expected_revision,
		   prog ? prog->type : BPF_PROG_TYPE_UNSPEC, relative);
	return at_hook(call, attr->target_fd, attr->attach_type, relative, detach_at, prog);
}

int tcx_detach(struct call *call)
{
	const u32 fd = call->attr.v.attach_bpf_fd;
	struct relative relative = {};
	struct prog *prog = NULL;
	int ret = 0;

	if (fd) {
		prog = call_prog(call, (int)fd, &ret);
		if (!prog)
			return ret;
		if (prog->type != BPF_PROG_TYPE_SCHED_CLS)
			ret = call_fail(call, -EINVAL, "descriptor %u is no tc program", fd);
	}
	ret = ret ?: detach_beside(call, prog, &relative);
	relative_done(&relative);
	if (prog)
		object_put(&prog->object);
	return ret;
}

/* --- what is attached --- */
struct query {
	struct hook_listing entries[CHAIN_MAX];
	u32 count;
	u64 revision;
};

static int list_hook(struct hook *hook, struct relative *relative, void *cookie)
{
	struct query *query = cookie;

	query->count = hook_list(hook, query->entries, CHAIN_MAX, &query->revision);
	return 0;
}

/* One member of each, to an array of the caller's; 0: it wants none. Flags there are none. */
static int write_ids(const struct query *query, u64 to, u32 count, size_t member)
{
	int ret = 0;

	for (u32 i = 0; to && i < count && !ret; i++)
		ret = user_write(to + i * sizeof(u32), (const u8 *)&query->entries[i] + member,
				 sizeof(u32));
	return ret;
}

static int write_flags(u64 to, u32 count)
{
	const u32 none = 0;
	int ret = 0;

	for (u32 i = 0; to && i < count && !ret; i++)
		ret = user_write(to + i * sizeof(u32), &none, sizeof(none));
	return ret;
}

static int write_query(struct call *call, const struct query *query)
{
	const struct attr_query *to = &call->attr.query;
	const u64 prog_ids = call->attr.v.query.prog_ids;
	const u32 room = call->attr.v.query.prog_cnt, count = min(query->count, room);

	if (call_put(call, v.query.attach_flags, 0) ||
	    call_put(call, query.revision, query->revision) ||
	    call_put(call, v.query.prog_cnt, query->count))
		return -EFAULT;
	if (!count || !prog_ids)
		return 0;
	if (write_ids(query, prog_ids, count, offsetof(struct hook_listing, prog_id)) ||
	    write_flags(to->prog_attach_flags, count) ||
	    write_ids(query, to->link_ids, count, offsetof(struct hook_listing, link_id)) ||
	    write_flags(to->link_attach_flags, count))
		return -EFAULT;
	return count < query->count ? -ENOSPC : 0;
}

int tcx_query(struct call *call)
{
	const union bpf_attr *attr = &call->attr.v;
	struct query query;
	int ret;

	if (attr->query.attach_flags)
		return call_fail(call, -EINVAL, "attach_flags %#x", attr->query.attach_flags);
	ret = at_hook(call, attr->query.target_fd, attr->query.attach_type, NULL, list_hook,
		      &query);
	return ret ?: write_query(call, &query);
}
