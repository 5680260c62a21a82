/* SPDX-License-Identifier: BSD-2-Clause */
/* ARP (RFC 826) and neighbour discovery (RFC 4861): answers, questions, and what is learned. */
#include "base/os.h"
#include "net/checksum.h"
#include "net/forward.h"

#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define ARP_BYTES      28
#define ARP_REQUEST    1
#define ARP_REPLY      2
#define ND_BYTES       24 /* a solicitation or advertisement without options */
#define ND_OPTION      8
#define ND_HOP_LIMIT   255
#define ND_SOLICIT     135
#define ND_ADVERTISE   136
#define ND_SOURCE_LINK 1
#define ND_TARGET_LINK 2
/* flags of an advertisement */
#define ND_ROUTER    0x80
#define ND_SOLICITED 0x40
#define ND_OVERRIDE  0x20

static const u8 ethernet_ipv4[6] = {0, 1, ETH_P_IP >> 8, ETH_P_IP & 0xff, ETH_ALEN, 4};

static const struct route_device *device_of(const struct forward_way *way,
					    const struct port *port)
{
	return routes_device(way->path->forwarder->routes, port->ifindex);
}

/* --- packets that waited --- */
static void release_one(struct forward_way *like, struct neighbour_packet *packet,
			struct port *out, const u8 *mac)
{
	struct xdp_path path = *like->path;
	struct frame frame;
	struct port *from = path.find(path.cookie, packet->from);
	struct forward_way way = {
		.path = &path,
		.run = like->run,
		.frame = &frame,
		.from = from ?: like->from,
		.is_own = !from,
	};

	path.outbox = NULL;
	if (!frame_copy(&frame, packet->data, packet->length, 0))
		return forward_end(&way, SKEP_FORWARD_NO_MEMORY);
	way.family = way_ip(&way)[0] >> 4 == 4 ? AF_INET : AF_INET6;
	if (mac) {
		forward_send(&way, device_of(like, out), out, mac);
	} else {
		forward_tell(&way, ERROR_NO_NEIGHBOUR, 0);
		forward_end(&way, SKEP_FORWARD_NO_NEIGHBOUR);
	}
	free(frame.memory);
}

/* To the neighbour, or (`mac` NULL) back to their senders with the bad news. */
static void release_all(struct forward_way *like, struct neighbour_packet *packet,
			struct port *out, const u8 *mac)
{
	while (packet) {
		struct neighbour_packet *next = packet->next;

		release_one(like, packet, out, mac);
		free(packet);
		packet = next;
	}
}

static void learn(struct forward_way *way, const struct route_ip *ip, const u8 *mac, u32 news)
{
	struct neighbours *table = routes_neighbours(way->path->forwarder->routes);

	release_all(way,
		    neighbours_learn(table, way->from->ifindex, ip, mac, news,
				     os_time_ns(CLOCK_MONOTONIC)),
		    way->from, mac);
}

/* Whether the address is one of a station of the port's link. */
static bool is_of_link(const struct forward_way *way, const struct route_ip *ip)
{
	const struct route_query query = {.to = *ip, .input = way->from->ifindex};
	const struct route *route;

	if (ip_is_link_local(ip))
		return true;
	return !routes_find(way->path->forwarder->routes, &query, &route) &&
	       route->type == RTN_UNICAST && route->device == way->from->ifindex &&
	       !route->via.family;
}

/* --- ARP --- */
static void answer_arp(struct forward_way *way, const struct route_device *device)
{
	u8 *data = way->frame->data, *arp = way_ip(way), own[4];

	memcpy(own, arp + 24, sizeof(own));
	memcpy(data, arp + 8, ETH_ALEN);
	memcpy(data + ETH_ALEN, device->mac, ETH_ALEN);
	arp[7] = ARP_REPLY;
	memcpy(arp + 18, arp + 8, ETH_ALEN + 4);
	memcpy(arp + 8, device->mac, ETH_ALEN);
	memcpy(arp + 14, own, sizeof(own));
	forward_count(way, SKEP_FORWARD_MADE);
	forward_leave(way, way->from);
}

