/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens to TCP sockets. Programs are told in the thread that makes the call which brings
 * it about, or first could know of it: so a socket is in a map before the process sends by it.
 */
#include "cgroup/group.h"
#include "cgroup/sockets.h"

#include "map/socket_file.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* --- the sockets that are watched: with the lock held --- */

static struct watched *find_watched(struct groups *groups, u64 cookie)
{
	struct watched *at;

	cds_list_for_each_entry (at, &groups->watched, list)
		if (at->cookie == cookie)
			return at;
	return NULL;
}

static void forget(struct groups *groups, struct watched *watched)
{
	if (watched->is_pending)
		atomic_fetch_sub(&groups->pending, 1);
	cds_list_del(&watched->list);
	free(watched);
}

/* Those whose descriptor was closed. */
static void forget_closed(struct groups *groups)
{
	struct watched *at, *next;

	cds_list_for_each_entry_safe (at, next, &groups->watched, list) {
		const struct sock_ctx sk = {.cookie = at->cookie};

		if (!socket_is(at->fd, &sk))
			forget(groups, at);
	}
}

static struct watched *make_watched(struct groups *groups, u64 cookie, int fd)
{
	struct watched *watched = find_watched(groups, cookie);

	if (watched)
		return watched;
	forget_closed(groups);
	watched = calloc(1, sizeof(*watched));
	if (!watched)
		return NULL;
	*watched = (struct watched){.cookie = cookie, .fd = fd};
	cds_list_add(&watched->list, &groups->watched);
	return watched;
}

static u32 events_of(struct groups *groups, u64 cookie)
{
	const struct watched *watched;
	u32 events;

	pthread_mutex_lock(&groups->lock);
	watched = find_watched(groups, cookie);
	events = watched ? watched->events : 0;
	pthread_mutex_unlock(&groups->lock);
	return events;
}

static void set_events(struct groups *groups, u64 cookie, int fd, u32 events)
{
	struct watched *watched;

	pthread_mutex_lock(&groups->lock);
	watched = make_watched(groups, cookie, fd);
	if (watched)
		watched->events = events;
	pthread_mutex_unlock(&groups->lock);
}

static void set_pending(struct groups *groups, u64 cookie, int fd, bool is_pending)
{
	struct watched *watched;

	pthread_mutex_lock(&groups->lock);
	watched = is_pending ? make_watched(groups, cookie, fd) : find_watched(groups, cookie);
	if (watched && watched->is_pending != is_pending) {
		watched->is_pending = is_pending;
		atomic_fetch_add(&groups->pending, is_pending ? 1 : -1);
	}
	pthread_mutex_unlock(&groups->lock);
}

/* --- a socket as programs see it --- */

static void show_connection(struct bpf_sock_ops *ops, int fd)
{
	struct tcp_info info = {};
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size))
		return;
	ops->snd_cwnd = info.tcpi_snd_cwnd;
	ops->srtt_us = info.tcpi_rtt << 3;
	ops->rtt_min = info.tcpi_min_rtt;
	ops->snd_ssthresh = info.tcpi_snd_ssthresh;
	ops->mss_cache = info.tcpi_snd_mss;
	ops->packets_out = info.tcpi_unacked;
	ops->retrans_out = info.tcpi_retrans;
	ops->total_retrans = info.tcpi_total_retrans;
	ops->segs_in = info.tcpi_segs_in;
	ops->data_segs_in = info.tcpi_data_segs_in;
	ops->segs_out = info.tcpi_segs_out;
	ops->data_segs_out = info.tcpi_data_segs_out;
	ops->lost_out = info.tcpi_lost;
	ops->sacked_out = info.tcpi_sacked;
	ops->bytes_received = info.tcpi_bytes_received;
	ops->bytes_acked = info.tcpi_bytes_acked;
}

