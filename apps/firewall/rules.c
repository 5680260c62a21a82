/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules.h"
#include "tables.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- conditions --- */

static const struct {
	const char *name;
	s32 number;
} protocols[] = {
	{"icmp", IPPROTO_ICMP},	   {"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP},
	{"icmp6", IPPROTO_ICMPV6}, {"gre", IPPROTO_GRE}, {"esp", IPPROTO_ESP},
	{"sctp", IPPROTO_SCTP},
};

static int read_protocol(struct config *config, s32 *out)
{
	u64 number;

	for (u32 i = 0; i < ARRAY_SIZE(protocols); i++)
		if (config_is(config, protocols[i].name)) {
			*out = protocols[i].number;
			return 0;
		}
	if (config_number(config, "protocol", 0, PROTOCOLS - 1, &number))
		return -1;
	*out = (s32)number;
	return 0;
}

/* "syn,!ack": set and not set. */
static int read_flags(struct config *config, struct firewall_condition *out)
{
	static const char *const names[] = {"fin", "syn", "rst", "psh", "ack", "urg"};
	const char *word = config_word(config, "flags such as syn,!ack");

	for (size_t length; word && *word; word += length + (word[length] == ',')) {
		const bool is_set = *word != '!';
		u32 flag = 0;

		word += !is_set;
		length = strcspn(word, ",");
		while (flag < ARRAY_SIZE(names) &&
		       (strlen(names[flag]) != length || strncmp(names[flag], word, length)))
			flag++;
		if (flag == ARRAY_SIZE(names))
			return config_error(config,
					    "'%.*s' is no flag; expected fin, syn, rst, "
					    "psh, ack or urg, with ! before it: not set",
					    (int)length, word);
		out->flags_mask |= 1u << flag;
		out->flags |= (u32)is_set << flag;
	}
	return word ? 0 : -1;
}

static int read_ports(struct config *config, struct firewall_ports *out)
{
	return config_ports(config, out->ranges, &out->count);
}

static int check_condition(const struct config *config, struct firewall_condition *out)
{
	const bool has_ports = out->source_ports.count || out->destination_ports.count;

	if (out->source.family && out->destination.family &&
	    out->source.family != out->destination.family)
		return config_error(config, "from IPv%u to IPv%u: expected one of them",
				    out->source.family, out->destination.family);
	if (out->flags_mask && out->protocol < 0)
		out->protocol = IPPROTO_TCP;
	if (out->flags_mask && out->protocol != IPPROTO_TCP)
		return config_error(config, "flags are TCP's");
	if (has_ports && out->protocol >= 0 && out->protocol != IPPROTO_TCP &&
	    out->protocol != IPPROTO_UDP)
		return config_error(config, "only tcp and udp have ports");
	return 0;
}

int rules_read_condition(struct config *config, struct firewall_condition *out)
{
	static const char *const words[] = {"from", "to", "proto", "sport", "dport", "flags"};
	int code = 0;
	u32 which;

	while (!code && config_has_more(config)) {
		code = config_choice(config, words, ARRAY_SIZE(words), &which);
		if (code)
			break;
		switch (which) {
		case 0: code = config_prefix(config, true, &out->source); break;
		case 1: code = config_prefix(config, true, &out->destination); break;
		case 2: code = read_protocol(config, &out->protocol); break;
		case 3: code = read_ports(config, &out->source_ports); break;
		case 4: code = read_ports(config, &out->destination_ports); break;
		case 5: code = read_flags(config, out); break;
		}
	}
	code = code ?: check_condition(config, out);
	return code ? EXIT_NO_VERDICT : 0;
}

/* --- sets --- */

static void set_add(struct firewall_set *set, u32 rule)
{
	set->words[rule / 64] |= 1ull << rule % 64;
}

static u32 family_of(const struct firewall_condition *condition)
{
	return condition->source.family ?: condition->destination.family;
}

void rules_summarize(const struct firewall_rules *rules, struct firewall_setup *setup)
{
	setup->has_rules = rules->count;
	for (u32 i = 0; i < rules->count; i++) {
		const struct firewall_condition *condition = &rules->conditions[i];

		setup->by_source |= family_of(condition);
		setup->by_destination |= condition->destination.family;
		setup->by_protocol |= condition->protocol >= 0;
		setup->by_source_port |= condition->source_ports.count;
		setup->by_destination_port |= condition->destination_ports.count;
		setup->by_flags |= condition->flags_mask;
		set_add(&setup->all, i);
		if (!condition->source_ports.count && !condition->destination_ports.count)
			set_add(&setup->portless, i);
	}
}

/* An array's half of one side. */
static int put_sets(const struct app_run *run, const char *map, u32 side, u32 count,
		    const struct firewall_set *sets)
{
	return app_fill_array(app_map(run, map), side * count, sets, count);
}

static void ports_into(struct firewall_set *sets, const struct firewall_ports *ports, u32 rule)
{
	static const struct config_range all = {0, UINT16_MAX};

	for (u32 i = 0; i < max(ports->count, 1u); i++) {
		const struct config_range range = ports->count ? ports->ranges[i] : all;

		for (u32 port = range.low; port <= range.high; port++)
			set_add(&sets[port], rule);
	}
}

static int put_ports(const struct app_run *run, u32 side, const struct firewall_rules *rules,
		     bool are_sources)
{
	struct firewall_set *sets = calloc(PORTS_MAX_, sizeof(*sets));
	int err = sets ? 0 : -ENOMEM;

	for (u32 i = 0; sets && i < rules->count; i++)
		ports_into(sets,
			   are_sources ? &rules->conditions[i].source_ports
				       : &rules->conditions[i].destination_ports,
			   i);
	err = err
		      ?: put_sets(run,
				  are_sources ? "rule_source_ports" : "rule_destination_ports",
				  side, PORTS_MAX_, sets);
	free(sets);
	return err;
}

static int put_protocols(const struct app_run *run, u32 side,
			 const struct firewall_rules *rules)
{
	struct firewall_set sets[PROTOCOLS] = {};

	for (u32 i = 0; i < rules->count; i++)
		for (s32 protocol = 0; protocol < PROTOCOLS; protocol++)
			if (rules->conditions[i].protocol < 0 ||
			    rules->conditions[i].protocol == protocol)
				set_add(&sets[protocol], i);
	return put_sets(run, "rule_protocols", side, PROTOCOLS, sets);
}

static int put_flags(const struct app_run *run, u32 side, const struct firewall_rules *rules)
{
	struct firewall_set sets[FLAG_STATES] = {};

	for (u32 i = 0; i < rules->count; i++)
		for (u32 flags = 0; flags < FLAG_STATES; flags++)
			if (!rules->conditions[i].flags_mask ||
			    (flags != NO_TCP && (flags & rules->conditions[i].flags_mask) ==
							rules->conditions[i].flags))
				set_add(&sets[flags], i);
	return put_sets(run, "rule_flags", side, FLAG_STATES, sets);
}

/* --- addresses --- */

static bool covers(const struct config_address *outer, const struct config_address *inner)
{
	const u32 bytes = outer->length / 8, bits = outer->length % 8;

	return outer->length <= inner->length && !memcmp(outer->bytes, inner->bytes, bytes) &&
	       (!bits || !((outer->bytes[bytes] ^ inner->bytes[bytes]) >> (8 - bits)));
}

static const struct config_address *end_of(const struct firewall_condition *condition,
					   bool is_source)
{
	return is_source ? &condition->source : &condition->destination;
}

/* The rules that packets of this longest prefix may be of. */
static struct firewall_set rules_of(const struct firewall_rules *rules, u32 family,
				    const struct config_address *prefix, bool is_source)
{
	struct firewall_set set = {};

	for (u32 i = 0; i < rules->count; i++) {
		const struct config_address *end = end_of(&rules->conditions[i], is_source);
		const u32 wanted = family_of(&rules->conditions[i]);

		if ((!wanted || wanted == family) && (!end->family || covers(end, prefix)))
			set_add(&set, i);
	}
	return set;
}

static int put_prefix(int fd, u32 family, const struct config_address *prefix,
		      const struct firewall_set *set)
{
	struct firewall_prefix6 key = {.length = prefix->length};

	memcpy(key.address, prefix->bytes, sizeof(key.address));
	return bpf_map_update_elem(fd, &key, set, 0);
}

static int put_addresses(const struct app_run *run, const char *outer, u32 side,
			 const struct firewall_rules *rules, u32 family, bool is_source)
{
	const struct config_address all = {.family = (u8)family};
	const int fd = tables_new_inner(outer,
					family == 4 ? sizeof(struct firewall_prefix4)
						    : sizeof(struct firewall_prefix6),
					sizeof(struct firewall_set), rules->count + 1);
	struct firewall_set set = rules_of(rules, family, &all, is_source);
	int err = fd < 0 ? fd : put_prefix(fd, family, &all, &set);

	for (u32 i = 0; i < rules->count && !err; i++) {
		const struct config_address *end = end_of(&rules->conditions[i], is_source);

		if (end->family != family)
			continue;
		set = rules_of(rules, family, end, is_source);
		err = put_prefix(fd, family, end, &set);
	}
	err = err ?: bpf_map_update_elem(app_map(run, outer), &side, &fd, 0);
	if (fd >= 0)
		close(fd);
	return err;
}

int rules_put(const struct app_run *run, u32 side, const struct firewall_rules *rules)
{
	int err = put_addresses(run, "rule_sources4", side, rules, 4, true);

	err = err ?: put_addresses(run, "rule_destinations4", side, rules, 4, false);
	err = err ?: put_addresses(run, "rule_sources6", side, rules, 6, true);
	err = err ?: put_addresses(run, "rule_destinations6", side, rules, 6, false);
	err = err ?: put_ports(run, side, rules, true);
	err = err ?: put_ports(run, side, rules, false);
	err = err ?: put_protocols(run, side, rules);
	err = err ?: put_flags(run, side, rules);
	for (u32 i = 0; i < rules->count && !err; i++) {
		const u32 place = side * RULES_MAX + i;

		err = bpf_map_update_elem(app_map(run, "rules"), &place, &rules->rules[i], 0);
	}
	return err;
}
