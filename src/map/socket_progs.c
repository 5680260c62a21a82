/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs of maps of sockets, and how their sockets come to those who drive them. */
#include "map/socket_map.h"

/* Verdicts of one kind only: on messages that a parser found, or on what comes. */
static bool has_other_verdict(const struct socket_map *sockets, enum socket_prog which)
{
	if (which == SOCKET_PROG_VERDICT)
		return sockets->progs.of[SOCKET_PROG_STREAM_VERDICT];
	return which == SOCKET_PROG_STREAM_VERDICT && sockets->progs.of[SOCKET_PROG_VERDICT];
}

/* With the lock held. `*old` receives the reference that falls. */
static int replace(struct socket_map *sockets, enum socket_prog which, struct object *prog,
		   struct object *expected, const void *link, struct object **old)
{
	const void *holder = sockets->links[which];

	if (has_other_verdict(sockets, which) || (holder && (holder != link || !expected)))
		return -EBUSY;
	if (expected && sockets->progs.of[which] != expected)
		return -ENOENT;
	*old = sockets->progs.of[which];
	sockets->progs.of[which] = prog ? object_get(prog) : NULL;
	sockets->links[which] = prog ? link : NULL;
	return 0;
}

int map_socket_attach_link(struct map *map, enum socket_prog which, struct object *prog,
			   struct object *expected, const void *link)
{
	struct socket_map *sockets = sockets_of(map);
	struct object *old = NULL;
	int err;

	pthread_mutex_lock(&sockets->lock);
	err = replace(sockets, which, prog, expected, link, &old);
	pthread_mutex_unlock(&sockets->lock);
	object_put(old);
	return err;
}

int map_socket_attach(struct map *map, enum socket_prog which, struct object *prog,
		      struct object *expected)
{
	return map_socket_attach_link(map, which, prog, expected, NULL);
}

int map_socket_prog(struct map *map, enum socket_prog which, struct object **out)
{
	struct socket_map *sockets = sockets_of(map);
	int err;

	pthread_mutex_lock(&sockets->lock);
	err = has_other_verdict(sockets, which) ? -EBUSY : 0;
	if (!err)
		*out = sockets->progs.of[which] ? object_get(sockets->progs.of[which]) : NULL;
	pthread_mutex_unlock(&sockets->lock);
	return err;
}

void socket_map_drop_progs(struct map *map)
{
	struct socket_map *sockets = sockets_of(map);
	struct socket_progs old;

	pthread_mutex_lock(&sockets->lock);
	old = sockets->progs;
	sockets->progs = (struct socket_progs){};
	memset(sockets->links, 0, sizeof(sockets->links));
	pthread_mutex_unlock(&sockets->lock);
	for (u32 i = 0; i < SOCKET_PROGS; i++)
		object_put(old.of[i]);
}

static u32 progs_present(struct socket_map *sockets)
{
	u32 present = 0;

	pthread_mutex_lock(&sockets->lock);
	for (u32 i = 0; i < SOCKET_PROGS; i++)
		present |= sockets->progs.of[i] ? 1u << i : 0;
	pthread_mutex_unlock(&sockets->lock);
	return present;
}

static struct socket_progs progs_get(struct socket_map *sockets)
{
	struct socket_progs progs;

	pthread_mutex_lock(&sockets->lock);
	progs = sockets->progs;
	for (u32 i = 0; i < SOCKET_PROGS; i++)
		if (progs.of[i])
			object_get(progs.of[i]);
	pthread_mutex_unlock(&sockets->lock);
	return progs;
}

int socket_map_join(struct map *map, const struct socket_entry *entry, bool is_by_program)
{
	struct socket_map *sockets = sockets_of(map);
	struct socket_entrant entrant = {
		.map = map, .fd = entry->fd, .sk = &entry->sk, .is_by_program = is_by_program};
	int err;

	if (!map->hook || !map_has_socket_progs(map) || !socket_is_connected(&entry->sk))
		return 0;
	entrant.is_wanted = atomic_load(&sockets->is_wanted);
	entrant.progs = progs_get(sockets);
	err = map->hook->join(map->hook, &entrant);
	for (u32 i = 0; i < SOCKET_PROGS; i++)
		object_put(entrant.progs.of[i]);
	return err;
}

void socket_map_leave(struct map *map, const struct socket_entry *entry)
{
	if (map->hook && map_has_socket_progs(map) && socket_is_connected(&entry->sk))
		map->hook->leave(map->hook, entry->sk.cookie, progs_present(sockets_of(map)));
}

static void want_entry(struct map *map, const struct socket_entry *entry)
{
	if (entry && socket_is_connected(&entry->sk))
		map->hook->want(map->hook, entry->fd, &entry->sk);
}

void map_socket_want(struct map *map)
{
	struct socket_map *sockets = sockets_of(map);
	struct table_place place = {0};
	const struct socket_entry *entry;

	/* Those that come from now on, and those that are there. */
	if (!map->hook || atomic_exchange(&sockets->is_wanted, true))
		return;
	rcu_read_lock();
	if (map->desc.type == BPF_MAP_TYPE_SOCKHASH)
		while ((entry = pointer_table_next(&sockets->hash, &place)))
			want_entry(map, entry);
	else
		for (u32 i = 0; i < map->desc.max_entries; i++)
			want_entry(map, atomic_load(&sockets->entries[i]));
	rcu_read_unlock();
}
