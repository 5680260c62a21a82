/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the application sends. The socket takes it at once, as long as nothing waits in front of
 * it; the rest goes into the pair, as if the application had written it there itself, so that
 * blocking, timeouts and readiness are the kernel's.
 */
#include "relay/relay.h"

#include "helper/message.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CHUNK	    RELAY_READ	 /* that a program sees at a time */
#define WAITING_MAX (256u << 10) /* at another socket, before senders wait */

struct sending {
	struct relay *relay;
	int fd, flags;
	size_t copied; /* what sendmsg() returns */
};

/* --- to the socket --- */

static bool is_idle(const struct relay *relay)
{
	int waiting = 0;

	return relay->is_driven && !relay->to_socket.first && !relay->to_socket.is_ending &&
	       !ioctl(relay->end, FIONREAD, &waiting) && !waiting;
}

/* What the socket takes now: bytes or a negative errno. */
static ssize_t send_now(struct relay *relay, const struct msghdr *message, int flags)
{
	ssize_t ret = 0;

	pthread_mutex_lock(&relay->relays->lock);
	if (is_idle(relay))
		ret = sendmsg(relay->socket, message, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
	if (ret < 0)
		ret = errno == EAGAIN ? 0 : -errno;
	pthread_mutex_unlock(&relay->relays->lock);
	if (ret == -EPIPE && !(flags & MSG_NOSIGNAL))
		pthread_kill(pthread_self(), SIGPIPE);
	return ret;
}

static size_t bytes_of(const struct msghdr *message)
{
	size_t bytes = 0;

	for (size_t i = 0; i < message->msg_iovlen; i++)
		bytes += message->msg_iov[i].iov_len;
	return bytes;
}

/* `to` gets what is behind `skip` bytes; it has room for all. */
static size_t behind(const struct msghdr *message, size_t skip, struct iovec *to)
{
	size_t count = 0;

	for (size_t i = 0; i < message->msg_iovlen; i++) {
		const struct iovec *from = &message->msg_iov[i];
		const size_t here = min(skip, from->iov_len);

		skip -= here;
		if (here < from->iov_len)
			to[count++] = (struct iovec){(u8 *)from->iov_base + here,
						     from->iov_len - here};
	}
	return count;
}

static ssize_t send_behind(int fd, const struct msghdr *message, size_t skip, int flags)
{
	struct iovec *rest = calloc(message->msg_iovlen, sizeof(*rest));
	struct msghdr header = {.msg_iov = rest};
	ssize_t ret;

	if (!rest)
		return -ENOMEM;
	header.msg_iovlen = behind(message, skip, rest);
	ret = sendmsg(fd, &header, flags);
	if (ret < 0)
		ret = -errno;
	free(rest);
	return ret;
}

static int pass(struct relay *relay, int fd, const struct msghdr *message, int flags,
		size_t *sent)
{
	const size_t all = bytes_of(message);
	ssize_t now = send_now(relay, message, flags), rest;

	if (now < 0)
		return (int)now;
	*sent = (size_t)now;
	if (*sent == all)
		return 0;
	rest = send_behind(fd, message, *sent, flags);
	if (rest < 0)
		return now ? 0 : (int)rest;
	*sent += (size_t)rest;
	return 0;
}

/* Datagrams do not wait; they may have an address. */
static int send_datagram(struct relay *relay, int fd, const struct msghdr *message, int flags,
			 size_t *sent)
{
	const int status = fcntl(fd, F_GETFL);
	const ssize_t ret = sendmsg(relay->socket, message,
				    flags | (status & O_NONBLOCK ? MSG_DONTWAIT : 0));

	*sent = ret < 0 ? 0 : (size_t)ret;
	return ret < 0 ? -errno : 0;
}

/* --- to another socket --- */

static struct relay *find_driven(struct relays *relays, u64 cookie, int fd)
{
	struct relay *to = relay_find(relays, cookie);

	return to && !relay_drive(to, fd) ? to : NULL;
}

static struct outlet *outlet_of(struct relay *to, u64 flags)
{
	return flags & BPF_F_INGRESS ? &to->to_application : &to->to_socket;
}

void relay_redirect(struct relay *relay, u64 cookie, int fd, u64 flags, struct piece *piece)
{
	struct relays *relays = relay->relays;
	struct relay *to;

	pthread_mutex_lock(&relays->lock);
	to = find_driven(relays, cookie, fd);
	if (to)
		outlet_put(outlet_of(to, flags), piece);
	else
		piece_free(piece);
	pthread_mutex_unlock(&relays->lock);
}

static bool may_wait(const struct sending *sending)
{
	return !(sending->flags & MSG_DONTWAIT) && !(fcntl(sending->fd, F_GETFL) & O_NONBLOCK);
}

/* With the lock held. The socket's target, when there is room for more; NULL and *err. */
static struct relay *wait_for_room(struct sending *sending, int *err)
{
	struct relay *relay = sending->relay;
	struct relays *relays = relay->relays;
	struct relay *to;

	while ((to = find_driven(relays, relay->message.target, relay->message.target_fd)) &&
	       outlet_of(to, relay->message.flags)->bytes > WAITING_MAX) {
		if (!may_wait(sending)) {
			*err = -EAGAIN;
			return NULL;
		}
		pthread_cond_wait(&relays->drained, &relays->lock);
	}
	*err = to && !outlet_of(to, relay->message.flags)->is_closed ? 0 : -EPIPE;
	return *err ? NULL : to;
}

static int redirect(struct sending *sending, const u8 *data, u32 length)
{
	struct relays *relays = sending->relay->relays;
	struct relay *to;
	int err;

	pthread_mutex_lock(&relays->lock);
	to = wait_for_room(sending, &err);
	if (to)
		outlet_copy(outlet_of(to, sending->relay->message.flags), NULL, data, length);
	pthread_mutex_unlock(&relays->lock);
	return err;
}

/* --- the program --- */

static void show(struct message_ctx *message, struct relay *relay, u8 *data, u32 length)
{
	const struct bpf_sock *view = &relay->sk.view;

	*message = (struct message_ctx){
		.md = {.family = view->family,
		       .remote_ip4 = view->dst_ip4,
		       .local_ip4 = view->src_ip4,
		       .remote_port = htonl(ntohs((u16)view->dst_port)),
		       .local_port = view->src_port,
		       .sk = &relay->sk.view},
		.data = data,
		.end = data + length,
		.limit = data + length + MESSAGE_ROOM,
	};
	memcpy(message->md.remote_ip6, view->dst_ip6, sizeof(message->md.remote_ip6));
	memcpy(message->md.local_ip6, view->src_ip6, sizeof(message->md.local_ip6));
	message_show(message);
}

static enum message_verdict verdict_of(const struct run_context *run, u64 ret)
{
	if ((u32)ret != SK_PASS)
		return VERDICT_DROP;
	return run->redirect.kind == REDIRECT_SOCKET ? VERDICT_REDIRECT : VERDICT_PASS;
}

/* What becomes of the message; without a program it passes. */
static void judge(struct relay *relay, struct message_ctx *message)
{
	const struct run_region regions[] = {
		{message->data, (size_t)(message->limit - message->data)},
		{(u8 *)&relay->sk, sizeof(relay->sk)},
	};
	const struct prog *prog;
	struct run_context run;

	run_begin(&run, relay->relays->env);
	run.regions = regions;
	run.region_cnt = ARRAY_SIZE(regions);
	prog = rcu_dereference(relay->progs[SOCKET_PROG_MSG]);
	relay->message.verdict =
		prog ? verdict_of(&run, prog_run(prog, &message->md, &run)) : VERDICT_PASS;
	if (relay->message.verdict == VERDICT_REDIRECT) {
		relay->message.target = run.redirect.socket->cookie;
		relay->message.target_fd = map_socket_fd(run.redirect.socket);
		relay->message.flags = run.redirect.flags;
	}
	run_end(&run);
	relay->message.apply_bytes = message->apply_bytes;
}

static int carry_out(struct sending *sending, u8 *data, u32 length)
{
	struct iovec iov = {data, length};
	const struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t sent = 0;
	int err;

	switch (sending->relay->message.verdict) {
	case VERDICT_REDIRECT: return redirect(sending, data, length);
	case VERDICT_PASS:
		err = pass(sending->relay, sending->fd, &header, sending->flags, &sent);
		if (!err && sent < length)
			err = -EAGAIN;
		sending->copied -= err ? length - sent : 0;
		return err;
	case VERDICT_NONE:
	case VERDICT_DROP: break;
	}
	return -EACCES;
}

/* The message is kept until so many more bytes are there. */
static int hold(struct relay *relay, const struct message_ctx *message)
{
	const u32 size = (u32)(message->end - message->data);
	u8 *held = malloc(size);

	if (!held)
		return -ENOMEM;
	memcpy(held, message->data, size);
	free(relay->message.held);
	relay->message.held = held;
	relay->message.held_bytes = size;
	relay->message.wanted_bytes = message->cork_bytes - size;
	relay->message.verdict = VERDICT_NONE;
	return 0;
}

/* A verdict is for apply_bytes, or for what is there. */
static int send_judged(struct sending *sending, u8 *data, u32 length)
{
	struct relay *relay = sending->relay;
	struct message_ctx message;
	u32 size = length;

	show(&message, relay, data, length);
	while (size) {
		u32 part, shrunk = 0;
		int err;

		if (relay->message.verdict == VERDICT_NONE) {
			judge(relay, &message);
			shrunk = size - min(size, (u32)(message.end - message.data));
			size = (u32)(message.end - message.data);
			if (message.cork_bytes > size)
				return hold(relay, &message);
		}
		part = relay->message.apply_bytes ? min(size, relay->message.apply_bytes)
						  : size;
		err = carry_out(sending, message.data, part);
		if (relay->message.apply_bytes)
			relay->message.apply_bytes -= part;
		/* As in Linux: who was dropped once is not asked about again. */
		if (!relay->message.apply_bytes && relay->message.verdict != VERDICT_DROP)
			relay->message.verdict = VERDICT_NONE;
		if (err == -EACCES)
			sending->copied -= min(sending->copied, (size_t)part + shrunk);
		if (err)
			return err;
		size -= part;
		message.data += part;
		message_show(&message);
	}
	return 0;
}

/* --- the application's messages, in chunks --- */

static void copy_from(const struct msghdr *message, size_t from, u8 *to, size_t length)
{
	for (size_t i = 0; i < message->msg_iovlen && length; i++) {
		const struct iovec *iov = &message->msg_iov[i];
		const size_t skip = min(from, iov->iov_len);
		const size_t here = min(iov->iov_len - skip, length);

		memcpy(to, (const u8 *)iov->iov_base + skip, here);
		from -= skip;
		to += here;
		length -= here;
	}
}

/* What was kept of earlier messages comes first. */
static u8 *gather(struct relay *relay, const struct msghdr *message, size_t from, u32 length)
{
	const u32 held = relay->message.held_bytes;
	u8 *data = malloc(held + length + MESSAGE_ROOM);

	if (!data)
		return NULL;
	if (held)
		memcpy(data, relay->message.held, held);
	copy_from(message, from, data + held, length);
	return data;
}

/* Whether the message that is kept is complete now. */
static bool is_complete(struct relay *relay, u32 more)
{
	relay->message.wanted_bytes -= min(relay->message.wanted_bytes, more);
	return !relay->message.wanted_bytes;
}

static int send_chunk(struct sending *sending, const struct msghdr *message, size_t from,
		      u32 length)
{
	struct relay *relay = sending->relay;
	u8 *data = gather(relay, message, from, length);
	const u32 all = relay->message.held_bytes + length;
	int err;

	if (!data)
		return -ENOMEM;
	sending->copied += length;
	free(relay->message.held);
	relay->message.held = NULL;
	relay->message.held_bytes = 0;
	if (!is_complete(relay, length)) {
		relay->message.held = data;
		relay->message.held_bytes = all;
		return 0;
	}
	err = send_judged(sending, data, all);
	free(data);
	return err;
}

static int send_chunks(struct sending *sending, const struct msghdr *message, size_t *sent)
{
	const size_t all = bytes_of(message);
	size_t from = 0;
	int err = 0;

	pthread_mutex_lock(&sending->relay->sending);
	while (from < all && !err) {
		const u32 length = (u32)min(all - from, (size_t)CHUNK);

		err = send_chunk(sending, message, from, length);
		from += length;
	}
	pthread_mutex_unlock(&sending->relay->sending);
	*sent = sending->copied;
	return sending->copied ? 0 : err;
}

static bool has_prog(const struct relay *relay)
{
	bool has;

	rcu_read_lock();
	has = rcu_dereference(relay->progs[SOCKET_PROG_MSG]);
	rcu_read_unlock();
	return has && relay->sk.view.protocol == IPPROTO_TCP;
}

int relays_send(struct relays *relays, int fd, const struct msghdr *message, int flags,
		size_t *sent)
{
	struct relay *relay = relay_of_descriptor(relays, fd);
	struct sending sending = {.relay = relay, .fd = fd, .flags = flags};
	int err;

	*sent = 0;
	if (!relay)
		return RELAY_FOREIGN;
	if (!relay->is_stream)
		err = send_datagram(relay, fd, message, flags, sent);
	else if (has_prog(relay) && bytes_of(message))
		err = send_chunks(&sending, message, sent);
	else
		err = pass(relay, fd, message, flags, sent);
	pthread_mutex_lock(&relays->lock);
	relay_put(relay);
	pthread_mutex_unlock(&relays->lock);
	return err;
}
