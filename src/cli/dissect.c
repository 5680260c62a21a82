/* SPDX-License-Identifier: BSD-2-Clause */
/* Links, ARP, and the internet protocols. */
#include "cli/dissect.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define LINK_ETHERNET 1
#define LINK_RAW      101
#define LINK_IPV4     228
#define LINK_IPV6     229
#define VLAN_TAGS_MAX 8

bool dissect_has(struct dissection *dissection, u32 bytes, const char *protocol)
{
	if ((size_t)(dissection->end - dissection->at) >= bytes)
		return true;
	strbuf_addf(dissection->out, "[|%s]", protocol);
	return false;
}

static void skip(struct dissection *dissection, u32 bytes)
{
	dissection->at += bytes;
	dissection->left -= min(bytes, dissection->left);
}

void dissect_add_address4(struct strbuf *out, const u8 *address)
{
	strbuf_addf(out, "%u.%u.%u.%u", address[0], address[1], address[2], address[3]);
}

void dissect_add_address6(struct strbuf *out, const u8 *address)
{
	char text[INET6_ADDRSTRLEN];

	strbuf_adds(out, inet_ntop(AF_INET6, address, text, sizeof(text)));
}

static void add_mac(struct strbuf *out, const u8 *mac)
{
	strbuf_addf(out, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		    mac[4], mac[5]);
}

/* --- IP --- */

static void verbose_ipv4(struct dissection *dissection, const u8 *ip)
{
	static const char *const flags[] = {"none", "+", "DF", "+, DF"};
	const u32 fragment = dissect_16(ip + 6);

	strbuf_addf(
		dissection->out,
		"(tos 0x%x, ttl %u, id %u, offset %u, flags [%s], proto %u, length %u)\n    ",
		ip[1], ip[8], dissect_16(ip + 4), (fragment & 0x1fff) * 8,
		flags[fragment >> 13 & 3], ip[9], dissect_16(ip + 2));
}

static void ipv4(struct dissection *dissection)
{
	char source[INET_ADDRSTRLEN], destination[INET_ADDRSTRLEN];
	const u8 *ip = dissection->at;
	u32 header, total;

	if (!dissection->with_link)
		strbuf_adds(dissection->out, "IP ");
	if (!dissect_has(dissection, 20, "ip"))
		return;
	header = (ip[0] & 15) * 4;
	total = dissect_16(ip + 2);
	if (ip[0] >> 4 != 4 || header < 20 || total < header) {
		strbuf_addf(dissection->out,
			    "bad header: version %u, header length %u, length %u", ip[0] >> 4,
			    header, total);
		return;
	}
	if (dissection->is_verbose)
		verbose_ipv4(dissection, ip);
	inet_ntop(AF_INET, ip + 12, source, sizeof(source));
	inet_ntop(AF_INET, ip + 16, destination, sizeof(destination));
	dissection->left = min(dissection->left, total);
	/* What is behind the packet (padding) is not its own. */
	if ((size_t)(dissection->end - ip) > total)
		dissection->end = ip + total;
	if (dissection->end - ip < header) {
		strbuf_addf(dissection->out, "%s > %s: [|ip]", source, destination);
		return;
	}
	skip(dissection, header);
	if (dissect_16(ip + 6) & 0x1fff)
		strbuf_addf(dissection->out, "%s > %s: ip-proto-%u", source, destination,
			    ip[9]);
	else
		dissect_transport(dissection, ip[9], source, destination);
}

/* Behind the header of a fragment: the first has the transport's header. */
static void ipv6_fragment(struct dissection *dissection)
{
	const u8 *fragment = dissection->at;
	u32 offset;

	if (!dissect_has(dissection, 8, "frag"))
		return;
	offset = dissect_16(fragment + 2) & 0xfff8u;
	skip(dissection, 8);
	strbuf_addf(dissection->out, "frag (%u|%u)", offset, dissection->left);
	if (offset)
		return;
	strbuf_addc(dissection->out, ' ');
	dissect_transport(dissection, fragment[0], NULL, NULL);
}

static void ipv6(struct dissection *dissection)
{
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
	const u8 *ip = dissection->at;
	u32 next;

	if (!dissection->with_link)
		strbuf_adds(dissection->out, "IP6 ");
	if (!dissect_has(dissection, 40, "ip6"))
		return;
	next = ip[6];
	inet_ntop(AF_INET6, ip + 8, source, sizeof(source));
	inet_ntop(AF_INET6, ip + 24, destination, sizeof(destination));
	if (dissection->is_verbose)
		strbuf_addf(dissection->out,
			    "(flowlabel 0x%05x, hlim %u, next-header %u, payload length: %u) ",
			    dissect_32(ip) & 0xfffff, ip[7], next, dissect_16(ip + 4));
	skip(dissection, 40);
	dissection->left = min(dissection->left, (u32)dissect_16(ip + 4));
	if ((size_t)(dissection->end - dissection->at) > dissection->left)
		dissection->end = dissection->at + dissection->left;
	if (next != IPPROTO_FRAGMENT) {
		dissect_transport(dissection, next, source, destination);
		return;
	}
	strbuf_addf(dissection->out, "%s > %s: ", source, destination);
	ipv6_fragment(dissection);
}

/* --- ARP --- */

