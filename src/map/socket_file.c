/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/socket_file.h"

#include "map/ops.h"
#include "map/socket_find.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

union name {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage room;
};

static u32 option(int fd, int level, int name)
{
	int value = 0;
	socklen_t size = sizeof(value);

	return getsockopt(fd, level, name, &value, &size) ? 0 : (u32)value;
}

static bool is_connected(int fd)
{
	union name peer;
	socklen_t size = sizeof(peer);

	return !getpeername(fd, &peer.any, &size);
}

/* As the kernel numbers states for all protocols. */
static u32 state_of(int fd, const struct bpf_sock *view)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	if (view->protocol == IPPROTO_TCP)
		return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) ? TCP_CLOSE
									   : info.tcpi_state;
	if (option(fd, SOL_SOCKET, SO_ACCEPTCONN))
		return TCP_LISTEN;
	return is_connected(fd) ? TCP_ESTABLISHED : TCP_CLOSE;
}

static void set_source(const union name *name, struct bpf_sock *view)
{
	if (name->any.sa_family == AF_INET) {
		view->src_ip4 = name->in.sin_addr.s_addr;
		view->src_port = ntohs(name->in.sin_port);
	} else if (name->any.sa_family == AF_INET6) {
		memcpy(view->src_ip6, &name->in6.sin6_addr, sizeof(view->src_ip6));
		view->src_ip4 = socket_ipv4_of(name->in6.sin6_addr.s6_addr32);
		view->src_port = ntohs(name->in6.sin6_port);
	}
}

static void set_destination(const union name *name, struct bpf_sock *view)
{
	if (name->any.sa_family == AF_INET) {
		view->dst_ip4 = name->in.sin_addr.s_addr;
		view->dst_port = name->in.sin_port;
	} else if (name->any.sa_family == AF_INET6) {
		memcpy(view->dst_ip6, &name->in6.sin6_addr, sizeof(view->dst_ip6));
		view->dst_port = name->in6.sin6_port;
	}
}

static void set_names(int fd, struct bpf_sock *view)
{
	union name name;
	socklen_t size = sizeof(name);

	if (!getsockname(fd, &name.any, &size))
		set_source(&name, view);
	size = sizeof(name);
	if (!getpeername(fd, &name.any, &size))
		set_destination(&name, view);
}

static int check_socket(int fd)
{
	struct stat status;

	if (fstat(fd, &status) || fcntl(fd, F_GETFL) & O_PATH)
		return -EBADF;
	return S_ISSOCK(status.st_mode) ? 0 : -ENOTSOCK;
}

static u64 cookie_of(int fd)
{
	u64 cookie = 0;
	socklen_t size = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) ? 0 : cookie;
}

int socket_describe(int fd, struct sock_ctx *out)
{
	struct bpf_sock *view = &out->view;
	int err = check_socket(fd);

	if (err)
		return err;
	*out = (struct sock_ctx){.cookie = cookie_of(fd)};
	view->family = option(fd, SOL_SOCKET, SO_DOMAIN);
	view->type = option(fd, SOL_SOCKET, SO_TYPE);
	view->protocol = option(fd, SOL_SOCKET, SO_PROTOCOL);
	view->mark = option(fd, SOL_SOCKET, SO_MARK);
	view->priority = option(fd, SOL_SOCKET, SO_PRIORITY);
	view->rx_queue_mapping = -1;
	out->is_ipv6_only = option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	view->state = state_of(fd, view);
	set_names(fd, view);
	return 0;
}

bool socket_is(int fd, const struct sock_ctx *sk)
{
	return cookie_of(fd) == sk->cookie;
}

/* --- which sockets may be where --- */

static bool is_internet(const struct bpf_sock *view)
{
	return view->family == AF_INET || view->family == AF_INET6;
}

static bool is_tcp(const struct bpf_sock *view)
{
	return is_internet(view) && view->type == SOCK_STREAM && view->protocol == IPPROTO_TCP;
}

static bool is_udp(const struct bpf_sock *view)
{
	return is_internet(view) && view->type == SOCK_DGRAM && view->protocol == IPPROTO_UDP;
}

static bool may_be_in_map(const struct bpf_sock *view)
{
	if (is_tcp(view))
		return view->state == TCP_ESTABLISHED || view->state == TCP_LISTEN;
	if (is_udp(view))
		return view->src_port;
	if (view->type == SOCK_STREAM && (view->family == AF_UNIX || view->family == AF_VSOCK))
		return view->state == TCP_ESTABLISHED;
	return view->type == SOCK_DGRAM && view->family == AF_UNIX;
}

int socket_check_map(const struct sock_ctx *sk)
{
	return may_be_in_map(&sk->view) ? 0 : -EOPNOTSUPP;
}

bool socket_is_connected(const struct sock_ctx *sk)
{
	return sk->view.state != TCP_LISTEN;
}

int socket_check_reuseport(int fd, const struct sock_ctx *sk)
{
	const struct bpf_sock *view = &sk->view;

	if (!is_tcp(view) && !is_udp(view))
		return -ENOTSUPP;
	if (is_tcp(view) ? view->state != TCP_LISTEN : !view->src_port)
		return -EINVAL;
	return option(fd, SOL_SOCKET, SO_REUSEPORT) ? 0 : -EINVAL;
}
