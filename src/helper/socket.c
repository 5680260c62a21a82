/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets behind a packet. */
#include "helper/body.h"
#include "helper/skb.h"

#define UID_OVERFLOW 65534 /* whose socket this is cannot be said */

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

/* There are no request sockets: every socket is a full one. */
HELPER_BODY(sk_fullsock)
{
	return r1;
}
