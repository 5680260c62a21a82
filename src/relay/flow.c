/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a socket received: a parser says where messages end, a verdict what becomes of each. The
 * lock is held only while something is handed on.
 */
#include "relay/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- a message as programs see it --- */

static void set_addresses(struct skb_ctx *skb, const struct bpf_sock *view)
{
	skb->family = view->family;
	skb->local_ip4 = view->src_ip4;
	skb->remote_ip4 = view->dst_ip4;
	memcpy(skb->local_ip6, view->src_ip6, sizeof(skb->local_ip6));
	memcpy(skb->remote_ip6, view->dst_ip6, sizeof(skb->remote_ip6));
	skb->local_port = view->src_port;
	skb->remote_port = htonl(ntohs((u16)view->dst_port));
}

static u16 protocol_of(const struct bpf_sock *view)
{
	switch (view->family) {
	case AF_INET: return htons(ETH_P_IP);
	case AF_INET6: return htons(ETH_P_IPV6);
	default: return 0;
	}
}

static void show(struct skb_ctx *skb, struct relay *relay, u8 *data, u32 length)
{
	*skb = (struct skb_ctx){
		.data = data,
		.data_end = data + length,
		.data_meta = data,
		.hard_start = data,
		.frame_end = data + length,
		.network_header = data,
		.sk = &relay->sk,
		.len = length,
		.protocol = protocol_of(&relay->sk.view),
	};
	set_addresses(skb, &relay->sk.view);
}

/* --- where it goes --- */

static void hand_on(struct relay *relay, struct piece *piece)
{
	pthread_mutex_lock(&relay->relays->lock);
	outlet_put(&relay->to_application, piece);
	pthread_mutex_unlock(&relay->relays->lock);
}

static void discard(struct relay *relay, struct piece *piece)
{
	pthread_mutex_lock(&relay->relays->lock);
	piece_free(piece);
	pthread_mutex_unlock(&relay->relays->lock);
}

/* In the section of the run, which keeps the socket that the program chose. */
static void carry_out(struct relay *relay, struct run_context *run, u64 verdict,
		      struct piece *piece)
{
	const struct sock_ctx *to = run->redirect.socket;

	if ((u32)verdict != SK_PASS)
		discard(relay, piece);
	else if (run->redirect.kind == REDIRECT_SOCKET)
		relay_redirect(relay, to->cookie, map_socket_fd(to), run->redirect.flags,
			       piece);
	else
		hand_on(relay, piece);
}

static struct piece *copy_piece(struct relay *relay, const u8 *data, u32 length)
{
	struct piece *piece;

	pthread_mutex_lock(&relay->relays->lock);
	piece = piece_new(relay, length);
	pthread_mutex_unlock(&relay->relays->lock);
	if (piece)
		memcpy(piece->memory + piece->start, data, length);
	return piece;
}

static void judge(struct relay *relay, struct run_context *run, const struct prog *verdict,
		  const u8 *data, u32 length)
{
	struct piece *piece = copy_piece(relay, data, length);
	struct skb_ctx skb;
	u64 ret;

	if (!piece)
		return;
	show(&skb, relay, piece->memory + piece->start, length);
	skb.hard_start = piece->memory;
	skb.frame_end = piece->memory + piece->room;
	run->redirect.kind = REDIRECT_NONE;
	ret = prog_run(verdict, &skb, run);
	piece->start = (u32)(skb.data - piece->memory);
	piece->length = (u32)(skb.data_end - skb.data);
	carry_out(relay, run, ret, piece);
}

/* --- what is a message --- */

/* Nothing that comes can be a message any more. */
static void give_up(struct relay *relay)
{
	relay->has_ended = true;
	relay->filled = 0;
	pthread_mutex_lock(&relay->relays->lock);
	outlet_end(&relay->to_application);
	pthread_mutex_unlock(&relay->relays->lock);
}

/* The message's length, 0: more has to come; below 0: it is none. */
static s32 parse(struct relay *relay, struct run_context *run, const struct prog *parser,
		 u8 *data, u32 length)
{
	struct skb_ctx skb;
	s32 ret;

	if (relay->message_length)
		return (s32)relay->message_length;
	show(&skb, relay, data, length);
	ret = (s32)prog_run(parser, &skb, run);
	return ret > (s32)RELAY_MESSAGE ? -EMSGSIZE : ret;
}

static void judge_stream(struct relay *relay, struct run_context *run,
			 const struct prog *parser, const struct prog *verdict)
{
	u8 *at = relay->buffer;
	u32 left = relay->filled;

	while (left) {
		const s32 length = parse(relay, run, parser, at, left);

		if (length < 0)
			return give_up(relay);
		relay->message_length = (u32)length;
		if (!length || (u32)length > left)
			break;
		judge(relay, run, verdict, at, (u32)length);
		relay->message_length = 0;
		at += length;
		left -= (u32)length;
	}
	memmove(relay->buffer, at, left);
	relay->filled = left;
}

static void pass_all(struct relay *relay)
{
	pthread_mutex_lock(&relay->relays->lock);
	outlet_copy(&relay->to_application, relay, relay->buffer, relay->filled);
	pthread_mutex_unlock(&relay->relays->lock);
	relay->filled = 0;
}

static const struct prog *prog_of(const struct relay *relay, enum socket_prog which)
{
	return rcu_dereference(relay->progs[which]);
}

/* As Linux: a parser counts together with a verdict on streams. */
static void judge_all(struct relay *relay)
{
	const struct prog *parser, *stream_verdict, *verdict;
	struct run_context run;

	run_begin(&run, relay->relays->env);
	parser = prog_of(relay, SOCKET_PROG_PARSER);
	stream_verdict = prog_of(relay, SOCKET_PROG_STREAM_VERDICT);
	verdict = stream_verdict ?: prog_of(relay, SOCKET_PROG_VERDICT);
	if (parser && stream_verdict) {
		judge_stream(relay, &run, parser, verdict);
	} else {
		if (verdict)
			judge(relay, &run, verdict, relay->buffer, relay->filled);
		else
			pass_all(relay);
		relay->filled = 0;
		relay->message_length = 0;
	}
	run_end(&run);
}

/* --- reading --- */

static bool has_room(struct relay *relay)
{
	bool room;

	pthread_mutex_lock(&relay->relays->lock);
	room = relay->is_driven && relay->in_flight < RELAY_IN_FLIGHT;
	pthread_mutex_unlock(&relay->relays->lock);
	return room;
}

/* Room for one more reading, and for the message that is under way. */
static bool make_room(struct relay *relay)
{
	const u32 size = relay->filled + RELAY_READ;
	u8 *bigger;

	if (size <= relay->buffer_size)
		return true;
	bigger = realloc(relay->buffer, size);
	if (!bigger)
		return false;
	relay->buffer = bigger;
	relay->buffer_size = size;
	return true;
}

static bool is_end(const struct relay *relay, ssize_t length)
{
	if (length < 0)
		return errno != EAGAIN && errno != EINTR && relay->is_stream;
	return !length && relay->is_stream;
}

/* False: there is nothing more now. */
static bool receive_some(struct relay *relay)
{
	const ssize_t length = recv(relay->socket, relay->buffer + relay->filled,
				    relay->buffer_size - relay->filled, MSG_DONTWAIT);

	if (is_end(relay, length)) {
		give_up(relay);
		return false;
	}
	if (length < 0)
		return errno == EINTR;
	relay->filled += (u32)length;
	judge_all(relay);
	return true;
}

void flow_receive(struct relay *relay)
{
	while (!relay->has_ended && has_room(relay) && make_room(relay) && receive_some(relay))
		;
}
