/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls with addresses, which programs may change or refuse. */
#include "cgroup/group.h"
#include "cgroup/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage room;
};

/* The attach types for addresses of both families. */
struct pair {
	enum bpf_attach_type in, in6;
};

#define PAIR(before, after) \
	((struct pair){BPF_CGROUP_##before##4_##after, BPF_CGROUP_##before##6_##after})

static bool use(const struct groups *groups, struct pair types)
{
	return groups_use(groups, types.in) || groups_use(groups, types.in6);
}

/* --- an address as programs see it --- */

struct asked {
	struct bpf_sock_addr ctx;
	struct sock_ctx sk;
	struct group_call call;
};

static void show(struct bpf_sock_addr *ctx, const union address *address)
{
	ctx->user_family = address->any.sa_family;
	if (address->any.sa_family == AF_INET) {
		ctx->user_ip4 = address->in.sin_addr.s_addr;
		ctx->user_port = address->in.sin_port;
	} else {
		memcpy(ctx->user_ip6, &address->in6.sin6_addr, sizeof(ctx->user_ip6));
		ctx->user_port = address->in6.sin6_port;
	}
}

static void take(const struct bpf_sock_addr *ctx, union address *address)
{
	if (address->any.sa_family == AF_INET) {
		address->in.sin_addr.s_addr = ctx->user_ip4;
		address->in.sin_port = (u16)ctx->user_port;
	} else {
		memcpy(&address->in6.sin6_addr, ctx->user_ip6, sizeof(ctx->user_ip6));
		address->in6.sin6_port = (u16)ctx->user_port;
	}
}

static bool is_whole(const union address *address, socklen_t size)
{
	if (address->any.sa_family == AF_INET)
		return size >= sizeof(address->in);
	return address->any.sa_family == AF_INET6 &&
	       size >= offsetof(struct sockaddr_in6, sin6_scope_id);
}

/* Prepares the question; false: it is none. */
static bool begin(struct asked *asked, struct groups *groups, struct pair types, int fd,
		  const union address *address, socklen_t size)
{
	enum bpf_attach_type type;

	if (!is_whole(address, size))
		return false;
	type = address->any.sa_family == AF_INET ? types.in : types.in6;
	if (!groups_use(groups, type) || !group_describe(fd, &asked->sk))
		return false;
	asked->ctx = (struct bpf_sock_addr){.family = asked->sk.view.family,
					    .type = asked->sk.view.type,
					    .protocol = asked->sk.view.protocol,
					    .sk = &asked->sk.view};
	show(&asked->ctx, address);
	asked->call = (struct group_call){
		.type = type, .ctx = &asked->ctx, .sk = &asked->sk, .fd = fd};
	return true;
}

/* 0: as the programs have it now; they may refuse. */
static int ask(struct groups *groups, struct pair types, int fd, union address *address,
	       socklen_t size)
{
	struct asked asked;
	int ret;

	if (!begin(&asked, groups, types, fd, address, size))
		return 0;
	ret = group_run(groups, &asked.call);
	if (!ret)
		take(&asked.ctx, address);
	return ret;
}

static socklen_t copy_in(union address *to, const struct sockaddr *from, socklen_t size)
{
	const socklen_t length = min(size, (socklen_t)sizeof(*to));

	memset(to, 0, sizeof(*to));
	if (from)
		memcpy(to, from, length);
	return length;
}

/* --- bind, connect --- */

/* Linux looks at sockets that were made for addresses only. */
static bool is_internet(int fd, int *type)
{
	int domain = 0;
	socklen_t size = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) ||
	    (domain != AF_INET && domain != AF_INET6))
		return false;
	size = sizeof(*type);
	return !getsockopt(fd, SOL_SOCKET, SO_TYPE, type, &size);
}

int groups_bind(struct groups *groups, int fd, const struct sockaddr *address, socklen_t size)
{
	const struct pair before = PAIR(INET, BIND), after = PAIR(INET, POST_BIND);
	union address to;
	int type, ret;

	if (!use(groups, before) && !use(groups, after))
		return bind(fd, address, size) ? -errno : 0;
	size = copy_in(&to, address, size);
	if (!is_internet(fd, &type))
		return bind(fd, address, size) ? -errno : 0;
	ret = ask(groups, before, fd, &to, size);
	if (!ret && bind(fd, &to.any, size))
		ret = -errno;
	return ret ?: create_bound(groups, fd);
}

/* Whether it begins a connection: what is one, or becomes one, is left alone. */
static bool begins(int fd)
{
	struct sock_ctx sk;

	return group_describe(fd, &sk) &&
	       (sk.view.protocol != IPPROTO_TCP || sk.view.state == BPF_TCP_CLOSE);
}

int groups_connect(struct groups *groups, int fd, const struct sockaddr *address,
		   socklen_t size)
{
	const struct pair types = PAIR(INET, CONNECT);
	union address to;
	int type, ret;

	groups_settle(groups);
	if ((!use(groups, types) && !groups_use(groups, BPF_CGROUP_SOCK_OPS)) ||
	    !is_internet(fd, &type) || !begins(fd))
		return connect(fd, address, size) ? -errno : 0;
	size = copy_in(&to, address, size);
	ret = ask(groups, types, fd, &to, size);
	if (ret)
		return ret;
	event_connect(groups, fd, &to.any);
	ret = connect(fd, &to.any, size) ? -errno : 0;
	event_connected(groups, fd, ret);
	return ret;
}

