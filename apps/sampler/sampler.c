/* SPDX-License-Identifier: BSD-2-Clause */
/* The sampler's control part: flows out of the program's tables to collectors, samples out of
 * its ring to a capture. */
#include "capture.h"
#include "export.h"
#include "meter.h"
#include "text.h"

#include "base/os.h"
#include "cli/output.h"

#include <skep/capture.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORK_NS	    50000000ull
#define TICK_NS	    1000000000ull
#define SECOND_NS   1000000000ull
#define SECONDS_MAX 86400
#define ONE_OF_MAX  1000000000
#define SIZE_MAX_   (1 << 20)
#define SNAP_USUAL  1500
#define IPFIX_PORT  4739
#define SHOWN_USUAL 10

struct sampler_config {
	u64 one_of;
	u64 flows;
	struct flow_timeouts timeouts;
	struct capture_choice capture;
	struct export_settings exports;
};

struct sampler {
	struct meter meter;
	struct capture capture;
	struct exports exports;
	u64 next_tick_ns;
	int view;  /* for other processes; below 0: nobody asks */
	u32 flows; /* that there is room for, for as long as it runs */
};

/* --- statements --- */

#define CONFIG(id, ...) static int sampler_read_##id(void *state, struct config *config);
#include "sampler.def"
#undef CONFIG

static const struct config_row rows[] = {
#define CONFIG(id, word, usage, help) {word, usage, help, sampler_read_##id},
#include "sampler.def"
#undef CONFIG
};

static void sampler_init(void *state)
{
	struct sampler_config *sampler = state;

	sampler->one_of = 1;
	sampler->flows = FLOWS_USUAL;
	sampler->timeouts = (struct flow_timeouts){60 * SECOND_NS, 15 * SECOND_NS};
	sampler->exports.domain = 1;
	sampler->exports.templates_ns = 60 * SECOND_NS;
}

static void sampler_config_done(void *state)
{
	struct sampler_config *sampler = state;

	free(sampler->capture.path);
	for (u32 i = 0; i < sampler->exports.count; i++)
		free(sampler->exports.choices[i].path);
}

static int read_one_of(struct config *config, u64 *out)
{
	if (!config_is(config, "1-in"))
		return config_error(config, "expected '1-in N' behind '%s'",
				    config->words[config->next - 1]);
	return config_number(config, "N", 1, ONE_OF_MAX, out);
}

static int read_seconds(struct config *config, u64 *out_ns)
{
	u64 seconds;
	int code = config_number(config, "number of seconds", 1, SECONDS_MAX, &seconds);

	if (!code)
		*out_ns = seconds * SECOND_NS;
	return code;
}

static int sampler_read_sample(void *state, struct config *config)
{
	return read_one_of(config, &((struct sampler_config *)state)->one_of);
}

static int sampler_read_flows(void *state, struct config *config)
{
	return config_number(config, "number of flows", FLOWS_MIN, FLOWS_MAX,
			     &((struct sampler_config *)state)->flows);
}

static int sampler_read_active(void *state, struct config *config)
{
	return read_seconds(config, &((struct sampler_config *)state)->timeouts.active_ns);
}

static int sampler_read_inactive(void *state, struct config *config)
{
	return read_seconds(config, &((struct sampler_config *)state)->timeouts.idle_ns);
}

static int sampler_read_capture(void *state, struct config *config)
{
	struct capture_choice *choice = &((struct sampler_config *)state)->capture;
	u64 snap = SNAP_USUAL;
	int code;

	if (choice->path)
		return config_error(config, "there is a capture already: %s", choice->path);
	code = config_file(config, &choice->path);
	if (code)
		return code;
	choice->kind = config_is(config, "by-size") ? CAPTURE_BY_SIZE : CAPTURE_RANDOM;
	code = choice->kind == CAPTURE_BY_SIZE
		       ? config_number(config, "number of bytes", 1, SIZE_MAX_, &choice->n)
		       : read_one_of(config, &choice->n);
	if (!code && config_is(config, "snap"))
		code = config_number(config, "number of bytes", 1, SNAP_MAX, &snap);
	choice->snap = (u32)snap;
	return code;
}

/* Where the next export is put; NULL after a message. */
static struct export_choice *next_export(struct export_settings *settings,
					 struct config *config)
{
	if (settings->count < EXPORTS_MAX)
		return &settings->choices[settings->count++];
	config_error(config, "more than %d collectors and files", EXPORTS_MAX);
	return NULL;
}

static int sampler_read_collector(void *state, struct config *config)
{
	static const char *const kinds[] = {"udp", "tcp"};
	struct export_choice *choice =
		next_export(&((struct sampler_config *)state)->exports, config);
	u64 port = IPFIX_PORT;
	u32 kind;
	int code;

	if (!choice)
		return EXIT_NO_VERDICT;
	code = config_choice(config, kinds, ARRAY_SIZE(kinds), &kind);
	code = code ?: config_host(config, &choice->address);
	if (!code && config_has_more(config))
		code = config_number(config, "port", 1, UINT16_MAX, &port);
	if (code)
		return code;
	choice->kind = kind ? EXPORT_TCP : EXPORT_UDP;
	choice->port = (u16)port;
	return 0;
}