/* What an ARP packet says of its sender is news when it was for us, or we knew the sender. */
static void hear_arp(struct forward_way *way, const struct route_ip *sender, bool is_ours)
{
	const u8 *arp = way_ip(way);
	const bool is_reply = arp[7] == ARP_REPLY;

	if (!is_of_link(way, sender) || forward_is_own(way, way->from, sender) || arp[8] & 1)
		return;
	learn(way, sender, arp + 8,
	      (is_ours && !is_reply ? NEWS_CREATE : 0) |
		      (is_ours && is_reply ? NEWS_CONFIRMED : 0));
}

void forward_arp(struct forward_way *way)
{
	const struct route_device *device = device_of(way, way->from);
	static const u8 zeros[ETH_ALEN];
	struct route_ip sender, target;
	const u8 *arp = way_ip(way);
	bool is_ours;

	if (way_length(way) < ARP_BYTES)
		return forward_end(way, SKEP_FORWARD_TOO_SHORT);
	if (memcmp(arp, ethernet_ipv4, sizeof(ethernet_ipv4)) != 0 || arp[6] || !arp[7] ||
	    arp[7] > ARP_REPLY || !memcmp(arp + 8, zeros, ETH_ALEN) || !device)
		return forward_end(way, SKEP_FORWARD_BAD_HEADER);
	sender = ip_of(AF_INET, arp + 14);
	target = ip_of(AF_INET, arp + 24);
	is_ours = forward_is_own(way, way->from, &target);
	hear_arp(way, &sender, is_ours);
	forward_end(way, SKEP_FORWARD_LINK);
	if (is_ours && arp[7] == ARP_REQUEST && !forward_is_own(way, way->from, &sender))
		answer_arp(way, device);
}

static const struct route_address *source_towards(const struct forward_way *way,
						  const struct port *port,
						  const struct route_ip *ip)
{
	return routes_source(way->path->forwarder->routes, port->ifindex, ip);
}

static void ask_arp(struct forward_way *like, struct port *out, const struct route_ip *ip,
		    u64 known)
{
	const struct route_device *device = device_of(like, out);
	const struct route_address *own = source_towards(like, out, ip);
	struct own_packet packet;
	u8 *data, *arp;

	own_packet_init(&packet, like, AF_INET, ARP_BYTES);
	data = packet.frame.data;
	arp = way_ip(&packet.way);
	if (known)
		neighbour_mac(known, data);
	else
		memset(data, 0xff, ETH_ALEN);
	memcpy(data + ETH_ALEN, device->mac, ETH_ALEN);
	data[12] = ETH_P_ARP >> 8;
	data[13] = ETH_P_ARP & 0xff;
	memcpy(arp, ethernet_ipv4, sizeof(ethernet_ipv4));
	arp[7] = ARP_REQUEST;
	memcpy(arp + 8, device->mac, ETH_ALEN);
	if (own)
		memcpy(arp + 14, own->prefix.ip.bytes, 4);
	memcpy(arp + 24, ip->bytes, 4);
	forward_leave(&packet.way, out);
}

/* --- neighbour discovery --- */
static struct route_ip solicited_node(const struct route_ip *ip)
{
	struct route_ip group = {.family = AF_INET6,
				 .bytes = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff}};

	memcpy(group.bytes + 13, ip->bytes + 13, 3);
	return group;
}