/* --- names --- */

static void copy_out(const union address *from, socklen_t length, struct sockaddr *to,
		     socklen_t *size)
{
	memcpy(to, from, min(length, *size));
	*size = length;
}

int groups_getname(struct groups *groups, int fd, struct sockaddr *address, socklen_t *size,
		   bool is_peer)
{
	const struct pair types = is_peer ? PAIR(INET, GETPEERNAME) : PAIR(INET, GETSOCKNAME);
	int (*const call)(int, struct sockaddr *, socklen_t *) =
		is_peer ? getpeername : getsockname;
	union address name = {};
	socklen_t length = sizeof(name);

	if (!use(groups, types) || !address || !size)
		return call(fd, address, size) ? -errno : 0;
	if ((int)*size < 0)
		return -EINVAL;
	if (call(fd, &name.any, &length))
		return -errno;
	ask(groups, types, fd, &name, length);
	copy_out(&name, length, address, size);
	return 0;
}

/* --- datagrams --- */

static bool is_udp(int fd)
{
	int type = 0;

	return is_internet(fd, &type) && type == SOCK_DGRAM;
}

bool groups_see_messages(const struct groups *groups)
{
	return use(groups, PAIR(UDP, SENDMSG));
}

static void show_source(struct asked *asked)
{
	asked->ctx.msg_src_ip4 = asked->sk.view.src_ip4;
	memcpy(asked->ctx.msg_src_ip6, asked->sk.view.src_ip6, sizeof(asked->ctx.msg_src_ip6));
}

union source {
	struct cmsghdr header;
	u8 space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* The source that programs chose, as the caller of sendmsg() would; false: they chose none. */
static bool choose_source(const struct asked *asked, union source *out)
{
	struct in6_pktinfo in6 = {};
	struct in_pktinfo in = {};
	const bool is_ipv4 = asked->ctx.user_family == AF_INET;

	if (is_ipv4 ? asked->ctx.msg_src_ip4 == asked->sk.view.src_ip4
		    : !memcmp(asked->ctx.msg_src_ip6, asked->sk.view.src_ip6,
			      sizeof(asked->ctx.msg_src_ip6)))
		return false;
	memset(out, 0, sizeof(*out));
	if (is_ipv4) {
		out->header = (struct cmsghdr){CMSG_LEN(sizeof(in)), IPPROTO_IP, IP_PKTINFO};
		in.ipi_spec_dst.s_addr = asked->ctx.msg_src_ip4;
		memcpy(CMSG_DATA(&out->header), &in, sizeof(in));
	} else {
		out->header =
			(struct cmsghdr){CMSG_LEN(sizeof(in6)), IPPROTO_IPV6, IPV6_PKTINFO};
		memcpy(&in6.ipi6_addr, asked->ctx.msg_src_ip6, sizeof(in6.ipi6_addr));
		memcpy(CMSG_DATA(&out->header), &in6, sizeof(in6));
	}
	return true;
}

static ssize_t send_plainly(int fd, const struct msghdr *message, int flags)
{
	const ssize_t ret = sendmsg(fd, message, flags);

	return ret < 0 ? -errno : ret;
}

ssize_t groups_sendmsg(struct groups *groups, int fd, const struct msghdr *message, int flags)
{
	struct msghdr changed = *message;
	union source source;
	struct asked asked;
	union address to;
	int ret;

	if (!message->msg_name || !is_udp(fd))
		return send_plainly(fd, message, flags);
	changed.msg_namelen = copy_in(&to, message->msg_name, message->msg_namelen);
	changed.msg_name = &to;
	if (!begin(&asked, groups, PAIR(UDP, SENDMSG), fd, &to, changed.msg_namelen))
		return send_plainly(fd, message, flags);
	show_source(&asked);
	ret = group_run(groups, &asked.call);
	if (ret)
		return ret;
	take(&asked.ctx, &to);
	if (!message->msg_controllen && choose_source(&asked, &source)) {
		changed.msg_control = &source;
		changed.msg_controllen = CMSG_SPACE(source.header.cmsg_len - CMSG_LEN(0));
	}
	return send_plainly(fd, &changed, flags);
}

ssize_t groups_recvmsg(struct groups *groups, int fd, struct msghdr *message, int flags)
{
	const struct pair types = PAIR(UDP, RECVMSG);
	struct sockaddr *const name = message->msg_name;
	socklen_t room = message->msg_namelen;
	union address from = {};
	ssize_t ret;

	if (!name || !use(groups, types) || !is_udp(fd)) {
		ret = recvmsg(fd, message, flags);
		return ret < 0 ? -errno : ret;
	}
	message->msg_name = &from;
	message->msg_namelen = sizeof(from);
	ret = recvmsg(fd, message, flags);
	if (ret < 0)
		ret = -errno;
	else
		ask(groups, types, fd, &from, message->msg_namelen);
	if (ret >= 0)
		copy_out(&from, message->msg_namelen, name, &room);
	message->msg_name = name;
	message->msg_namelen = room;
	return ret;
}