static int sampler_read_ipfix(void *state, struct config *config)
{
	struct export_choice *choice =
		next_export(&((struct sampler_config *)state)->exports, config);

	if (!choice)
		return EXIT_NO_VERDICT;
	choice->kind = EXPORT_FILE;
	return config_file(config, &choice->path);
}

static int sampler_read_threshold(void *state, struct config *config)
{
	return config_number(config, "number of bytes", 0, 1ull << 40,
			     &((struct sampler_config *)state)->exports.threshold);
}

static int sampler_read_domain(void *state, struct config *config)
{
	return config_number(config, "domain", 0, UINT32_MAX,
			     &((struct sampler_config *)state)->exports.domain);
}

static int sampler_read_templates(void *state, struct config *config)
{
	return read_seconds(config, &((struct sampler_config *)state)->exports.templates_ns);
}

static int sampler_check(void *state, const char *path)
{
	struct sampler_config *sampler = state;

	sampler->exports.one_of = sampler->one_of;
	return 0;
}

/* --- into the program --- */

static struct sampler_setup setup_of(const struct sampler_config *config)
{
	const struct capture_choice *capture = &config->capture;

	return (struct sampler_setup){
		.meter_below = (1ull << 32) / config->one_of,
		.capture_below = capture->path ? (1ull << 32) / capture->n : 0,
		.capture = capture->path ? capture->kind : CAPTURE_NONE,
		.snap = capture->snap,
	};
}

static void tell(void *cookie, const struct flow *flow, enum flow_end reason)
{
	exports_tell(cookie, flow, reason);
}

static int sampler_prepare(struct app_run *run, const void *config)
{
	return meter_prepare(run, (u32)((const struct sampler_config *)config)->flows);
}

static int start(struct app_run *run, const struct sampler_config *config)
{
	struct sampler *sampler = run->own;
	const char *dir = run->session.line->option[OPTION_pin_dir];
	int code;

	sampler->flows = (u32)config->flows;
	sampler->view = -1;
	code = meter_start(run, &sampler->meter, sampler->flows, tell, &sampler->exports);
	code = code ?: capture_start(&sampler->capture, app_map(run, "samples"));
	return code || !dir ? code : view_publish_open(dir, &sampler->view);
}

static int sampler_apply(struct app_run *run, const void *state)
{
	const struct sampler_config *config = state;
	const struct sampler_setup setup = setup_of(config);
	struct sampler *sampler = run->own;
	struct skep_capture_writer *writer = NULL;
	int code = run->generation ? 0 : start(run, config);

	if (!code && config->flows != sampler->flows)
		code = usage_error("%s: flows: there is room for %u until it is started again",
				   run->config_path, sampler->flows);
	code = code ?: capture_open_file(&sampler->capture, &config->capture, &writer);
	code = code ?: exports_use(&sampler->exports, &config->exports);
	if (code && writer)
		skep_capture_finish(writer);
	if (code)
		return code;
	/* A file is there while packets are captured, before it begins and when it ends. */
	if (config->capture.path)
		capture_use(&sampler->capture, &config->capture, writer);
	sampler->meter.timeouts = config->timeouts;
	sampler->meter.view.one_of = config->one_of;
	meter_use(run, &sampler->meter, &setup);
	if (!config->capture.path)
		capture_use(&sampler->capture, &config->capture, NULL);
	return 0;
}

static int sampler_work(struct app_run *run)
{
	struct sampler *sampler = run->own;
	const u64 now_ns = os_time_ns(CLOCK_MONOTONIC);
	const bool is_tick = now_ns >= sampler->next_tick_ns;

	capture_work(&sampler->capture, is_tick);
	if (!is_tick)
		return 0;
	sampler->next_tick_ns = now_ns + TICK_NS;
	meter_tick(run, &sampler->meter);
	if (sampler->view >= 0)
		view_publish(sampler->view, &sampler->meter.view);
	exports_work(&sampler->exports, now_ns);
	return 0;
}

static void sampler_end(struct app_run *run)
{
	struct sampler *sampler = run->own;

	exports_work(&sampler->exports, os_time_ns(CLOCK_MONOTONIC));
	meter_end(run, &sampler->meter);
	exports_end(&sampler->exports);
	capture_work(&sampler->capture, true);
}

static void sampler_done(struct app_run *run)
{
	struct sampler *sampler = run->own;

	if (run->generation && sampler->view >= 0)
		view_publish_close(run->session.line->option[OPTION_pin_dir], sampler->view,
				   &sampler->meter.view);
	exports_done(&sampler->exports);
	capture_done(&sampler->capture);
	meter_done(&sampler->meter);
}

