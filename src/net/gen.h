/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The traffic generator: flows with a popularity, packets of real protocols with right
 * checksums. Deterministic: the same spec gives the same bytes.
 */
#ifndef SKEP_NET_GEN_H
#define SKEP_NET_GEN_H

#include "base/types.h"
#include <skep/error.h>

#define GEN_FLOWS_MAX  (1u << 24)
#define GEN_SIZE_MIN   60 /* Ethernet without its checksum */
#define GEN_SIZE_MAX   9014
#define GEN_HEADER_MAX 96

enum gen_protocol { GEN_TCP, GEN_UDP, GEN_ICMP, GEN_MIX };

struct gen_spec {
	u64 flows, count, seed, packets_per_second;
	u64 size_low, size_high;	      /* of the whole frame, evenly distributed */
	u64 ipv6, vlan, syn_flood, udp_flood; /* percent of flows, of packets */
	double zipf;			      /* exponent of the popularity; 0: all alike */
	enum gen_protocol protocol;
	char out[256]; /* capture of what passes or leaves; "": none */
};

/* "flows=1000,size=64-1500,..."; unnamed keys keep their defaults. 0 or -EINVAL with `err`. */
int gen_parse(const char *args, struct gen_spec *out, struct skep_error *err);

/* A small generator of random numbers (xorshift64*): the same on every machine. */
static inline u64 gen_random(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/* Who talks to whom. */
struct gen_flow {
	bool is_ipv6, has_vlan;
	u8 protocol; /* IPPROTO_* */
	u16 source_port, destination_port, vlan;
	u32 source, destination; /* IPv4, host order; IPv6: the last four bytes */
};

struct gen_flow gen_flow_make(const struct gen_spec *spec, u64 number);
/* The same for all packets of the flow; never 0. */
u32 gen_flow_hash(const struct gen_flow *flow);
/* Writes a frame of `size` bytes (at least the headers) with right lengths and checksums. */
void gen_packet_build(const struct gen_flow *flow, u32 size, u64 sequence, bool is_syn,
		      u8 *out);
u32 gen_packet_smallest(const struct gen_flow *flow);

#endif
