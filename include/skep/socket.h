/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets of the application in a sockmap or sockhash. Once such a map has programs, or a
 * program sends through it, the data of its sockets goes through the programs, as in Linux:
 * what they receive through a parser and a verdict, what they send through a BPF_SK_MSG_VERDICT
 * program. For that the engine takes the socket's descriptors over: those of this process
 * become one end of a pair, and a thread of the engine moves the data between it and the
 * socket. The application reads, writes, polls and closes as before. Under `skep exec` nothing
 * else is to be known; others use the functions here for what concerns the socket itself.
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

#ifdef __cplusplus
}
#endif
#endif
