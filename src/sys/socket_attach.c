/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/socket_attach.h"

#include "map/socket.h"
#include "run/run.h"

#include <errno.h>

bool socket_attach_kind(u32 attach_type, enum socket_prog *out)
{
	switch (attach_type) {
	case BPF_SK_MSG_VERDICT: *out = SOCKET_PROG_MSG; return true;
	case BPF_SK_SKB_STREAM_PARSER: *out = SOCKET_PROG_PARSER; return true;
	case BPF_SK_SKB_STREAM_VERDICT: *out = SOCKET_PROG_STREAM_VERDICT; return true;
	case BPF_SK_SKB_VERDICT: *out = SOCKET_PROG_VERDICT; return true;
	default: return false;
	}
}

bool socket_attach_is(u32 attach_type)
{
	enum socket_prog kind;

	return socket_attach_kind(attach_type, &kind);
}

static struct map *target_map(struct call *call, int *ret)
{
	return call_map(call, (int)call->attr.v.target_fd, 0, ret);
}

static int check_map(struct call *call, const struct map *map)
{
	if (map_has_socket_progs(map))
		return 0;
	return call_fail(call, -EOPNOTSUPP, "descriptor %u is no sockmap or sockhash",
			 call->attr.v.target_fd);
}

static int fail(struct call *call, int code)
{
	switch (code) {
	case -EBUSY:
		return call_fail(call, code,
				 "the map has a verdict of the other kind "
				 "(sk_skb/verdict, sk_skb/stream_verdict)");
	case -ENOENT: return call_fail(call, code, "this program is not attached to the map");
	default: return code;
	}
}

void socket_attach_want(const struct prog *prog, struct map *map)
{
	map_socket_want(map);
	for (u32 i = 0; i < prog->map_cnt; i++)
		if (map_has_socket_progs(prog->maps[i]))
			map_socket_want(prog->maps[i]);
}

/* The map, for the caller to put, and the kind of program that the call speaks of. */
static struct map *find_target(struct call *call, enum socket_prog *kind, int *ret)
{
	if (call->attr.v.attach_flags || call->attr.v.replace_bpf_fd) {
		*ret = call_fail(call, -EINVAL, "flags, or a program to replace");
		return NULL;
	}
	socket_attach_kind(call->attr.v.attach_type, kind);
	return target_map(call, ret);
}

int socket_attach(struct call *call, struct prog *prog)
{
	enum socket_prog kind = SOCKET_PROG_MSG;
	int ret = 0;
	struct map *map = find_target(call, &kind, &ret);

	if (!map)
		return ret;
	ret = check_map(call, map);
	if (!ret)
		ret = fail(call, map_socket_attach(map, kind, &prog->object, NULL));
	if (!ret)
		socket_attach_want(prog, map);
	object_put(&map->object);
	return ret;
}

static int detach(struct call *call, struct map *map, enum socket_prog kind)
{
	int ret = 0;
	struct prog *prog = call_prog(call, (int)call->attr.v.attach_bpf_fd, &ret);

	if (!prog)
		return ret;
	if (!(attach_row(call->attr.v.attach_type)->progs & PROG_BIT(prog->type)))
		ret = call_fail(call, -EINVAL, "a program of another type");
	else
		ret = check_map(call, map);
	if (!ret)
		ret = fail(call, map_socket_attach(map, kind, NULL, &prog->object));
	object_put(&prog->object);
	return ret;
}

int socket_detach(struct call *call)
{
	enum socket_prog kind = SOCKET_PROG_MSG;
	int ret = 0;
	struct map *map = find_target(call, &kind, &ret);

	if (!map)
		return ret;
	ret = detach(call, map, kind);
	object_put(&map->object);
	return ret;
}

/* There is one program, or none. */
static int answer(struct call *call, const struct object *prog)
{
	const union bpf_attr *attr = &call->attr.v;
	const u32 count = prog ? 1 : 0;

	if (attr->query.prog_ids && attr->query.prog_cnt && count &&
	    user_write(attr->query.prog_ids, &prog->id, sizeof(prog->id)))
		return -EFAULT;
	return call_put(call, v.query.attach_flags, 0u)
		       ?: call_put(call, v.query.prog_cnt, count);
}

int socket_query(struct call *call)
{
	enum socket_prog kind = SOCKET_PROG_MSG;
	struct object *prog = NULL;
	int ret = 0;
	struct map *map;

	if (call->attr.v.query.query_flags)
		return call_fail(call, -EINVAL, "query_flags %#x",
				 call->attr.v.query.query_flags);
	map = target_map(call, &ret);
	if (!map)
		return ret;
	socket_attach_kind(call->attr.v.query.attach_type, &kind);
	ret = check_map(call, map);
	if (!ret)
		ret = fail(call, map_socket_prog(map, kind, &prog));
	if (!ret)
		ret = answer(call, prog);
	object_put(prog);
	object_put(&map->object);
	return ret;
}
