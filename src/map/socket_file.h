/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be known of a socket by its descriptor. */
#ifndef SKEP_MAP_SOCKET_FILE_H
#define SKEP_MAP_SOCKET_FILE_H

#include "catalog/ctx.h"

#include <stdbool.h>

/* A socket as programs see it, with its cookie. -EBADF, -ENOTSOCK. */
int socket_describe(int fd, struct sock_ctx *out);
/* 0 or -EOPNOTSUPP: whether a sockmap takes it: TCP that listens or is connected, UDP with a
 * port, connected AF_UNIX and AF_VSOCK streams, AF_UNIX datagrams. */
int socket_check_map(const struct sock_ctx *sk);
/* Whether data comes and goes by it: whatever does not only wait for connections. */
bool socket_is_connected(const struct sock_ctx *sk);
/* 0, -ENOTSUPP or -EINVAL: whether a reuseport array takes it: TCP that listens or UDP with a
 * port, with SO_REUSEPORT. */
int socket_check_reuseport(int fd, const struct sock_ctx *sk);
/* Whether the descriptor still is that socket. */
bool socket_is(int fd, const struct sock_ctx *sk);

#endif
