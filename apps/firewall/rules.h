/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules: what a statement says, and the tables by which the program finds the rules of a
 * packet. */
#ifndef FIREWALL_RULES_H
#define FIREWALL_RULES_H

#include "firewall.h"

#include "cli/app.h"

struct firewall_ports {
	struct config_range ranges[CONFIG_RANGES_MAX];
	u32 count; /* 0: any */
};

/* A packet is the rule's when it meets all conditions. */
struct firewall_condition {
	struct config_address source, destination;
	s32 protocol; /* below 0: any */
	struct firewall_ports source_ports, destination_ports;
	u32 flags_mask, flags; /* of TCP */
};

struct firewall_rules {
	struct firewall_rule rules[RULES_MAX];
	struct firewall_condition conditions[RULES_MAX];
	u32 numbers[RULES_MAX]; /* of their counters in the configuration */
	u32 count;
};

/* The words behind the action. 0 or an exit code after a message. */
int rules_read_condition(struct config *config, struct firewall_condition *out);
/* What the setup says of them. */
void rules_summarize(const struct firewall_rules *rules, struct firewall_setup *setup);
/* Into the tables of a side. 0 or a negative errno. */
int rules_put(const struct app_run *run, u32 side, const struct firewall_rules *rules);

#endif
