/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP, UDP, and the messages of ICMP. */
#include "cli/dissect.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define PORT_DNS 53

struct ends {
	const char *source, *destination; /* NULL: said before */
};

static void add_ports(struct dissection *dissection, const struct ends *ends, u32 source,
		      u32 destination)
{
	if (ends->source)
		strbuf_addf(dissection->out, "%s.%u > %s.%u: ", ends->source, source,
			    ends->destination, destination);
	else
		strbuf_addf(dissection->out, "%u > %u: ", source, destination);
}

static void add_ends(struct dissection *dissection, const struct ends *ends)
{
	if (ends->source)
		strbuf_addf(dissection->out, "%s > %s: ", ends->source, ends->destination);
}

/* --- TCP --- */

static void tcp_flags(struct dissection *dissection, u32 flags)
{
	static const char names[] = "FSRP.UEW";

	strbuf_adds(dissection->out, "Flags [");
	for (u32 i = 0; i < 8; i++)
		if (flags >> i & 1)
			strbuf_addc(dissection->out, names[i]);
	strbuf_adds(dissection->out, flags ? "]" : "none]");
}

/* One option of so many bytes, its kind and length among them. */
static void tcp_option(struct strbuf *out, const u8 *option, u32 bytes)
{
	if (option[0] == 2 && bytes == 4) {
		strbuf_addf(out, "mss %u", dissect_16(option + 2));
	} else if (option[0] == 3 && bytes == 3) {
		strbuf_addf(out, "wscale %u", option[2]);
	} else if (option[0] == 4 && bytes == 2) {
		strbuf_adds(out, "sackOK");
	} else if (option[0] == 5 && bytes % 8 == 2) {
		strbuf_addf(out, "sack %u ", bytes / 8);
		for (u32 at = 2; at < bytes; at += 8)
			strbuf_addf(out, "{%u:%u}", dissect_32(option + at),
				    dissect_32(option + at + 4));
	} else if (option[0] == 8 && bytes == 10) {
		strbuf_addf(out, "TS val %u ecr %u", dissect_32(option + 2),
			    dissect_32(option + 6));
	} else {
		strbuf_addf(out, "unknown-%u", option[0]);
	}
}

static void tcp_options(struct dissection *dissection, const u8 *at, const u8 *end)
{
	const char *comma = "";

	strbuf_adds(dissection->out, ", options [");
	for (u32 bytes; at < end; at += bytes) {
		strbuf_adds(dissection->out, comma);
		comma = ",";
		bytes = *at < 2 ? 1 : end - at > 1 ? at[1] : 0;
		if (*at < 2) {
			strbuf_adds(dissection->out, *at ? "nop" : "eol");
		} else if (bytes < 2 || bytes > end - at) {
			strbuf_adds(dissection->out, "bad");
			break;
		} else {
			tcp_option(dissection->out, at, bytes);
		}
		if (!*at)
			break;
	}
	strbuf_addc(dissection->out, ']');
}

static void tcp(struct dissection *dissection, const struct ends *ends)
{
	const u8 *tcp = dissection->at;
	u32 header, flags, length, sequence;

	if ((size_t)(dissection->end - tcp) < 4)
		add_ends(dissection, ends);
	if (!dissect_has(dissection, 4, "tcp"))
		return;
	add_ports(dissection, ends, dissect_16(tcp), dissect_16(tcp + 2));
	if (!dissect_has(dissection, 20, "tcp"))
		return;
	header = (tcp[12] >> 4) * 4;
	if (header < 20 || header > dissection->left) {
		strbuf_addf(dissection->out, "[bad hdr length %u, too %s]", header,
			    header < 20 ? "short, < 20" : "long");
		return;
	}
	flags = tcp[13];
	length = dissection->left - header;
	sequence = dissect_32(tcp + 4);
	tcp_flags(dissection, flags);
	if (length)
		strbuf_addf(dissection->out, ", seq %u:%u", sequence, sequence + length);
	else if (flags & 7)
		strbuf_addf(dissection->out, ", seq %u", sequence);
	if (flags & 0x10)
		strbuf_addf(dissection->out, ", ack %u", dissect_32(tcp + 8));
	strbuf_addf(dissection->out, ", win %u", dissect_16(tcp + 14));
	if (flags & 0x20)
		strbuf_addf(dissection->out, ", urg %u", dissect_16(tcp + 18));
	if (header > 20 && dissection->end - tcp >= header)
		tcp_options(dissection, tcp + 20, tcp + header);
	else if (header > 20)
		strbuf_adds(dissection->out, ", options [|tcp]");
	strbuf_addf(dissection->out, ", length %u", length);
}

/* --- UDP --- */

static void udp(struct dissection *dissection, const struct ends *ends)
{
	const u8 *udp = dissection->at;
	u32 length, source, destination;

	if ((size_t)(dissection->end - udp) < 4)
		add_ends(dissection, ends);
	if (!dissect_has(dissection, 4, "udp"))
		return;
	source = dissect_16(udp);
	destination = dissect_16(udp + 2);
	add_ports(dissection, ends, source, destination);
	if (!dissect_has(dissection, 8, "udp"))
		return;
	length = dissect_16(udp + 4);
	if (length < 8) {
		strbuf_addf(dissection->out, "truncated-udplength %u", length);
		return;
	}
	dissection->at += 8;
	dissection->left = min(dissection->left, length) - min(dissection->left, 8u);
	if (source == PORT_DNS || destination == PORT_DNS)
		dissect_dns(dissection);
	else
		strbuf_addf(dissection->out, "UDP, length %u", length - 8);
}

