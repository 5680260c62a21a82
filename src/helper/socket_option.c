/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the sockets that contexts name, those that Linux lets programs have. */
#include "catalog/ctx.h"
#include "helper/body.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define TXREHASH      74   /* SO_TXREHASH */
#define RTO_MAX_MS    44   /* TCP_RTO_MAX_MS */
#define AUTOFLOWLABEL 70   /* IPV6_AUTOFLOWLABEL */
#define CB_FLAGS      0x7f /* BPF_SOCK_OPS_ALL_CB_FLAGS */
#define NUMBER	      sizeof(int)

#define SIN6_LEN_RFC2133 24 /* of Linux: an address without a scope */

enum { MAY_GET = 1, MAY_SET = 2, MAY_BOTH = 3 };

static const struct option {
	int level, name;
	u32 smallest, largest; /* bytes */
	u32 may;
} options[] = {
	{SOL_SOCKET, SO_REUSEADDR, NUMBER, NUMBER, MAY_BOTH},
	{SOL_SOCKET, SO_REUSEPORT, NUMBER, NUMBER, MAY_BOTH},
	{SOL_SOCKET, SO_BINDTOIFINDEX, NUMBER, NUMBER, MAY_BOTH},
	{SOL_SOCKET, SO_SNDBUF, NUMBER, NUMBER, MAY_BOTH},
	{SOL_SOCKET, SO_RCVBUF, NUMBER, NUMBER, MAY_BOTH},
	{SOL_SOCKET, SO_KEEPALIVE, NUMBER, NUMBER, MAY_BOTH},
	{SOL_SOCKET, SO_PRIORITY, NUMBER, NUMBER, MAY_BOTH},
	{SOL_SOCKET, SO_MAX_PACING_RATE, NUMBER, NUMBER, MAY_BOTH},
	{SOL_SOCKET, SO_RCVLOWAT, NUMBER, NUMBER, MAY_BOTH},
	{SOL_SOCKET, SO_MARK, NUMBER, NUMBER, MAY_BOTH},
	{SOL_SOCKET, TXREHASH, NUMBER, NUMBER, MAY_BOTH},
	{SOL_SOCKET, SO_BINDTODEVICE, 0, UINT32_MAX, MAY_SET},
	{IPPROTO_TCP, TCP_NODELAY, NUMBER, NUMBER, MAY_BOTH},
	{IPPROTO_TCP, TCP_MAXSEG, NUMBER, NUMBER, MAY_BOTH},
	{IPPROTO_TCP, TCP_KEEPIDLE, NUMBER, NUMBER, MAY_BOTH},
	{IPPROTO_TCP, TCP_KEEPINTVL, NUMBER, NUMBER, MAY_BOTH},
	{IPPROTO_TCP, TCP_KEEPCNT, NUMBER, NUMBER, MAY_BOTH},
	{IPPROTO_TCP, TCP_SYNCNT, NUMBER, NUMBER, MAY_BOTH},
	{IPPROTO_TCP, TCP_WINDOW_CLAMP, NUMBER, NUMBER, MAY_BOTH},
	{IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, NUMBER, NUMBER, MAY_BOTH},
	{IPPROTO_TCP, TCP_USER_TIMEOUT, NUMBER, NUMBER, MAY_BOTH},
	{IPPROTO_TCP, TCP_NOTSENT_LOWAT, NUMBER, NUMBER, MAY_BOTH},
	{IPPROTO_TCP, TCP_SAVE_SYN, NUMBER, NUMBER, MAY_BOTH},
	{IPPROTO_TCP, RTO_MAX_MS, NUMBER, NUMBER, MAY_BOTH},
	{IPPROTO_TCP, TCP_CONGESTION, 2, UINT32_MAX, MAY_BOTH},
	{IPPROTO_TCP, TCP_SAVED_SYN, 1, UINT32_MAX, MAY_BOTH},
	{IPPROTO_IP, IP_TOS, NUMBER, NUMBER, MAY_BOTH},
	{IPPROTO_IPV6, IPV6_TCLASS, NUMBER, NUMBER, MAY_BOTH},
	{IPPROTO_IPV6, AUTOFLOWLABEL, NUMBER, NUMBER, MAY_BOTH},
};

