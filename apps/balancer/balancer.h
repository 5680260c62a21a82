/* SPDX-License-Identifier: BSD-2-Clause */
/* What the balancer's program and its control part agree on. Addresses and ports as on the
 * wire; IPv4 addresses are the first word of four. */
#ifndef BALANCER_H
#define BALANCER_H

#include <linux/types.h>

/* What happened to packets, beside the counters of members behind these. */
enum balancer_counter {
	COUNT_OTHER,
	COUNT_MALFORMED,
	COUNT_FRAGMENT,
	COUNT_NO_BACKEND,
	COUNT_TOO_BIG,
	COUNT_ECHO,
	COUNT_NO_ROUTE,
	COUNT_FIXED,
};

#define VIPS_MAX    512
#define MEMBERS_MAX 4096
#define RING_SIZE   65537 /* a prime, which Maglev's permutations need */
#define MEMBER_NONE 0xffffffffu

struct balancer_traffic {
	__u64 packets, bytes, flows; /* flows: those that began */
};

struct balancer_vip4 {
	__be32 address;
	__be16 port; /* 0: all that have no virtual address of their own */
	__u8 protocol, unused;
};

struct balancer_vip6 {
	__be32 address[4];
	__be16 port;
	__u8 protocol, unused;
};

struct balancer_vip {
	__u16 number;
	__u16 is_quic;
};

/* A backend of one virtual address. */
struct balancer_member {
	__be32 address[4];
	__u8 family; /* 4 or 6 */
	__u8 is_alive;
	__u16 vip; /* its number: places are given again, and connections may be older */
};

struct balancer_flow4 {
	__be32 source;
	__be16 port;
	__u16 vip;
};

struct balancer_flow6 {
	__be32 source[4];
	__be16 port;
	__u16 vip;
};

/* The server's part of a QUIC connection id. */
struct balancer_quic {
	__u16 vip;
	__be16 server;
};

enum balancer_next_hop {
	NEXT_HOP_SENDER, /* back to the router that the packet came from */
	NEXT_HOP_MAC,
	NEXT_HOP_FIB,
};

/* There are two; `generation` says by its lowest bit which of them holds. */
struct balancer_setup {
	__be32 source4, source4_hashed; /* bits of the outer source that tell flows apart */
	__be32 source6[4], source6_hashed[4];
	__u32 next_hop;
	__u32 mtu;
	__u32 is_gue;
	__be16 gue_port;
	__u8 mac[6];
};

#endif
