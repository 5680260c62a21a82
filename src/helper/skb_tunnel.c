/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tunnel that a packet is to leave through, kept beside the packet. The program that sets
 * it names the far end; a reader sees the packet from that end, as on Linux: near and far have
 * changed places.
 */
#include "helper/body.h"
#include "helper/skb.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define SET_FLAGS                                                                           \
	(BPF_F_TUNINFO_IPV6 | BPF_F_ZERO_CSUM_TX | BPF_F_DONT_FRAGMENT | BPF_F_SEQ_NUMBER | \
	 NO_TUNNEL_KEY)
#define NO_TUNNEL_KEY (1 << 4) /* BPF_F_NO_TUNNEL_KEY, Linux 6.2 */
#define GET_FLAGS     (BPF_F_TUNINFO_IPV6 | TUNNEL_FLAGS)
#define TUNNEL_FLAGS  (1 << 4) /* BPF_F_TUNINFO_FLAGS, Linux 6.0 */

/* Flags of tunnels, as readers see them in network order. */
enum {
	WITH_CHECKSUM = 0x0001,
	WITH_KEY = 0x0004,
	WITH_SEQUENCE = 0x0008,
	WITHOUT_FRAGMENTS = 0x0100,
	WITHOUT_CACHE = 0x2000,
};

/* What a caller of an older Linux knows of the structure. */
static bool is_older_size(u32 size)
{
	return size == offsetof(struct bpf_tunnel_key, local_ipv6[0]) ||
	       size == offsetof(struct bpf_tunnel_key, tunnel_label) ||
	       size == offsetof(struct bpf_tunnel_key, tunnel_ext) ||
	       size == offsetof(struct bpf_tunnel_key, remote_ipv6[1]);
}

static u16 flags_of(u64 flags)
{
	u16 bits = WITH_KEY | WITH_CHECKSUM | WITHOUT_CACHE;

	if (flags & BPF_F_DONT_FRAGMENT)
		bits |= WITHOUT_FRAGMENTS;
	if (flags & BPF_F_ZERO_CSUM_TX)
		bits &= ~WITH_CHECKSUM;
	if (flags & BPF_F_SEQ_NUMBER)
		bits |= WITH_SEQUENCE;
	if (flags & NO_TUNNEL_KEY)
		bits &= ~WITH_KEY;
	return bits;
}

HELPER_BODY(skb_set_tunnel_key)
{
	struct skb_ctx *skb = u64_to_ptr(r1);
	const bool is_ipv6 = r4 & BPF_F_TUNINFO_IPV6;
	struct bpf_tunnel_key key = {};

	if (r4 & ~(u64)SET_FLAGS || ((u32)r3 != sizeof(key) && !is_older_size(r3)))
		return -EINVAL;
	memcpy(&key, u64_to_ptr(r2), (u32)r3);
	if ((!is_ipv6 && key.tunnel_label) || key.tunnel_ext)
		return -EINVAL;
	skb->tunnel = (struct skb_tunnel){.is_set = true, .is_ipv6 = is_ipv6, .key = key};
	skb->tunnel.key.tunnel_flags = htons(flags_of(r4));
	return 0;
}

/* From the other end. */
static void turn_round(const struct skb_tunnel *tunnel, u64 flags, struct bpf_tunnel_key *out)
{
	const struct bpf_tunnel_key *key = &tunnel->key;

	*out = (struct bpf_tunnel_key){
		.tunnel_id = key->tunnel_id,
		.tunnel_tos = key->tunnel_tos,
		.tunnel_ttl = key->tunnel_ttl,
		.tunnel_flags = flags & TUNNEL_FLAGS ? key->tunnel_flags : 0,
	};
	if (tunnel->is_ipv6) {
		memcpy(out->remote_ipv6, key->local_ipv6, sizeof(out->remote_ipv6));
		memcpy(out->local_ipv6, key->remote_ipv6, sizeof(out->local_ipv6));
		out->tunnel_label = key->tunnel_label;
	} else {
		out->remote_ipv4 = key->local_ipv4;
		out->local_ipv4 = key->remote_ipv4;
	}
}

static int get_key(const struct skb_ctx *skb, u32 size, u64 flags, struct bpf_tunnel_key *out)
{
	if (!skb->tunnel.is_set || flags & ~(u64)GET_FLAGS)
		return -EINVAL;
	if (skb->tunnel.is_ipv6 != !!(flags & BPF_F_TUNINFO_IPV6))
		return -EPROTO;
	if (size != sizeof(*out) && !is_older_size(size))
		return -EINVAL;
	/* the oldest callers know of addresses of IPv4 only */
	if (size == offsetof(struct bpf_tunnel_key, remote_ipv6[1]) && skb->tunnel.is_ipv6)
		return -EINVAL;
	turn_round(&skb->tunnel, flags, out);
	return 0;
}

HELPER_BODY(skb_get_tunnel_key)
{
	struct bpf_tunnel_key key = {};
	int ret = get_key(u64_to_ptr(r1), r3, r4, &key);

	if (ret)
		memset(u64_to_ptr(r2), 0, (u32)r3);
	else
		memcpy(u64_to_ptr(r2), &key, (u32)r3);
	return ret;
}

/* --- options --- */
HELPER_BODY(skb_set_tunnel_opt)
{
	struct skb_ctx *skb = u64_to_ptr(r1);
	const u32 size = r3;

	if (!skb->tunnel.is_set || size % sizeof(u32))
		return -EINVAL;
	if (size > sizeof(skb->tunnel.options))
		return -ENOMEM;
	memcpy(skb->tunnel.options, u64_to_ptr(r2), size);
	skb->tunnel.option_bytes = size;
	skb->tunnel.has_options = true;
	return 0;
}

HELPER_BODY(skb_get_tunnel_opt)
{
	const struct skb_ctx *skb = u64_to_ptr(r1);
	const struct skb_tunnel *tunnel = &skb->tunnel;
	u8 *out = u64_to_ptr(r2);
	const u32 size = r3;

	memset(out, 0, size);
	if (!tunnel->is_set || !tunnel->has_options)
		return -ENOENT;
	if (size < tunnel->option_bytes)
		return -ENOMEM;
	memcpy(out, tunnel->options, tunnel->option_bytes);
	return tunnel->option_bytes;
}
