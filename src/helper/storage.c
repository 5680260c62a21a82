/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local storage. A program's task, inode or cgroup is an object (kernel_object.h) that names
 * its owner; a socket is a struct sock_ctx, which knows its owner.
 */
#include "catalog/ctx.h"
#include "helper/body.h"
#include "helper/kernel_task.h"
#include "map/local_storage.h"

#include <errno.h>

HELPER_BODY(get_current_task_btf)
{
	return ptr_to_u64(kernel_task_current(run));
}

static void *get(struct map *map, struct owner *owner, const void *initial, u64 flags)
{
	if (!owner || flags & ~(u64)BPF_LOCAL_STORAGE_GET_F_CREATE)
		return NULL;
	return flags ? local_storage_get(map, owner, initial) : local_storage_find(map, owner);
}

static int delete (struct map *map, struct owner *owner)
{
	return owner ? local_storage_delete(map, owner) : -EINVAL;
}

#define OWNED(kind)                                                                \
	HELPER_BODY(kind##_storage_get)                                            \
	{                                                                          \
		struct owner *owner = kernel_owner(run, u64_to_ptr(r2));           \
                                                                                   \
		return ptr_to_u64(get(u64_to_ptr(r1), owner, u64_to_ptr(r3), r4)); \
	}                                                                          \
	HELPER_BODY(kind##_storage_delete)                                         \
	{                                                                          \
		return delete (u64_to_ptr(r1), kernel_owner(run, u64_to_ptr(r2))); \
	}

OWNED(task)
OWNED(inode)
OWNED(cgrp)

static struct owner *socket_owner(struct sock_ctx *sk, const struct run_context *run)
{
	if (!sk || !run->env->owners)
		return NULL;
	if (sk->cookie) {
		const struct owner_key key = {OWNER_SOCKET, {sk->cookie}};

		return owner_make(run->env->owners, &key, -1);
	}
	if (!sk->owner)
		sk->owner = owner_unnamed(OWNER_SOCKET);
	return sk->owner;
}

HELPER_BODY(sk_storage_get)
{
	return ptr_to_u64(
		get(u64_to_ptr(r1), socket_owner(u64_to_ptr(r2), run), u64_to_ptr(r3), r4));
}

HELPER_BODY(sk_storage_delete)
{
	return delete (u64_to_ptr(r1), socket_owner(u64_to_ptr(r2), run));
}
