/* SPDX-License-Identifier: BSD-2-Clause */
/* What waits to be written to one end of a relay: pieces, in the order in which they came. */
#include "relay/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void outlet_init(struct outlet *outlet, struct relays *relays, int fd)
{
	*outlet = (struct outlet){.relays = relays, .fd = fd, .last = &outlet->first};
}

struct piece *piece_new(struct relay *source, u32 length)
{
	const u32 room = RELAY_HEADROOM + length + RELAY_TAILROOM;
	struct piece *piece = malloc(sizeof(*piece) + room);

	if (!piece)
		return NULL;
	*piece = (struct piece){
		.source = source ? relay_get(source) : NULL,
		.room = room,
		.start = RELAY_HEADROOM,
		.length = length,
	};
	return piece;
}

void piece_free(struct piece *piece)
{
	if (piece->source)
		relay_put(piece->source);
	free(piece);
}

static void count(struct outlet *outlet, struct piece *piece)
{
	outlet->bytes += piece->length;
	if (piece->source)
		piece->source->in_flight += piece->length;
}

static void uncount(struct outlet *outlet, struct piece *piece, size_t bytes)
{
	outlet->bytes -= bytes;
	pthread_cond_broadcast(&outlet->relays->drained);
	if (!piece->source)
		return;
	piece->source->in_flight -= bytes;
	relay_wake(piece->source);
}

static void take_off(struct outlet *outlet)
{
	struct piece *piece = outlet->first;

	outlet->first = piece->next;
	if (!outlet->first)
		outlet->last = &outlet->first;
	uncount(outlet, piece, piece->length);
	piece_free(piece);
}

void outlet_done(struct outlet *outlet)
{
	while (outlet->first)
		take_off(outlet);
	outlet->is_closed = true;
}

/* The bytes that the end took; -EAGAIN: it is full. */
static ssize_t write_to(const struct outlet *outlet, const void *data, size_t length)
{
	const ssize_t ret = send(outlet->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	return ret < 0 ? -errno : ret;
}

static bool is_for_later(ssize_t ret)
{
	return ret == -EAGAIN || ret == -EINTR || ret == -ENOBUFS;
}

/* Nobody is at the other side, or the piece is too long a datagram: it is lost. */
static void fail(struct outlet *outlet, ssize_t err)
{
	if (err == -EMSGSIZE || err == -ECONNREFUSED)
		return take_off(outlet);
	outlet_done(outlet);
}

static bool flush_first(struct outlet *outlet)
{
	struct piece *piece = outlet->first;
	const ssize_t ret = write_to(outlet, piece->memory + piece->start, piece->length);

	if (is_for_later(ret))
		return false;
	if (ret < 0) {
		fail(outlet, ret);
	} else if ((size_t)ret == piece->length) {
		take_off(outlet);
	} else {
		uncount(outlet, piece, (size_t)ret);
		piece->start += (u32)ret;
		piece->length -= (u32)ret;
	}
	return true;
}

void outlet_flush(struct outlet *outlet)
{
	if (outlet->fd < 0)
		return;
	while (outlet->first && flush_first(outlet))
		;
	if (outlet->is_ending && !outlet->first && !outlet->is_closed) {
		shutdown(outlet->fd, SHUT_WR);
		outlet->is_closed = true;
	}
}

void outlet_put(struct outlet *outlet, struct piece *piece)
{
	if (outlet->is_ending || outlet->is_closed || outlet->fd < 0)
		return piece_free(piece);
	piece->next = NULL;
	*outlet->last = piece;
	outlet->last = &piece->next;
	count(outlet, piece);
	if (outlet->first == piece)
		outlet_flush(outlet);
}

void outlet_copy(struct outlet *outlet, struct relay *source, const u8 *data, u32 length)
{
	struct piece *piece;
	ssize_t written = 0;

	if (!outlet->first && !outlet->is_ending && !outlet->is_closed)
		written = write_to(outlet, data, length);
	if (written < 0)
		written = 0;
	if ((u32)written == length && length)
		return;
	piece = piece_new(source, length - (u32)written);
	if (!piece)
		return;
	memcpy(piece->memory + piece->start, data + written, piece->length);
	outlet_put(outlet, piece);
}

void outlet_end(struct outlet *outlet)
{
	outlet->is_ending = true;
	outlet_flush(outlet);
}
