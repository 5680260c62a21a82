/* SPDX-License-Identifier: BSD-2-Clause */
/* Listing objects by id, and opening one. */
#include "map/map.h"
#include "sys/command.h"

#include <errno.h>

static int next_id(struct call *call, enum object_kind kind)
{
	u32 id = call->attr.v.start_id;

	if (id >= INT32_MAX)
		return call_fail(call, -EINVAL, "start_id %u", id);
	if (!engine_may(call->engine, SKEP_RIGHT_ADMIN))
		return call_fail(call, -EPERM, "listing ids needs CAP_SYS_ADMIN");
	descriptors_reap(call->engine);
	id = object_next_id(call->engine, kind, id);
	return id ? call_put(call, v.next_id, id) : -ENOENT;
}

int command_prog_get_next_id(struct call *call)
{
	return next_id(call, OBJECT_PROG);
}

int command_map_get_next_id(struct call *call)
{
	return next_id(call, OBJECT_MAP);
}

int command_btf_get_next_id(struct call *call)
{
	return next_id(call, OBJECT_BTF);
}

int command_link_get_next_id(struct call *call)
{
	return next_id(call, OBJECT_LINK);
}

static int open_by_id(struct call *call, enum object_kind kind, u32 mode)
{
	struct object *object;

	if (!engine_may(call->engine, SKEP_RIGHT_ADMIN))
		return call_fail(call, -EPERM, "opening by id needs CAP_SYS_ADMIN");
	descriptors_reap(call->engine);
	object = object_by_id(call->engine, kind, call->attr.v.map_id);
	return object ? call_hand_out(call, object, mode)
		      : call_fail(call, -ENOENT, "no such id %u", call->attr.v.map_id);
}

int command_prog_get_fd_by_id(struct call *call)
{
	return open_by_id(call, OBJECT_PROG, DESCRIPTOR_RDWR);
}

int command_link_get_fd_by_id(struct call *call)
{
	return open_by_id(call, OBJECT_LINK, DESCRIPTOR_RDWR);
}

int command_map_get_fd_by_id(struct call *call)
{
	u32 mode;

	if (!descriptor_mode_of_flags(call->attr.v.open_flags, &mode))
		return call_fail(call, -EINVAL, "open_flags %#x", call->attr.v.open_flags);
	return open_by_id(call, OBJECT_MAP, mode);
}

/* Its open_flags can only name a token, which skep does not have. */
int command_btf_get_fd_by_id(struct call *call)
{
	if (call->attr.v.open_flags)
		return call_fail(call, -EINVAL, "open_flags %#x", call->attr.v.open_flags);
	return open_by_id(call, OBJECT_BTF, DESCRIPTOR_RDWR);
}
