/* SPDX-License-Identifier: BSD-2-Clause */
/* What is to be seen of a sampler: sums, and the flows that have most, as of its last tick. */
#ifndef SAMPLER_VIEW_H
#define SAMPLER_VIEW_H

#include "sampler.h"

#include "base/types.h"

#define VIEW_FLOWS     256
#define VIEW_PROTOCOLS 8
#define VIEW_PORTS     16
#define VIEW_NAME_MAX  11

/* All so far, and in the last tick. */
struct view_traffic {
	u64 packets, bytes, tick_packets, tick_bytes;
};

struct view_protocol {
	u32 protocol; /* of the last one: all others */
	u32 is_used;
	struct view_traffic traffic;
};

struct view_port {
	u32 ifindex;		  /* 0: none */
	char name[VIEW_NAME_MAX]; /* cut when it is longer */
	struct view_traffic traffic;
};

struct view_flow {
	struct sampler_key key;
	u32 tcp_flags;
	struct view_traffic traffic;
	u64 age_ns;
};

struct view {
	u64 sequence; /* of the tick; where it is written for others, also the last member */
	u64 time_ns;  /* CLOCK_REALTIME */
	u64 tick_ns;  /* how long it was */
	u64 one_of;   /* packets, of which one is counted */
	u64 is_over;  /* nobody counts any more */
	u64 flow_count;
	struct view_traffic total, evicted;
	struct sampler_traffic counters[COUNTERS];
	struct view_protocol protocols[VIEW_PROTOCOLS];
	struct view_port ports[VIEW_PORTS];
	u32 top_count;
	struct view_flow top[VIEW_FLOWS]; /* by the bytes of the tick, then by all */
	u64 sequence_again;
};

/* --- for other processes: a map that is pinned in a directory --- */

/* 0 or an exit code after a message. */
int view_publish_open(const char *dir, int *out);
void view_publish(int fd, struct view *view);
/* The last one; closes it. */
void view_publish_close(const char *dir, int fd, struct view *view);
/* 0 or an exit code after a message. */
int view_open(const char *dir, int *out);
/* 0 or a negative errno. */
int view_read(int fd, struct view *out);

#endif
