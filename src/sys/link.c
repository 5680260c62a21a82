/* SPDX-License-Identifier: BSD-2-Clause */
/* Links: programs at the hooks of ports. What only a kernel has is refused as Linux refuses it.
 */
#include "base/rcu.h"
#include "cgroup/groups.h"
#include "hook/hook.h"
#include "sys/cgroup_link.h"
#include "sys/command.h"
#include "sys/extension.h"
#include "sys/iterator.h"
#include "sys/offload.h"
#include "sys/port_link.h"
#include "sys/socket_attach.h"
#include "sys/socket_link.h"
#include "sys/struct_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define TYPE(name) (1ULL << BPF_##name)

/* What programs of these types sit on: nothing that skep has is one. */
static const u64 cgroup_types =
	TYPE(CGROUP_INET_INGRESS) | TYPE(CGROUP_INET_EGRESS) | TYPE(CGROUP_INET_SOCK_CREATE) |
	TYPE(CGROUP_SOCK_OPS) | TYPE(CGROUP_DEVICE) | TYPE(CGROUP_INET4_BIND) |
	TYPE(CGROUP_INET6_BIND) | TYPE(CGROUP_INET4_CONNECT) | TYPE(CGROUP_INET6_CONNECT) |
	TYPE(CGROUP_INET4_POST_BIND) | TYPE(CGROUP_INET6_POST_BIND) |
	TYPE(CGROUP_UDP4_SENDMSG) | TYPE(CGROUP_UDP6_SENDMSG) | TYPE(CGROUP_SYSCTL) |
	TYPE(CGROUP_UDP4_RECVMSG) | TYPE(CGROUP_UDP6_RECVMSG) | TYPE(CGROUP_GETSOCKOPT) |
	TYPE(CGROUP_SETSOCKOPT) | TYPE(CGROUP_INET4_GETPEERNAME) |
	TYPE(CGROUP_INET6_GETPEERNAME) | TYPE(CGROUP_INET4_GETSOCKNAME) |
	TYPE(CGROUP_INET6_GETSOCKNAME) | TYPE(CGROUP_INET_SOCK_RELEASE) | TYPE(LSM_CGROUP) |
	31ULL << 49; /* BPF_CGROUP_UNIX_*: newer than the header */
static const u64 descriptor_types = TYPE(SK_SKB_STREAM_PARSER) | TYPE(SK_SKB_STREAM_VERDICT) |
				    TYPE(SK_MSG_VERDICT) | TYPE(SK_SKB_VERDICT) |
				    TYPE(PERF_EVENT);

#undef TYPE

static bool is_one_of(u32 attach_type, u64 types)
{
	return attach_type < 64 && (types >> attach_type & 1);
}

/* Where skep has no hook, every target is one that Linux would refuse. */
static int refuse_target(struct call *call, u32 attach_type, int target)
{
	int code = -EINVAL;

	if (is_one_of(attach_type, cgroup_types))
		code = -EBADF;
	else if (is_one_of(attach_type, descriptor_types) && fcntl(target, F_GETFD) < 0)
		code = -EBADF;
	return call_fail(call, code, "skep has no hook for attach type %u", attach_type);
}

static int check_type(struct call *call, const struct prog *prog, u32 attach_type)
{
	const struct attach_row *row = attach_row(attach_type);

	if (prog->type == BPF_PROG_TYPE_EXT) /* attaches by its types, whatever is said here */
		return 0;
	if (row && (row->progs & PROG_BIT(prog->type)))
		return 0;
	return call_fail(call, -EINVAL, "attach type %u with program type %u", attach_type,
			 prog->type);
}

/* A program at a hook of the host; NULL: it attaches to something else. */
static struct skep_hook_point *host_point(struct call *call, const struct prog *prog)
{
	return prog->type == BPF_PROG_TYPE_TRACING
		       ? hosted_point(&call->engine->hosted, prog->attach_btf_id)
		       : NULL;
}

static int new_host_link(struct call *call, struct skep_hook_point *point, struct prog *prog,
			 u64 cookie, struct link **out)
{
	int ret = hook_point_attach(point, prog, cookie, out);

	return ret ? call_fail(call, ret, "hook %s() takes no further program",
			       point->row->name)
		   : 0;
}

