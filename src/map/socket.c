/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps of sockets that programs send through: sockmap, by index, and sockhash, by key. */
#include "map/owner.h"
#include "map/socket_map.h"

static int hash_check(struct map_desc *desc, struct skep_error *err)
{
	if (!desc->max_entries || !desc->key_size || !socket_map_holds(desc))
		return map_refuse(desc, err, -EINVAL, "values are sockets: 4 or 8 bytes");
	if (desc->key_size > SOCKET_KEY_MAX)
		return map_refuse(desc, err, -E2BIG, "keys of more than 512 bytes");
	return 0;
}

/* --- from programs --- */

static void *lookup(struct map *map, const void *key, u32 slot)
{
	return map_socket_find(map, key);
}

/* The value is a socket: one that another map has. */
static int update(struct map *map, const void *key, const void *value, u64 flags, u32 slot)
{
	const struct sock_ctx *sk = value;
	int err = sk && sk->entry ? socket_check_map(sk) : -EOPNOTSUPP;

	err = err ?: socket_map_check_place(map, key, flags);
	return err ?: socket_map_put(map, key, sk->entry, flags);
}

static int sockmap_delete(struct map *map, const void *key, u32 slot)
{
	return socket_map_take_out(map, key) ? -EINVAL : 0;
}

static int sockhash_delete(struct map *map, const void *key, u32 slot)
{
	return socket_map_take_out(map, key);
}

/* --- from user space --- */

static int user_update(struct map *map, const void *key, const void *value, u64 flags)
{
	struct socket_entry entry = {};
	int err = socket_map_read(map, value, &entry);

	err = err ?: socket_check_map(&entry.sk);
	err = err ?: socket_map_check_place(map, key, flags);
	return err ?: socket_map_put_open(map, key, &entry, flags);
}

static int sockmap_user_delete(struct map *map, const void *key)
{
	return socket_map_user_delete(map, key) ? -EINVAL : 0;
}

int map_socket_update(struct map *map, const void *key, int fd, struct sock_ctx *sk, u64 flags)
{
	struct socket_entry entry = {.sk = *sk, .fd = fd};
	const struct owner_key owner = {OWNER_SOCKET, {sk->cookie}};
	int err = socket_check_map(sk);

	entry.sk.descriptor = 0;
	/* Who tells when it is closed. */
	if (!err && !owner_make(map->owners, &owner, fd))
		err = -ENOMEM;

	err = err ?: socket_map_check_place(map, key, flags);
	return err ?: socket_map_put(map, key, &entry, flags);
}

#define FOR_PROGRAMS                                                               \
	.check_btf = map_btf_refused, .equal = map_desc_equal,                     \
	.user_lookup = socket_map_user_lookup, .lookup = lookup, .update = update, \
	.user_update = user_update, .user_gone = socket_map_drop_progs

const struct map_ops map_sockmap = {
	SOCKET_MAP,
	FOR_PROGRAMS,
	.check = socket_map_check_array,
	.delete = sockmap_delete,
	.user_delete = sockmap_user_delete,
};

const struct map_ops map_sockhash = {
	SOCKET_MAP,
	FOR_PROGRAMS,
	.check = hash_check,
	.delete = sockhash_delete,
	.user_delete = socket_map_user_delete,
};
