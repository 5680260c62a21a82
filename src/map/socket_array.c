/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays of sockets that packets are handed to: reuseport arrays and XSK maps. */
#include "map/socket_map.h"

#include <sys/socket.h>

/* --- reuseport arrays --- */

static int reuseport_put(struct map *map, const void *key, const struct socket_entry *entry,
			 u64 flags)
{
	int err;

	if (!socket_map_claim(map, entry))
		return -EBUSY;
	err = socket_map_put(map, key, entry, flags);
	if (err)
		socket_map_release_claim(map, entry);
	return err;
}

static int reuseport_update(struct map *map, const void *key, const void *value, u64 flags)
{
	struct socket_entry entry = {};
	int err = socket_map_check_place(map, key, flags);

	err = err ?: socket_map_read(map, value, &entry);
	err = err ?: map_check_presence(socket_map_find_open(map, key), flags);
	err = err ?: socket_check_reuseport(entry.fd, &entry.sk);
	return err ?: reuseport_put(map, key, &entry, flags);
}

static int reuseport_delete(struct map *map, const void *key)
{
	return socket_index(key) >= map->desc.max_entries ? -E2BIG
							  : socket_map_user_delete(map, key);
}

const struct map_ops map_reuseport_sockarray = {
	SOCKET_MAP,
	.check = socket_map_check_array,
	.equal = map_desc_equal,
	.user_lookup = socket_map_user_lookup,
	.user_update = reuseport_update,
	.user_delete = reuseport_delete,
};

/* --- XSK maps --- */

static int xsk_check(struct map_desc *desc, struct skep_error *err)
{
	if (!desc->max_entries || desc->key_size != 4 || desc->value_size != 4)
		return map_refuse(desc, err, -EINVAL, "4-byte keys and 4-byte values only");
	return 0;
}

static bool xsk_equal(const struct map_desc *template, const struct map_desc *inner)
{
	return map_desc_equal(template, inner) && template->max_entries == inner->max_entries;
}

/* What a program sees is a struct bpf_xdp_sock: nobody tells which queue the socket has. */
static void *xsk_lookup(struct map *map, const void *key, u32 slot)
{
	struct socket_entry *entry = socket_map_find(map, key);

	return entry ? &entry->sk.view : NULL;
}

static int xsk_user_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	return -EOPNOTSUPP;
}

/* The socket that is there may be put there again, whatever the flags say. */
static int xsk_user_update(struct map *map, const void *key, const void *value, u64 flags)
{
	struct socket_entry entry = {};
	const struct socket_entry *old;
	int err = socket_map_check_place(map, key, flags);

	err = err ?: socket_map_read(map, value, &entry);
	if (err)
		return err;
	if (entry.sk.view.family != AF_XDP)
		return -EOPNOTSUPP;
	old = socket_map_find_open(map, key);
	if (old && old->sk.cookie == entry.sk.cookie)
		return 0;
	return socket_map_put_open(map, key, &entry, flags);
}

static int xsk_user_delete(struct map *map, const void *key)
{
	if (socket_index(key) >= map->desc.max_entries)
		return -EINVAL;
	socket_map_user_delete(map, key);
	return 0;
}

const struct map_ops map_xskmap = {
	SOCKET_MAP,
	.check = xsk_check,
	.check_btf = map_btf_refused,
	.equal = xsk_equal,
	.lookup = xsk_lookup,
	.user_lookup = xsk_user_lookup,
	.user_update = xsk_user_update,
	.user_delete = xsk_user_delete,
};
