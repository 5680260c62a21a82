/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all maps of sockets are made of: entries by index (sockmap, reuseport array, XSK map) or
 * by key (sockhash). An entry is what was known of the socket when it came, and does not keep
 * it open: once it is closed the entry is as good as gone, and whoever meets it from user space
 * takes it out.
 *
 *	socket_map.c	entries
 *	socket_progs.c	programs of sockmap and sockhash
 *	socket.c	sockmap, sockhash
 *	socket_array.c	reuseport arrays, XSK maps
 *	socket_file.c	what a descriptor says of its socket
 */
#ifndef SKEP_MAP_SOCKET_MAP_H
#define SKEP_MAP_SOCKET_MAP_H

#include "map/ops.h"
#include "map/pointer_table.h"
#include "map/region.h"
#include "map/socket.h"
#include "map/socket_file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define SOCKET_KEY_MAX 512

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
	pthread_mutex_t lock;			 /* of progs; a leaf */
	struct socket_progs progs;		 /* references */
	const void *links[SOCKET_PROGS];	 /* whose they are; NULL: nobody's */
	atomic_bool is_wanted;			 /* programs send through the map */
};

static inline struct socket_map *sockets_of(struct map *map)
{
	return container_of(map, struct socket_map, map);
}

static inline u32 socket_index(const void *key)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	return index;
}

/* Values of the sizes that a descriptor may come in. */
bool socket_map_holds(const struct map_desc *desc);
int socket_map_check_array(struct map_desc *desc, struct skep_error *err);
int socket_map_init(struct map *map);
void socket_map_done(struct map *map);
bool socket_map_owns(struct map *map, const void *address, size_t size);
int socket_map_next_key(struct map *map, const void *key, void *next);
/* struct map_ops.user_lookup: the cookie. */
int socket_map_user_lookup(struct map *map, const void *key, void *value, u64 flags);

/* 0 or -ENOENT: a socket that is closed is none any more. */
int socket_map_user_delete(struct map *map, const void *key);

/* A bad flag comes before a bad index. */
int socket_map_check_place(const struct map *map, const void *key, u64 flags);
/* The descriptor of a value as user space writes it, and what it is. */
int socket_map_read(const struct map *map, const void *value, struct socket_entry *out);

/* --- in a read-side section --- */

struct socket_entry *socket_map_find(struct map *map, const void *key);
/* The same; one that is closed is taken out, and is none. May enter the kernel. */
struct socket_entry *socket_map_find_open(struct map *map, const void *key);
/* A copy of the entry, from a program. */
int socket_map_put(struct map *map, const void *key, const struct socket_entry *from,
		   u64 flags);
/* The same, and somebody tells when the socket is closed. */
int socket_map_put_open(struct map *map, const void *key, const struct socket_entry *from,
			u64 flags);
/* 0 or -ENOENT. */
int socket_map_take_out(struct map *map, const void *key);
/* A socket is in one reuseport array only; false: in another one, or no memory. */
bool socket_map_claim(struct map *map, const struct socket_entry *entry);
void socket_map_release_claim(struct map *map, const struct socket_entry *entry);

/* An entry comes to those who drive its socket, and leaves them. -EBUSY: see map/socket.h. */
int socket_map_join(struct map *map, const struct socket_entry *entry, bool is_by_program);
void socket_map_leave(struct map *map, const struct socket_entry *entry);
void socket_map_drop_progs(struct map *map);

#define SOCKET_MAP                                                                           \
	.size = sizeof(struct socket_map), .init = socket_map_init, .done = socket_map_done, \
	.next_key = socket_map_next_key, .owns = socket_map_owns

#endif
