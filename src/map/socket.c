/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of sockets, by index (sockmap, reuseport array) or by key (sockhash). An entry is what
 * was known of the socket when it came, and does not keep it open: once it is closed the entry
 * is as good as gone, and whoever meets it from user space takes it out.
 */
#include "map/socket.h"

#include "map/ops.h"
#include "map/owner.h"
#include "map/pointer_table.h"
#include "map/region.h"
#include "map/socket_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 512

struct socket_entry {
	struct sock_ctx sk;	 /* what programs have */
	int fd;			 /* what it was put in by */
	struct account *account; /* of the map; reference; NULL: not in a map */
	struct rcu_head rcu;
};

struct socket_map {
	struct map map;
	struct region region;
	_Atomic(struct socket_entry *) *entries; /* by index */
	struct pointer_table hash;		 /* sockhash */
};

static struct socket_map *sockets_of(struct map *map)
{
	return container_of(map, struct socket_map, map);
}

static bool is_hash(const struct map *map)
{
	return map->desc.type == BPF_MAP_TYPE_SOCKHASH;
}

static bool is_reuseport(const struct map *map)
{
	return map->desc.type == BPF_MAP_TYPE_REUSEPORT_SOCKARRAY;
}

static u32 index_of(const void *key)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	return index;
}

/* --- life --- */

static bool holds_sockets(const struct map_desc *desc)
{
	return desc->value_size == sizeof(u32) || desc->value_size == sizeof(u64);
}

static int array_check(struct map_desc *desc, struct skep_error *err)
{
	if (desc->max_entries && desc->key_size == sizeof(u32) && holds_sockets(desc))
		return 0;
	return map_refuse(desc, err, -EINVAL, "keys or values of another size");
}

static int hash_check(struct map_desc *desc, struct skep_error *err)
{
	if (!desc->max_entries || !desc->key_size || !holds_sockets(desc))
		return map_refuse(desc, err, -EINVAL, "values are sockets: 4 or 8 bytes");
	if (desc->key_size > KEY_MAX)
		return map_refuse(desc, err, -E2BIG, "keys of more than 512 bytes");
	return 0;
}

static int init(struct map *map)
{
	struct socket_map *sockets = sockets_of(map);
	const struct map_desc *desc = &map->desc;
	int err;

	sockets->region = REGION_NONE;
	err = is_hash(map) ? pointer_table_init(&sockets->hash, map->account, desc->key_size,
						desc->max_entries, map_hash_seed(desc))
			   : region_new(map->account, &sockets->region,
					(u64)desc->max_entries * sizeof(struct socket_entry *));
	if (err)
		return err;
	sockets->entries = (_Atomic(struct socket_entry *) *)sockets->region.base;
	return 0;
}

static struct owner_key owner_of(const struct socket_entry *entry)
{
	return (struct owner_key){OWNER_SOCKET, {entry->sk.cookie}};
}

/* A socket is in one reuseport array only. */
static bool claim(struct map *map, const struct socket_entry *entry)
{
	const struct owner_key key = owner_of(entry);
	struct owner *owner = owner_make(map->owners, &key, entry->fd);
	void *nobody = NULL;

	return owner && atomic_compare_exchange_strong(&owner->claim, &nobody, map);
}

static void release_claim(struct map *map, const struct socket_entry *entry)
{
	const struct owner_key key = owner_of(entry);
	struct owner *owner = owner_find(map->owners, &key);
	void *self = map;

	if (owner)
		atomic_compare_exchange_strong(&owner->claim, &self, NULL);
}

static void drop_entry(struct socket_entry *entry)
{
	account_uncharge(entry->account, sizeof(*entry));
	account_put(entry->account);
	free(entry);
}

static void free_entry(struct rcu_head *head)
{
	drop_entry(container_of(head, struct socket_entry, rcu));
}

static void let_go(struct map *map, struct socket_entry *entry)
{
	if (!entry)
		return;
	if (is_reuseport(map))
		release_claim(map, entry);
	call_rcu(&entry->rcu, free_entry);
}

static void done(struct map *map)
{
	struct socket_map *sockets = sockets_of(map);
	struct table_place place = {0};
	struct socket_entry *entry;

	rcu_read_lock();
	for (u32 i = 0; !is_hash(map) && i < map->desc.max_entries; i++)
		if (atomic_load_explicit(&sockets->entries[i], memory_order_relaxed))
			let_go(map, sockets->entries[i]);
	if (is_hash(map))
		while ((entry = pointer_table_next(&sockets->hash, &place)))
			let_go(map, entry);
	rcu_read_unlock();
	if (is_hash(map))
		pointer_table_done(&sockets->hash);
	else
		region_free(&sockets->region);
}

