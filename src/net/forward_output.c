/* SPDX-License-Identifier: BSD-2-Clause */
/* What leaves: cut where it is too long, to the neighbour, through tc at the port's egress. */
#include "base/os.h"
#include "net/checksum.h"
#include "net/forward.h"
#include "net/tc.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define OPTION_COPIED  0x80
#define OPTION_END     0
#define OPTION_NOTHING 1
#define MORE_FRAGMENTS 0x2000
#define COPY_TAILROOM  256

void forward_leave(struct forward_way *way, struct port *out)
{
	if (unlikely(tc_has_egress(out)))
		tc_leave(way->path, way->from, out, way->frame, way->run);
	else
		xdp_send(way->path, out, way->frame);
}

void forward_send(struct forward_way *way, const struct route_device *device, struct port *out,
		  const u8 *mac)
{
	u8 *data = way->frame->data;
	const u16 protocol = htons(way->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);

	memcpy(data, mac, ETH_ALEN);
	memcpy(data + ETH_ALEN, device->mac, ETH_ALEN);
	memcpy(data + 2 * ETH_ALEN, &protocol, sizeof(protocol));
	forward_leave(way, out);
	forward_end(way, SKEP_FORWARD_FORWARDED);
}

/* A copy waits until somebody answers. */
static void wait_for(struct forward_way *way, const struct forward_hop *hop)
{
	struct neighbours *table = routes_neighbours(way->path->forwarder->routes);
	struct neighbour_packet *packet = malloc(sizeof(*packet) + way->frame->length);
	u8 mac[ETH_ALEN];

	if (!packet)
		return forward_end(way, SKEP_FORWARD_NO_MEMORY);
	packet->from = way->is_own ? 0 : way->from->ifindex;
	packet->length = way->frame->length;
	memcpy(packet->data, way->frame->data, packet->length);
	switch (neighbours_hold(table, hop->device->ifindex, &hop->next, packet,
				os_time_ns(CLOCK_MONOTONIC))) {
	case HOLD_WAITS: return;
	case HOLD_ASK: return forward_ask(way, hop->out, &hop->next, 0);
	case HOLD_FULL: forward_end(way, SKEP_FORWARD_WAITING_FULL); break;
	case HOLD_KNOWN:
		if (routes_neighbour(way->path->forwarder->routes, hop->device->ifindex,
				     &hop->next, mac))
			forward_send(way, hop->device, hop->out, mac);
		else
			forward_end(way, SKEP_FORWARD_NO_NEIGHBOUR);
	}
	free(packet);
}

void forward_to_neighbour(struct forward_way *way, const struct forward_hop *hop)
{
	struct routes *routes = way->path->forwarder->routes;
	const u32 device = hop->device->ifindex;
	const struct route_neighbour *permanent = routes_permanent(routes, device, &hop->next);
	struct neighbour *neighbour;
	u8 mac[ETH_ALEN];

	if (permanent)
		return forward_send(way, hop->device, hop->out, permanent->mac);
	if (!routes_neighbour(routes, device, &hop->next, mac))
		return wait_for(way, hop);
	neighbour = neighbours_find(routes_neighbours(routes), device, &hop->next);
	if (neighbour && neighbour_state(neighbour_address_of(neighbour)) == NEIGHBOUR_STALE &&
	    neighbours_use(routes_neighbours(routes), neighbour, os_time_ns(CLOCK_MONOTONIC)))
		forward_ask(way, hop->out, &hop->next, neighbour_address_of(neighbour));
	forward_send(way, hop->device, hop->out, mac);
}

/* --- IPv4 packets in pieces (RFC 791) --- */

/* Options that only the first fragment has become nothing in the others. */
static void forget_options(u8 *ip)
{
	const u32 header = (ip[0] & 15) * 4;
	u32 at = IPV4_HEADER;

	while (at < header && ip[at] != OPTION_END) {
		const u32 length = ip[at] == OPTION_NOTHING ? 1
				   : at + 1 < header	    ? ip[at + 1]
							    : 0;

		if (!length || (length < 2 && ip[at] != OPTION_NOTHING) || at + length > header)
			return;
		if (!(ip[at] & OPTION_COPIED))
			memset(ip + at, OPTION_NOTHING, length);
		at += length;
	}
}

