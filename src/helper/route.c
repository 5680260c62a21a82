/* SPDX-License-Identifier: BSD-2-Clause */
/* Where packets go by the engine's own routes (map/route.h), and whether they fit. */
#include "map/route.h"
#include "catalog/ctx.h"
#include "helper/body.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define LOOKUP_MARK (1u << 5) /* BPF_FIB_LOOKUP_MARK, since Linux 6.10 */
#define LOOKUP_FLAGS                                                                 \
	(BPF_FIB_LOOKUP_DIRECT | BPF_FIB_LOOKUP_OUTPUT | BPF_FIB_LOOKUP_SKIP_NEIGH | \
	 BPF_FIB_LOOKUP_TBID | BPF_FIB_LOOKUP_SRC | LOOKUP_MARK)
#define LOOPBACK     1
#define LOOPBACK_MTU 65536
#define PORT_MTU     1500
#define IPV4_MTU_MAX 65535
#define IPV6_MTU_MIN 1280
#define IPV6_MTU_MAX 65575
#define VLAN_BYTES   4

/* What a device that no row tells of is like: a port, or Linux's loopback. */
static const struct route_device port_device = {.mtu = PORT_MTU,
						.header = ETH_HLEN,
						.is_up = true,
						.forwards_ipv4 = true,
						.forwards_ipv6 = true};
static const struct route_device loopback_device = {
	.mtu = LOOPBACK_MTU, .header = ETH_HLEN, .is_up = true};

static const struct route_device *find_device(const struct run_env *env, u32 ifindex)
{
	const struct route_device *device =
		env->routes ? routes_device(env->routes, ifindex) : NULL;

	if (device)
		return device;
	if (env->has_port && env->has_port(env->engine, ifindex))
		return &port_device;
	return ifindex == LOOPBACK ? &loopback_device : NULL;
}

/* --- bpf_fib_lookup(): each step gives 0, a negative errno, or a BPF_FIB_LKUP_RET_* --- */
struct lookup {
	struct bpf_fib_lookup *params;
	const struct run_env *env;
	const struct route *route;
	const struct route_device *device; /* where the packet leaves */
	u32 flags, mtu;
	bool checks_mtu;
};

static struct route_ip ip_of(u8 family, const void *bytes)
{
	struct route_ip ip = {.family = family};

	memcpy(ip.bytes, bytes, route_ip_bits(family) / 8);
	return ip;
}

/* Addresses of IPv6 that mean something on one link only: link-local, multicast, loopback. */
static bool is_of_link(const struct route_ip *ip)
{
	static const u8 loopback[16] = {[15] = 1};

	return ip->bytes[0] == 0xff ||
	       (ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80) ||
	       !memcmp(ip->bytes, loopback, sizeof(loopback));
}

/* What the tables are asked. A table's number goes out of the parameters. An IPv6 packet of the
 * host's own has no source yet. */
static struct route_query query_of(const struct lookup *lookup)
{
	struct bpf_fib_lookup *params = lookup->params;
	const bool is_output = lookup->flags & BPF_FIB_LOOKUP_OUTPUT;
	struct route_query query = {
		.to = ip_of(params->family, params->ipv6_dst),
		.from = ip_of(params->family, params->ipv6_src),
		.input = is_output ? LOOPBACK : params->ifindex,
		.output = is_output ? params->ifindex : 0,
		.tos = params->family == AF_INET ? params->tos : 0,
		.in_table = lookup->flags & BPF_FIB_LOOKUP_DIRECT,
		.table = ROUTE_TABLE_MAIN,
	};

	if (is_output && params->family == AF_INET6)
		query.from.family = 0;
	if (query.in_table && lookup->flags & BPF_FIB_LOOKUP_TBID) {
		query.table = params->tbid;
		params->tbid = 0;
	}
	if (lookup->flags & LOOKUP_MARK)
		memcpy(&query.mark, params->smac, sizeof(query.mark));
	return query;
}

static int result_of_error(int error)
{
	switch (error) {
	case -EINVAL: return BPF_FIB_LKUP_RET_BLACKHOLE;
	case -EHOSTUNREACH: return BPF_FIB_LKUP_RET_UNREACHABLE;
	case -EACCES: return BPF_FIB_LKUP_RET_PROHIBIT;
	default: return BPF_FIB_LKUP_RET_NOT_FWDED;
	}
}

