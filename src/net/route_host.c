/* SPDX-License-Identifier: BSD-2-Clause */
/* The routes of the thread's network namespace, dumped by rtnetlink. Nobody needs a right for
 * that. */
#include "base/error.h"
#include "net/route_read.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES 65536
#define NEIGHBOUR_KNOWN \
	(NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

struct dump {
	struct route_set *set;
	int fd;	    /* owned */
	u8 *buffer; /* owned */
	u32 sequence;
};

typedef int row_reader(struct dump *dump, const struct nlmsghdr *message);

/* The attributes of a message by their types; those above `last` are passed over. */
static void read_attributes(const void *first, int length, const struct rtattr **out, u32 last)
{
	memset(out, 0, (last + 1) * sizeof(*out));
	for (const struct rtattr *at = first; RTA_OK(at, length); at = RTA_NEXT(at, length))
		if ((at->rta_type & NLA_TYPE_MASK) <= last)
			out[at->rta_type & NLA_TYPE_MASK] = at;
}

#define ATTRIBUTES(message, type, out, last)                                         \
	read_attributes((const u8 *)NLMSG_DATA(message) + NLMSG_ALIGN(sizeof(type)), \
			(int)(message)->nlmsg_len - (int)NLMSG_SPACE(sizeof(type)), out, last)

static u32 number_of(const struct rtattr *at, u32 otherwise)
{
	u32 number = otherwise;

	if (at && RTA_PAYLOAD(at) >= sizeof(number))
		memcpy(&number, RTA_DATA(at), sizeof(number));
	return number;
}

static void copy_bytes(const struct rtattr *at, void *out, size_t size)
{
	if (at)
		memcpy(out, RTA_DATA(at), min((size_t)RTA_PAYLOAD(at), size));
}

static void copy_ip(const struct rtattr *at, u8 family, struct route_ip *out)
{
	if (!at)
		return;
	out->family = family;
	copy_bytes(at, out->bytes, route_ip_bits(family) / 8);
}

static struct route_device *device_of(const struct dump *dump, u32 ifindex)
{
	struct route_device *devices = dump->set->devices.rows;

	for (u32 i = 0; i < dump->set->devices.count; i++)
		if (devices[i].ifindex == ifindex)
			return &devices[i];
	return NULL;
}

/* --- one message each --- */
static int read_link(struct dump *dump, const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = NLMSG_DATA(message);
	const struct rtattr *at[IFLA_MTU + 1];
	struct route_device *device = route_add(dump->set, devices, struct route_device);
	const bool has_header =
		info->ifi_type == ARPHRD_ETHER || info->ifi_type == ARPHRD_LOOPBACK;

	if (!device)
		return -ENOMEM;
	ATTRIBUTES(message, *info, at, IFLA_MTU);
	device->ifindex = info->ifi_index;
	device->header = has_header ? ETH_HLEN : 0;
	device->is_up = info->ifi_flags & IFF_UP;
	device->mtu = number_of(at[IFLA_MTU], 0);
	copy_bytes(at[IFLA_ADDRESS], device->mac, sizeof(device->mac));
	copy_bytes(at[IFLA_IFNAME], device->name, sizeof(device->name) - 1);
	return 0;
}

static int read_netconf(struct dump *dump, const struct nlmsghdr *message)
{
	const struct netconfmsg *conf = NLMSG_DATA(message);
	const struct rtattr *at[NETCONFA_FORWARDING + 1];
	struct route_device *device;
	bool forwards;

	ATTRIBUTES(message, *conf, at, NETCONFA_FORWARDING);
	device = device_of(dump, number_of(at[NETCONFA_IFINDEX], 0));
	forwards = number_of(at[NETCONFA_FORWARDING], 0);
	if (device && conf->ncm_family == AF_INET)
		device->forwards_ipv4 = forwards;
	if (device && conf->ncm_family == AF_INET6)
		device->forwards_ipv6 = forwards;
	return 0;
}

static int read_address(struct dump *dump, const struct nlmsghdr *message)
{
	const struct ifaddrmsg *info = NLMSG_DATA(message);
	const struct rtattr *at[IFA_LOCAL + 1];
	struct route_address *address;

	if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6)
		return 0;
	address = route_add(dump->set, addresses, struct route_address);
	if (!address)
		return -ENOMEM;
	ATTRIBUTES(message, *info, at, IFA_LOCAL);
	address->device = info->ifa_index;
	address->prefix.length = info->ifa_prefixlen;
	copy_ip(at[IFA_LOCAL] ?: at[IFA_ADDRESS], info->ifa_family, &address->prefix.ip);
	return 0;
}

