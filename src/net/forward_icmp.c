/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP (RFC 792, RFC 1812) and ICMPv6 (RFC 4443): errors, as often as Linux sends them, and
 * what own addresses answer. */
#include "base/os.h"
#include "net/checksum.h"
#include "net/forward.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <time.h>

#define ICMP_BYTES     8
#define IPV4_ERROR_MAX 576
#define CONTROL	       0xc0 /* precedence: internetwork control */
#define FILTERED       13   /* administratively prohibited */
#define NEXT_HEADER    6    /* where it is in the header */
#define FRAGMENTED     0x3fff
#define NO_NEXT_HEADER 59
/* Linux: icmp_msgs_per_sec, icmp_msgs_burst, and of one receiver icmp_ratelimit with bursts. */
#define SECOND		1000000000ull
#define ERRORS_A_SECOND 1000
#define ERRORS_BURST	50
#define PEER_BURST	6

/* --- errors --- */
static const struct {
	u8 ipv4[2], ipv6[2]; /* type, code */
	bool is_unlimited;   /* path MTU discovery needs each */
} errors[] = {
	[ERROR_NET_UNREACHABLE] = {{3, 0}, {1, 0}, false},
	[ERROR_HOST_UNREACHABLE] = {{3, 1}, {1, 0}, false},
	[ERROR_NO_NEIGHBOUR] = {{3, 1}, {1, 3}, false},
	[ERROR_PROHIBITED] = {{3, FILTERED}, {1, 1}, false},
	[ERROR_PROTOCOL] = {{3, 2}, {4, 1}, false},
	[ERROR_PORT] = {{3, 3}, {1, 4}, false},
	[ERROR_BEYOND_SCOPE] = {{3, 0}, {1, 2}, false},
	[ERROR_TOO_BIG] = {{3, 4}, {2, 0}, true},
	[ERROR_TTL] = {{11, 0}, {3, 0}, false},
};

/* So many tokens a second, at most `burst` of them. */
static bool take_token(u64 *ns, u64 *left, u64 now, u64 rate, u64 burst)
{
	const u64 more = (now - *ns) / (SECOND / rate);

	if (!*ns || more >= burst) {
		*left = burst;
		*ns = now;
	} else {
		*left = min(*left + more, burst);
		*ns += more * (SECOND / rate);
	}
	if (!*left)
		return false;
	(*left)--;
	return true;
}

static u32 peer_of(const struct route_ip *ip)
{
	u32 hash = 0;

	for (u32 i = 0; i < sizeof(ip->bytes); i++)
		hash = (hash ^ ip->bytes[i]) * 0x01000193;
	return (hash ^ hash >> 16) % 256;
}

static bool may_tell(struct forwarder *forwarder, const struct route_ip *to)
{
	const u64 now = os_time_ns(CLOCK_MONOTONIC);
	const u32 peer = peer_of(to);
	bool may;

	pthread_mutex_lock(&forwarder->lock);
	may = take_token(&forwarder->peers[peer].ns, &forwarder->peers[peer].left, now, 1,
			 PEER_BURST) &&
	      take_token(&forwarder->errors_ns, &forwarder->errors_left, now, ERRORS_A_SECOND,
			 ERRORS_BURST);
	pthread_mutex_unlock(&forwarder->lock);
	return may;
}

static bool is_ipv4_question(u8 type)
{
	switch (type) {
	case ICMP_ECHOREPLY:
	case ICMP_ECHO:
	case 9: /* router advertisement, solicitation */
	case 10:
	case ICMP_TIMESTAMP:
	case ICMP_TIMESTAMPREPLY:
	case ICMP_INFO_REQUEST:
	case ICMP_INFO_REPLY:
	case ICMP_ADDRESS:
	case ICMP_ADDRESSREPLY: return true;
	default: return false;
	}
}

/* Errors are not told of errors, of later fragments, and of what went to many. */
static bool is_told_of(const struct forward_way *way)
{
	const u8 *ip = way_ip(way);
	const u32 header = way->family == AF_INET ? (ip[0] & 15) * 4 : IPV6_HEADER;
	const struct route_ip to = ip_destination(way);

	if (way->is_own || way->frame->data[0] & 1 || ip_is_multicast(&to))
		return false;
	if (way->family == AF_INET && ((ip[6] & 0x1f) || ip[7]))
		return false;
	if (way->family == AF_INET ? ip[9] != IPPROTO_ICMP : ip[6] != IPPROTO_ICMPV6)
		return true;
	if (way_length(way) <= header)
		return false;
	return way->family == AF_INET ? is_ipv4_question(ip[header]) : ip[header] >= 128;
}

