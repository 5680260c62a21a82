/* SPDX-License-Identifier: BSD-2-Clause */
/* The firewall's control part: a configuration becomes tables; they take the place of those in
 * use at once. */
#include "firewall.h"
#include "tables.h"

#include "cli/app.h"
#include "cli/command.h"
#include "cli/output.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- statements --- */

#define CONFIG(id, ...) static int firewall_read_##id(void *state, struct config *config);
#include "firewall.def"
#undef CONFIG

static const struct config_row rows[] = {
#define CONFIG(id, word, usage, help) {word, usage, help, firewall_read_##id},
#include "firewall.def"
#undef CONFIG
};

static int firewall_read_default(void *state, struct config *config)
{
	static const char *const verdicts[] = {"pass", "drop"};
	struct firewall_config *firewall = state;

	return config_choice(config, verdicts, ARRAY_SIZE(verdicts),
			     &firewall->setup.is_default_drop);
}

/* The lines of a list: sources, all with the same value. */
static int read_sources(struct firewall_config *firewall, const char *path,
			struct firewall_listed value)
{
	struct config_address address;
	struct config config;
	int code = config_open(&config, path), got = 0;

	while (!code && (got = config_next(&config)) > 0) {
		code = config_prefix(&config, false, &address) ?: config_end(&config);
		if (!code && tables_add_source(firewall, &address, value))
			code = usage_error("out of memory");
	}
	config_close(&config);
	return code ?: -got;
}

static int read_list(struct firewall_config *firewall, struct config *config, bool is_allowed)
{
	struct firewall_listed value = {.is_allowed = is_allowed};
	char *path = NULL;
	u32 number = 0;
	int code = config_file(config, &path);

	if (!code)
		code = tables_add_counter(firewall, config, &number);
	value.counter = (u16)number;
	code = code ?: read_sources(firewall, path, value);
	free(path);
	return code;
}

static int firewall_read_deny_list(void *state, struct config *config)
{
	return read_list(state, config, false);
}

static int firewall_read_allow_list(void *state, struct config *config)
{
	return read_list(state, config, true);
}

/* --- rules --- */

/* The next rule, of which the words behind the action are left. */
static int add_rule(struct firewall_config *firewall, struct config *config,
		    struct firewall_rule rule)
{
	struct firewall_rules *rules = &firewall->rules;
	const u32 i = rules->count;
	int code;

	if (i == RULES_MAX)
		return config_error(config, "more than %d rules", RULES_MAX);
	rules->conditions[i] = (struct firewall_condition){.protocol = -1};
	code = rules_read_condition(config, &rules->conditions[i]);
	code = code ?: tables_add_counter(firewall, config, &rules->numbers[i]);
	rules->rules[i] = rule;
	rules->count += !code;
	return code;
}

static int firewall_read_pass(void *state, struct config *config)
{
	return add_rule(state, config, (struct firewall_rule){.action = ACTION_PASS});
}

static int firewall_read_drop(void *state, struct config *config)
{
	return add_rule(state, config, (struct firewall_rule){.action = ACTION_DROP});
}

static int firewall_read_challenge(void *state, struct config *config)
{
	return add_rule(state, config, (struct firewall_rule){.action = ACTION_CHALLENGE});
}

static int firewall_read_limit(void *state, struct config *config)
{
	struct firewall_rule rule = {.action = ACTION_LIMIT};
	u64 rate, burst;
	int code = config_number(config, "packets per second", 1, 1000000000, &rate);

	burst = rate;
	if (!code && config_is(config, "burst"))
		code = config_number(config, "number of packets", 1, 1000000, &burst);
	if (code)
		return code;
	rule.cost_ns = 1000000000 / rate;
	rule.credit_ns = rule.cost_ns * burst;
	return add_rule(state, config, rule);
}

/* --- amplifiers --- */

/* Services that answer more than they are asked, by UDP: from so many bytes on it is no answer
 * that somebody needs. */
static const struct {
	u16 port, most;
} amplifiers[] = {
	{17, 1},    {19, 1},	{53, 1233}, {111, 200}, {123, 100},
	{137, 200}, {161, 485}, {389, 200}, {520, 200}, {1900, 1},
	{3283, 1},  {3702, 1},	{5353, 1},  {11211, 1}, {27015, 200},
};

static int need_amplifiers(struct firewall_config *firewall)
{
	if (!firewall->amplifiers)
		firewall->amplifiers = calloc(PORTS_MAX_, sizeof(*firewall->amplifiers));
	firewall->setup.has_amplifiers = true;
	return firewall->amplifiers ? 0 : usage_error("out of memory");
}

static int firewall_read_amplifiers(void *state, struct config *config)
{
	struct firewall_config *firewall = state;
	int code = need_amplifiers(firewall);

	for (u32 i = 0; !code && i < ARRAY_SIZE(amplifiers); i++)
		firewall->amplifiers[amplifiers[i].port] = amplifiers[i].most;
	return code;
}

static int firewall_read_amplifier(void *state, struct config *config)
{
	struct firewall_config *firewall = state;
	struct config_range ranges[CONFIG_RANGES_MAX];
	u32 count = 0;
	u64 most = 0;
	int code = config_ports(config, ranges, &count);

	if (!code && !config_is(config, "longer"))
		code = config_error(config, "expected 'longer BYTES' behind the ports");
	code = code ?: config_number(config, "number of bytes", 0, UINT16_MAX, &most);
	code = code ?: need_amplifiers(firewall);
	for (u32 i = 0; !code && i < count; i++)
		for (u32 port = ranges[i].low; port <= ranges[i].high; port++)
			firewall->amplifiers[port] = (u32)most + 1;
	return code;
}

/* --- what was counted --- */

static const char *const fixed_names[COUNT_FIXED] = {
	[COUNT_PASSED] = "passed",	   [COUNT_DEFAULT_DROP] = "dropped by default",
	[COUNT_MALFORMED] = "malformed",   [COUNT_AMPLIFIED] = "answers of amplifiers",
	[COUNT_CHALLENGED] = "challenged", [COUNT_PROVEN] = "proven",
};

static void show_counter(struct app_run *run, u32 counter, const char *name)
{
	struct output *output = &run->session.line->output;
	u64 traffic[TRAFFIC_WORDS]; /* packets, bytes */

	app_read_counter(run, counter, traffic, TRAFFIC_WORDS);
	output_begin(output, "rule");
	if (output->is_json)
		output_string(output, "rule", name);
	output_number(output, "packets", traffic[0]);
	output_number(output, "bytes", traffic[1]);
	output_bare(output, "text", output->is_json ? "" : name);
	output_end(output);
}

static void firewall_show(struct app_run *run)
{
	const struct firewall_config *config = run->config;

	for (u32 i = 0; i < COUNT_FIXED; i++)
		show_counter(run, i, fixed_names[i]);
	for (u32 i = 0; i < config->counter_count; i++)
		show_counter(run, COUNT_FIXED + config->counters[i].slot,
			     config->counters[i].text);
}

const struct app app_firewall = {
	.rows = rows,
	.row_count = ARRAY_SIZE(rows),
	.needs_config = true,
	.config_size = sizeof(struct firewall_config),
	.own_size = sizeof(struct firewall_tables),
	.config_done = tables_config_done,
	.apply = tables_apply,
	.work_ns = 1000000000,
	.work = tables_forget_old,
	.show = firewall_show,
};