static int result_of_type(u32 type)
{
	switch (type) {
	case RTN_UNICAST: return BPF_FIB_LKUP_RET_SUCCESS;
	case RTN_BLACKHOLE: return BPF_FIB_LKUP_RET_BLACKHOLE;
	case RTN_UNREACHABLE: return BPF_FIB_LKUP_RET_UNREACHABLE;
	case RTN_PROHIBIT: return BPF_FIB_LKUP_RET_PROHIBIT;
	default: return BPF_FIB_LKUP_RET_NOT_FWDED;
	}
}

/* Whether packets that come in there are forwarded at all. */
static int check_input(const struct lookup *lookup)
{
	const struct bpf_fib_lookup *params = lookup->params;
	const bool is_ipv4 = params->family == AF_INET;
	const struct route_ip to = ip_of(params->family, params->ipv6_dst);
	const struct route_ip from = ip_of(params->family, params->ipv6_src);
	const struct route_device *device;

	if (!is_ipv4 && (is_of_link(&to) || is_of_link(&from)))
		return BPF_FIB_LKUP_RET_NOT_FWDED;
	device = find_device(lookup->env, params->ifindex);
	if (!device)
		return -ENODEV;
	return (is_ipv4 ? device->forwards_ipv4 : device->forwards_ipv6)
		       ? 0
		       : BPF_FIB_LKUP_RET_FWD_DISABLED;
}

static int find_route(struct lookup *lookup)
{
	const struct route_query query = query_of(lookup);
	int ret = lookup->env->routes ? routes_find(lookup->env->routes, &query, &lookup->route)
				      : -ENETUNREACH;

	if (ret)
		return result_of_error(ret);
	ret = result_of_type(lookup->route->type);
	if (ret)
		return ret;
	lookup->device = find_device(lookup->env, lookup->route->device);
	return lookup->device ? 0 : BPF_FIB_LKUP_RET_NOT_FWDED;
}

/* The device's, unless the route's is locked. */
static u32 mtu_of(const struct lookup *lookup)
{
	const struct route *route = lookup->route;

	if (route->mtu && route->is_mtu_locked)
		return route->mtu;
	if (lookup->params->family == AF_INET)
		return min(lookup->device->mtu, (u32)IPV4_MTU_MAX);
	return min(max(lookup->device->mtu, (u32)IPV6_MTU_MIN), (u32)IPV6_MTU_MAX);
}

static void set_address(void *to, const struct route_ip *ip)
{
	memcpy(to, ip->bytes, route_ip_bits(ip->family) / 8);
}

static int set_source(struct lookup *lookup, const struct route_ip *to)
{
	const struct route *route = lookup->route;
	const struct route_address *address;
	const struct route_ip none = {.family = AF_INET};
	const struct route_ip *towards = to;

	if (!route->source.family) {
		if (to->family == AF_INET)
			towards = route->via.family == AF_INET ? &route->via : &none;
		address = routes_source(lookup->env->routes, route->device, towards);
		if (!address && to->family == AF_INET6)
			return BPF_FIB_LKUP_RET_NO_SRC_ADDR;
		set_address(lookup->params->ipv6_src, address ? &address->prefix.ip : &none);
	} else {
		set_address(lookup->params->ipv6_src, &route->source);
	}
	return 0;
}

static int set_neighbour(struct lookup *lookup, const struct route_ip *next)
{
	struct bpf_fib_lookup *params = lookup->params;
	u8 mac[ETH_ALEN];

	if (!routes_neighbour(lookup->env->routes, lookup->route->device, next, mac))
		return BPF_FIB_LKUP_RET_NO_NEIGH;
	memcpy(params->dmac, mac, ETH_ALEN);
	memcpy(params->smac, lookup->device->mac, ETH_ALEN);
	return 0;
}

