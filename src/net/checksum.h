/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet's checksum (RFC 1071), in host order until it is folded. */
#ifndef SKEP_NET_CHECKSUM_H
#define SKEP_NET_CHECKSUM_H

#include "base/types.h"
#include <arpa/inet.h>
#include <string.h>

static inline u32 sum_add(u32 sum, const u8 *bytes, u32 length)
{
	for (u32 i = 0; i + 1 < length; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	if (length % 2)
		sum += bytes[length - 1] << 8;
	return sum;
}

/* As it stands in a header; 0: the sum was over bytes with the right checksum in them. */
static inline u16 sum_fold(u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* Of TCP, UDP and ICMPv6: addresses, length, protocol. */
static inline u32 sum_pseudo(const u8 *addresses, u32 size, u32 length, u8 protocol)
{
	return sum_add(length + protocol, addresses, size);
}

/* Whether an IPv4 header of so many words of 32 bits is right. */
static inline bool is_ipv4_sum_right(const u8 *header, u32 words)
{
	u64 sum = 0;

	for (u32 i = 0; i < words; i++) {
		u32 word;

		memcpy(&word, header + 4 * i, sizeof(word));
		sum += word;
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

#endif
