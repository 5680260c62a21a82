/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps of sockets: sockmap, sockhash, reuseport_sockarray. */
#ifndef SKEP_MAP_SOCKET_H
#define SKEP_MAP_SOCKET_H

#include "catalog/ctx.h"
#include "map/map.h"

/* The socket of a key as programs see it; NULL: none. In a read-side section. Nobody looks
 * whether it is still open. */
struct sock_ctx *map_socket_find(struct map *map, const void *key);

#endif
