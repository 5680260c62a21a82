/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs of several network functions do with packets. */
#ifndef APPS_PACKET_H
#define APPS_PACKET_H

#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PACKET_TAGS_MAX	       2
#define PACKET_FRAGMENT_OFFSET 0x1fff

static __always_inline int packet_is_same6(const __be32 *a, const __be32 *b)
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]));
}

/* The sum of 16-bit words that a sum of words or half words stands for. */
static __always_inline __u16 packet_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)(sum + (sum >> 16));
}

/* Moves `*at` behind Ethernet's header and its tags. 0, or -1 when the packet ends before. */
static __always_inline int packet_skip_link(void **at, const void *end, __be16 *type)
{
	struct ethhdr *ethernet = *at;

	if ((void *)(ethernet + 1) > end)
		return -1;
	*type = ethernet->h_proto;
	*at = ethernet + 1;
	for (int i = 0; i < PACKET_TAGS_MAX; i++) {
		__be16 *tag = *at;

		if (*type != bpf_htons(ETH_P_8021Q) && *type != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 2) > end)
			return -1;
		*type = tag[1];
		*at = tag + 2;
	}
	return 0;
}

#endif
