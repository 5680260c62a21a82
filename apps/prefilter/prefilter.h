/* SPDX-License-Identifier: BSD-2-Clause */
/* What the pre-stack filter's program and its control part agree on, and what programs behind
 * it find in front of a packet. Addresses as on the wire. */
#ifndef PREFILTER_H
#define PREFILTER_H

#include <linux/types.h>

/* What happened to packets. Those before COUNT_DROPS went on. */
enum prefilter_counter {
	COUNT_ACCEPTED,
	COUNT_ANSWER,
	COUNT_FRAGMENT,
	COUNT_OTHER,
	COUNT_DECAPSULATED,
	COUNT_DROPS,
	COUNT_SHORT = COUNT_DROPS,
	COUNT_IP_HEADER,
	COUNT_CHECKSUM,
	COUNT_ADDRESS,
	COUNT_TCP,
	COUNT_UDP,
	COUNT_FRAGMENT_SHAPE,
	COUNT_FRAGMENT_OVERLAP,
	COUNT_FRAGMENT_ORPHAN,
	COUNT_TUNNEL,
	COUNT_NOT_OURS,
	COUNT_NOT_DECLARED,
	COUNTERS,
};

struct prefilter_traffic {
	__u64 packets, bytes;
};

/* Bits of a port's entry: packets to it, and from it. */
enum prefilter_port {
	PORT_TCP = 1,
	PORT_UDP = 2,
	PORT_TCP_ANSWERS = 4,
	PORT_UDP_ANSWERS = 8,
};

#define PORTS	      65536
#define ADDRESSES_MAX 4096

enum prefilter_tunnel {
	TUNNEL_NONE,
	TUNNEL_IPIP,
	TUNNEL_GRE,
	TUNNEL_VXLAN,
	TUNNEL_GENEVE,
	TUNNELS,
};

/* An own address; both sides' entries are in one table. */
struct prefilter_address {
	__u32 length; /* bits that count, with those of the first byte */
	__u8 side_and_family;
	__u8 address[16];
};

/* There are two; `generation` says by its lowest bit which of them holds. */
struct prefilter_setup {
	__u32 has_addresses;
	__u32 drops_fragments, drops_other;
	__u32 protocols[8];	     /* a bit for each that passes whole */
	__u32 tunnels;		     /* 1 << kind */
	__be16 tunnel_port[TUNNELS]; /* of those in UDP */
};

/* In front of a packet that came out of a tunnel (bpf_xdp_adjust_meta()). */
struct prefilter_meta {
	__u32 tunnel;
	__u32 id; /* VXLAN's and Geneve's network, GRE's key */
	__be32 outer_source[4];
};

#endif
