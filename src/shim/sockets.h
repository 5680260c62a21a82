/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C library's calls on sockets. Of descriptors that the engine has taken over
 * (skep/socket.h) what is sent goes through the engine, what concerns the socket itself goes
 * to it; reading, waiting and closing need no such thing. What programs of control groups are
 * asked about goes through the engine, too. preload_sockets.c provides `real`.
 */
#ifndef SKEP_SHIM_SOCKETS_H
#define SKEP_SHIM_SOCKETS_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* The C library's own functions. */
struct real_sockets {
	int (*socket)(int domain, int type, int protocol);
	int (*bind)(int fd, const struct sockaddr *address, socklen_t size);
	int (*connect)(int fd, const struct sockaddr *address, socklen_t size);
	int (*listen)(int fd, int backlog);
	int (*accept4)(int fd, struct sockaddr *address, socklen_t *size, int flags);
	int (*shutdown)(int fd, int how);
	ssize_t (*recvfrom)(int fd, void *data, size_t length, int flags, struct sockaddr *from,
			    socklen_t *size);
	ssize_t (*recvmsg)(int fd, struct msghdr *message, int flags);
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

int shim_socket(int domain, int type, int protocol);
int shim_bind(int fd, const struct sockaddr *address, socklen_t size);
int shim_connect(int fd, const struct sockaddr *address, socklen_t size);
int shim_listen(int fd, int backlog);
int shim_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags);
int shim_shutdown(int fd, int how);
ssize_t shim_recvfrom(int fd, void *data, size_t length, int flags, struct sockaddr *from,
		      socklen_t *size);
ssize_t shim_recvmsg(int fd, struct msghdr *message, int flags);
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
