/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of routes: a header of IP in front of the packet. */
#include "helper/body.h"
#include "helper/skb.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#define IPV4_HEADER  20u
#define IPV6_HEADER  40u
#define HEADROOM_MAX 256 /* Linux: LWT_BPF_MAX_HEADROOM */

/* The protocol that the header begins; 0: it is none. */
static u32 protocol_of(const u8 *header, u32 size)
{
	if (size < IPV4_HEADER || size > HEADROOM_MAX)
		return 0;
	if (header[0] >> 4 == 4)
		return (header[0] & 15) >= 5 && (u32)(header[0] & 15) * 4 <= size ? ETH_P_IP
										  : 0;
	return header[0] >> 4 == 6 && size >= IPV6_HEADER ? ETH_P_IPV6 : 0;
}

/* A checksum that the program left to us. */
static void complete_ipv4(u8 *header)
{
	u32 sum = 0;

	if (header[10] || header[11])
		return;
	for (u32 i = 0; i < (u32)(header[0] & 15) * 4; i += 2)
		sum += header[i] << 8 | header[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	header[10] = ~sum >> 8;
	header[11] = ~sum;
}

/* Segment routing's kinds need a kernel's own tunnels. */
HELPER_BODY(lwt_push_encap)
{
	struct skb_ctx *skb = u64_to_ptr(r1);
	const u8 *header = u64_to_ptr(r3);
	const u32 size = r4, protocol = protocol_of(header, size);

	if ((u32)r2 != BPF_LWT_ENCAP_IP || !protocol)
		return -EINVAL;
	if (skb_push(skb, size))
		return -ENOMEM;
	memcpy(skb->data, header, size);
	skb->network_header = skb->data;
	skb->protocol = htons(protocol);
	skb->hash = 0;
	if (protocol == ETH_P_IP)
		complete_ipv4(skb->data);
	return 0;
}
