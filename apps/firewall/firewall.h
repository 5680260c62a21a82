/* SPDX-License-Identifier: BSD-2-Clause */
/* What the firewall's program and its control part agree on. Addresses as on the wire. */
#ifndef FIREWALL_H
#define FIREWALL_H

#include <linux/types.h>

/* What happened to packets, beside the counters of lists and rules behind these. */
enum firewall_counter {
	COUNT_PASSED,
	COUNT_DEFAULT_DROP,
	COUNT_MALFORMED,
	COUNT_FIXED,
};

#define SLOTS_MAX    1024 /* counters of lists and rules */
#define COUNTERS_MAX (COUNT_FIXED + SLOTS_MAX)

struct firewall_traffic {
	__u64 packets, bytes;
};

struct firewall_prefix4 {
	__u32 length; /* bits that count */
	__u8 address[4];
};

struct firewall_prefix6 {
	__u32 length;
	__u8 address[16];
};

/* Values of the maps of addresses: what is done with a source, and which counter tells. */
struct firewall_listed {
	__u16 counter;
	__u8 is_allowed;
	__u8 unused;
};

/*
 * A bit for each 2^8 IPv4 addresses: whether one of them is listed. Of random sources most are
 * not, and one load tells.
 */
#define SUMMARY_WORDS (1 << 18)

/* What a configuration says. There are two, and `generation` says by its lowest bit which of
 * them holds, and which maps. */
struct firewall_setup {
	__u32 is_default_drop;
	__u32 has_listed4, has_listed6;
};

#endif
