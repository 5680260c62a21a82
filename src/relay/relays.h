/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets of this process whose data goes through programs: those in a sockmap or sockhash that
 * has programs, or that programs send through. What the kernel does inside a socket, a *relay*
 * does beside it:
 *
 *	application <--[ pair ]--> relay <--[ socket ]--> peer
 *
 * The application's descriptors of the socket are replaced by one end of a pair of AF_UNIX
 * sockets (dup2()), the relay has the other end and the socket itself. So whatever reads, polls
 * and waits works natively, the kernel counts the descriptors' copies, and the end of the last
 * one is seen at the other end. What concerns the socket itself (its names, its options) is
 * asked of relays_real(). A thread, the *pump* (pump.c), moves the data.
 *
 *	relays.c   the table, programs that come and go with maps
 *	drive.c    a socket gets its relay: descriptors are replaced, and given back
 *	epolls.c   epoll instances of the application go with them
 *	outlet.c   what waits to be written to an end
 *	flow.c     what the socket received: parser, verdict
 *	message.c  what the application sends: sk_msg
 *	pump.c     the thread
 */
#ifndef SKEP_RELAY_RELAYS_H
#define SKEP_RELAY_RELAYS_H

#include "base/types.h"
#include <sys/socket.h>

struct relays;
struct run_env;
struct socket_hook;

/* NULL: out of memory. `env` stays the caller's and must live as long. */
struct relays *relays_new(const struct run_env *env);
/* The application's descriptors are the sockets themselves again, and no program runs any more;
 * maps may still come and go. NULL is allowed. */
void relays_stop(struct relays *relays);
void relays_free(struct relays *relays); /* NULL is allowed */

/* For maps of sockets. */
struct socket_hook *relays_hook(struct relays *relays);

/* Around fork(), in the thread that forks. Relays stay the parent's; a child's copies of the
 * descriptors keep nothing open. */
void relays_before_fork(struct relays *relays);
void relays_after_fork(struct relays *relays, bool is_child);

/* Whether there is a relay at all: cheap. */
bool relays_in_use(const struct relays *relays);
/* The socket behind a descriptor of the application, or the descriptor itself. */
int relays_real(struct relays *relays, int fd);

/* What a program of this thread has put into maps is driven from now on. */
void relays_settle(struct relays *relays);

/* The descriptor has no relay: the call is the kernel's. */
#define RELAY_FOREIGN 1

/* sendmsg(2), through the socket's program: 0 and the bytes sent in `*sent`, a negative errno
 * or RELAY_FOREIGN. */
int relays_send(struct relays *relays, int fd, const struct msghdr *message, int flags,
		size_t *sent);

#endif