/* The address from which we speak to somebody; none: there is none. */
static struct route_ip own_source(const struct forward_way *way, const struct forward_hop *hop,
				  const struct route_ip *to)
{
	struct routes *routes = way->path->forwarder->routes;
	const struct route_address *own =
		routes_source(routes, hop->device->ifindex, to)
			?: routes_source(routes, way->from->ifindex, to);

	if (hop->route && hop->route->source.family == to->family)
		return hop->route->source;
	if (to->family == AF_INET6 && (!own || ip_is_link_local(to)))
		return ip_link_local(hop->device->mac);
	return own ? own->prefix.ip : (struct route_ip){.family = 0};
}

static bool find_back(const struct forward_way *way, const struct route_ip *to,
		      struct forward_hop *hop)
{
	static const struct route_ip none;

	if (ip_is_link_local(to))
		return forward_hop_on_link(way, way->from, to, hop);
	return forward_find(way, to, &none, hop) == SKEP_FORWARD_PACKETS;
}

static void write_ipv4(struct forward_way *way, const struct route_ip *from,
		       const struct route_ip *to, u8 tos)
{
	u8 *ip = way_ip(way);
	const u32 length = way_length(way);
	const u16 ident = atomic_fetch_add_explicit(&way->path->forwarder->ident, 1,
						    memory_order_relaxed);
	u16 sum;

	ip[0] = 0x45;
	ip[1] = tos;
	ip[2] = length >> 8;
	ip[3] = length;
	memcpy(ip + 4, &ident, sizeof(ident));
	ip[8] = OWN_HOP_LIMIT;
	ip[9] = IPPROTO_ICMP;
	memcpy(ip + 12, from->bytes, 4);
	memcpy(ip + 16, to->bytes, 4);
	sum = sum_fold(sum_add(0, ip, IPV4_HEADER));
	memcpy(ip + 10, &sum, sizeof(sum));
	sum = sum_fold(sum_add(0, ip + IPV4_HEADER, length - IPV4_HEADER));
	memcpy(ip + IPV4_HEADER + 2, &sum, sizeof(sum));
}

static void write_ipv6(struct forward_way *way, const struct route_ip *from,
		       const struct route_ip *to)
{
	u8 *ip = way_ip(way);
	const u32 length = way_length(way) - IPV6_HEADER;
	u16 sum;

	ip[0] = 6 << 4;
	ip[4] = length >> 8;
	ip[5] = length;
	ip[6] = IPPROTO_ICMPV6;
	ip[7] = OWN_HOP_LIMIT;
	memcpy(ip + 8, from->bytes, 16);
	memcpy(ip + 24, to->bytes, 16);
	sum = sum_fold(sum_add(sum_pseudo(ip + 8, 32, length, IPPROTO_ICMPV6), ip + IPV6_HEADER,
			       length));
	memcpy(ip + IPV6_HEADER + 2, &sum, sizeof(sum));
}

/* The 32 bits behind type, code and checksum. */
static void write_info(u8 *icmp, u8 family, enum forward_error error, u32 info)
{
	const u32 word = htonl(error == ERROR_TOO_BIG			       ? info
			       : family == AF_INET6 && error == ERROR_PROTOCOL ? NEXT_HEADER
									       : 0);

	memcpy(icmp + 4, &word, sizeof(word));
}

static void send_error(struct forward_way *way, enum forward_error error, u32 info,
		       const struct forward_hop *hop, const struct route_ip *from)
{
	const bool is_ipv4 = way->family == AF_INET;
	const u32 header = is_ipv4 ? IPV4_HEADER : IPV6_HEADER;
	const u32 most = is_ipv4 ? IPV4_ERROR_MAX : OWN_BYTES_MAX;
	const u32 quoted = min(way_length(way), most - header - ICMP_BYTES);
	const struct route_ip to = ip_source(way);
	const u8 *what = is_ipv4 ? errors[error].ipv4 : errors[error].ipv6;
	struct own_packet packet;
	u8 *icmp;

	own_packet_init(&packet, way, way->family, header + ICMP_BYTES + quoted);
	icmp = way_ip(&packet.way) + header;
	memcpy(icmp, what, 2);
	write_info(icmp, way->family, error, info);
	memcpy(icmp + ICMP_BYTES, way_ip(way), quoted);
	if (is_ipv4)
		write_ipv4(&packet.way, from, &to, (way_ip(way)[1] & 0x1e) | CONTROL);
	else
		write_ipv6(&packet.way, from, &to);
	forward_count(way, SKEP_FORWARD_ERRORS);
	forward_output(&packet.way, hop);
}

void forward_tell(struct forward_way *way, enum forward_error error, u32 info)
{
	const struct route_ip to = ip_source(way), asked = ip_destination(way);
	struct forward_way own = *way;
	struct forward_hop hop;
	struct route_ip from;

	own.is_own = true;
	if (!is_told_of(way) || !find_back(&own, &to, &hop))
		return;
	from = own_source(way, &hop, &to);
	if (error == ERROR_PORT || error == ERROR_PROTOCOL)
		from = asked;
	if (!from.family)
		return;
	if (!errors[error].is_unlimited && !may_tell(way->path->forwarder, &to))
		return forward_count(way, SKEP_FORWARD_LIMITED);
	send_error(way, error, info, &hop, &from);
}