static void show(struct bpf_sock_ops *ops, struct sock_ctx *sk, int fd)
{
	const struct bpf_sock *view = &sk->view;

	*ops = (struct bpf_sock_ops){.family = view->family,
				     .remote_ip4 = view->dst_ip4,
				     .local_ip4 = view->src_ip4,
				     .remote_port = htonl(ntohs((u16)view->dst_port)),
				     .local_port = view->src_port,
				     .is_fullsock = 1,
				     .state = view->state,
				     .sk = &sk->view};
	memcpy(ops->remote_ip6, view->dst_ip6, sizeof(ops->remote_ip6));
	memcpy(ops->local_ip6, view->src_ip6, sizeof(ops->local_ip6));
	show_connection(ops, fd);
}

struct event {
	u32 op, state;
	u32 args[2];
};

/* Linux puts sockets into maps when they begin to be what they are. */
static bool may_join(u32 op)
{
	return op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB ||
	       op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB || op == BPF_SOCK_OPS_TCP_LISTEN_CB;
}

static void tell(struct groups *groups, struct sock_ctx *sk, int fd, const struct event *event)
{
	struct bpf_sock_ops ops;
	struct group_call call = {.type = BPF_CGROUP_SOCK_OPS,
				  .ctx = &ops,
				  .sk = sk,
				  .fd = fd,
				  .may_join = may_join(event->op)};
	const u32 events = events_of(groups, sk->cookie);

	show(&ops, sk, fd);
	ops.op = event->op;
	ops.state = event->state;
	ops.args[0] = event->args[0];
	ops.args[1] = event->args[1];
	ops.bpf_sock_ops_cb_flags = events;
	group_run(groups, &call);
	if (ops.bpf_sock_ops_cb_flags != events)
		set_events(groups, sk->cookie, fd, ops.bpf_sock_ops_cb_flags);
}

/* As Linux, programs see the state that the socket leaves. */
static void tell_state(struct groups *groups, struct sock_ctx *sk, int fd, u32 from, u32 to)
{
	const struct event event = {BPF_SOCK_OPS_STATE_CB, from, {from, to}};

	if (events_of(groups, sk->cookie) & BPF_SOCK_OPS_STATE_CB_FLAG)
		tell(groups, sk, fd, &event);
}

/* False: nobody wants to know, or it is no TCP socket. */
static bool find_socket(struct groups *groups, int fd, struct sock_ctx *out)
{
	return groups_use(groups, BPF_CGROUP_SOCK_OPS) && group_describe(fd, out) &&
	       out->view.protocol == IPPROTO_TCP;
}

/* --- a connection begins here --- */

static void set_peer(struct bpf_sock *view, const struct sockaddr *to)
{
	const struct sockaddr_in *in = (const void *)to;
	const struct sockaddr_in6 *in6 = (const void *)to;

	if (to->sa_family == AF_INET) {
		view->dst_ip4 = in->sin_addr.s_addr;
		view->dst_port = in->sin_port;
	} else if (to->sa_family == AF_INET6) {
		memcpy(view->dst_ip6, &in6->sin6_addr, sizeof(view->dst_ip6));
		view->dst_port = in6->sin6_port;
	}
}

void event_connect(struct groups *groups, int fd, const struct sockaddr *to)
{
	const struct event event = {BPF_SOCK_OPS_TCP_CONNECT_CB, BPF_TCP_SYN_SENT, {0}};
	struct sock_ctx sk;

	if (!find_socket(groups, fd, &sk))
		return;
	set_peer(&sk.view, to);
	sk.view.state = BPF_TCP_SYN_SENT;
	tell(groups, &sk, fd, &event);
}

static void tell_connected(struct groups *groups, struct sock_ctx *sk, int fd)
{
	const struct event event = {
		BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB, BPF_TCP_ESTABLISHED, {0}};

	set_pending(groups, sk->cookie, fd, false);
	tell_state(groups, sk, fd, BPF_TCP_SYN_SENT, BPF_TCP_ESTABLISHED);
	tell(groups, sk, fd, &event);
}

static void tell_failed(struct groups *groups, struct sock_ctx *sk, int fd)
{
	set_pending(groups, sk->cookie, fd, false);
	tell_state(groups, sk, fd, BPF_TCP_SYN_SENT, BPF_TCP_CLOSE);
}

