/* SPDX-License-Identifier: BSD-2-Clause */
#include "tables.h"

#include "base/strbuf.h"
#include "cli/command.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOT_NONE UINT32_MAX

/* --- a configuration --- */

static int rows_grow(struct firewall_rows *rows, size_t key_size)
{
	const u32 room = rows->room ? 2 * rows->room : 1024;
	u8 *keys = realloc(rows->keys, room * key_size);
	struct firewall_listed *values;

	if (!keys)
		return -ENOMEM;
	rows->keys = keys;
	values = realloc(rows->values, room * sizeof(*values));
	if (!values)
		return -ENOMEM;
	rows->values = values;
	rows->room = room;
	return 0;
}

static int rows_add(struct firewall_rows *rows, const void *key, size_t key_size,
		    struct firewall_listed value)
{
	if (rows->count == rows->room && rows_grow(rows, key_size))
		return -ENOMEM;
	memcpy(rows->keys + rows->count * key_size, key, key_size);
	rows->values[rows->count++] = value;
	return 0;
}

/* Sets the bits of all groups of 2^8 addresses that the prefix touches. */
static int summarize(struct firewall_config *config, const struct config_address *address)
{
	const u8 *bytes = address->bytes;
	const u32 first = (u32)bytes[0] << 16 | bytes[1] << 8 | bytes[2];
	const u32 count = address->length >= 24 ? 1 : 1u << (24 - address->length);

	if (!config->summary)
		config->summary = calloc(SUMMARY_WORDS, sizeof(u64));
	if (!config->summary)
		return -ENOMEM;
	for (u32 i = first; i < first + count; i++)
		config->summary[i / 64] |= 1ull << i % 64;
	return 0;
}

int tables_add_source(struct firewall_config *config, const struct config_address *address,
		      struct firewall_listed value)
{
	struct firewall_prefix4 prefix4 = {.length = address->length};
	struct firewall_prefix6 prefix6 = {.length = address->length};

	if (address->family == 6) {
		memcpy(prefix6.address, address->bytes, sizeof(prefix6.address));
		config->setup.has_listed6 = true;
		return rows_add(&config->prefixes6, &prefix6, sizeof(prefix6), value);
	}
	config->setup.has_listed4 = true;
	if (summarize(config, address))
		return -ENOMEM;
	memcpy(prefix4.address, address->bytes, sizeof(prefix4.address));
	return address->length == 32
		       ? rows_add(&config->hosts, prefix4.address, 4, value)
		       : rows_add(&config->prefixes4, &prefix4, sizeof(prefix4), value);
}

int tables_add_counter(struct firewall_config *firewall, const struct config *config,
		       u32 *number)
{
	struct firewall_named *named = &firewall->counters[firewall->counter_count];
	struct strbuf text;

	*number = firewall->counter_count;
	if (firewall->counter_count == ARRAY_SIZE(firewall->counters))
		return config_error(config, "more than %zu lists and rules",
				    ARRAY_SIZE(firewall->counters));
	strbuf_init(&text);
	for (u32 i = 0; i < config->count; i++)
		strbuf_addf(&text, i ? " %s" : "%s", config->words[i]);
	named->text = strdup(strbuf_text(&text));
	strbuf_done(&text);
	if (!named->text)
		return usage_error("out of memory");
	firewall->counter_count++;
	return 0;
}

static void rows_done(struct firewall_rows *rows)
{
	free(rows->keys);
	free(rows->values);
}

void tables_config_done(void *config)
{
	struct firewall_config *firewall = config;

	rows_done(&firewall->hosts);
	rows_done(&firewall->prefixes4);
	rows_done(&firewall->prefixes6);
	free(firewall->summary);
	free(firewall->amplifiers);
	for (u32 i = 0; i < firewall->counter_count; i++)
		free(firewall->counters[i].text);
}

/* --- counters --- */

/* The slot of the statement before the reload. */
static u32 slot_before(const struct firewall_config *old, const char *text)
{
	for (u32 i = 0; old && i < old->counter_count; i++)
		if (!strcmp(old->counters[i].text, text))
			return old->counters[i].slot;
	return SLOT_NONE;
}

/* Statements get slots that neither they nor those before the reload have. */
static int give_slots(struct app_run *run, struct firewall_config *config)
{
	const struct firewall_config *old = run->config == config ? NULL : run->config;
	bool taken[SLOTS_MAX] = {};
	u32 free_slot = 0;
	int err = 0;

	for (u32 i = 0; old && i < old->counter_count; i++)
		taken[old->counters[i].slot] = true;
	for (u32 i = 0; i < config->counter_count && !err; i++) {
		struct firewall_named *named = &config->counters[i];

		named->slot = slot_before(old, named->text);
		if (named->slot != SLOT_NONE)
			continue;
		while (taken[free_slot])
			free_slot++;
		named->slot = free_slot++;
		err = app_clear_counter(run, COUNT_FIXED + named->slot, TRAFFIC_WORDS);
	}
	return err;
}

