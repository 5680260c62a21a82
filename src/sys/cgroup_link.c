/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/cgroup_link.h"

#include "cgroup/groups.h"
#include "sys/relative.h"

#include <errno.h>

#define PLACE_FLAGS  (BPF_F_BEFORE | BPF_F_AFTER | BPF_F_ID | BPF_F_LINK)
#define LINK_FLAGS   (PLACE_FLAGS | BPF_F_PREORDER)
#define ATTACH_FLAGS (LINK_FLAGS | BPF_F_ALLOW_OVERRIDE | BPF_F_ALLOW_MULTI | BPF_F_REPLACE)

static int fail(struct call *call, int code, int fd)
{
	switch (code) {
	case -EBADF:
		return call_fail(call, code, "descriptor %d is no cgroup of the v2 tree", fd);
	case -EPERM:
		return call_fail(call, code,
				 "programs of this cgroup, or of one above, allow no other "
				 "(BPF_F_ALLOW_MULTI, BPF_F_ALLOW_OVERRIDE)");
	case -EINVAL:
		return call_fail(
			call, code,
			"flags that do not go together, or the program is there already");
	default: return code;
	}
}

/* Linux: programs that read contexts by their attach type run nowhere else. */
static int check_program(struct call *call, const struct prog *prog, u32 attach_type)
{
	if (prog->type == BPF_PROG_TYPE_SOCK_OPS || prog->attach_type == attach_type)
		return 0;
	return call_fail(call, -EINVAL, "the program was loaded for attach type %u, not %u",
			 prog->attach_type, attach_type);
}

int cgroup_link_create(struct call *call, struct prog *prog, struct link **out)
{
	const union bpf_attr *attr = &call->attr.v;
	struct relative relative = {};
	const struct group_request request = {.fd = (int)attr->link_create.target_fd,
					      .attach_type = attr->link_create.attach_type,
					      .flags = attr->link_create.flags,
					      .place = &relative.request};
	int ret = check_program(call, prog, request.attach_type);

	if (ret)
		return ret;
	if (request.flags & ~LINK_FLAGS)
		return call_fail(call, -EINVAL, "flags %#x of a link to a cgroup",
				 request.flags);
	relative_find(call, request.flags, call->attr.link_create.relative_fd,
		      call->attr.link_create.expected_revision, prog->type, &relative);
	ret = groups_link(call->engine->groups, &request, prog, out);
	relative_done(&relative);
	return fail(call, ret, request.fd);
}

static struct group_request request_of(const struct call *call, const struct relative *relative)
{
	return (struct group_request){.fd = (int)call->attr.v.target_fd,
				      .attach_type = call->attr.v.attach_type,
				      .flags = call->attr.v.attach_flags,
				      .place = &relative->request};
}

static int attach_beside(struct call *call, struct prog *prog, struct relative *relative)
{
	const struct group_request request = request_of(call, relative);
	int ret = 0;

	if (request.flags & BPF_F_REPLACE && request.flags & BPF_F_ALLOW_MULTI)
		relative->replaced = call_prog(call, (int)call->attr.v.replace_bpf_fd, &ret);
	if (ret)
		return ret;
	relative_find(call, request.flags, call->attr.detach.relative_fd,
		      call->attr.detach.expected_revision, prog->type, relative);
	descriptors_reap(call->engine);
	ret = groups_attach(call->engine->groups, &request, prog, relative->replaced);
	return fail(call, ret, request.fd);
}

int cgroup_attach(struct call *call, struct prog *prog)
{
	struct relative relative = {};
	int ret = check_program(call, prog, call->attr.v.attach_type);

	if (!ret && call->attr.v.attach_flags & ~ATTACH_FLAGS)
		ret = call_fail(call, -EINVAL, "attach_flags %#x", call->attr.v.attach_flags);
	if (ret)
		return ret;
	ret = attach_beside(call, prog, &relative);
	relative_done(&relative);
	return ret;
}

/* What is no program of the type counts as none. */
int cgroup_detach(struct call *call)
{
	const struct relative relative = {.request.revision =
						  call->attr.detach.expected_revision};
	const struct group_request request = request_of(call, &relative);
	int ret = 0;
	struct prog *prog;

	if (request.flags || call->attr.detach.relative_fd)
		return call_fail(call, -EINVAL, "flags or relative_fd, which are for TCX");
	descriptors_reap(call->engine);
	prog = call_prog(call, (int)call->attr.v.attach_bpf_fd, &ret);
	if (prog && !(attach_row(request.attach_type)->progs & PROG_BIT(prog->type))) {
		object_put(&prog->object);
		prog = NULL;
	}
	ret = fail(call, groups_detach(call->engine->groups, &request, prog), request.fd);
	if (prog)
		object_put(&prog->object);
	return ret;
}

static int write_ids(const struct call *call, const struct group_listing *listing, u32 count)
{
	const struct attr_query *to = &call->attr.query;
	int ret =
		user_write(call->attr.v.query.prog_ids, listing->prog_ids, count * sizeof(u32));

	for (u32 i = 0; to->prog_attach_flags && i < count && !ret; i++)
		ret = user_write(to->prog_attach_flags + i * sizeof(u32), &listing->flags,
				 sizeof(u32));
	return ret ? -EFAULT : 0;
}

static int answer(struct call *call, const struct group_listing *listing, bool is_effective)
{
	const u32 room = call->attr.v.query.prog_cnt;

	if (call_put(call, v.query.attach_flags, listing->flags) ||
	    call_put(call, v.query.prog_cnt, listing->count) ||
	    (!is_effective && call_put(call, query.revision, listing->revision)))
		return -EFAULT;
	if (!room || !call->attr.v.query.prog_ids || !listing->count)
		return 0;
	if (write_ids(call, listing, min(room, listing->count)))
		return -EFAULT;
	return room < listing->count ? -ENOSPC : 0;
}

int cgroup_query(struct call *call)
{
	const bool is_effective = call->attr.v.query.query_flags & BPF_F_QUERY_EFFECTIVE;
	const struct group_request request = {.fd = (int)call->attr.v.query.target_fd,
					      .attach_type = call->attr.v.query.attach_type};
	struct group_listing listing;
	int ret;

	if (is_effective && call->attr.query.prog_attach_flags)
		return call_fail(call, -EINVAL, "prog_attach_flags of effective programs");
	descriptors_reap(call->engine);
	ret = fail(call, groups_list(call->engine->groups, &request, is_effective, &listing),
		   request.fd);
	return ret ?: answer(call, &listing, is_effective);
}