void event_connected(struct groups *groups, int fd, int ret)
{
	struct sock_ctx sk;

	if (!find_socket(groups, fd, &sk))
		return;
	if (!ret)
		tell_connected(groups, &sk, fd);
	else if (ret == -EINPROGRESS || ret == -EINTR)
		set_pending(groups, sk.cookie, fd, true);
	else
		tell_failed(groups, &sk, fd);
}

/* One that is no longer in the middle of it; false: there is none. */
static bool take_pending(struct groups *groups, struct sock_ctx *out, int *fd)
{
	struct watched *at, *next;
	bool found = false;

	pthread_mutex_lock(&groups->lock);
	cds_list_for_each_entry_safe (at, next, &groups->watched, list) {
		if (!at->is_pending)
			continue;
		if (!group_describe(at->fd, out) || out->cookie != at->cookie) {
			forget(groups, at);
			continue;
		}
		found = out->view.state != BPF_TCP_SYN_SENT;
		*fd = at->fd;
		if (!found)
			continue;
		at->is_pending = false;
		atomic_fetch_sub(&groups->pending, 1);
		break;
	}
	pthread_mutex_unlock(&groups->lock);
	return found;
}

void groups_settle(struct groups *groups)
{
	struct sock_ctx sk;
	int fd;

	while (atomic_load_explicit(&groups->pending, memory_order_relaxed) &&
	       take_pending(groups, &sk, &fd)) {
		if (sk.view.state == BPF_TCP_CLOSE)
			tell_failed(groups, &sk, fd);
		else
			tell_connected(groups, &sk, fd);
	}
}

/* --- a connection that came --- */

void event_accepted(struct groups *groups, int listener, int fd)
{
	const struct event event = {BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB, BPF_TCP_SYN_RECV, {0}};
	struct sock_ctx sk, parent;
	u32 events;

	if (!find_socket(groups, fd, &sk) || !find_socket(groups, listener, &parent))
		return;
	events = events_of(groups, parent.cookie);
	if (events)
		set_events(groups, sk.cookie, fd, events);
	tell(groups, &sk, fd, &event);
	tell_state(groups, &sk, fd, BPF_TCP_SYN_RECV, BPF_TCP_ESTABLISHED);
}

int groups_accept(struct groups *groups, int fd, struct sockaddr *address, socklen_t *size,
		  int flags)
{
	const int accepted = accept4(fd, address, size, flags);

	if (accepted < 0)
		return -errno;
	event_accepted(groups, fd, accepted);
	return accepted;
}

int groups_listen(struct groups *groups, int fd, int backlog)
{
	const struct event event = {BPF_SOCK_OPS_TCP_LISTEN_CB, BPF_TCP_LISTEN, {0}};
	struct sock_ctx sk;
	const bool was_listening =
		find_socket(groups, fd, &sk) && sk.view.state == BPF_TCP_LISTEN;

	if (listen(fd, backlog))
		return -errno;
	if (!was_listening && find_socket(groups, fd, &sk))
		tell(groups, &sk, fd, &event);
	return 0;
}

/* --- its end --- */

static u32 state_after(u32 state)
{
	switch (state) {
	case BPF_TCP_ESTABLISHED:
	case BPF_TCP_SYN_RECV: return BPF_TCP_FIN_WAIT1;
	case BPF_TCP_CLOSE_WAIT: return BPF_TCP_LAST_ACK;
	default: return state;
	}
}

int groups_shutdown(struct groups *groups, int fd, int how)
{
	struct sock_ctx sk;
	const bool is_told = how != SHUT_RD && find_socket(groups, fd, &sk);
	u32 state;

	if (shutdown(fd, how))
		return -errno;
	if (!is_told)
		return 0;
	state = state_after(sk.view.state);
	if (state != sk.view.state)
		tell_state(groups, &sk, fd, sk.view.state, state);
	return 0;
}
