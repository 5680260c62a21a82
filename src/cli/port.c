/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep port`: the kinds of ports, what each can do, and why one cannot be used here. */
#include "cli/session.h"

#include <skep/port.h>
#include <stdio.h>

static const struct {
	u32 ability;
	const char *text;
} abilities[] = {
	{SKEP_PORT_RECEIVES, "receive"},
	{SKEP_PORT_SENDS, "send"},
	{SKEP_PORT_KEEPS_PASSED, "keep what passes"},
	{SKEP_PORT_QUEUES, "have several queues"},
	{SKEP_PORT_OWN_MEMORY, "let programs work in its memory"},
	{SKEP_PORT_KNOWS_TIME, "know the time"},
	{SKEP_PORT_KNOWS_HASH, "know the hash"},
	{SKEP_PORT_KNOWS_VLAN, "know the VLAN tag"},
	{SKEP_PORT_OFFLOADS, "run programs itself"},
};

static void show_abilities(struct output *output, u32 has)
{
	struct strbuf text;

	strbuf_init(&text);
	for (u32 i = 0; i < ARRAY_SIZE(abilities); i++)
		if (has & abilities[i].ability)
			strbuf_addf(&text, "%s\n", abilities[i].text);
	output_line(output);
	output_lines(output, "can", strbuf_text(&text));
	strbuf_done(&text);
}

static void show_kind(struct output *output, const struct skep_port_kind *kind)
{
	output_begin(output, NULL);
	output_bare(output, "usage", kind->usage);
	if (output->is_json)
		output_string(output, "name", kind->name);
	output_line(output);
	output_bare(output, "text", kind->text);
	show_abilities(output, kind->abilities);
	output_flag(output, "usable", !kind->usable && output->is_json);
	if (kind->usable) {
		output_line(output);
		output_string(output, output->is_json ? "why_not" : "not here:", kind->why_not);
	}
	output_end(output);
}

int cmd_port(struct command_line *line)
{
	struct skep_port_kind kind = {.sz = sizeof(kind)};

	if (line->argument_count)
		return usage_error("port: takes no arguments");
	output_list(&line->output);
	for (u32 i = 0; !skep_port_kind(i, &kind); i++)
		show_kind(&line->output, &kind);
	output_list_end(&line->output);
	return 0;
}