static int read_neighbour(struct dump *dump, const struct nlmsghdr *message)
{
	const struct ndmsg *info = NLMSG_DATA(message);
	const struct rtattr *at[NDA_LLADDR + 1];
	struct route_neighbour *neighbour;

	if ((info->ndm_family != AF_INET && info->ndm_family != AF_INET6) ||
	    !(info->ndm_state & NEIGHBOUR_KNOWN))
		return 0;
	neighbour = route_add(dump->set, neighbours, struct route_neighbour);
	if (!neighbour)
		return -ENOMEM;
	ATTRIBUTES(message, *info, at, NDA_LLADDR);
	neighbour->device = info->ndm_ifindex;
	copy_ip(at[NDA_DST], info->ndm_family, &neighbour->ip);
	copy_bytes(at[NDA_LLADDR], neighbour->mac, sizeof(neighbour->mac));
	return 0;
}

static void read_metrics(const struct rtattr *metrics, struct route *route)
{
	const struct rtattr *at[RTAX_MTU + 1];

	if (!metrics)
		return;
	read_attributes(RTA_DATA(metrics), RTA_PAYLOAD(metrics), at, RTAX_MTU);
	route->mtu = number_of(at[RTAX_MTU], 0);
	route->is_mtu_locked = number_of(at[RTAX_LOCK], 0) & 1 << RTAX_MTU;
}

static void read_gateway(const struct rtattr *const *at, u8 family, struct route *route)
{
	const struct rtvia *via;

	copy_ip(at[RTA_GATEWAY], family, &route->via);
	if (!at[RTA_VIA])
		return;
	via = RTA_DATA(at[RTA_VIA]);
	route->via.family = via->rtvia_family;
	memcpy(route->via.bytes, via->rtvia_addr, route_ip_bits(via->rtvia_family) / 8);
}

static void read_next_hop(const struct rtattr *const *at, u8 family, struct route *route)
{
	const struct rtattr *of_hop[RTA_ENCAP_TYPE + 1];
	const struct rtnexthop *hop;

	route->device = number_of(at[RTA_OIF], 0);
	route->is_tunnel = at[RTA_ENCAP_TYPE];
	read_gateway(at, family, route);
	if (!at[RTA_MULTIPATH] || RTA_PAYLOAD(at[RTA_MULTIPATH]) < sizeof(*hop))
		return;
	hop = RTA_DATA(at[RTA_MULTIPATH]);
	read_attributes(RTNH_DATA(hop), hop->rtnh_len - (int)sizeof(*hop), of_hop,
			RTA_ENCAP_TYPE);
	route->device = hop->rtnh_ifindex;
	route->is_tunnel = of_hop[RTA_ENCAP_TYPE];
	read_gateway(of_hop, family, route);
}

static int read_route(struct dump *dump, const struct nlmsghdr *message)
{
	const struct rtmsg *info = NLMSG_DATA(message);
	const struct rtattr *at[RTA_ENCAP_TYPE + 1];
	struct route *route;

	if ((info->rtm_family != AF_INET && info->rtm_family != AF_INET6) ||
	    info->rtm_flags & RTM_F_CLONED)
		return 0;
	route = route_add(dump->set, routes, struct route);
	if (!route)
		return -ENOMEM;
	ATTRIBUTES(message, *info, at, RTA_ENCAP_TYPE);
	route->to.ip.family = info->rtm_family;
	route->to.length = info->rtm_dst_len;
	route->type = info->rtm_type;
	route->tos = info->rtm_tos;
	route->table = number_of(at[RTA_TABLE], info->rtm_table);
	route->metric = number_of(at[RTA_PRIORITY], 0);
	copy_ip(at[RTA_DST], info->rtm_family, &route->to.ip);
	copy_ip(at[RTA_PREFSRC], info->rtm_family, &route->source);
	read_metrics(at[RTA_METRICS], route);
	read_next_hop(at, info->rtm_family, route);
	return 0;
}