/* A solicitation or advertisement with the option of our own address. */
static void send_nd(struct forward_way *like, struct port *out, u8 type,
		    const struct route_ip *from, const struct route_ip *to,
		    const struct route_ip *target, const u8 *mac, u8 flags)
{
	const struct route_device *device = device_of(like, out);
	const u32 length = ND_BYTES + ND_OPTION;
	struct own_packet packet;
	u8 *ip, *nd;
	u16 sum;

	own_packet_init(&packet, like, AF_INET6, IPV6_HEADER + length);
	ip = way_ip(&packet.way);
	nd = ip + IPV6_HEADER;
	ip[0] = 6 << 4;
	ip[5] = length;
	ip[6] = IPPROTO_ICMPV6;
	ip[7] = ND_HOP_LIMIT;
	memcpy(ip + 8, from->bytes, 16);
	memcpy(ip + 24, to->bytes, 16);
	nd[0] = type;
	nd[4] = flags;
	memcpy(nd + 8, target->bytes, 16);
	nd[24] = type == ND_SOLICIT ? ND_SOURCE_LINK : ND_TARGET_LINK;
	nd[25] = 1;
	memcpy(nd + 26, device->mac, ETH_ALEN);
	sum = sum_fold(sum_add(sum_pseudo(ip + 8, 32, length, IPPROTO_ICMPV6), nd, length));
	memcpy(nd + 2, &sum, sizeof(sum));
	memcpy(packet.frame.data, mac, ETH_ALEN);
	memcpy(packet.frame.data + ETH_ALEN, device->mac, ETH_ALEN);
	packet.frame.data[12] = ETH_P_IPV6 >> 8;
	packet.frame.data[13] = ETH_P_IPV6 & 0xff;
	forward_leave(&packet.way, out);
}

static void group_mac(const struct route_ip *group, u8 *mac)
{
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group->bytes + 12, 4);
}

static void ask_nd(struct forward_way *like, struct port *out, const struct route_ip *ip,
		   u64 known)
{
	const struct route_address *own = source_towards(like, out, ip);
	const struct route_ip link = ip_link_local(device_of(like, out)->mac);
	const struct route_ip to = known ? *ip : solicited_node(ip);
	u8 mac[ETH_ALEN];

	if (known)
		neighbour_mac(known, mac);
	else
		group_mac(&to, mac);
	send_nd(like, out, ND_SOLICIT, own && !ip_is_link_local(ip) ? &own->prefix.ip : &link,
		&to, ip, mac, 0);
}

/* The address in the option of a link; NULL: it has none. -1 in *is_bad: options that are none.
 */
static const u8 *find_link(const struct forward_way *way, u8 type, bool *is_bad)
{
	const u8 *at = way_ip(way) + IPV6_HEADER + ND_BYTES,
		 *end = way_ip(way) + way_length(way), *found = NULL;

	*is_bad = false;
	while (end - at >= ND_OPTION) {
		const u32 length = at[1] * 8;

		if (!length || length > end - at)
			break;
		if (at[0] == type && length == ND_OPTION && !(at[2] & 1))
			found = at + 2;
		at += length;
	}
	*is_bad = at != end;
	return found;
}

static void hear_solicit(struct forward_way *way, const struct route_ip *target, const u8 *link)
{
	static const struct route_ip nobody = {.family = AF_INET6};
	static const struct route_ip all = {.family = AF_INET6, .bytes = {0xff, 2, [15] = 1}};
	const struct route_ip from = ip_source(way);
	const bool asks_for_itself = !memcmp(&from, &nobody, sizeof(from));
	u8 mac[ETH_ALEN];

	if (!forward_is_own(way, way->from, target))
		return;
	memcpy(mac, link ?: way->frame->data + ETH_ALEN, ETH_ALEN);
	if (link && !asks_for_itself && is_of_link(way, &from))
		learn(way, &from, mac, NEWS_CREATE);
	if (asks_for_itself)
		group_mac(&all, mac);
	send_nd(way, way->from, ND_ADVERTISE, target, asks_for_itself ? &all : &from, target,
		mac, ND_ROUTER | ND_OVERRIDE | (asks_for_itself ? 0 : ND_SOLICITED));
}

static void hear_advertise(struct forward_way *way, const struct route_ip *target,
			   const u8 *link)
{
	const u8 flags = way_ip(way)[IPV6_HEADER + 4];

	if (forward_is_own(way, way->from, target) || !is_of_link(way, target))
		return;
	learn(way, target, link,
	      (flags & ND_SOLICITED ? NEWS_CONFIRMED : 0) |
		      (flags & ND_OVERRIDE ? 0 : NEWS_KEEP));
}