int command_link_create(struct call *call)
{
	u32 attach_type = call->attr.v.link_create.attach_type;
	struct link *link;
	struct prog *prog;
	int ret = 0;

	if (attach_type == BPF_STRUCT_OPS)
		return struct_ops_link_create(call);
	prog = offload_is_wanted(call)
		       ? call_prog(call, (int)call->attr.v.link_create.prog_fd, &ret)
		       : call_prog_to_run(call, call->attr.v.link_create.prog_fd, &ret);
	if (!prog)
		return ret;
	/* A link that was closed leaves its hook before this one asks for it. */
	descriptors_reap(call->engine);
	ret = check_type(call, prog, attach_type);
	if (!ret && prog->type == BPF_PROG_TYPE_EXT)
		ret = extension_attach(call, prog, (int)call->attr.v.link_create.target_fd,
				       call->attr.v.link_create.target_btf_id, &link);
	else if (!ret && attach_type == BPF_XDP)
		ret = xdp_link_create(call, prog, &link);
	else if (!ret && is_tcx(attach_type))
		ret = tcx_link_create(call, prog, &link);
	else if (!ret && groups_have(attach_type))
		ret = cgroup_link_create(call, prog, &link);
	else if (!ret && socket_attach_is(attach_type))
		ret = socket_link_create(call, prog, &link);
	else if (!ret && attach_type == BPF_TRACE_ITER)
		ret = iterator_link_create(call, prog, &link);
	else if (!ret && host_point(call, prog))
		ret = new_host_link(call, host_point(call, prog), prog,
				    call->attr.v.link_create.tracing.cookie, &link);
	else if (!ret)
		ret = refuse_target(call, attach_type, (int)call->attr.v.link_create.target_fd);
	object_put(&prog->object);
	if (ret)
		return ret;
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

static int update_to(struct call *call, struct link *link, struct prog *new_prog)
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
	if (link->type == BPF_LINK_TYPE_TRACING)
		ret = call_fail(call, -EINVAL, "links of extensions keep their program");
	else if (link->type == BPF_LINK_TYPE_ITER)
		ret = iterator_link_update(call, link, new_prog, old);
	else if (link->type == BPF_LINK_TYPE_SOCKMAP)
		ret = socket_link_update(link, new_prog, old);
	else if (offload_is_link(link))
		ret = offload_link_update(call, link, new_prog, old);
	else
		ret = link_update(link, new_prog, old);
	if (old)
		object_put(&old->object);
	return ret;
}

static int update(struct call *call, struct link *link)
{
	int ret = 0;
	struct prog *prog = call_prog(call, call->attr.v.link_update.new_prog_fd, &ret);

	if (!prog)
		return ret;
	ret = prog->offload && !offload_is_link(link)
		      ? call_fail(call, -EINVAL, "the program runs at its device")
		      : update_to(call, link, prog);
	object_put(&prog->object);
	return ret;
}

int command_link_update(struct call *call)
{
	const union bpf_attr *attr = &call->attr.v;
	struct link *link;
	int ret = 0;

	if (attr->link_update.flags & ~BPF_F_REPLACE)
		return call_fail(call, -EINVAL, "flags %#x", attr->link_update.flags);
	link = call_link(call, attr->link_update.link_fd, &ret);
	if (!link)
		return ret;
	ret = link->type == BPF_LINK_TYPE_STRUCT_OPS ? struct_ops_link_update(call, link)
						     : update(call, link);
	object_put(&link->object);
	return ret;
}

int command_link_detach(struct call *call)
{
	int ret = 0;
	struct link *link = call_link(call, call->attr.v.link_detach.link_fd, &ret);

	if (!link)
		return ret;
	if (link->type == BPF_LINK_TYPE_STRUCT_OPS)
		ret = struct_ops_link_detach(link);
	else if (link->type == BPF_LINK_TYPE_SOCKMAP)
		ret = socket_link_detach(link);
	else if (offload_is_link(link))
		ret = offload_link_detach(link);
	else
		ret = link->type == BPF_LINK_TYPE_TRACING || link->type == BPF_LINK_TYPE_ITER
			      ? call_fail(call, -EOPNOTSUPP,
					  "extensions and iterators are detached by closing "
					  "their links")
			      : link_detach(link);
	object_put(&link->object);
	return ret;
}

/* --- what came before links; XDP never had it --- */

int command_prog_attach(struct call *call)
{
	const u32 known = is_tcx(call->attr.v.attach_type) ||
					  groups_have(call->attr.v.attach_type)
				  ? ~0u
				  : BPF_F_ALLOW_OVERRIDE | BPF_F_ALLOW_MULTI | BPF_F_REPLACE;
	const union bpf_attr *attr = &call->attr.v;
	struct prog *prog;
	int ret = 0;

	if (!attach_row(attr->attach_type) || (attr->attach_flags & ~known))
		return call_fail(call, -EINVAL, "attach_type %u, attach_flags %#x",
				 attr->attach_type, attr->attach_flags);
	prog = call_prog(call, attr->attach_bpf_fd, &ret);
	if (!prog)
		return ret;
	ret = check_type(call, prog, attr->attach_type);
	if (!ret && is_tcx(attr->attach_type))
		ret = tcx_attach(call, prog);
	else if (!ret && groups_have(attr->attach_type))
		ret = cgroup_attach(call, prog);
	else if (!ret && socket_attach_is(attr->attach_type))
		ret = socket_attach(call, prog);
	else if (!ret)
		ret = refuse_target(call, attr->attach_type, (int)attr->target_fd);
	object_put(&prog->object);
	return ret;
}