/* A device that is not there fits no query. */
static u32 device_by_name(const struct dump *dump, const struct rtattr *name)
{
	const struct route_device *devices = dump->set->devices.rows;

	for (u32 i = 0; name && i < dump->set->devices.count; i++)
		if (!strncmp(devices[i].name, RTA_DATA(name), RTA_PAYLOAD(name)))
			return devices[i].ifindex;
	return name ? UINT32_MAX : 0;
}

/* Whether the rule looks at nothing that struct route_rule has no place for. */
static bool is_plain(const struct fib_rule_hdr *info, const struct rtattr *const *at)
{
	static const u8 others[] = {FRA_L3MDEV,		  FRA_UID_RANGE,   FRA_IP_PROTO,
				    FRA_SPORT_RANGE,	  FRA_DPORT_RANGE, FRA_TUN_ID,
				    FRA_SUPPRESS_IFGROUP, FRA_GOTO};

	for (u32 i = 0; i < ARRAY_SIZE(others); i++)
		if (at[others[i]])
			return false;
	return !(info->flags & FIB_RULE_INVERT) &&
	       number_of(at[FRA_SUPPRESS_PREFIXLEN], UINT32_MAX) == UINT32_MAX;
}

static int read_rule(struct dump *dump, const struct nlmsghdr *message)
{
	const struct fib_rule_hdr *info = NLMSG_DATA(message);
	const struct rtattr *at[FRA_DPORT_RANGE + 1];
	struct route_rule *rule;

	ATTRIBUTES(message, *info, at, FRA_DPORT_RANGE);
	if ((info->family != AF_INET && info->family != AF_INET6) || !is_plain(info, at))
		return 0;
	rule = route_add(dump->set, rules, struct route_rule);
	if (!rule)
		return -ENOMEM;
	rule->family = info->family;
	rule->action = info->action;
	rule->tos = info->tos;
	rule->table = number_of(at[FRA_TABLE], info->table);
	rule->priority = number_of(at[FRA_PRIORITY], 0);
	rule->mark = number_of(at[FRA_FWMARK], 0);
	rule->mark_mask = number_of(at[FRA_FWMASK], rule->mark ? UINT32_MAX : 0);
	rule->from.length = info->src_len;
	rule->to.length = info->dst_len;
	copy_ip(at[FRA_SRC], info->family, &rule->from.ip);
	copy_ip(at[FRA_DST], info->family, &rule->to.ip);
	rule->input = device_by_name(dump, at[FRA_IIFNAME]);
	rule->output = device_by_name(dump, at[FRA_OIFNAME]);
	return 0;
}

