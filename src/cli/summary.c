/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/summary.h"
#include "btf/btf.h"
#include "cli/listing.h"

#include <errno.h>
#include <skep/port.h>
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

void summary_ports(struct session *session, const struct attachments *attachments, u64 ns)
{
	for (u32 i = 0; i < attachments->port_count; i++) {
		struct skep_port_stats stats = {.sz = sizeof(stats)};

		if (!skep_port_stats(session->engine, attachments->ports[i], &stats))
			print_port(&session->line->output, &stats, ns);
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