static void set_ipv4_sum(u8 *ip)
{
	const u32 header = (ip[0] & 15) * 4;
	u16 sum = 0;

	memcpy(ip + 10, &sum, sizeof(sum));
	sum = sum_fold(sum_add(0, ip, header));
	memcpy(ip + 10, &sum, sizeof(sum));
}

/* `at`, so many bytes of what is behind the header, as a packet. */
static void send_piece(struct forward_way *way, const struct forward_hop *hop, u32 at,
		       u32 bytes, bool is_last)
{
	const u8 *whole = way_ip(way);
	const u32 header = (whole[0] & 15) * 4, length = header + bytes;
	const u32 offset = (whole[6] << 8 | whole[7]) + at / 8;
	struct xdp_path path = *way->path;
	struct forward_way piece = *way;
	struct frame frame;
	u8 *ip;

	path.outbox = NULL;
	piece.path = &path;
	piece.frame = &frame;
	piece.is_own = true;
	if (!frame_copy(&frame, way->frame->data, LINK_HEADER + length, COPY_TAILROOM))
		return forward_count(&piece, SKEP_FORWARD_MADE_LOST);
	ip = way_ip(&piece);
	memcpy(ip + header, whole + header + at, bytes);
	if (at)
		forget_options(ip);
	ip[2] = length >> 8;
	ip[3] = length;
	ip[6] = offset >> 8 | (is_last ? 0 : MORE_FRAGMENTS >> 8);
	ip[7] = offset;
	set_ipv4_sum(ip);
	forward_count(&piece, SKEP_FORWARD_MADE);
	if (forward_run_lwt(&piece, hop, ROUTE_LWT_XMIT))
		forward_to_neighbour(&piece, hop);
	free(frame.memory);
}

static void send_pieces(struct forward_way *way, const struct forward_hop *hop, u32 mtu)
{
	const u32 header = (way_ip(way)[0] & 15) * 4, all = way_length(way) - header;
	const u32 most = (mtu - header) & ~7u;

	if (mtu < header + 8)
		return forward_end(way, SKEP_FORWARD_TOO_BIG);
	/* what was sent before leaves before */
	if (way->path->outbox)
		outbox_flush(way->path->outbox);
	for (u32 at = 0; at < all; at += most)
		send_piece(way, hop, at, min(most, all - at), at + most >= all);
	forward_end(way, SKEP_FORWARD_FORWARDED);
}

static void too_big(struct forward_way *way, u32 mtu)
{
	forward_tell(way, ERROR_TOO_BIG, mtu);
	forward_end(way, SKEP_FORWARD_TOO_BIG);
}

void forward_output(struct forward_way *way, const struct forward_hop *hop)
{
	const u32 mtu = forward_mtu(hop, way->family);

	if (!forward_run_lwt(way, hop, ROUTE_LWT_OUT))
		return;
	if (way_length(way) > mtu && (way->family == AF_INET6 || way_ip(way)[6] & 0x40))
		return too_big(way, mtu);
	if (way_length(way) > mtu)
		return send_pieces(way, hop, mtu);
	if (forward_run_lwt(way, hop, ROUTE_LWT_XMIT))
		forward_to_neighbour(way, hop);
}

/* --- what is made here --- */
void own_packet_init(struct own_packet *packet, const struct forward_way *like, u8 family,
		     u32 length)
{
	packet->path = *like->path;
	packet->path.outbox = NULL;
	packet->frame = (struct frame){
		.memory = packet->memory,
		.end = packet->memory + sizeof(packet->memory),
		.data = packet->memory + PACKET_HEADROOM,
		.length = LINK_HEADER + length,
		.original_length = LINK_HEADER + length,
	};
	packet->way = (struct forward_way){
		.path = &packet->path,
		.run = like->run,
		.from = like->from,
		.frame = &packet->frame,
		.family = family,
		.is_own = true,
	};
	memset(packet->frame.data, 0, packet->frame.length);
	forward_count(&packet->way, SKEP_FORWARD_MADE);
}