/* --- what was counted --- */

static const char *const counter_names[COUNTERS] = {
	[COUNT_SKIPPED] = "not sampled",
	[COUNT_OTHER] = "not IP",
	[COUNT_SHORT] = "shorter than they say",
	[COUNT_NO_ROOM] = "no room for their flow",
	[COUNT_CAPTURED] = "captured",
	[COUNT_CAPTURE_LOST] = "not captured: the ring was full",
};

static void show_counter(struct output *output, const char *name, u64 packets, u64 bytes)
{
	if (!packets && !output->is_json)
		return;
	output_begin(output, "counter");
	output_number(output, "packets", packets);
	output_number(output, "bytes", bytes);
	output_bare(output, "what", name);
	output_end(output);
}

static void show_counters(struct output *output, const struct sampler *sampler)
{
	const struct view *view = &sampler->meter.view;

	show_counter(output, "in flows", view->total.packets, view->total.bytes);
	show_counter(output, "pushed out of the flow table", view->evicted.packets,
		     view->evicted.bytes);
	for (u32 i = COUNT_SKIPPED; i < COUNTERS; i++)
		show_counter(output, counter_names[i], view->counters[i].packets,
			     view->counters[i].bytes);
	show_counter(output, "in flows not selected for export",
		     sampler->exports.not_selected.packets,
		     sampler->exports.not_selected.bytes);
}

static void show_capture(struct output *output, const struct capture *capture)
{
	if (!capture->path)
		return;
	output_begin(output, "capture");
	output_bare(output, "file", capture->path);
	output_number(output, "packets", capture->written);
	output_number(output, "lost", capture->lost);
	output_end(output);
}

static void show_export(struct output *output, const struct exports *exports, u32 n)
{
	struct export_traffic sent, lost;

	export_counts(exports, n, &sent, &lost);
	output_begin(output, "export");
	output_bare(output, "to", export_name(exports, n));
	output_number(output, "flows", sent.flows);
	output_number(output, "packets", sent.packets);
	output_number(output, "bytes", sent.bytes);
	output_number(output, "lost_flows", lost.flows);
	output_number(output, "lost_packets", lost.packets);
	output_end(output);
}

static void show_ends(struct output *output, const struct flows *flows)
{
	static const char *const names[FLOW_ENDS] = {
		[FLOW_IDLE] = "inactive", [FLOW_ACTIVE] = "active",   [FLOW_CLOSED] = "closed",
		[FLOW_FORCED] = "at_end", [FLOW_NO_ROOM] = "no_room",
	};
	u64 told = 0;

	for (u32 i = FLOW_IDLE; i < FLOW_ENDS; i++)
		told += flows->ended[i];
	output_begin(output, "flows");
	output_number(output, "known", flows->count);
	output_number(output, "told", told);
	for (u32 i = FLOW_IDLE; i < FLOW_ENDS; i++)
		output_number(output, names[i], flows->ended[i]);
	output_end(output);
}

static void show_flow(struct output *output, const struct view_flow *flow)
{
	char source[TEXT_END_MAX], destination[TEXT_END_MAX], protocol[8];

	text_end(&flow->key, true, source);
	text_end(&flow->key, false, destination);
	output_begin(output, "flow");
	output_bare(output, "protocol", text_protocol(flow->key.protocol, protocol));
	output_bare(output, "source", source);
	output_bare(output, "destination", destination);
	output_number(output, "port", flow->key.ingress);
	output_number(output, "packets", flow->traffic.packets);
	output_number(output, "bytes", flow->traffic.bytes);
	output_end(output);
}

static void sampler_show(struct app_run *run)
{
	struct output *output = &run->session.line->output;
	const struct sampler *sampler = run->own;
	const struct view *view = &sampler->meter.view;
	u64 top = SHOWN_USUAL;

	option_number(run->session.line, OPTION_top, SHOWN_USUAL, &top);
	show_counters(output, sampler);
	show_ends(output, &sampler->meter.flows);
	show_capture(output, &sampler->capture);
	for (u32 i = 0; i < sampler->exports.count; i++)
		show_export(output, &sampler->exports, i);
	for (u32 i = 0; i < view->top_count && (!top || i < top); i++)
		show_flow(output, &view->top[i]);
}

const struct app app_sampler = {
	.rows = rows,
	.row_count = ARRAY_SIZE(rows),
	.config_size = sizeof(struct sampler_config),
	.own_size = sizeof(struct sampler),
	.config_init = sampler_init,
	.config_check = sampler_check,
	.config_done = sampler_config_done,
	.prepare = sampler_prepare,
	.apply = sampler_apply,
	.work_ns = WORK_NS,
	.work = sampler_work,
	.end = sampler_end,
	.show = sampler_show,
	.done = sampler_done,
};