/* Values name counters by their place in the configuration: now by their slots. */
static void set_slots(const struct firewall_config *config, struct firewall_rows *rows)
{
	for (u32 i = 0; i < rows->count; i++)
		rows->values[i].counter = (u16)config->counters[rows->values[i].counter].slot;
}

/* --- into the maps --- */

int tables_new_inner(const char *outer, u32 key_size, u32 value_size, u32 entries)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	const int fd = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, outer, key_size, value_size,
				      entries, &opts);

	return fd < 0 ? -errno : fd;
}

/* A new inner map in the place `side` of the outer one. 0 or a negative errno. */
static int put_rows(const struct app_run *run, const char *outer, u32 side,
		    enum bpf_map_type type, u32 key_size, const struct firewall_rows *rows)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	const int fd = bpf_map_create(type, outer, key_size, sizeof(struct firewall_listed),
				      max(rows->count, 1u), &opts);
	int err = fd < 0 ? -errno : app_fill(fd, rows->keys, rows->values, rows->count);

	err = err ?: bpf_map_update_elem(app_map(run, outer), &side, &fd, 0);
	if (fd >= 0)
		close(fd);
	return err;
}

static int put_summary(const struct app_run *run, u32 side, const u64 *summary)
{
	const int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "summaries", sizeof(u32), sizeof(u64),
				      SUMMARY_WORDS, NULL);
	int err = fd < 0 ? -errno : app_fill_array(fd, 0, summary, SUMMARY_WORDS);

	err = err ?: bpf_map_update_elem(app_map(run, "summaries"), &side, &fd, 0);
	if (fd >= 0)
		close(fd);
	return err;
}

static int put_lists(const struct app_run *run, u32 side, const struct firewall_config *config)
{
	int err = 0;

	if (config->setup.has_listed4) {
		err = put_summary(run, side, config->summary);
		err = err
			      ?: put_rows(run, "listed_hosts", side, BPF_MAP_TYPE_HASH, 4,
					  &config->hosts);
		err = err
			      ?: put_rows(run, "listed_prefixes4", side, BPF_MAP_TYPE_LPM_TRIE,
					  sizeof(struct firewall_prefix4), &config->prefixes4);
	}
	if (!err && config->setup.has_listed6)
		err = put_rows(run, "listed_prefixes6", side, BPF_MAP_TYPE_LPM_TRIE,
			       sizeof(struct firewall_prefix6), &config->prefixes6);
	return err;
}

static void drop_lists(const struct app_run *run, u32 side)
{
	static const char *const outer[] = {"summaries",	"listed_hosts",
					    "listed_prefixes4", "listed_prefixes6",
					    "rule_sources4",	"rule_destinations4",
					    "rule_sources6",	"rule_destinations6"};

	for (u32 i = 0; i < ARRAY_SIZE(outer); i++)
		bpf_map_delete_elem(app_map(run, outer[i]), &side);
}

/* Rules name counters by their place in the configuration, too. */
static int put_rules(const struct app_run *run, u32 side, struct firewall_config *config)
{
	struct firewall_rules *rules = &config->rules;
	int err = config->amplifiers
			  ? app_fill_array(app_map(run, "amplifiers"), side * PORTS_MAX_,
					   config->amplifiers, PORTS_MAX_)
			  : 0;

	for (u32 i = 0; i < rules->count; i++)
		rules->rules[i].counter = config->counters[rules->numbers[i]].slot;
	rules_summarize(rules, &config->setup);
	return err || !rules->count ? err : rules_put(run, side, rules);
}

int tables_apply(struct app_run *run, const void *config)
{
	struct firewall_config *firewall = (struct firewall_config *)config;
	struct firewall_tables *tables = run->own;
	const u32 side = app_next_side(run);
	int err = give_slots(run, firewall);

	if (!err) {
		set_slots(firewall, &firewall->hosts);
		set_slots(firewall, &firewall->prefixes4);
		set_slots(firewall, &firewall->prefixes6);
		err = put_lists(run, side, firewall) ?: put_rules(run, side, firewall);
	}
	if (err)
		return usage_error("%s: tables cannot be made: %s", run->config_path,
				   strerror(-err));
	app_turn(run, &firewall->setup, sizeof(firewall->setup));
	tables->has_old = true;
	return 0;
}

/* A packet's time has passed since the last reload: nobody reads the other side any more. */
int tables_forget_old(struct app_run *run)
{
	struct firewall_tables *tables = run->own;

	if (tables->has_old)
		drop_lists(run, app_next_side(run));
	tables->has_old = false;
	return 0;
}
