/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugin_helpers.h"
#include "isa/isa.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/netlink.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <math.h>
#include <netinet/in.h>
#include <string.h>

/* --- ubpf's six functions --- */

/* Unproven programs pass any address: only what the run owns is touched. */
static u8 *owned(struct run_context *context, u64 address, u64 size)
{
	const struct plugin_run *run = (const struct plugin_run *)context;
	const u64 memory = ptr_to_u64(run->memory), stack = ptr_to_u64(run->stack);

	if (address >= memory && size <= run->size && address - memory <= run->size - size)
		return u64_to_ptr(address);
	if (address >= stack && size <= run->stack_size &&
	    address - stack <= run->stack_size - size)
		return u64_to_ptr(address);
	return NULL;
}

static u64 gather_bytes(u64 a, u64 b, u64 c, u64 d, u64 e, struct run_context *run)
{
	return (u64)(u8)a << 32 | (u32)(u8)b << 24 | (u32)(u8)c << 16 | (u16)((u8)d << 8) |
	       (u8)e;
}

static u64 memory_frobnicate(u64 at, u64 size, u64 c, u64 d, u64 e, struct run_context *run)
{
	u8 *bytes = owned(run, at, size);

	for (u64 i = 0; bytes && i < size; i++)
		bytes[i] ^= 42;
	return bytes ? at : 0;
}

static u64 nothing(u64 a, u64 b, u64 c, u64 d, u64 e, struct run_context *run)
{
	return 0;
}

static u64 square_root(u64 a, u64 b, u64 c, u64 d, u64 e, struct run_context *run)
{
	return (u32)sqrt((u32)a);
}

static u64 compare_strings(u64 a, u64 b, u64 c, u64 d, u64 e, struct run_context *run)
{
	for (;; a++, b++) {
		const u8 *left = owned(run, a, 1), *right = owned(run, b, 1);

		if (!left || !right)
			return 1;
		if (*left != *right || !*left)
			return (u64)(*left - *right);
	}
}

static u64 identity(u64 a, u64 b, u64 c, u64 d, u64 e, struct run_context *run)
{
	return a;
}

helper_fn *plugin_helper(u32 id)
{
	static helper_fn *const helpers[] = {
		gather_bytes, memory_frobnicate, nothing,
		square_root,  compare_strings,	 identity,
	};

	return id < ARRAY_SIZE(helpers) ? helpers[id] : NULL;
}

/* --- ancillary loads of classic programs, as lib/test_bpf.c sets the packet up --- */
void plugin_run_packet(struct plugin_run *run)
{
	const size_t link = min(run->size, (size_t)ETH_HLEN);

	run->skb = (struct skb_ctx){
		.data = run->memory,
		.data_end = run->memory + run->size,
		.hard_start = run->memory,
		.frame_end = run->memory + run->size,
		.mac_header = run->memory,
		.network_header = run->memory + link,
		.len = run->size,
		.pkt_type = 3,
		.mark = 0x1234aaaa,
		.queue_mapping = 123,
		.protocol = htons(ETH_P_IP),
		.vlan_present = 1,
		.vlan_tci = 0xffff,
		.vlan_proto = htons(ETH_P_IP),
		.ifindex = 577,
		.hash = 0x1234aaab,
	};
	run->context.ctx = &run->skb;
}

static u64 device_type(u64 ctx, u64 a, u64 x, u64 d, u64 e, struct run_context *run)
{
	return 588;
}

static u64 cpu(u64 ctx, u64 a, u64 x, u64 d, u64 e, struct run_context *run)
{
	return 0;
}

static u32 attribute_find(const struct skb_ctx *skb, u32 at, u32 end, u32 type)
{
	struct nlattr attribute;

	while (at <= end && end - at >= sizeof(attribute)) {
		memcpy(&attribute, skb->data + at, sizeof(attribute));
		if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > end - at)
			return 0;
		if ((attribute.nla_type & NLA_TYPE_MASK) == type)
			return at;
		at += NLA_ALIGN(attribute.nla_len);
	}
	return 0;
}

static u64 netlink_attribute(u64 ctx, u64 a, u64 x, u64 d, u64 e, struct run_context *run)
{
	const struct skb_ctx *skb = u64_to_ptr(ctx);

	return attribute_find(skb, (u32)a, skb->len, (u32)x);
}

static u64 netlink_nested(u64 ctx, u64 a, u64 x, u64 d, u64 e, struct run_context *run)
{
	const struct skb_ctx *skb = u64_to_ptr(ctx);
	const u32 at = (u32)a;
	struct nlattr outer;

	if (at > skb->len || skb->len - at < sizeof(outer))
		return 0;
	memcpy(&outer, skb->data + at, sizeof(outer));
	if (outer.nla_len > skb->len - at)
		return 0;
	return attribute_find(skb, at + sizeof(outer), at + outer.nla_len, (u32)x);
}

/* Where the payload begins behind an IPv4 header; 0 when it is no IPv4. */
static u64 payload_offset(u64 ctx, u64 a, u64 x, u64 d, u64 e, struct run_context *run)
{
	const struct skb_ctx *skb = u64_to_ptr(ctx);
	const u32 start = skb->network_header - skb->data;
	struct iphdr ip;
	u32 transport;

	if (skb->len < start + sizeof(ip))
		return 0;
	memcpy(&ip, skb->data + start, sizeof(ip));
	transport = start + ip.ihl * 4;
	if (ip.protocol == IPPROTO_TCP && skb->len >= transport + sizeof(struct tcphdr))
		return transport + (skb->data[transport + 12] >> 4) * 4;
	if (ip.protocol == IPPROTO_UDP || ip.protocol == IPPROTO_ICMP)
		return transport + sizeof(struct udphdr); /* ICMP's is as long */
	return transport;
}

helper_fn *classic_helper(u32 id)
{
	switch (id) {
	case CLASSIC_HELPER_PAY_OFFSET: return payload_offset;
	case CLASSIC_HELPER_NLATTR: return netlink_attribute;
	case CLASSIC_HELPER_NLATTR_NEST: return netlink_nested;
	case CLASSIC_HELPER_HATYPE: return device_type;
	case BPF_FUNC_get_smp_processor_id: return cpu;
	default: return NULL;
	}
}
