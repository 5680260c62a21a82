/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets: those behind a packet that the host of the engine names (struct sock_ctx), those of
 * maps, and those of the host that a look-up finds.
 */
#include "helper/body.h"
#include "helper/skb.h"
#include "map/socket_find.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define UID_OVERFLOW 65534 /* whose socket this is cannot be said */
#define NETNS_COOKIE 1	   /* an engine is one network */

/* The socket that the context names, or is. */
static const struct sock_ctx *context_socket(u64 ctx, const struct run_context *run)
{
	switch ((u32)run->type) {
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_SK_SKB: return ((const struct skb_ctx *)u64_to_ptr(ctx))->sk;
	case BPF_PROG_TYPE_SOCK_OPS:
		return (void *)((const struct bpf_sock_ops *)u64_to_ptr(ctx))->sk;
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
		return (void *)((const struct bpf_sock_addr *)u64_to_ptr(ctx))->sk;
	case BPF_PROG_TYPE_CGROUP_SOCK: return u64_to_ptr(ctx);
	default: return NULL;
	}
}

HELPER_BODY(get_socket_cookie)
{
	const struct sock_ctx *sk = context_socket(r1, run);

	return sk ? sk->cookie : 0;
}

HELPER_BODY(get_socket_uid)
{
	const struct sock_ctx *sk = context_socket(r1, run);

	return sk ? sk->uid : UID_OVERFLOW;
}

HELPER_BODY(get_netns_cookie)
{
	return NETNS_COOKIE;
}

static bool is_full(const struct bpf_sock *view)
{
	return view->state != BPF_TCP_TIME_WAIT && view->state != BPF_TCP_NEW_SYN_RECV;
}

/* A view is the first member of its socket. */
static const struct bpf_sock *view_of(u64 sk)
{
	return u64_to_ptr(sk);
}

HELPER_BODY(sk_fullsock)
{
	return is_full(view_of(r1)) ? r1 : 0;
}

HELPER_BODY(get_listener_sock)
{
	return view_of(r1)->state == BPF_TCP_LISTEN ? r1 : 0;
}

HELPER_BODY(sk_release)
{
	struct sock_ctx *sk = u64_to_ptr(r1);

	if (sk && sk->is_found)
		socket_found_free(sk);
	return 0;
}

/* --- look-ups. An engine is one network: others have no number. --- */
static struct sock_ctx *find(u8 protocol, u64 tuple, u32 size, u64 network, u64 flags)
{
	return flags || (s32)network >= 0 ? NULL
					  : socket_find(protocol, u64_to_ptr(tuple), size);
}

/* Of connections that are not there yet or no more nothing but their addresses is known. */
static u64 only_full(struct sock_ctx *sk)
{
	if (!sk || is_full(&sk->view))
		return ptr_to_u64(sk);
	socket_found_free(sk);
	return 0;
}

HELPER_BODY(sk_lookup_tcp)
{
	return only_full(find(IPPROTO_TCP, r2, r3, r4, r5));
}

HELPER_BODY(sk_lookup_udp)
{
	return only_full(find(IPPROTO_UDP, r2, r3, r4, r5));
}

HELPER_BODY(skc_lookup_tcp)
{
	return ptr_to_u64(find(IPPROTO_TCP, r2, r3, r4, r5));
}

/* --- casts: the pointer is the same, or NULL --- */
#define CAST(name, condition)                              \
	HELPER_BODY(name)                                  \
	{                                                  \
		const struct bpf_sock *view = view_of(r1); \
                                                           \
		return view && (condition) ? r1 : 0;       \
	}

CAST(skc_to_tcp_sock, is_full(view) && view->protocol == IPPROTO_TCP)
CAST(skc_to_tcp6_sock,
     is_full(view) && view->protocol == IPPROTO_TCP && view->family == AF_INET6)
CAST(skc_to_tcp_timewait_sock, view->state == BPF_TCP_TIME_WAIT)
CAST(skc_to_tcp_request_sock, view->state == BPF_TCP_NEW_SYN_RECV)
CAST(skc_to_udp6_sock, view->protocol == IPPROTO_UDP && view->family == AF_INET6)
CAST(skc_to_unix_sock, view->family == AF_UNIX)
CAST(skc_to_mptcp_sock, view->protocol == IPPROTO_MPTCP)

/* Nothing tells of a connection what struct bpf_tcp_sock has. */
HELPER_BODY(tcp_sock)
{
	return 0;
}

/* --- bpf_sk_assign(): whose the packet is --- */
static u64 assign_packet(struct skb_ctx *skb, struct sock_ctx *sk, u64 flags)
{
	if (!sk || flags)
		return -EINVAL;
	if (!skb->is_at_ingress)
		return -EOPNOTSUPP;
	skb->sk = sk;
	return 0;
}

/* Sockets that wait for somebody: others belong to one connection. */
static bool may_be_chosen(const struct bpf_sock *view)
{
	switch (view->protocol) {
	case IPPROTO_TCP: return view->state == BPF_TCP_LISTEN;
	case IPPROTO_UDP: return view->state != BPF_TCP_ESTABLISHED;
	default: return false;
	}
}

static int check_choice(const struct bpf_sk_lookup *lookup, const struct sock_ctx *sk)
{
	if (!may_be_chosen(&sk->view))
		return -ESOCKTNOSUPPORT;
	if (sk->view.protocol != lookup->protocol)
		return -EPROTOTYPE;
	if (sk->view.family != lookup->family &&
	    (sk->view.family == AF_INET || sk->is_ipv6_only))
		return -EAFNOSUPPORT;
	return 0;
}

static u64 assign_lookup(struct bpf_sk_lookup *lookup, struct sock_ctx *sk, u64 flags)
{
	int ret;

	if (flags & ~(u64)(BPF_SK_LOOKUP_F_REPLACE | BPF_SK_LOOKUP_F_NO_REUSEPORT))
		return -EINVAL;
	ret = sk ? check_choice(lookup, sk) : 0;
	if (ret)
		return ret;
	if (lookup->sk && !(flags & BPF_SK_LOOKUP_F_REPLACE))
		return -EEXIST;
	lookup->sk = sk ? &sk->view : NULL;
	return 0;
}

HELPER_BODY(sk_assign)
{
	if (run->type == BPF_PROG_TYPE_SK_LOOKUP)
		return assign_lookup(u64_to_ptr(r1), u64_to_ptr(r2), r3);
	return assign_packet(u64_to_ptr(r1), u64_to_ptr(r2), r3);
}
