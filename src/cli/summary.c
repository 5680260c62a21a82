/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/summary.h"
#include "btf/btf.h"
#include "cli/listing.h"

#include <errno.h>
#include <skep/attach.h>
#include <stdio.h>
#include <string.h>

static const char *const verdict_names[SKEP_VERDICTS] = {
	[SKEP_VERDICT_ABORTED] = "aborted",   [SKEP_VERDICT_DROP] = "drop",
	[SKEP_VERDICT_PASS] = "pass",	      [SKEP_VERDICT_TX] = "tx",
	[SKEP_VERDICT_REDIRECT] = "redirect",
};

static void print_verdicts(struct output *output, const struct skep_port_stats *stats)
{
	for (int i = 0; i < SKEP_VERDICTS; i++) {
		char name[32];

		if (!output->is_json && !stats->verdict_packets[i])
			continue;
		output_number(output, verdict_names[i], stats->verdict_packets[i]);
		snprintf(name, sizeof(name), "%s_bytes", verdict_names[i]);
		if (output->is_json)
			output_number(output, name, stats->verdict_bytes[i]);
	}
}

/* "pcap:IN:OUT" and "gen:...,out=OUT" wrote a file. */
static const char *written_to(const char *spec)
{
	const char *out = strstr(spec, "out=");

	if (!strncmp(spec, "pcap:", 5) && strchr(spec + 5, ':'))
		return strchr(spec + 5, ':') + 1;
	return !strncmp(spec, "gen:", 4) && out ? out + 4 : NULL;
}

static void print_failures(struct output *output, const struct skep_port_stats *stats)
{
	const struct {
		const char *name;
		u64 count;
	} failures[] = {
		{"redirect_failed", stats->redirect_failed},
		{"out_failed", stats->out_failed},
		{"truncated", stats->truncated},
	};

	for (u32 i = 0; i < ARRAY_SIZE(failures); i++)
		if (output->is_json || failures[i].count)
			output_number(output, failures[i].name, failures[i].count);
}

static void print_port(struct output *output, const struct skep_port_stats *stats, u64 ns)
{
	char rate[64];
	const char *file = written_to(stats->spec);

	output_begin(output, "port");
	output_bare(output, "port", stats->spec);
	output_line(output);
	output_number(output, "packets", stats->in_packets);
	output_number(output, "bytes", stats->in_bytes);
	if (output->is_json) {
		output_number(output, "ns", ns);
		output_number(output, "run_ns", stats->run_ns);
	} else {
		snprintf(rate, sizeof(rate), "%.2f M packets/s",
			 stats->in_packets * 1000.0 / max(ns, 1ull));
		output_bare(output, "rate", rate);
	}
	output_line(output);
	print_verdicts(output, stats);
	print_failures(output, stats);
	output_line(output);
	output_number(output, "out_packets", stats->out_packets);
	if (file)
		output_string(output, output->is_json ? "written" : "written to", file);
	output_end(output);
}

/* --- what each program did, and why packets got lost --- */

static const char *const tc_names[] = {"unspec", "ok",	   "reclassify", "shot",     "pipe",
				       "stolen", "queued", "repeat",	 "redirect", "trap"};

static const char *result_name(const struct skep_attached *program, u32 result)
{
	if (program->place == SKEP_HOOK_XDP)
		return result < SKEP_VERDICTS ? verdict_names[result] : "other";
	return result < ARRAY_SIZE(tc_names) ? tc_names[result] : "other";
}

static void print_results(struct output *output, const struct skep_attached *program)
{
	for (u32 i = 0; i < SKEP_RESULTS; i++) {
		char name[32];

		if (!program->packets[i])
			continue;
		output_number(output, result_name(program, i), program->packets[i]);
		snprintf(name, sizeof(name), "%s_bytes", result_name(program, i));
		if (output->is_json)
			output_number(output, name, program->bytes[i]);
	}
	if (program->ns)
		output_number(output, "ns", program->ns);
}

static void print_program(struct output *output, int port, const struct skep_attached *program)
{
	static const char *const places[] = {"xdp", "tc ingress", "tc egress"};

	output_begin(output, "program");
	if (output->is_json)
		output_number(output, "port", (u64)port);
	output_bare(output, "place", places[program->place]);
	output_bare(output, "name", program->name);
	if (output->is_json)
		output_number(output, "id", program->prog_id);
	output_number(output, "priority", program->priority);
	if (output->is_json && program->place == SKEP_HOOK_XDP)
		output_number(output, "proceed_on", program->proceed_on);
	if (program->generic)
		output_flag(output, "generic", true);
	print_results(output, program);
	output_end(output);
}

/* In text the only program of a port tells nothing that the port does not, unless it was timed.
 */
static void print_programs(struct output *output, struct skep_engine *engine, int port)
{
	struct skep_attached program = {.sz = sizeof(program)};
	u32 count = 0;

	while (!skep_attached(engine, port, count, -1, &program))
		count++;
	for (u32 i = 0; i < count; i++)
		if (!skep_attached(engine, port, i, -1, &program) &&
		    (output->is_json || count > 1 || program.ns ||
		     program.place != SKEP_HOOK_XDP))
			print_program(output, port, &program);
}

/* One record of all that happened. */
static void print_exceptions(struct output *output, struct skep_engine *engine, int port)
{
	uint64_t counts[SKEP_EXCEPTIONS], any = 0;

	if (skep_port_exceptions(engine, port, counts, SKEP_EXCEPTIONS))
		return;
	for (u32 i = 0; i < SKEP_EXCEPTIONS; i++)
		any |= counts[i];
	if (!any)
		return;
	output_begin(output, "exceptions");
	if (output->is_json)
		output_number(output, "port", (u64)port);
	for (u32 i = 0; i < SKEP_EXCEPTIONS; i++) {
		if (!counts[i])
			continue;
		output_number(output, skep_exception_name(i), counts[i]);
		if (!output->is_json) {
			output_bare(output, "", skep_exception_text(i));
			output_line(output);
		}
	}
	output_end(output);
}

void summary_ports(struct session *session, const struct attachments *attachments, u64 ns)
{
	for (u32 i = 0; i < attachments->port_count; i++) {
		struct skep_port_stats stats = {.sz = sizeof(stats)};

		if (skep_port_stats(session->engine, attachments->ports[i], &stats))
			continue;
		print_port(&session->line->output, &stats, ns);
		print_programs(&session->line->output, session->engine, attachments->ports[i]);
		print_exceptions(&session->line->output, session->engine,
				 attachments->ports[i]);
	}
}

void summary_maps(struct session *session, u32 top)
{
	struct output *output = &session->line->output;
	struct btf_view *types = session_types(session);
	struct bpf_map *map;
	struct listing listing;

	bpf_object__for_each_map (map, session->object) {
		if (!listing_can_show(map) || bpf_map__is_internal(map) ||
		    listing_read_map(&listing, map, types))
			continue;
		output_begin(output, "map");
		if (!output->is_json)
			output_text(output, "", "\n");
		listing_print(&listing, output, top);
		output_end(output);
		listing_done(&listing);
	}
	btf_view_free(types);
}