/* --- answers --- */

/* In the request's own frame. */
static void send_answer(struct forward_way *way)
{
	const struct route_ip to = ip_destination(way);
	struct forward_hop hop;

	forward_end(way, SKEP_FORWARD_LOCAL);
	way->is_own = true;
	way->mark = 0;
	forward_count(way, SKEP_FORWARD_MADE);
	if (find_back(way, &to, &hop))
		forward_output(way, &hop);
	else
		forward_end(way, SKEP_FORWARD_NO_ROUTE);
}

/* A sum that loses so much, RFC 1624. */
static void correct_sum(u8 *at, u32 less)
{
	u32 sum = (at[0] << 8 | at[1]) + less;

	sum = (sum & 0xffff) + (sum >> 16);
	at[0] = sum >> 8;
	at[1] = sum;
}

static void answer_ipv4(struct forward_way *way)
{
	u8 *ip = way_ip(way), addresses[8];
	const u32 header = (ip[0] & 15) * 4;
	u16 sum = 0;

	memcpy(addresses, ip + 16, 4);
	memcpy(addresses + 4, ip + 12, 4);
	memcpy(ip + 12, addresses, sizeof(addresses));
	ip[8] = OWN_HOP_LIMIT;
	memcpy(ip + 10, &sum, sizeof(sum));
	sum = sum_fold(sum_add(0, ip, header));
	memcpy(ip + 10, &sum, sizeof(sum));
	ip[header] = ICMP_ECHOREPLY;
	correct_sum(ip + header + 2, ICMP_ECHO << 8);
	send_answer(way);
}

static void local_ipv4(struct forward_way *way)
{
	const u8 *ip = way_ip(way);
	const u32 header = (ip[0] & 15) * 4, length = way_length(way) - header;

	if ((ip[6] << 8 | ip[7]) & FRAGMENTED)
		return forward_end(way, SKEP_FORWARD_REFUSED);
	if (ip[9] != IPPROTO_ICMP) {
		if (ip[9] != IPPROTO_TCP)
			forward_tell(way, ip[9] == IPPROTO_UDP ? ERROR_PORT : ERROR_PROTOCOL,
				     0);
		return forward_end(way, SKEP_FORWARD_REFUSED);
	}
	if (length < ICMP_BYTES)
		return forward_end(way, SKEP_FORWARD_TOO_SHORT);
	if (sum_fold(sum_add(0, ip + header, length)))
		return forward_end(way, SKEP_FORWARD_BAD_CHECKSUM);
	if (ip[header] == ICMP_ECHO)
		answer_ipv4(way);
	else
		forward_end(way, SKEP_FORWARD_LOCAL);
}

static void answer_ipv6(struct forward_way *way)
{
	u8 *ip = way_ip(way), own[16];

	memcpy(own, ip + 24, sizeof(own));
	memcpy(ip + 24, ip + 8, sizeof(own));
	memcpy(ip + 8, own, sizeof(own));
	ip[7] = OWN_HOP_LIMIT;
	ip[IPV6_HEADER] = ICMP6_ECHO_REPLY;
	/* the type grew by one */
	correct_sum(ip + IPV6_HEADER + 2, 0xffff - 0x100);
	send_answer(way);
}

static void local_ipv6(struct forward_way *way)
{
	const u8 *ip = way_ip(way);
	const u32 length = way_length(way) - IPV6_HEADER;

	switch (ip[6]) {
	case IPPROTO_ICMPV6: break;
	case IPPROTO_UDP: forward_tell(way, ERROR_PORT, 0); __attribute__((fallthrough));
	case IPPROTO_TCP:
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_DSTOPTS:
	case NO_NEXT_HEADER: return forward_end(way, SKEP_FORWARD_REFUSED);
	default:
		forward_tell(way, ERROR_PROTOCOL, 0);
		return forward_end(way, SKEP_FORWARD_REFUSED);
	}
	if (length < ICMP_BYTES)
		return forward_end(way, SKEP_FORWARD_TOO_SHORT);
	if (sum_fold(sum_add(sum_pseudo(ip + 8, 32, length, IPPROTO_ICMPV6), ip + IPV6_HEADER,
			     length)))
		return forward_end(way, SKEP_FORWARD_BAD_CHECKSUM);
	if (ip[IPV6_HEADER] == ICMP6_ECHO_REQUEST)
		answer_ipv6(way);
	else
		forward_end(way, SKEP_FORWARD_LOCAL);
}

void forward_local(struct forward_way *way)
{
	if (way->family == AF_INET)
		local_ipv4(way);
	else
		local_ipv6(way);
}
