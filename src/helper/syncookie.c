/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYN cookies: what a server answers to a SYN, so that it need remember nothing until the third
 * packet brings it back. A cookie is the minute of its making (6 bits), which of a few segment
 * sizes the peer can take (2 bits), and a code (24 bits) of both and of the packet by a secret
 * of this process.
 */
#include "base/os.h"
#include "helper/body.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define MINUTE_NS    60000000000ull
#define MINUTES	     64 /* that a cookie tells apart */
#define MINUTES_GOOD 2
#define CODE_BITS    24
#define OPTION_END   0
#define OPTION_NOP   1
#define OPTION_MSS   2

/* What a code is made of. */
struct origin {
	u32 from[4], to[4];
	u32 ports, sequence, minute, size;
};

/* Segment sizes, of which a cookie names one. */
struct sizes {
	u16 of[4];
	u16 otherwise; /* of a SYN that tells none */
};

static const struct sizes ipv4_sizes = {{536, 1300, 1440, 1460}, 536};
static const struct sizes ipv6_sizes = {{1220, 1420, 1440, 8940}, 1220};

/* --- SipHash-2-4 of whole words --- */
static u64 secret[2];

static void make_secret(void)
{
	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		secret[0] = os_time_ns(CLOCK_MONOTONIC);
}

static u64 rotate(u64 value, u32 bits)
{
	return value << bits | value >> (64 - bits);
}

static void sip_round(u64 v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32) + v[3];
	v[2] += v[1];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void sip_word(u64 v[4], u64 word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

static u64 sip_hash(const u64 *words, u32 count)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	u64 v[4];

	pthread_once(&once, make_secret);
	v[0] = secret[0] ^ 0x736f6d6570736575;
	v[1] = secret[1] ^ 0x646f72616e646f6d;
	v[2] = secret[0] ^ 0x6c7967656e657261;
	v[3] = secret[1] ^ 0x7465646279746573;
	for (u32 i = 0; i < count; i++)
		sip_word(v, words[i]);
	sip_word(v, (u64)count << 59);
	v[2] ^= 0xff;
	for (u32 i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* --- cookies --- */
static u32 minute_now(void)
{
	return os_time_ns(CLOCK_MONOTONIC) / MINUTE_NS % MINUTES;
}

static u32 cookie_of(const struct origin *origin)
{
	_Static_assert(sizeof(*origin) == 6 * sizeof(u64), "whole words");
	u64 words[6];

	memcpy(words, origin, sizeof(words));
	return (origin->minute << 2 | origin->size) << CODE_BITS |
	       (sip_hash(words, ARRAY_SIZE(words)) & ((1u << CODE_BITS) - 1));
}

static struct origin origin_ipv4(const void *header, const struct tcphdr *tcp)
{
	struct iphdr ip;
	struct origin origin = {.ports = (u32)tcp->source << 16 | tcp->dest,
				.sequence = ntohl(tcp->seq)};

	memcpy(&ip, header, sizeof(ip));
	origin.from[0] = ip.saddr;
	origin.to[0] = ip.daddr;
	return origin;
}

static struct origin origin_ipv6(const void *header, const struct tcphdr *tcp)
{
	struct ipv6hdr ip;
	struct origin origin = {.ports = (u32)tcp->source << 16 | tcp->dest,
				.sequence = ntohl(tcp->seq)};

	memcpy(&ip, header, sizeof(ip));
	memcpy(origin.from, &ip.saddr, sizeof(origin.from));
	memcpy(origin.to, &ip.daddr, sizeof(origin.to));
	return origin;
}

/* The size that the SYN's options tell; 0: none. */
static u16 size_option(const u8 *tcp, u32 length)
{
	for (u32 at = sizeof(struct tcphdr); at < length && tcp[at] != OPTION_END;) {
		if (tcp[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (length - at < 2 || tcp[at + 1] < 2 || tcp[at + 1] > length - at)
			return 0;
		if (tcp[at] == OPTION_MSS && tcp[at + 1] == 4 && (tcp[at + 2] | tcp[at + 3]))
			return tcp[at + 2] << 8 | tcp[at + 3];
		at += tcp[at + 1];
	}
	return 0;
}

/* The cookie, and above it the segment size that it stands for. */
static u64 make(struct origin origin, const struct sizes *sizes, u16 wanted)
{
	if (!wanted)
		wanted = sizes->otherwise;
	origin.size = ARRAY_SIZE(sizes->of) - 1;
	while (origin.size && wanted < sizes->of[origin.size])
		origin.size--;
	origin.minute = minute_now();
	return (u64)sizes->of[origin.size] << 32 | cookie_of(&origin);
}

/* The packet acknowledges the cookie, and follows the SYN. */
static u64 check(struct origin origin, const struct tcphdr *tcp)
{
	const u32 cookie = ntohl(tcp->ack_seq) - 1;

	origin.sequence--;
	origin.minute = cookie >> (CODE_BITS + 2);
	origin.size = cookie >> CODE_BITS & 3;
	if ((minute_now() - origin.minute) % MINUTES >= MINUTES_GOOD)
		return -EACCES;
	return cookie_of(&origin) == cookie ? 0 : -EACCES;
}

/* The header need not be aligned. */
static struct tcphdr tcp_at(u64 address)
{
	struct tcphdr tcp;

	memcpy(&tcp, u64_to_ptr(address), sizeof(tcp));
	return tcp;
}

static u64 make_of(u64 ip, u64 tcp_address, u32 length, bool is_ipv4)
{
	struct tcphdr tcp;
	u16 wanted;

	if (length < sizeof(tcp))
		return -EINVAL;
	tcp = tcp_at(tcp_address);
	if (length != tcp.doff * 4u)
		return -EINVAL;
	wanted = size_option(u64_to_ptr(tcp_address), length);
	return is_ipv4 ? make(origin_ipv4(u64_to_ptr(ip), &tcp), &ipv4_sizes, wanted)
		       : make(origin_ipv6(u64_to_ptr(ip), &tcp), &ipv6_sizes, wanted);
}

HELPER_BODY(tcp_raw_gen_syncookie_ipv4)
{
	return make_of(r1, r2, r3, true);
}

HELPER_BODY(tcp_raw_gen_syncookie_ipv6)
{
	return make_of(r1, r2, r3, false);
}

HELPER_BODY(tcp_raw_check_syncookie_ipv4)
{
	const struct tcphdr tcp = tcp_at(r2);

	return check(origin_ipv4(u64_to_ptr(r1), &tcp), &tcp);
}

HELPER_BODY(tcp_raw_check_syncookie_ipv6)
{
	const struct tcphdr tcp = tcp_at(r2);

	return check(origin_ipv6(u64_to_ptr(r1), &tcp), &tcp);
}
