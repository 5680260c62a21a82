/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C library's calls on sockets, for descriptors that the engine has taken over
 * (skep/socket.h): what is sent goes through the engine, what concerns the socket itself goes
 * to it. Reading, waiting and closing need no such thing. preload_sockets.c provides `real`.
 */
#ifndef SKEP_SHIM_SOCKETS_H
#define SKEP_SHIM_SOCKETS_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* The C library's own functions. */
struct real_sockets {
	ssize_t (*write)(int fd, const void *data, size_t length);
	ssize_t (*writev)(int fd, const struct iovec *iov, int count);
	ssize_t (*send)(int fd, const void *data, size_t length, int flags);
	ssize_t (*sendto)(int fd, const void *data, size_t length, int flags,
			  const struct sockaddr *to, socklen_t size);
	ssize_t (*sendmsg)(int fd, const struct msghdr *message, int flags);
	int (*sendmmsg)(int fd, struct mmsghdr *messages, unsigned int count, int flags);
	int (*getsockopt)(int fd, int level, int name, void *value, socklen_t *size);
	int (*setsockopt)(int fd, int level, int name, const void *value, socklen_t size);
	int (*getsockname)(int fd, struct sockaddr *address, socklen_t *size);
	int (*getpeername)(int fd, struct sockaddr *address, socklen_t *size);
};

const struct real_sockets *shim_real_sockets(void);

ssize_t shim_write(int fd, const void *data, size_t length);
ssize_t shim_writev(int fd, const struct iovec *iov, int count);
ssize_t shim_send(int fd, const void *data, size_t length, int flags);
ssize_t shim_sendto(int fd, const void *data, size_t length, int flags,
		    const struct sockaddr *to, socklen_t size);
ssize_t shim_sendmsg(int fd, const struct msghdr *message, int flags);
int shim_sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags);
int shim_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int shim_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int shim_getsockname(int fd, struct sockaddr *address, socklen_t *size);
int shim_getpeername(int fd, struct sockaddr *address, socklen_t *size);

#endif
