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
	socket = skep_socket_fd(engine, fd);
	shim_leave_alone();
	return socket;
}

static bool is_taken(int fd)
{
	return socket_of(fd) != fd;
}

/* --- sending --- */

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

	return is_taken(fd) ? send_through(fd, &message, flags)
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
	return is_taken(fd) ? send_through(fd, message, flags)
			    : shim_real_sockets()->sendmsg(fd, message, flags);
}

/* The number of messages that were sent; an error counts only when it is the first. */
int shim_sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
	unsigned int sent = 0;

	if (!is_taken(fd))
		return shim_real_sockets()->sendmmsg(fd, messages, count, flags);
	for (; sent < count; sent++) {
		const ssize_t ret = send_through(fd, &messages[sent].msg_hdr, flags);

		if (ret < 0)
			return sent ? (int)sent : -1;
		messages[sent].msg_len = (unsigned int)ret;
	}
	return (int)sent;
}

/* --- the socket itself --- */

int shim_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	return shim_real_sockets()->getsockopt(socket_of(fd), level, name, value, size);
}

/* How long one waits is a matter of the descriptor, too. */
static bool is_about_waiting(int level, int name)
{
	return level == SOL_SOCKET &&
	       (name == SO_RCVTIMEO || name == SO_SNDTIMEO || name == SO_RCVLOWAT);
}

int shim_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	const int socket = socket_of(fd);
	const int ret = shim_real_sockets()->setsockopt(socket, level, name, value, size);

	if (!ret && socket != fd && is_about_waiting(level, name))
		return shim_real_sockets()->setsockopt(fd, level, name, value, size);
	return ret;
}

int shim_getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
	return shim_real_sockets()->getsockname(socket_of(fd), address, size);
}

int shim_getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
	return shim_real_sockets()->getpeername(socket_of(fd), address, size);
}
