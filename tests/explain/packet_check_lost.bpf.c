/* SPDX-License-Identifier: BSD-2-Clause */
/* A helper may move the packet: what was checked before it counts no more. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

SEC("tc")
int rewrite(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *data_end = (void *)(long)skb->data_end;
	struct ethhdr *eth = data;
	__u16 proto = 0x0008;

	if (data + sizeof(*eth) > data_end)
		return TC_ACT_OK;
	bpf_skb_store_bytes(skb, 12, &proto, sizeof(proto), 0);
	return eth->h_source[0];
}

char LICENSE[] SEC("license") = "GPL";
