/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps of sockets: sockmap, sockhash, reuseport_sockarray. */
#ifndef SKEP_MAP_SOCKET_H
#define SKEP_MAP_SOCKET_H

#include "catalog/ctx.h"
#include "map/map.h"

/* What a sockmap or sockhash has for the sockets that come into it, in Linux's order. */
enum socket_prog {
	SOCKET_PROG_MSG,	    /* BPF_SK_MSG_VERDICT */
	SOCKET_PROG_PARSER,	    /* BPF_SK_SKB_STREAM_PARSER */
	SOCKET_PROG_STREAM_VERDICT, /* BPF_SK_SKB_STREAM_VERDICT */
	SOCKET_PROG_VERDICT,	    /* BPF_SK_SKB_VERDICT */
	SOCKET_PROGS,
};

/* Objects of kind OBJECT_PROG; NULL: none. */
struct socket_progs {
	struct object *of[SOCKET_PROGS];
};

/* A socket that came into a map. */
struct socket_entrant {
	struct map *map;
	int fd; /* by which it came */
	const struct sock_ctx *sk;
	struct socket_progs progs; /* the map's; references are the caller's */
	bool is_wanted;		   /* programs send through the map */
	bool is_by_program;	   /* a program put it there: nobody may wait */
};

/*
 * Who drives the sockets of maps through the maps' programs (src/relay). Called in any thread,
 * in programs, too.
 */
struct socket_hook {
	/* The socket that stands behind a descriptor; the descriptor itself when it is one. */
	int (*real)(struct socket_hook *hook, int fd);
	/* 0; -EBUSY: it has such programs already. */
	int (*join)(struct socket_hook *hook, const struct socket_entrant *entrant);
	/* It left a map that has the programs `progs` (bits of enum socket_prog). */
	void (*leave)(struct socket_hook *hook, u64 cookie, u32 progs);
	/* Programs send through a map that has it already. */
	void (*want)(struct socket_hook *hook, int fd, const struct sock_ctx *sk);
};

/* The socket of a key as programs see it; NULL: none. In a read-side section. Nobody looks
 * whether it is still open. */
struct sock_ctx *map_socket_find(struct map *map, const void *key);

/* The descriptor by which it came. */
int map_socket_fd(const struct sock_ctx *sk);

/* Whether the map may have programs. */
static inline bool map_has_socket_progs(const struct map *map)
{
	return map->desc.type == BPF_MAP_TYPE_SOCKMAP ||
	       map->desc.type == BPF_MAP_TYPE_SOCKHASH;
}

/*
 * Puts `prog` (NULL: none) in the place of `expected` (NULL: of whatever is there), for sockets
 * that come from now on. Takes a reference. -EBUSY: a verdict of the other kind is there, or
 * what is there has a link; -ENOENT: another one than expected is there.
 */
int map_socket_attach(struct map *map, enum socket_prog which, struct object *prog,
		      struct object *expected);
/* The same for `link`, which holds the place as long as it has a program there: a new one
 * (`expected` NULL), another one in place of its own, or none. */
int map_socket_attach_link(struct map *map, enum socket_prog which, struct object *prog,
			   struct object *expected, const void *link);
/* A reference; NULL: none. -EBUSY as above. */
int map_socket_prog(struct map *map, enum socket_prog which, struct object **out);
/* Programs will send through the map: its sockets, those that come, too, are driven. */
void map_socket_want(struct map *map);
/* As an update from user space, of a socket that a program has, by its descriptor. */
int map_socket_update(struct map *map, const void *key, int fd, struct sock_ctx *sk, u64 flags);

#endif
