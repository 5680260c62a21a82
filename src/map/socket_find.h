/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets of the host, found by their addresses as a packet would find them. */
#ifndef SKEP_MAP_SOCKET_FIND_H
#define SKEP_MAP_SOCKET_FIND_H

#include "catalog/ctx.h"

/* Asks the calling thread's network namespace (sock_diag(7)): enters the kernel. `size` is that
 * of the member of `tuple` that counts. NULL: none, or no memory. socket_found_free() ends it.
 */
struct sock_ctx *socket_find(u8 protocol, const struct bpf_sock_tuple *tuple, u32 size);
/* Those who look at it in a read-side section may go on. */
void socket_found_free(struct sock_ctx *sk);

/* What Linux has in the place of the IPv4 address of an IPv6 socket. */
u32 socket_ipv4_of(const u32 address[4]);

#endif