static void arp(struct dissection *dissection)
{
	struct strbuf *out = dissection->out;
	const u8 *arp = dissection->at;
	u32 operation;

	if (!dissection->with_link)
		strbuf_adds(out, "ARP, ");
	if (!dissect_has(dissection, 28, "arp"))
		return;
	operation = dissect_16(arp + 6);
	if (operation == 1) {
		strbuf_adds(out, "Request who-has ");
		dissect_add_address4(out, arp + 24);
		strbuf_adds(out, " tell ");
		dissect_add_address4(out, arp + 14);
	} else if (operation == 2) {
		strbuf_adds(out, "Reply ");
		dissect_add_address4(out, arp + 14);
		strbuf_adds(out, " is-at ");
		add_mac(out, arp + 8);
	} else {
		strbuf_addf(out, "operation %u", operation);
	}
	strbuf_addf(out, ", length %u", dissection->left);
}

/* --- links --- */

static const char *ethertype_name(u32 type)
{
	switch (type) {
	case ETH_P_IP: return "IPv4";
	case ETH_P_IPV6: return "IPv6";
	case ETH_P_ARP: return "ARP";
	case ETH_P_8021Q: return "802.1Q";
	case ETH_P_8021AD: return "802.1Q-QinQ";
	case ETH_P_LLDP: return "LLDP";
	case ETH_P_PPP_DISC: return "PPPoE D";
	case ETH_P_PPP_SES: return "PPPoE S";
	case ETH_P_MPLS_UC: return "MPLS unicast";
	}
	return "Unknown";
}

static void link_header(struct dissection *dissection, const u8 *eth, u32 type, u32 length)
{
	add_mac(dissection->out, eth + 6);
	strbuf_adds(dissection->out, " > ");
	add_mac(dissection->out, eth);
	if (type >= ETH_P_802_3_MIN)
		strbuf_addf(dissection->out,
			    ", ethertype %s (0x%04x), length %u: ", ethertype_name(type), type,
			    length);
	else
		strbuf_addf(dissection->out, ", 802.3, length %u: ", length);
}

/* The type behind the tags; 0: they are cut off. */
static u32 vlan_tags(struct dissection *dissection, u32 type)
{
	while (type == ETH_P_8021Q || type == ETH_P_8021AD) {
		const u8 *tag = dissection->at;

		if (!dissect_has(dissection, 4, "vlan"))
			return 0;
		if (dissection->with_link)
			strbuf_addf(dissection->out, "vlan %u, p %u%s, ",
				    dissect_16(tag) & 0xfff, tag[0] >> 5,
				    tag[0] & 0x10 ? ", DEI" : "");
		type = dissect_16(tag + 2);
		skip(dissection, 4);
		if (dissection->with_link && type >= ETH_P_802_3_MIN)
			strbuf_addf(dissection->out, "ethertype %s (0x%04x), ",
				    ethertype_name(type), type);
	}
	return type;
}

static void ethernet(struct dissection *dissection, const struct skep_packet *packet)
{
	const u8 *eth = dissection->at;
	u32 type;

	if (!dissect_has(dissection, ETH_HLEN, "ether"))
		return;
	type = dissect_16(eth + 12);
	if (dissection->with_link)
		link_header(dissection, eth, type, packet->original_length);
	skip(dissection, ETH_HLEN);
	type = vlan_tags(dissection, type);
	switch (type) {
	case 0: return;
	case ETH_P_IP: ipv4(dissection); return;
	case ETH_P_IPV6: ipv6(dissection); return;
	case ETH_P_ARP: arp(dissection); return;
	}
	if (!dissection->with_link)
		link_header(dissection, eth, type, packet->original_length);
}

void dissect_packet(struct dissection *dissection, const struct skep_packet *packet)
{
	dissection->at = packet->data;
	dissection->end = packet->data + packet->length;
	dissection->left = packet->original_length;
	switch (packet->link_type) {
	case LINK_ETHERNET: ethernet(dissection, packet); return;
	case LINK_RAW:
	case LINK_IPV4:
	case LINK_IPV6:
		if (packet->length && packet->data[0] >> 4 == 6)
			ipv6(dissection);
		else
			ipv4(dissection);
		return;
	}
	strbuf_addf(dissection->out, "link type %u, length %u", packet->link_type,
		    packet->original_length);
}

u32 dissect_link_bytes(const struct skep_packet *packet)
{
	u32 bytes = ETH_HLEN;

	if (packet->link_type != LINK_ETHERNET || packet->length < ETH_HLEN)
		return 0;
	for (u32 i = 0; i < VLAN_TAGS_MAX && bytes + 4 <= packet->length; i++) {
		const u32 type = dissect_16(packet->data + bytes - 2);

		if (type != ETH_P_8021Q && type != ETH_P_8021AD)
			break;
		bytes += 4;
	}
	return bytes;
}

void dissect_bytes(struct strbuf *out, const u8 *data, u32 length, bool with_text)
{
	for (u32 at = 0; at < length; at += 16) {
		const u32 count = min(length - at, 16u);

		strbuf_addf(out, "\n\t0x%04x: ", at);
		for (u32 i = 0; i < (with_text ? 16 : count); i++) {
			if (i % 2 == 0)
				strbuf_addc(out, ' ');
			if (i < count)
				strbuf_addf(out, "%02x", data[at + i]);
			else
				strbuf_adds(out, "  ");
		}
		if (with_text)
			strbuf_adds(out, "  ");
		for (u32 i = 0; with_text && i < count; i++)
			strbuf_addc(out, isgraph(data[at + i]) ? (char)data[at + i] : '.');
	}
}