/* What the route says goes into the parameters as far as all went well. */
static int use_route(struct lookup *lookup)
{
	struct bpf_fib_lookup *params = lookup->params;
	const struct route *route = lookup->route;
	const struct route_ip to = ip_of(params->family, params->ipv6_dst);
	const struct route_ip *next = route->via.family ? &route->via : &to;
	int ret = 0;

	lookup->mtu = lookup->checks_mtu ? mtu_of(lookup) : 0;
	if (lookup->checks_mtu && params->tot_len > lookup->mtu) {
		params->mtu_result = lookup->mtu;
		return BPF_FIB_LKUP_RET_FRAG_NEEDED;
	}
	if (route->is_tunnel)
		return BPF_FIB_LKUP_RET_UNSUPP_LWT;
	params->rt_metric = route->metric;
	params->ifindex = route->device;
	if (to.family == AF_INET6)
		set_address(params->ipv6_dst, next);
	if (lookup->flags & BPF_FIB_LOOKUP_SRC)
		ret = set_source(lookup, &to);
	if (ret)
		return ret;
	params->family = next->family;
	set_address(params->ipv6_dst, next);
	if (!(lookup->flags & BPF_FIB_LOOKUP_SKIP_NEIGH))
		ret = set_neighbour(lookup, next);
	if (ret)
		return ret;
	params->h_vlan_TCI = params->h_vlan_proto = 0;
	if (lookup->mtu)
		params->mtu_result = lookup->mtu;
	return 0;
}

static int check_skb(const struct lookup *lookup, const struct skb_ctx *skb)
{
	const struct route_device *device = lookup->device;
	const u32 longest = device->mtu + device->header + VLAN_BYTES;
	const bool fits = device->is_up && (skb->len <= longest || skb->gso_size);

	lookup->params->mtu_result = device->mtu;
	return fits ? BPF_FIB_LKUP_RET_SUCCESS : BPF_FIB_LKUP_RET_FRAG_NEEDED;
}

HELPER_BODY(fib_lookup)
{
	struct lookup lookup = {.params = u64_to_ptr(r2), .env = run->env, .flags = r4};
	const bool is_xdp = run->type == BPF_PROG_TYPE_XDP;
	int ret;

	if ((s32)r3 < (s32)sizeof(*lookup.params) || (u32)r4 & ~LOOKUP_FLAGS)
		return -EINVAL;
	if (lookup.params->family != AF_INET && lookup.params->family != AF_INET6)
		return -EAFNOSUPPORT;
	lookup.checks_mtu = is_xdp || lookup.params->tot_len;
	ret = check_input(&lookup);
	ret = ret ?: find_route(&lookup);
	ret = ret ?: use_route(&lookup);
	if (!ret && !lookup.checks_mtu)
		ret = check_skb(&lookup, u64_to_ptr(r1));
	return ret;
}

/* --- bpf_check_mtu() --- */
static int check_skb_flags(u64 flags, u32 length, s32 difference)
{
	if (flags & ~(u64)BPF_MTU_CHK_SEGS)
		return -EINVAL;
	return flags && (difference || length) ? -EINVAL : 0;
}

/* Segments behind IPv4 or IPv6 headers are taken as what gso_size says. */
static int result_of_gso(const struct skb_ctx *skb, u64 flags, u32 mtu)
{
	if (!(flags & BPF_MTU_CHK_SEGS) || skb->gso_size <= mtu)
		return BPF_MTU_CHK_RET_SUCCESS;
	return BPF_MTU_CHK_RET_SEGS_TOOBIG;
}

HELPER_BODY(check_mtu)
{
	const bool is_xdp = run->type == BPF_PROG_TYPE_XDP;
	const struct xdp_ctx *xdp = u64_to_ptr(r1);
	const struct skb_ctx *skb = u64_to_ptr(r1);
	const u32 own = is_xdp ? xdp->ingress_ifindex : skb->ifindex;
	const struct route_device *device;
	u32 *length = u64_to_ptr(r3), mtu, bytes;
	int ret = BPF_MTU_CHK_RET_SUCCESS;

	if (is_xdp ? r5 != 0 : check_skb_flags(r5, *length, r4) != 0)
		return -EINVAL;
	device = find_device(run->env, (u32)r2 ?: own);
	if (!device)
		return -ENODEV;
	mtu = device->mtu;
	bytes = is_xdp ? xdp->data_end - xdp->data : skb->len;
	bytes = (*length ? *length + device->header : bytes) + (u32)r4;
	if ((s32)bytes > (s32)(mtu + device->header))
		ret = is_xdp || !skb->gso_size ? BPF_MTU_CHK_RET_FRAG_NEEDED
					       : result_of_gso(skb, r5, mtu);
	*length = mtu;
	return ret;
}
