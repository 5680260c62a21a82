/* SPDX-License-Identifier: BSD-2-Clause */
#include "shim/sockets.h"

#include "shim/calls.h"
#include <skep/socket.h>

/* The socket behind the descriptor, which is itself when it was not taken over. */
static int socket_of(int fd)
{
	struct skep_engine *engine = shim_enter(false);
	int socket;

	if (!engine)
		return fd;
	skep_socket_settle(engine);
	socket = skep_socket_fd(engine, fd);
	shim_leave_alone();
	return socket;
}

static bool is_taken(int fd)
{
	return socket_of(fd) != fd;
}

/* --- sending --- */

/* Whether programs are asked about what goes to addresses. */
static bool sees_messages(void)
{
	struct skep_engine *engine = shim_enter(false);
	bool sees;

	if (!engine)
		return false;
	sees = skep_socket_sees_messages(engine);
	shim_leave_alone();
	return sees;
}

static ssize_t send_through(int fd, const struct msghdr *message, int flags)
{
	struct skep_engine *engine = shim_enter(false);

	return engine ? shim_leave(skep_socket_sendmsg(engine, fd, message, flags))
		      : shim_real_sockets()->sendmsg(fd, message, flags);
}

ssize_t shim_sendto(int fd, const void *data, size_t length, int flags,
		    const struct sockaddr *to, socklen_t size)
{
	struct iovec iov = {(void *)data, length};
	const struct msghdr message = {.msg_name = (void *)to,
				       .msg_namelen = to ? size : 0,
				       .msg_iov = &iov,
				       .msg_iovlen = 1};

	return is_taken(fd) || (to && sees_messages())
		       ? send_through(fd, &message, flags)
		       : shim_real_sockets()->sendto(fd, data, length, flags, to, size);
}

ssize_t shim_send(int fd, const void *data, size_t length, int flags)
{
	return is_taken(fd) ? shim_sendto(fd, data, length, flags, NULL, 0)
			    : shim_real_sockets()->send(fd, data, length, flags);
}

ssize_t shim_write(int fd, const void *data, size_t length)
{
	return is_taken(fd) ? shim_sendto(fd, data, length, 0, NULL, 0)
			    : shim_real_sockets()->write(fd, data, length);
}

ssize_t shim_writev(int fd, const struct iovec *iov, int count)
{
	const struct msghdr message = {.msg_iov = (struct iovec *)iov,
				       .msg_iovlen = (size_t)count};

	return is_taken(fd) && count >= 0 ? send_through(fd, &message, 0)
					  : shim_real_sockets()->writev(fd, iov, count);
}

ssize_t shim_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return is_taken(fd) || (message->msg_name && sees_messages())
		       ? send_through(fd, message, flags)
		       : shim_real_sockets()->sendmsg(fd, message, flags);
}

/* The number of messages that were sent; an error counts only when it is the first. */
int shim_sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
	unsigned int sent = 0;

	if (!is_taken(fd) && !sees_messages())
		return shim_real_sockets()->sendmmsg(fd, messages, count, flags);
	for (; sent < count; sent++) {
		const ssize_t ret = send_through(fd, &messages[sent].msg_hdr, flags);

		if (ret < 0)
			return sent ? (int)sent : -1;
		messages[sent].msg_len = (unsigned int)ret;
	}
	return (int)sent;
}

/* --- receiving: the names of those who sent --- */

ssize_t shim_recvmsg(int fd, struct msghdr *message, int flags)
{
	struct skep_engine *engine = message->msg_name ? shim_enter(false) : NULL;

	return engine ? shim_leave(skep_socket_recvmsg(engine, fd, message, flags))
		      : shim_real_sockets()->recvmsg(fd, message, flags);
}

ssize_t shim_recvfrom(int fd, void *data, size_t length, int flags, struct sockaddr *from,
		      socklen_t *size)
{
	struct iovec iov = {data, length};
	struct msghdr message = {.msg_name = from,
				 .msg_namelen = size ? *size : 0,
				 .msg_iov = &iov,
				 .msg_iovlen = 1};
	struct skep_engine *engine = from && size ? shim_enter(false) : NULL;
	ssize_t ret;

	if (!engine)
		return shim_real_sockets()->recvfrom(fd, data, length, flags, from, size);
	ret = shim_leave(skep_socket_recvmsg(engine, fd, &message, flags));
	if (ret >= 0)
		*size = message.msg_namelen;
	return ret;
}

/* --- the socket itself --- */

/* The engine's call, where there is one. */
#define THROUGH(real, call, ...)                                                 \
	do {                                                                     \
		struct skep_engine *engine = shim_enter(false);                  \
                                                                                 \
		if (!engine)                                                     \
			return shim_real_sockets()->real;                        \
		return (int)shim_leave(skep_socket_##call(engine, __VA_ARGS__)); \
	} while (0)

int shim_socket(int domain, int type, int protocol)
{
	THROUGH(socket(domain, type, protocol), create, domain, type, protocol);
}

int shim_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	THROUGH(bind(fd, address, size), bind, fd, address, size);
}

int shim_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	THROUGH(connect(fd, address, size), connect, fd, address, size);
}

int shim_listen(int fd, int backlog)
{
	THROUGH(listen(fd, backlog), listen, fd, backlog);
}

int shim_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	THROUGH(accept4(fd, address, size, flags), accept, fd, address, size, flags);
}

int shim_shutdown(int fd, int how)
{
	THROUGH(shutdown(fd, how), shutdown, fd, how);
}

int shim_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	THROUGH(getsockopt(fd, level, name, value, size), getsockopt, fd, level, name, value,
		size);
}

/* How long one waits is a matter of the descriptor, too. */
static bool is_about_waiting(int level, int name)
{
	return level == SOL_SOCKET &&
	       (name == SO_RCVTIMEO || name == SO_SNDTIMEO || name == SO_RCVLOWAT);
}

static int set_option(int fd, int level, int name, const void *value, socklen_t size)
{
	THROUGH(setsockopt(fd, level, name, value, size), setsockopt, fd, level, name, value,
		size);
}

int shim_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	const int ret = set_option(fd, level, name, value, size);

	if (!ret && is_about_waiting(level, name) && is_taken(fd))
		return shim_real_sockets()->setsockopt(fd, level, name, value, size);
	return ret;
}

int shim_getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
	THROUGH(getsockname(fd, address, size), getsockname, fd, address, size);
}

int shim_getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
	THROUGH(getpeername(fd, address, size), getpeername, fd, address, size);
}