/* --- entries --- */

static struct socket_entry *find(struct map *map, const void *key)
{
	struct socket_map *sockets = sockets_of(map);

	if (is_hash(map))
		return pointer_table_find(&sockets->hash, key);
	if (index_of(key) >= map->desc.max_entries)
		return NULL;
	return atomic_load_explicit(&sockets->entries[index_of(key)], memory_order_acquire);
}

struct sock_ctx *map_socket_find(struct map *map, const void *key)
{
	struct socket_entry *entry = find(map, key);

	return entry ? &entry->sk : NULL;
}

static int take_out(struct map *map, const void *key)
{
	struct socket_map *sockets = sockets_of(map);
	void *old = NULL;

	if (is_hash(map))
		pointer_table_remove(&sockets->hash, key, &old);
	else if (index_of(key) < map->desc.max_entries)
		old = atomic_exchange_explicit(&sockets->entries[index_of(key)], NULL,
					       memory_order_acq_rel);
	let_go(map, old);
	return old ? 0 : -ENOENT;
}

/* May enter the kernel. */
static bool is_closed(struct map *map, const struct socket_entry *entry)
{
	const struct owner_key key = owner_of(entry);

	return !socket_is(entry->fd, &entry->sk) && owner_is_gone(map->owners, &key);
}

static struct socket_entry *find_open(struct map *map, const void *key)
{
	struct socket_entry *entry = find(map, key);

	if (!entry || !is_closed(map, entry))
		return entry;
	take_out(map, key);
	return NULL;
}

static int put_array(struct map *map, const void *key, struct socket_entry *entry, u64 flags,
		     struct socket_entry **old)
{
	_Atomic(struct socket_entry *) *place = &sockets_of(map)->entries[index_of(key)];
	struct socket_entry *now = atomic_load_explicit(place, memory_order_acquire);
	int err;

	do {
		err = map_check_presence(now, flags);
	} while (!err && !atomic_compare_exchange_weak_explicit(place, &now, entry,
								memory_order_acq_rel,
								memory_order_acquire));
	*old = now;
	return err;
}

static int put(struct map *map, const void *key, struct socket_entry *entry, u64 flags)
{
	struct socket_entry *old = NULL;
	int err = is_hash(map) ? pointer_table_set(&sockets_of(map)->hash, key, entry, flags,
						   (void **)&old)
			       : put_array(map, key, entry, flags, &old);

	if (!err)
		let_go(map, old);
	return err;
}

/* By key; a bad flag comes before a bad index. */
static int check_place(const struct map *map, const void *key, u64 flags)
{
	if (flags > BPF_EXIST)
		return -EINVAL;
	return !is_hash(map) && index_of(key) >= map->desc.max_entries ? -E2BIG : 0;
}

static int put_copy(struct map *map, const void *key, const struct socket_entry *from,
		    u64 flags)
{
	struct socket_entry *entry = malloc(sizeof(*entry));
	int err;

	if (!entry || account_charge(map->account, sizeof(*entry))) {
		free(entry);
		return -ENOMEM;
	}
	*entry = *from;
	entry->account = account_get(map->account);
	entry->sk.entry = entry;
	err = put(map, key, entry, flags);
	if (err)
		drop_entry(entry);
	return err;
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

	err = err ?: check_place(map, key, flags);
	return err ?: put_copy(map, key, sk->entry, flags);
}

static int delete (struct map *map, const void *key, u32 slot)
{
	int err = take_out(map, key);

	return err && !is_hash(map) ? -EINVAL : err;
}

/* --- from user space --- */

static int user_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	const struct socket_entry *entry;

	if (map->desc.value_size != sizeof(u64))
		return -ENOSPC;
	entry = find_open(map, key);
	if (!entry)
		return -ENOENT;
	memcpy(value, &entry->sk.cookie, sizeof(entry->sk.cookie));
	return 0;
}

static int read_fd(const struct map *map, const void *value, int *fd)
{
	u64 number = 0;

	memcpy(&number, value, map->desc.value_size);
	*fd = (int)number;
	/* 4 bytes are a descriptor to a reuseport array, whatever they hold. */
	if (is_reuseport(map) && map->desc.value_size == sizeof(int))
		return 0;
	return number > INT_MAX ? -EINVAL : 0;
}

