/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * To which socket of a map data goes: noted in the run, carried out by who ran the program. And
 * how programs put the socket that their hook is about into a map.
 */
#include "helper/body.h"
#include "map/socket.h"

#include <errno.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>

static bool is_tcp(const struct bpf_sock *view)
{
	return view->protocol == IPPROTO_TCP;
}

/* TCP that does not listen; others only when they have a peer. */
static bool may_receive(const struct bpf_sock *view)
{
	return is_tcp(view) ? view->state != BPF_TCP_LISTEN
			    : view->state == BPF_TCP_ESTABLISHED;
}

static u64 redirect(struct run_context *run, const struct sock_ctx *sk, u64 flags)
{
	run->redirect.kind = REDIRECT_NONE;
	if (flags & ~(u64)BPF_F_INGRESS || !sk || !may_receive(&sk->view))
		return SK_DROP;
	run->redirect = (struct redirect){
		.kind = REDIRECT_SOCKET,
		.socket = sk,
		.flags = flags,
	};
	return SK_PASS;
}

static u64 redirect_packet(struct run_context *run, u64 map, const void *key, u64 flags)
{
	const struct sock_ctx *sk = map_socket_find(u64_to_ptr(map), key);

	if (sk && sk->view.family == AF_VSOCK && (flags & BPF_F_INGRESS))
		return SK_DROP;
	return redirect(run, sk, flags);
}

static u64 redirect_message(struct run_context *run, u64 map, const void *key, u64 flags)
{
	const struct sock_ctx *sk = map_socket_find(u64_to_ptr(map), key);

	if (sk && !is_tcp(&sk->view) &&
	    (!(flags & BPF_F_INGRESS) || sk->view.family == AF_VSOCK))
		return SK_DROP;
	return redirect(run, sk, flags);
}

HELPER_BODY(sk_redirect_map)
{
	const u32 key = (u32)r3;

	return redirect_packet(run, r2, &key, r4);
}

HELPER_BODY(sk_redirect_hash)
{
	return redirect_packet(run, r2, u64_to_ptr(r3), r4);
}

HELPER_BODY(msg_redirect_map)
{
	const u32 key = (u32)r3;

	return redirect_message(run, r2, &key, r4);
}

HELPER_BODY(msg_redirect_hash)
{
	return redirect_message(run, r2, u64_to_ptr(r3), r4);
}

/* --- BPF_PROG_TYPE_SOCK_OPS --- */

static u64 put(struct run_context *run, u64 map, u64 key, u64 flags)
{
	if (!run->event.socket)
		return -EOPNOTSUPP;
	return map_socket_update(u64_to_ptr(map), u64_to_ptr(key), run->event.descriptor,
				 run->event.socket, flags);
}

HELPER_BODY(sock_map_update)
{
	return put(run, r2, r3, r4);
}

HELPER_BODY(sock_hash_update)
{
	return put(run, r2, r3, r4);
}
