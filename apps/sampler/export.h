/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flows on their way out: to collectors and files, as IPFIX. Each has its own session; one that
 * cannot be reached is told of once, and what it does not get is counted, while the others go
 * on.
 */
#ifndef SAMPLER_EXPORT_H
#define SAMPLER_EXPORT_H

#include "flow.h"

#include "cli/config.h"

#define EXPORTS_MAX 8

enum export_kind { EXPORT_UDP, EXPORT_TCP, EXPORT_FILE };

/* What a configuration says of one. */
struct export_choice {
	enum export_kind kind;
	struct config_address address;
	u16 port;
	char *path; /* owned; FILE */
};

struct export_settings {
	struct export_choice choices[EXPORTS_MAX];
	u32 count;
	u64 domain, templates_ns;
	u64 threshold; /* bytes; flows with fewer are told by chance; 0: all are told */
	u64 one_of;    /* so many packets one was metered */
};

struct export_traffic {
	u64 flows, packets, bytes;
};

struct export;

struct exports {
	struct export *exports[EXPORTS_MAX];
	u32 count;
	const struct export_settings *settings; /* in force */
	u64 random;
	s64 wall_ns;
	struct export_traffic told, not_selected; /* selected as they are, before scaling */
};

/* All or none of them; files that were open stay. 0 or an exit code after a message. */
int exports_use(struct exports *exports, const struct export_settings *settings);
/* A flow that ends or goes on. */
void exports_tell(struct exports *exports, const struct flow *flow, enum flow_end reason);
/* What is due: templates, lost connections; what has begun is sent. */
void exports_work(struct exports *exports, u64 now_ns);
/* Sends what has begun, and the last facts. */
void exports_end(struct exports *exports);
void exports_done(struct exports *exports);

/* Of the n-th: its name, what was sent, and what it did not get. */
const char *export_name(const struct exports *exports, u32 n);
void export_counts(const struct exports *exports, u32 n, struct export_traffic *sent,
		   struct export_traffic *lost);

#endif
