/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VLAN tags. As in Linux the outermost one is beside the packet (vlan_tci, vlan_proto), as a
 * network card hands it over; only a second one is in the packet's bytes.
 */
#include "helper/body.h"
#include "helper/skb.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#define VLAN_BYTES 4
#define ADDRESSES  (2 * ETH_ALEN)

struct vlan_tag {
	u16 proto, tci; /* network order */
};

static bool is_vlan(u32 protocol)
{
	return protocol == htons(ETH_P_8021Q) || protocol == htons(ETH_P_8021AD);
}

static int insert_tag(struct skb_ctx *skb)
{
	const struct vlan_tag tag = {skb->vlan_proto, htons(skb->vlan_tci)};

	if (skb->data != skb->mac_header)
		return -EINVAL;
	if (skb_push(skb, VLAN_BYTES))
		return -ENOMEM;
	memmove(skb->data, skb->data + VLAN_BYTES, ADDRESSES);
	memcpy(skb->data + ADDRESSES, &tag, sizeof(tag));
	skb->mac_header = skb->data;
	skb->network_header -= VLAN_BYTES;
	skb->protocol = skb->vlan_proto;
	return 0;
}

HELPER_BODY(skb_vlan_push)
{
	struct skb_ctx *skb = u64_to_ptr(r1);
	const u32 proto = (u16)r2;
	int ret = skb->vlan_present ? insert_tag(skb) : 0;

	if (ret)
		return ret;
	skb->vlan_proto = is_vlan(proto) ? proto : htons(ETH_P_8021Q);
	skb->vlan_tci = (u16)r3;
	skb->vlan_present = true;
	return 0;
}

/* Numbers below 0x600 are lengths: 802.3, raw when the payload begins with ffff. */
static u32 payload_protocol(const u8 *type, const u8 *end)
{
	u16 value;

	memcpy(&value, type, sizeof(value));
	if (ntohs(value) >= ETH_P_802_3_MIN)
		return value;
	if (end - type >= 4 && type[2] == 0xff && type[3] == 0xff)
		return htons(ETH_P_802_3);
	return htons(ETH_P_802_2);
}

/* Takes the tag out of the bytes. */
static int remove_tag(struct skb_ctx *skb, u16 *tci)
{
	struct vlan_tag tag;

	if (skb->data != skb->mac_header)
		return -EINVAL;
	if (!skb_has(skb, 0, ETH_HLEN + VLAN_BYTES))
		return -ENOMEM;
	memcpy(&tag, skb->data + ADDRESSES, sizeof(tag));
	*tci = ntohs(tag.tci);
	skb->protocol = payload_protocol(skb->data + ADDRESSES + VLAN_BYTES, skb->data_end);
	memmove(skb->data + VLAN_BYTES, skb->data, ADDRESSES);
	skb_pull(skb, VLAN_BYTES);
	skb->mac_header = skb->data;
	if (skb_network_offset(skb) < ETH_HLEN)
		skb->network_header = skb->data + ETH_HLEN;
	return 0;
}

/* The next tag, when there is one, takes the place beside the packet. */
static int lift_tag(struct skb_ctx *skb)
{
	const u32 proto = skb->protocol;
	u16 tci;
	int ret;

	if (!is_vlan(proto))
		return 0;
	ret = remove_tag(skb, &tci);
	if (ret)
		return ret;
	skb->vlan_proto = proto;
	skb->vlan_tci = tci;
	skb->vlan_present = true;
	return 0;
}

HELPER_BODY(skb_vlan_pop)
{
	struct skb_ctx *skb = u64_to_ptr(r1);
	u16 tci;
	int ret = 0;

	if (skb->vlan_present)
		skb->vlan_present = skb->vlan_proto = skb->vlan_tci = 0;
	else if (is_vlan(skb->protocol))
		ret = remove_tag(skb, &tci);
	return ret ?: lift_tag(skb);
}