/* --- the dialogue --- */
static int ask(struct dump *dump, u16 type, u8 family)
{
	struct {
		struct nlmsghdr header;
		struct rtmsg body; /* the longest; each begins with its family */
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = type,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			   .nlmsg_seq = ++dump->sequence},
		.body.rtm_family = family,
	};

	return send(dump->fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* 0: more will come; 1: that was the last; or a negative errno. */
static int read_messages(struct dump *dump, int length, row_reader *read)
{
	int ret = 0;

	for (const struct nlmsghdr *message = (const void *)dump->buffer;
	     NLMSG_OK(message, (u32)length) && !ret; message = NLMSG_NEXT(message, length)) {
		if (message->nlmsg_seq != dump->sequence)
			continue;
		if (message->nlmsg_type == NLMSG_DONE)
			return 1;
		if (message->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(message))->error ?: 1;
		ret = read(dump, message);
	}
	return ret;
}

static int dump_rows(struct dump *dump, u16 type, u8 family, row_reader *read)
{
	int ret = ask(dump, type, family);

	while (!ret) {
		const ssize_t length = recv(dump->fd, dump->buffer, BUFFER_BYTES, 0);

		if (length < 0)
			return -errno;
		ret = read_messages(dump, length, read);
	}
	return min(ret, 0);
}

/* Linux tells of the newest IPv6 address first; a set has it last. */
static void turn_addresses(struct route_rows *rows, u32 first)
{
	struct route_address *addresses = rows->rows;

	for (u32 i = first, j = rows->count; i + 1 < j; i++) {
		const struct route_address address = addresses[i];

		addresses[i] = addresses[--j];
		addresses[j] = address;
	}
}

static int dump_all(struct dump *dump)
{
	int ret = dump_rows(dump, RTM_GETLINK, AF_UNSPEC, read_link);
	u32 ipv4_addresses = 0;

	for (u32 i = 0; i < 2 && !ret; i++) {
		const u8 family = i ? AF_INET6 : AF_INET;

		ipv4_addresses = dump->set->addresses.count;
		ret = dump_rows(dump, RTM_GETNETCONF, family, read_netconf);
		ret = ret ?: dump_rows(dump, RTM_GETADDR, family, read_address);
		ret = ret ?: dump_rows(dump, RTM_GETNEIGH, family, read_neighbour);
		ret = ret ?: dump_rows(dump, RTM_GETROUTE, family, read_route);
		ret = ret ?: dump_rows(dump, RTM_GETRULE, family, read_rule);
	}
	turn_addresses(&dump->set->addresses, ipv4_addresses);
	return ret ?: route_set_default_rules(dump->set);
}

int route_read_host(struct route_set *set, struct skep_error *err)
{
	struct dump dump = {.set = set};
	int ret = -ENOMEM;

	dump.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (dump.fd < 0)
		return error_set(err, SKEP_STAGE_PORT, -errno, "no netlink socket: %s",
				 strerror(errno));
	dump.buffer = malloc(BUFFER_BYTES);
	if (dump.buffer)
		ret = dump_all(&dump);
	close(dump.fd);
	free(dump.buffer);
	if (ret)
		error_set(err, SKEP_STAGE_PORT, ret, "the host's routes cannot be read: %s",
			  strerror(-ret));
	return ret;
}

/* --- devices that are ports --- */

/* Behind those of ports. */
#define OTHER_DEVICES 1000

static u32 number_after(const struct route_device *devices, const u32 *numbers, u32 count,
			u32 ifindex)
{
	for (u32 i = 0; i < count; i++)
		if (devices[i].ifindex == ifindex)
			return numbers[i];
	return ifindex;
}

#define RENUMBER(set, kind, type, member)                                                  \
	for (u32 row = 0; row < (set)->kind.count; row++) {                                \
		u32 *number = &((type *)(set)->kind.rows)[row].member;                     \
		*number = number_after((set)->devices.rows, numbers, (set)->devices.count, \
				       *number);                                           \
	}

static void renumber(struct route_set *set, const u32 *numbers)
{
	struct route_device *devices = set->devices.rows;

	RENUMBER(set, addresses, struct route_address, device);
	RENUMBER(set, neighbours, struct route_neighbour, device);
	RENUMBER(set, routes, struct route, device);
	RENUMBER(set, rules, struct route_rule, input);
	RENUMBER(set, rules, struct route_rule, output);
	for (u32 i = 0; i < set->devices.count; i++)
		devices[i].ifindex = numbers[i];
}

int route_number_by_ports(struct route_set *set, u32 (*port_of)(void *cookie, const char *name),
			  void *cookie)
{
	const struct route_device *devices = set->devices.rows;
	u32 *numbers = calloc(max(set->devices.count, 1u), sizeof(*numbers)), ports = 0;

	if (!numbers)
		return -ENOMEM;
	for (u32 i = 0; i < set->devices.count; i++) {
		const u32 port = port_of(cookie, devices[i].name);

		numbers[i] = port ?: devices[i].ifindex + OTHER_DEVICES;
		ports += port != 0;
	}
	if (ports)
		renumber(set, numbers);
	free(numbers);
	return 0;
}
