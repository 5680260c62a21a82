/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

static const struct {
	u8 number;
	const char *name;
} names[] = {
	{IPPROTO_TCP, "tcp"},	   {IPPROTO_UDP, "udp"},   {IPPROTO_ICMP, "icmp"},
	{IPPROTO_ICMPV6, "icmp6"}, {IPPROTO_SCTP, "sctp"}, {IPPROTO_GRE, "gre"},
	{IPPROTO_ESP, "esp"},	   {IPPROTO_IPIP, "ipip"}, {IPPROTO_IPV6, "sit"},
};

const char *text_protocol(u8 protocol, char *text)
{
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].number == protocol)
			return names[i].name;
	snprintf(text, 8, "%u", protocol);
	return text;
}

static bool has_ports(u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

void text_end(const struct sampler_key *key, bool is_source, char text[TEXT_END_MAX])
{
	const u16 port = ntohs(is_source ? key->source_port : key->destination_port);
	char address[INET6_ADDRSTRLEN] = "?";

	inet_ntop(key->family == 4 ? AF_INET : AF_INET6,
		  is_source ? key->source : key->destination, address, sizeof(address));
	if (!has_ports(key->protocol))
		snprintf(text, TEXT_END_MAX, "%s", address);
	else
		snprintf(text, TEXT_END_MAX, key->family == 6 ? "[%s]:%u" : "%s:%u", address,
			 port);
}

void text_flow(const struct sampler_key *key, struct strbuf *out)
{
	char source[TEXT_END_MAX], destination[TEXT_END_MAX], protocol[8];

	text_end(key, true, source);
	text_end(key, false, destination);
	strbuf_addf(out, "%s %s > %s", text_protocol(key->protocol, protocol), source,
		    destination);
}

const char *text_number(double value, char text[TEXT_NUMBER_MAX])
{
	static const char units[] = " kMGTPE";
	u32 unit = 0;

	while (value >= 999.5 && unit < sizeof(units) - 2) {
		value /= 1000;
		unit++;
	}
	snprintf(text, TEXT_NUMBER_MAX, "%.*f %c",
		 !unit || value >= 99.5 ? 0
		 : value >= 9.95	? 1
					: 2,
		 value, units[unit]);
	return text;
}
