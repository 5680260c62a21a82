/* SPDX-License-Identifier: BSD-2-Clause */
/* libskep-preload.so: the C library's calls on sockets. */
#include "shim/calls.h"
#include "shim/sockets.h"

#include <pthread.h>

static struct real_sockets real;
static pthread_once_t calls_once = PTHREAD_ONCE_INIT;

static void find_real_calls(void)
{
	real.socket = shim_find("socket");
	real.bind = shim_find("bind");
	real.connect = shim_find("connect");
	real.listen = shim_find("listen");
	real.accept4 = shim_find("accept4");
	real.shutdown = shim_find("shutdown");
	real.recvfrom = shim_find("recvfrom");
	real.recvmsg = shim_find("recvmsg");
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

int own_socket(int domain, int type, int protocol) SYMBOL(socket);
int own_bind(int fd, const struct sockaddr *address, socklen_t size) SYMBOL(bind);
int own_connect(int fd, const struct sockaddr *address, socklen_t size) SYMBOL(connect);
int own_listen(int fd, int backlog) SYMBOL(listen);
int own_accept(int fd, struct sockaddr *address, socklen_t *size) SYMBOL(accept);
int own_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags) SYMBOL(accept4);
int own_shutdown(int fd, int how) SYMBOL(shutdown);
ssize_t own_recvfrom(int fd, void *data, size_t length, int flags, struct sockaddr *from,
		     socklen_t *size) SYMBOL(recvfrom);
ssize_t own_recvmsg(int fd, struct msghdr *message, int flags) SYMBOL(recvmsg);
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

int own_socket(int domain, int type, int protocol)
{
	return shim_socket(domain, type, protocol);
}

int own_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	return shim_bind(fd, address, size);
}

int own_connect(int fd, const struct sockaddr *address, socklen_t size)
{
	return shim_connect(fd, address, size);
}

int own_listen(int fd, int backlog)
{
	return shim_listen(fd, backlog);
}

int own_accept(int fd, struct sockaddr *address, socklen_t *size)
{
	return shim_accept4(fd, address, size, 0);
}

int own_accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	return shim_accept4(fd, address, size, flags);
}

int own_shutdown(int fd, int how)
{
	return shim_shutdown(fd, how);
}

ssize_t own_recvfrom(int fd, void *data, size_t length, int flags, struct sockaddr *from,
		     socklen_t *size)
{
	return shim_recvfrom(fd, data, length, flags, from, size);
}

ssize_t own_recvmsg(int fd, struct msghdr *message, int flags)
{
	return shim_recvmsg(fd, message, flags);
}

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