int command_prog_detach(struct call *call)
{
	const union bpf_attr *attr = &call->attr.v;

	if (is_tcx(attr->attach_type))
		return tcx_detach(call);
	if (groups_have(attr->attach_type))
		return cgroup_detach(call);
	if (socket_attach_is(attr->attach_type))
		return socket_detach(call);
	if (attr->attach_flags || call->attr.detach.relative_fd)
		return call_fail(call, -EINVAL, "flags or relative_fd, which are for TCX");
	return refuse_target(call, attr->attach_type, (int)attr->target_fd);
}

int command_prog_query(struct call *call)
{
	const union bpf_attr *attr = &call->attr.v;

	if (!engine_may(call->engine, SKEP_RIGHT_NET_ADMIN))
		return call_fail(call, -EPERM, "queries need CAP_NET_ADMIN");
	if (attr->query.query_flags & ~BPF_F_QUERY_EFFECTIVE)
		return call_fail(call, -EINVAL, "query_flags %#x", attr->query.query_flags);
	if (is_tcx(attr->query.attach_type))
		return tcx_query(call);
	/* Of those that skep cannot attach to a group there are none. */
	if (is_one_of(attr->query.attach_type, cgroup_types))
		return cgroup_query(call);
	if (socket_attach_is(attr->query.attach_type))
		return socket_query(call);
	return refuse_target(call, attr->query.attach_type, (int)attr->query.target_fd);
}

/* --- hooks of a kernel: tracing, iterators, tokens --- */

/* What libbpf calls for programs that attach by their types; the name is not looked at. */
static int open_extension(struct call *call, struct prog *prog)
{
	struct link *link;
	int ret = call->attr.v.raw_tracepoint.name
			  ? call_fail(call, -EINVAL, "an extension attaches to no tracepoint")
			  : extension_attach(call, prog, 0, 0, &link);

	return ret ? ret : call_hand_out(call, &link->object, DESCRIPTOR_RDWR);
}

int command_raw_tracepoint_open(struct call *call)
{
	int ret = 0;
	struct prog *prog = call_prog_to_run(call, call->attr.v.raw_tracepoint.prog_fd, &ret);
	struct skep_hook_point *point;
	struct link *link;
	char name[128];

	if (!prog)
		return ret;
	descriptors_reap(call->engine);
	point = call->attr.v.raw_tracepoint.name ? NULL : host_point(call, prog);
	if (prog->type == BPF_PROG_TYPE_EXT)
		ret = open_extension(call, prog);
	else if (point)
		ret = new_host_link(call, point, prog, call->attr.raw_tracepoint.cookie, &link);
	object_put(&prog->object);
	if (ret)
		return ret;
	if (point)
		return call_hand_out(call, &link->object, DESCRIPTOR_RDWR);
	if (user_read_string(name, call->attr.v.raw_tracepoint.name, sizeof(name)) < 0)
		return call_fail(call, -EFAULT, "the name cannot be read");
	return call_fail(call, -ENOENT, "skep has no tracepoint '%s'", name);
}

int command_iter_create(struct call *call)
{
	struct link *link;
	int ret = 0;

	if (call->attr.v.iter_create.flags)
		return call_fail(call, -EINVAL, "flags %#x", call->attr.v.iter_create.flags);
	link = call_link(call, call->attr.v.iter_create.link_fd, &ret);
	if (!link)
		return ret;
	ret = iterator_open(call, link);
	object_put(&link->object);
	return ret;
}

/* No task holds a tracing descriptor of skep: what is left is to say which part is wrong. */
int command_task_fd_query(struct call *call)
{
	const union bpf_attr *attr = &call->attr.v;
	char path[64];

	if (!engine_may(call->engine, SKEP_RIGHT_ADMIN))
		return call_fail(call, -EPERM, "queries of tasks need CAP_SYS_ADMIN");
	if (attr->task_fd_query.flags)
		return call_fail(call, -EINVAL, "flags %#x", attr->task_fd_query.flags);
	snprintf(path, sizeof(path), "/proc/%u", attr->task_fd_query.pid);
	if (access(path, F_OK))
		return call_fail(call, -ENOENT, "no process %u", attr->task_fd_query.pid);
	snprintf(path, sizeof(path), "/proc/%u/fd/%u", attr->task_fd_query.pid,
		 attr->task_fd_query.fd);
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW))
		return call_fail(call, -EBADF, "process %u has no descriptor %u",
				 attr->task_fd_query.pid, attr->task_fd_query.fd);
	return call_fail(call, -ENOTSUPP, "the descriptor is no tracing event");
}

int command_token_create(struct call *call)
{
	return call_fail(call, -EOPNOTSUPP, "skep has no BPF tokens");
}
