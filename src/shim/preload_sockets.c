/* SPDX-License-Identifier: BSD-2-Clause */
/* libskep-preload.so: the C library's calls on sockets. */
#include "shim/calls.h"
#include "shim/sockets.h"

#include <pthread.h>

static struct real_sockets real;
static pthread_once_t calls_once = PTHREAD_ONCE_INIT;

static void find_real_calls(void)
{
	real.write = shim_find("write");
	real.writev = shim_find("writev");
	real.send = shim_find("send");
	real.sendto = shim_find("sendto");
	real.sendmsg = shim_find("sendmsg");
	real.sendmmsg = shim_find("sendmmsg");
	real.getsockopt = shim_find("getsockopt");
	real.setsockopt = shim_find("setsockopt");
	real.getsockname = shim_find("getsockname");
	real.getpeername = shim_find("getpeername");
}

const struct real_sockets *shim_real_sockets(void)
{
	pthread_once(&calls_once, find_real_calls);
	return &real;
}

#define SYMBOL(name) __asm__(#name) __attribute__((visibility("default")))

ssize_t own_write(int fd, const void *data, size_t length) SYMBOL(write);
ssize_t own_writev(int fd, const struct iovec *iov, int count) SYMBOL(writev);
ssize_t own_send(int fd, const void *data, size_t length, int flags) SYMBOL(send);
ssize_t own_sendto(int fd, const void *data, size_t length, int flags,
		   const struct sockaddr *to, socklen_t size) SYMBOL(sendto);
ssize_t own_sendmsg(int fd, const struct msghdr *message, int flags) SYMBOL(sendmsg);
int own_sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
	SYMBOL(sendmmsg);
int own_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
	SYMBOL(getsockopt);
int own_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
	SYMBOL(setsockopt);
int own_getsockname(int fd, struct sockaddr *address, socklen_t *size) SYMBOL(getsockname);
int own_getpeername(int fd, struct sockaddr *address, socklen_t *size) SYMBOL(getpeername);

ssize_t own_write(int fd, const void *data, size_t length)
{
	return shim_write(fd, data, length);
}

ssize_t own_writev(int fd, const struct iovec *iov, int count)
{
	return shim_writev(fd, iov, count);
}

ssize_t own_send(int fd, const void *data, size_t length, int flags)
{
	return shim_send(fd, data, length, flags);
}

ssize_t own_sendto(int fd, const void *data, size_t length, int flags,
		   const struct sockaddr *to, socklen_t size)
{
	return shim_sendto(fd, data, length, flags, to, size);
}

ssize_t own_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return shim_sendmsg(fd, message, flags);
}

int own_sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
	return shim_sendmmsg(fd, messages, count, flags);
}

int own_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	return shim_getsockopt(fd, level, name, value, size);
}

int own_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	return shim_setsockopt(fd, level, name, value, size);
}

int own_getsockname(int fd, struct sockaddr *address, socklen_t *size)
{
	return shim_getsockname(fd, address, size);
}

int own_getpeername(int fd, struct sockaddr *address, socklen_t *size)
{
	return shim_getpeername(fd, address, size);
}