/* What RFC 4861 asks of every such message. */
static bool is_nd_valid(const struct forward_way *way, const struct route_ip *target)
{
	const u8 *ip = way_ip(way), *nd = ip + IPV6_HEADER;
	const u32 length = way_length(way) - IPV6_HEADER;

	return ip[7] == ND_HOP_LIMIT && !nd[1] && !ip_is_multicast(target) &&
	       !sum_fold(sum_add(sum_pseudo(ip + 8, 32, length, IPPROTO_ICMPV6), nd, length));
}

/* What is for others is forwarded, as everything else is. */
static bool is_for_link(const struct forward_way *way)
{
	const struct route_ip to = ip_destination(way);

	return ip_is_multicast(&to) || ip_is_link_local(&to) ||
	       forward_is_own(way, way->from, &to);
}

bool forward_discovery(struct forward_way *way)
{
	const u8 *ip = way_ip(way), *nd = ip + IPV6_HEADER;
	struct route_ip target;
	const u8 *link;
	bool is_bad;

	if (way->family != AF_INET6 || ip[6] != IPPROTO_ICMPV6 ||
	    way_length(way) < IPV6_HEADER + ND_BYTES ||
	    (nd[0] != ND_SOLICIT && nd[0] != ND_ADVERTISE))
		return false;
	if (ip[7] != ND_HOP_LIMIT || !is_for_link(way))
		return false;
	target = ip_of(AF_INET6, nd + 8);
	link = find_link(way, nd[0] == ND_SOLICIT ? ND_SOURCE_LINK : ND_TARGET_LINK, &is_bad);
	if (is_bad || !is_nd_valid(way, &target)) {
		forward_end(way, SKEP_FORWARD_BAD_HEADER);
		return true;
	}
	if (nd[0] == ND_SOLICIT)
		hear_solicit(way, &target, link);
	else
		hear_advertise(way, &target, link);
	forward_end(way, SKEP_FORWARD_LINK);
	return true;
}

/* --- both --- */
void forward_ask(struct forward_way *like, struct port *out, const struct route_ip *ip,
		 u64 known)
{
	if (!device_of(like, out))
		return;
	if (ip->family == AF_INET)
		ask_arp(like, out, ip, known);
	else
		ask_nd(like, out, ip, known);
}

static void handle(struct forward_way *way, const struct neighbour_event *event)
{
	const u64 known = neighbour_is_known(event->address) ? event->address : 0;
	struct port *out = way->path->find(way->path->cookie, event->device);

	way->from = out;
	if (event->kind == EVENT_FAILED)
		release_all(way, event->packets, out, NULL);
	else if (out)
		forward_ask(way, out, &event->ip, known);
}

void forward_tick(const struct xdp_path *path, u64 now)
{
	struct neighbours *table = routes_neighbours(path->forwarder->routes);
	struct run_context run;
	struct xdp_path at_once = *path;
	struct forward_way way = {.path = &at_once, .run = &run, .is_own = true};
	struct neighbour_event event;

	at_once.outbox = NULL;
	run_begin(&run, path->env);
	run.path = &at_once;
	for (event = neighbours_age(table, now); event.kind != EVENT_NONE;
	     event = neighbours_age(table, now))
		handle(&way, &event);
	run_end(&run);
}

void forward_finish(const struct xdp_path *path)
{
	struct neighbours *table = routes_neighbours(path->forwarder->routes);
	struct neighbour_packet *packet;

	rcu_read_lock();
	while ((packet = neighbours_give_up(table))) {
		while (packet) {
			struct neighbour_packet *next = packet->next;
			const struct forward_way way = {
				.path = path, .from = path->find(path->cookie, packet->from)};

			if (way.from)
				forward_end(&way, SKEP_FORWARD_NO_NEIGHBOUR);
			free(packet);
			packet = next;
		}
	}
	rcu_read_unlock();
}
