/* SPDX-License-Identifier: BSD-2-Clause */
/* What the sampler's program and its control part agree on. Addresses and ports as on the wire;
 * IPv4 addresses are the first word of four. */
#ifndef SAMPLER_H
#define SAMPLER_H

#include <linux/types.h>

/* What happened to packets: each is counted by one of those before COUNT_CAPTURED. */
enum sampler_counter {
	COUNT_METERED, /* in the flow table of the first side, and of the second */
	COUNT_METERED_OTHER_SIDE,
	COUNT_SKIPPED, /* by sample 1-in N */
	COUNT_OTHER,   /* neither IPv4 nor IPv6 */
	COUNT_SHORT,
	COUNT_NO_ROOM,
	COUNT_CAPTURED,
	COUNT_CAPTURE_LOST, /* nobody took samples out of the ring in time */
	COUNTERS,
};

struct sampler_traffic {
	__u64 packets, bytes;
};

struct sampler_key {
	__be32 source[4], destination[4];
	__be16 source_port, destination_port; /* ICMP: 0, and its type and code */
	__u32 ingress;			      /* ifindex of the port */
	__u8 protocol;
	__u8 family; /* 4 or 6 */
	__u16 unused;
};

/* Of one side, since that side was emptied. Bytes are those of IP. */
struct sampler_flow {
	__u64 packets, bytes;
	__u64 first_ns, last_ns; /* CLOCK_MONOTONIC */
	__u64 tcp_flags;	 /* of all packets */
};

enum sampler_capture {
	CAPTURE_NONE,
	CAPTURE_RANDOM,	 /* each packet with the same probability */
	CAPTURE_BY_SIZE, /* with a probability that grows with its bytes */
};

/* There are two; `generation` says by its lowest bit which of them holds, and which table. */
struct sampler_setup {
	__u64 meter_below;   /* of 2^32: the probability that a packet is metered */
	__u64 capture_below; /* RANDOM: the same for the capture; BY_SIZE: for each byte */
	__u32 capture;	     /* enum sampler_capture */
	__u32 snap;	     /* bytes of a packet that are captured, 1 to SNAP_MAX */
};

#define SNAP_MAX    9216
#define FLOWS_MIN   1024
#define FLOWS_MAX   (1 << 24)
#define FLOWS_USUAL (1 << 18)
#define RING_BYTES  (1 << 22)

/* A captured packet in the ring; `captured` bytes of data follow. */
struct sampler_sample {
	__u64 time_ns;
	__u64 flow_packets; /* of its flow so far, on this side; 0: it is in none */
	__u32 length, captured;
	struct sampler_key key;
	__u32 unused;
};

#endif
