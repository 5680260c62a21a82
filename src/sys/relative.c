/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/relative.h"

#include <errno.h>

void relative_done(struct relative *relative)
{
	if (relative->link)
		object_put(&relative->link->object);
	if (relative->prog)
		object_put(&relative->prog->object);
	if (relative->replaced)
		object_put(&relative->replaced->object);
}

/* By number or descriptor; NULL with *ret set. */
static struct object *find_object(struct call *call, enum object_kind kind, u32 fd_or_id,
				  bool is_id, int *ret)
{
	struct object *object;

	if (!is_id)
		return descriptor_object(call->engine, (int)fd_or_id, kind, NULL, ret);
	object = object_by_id(call->engine, kind, fd_or_id);
	*ret = object ? 0 : -ENOENT;
	return object;
}

/* `type` BPF_PROG_TYPE_UNSPEC: any. */
static int find_relative(struct call *call, u32 flags, u32 fd_or_id, enum bpf_prog_type type,
			 struct relative *out)
{
	const bool is_id = flags & BPF_F_ID, is_link = flags & BPF_F_LINK;
	const struct prog *prog;
	struct object *object;
	int ret = 0;

	if (!is_link && !is_id && !fd_or_id)
		return 0;
	object = find_object(call, is_link ? OBJECT_LINK : OBJECT_PROG, fd_or_id, is_id, &ret);
	if (!object)
		return call_fail(call, ret, "%s %u to go beside is none",
				 is_id ? "number" : "descriptor", fd_or_id);
	if (is_link)
		out->link = link_of_object(object);
	else
		out->prog = container_of(object, struct prog, object);
	prog = is_link ? out->link->prog : out->prog;
	if (!prog || (type && prog->type != type))
		return call_fail(call, -EINVAL, "%u to go beside is of another type", fd_or_id);
	out->request.place.relative = prog;
	out->request.place.relative_link = out->link;
	return 0;
}

void relative_find(struct call *call, u32 flags, u32 fd_or_id, u64 revision,
		   enum bpf_prog_type type, struct relative *out)
{
	out->request.revision = revision;
	out->request.place.flags = flags & ~(BPF_F_ID | BPF_F_LINK);
	out->request.place.relative_error = find_relative(call, flags, fd_or_id, type, out);
}