/* Closed sockets make room, if any. */
static void forget_closed(struct map *map)
{
	u8 key[KEY_MAX], next[KEY_MAX];
	struct pointer_table *hash = &sockets_of(map)->hash;
	int err = pointer_table_next_key(hash, NULL, key);

	while (!err) {
		err = pointer_table_next_key(hash, key, next);
		find_open(map, key);
		memcpy(key, next, map->desc.key_size);
	}
}

static int put_open(struct map *map, const void *key, const struct socket_entry *entry,
		    u64 flags)
{
	const struct owner_key owner = owner_of(entry);
	int err;

	/* Who tells when it is closed. */
	if (!owner_make(map->owners, &owner, entry->fd))
		return -ENOMEM;
	find_open(map, key);
	err = put_copy(map, key, entry, flags);
	if (err != -E2BIG)
		return err;
	forget_closed(map);
	return put_copy(map, key, entry, flags);
}

static int user_update(struct map *map, const void *key, const void *value, u64 flags)
{
	struct socket_entry entry = {};
	int err = read_fd(map, value, &entry.fd);

	err = err ?: socket_describe(entry.fd, &entry.sk);
	err = err ?: socket_check_map(&entry.sk);
	err = err ?: check_place(map, key, flags);
	return err ?: put_open(map, key, &entry, flags);
}

static int next_key(struct map *map, const void *key, void *next)
{
	u8 from[KEY_MAX];
	int err;

	if (!is_hash(map))
		return map_next_index(map, key, next);
	while (!(err = pointer_table_next_key(&sockets_of(map)->hash, key, next)) &&
	       !find_open(map, next)) {
		memcpy(from, next, map->desc.key_size);
		key = from;
	}
	return err;
}

static bool is_view(const struct socket_entry *entry, const u8 *at, size_t size)
{
	const u8 *start = entry ? (const u8 *)&entry->sk : NULL;

	return entry && at >= start && at + size <= start + sizeof(entry->sk);
}

static bool owns(struct map *map, const void *address, size_t size)
{
	struct socket_map *sockets = sockets_of(map);
	struct table_place place = {0};
	const struct socket_entry *entry;
	bool found = false;

	if (is_hash(map))
		while ((entry = pointer_table_next(&sockets->hash, &place)))
			found |= is_view(entry, address, size);
	else
		for (u32 i = 0; i < map->desc.max_entries; i++)
			found |= is_view(sockets->entries[i], address, size);
	return found;
}

/* --- reuseport arrays --- */

static int reuseport_put(struct map *map, const void *key, const struct socket_entry *entry,
			 u64 flags)
{
	int err;

	if (!claim(map, entry))
		return -EBUSY;
	err = put_copy(map, key, entry, flags);
	if (err)
		release_claim(map, entry);
	return err;
}

static int reuseport_update(struct map *map, const void *key, const void *value, u64 flags)
{
	struct socket_entry entry = {};
	int err = check_place(map, key, flags);

	err = err ?: read_fd(map, value, &entry.fd);
	err = err ?: socket_describe(entry.fd, &entry.sk);
	err = err ?: map_check_presence(find_open(map, key), flags);
	err = err ?: socket_check_reuseport(entry.fd, &entry.sk);
	return err ?: reuseport_put(map, key, &entry, flags);
}

/* A socket that is closed is none any more. */
static int user_delete(struct map *map, const void *key)
{
	int err;

	rcu_read_lock();
	find_open(map, key);
	err = take_out(map, key);
	rcu_read_unlock();
	return err;
}

static int reuseport_delete(struct map *map, const void *key)
{
	return index_of(key) >= map->desc.max_entries ? -E2BIG : user_delete(map, key);
}

static int sockmap_delete(struct map *map, const void *key)
{
	return user_delete(map, key) ? -EINVAL : 0;
}

#define SOCKETS                                                                    \
	.size = sizeof(struct socket_map), .init = init, .done = done,             \
	.equal = map_desc_equal, .user_lookup = user_lookup, .next_key = next_key, \
	.owns = owns

#define FOR_PROGRAMS                                                                        \
	.check_btf = map_btf_refused, .lookup = lookup, .update = update, .delete = delete, \
	.user_update = user_update

const struct map_ops map_sockmap = {
	SOCKETS,
	FOR_PROGRAMS,
	.check = array_check,
	.user_delete = sockmap_delete,
};

const struct map_ops map_sockhash = {
	SOCKETS,
	FOR_PROGRAMS,
	.check = hash_check,
	.user_delete = user_delete,
};

const struct map_ops map_reuseport_sockarray = {
	SOCKETS,
	.check = array_check,
	.user_update = reuseport_update,
	.user_delete = reuseport_delete,
};
