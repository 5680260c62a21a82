/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets of the application in a sockmap or sockhash. Once such a map has programs, or a
 * program sends through it, the data of its sockets goes through the programs, as in Linux:
 * what they receive through a parser and a verdict, what they send through a BPF_SK_MSG_VERDICT
 * program. For that the engine takes the socket's descriptors over: those of this process
 * become one end of a pair, and a thread of the engine moves the data between it and the
 * socket. The application reads, writes, polls and closes as before. Under `skep exec` nothing
 * else is to be known; others use the functions here for what concerns the socket itself.
 *
 * And calls on sockets that programs attached to a control group of the process are asked about
 * (cgroup/connect4, cgroup/setsockopt, sockops, ...): who has such programs makes the calls
 * through the functions below, and under `skep exec` all calls go through them.
 */
#ifndef SKEP_SOCKET_H
#define SKEP_SOCKET_H

#include <skep/skep.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The socket behind a descriptor, for getsockopt(2), setsockopt(2), getsockname(2) and
 * getpeername(2); the descriptor itself when it was not taken over. It belongs to the engine,
 * which closes it soon after the application has closed the last descriptor.
 */
SKEP_API int skep_socket_fd(struct skep_engine *engine, int fd);

/*
 * sendmsg(2) of a socket: the bytes sent, or a negative errno. Through the socket's
 * BPF_SK_MSG_VERDICT program, if it has one: -EACCES, it dropped the message. A descriptor that
 * was not taken over is only written to. What the application writes otherwise, no program
 * sees.
 */
SKEP_API ssize_t skep_socket_sendmsg(struct skep_engine *engine, int fd,
				     const struct msghdr *message, int flags);

/*
 * The calls of the same names: their result, or a negative errno, which may be a program's
 * (-EPERM). Without programs they are the call.
 */
SKEP_API int skep_socket_create(struct skep_engine *engine, int domain, int type, int protocol);
SKEP_API int skep_socket_bind(struct skep_engine *engine, int fd,
			      const struct sockaddr *address, socklen_t size);
SKEP_API int skep_socket_connect(struct skep_engine *engine, int fd,
				 const struct sockaddr *address, socklen_t size);
SKEP_API int skep_socket_listen(struct skep_engine *engine, int fd, int backlog);
SKEP_API int skep_socket_accept(struct skep_engine *engine, int fd, struct sockaddr *address,
				socklen_t *size, int flags);
SKEP_API int skep_socket_shutdown(struct skep_engine *engine, int fd, int how);
SKEP_API int skep_socket_getsockname(struct skep_engine *engine, int fd,
				     struct sockaddr *address, socklen_t *size);
SKEP_API int skep_socket_getpeername(struct skep_engine *engine, int fd,
				     struct sockaddr *address, socklen_t *size);
SKEP_API int skep_socket_getsockopt(struct skep_engine *engine, int fd, int level, int name,
				    void *value, socklen_t *size);
SKEP_API int skep_socket_setsockopt(struct skep_engine *engine, int fd, int level, int name,
				    const void *value, socklen_t size);
SKEP_API ssize_t skep_socket_recvmsg(struct skep_engine *engine, int fd,
				     struct msghdr *message, int flags);

/*
 * Programs of type sockops hear of a connection when connect() returns; of one that takes its
 * time, when one of the functions here is called after it came about: this one, when the
 * process was told so by poll(2) or its like.
 */
SKEP_API void skep_socket_settle(struct skep_engine *engine);

/* Whether recvmsg() and sendmsg() are asked about, so that a call which is faster otherwise is
 * to be made through the functions here. */
SKEP_API bool skep_socket_sees_messages(struct skep_engine *engine);

#ifdef __cplusplus
}
#endif
#endif
