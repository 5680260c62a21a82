/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/socket_find.h"

#include "base/rcu.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES 4096
#define BOUND_IPV6   0x7f000006 /* 127.0.0.6 */

struct found_socket {
	struct sock_ctx sk;
	struct rcu_head rcu;
};

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

u32 socket_ipv4_of(const u32 address[4])
{
	if (!(address[0] | address[1] | address[2] | address[3]))
		return 0;
	return !address[0] && !address[1] && address[2] == htonl(0xffff) ? address[3]
									 : htonl(BOUND_IPV6);
}

/* The socket's own end is where the packet goes to. */
static void set_ends(struct inet_diag_sockid *id, const struct bpf_sock_tuple *tuple, u8 family)
{
	if (family == AF_INET) {
		id->idiag_src[0] = tuple->ipv4.daddr;
		id->idiag_dst[0] = tuple->ipv4.saddr;
		id->idiag_sport = tuple->ipv4.dport;
		id->idiag_dport = tuple->ipv4.sport;
	} else {
		memcpy(id->idiag_src, tuple->ipv6.daddr, sizeof(id->idiag_src));
		memcpy(id->idiag_dst, tuple->ipv6.saddr, sizeof(id->idiag_dst));
		id->idiag_sport = tuple->ipv6.dport;
		id->idiag_dport = tuple->ipv6.sport;
	}
}

/* UDP has them the other way round. */
static void swap_ends(struct inet_diag_sockid *id)
{
	const struct inet_diag_sockid old = *id;

	id->idiag_sport = old.idiag_dport;
	id->idiag_dport = old.idiag_sport;
	memcpy(id->idiag_src, old.idiag_dst, sizeof(id->idiag_src));
	memcpy(id->idiag_dst, old.idiag_src, sizeof(id->idiag_dst));
}

/* The length of the answer; below 0: none. */
static ssize_t ask(const struct request *request, void *answer, size_t size)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	ssize_t length = -1;

	if (fd < 0)
		return -1;
	if (send(fd, request, sizeof(*request), 0) == sizeof(*request))
		length = recv(fd, answer, size, 0);
	close(fd);
	return length;
}

static void set_mark(struct bpf_sock *view, const struct nlmsghdr *header)
{
	const struct inet_diag_msg *message = NLMSG_DATA(header);
	int left = (int)header->nlmsg_len - (int)NLMSG_SPACE(sizeof(*message));

	for (const struct rtattr *at = (const void *)(message + 1); RTA_OK(at, left);
	     at = RTA_NEXT(at, left))
		if (at->rta_type == INET_DIAG_MARK)
			memcpy(&view->mark, RTA_DATA(at), sizeof(view->mark));
}

static void set_view(struct bpf_sock *view, const struct inet_diag_msg *message)
{
	const struct inet_diag_sockid *id = &message->id;

	view->family = message->idiag_family;
	view->state = message->idiag_state;
	view->bound_dev_if = id->idiag_if;
	view->src_port = ntohs(id->idiag_sport);
	view->dst_port = id->idiag_dport;
	view->rx_queue_mapping = -1;
	if (view->family == AF_INET) {
		view->src_ip4 = id->idiag_src[0];
		view->dst_ip4 = id->idiag_dst[0];
		return;
	}
	memcpy(view->src_ip6, id->idiag_src, sizeof(view->src_ip6));
	memcpy(view->dst_ip6, id->idiag_dst, sizeof(view->dst_ip6));
	view->src_ip4 = socket_ipv4_of(view->src_ip6);
}

static struct sock_ctx *found(const struct nlmsghdr *header, u8 protocol)
{
	const struct inet_diag_msg *message = NLMSG_DATA(header);
	struct found_socket *found = calloc(1, sizeof(*found));

	if (!found)
		return NULL;
	found->sk.is_found = true;
	found->sk.uid = message->idiag_uid;
	found->sk.cookie = (u64)message->id.idiag_cookie[1] << 32 | message->id.idiag_cookie[0];
	found->sk.view.protocol = protocol;
	found->sk.view.type = protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
	set_view(&found->sk.view, message);
	set_mark(&found->sk.view, header);
	return &found->sk;
}

struct sock_ctx *socket_find(u8 protocol, const struct bpf_sock_tuple *tuple, u32 size)
{
	const u8 family = size == sizeof(tuple->ipv4)	? AF_INET
			  : size == sizeof(tuple->ipv6) ? AF_INET6
							: AF_UNSPEC;
	struct request request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST},
		.body = {.sdiag_family = family,
			 .sdiag_protocol = protocol,
			 .idiag_states = ~0u,
			 .id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
	};
	_Alignas(struct nlmsghdr) u8 answer[ANSWER_BYTES];
	const struct nlmsghdr *header = (const void *)answer;
	ssize_t length;

	if (!family)
		return NULL;
	set_ends(&request.body.id, tuple, family);
	if (protocol == IPPROTO_UDP)
		swap_ends(&request.body.id);
	length = ask(&request, answer, sizeof(answer));
	if (length < (ssize_t)NLMSG_SPACE(sizeof(struct inet_diag_msg)) ||
	    header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return NULL;
	return found(header, protocol);
}

static void free_found(struct rcu_head *head)
{
	free(container_of(head, struct found_socket, rcu));
}

void socket_found_free(struct sock_ctx *sk)
{
	call_rcu(&container_of(sk, struct found_socket, sk)->rcu, free_found);
}
