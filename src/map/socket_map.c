/* SPDX-License-Identifier: BSD-2-Clause */
/* The entries of maps of sockets. */
#include "map/socket_map.h"

#include "map/owner.h"

#include <limits.h>
#include <stdlib.h>

static bool is_hash(const struct map *map)
{
	return map->desc.type == BPF_MAP_TYPE_SOCKHASH;
}

static bool is_reuseport(const struct map *map)
{
	return map->desc.type == BPF_MAP_TYPE_REUSEPORT_SOCKARRAY;
}

/* --- life --- */

bool socket_map_holds(const struct map_desc *desc)
{
	return desc->value_size == sizeof(u32) || desc->value_size == sizeof(u64);
}

int socket_map_check_array(struct map_desc *desc, struct skep_error *err)
{
	if (desc->max_entries && desc->key_size == sizeof(u32) && socket_map_holds(desc))
		return 0;
	return map_refuse(desc, err, -EINVAL, "keys or values of another size");
}

int socket_map_init(struct map *map)
{
	struct socket_map *sockets = sockets_of(map);
	const struct map_desc *desc = &map->desc;
	int err;

	sockets->region = REGION_NONE;
	pthread_mutex_init(&sockets->lock, NULL);
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
bool socket_map_claim(struct map *map, const struct socket_entry *entry)
{
	const struct owner_key key = owner_of(entry);
	struct owner *owner = owner_make(map->owners, &key, entry->fd);
	void *nobody = NULL;

	return owner && atomic_compare_exchange_strong(&owner->claim, &nobody, map);
}

void socket_map_release_claim(struct map *map, const struct socket_entry *entry)
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
		socket_map_release_claim(map, entry);
	socket_map_leave(map, entry);
	call_rcu(&entry->rcu, free_entry);
}

void socket_map_done(struct map *map)
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
	socket_map_drop_progs(map);
	if (is_hash(map))
		pointer_table_done(&sockets->hash);
	else
		region_free(&sockets->region);
	pthread_mutex_destroy(&sockets->lock);
}

/* --- entries --- */

struct socket_entry *socket_map_find(struct map *map, const void *key)
{
	struct socket_map *sockets = sockets_of(map);

	if (is_hash(map))
		return pointer_table_find(&sockets->hash, key);
	if (socket_index(key) >= map->desc.max_entries)
		return NULL;
	return atomic_load_explicit(&sockets->entries[socket_index(key)], memory_order_acquire);
}

struct sock_ctx *map_socket_find(struct map *map, const void *key)
{
	struct socket_entry *entry = socket_map_find(map, key);

	return entry ? &entry->sk : NULL;
}

int map_socket_fd(const struct sock_ctx *sk)
{
	return container_of(sk, struct socket_entry, sk)->fd;
}

int socket_map_take_out(struct map *map, const void *key)
{
	struct socket_map *sockets = sockets_of(map);
	void *old = NULL;

	if (is_hash(map))
		pointer_table_remove(&sockets->hash, key, &old);
	else if (socket_index(key) < map->desc.max_entries)
		old = atomic_exchange_explicit(&sockets->entries[socket_index(key)], NULL,
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

struct socket_entry *socket_map_find_open(struct map *map, const void *key)
{
	struct socket_entry *entry = socket_map_find(map, key);

	if (!entry || !is_closed(map, entry))
		return entry;
	socket_map_take_out(map, key);
	return NULL;
}

static int put_array(struct map *map, const void *key, struct socket_entry *entry, u64 flags,
		     struct socket_entry **old)
{
	_Atomic(struct socket_entry *) *place = &sockets_of(map)->entries[socket_index(key)];
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
int socket_map_check_place(const struct map *map, const void *key, u64 flags)
{
	if (flags > BPF_EXIST)
		return -EINVAL;
	return !is_hash(map) && socket_index(key) >= map->desc.max_entries ? -E2BIG : 0;
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

static int join_and_put(struct map *map, const void *key, const struct socket_entry *from,
			u64 flags, bool is_by_program)
{
	struct socket_entry entry = *from;
	int err = socket_map_join(map, from, is_by_program);

	if (err)
		return err;
	/* The descriptor may have been taken over. */
	if (map->hook && !is_by_program)
		entry.fd = map->hook->real(map->hook, from->fd);
	err = put_copy(map, key, &entry, flags);
	if (err)
		socket_map_leave(map, from);
	return err;
}

int socket_map_put(struct map *map, const void *key, const struct socket_entry *from, u64 flags)
{
	return join_and_put(map, key, from, flags, true);
}

/* --- from user space --- */

int socket_map_user_lookup(struct map *map, const void *key, void *value, u64 flags)
{
	const struct socket_entry *entry;

	if (map->desc.value_size != sizeof(u64))
		return -ENOSPC;
	entry = socket_map_find_open(map, key);
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
	/* 4 bytes are a descriptor to an array that packets are handed to, whatever they hold.
	 */
	if ((is_reuseport(map) || map->desc.type == BPF_MAP_TYPE_XSKMAP) &&
	    map->desc.value_size == sizeof(int))
		return 0;
	return number > INT_MAX ? -EINVAL : 0;
}

int socket_map_read(const struct map *map, const void *value, struct socket_entry *out)
{
	int err = read_fd(map, value, &out->fd);

	if (!err && map->hook)
		out->fd = map->hook->real(map->hook, out->fd);
	return err ?: socket_describe(out->fd, &out->sk);
}

/* Closed sockets make room, if any. */
static void forget_closed(struct map *map)
{
	u8 key[SOCKET_KEY_MAX], next[SOCKET_KEY_MAX];
	struct pointer_table *hash = &sockets_of(map)->hash;
	int err = pointer_table_next_key(hash, NULL, key);

	while (!err) {
		err = pointer_table_next_key(hash, key, next);
		socket_map_find_open(map, key);
		memcpy(key, next, map->desc.key_size);
	}
}

int socket_map_put_open(struct map *map, const void *key, const struct socket_entry *entry,
			u64 flags)
{
	const struct owner_key owner = owner_of(entry);
	int err;

	/* Who tells when it is closed. */
	if (!owner_make(map->owners, &owner, entry->fd))
		return -ENOMEM;
	socket_map_find_open(map, key);
	err = join_and_put(map, key, entry, flags, false);
	if (err != -E2BIG)
		return err;
	forget_closed(map);
	return join_and_put(map, key, entry, flags, false);
}

int socket_map_user_delete(struct map *map, const void *key)
{
	int err;

	rcu_read_lock();
	socket_map_find_open(map, key);
	err = socket_map_take_out(map, key);
	rcu_read_unlock();
	return err;
}

int socket_map_next_key(struct map *map, const void *key, void *next)
{
	u8 from[SOCKET_KEY_MAX];
	int err;

	if (!is_hash(map))
		return map_next_index(map, key, next);
	while (!(err = pointer_table_next_key(&sockets_of(map)->hash, key, next)) &&
	       !socket_map_find_open(map, next)) {
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

bool socket_map_owns(struct map *map, const void *address, size_t size)
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