/* --- ICMP --- */

/* Of the packet that an error quotes. */
static void quoted(struct dissection *dissection, const u8 *ip, u32 code)
{
	struct strbuf *out = dissection->out;
	const u32 header = dissection->end - ip >= 20 ? (ip[0] & 15) * 4u : 0;
	const char *protocol = header && ip[9] == IPPROTO_UDP ? "udp" : "tcp";

	if (header < 20 || (code == 3 && dissection->end - ip < header + 4)) {
		strbuf_adds(out, "unreachable [|icmp]");
		return;
	}
	if (code == 0 || code == 1)
		strbuf_adds(out, code ? "host " : "net ");
	dissect_add_address4(out, ip + 16);
	if (code == 2)
		strbuf_addf(out, " protocol %u", ip[9]);
	if (code == 3)
		strbuf_addf(out, " %s port %u", protocol, dissect_16(ip + header + 2));
	strbuf_adds(out, " unreachable");
}

static void unreachable(struct dissection *dissection, const u8 *icmp)
{
	quoted(dissection, icmp + 8, icmp[1]);
	if (icmp[1] == 4)
		strbuf_adds(dissection->out, " - need to frag");
	if (icmp[1] == 4 && dissect_16(icmp + 6))
		strbuf_addf(dissection->out, " (mtu %u)", dissect_16(icmp + 6));
	if (icmp[1] > 4)
		strbuf_addf(dissection->out, " - code %u", icmp[1]);
}

static void redirect(struct dissection *dissection, const u8 *icmp)
{
	static const char *const what[] = {"net", "host", "tos and net", "tos and host"};

	strbuf_adds(dissection->out, "redirect ");
	if (!dissect_has(dissection, 28, "icmp"))
		return;
	dissect_add_address4(dissection->out, icmp + 24);
	strbuf_addf(dissection->out, " to %s ", icmp[1] < 4 ? what[icmp[1]] : "?");
	dissect_add_address4(dissection->out, icmp + 4);
}

static void icmp(struct dissection *dissection, const struct ends *ends)
{
	const u8 *icmp = dissection->at;
	struct strbuf *out = dissection->out;

	add_ends(dissection, ends);
	strbuf_adds(out, "ICMP ");
	if (!dissect_has(dissection, 8, "icmp"))
		return;
	switch (icmp[0]) {
	case 0:
	case 8:
		strbuf_addf(out, "echo %s, id %u, seq %u", icmp[0] ? "request" : "reply",
			    dissect_16(icmp + 4), dissect_16(icmp + 6));
		break;
	case 3: unreachable(dissection, icmp); break;
	case 4: strbuf_adds(out, "source quench"); break;
	case 5: redirect(dissection, icmp); break;
	case 11:
		strbuf_adds(out, icmp[1] ? "ip reassembly time exceeded"
					 : "time exceeded in-transit");
		break;
	default: strbuf_addf(out, "type-#%u", icmp[0]);
	}
	strbuf_addf(out, ", length %u", dissection->left);
}

static void neighbor(struct dissection *dissection, const u8 *icmp)
{
	strbuf_adds(dissection->out, icmp[0] == 135 ? "neighbor solicitation, who has "
						    : "neighbor advertisement, tgt is ");
	if (dissect_has(dissection, 24, "icmp6"))
		dissect_add_address6(dissection->out, icmp + 8);
}

static void icmp6(struct dissection *dissection, const struct ends *ends)
{
	const u8 *icmp = dissection->at;
	struct strbuf *out = dissection->out;

	add_ends(dissection, ends);
	strbuf_adds(out, "ICMP6, ");
	if (!dissect_has(dissection, 8, "icmp6"))
		return;
	switch (icmp[0]) {
	case 1: strbuf_adds(out, "destination unreachable"); break;
	case 2: strbuf_addf(out, "packet too big, mtu %u", dissect_32(icmp + 4)); break;
	case 3: strbuf_adds(out, "time exceeded"); break;
	case 128:
	case 129:
		strbuf_addf(out, "echo %s, id %u, seq %u", icmp[0] == 128 ? "request" : "reply",
			    dissect_16(icmp + 4), dissect_16(icmp + 6));
		break;
	case 133: strbuf_adds(out, "router solicitation"); break;
	case 134: strbuf_adds(out, "router advertisement"); break;
	case 135:
	case 136: neighbor(dissection, icmp); break;
	default: strbuf_addf(out, "type-#%u", icmp[0]);
	}
	strbuf_addf(out, ", length %u", dissection->left);
}

void dissect_transport(struct dissection *dissection, u32 protocol, const char *source,
		       const char *destination)
{
	const struct ends ends = {source, destination};

	switch (protocol) {
	case IPPROTO_TCP: tcp(dissection, &ends); return;
	case IPPROTO_UDP: udp(dissection, &ends); return;
	case IPPROTO_ICMP: icmp(dissection, &ends); return;
	case IPPROTO_ICMPV6: icmp6(dissection, &ends); return;
	}
	add_ends(dissection, &ends);
	strbuf_addf(dissection->out, "ip-proto-%u %u", protocol, dissection->left);
}
