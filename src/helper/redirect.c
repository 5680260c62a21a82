/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a packet is to go: noted in the run, carried out by who ran the program. */
#include "helper/body.h"
#include "helper/skb.h"
#include "map/device.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <string.h>

/* A device that is there without a port, and takes what it is sent. */
#define LOOPBACK	1

#define XDP_ACTION_MASK 3ull /* what redirect_map() returns when there is no entry */

static u64 redirect_xdp(struct run_context *run, u32 ifindex, u64 flags)
{
	if (flags)
		return XDP_ABORTED;
	run->redirect = (struct redirect){.kind = REDIRECT_IFINDEX, .ifindex = ifindex};
	return XDP_REDIRECT;
}

static u64 redirect_skb(struct run_context *run, u32 ifindex, u64 flags)
{
	run->redirect =
		(struct redirect){.kind = REDIRECT_IFINDEX, .ifindex = ifindex, .flags = flags};
	return TC_ACT_REDIRECT;
}

HELPER_BODY(redirect)
{
	if (run->type == BPF_PROG_TYPE_XDP)
		return redirect_xdp(run, r1, r2);
	return r2 & ~(u64)BPF_F_INGRESS ? TC_ACT_SHOT : redirect_skb(run, r1, r2);
}

/* The packet goes out, or comes in, once more beside what becomes of it. */
HELPER_BODY(clone_redirect)
{
	const struct skb_ctx *skb = u64_to_ptr(r1);
	const struct run_env *env = run->env;

	if (r3 & ~(u64)BPF_F_INGRESS)
		return -EINVAL;
	if (!env->has_port || !env->has_port(env->engine, r2))
		return (u32)r2 == LOOPBACK ? 0 : -EINVAL;
	if (!skb->len || !skb_mac_length(skb))
		return -ERANGE;
	return env->transmit(run, r2, skb, r3);
}

HELPER_BODY(redirect_peer)
{
	return r2 ? TC_ACT_SHOT : redirect_skb(run, r1, REDIRECT_TO_PEER);
}

HELPER_BODY(redirect_neigh)
{
	const u32 params_size = r3;

	if (r4 || (params_size && params_size < sizeof(struct bpf_redir_neigh)))
		return TC_ACT_SHOT;
	redirect_skb(run, r1, REDIRECT_TO_NEIGHBOUR);
	if (params_size) {
		const struct bpf_redir_neigh *params = u64_to_ptr(r2);

		run->redirect.hop_family = params->nh_family;
		memcpy(run->redirect.hop, params->ipv6_nh, sizeof(run->redirect.hop));
	}
	return TC_ACT_REDIRECT;
}

static bool has_entry(struct map *map, u32 key, u32 slot)
{
	return map_holds_devices(map) ? map_device_find(map, key) != NULL
				      : map_lookup(map, &key, slot) != NULL;
}

HELPER_BODY(redirect_map)
{
	struct map *map = u64_to_ptr(r1);
	const bool may_broadcast = map->desc.type == BPF_MAP_TYPE_DEVMAP ||
				   map->desc.type == BPF_MAP_TYPE_DEVMAP_HASH;
	const u64 broadcast = may_broadcast ? BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS : 0;

	if (r3 & ~(XDP_ACTION_MASK | broadcast))
		return XDP_ABORTED;
	if (!(r3 & BPF_F_BROADCAST) && !has_entry(map, r2, run->slot)) {
		run->redirect.kind = REDIRECT_NONE;
		return r3 & XDP_ACTION_MASK;
	}
	run->redirect = (struct redirect){
		.kind = REDIRECT_MAP,
		.map = map,
		.key = (u32)r2,
		.flags = r3 & BPF_F_BROADCAST ? r3 : 0,
	};
	return XDP_REDIRECT;
}
