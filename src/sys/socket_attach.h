/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of maps of sockets: BPF_PROG_ATTACH, BPF_PROG_DETACH and BPF_PROG_QUERY. */
#ifndef SKEP_SYS_SOCKET_ATTACH_H
#define SKEP_SYS_SOCKET_ATTACH_H

#include "map/socket.h"
#include "sys/command.h"

/* Which program of a map of sockets the attach type means; false: none. */
bool socket_attach_kind(u32 attach_type, enum socket_prog *out);
/* What a program sends through, it sends to sockets that are driven. */
void socket_attach_want(const struct prog *prog, struct map *map);
/* Whether programs of the attach type belong to maps of sockets. */
bool socket_attach_is(u32 attach_type);
int socket_attach(struct call *call, struct prog *prog);
int socket_detach(struct call *call);
int socket_query(struct call *call);

#endif