static const struct sock_ctx *socket_of(u64 ctx, const struct run_context *run)
{
	void *sk = u64_to_ptr(ctx);

	if (run->type == BPF_PROG_TYPE_SOCK_OPS)
		sk = ((const struct bpf_sock_ops *)sk)->sk;
	else if (run->type == BPF_PROG_TYPE_CGROUP_SOCK_ADDR)
		sk = ((const struct bpf_sock_addr *)sk)->sk;
	return sk;
}

static bool is_of_level(const struct sock_ctx *sk, int level)
{
	switch (level) {
	case IPPROTO_TCP: return sk->view.protocol == IPPROTO_TCP;
	case IPPROTO_IP: return sk->view.family == AF_INET;
	case IPPROTO_IPV6: return sk->view.family == AF_INET6;
	default: return true;
	}
}

static int check(const struct sock_ctx *sk, int level, int name, u32 size, u32 may)
{
	if (!sk || !sk->descriptor)
		return -EOPNOTSUPP;
	if (!is_of_level(sk, level))
		return -EINVAL;
	for (const struct option *at = options; at < options + ARRAY_SIZE(options); at++)
		if (at->level == level && at->name == name && at->may & may &&
		    size >= at->smallest && size <= at->largest)
			return 0;
	return -EINVAL;
}

HELPER_BODY(setsockopt)
{
	const struct sock_ctx *sk = socket_of(r1, run);
	const int ret = check(sk, (int)r2, (int)r3, (u32)r5, MAY_SET);

	if (ret)
		return ret;
	return setsockopt((int)sk->descriptor - 1, (int)r2, (int)r3, u64_to_ptr(r4), (u32)r5)
		       ? -errno
		       : 0;
}

HELPER_BODY(getsockopt)
{
	const struct sock_ctx *sk = socket_of(r1, run);
	char *value = u64_to_ptr(r4);
	socklen_t size = r5;
	int ret = check(sk, (int)r2, (int)r3, size, MAY_GET);

	if (!ret && getsockopt((int)sk->descriptor - 1, (int)r2, (int)r3, value, &size))
		ret = -errno;
	if (!ret && !size)
		ret = -EINVAL; /* there is none, as of a SYN that nobody saved */
	if (ret)
		memset(value, 0, (u32)r5);
	else if ((int)r2 == IPPROTO_TCP && (int)r3 == TCP_CONGESTION)
		value[(u32)r5 - 1] = '\0';
	return ret;
}

/* The context has the socket's flags; what there is beside them comes back. */
HELPER_BODY(sock_ops_cb_flags_set)
{
	struct bpf_sock_ops *ops = u64_to_ptr(r1);

	if (!ops->is_fullsock)
		return -EINVAL;
	ops->bpf_sock_ops_cb_flags = (u32)r2 & CB_FLAGS;
	return (s32)r2 & ~CB_FLAGS;
}

/* Where a connection comes from; its port, too, only who may choose low ones. */
HELPER_BODY(bind)
{
	const struct sock_ctx *sk = socket_of(r1, run);
	const struct sockaddr_in *address = u64_to_ptr(r2);
	const u32 size = (u32)r3;
	const int one = 1;

	if (!sk || !sk->descriptor)
		return -EOPNOTSUPP;
	if (size < offsetof(struct sockaddr, sa_data))
		return -EINVAL;
	if (address->sin_family != AF_INET && address->sin_family != AF_INET6)
		return -EAFNOSUPPORT;
	if (size < (address->sin_family == AF_INET ? sizeof(*address) : SIN6_LEN_RFC2133))
		return -EINVAL;
	/* Both families have their ports at the same place. */
	if (!address->sin_port)
		setsockopt((int)sk->descriptor - 1, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
			   sizeof(one));
	return bind((int)sk->descriptor - 1, (const struct sockaddr *)address, size) ? -errno
										     : 0;
}
