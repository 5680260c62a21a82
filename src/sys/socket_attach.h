/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of maps of sockets: BPF_PROG_ATTACH, BPF_PROG_DETACH and BPF_PROG_QUERY. */
#ifndef SKEP_SYS_SOCKET_ATTACH_H
#define SKEP_SYS_SOCKET_ATTACH_H

#include "sys/command.h"

/* Whether programs of the attach type belong to maps of sockets. */
bool socket_attach_is(u32 attach_type);
int socket_attach(struct call *call, struct prog *prog);
int socket_detach(struct call *call);
int socket_query(struct call *call);

#endif
