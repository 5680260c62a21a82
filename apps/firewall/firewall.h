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
	COUNT_AMPLIFIED,
	COUNT_CHALLENGED,
	COUNT_PROVEN,
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

/* --- rules --- */

/*
 * Each condition is a table that gives the rules which it lets through; the first rule that all
 * conditions of a packet let through is the one.
 */
#define RULES_MAX  256
#define RULE_WORDS (RULES_MAX / 64)

struct firewall_set {
	__u64 words[RULE_WORDS]; /* a bit for each rule */
};

#define PORTS_MAX_  65536
#define PROTOCOLS   256
#define FLAG_STATES 65 /* of TCP's six flags; the last: no TCP header */
#define NO_TCP	    64
#define CHAIN_MAX   8 /* rules that are not the last word about a packet */

enum firewall_action { ACTION_PASS, ACTION_DROP, ACTION_LIMIT, ACTION_CHALLENGE };

struct firewall_rule {
	__u32 action;
	__u32 counter;
	__u64 cost_ns;	 /* LIMIT: of a packet */
	__u64 credit_ns; /* LIMIT: that a source can save up */
};

/* A source, for limits by rule, and for those that answered a challenge. */
struct firewall_source {
	__u32 rule;
	__u8 address[16];
};

struct firewall_bucket {
	__u64 time_ns, credit_ns;
};

/* What a configuration says. There are two, and `generation` says by its lowest bit which of
 * them holds, and which maps. */
struct firewall_setup {
	__u32 is_default_drop;
	__u32 has_listed4, has_listed6, has_amplifiers, has_rules;
	/* Which conditions any rule has. */
	__u32 by_source, by_destination, by_protocol, by_source_port, by_destination_port,
		by_flags;
	/* All rules; and those without a condition about ports. */
	struct firewall_set all, portless;
};

#endif
