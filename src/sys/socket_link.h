/* SPDX-License-Identifier: BSD-2-Clause */
/* Links of programs to maps of sockets. */
#ifndef SKEP_SYS_SOCKET_LINK_H
#define SKEP_SYS_SOCKET_LINK_H

#include "hook/hook.h"
#include "sys/command.h"

int socket_link_create(struct call *call, struct prog *prog, struct link **out);
int socket_link_update(struct link *link, struct prog *prog, const struct prog *expected);
int socket_link_detach(struct link *link);
/* The id of its map; 0: it is detached. */
u32 socket_link_map(struct link *link);

#endif
