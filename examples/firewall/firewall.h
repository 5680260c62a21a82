/* SPDX-License-Identifier: BSD-2-Clause */
/* What the firewall's program and its maps agree on. All numbers in network byte order. */
#ifndef FIREWALL_H
#define FIREWALL_H

struct flow {
	__be32 source, destination;
	__be16 source_port, destination_port; /* 0 for protocols without ports */
	__u8 protocol;
	__u8 unused[3]; /* zero */
};

enum action { ALLOW, DENY };

struct rule {
	enum action action;
	__u32 number; /* as the user counts them */
};

struct prefix {
	__u32 length; /* bits of the address that count */
	__be32 address;
};

struct traffic {
	__u64 packets, bytes;
};

enum outcome {
	PASSED,
	DROPPED_BY_RULE,
	DROPPED_BY_BLOCKLIST,
	DROPPED_MALFORMED,
	OUTCOMES,
};

/* One per dropped packet while `report_drops` is set. */
struct drop_event {
	struct flow flow;
	enum outcome outcome;
	__u32 length;
};

#endif
