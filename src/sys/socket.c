/* SPDX-License-Identifier: BSD-2-Clause */
/* The public face of sockets (skep/socket.h): those of maps, and those of control groups. */
#include "cgroup/sockets.h"
#include "relay/relays.h"
#include "sys/engine.h"

#include <errno.h>
#include <skep/socket.h>

int skep_socket_fd(struct skep_engine *engine, int fd)
{
	return relays_real(engine->relays, fd);
}

/* What programs put into maps meanwhile is driven before the caller goes on. */
static int settled(struct skep_engine *engine, int ret)
{
	relays_settle(engine->relays);
	return ret;
}

void skep_socket_settle(struct skep_engine *engine)
{
	groups_settle(engine->groups);
	relays_settle(engine->relays);
}

bool skep_socket_sees_messages(struct skep_engine *engine)
{
	return groups_see_messages(engine->groups);
}

ssize_t skep_socket_sendmsg(struct skep_engine *engine, int fd, const struct msghdr *message,
			    int flags)
{
	size_t sent;
	ssize_t ret;

	skep_socket_settle(engine);
	ret = relays_send(engine->relays, fd, message, flags, &sent);
	if (ret != RELAY_FOREIGN)
		return ret ? ret : (ssize_t)sent;
	if (groups_see_messages(engine->groups))
		return groups_sendmsg(engine->groups, fd, message, flags);
	ret = sendmsg(fd, message, flags);
	return ret < 0 ? -errno : ret;
}

/* What is received of a socket that was taken over comes from its descriptor's other end. */
ssize_t skep_socket_recvmsg(struct skep_engine *engine, int fd, struct msghdr *message,
			    int flags)
{
	skep_socket_settle(engine);
	return groups_recvmsg(engine->groups, fd, message, flags);
}

int skep_socket_create(struct skep_engine *engine, int domain, int type, int protocol)
{
	return groups_socket(engine->groups, domain, type, protocol);
}

int skep_socket_bind(struct skep_engine *engine, int fd, const struct sockaddr *address,
		     socklen_t size)
{
	return groups_bind(engine->groups, skep_socket_fd(engine, fd), address, size);
}

int skep_socket_connect(struct skep_engine *engine, int fd, const struct sockaddr *address,
			socklen_t size)
{
	return settled(engine, groups_connect(engine->groups, skep_socket_fd(engine, fd),
					      address, size));
}

int skep_socket_listen(struct skep_engine *engine, int fd, int backlog)
{
	return settled(engine,
		       groups_listen(engine->groups, skep_socket_fd(engine, fd), backlog));
}

int skep_socket_accept(struct skep_engine *engine, int fd, struct sockaddr *address,
		       socklen_t *size, int flags)
{
	return settled(engine, groups_accept(engine->groups, skep_socket_fd(engine, fd),
					     address, size, flags));
}

/* Who drives the socket must see the end of what the application sends, too. */
int skep_socket_shutdown(struct skep_engine *engine, int fd, int how)
{
	skep_socket_settle(engine);
	return groups_shutdown(engine->groups, fd, how);
}

int skep_socket_getsockname(struct skep_engine *engine, int fd, struct sockaddr *address,
			    socklen_t *size)
{
	return groups_getname(engine->groups, skep_socket_fd(engine, fd), address, size, false);
}

int skep_socket_getpeername(struct skep_engine *engine, int fd, struct sockaddr *address,
			    socklen_t *size)
{
	return groups_getname(engine->groups, skep_socket_fd(engine, fd), address, size, true);
}

int skep_socket_getsockopt(struct skep_engine *engine, int fd, int level, int name, void *value,
			   socklen_t *size)
{
	skep_socket_settle(engine);
	return groups_getsockopt(engine->groups, skep_socket_fd(engine, fd), level, name, value,
				 size);
}

int skep_socket_setsockopt(struct skep_engine *engine, int fd, int level, int name,
			   const void *value, socklen_t size)
{
	return groups_setsockopt(engine->groups, skep_socket_fd(engine, fd), level, name, value,
				 size);
}
