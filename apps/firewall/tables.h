/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration as the bytes of the program's tables, and how they get there. */
#ifndef FIREWALL_TABLES_H
#define FIREWALL_TABLES_H

#include "firewall.h"
#include "rules.h"

#include "cli/app.h"

/* Keys and values that go into one map. */
struct firewall_rows {
	u8 *keys;
	struct firewall_listed *values;
	u32 count, room;
};

/* Of a list or rule, by the text of its statement: after a reload the same text counts on. */
struct firewall_named {
	char *text;
	u32 slot; /* counter COUNT_FIXED + slot */
};

struct firewall_config {
	struct firewall_setup setup;
	struct firewall_rows hosts, prefixes4, prefixes6;
	u64 *summary; /* SUMMARY_WORDS; NULL: nothing of IPv4 is listed */
	struct firewall_rules rules;
	u32 *amplifiers; /* by port; NULL: none */
	struct firewall_named counters[SLOTS_MAX / 2];
	u32 counter_count;
};

/* The numbers of a counter. */
#define TRAFFIC_WORDS (sizeof(struct firewall_traffic) / sizeof(u64))

/* What the run keeps. */
struct firewall_tables {
	bool has_old; /* the other side's tables are not needed any more */
};

/* 0 or -ENOMEM. */
int tables_add_source(struct firewall_config *config, const struct config_address *address,
		      struct firewall_listed value);
/* A counter for the statement in this line: *number is its place among those of the
 * configuration. 0 or an exit code after a message. */
int tables_add_counter(struct firewall_config *firewall, const struct config *config,
		       u32 *number);
void tables_config_done(void *config);

/* A new trie for a place of an outer map: its descriptor, or a negative errno. */
int tables_new_inner(const char *outer, u32 key_size, u32 value_size, u32 entries);
int tables_apply(struct app_run *run, const void *config);
int tables_forget_old(struct app_run *run);

#endif
