/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets. The only ones that programs see are those behind a packet that the host of the
 * engine names (struct sock_ctx): no look-up finds another, and none is of TCP.
 */
#include "helper/body.h"
#include "helper/skb.h"

#define UID_OVERFLOW 65534 /* whose socket this is cannot be said */
#define NETNS_COOKIE 1	   /* an engine is one network */

/* The socket that the context names; contexts other than packets name none here. */
static const struct sock_ctx *context_socket(u64 ctx, const struct run_context *run)
{
	switch ((u32)run->type) {
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_SK_SKB: return ((const struct skb_ctx *)u64_to_ptr(ctx))->sk;
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

/* There are no request sockets: every socket is a full one. */
HELPER_BODY(sk_fullsock)
{
	return r1;
}

/* Look-ups give no references, so there are none to give back. */
HELPER_BODY(sk_release)
{
	return 0;
}

#define FINDS_NONE(name)  \
	HELPER_BODY(name) \
	{                 \
		return 0; \
	}

FINDS_NONE(sk_lookup_tcp)
FINDS_NONE(sk_lookup_udp)
FINDS_NONE(skc_lookup_tcp)
FINDS_NONE(tcp_sock)
FINDS_NONE(get_listener_sock)
FINDS_NONE(skc_to_tcp6_sock)
FINDS_NONE(skc_to_tcp_sock)
FINDS_NONE(skc_to_tcp_timewait_sock)
FINDS_NONE(skc_to_tcp_request_sock)
FINDS_NONE(skc_to_udp6_sock)
FINDS_NONE(skc_to_unix_sock)
FINDS_NONE(skc_to_mptcp_sock)
