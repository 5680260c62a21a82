/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process's calls on sockets with what programs of its control groups say of them. Each has
 * the call's arguments and gives its result, or a negative errno. `fd` is the socket itself.
 * Without programs it is the call.
 */
#ifndef SKEP_CGROUP_SOCKETS_H
#define SKEP_CGROUP_SOCKETS_H

#include "base/types.h"
#include <sys/socket.h>
#include <sys/types.h>

struct groups;

int groups_socket(struct groups *groups, int domain, int type, int protocol);
int groups_bind(struct groups *groups, int fd, const struct sockaddr *address, socklen_t size);
int groups_connect(struct groups *groups, int fd, const struct sockaddr *address,
		   socklen_t size);
int groups_listen(struct groups *groups, int fd, int backlog);
int groups_accept(struct groups *groups, int fd, struct sockaddr *address, socklen_t *size,
		  int flags);
int groups_shutdown(struct groups *groups, int fd, int how);
int groups_getname(struct groups *groups, int fd, struct sockaddr *address, socklen_t *size,
		   bool is_peer);
int groups_getsockopt(struct groups *groups, int fd, int level, int name, void *value,
		      socklen_t *size);
int groups_setsockopt(struct groups *groups, int fd, int level, int name, const void *value,
		      socklen_t size);
ssize_t groups_recvmsg(struct groups *groups, int fd, struct msghdr *message, int flags);

/* Whether programs want to see what is sent by sendmsg() to an address, and the call. */
bool groups_see_messages(const struct groups *groups);
ssize_t groups_sendmsg(struct groups *groups, int fd, const struct msghdr *message, int flags);

/* Tells programs of connections that came about since connect() returned. */
void groups_settle(struct groups *groups);

#endif
