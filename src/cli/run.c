/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep run`: load, attach, move packets (or wait), show what happened. */
#include "cli/attach.h"
#include "cli/events.h"
#include "cli/move.h"
#include "cli/router.h"
#include "cli/summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_MAX 16

struct run {
	struct session *sessions; /* one of each object; the first has the engine */
	u32 session_count;
	struct attachments attachments;
	struct move move;
	struct router router;
	u32 top;
};

static void show_maps(void *cookie)
{
	const struct run *run = cookie;

	for (u32 i = 0; i < run->session_count; i++)
		if (run->sessions[i].object)
			summary_maps(&run->sessions[i], run->top);
	router_summary(run->sessions, &run->attachments);
}

static void poll_routes(void *cookie)
{
	router_poll(&((struct run *)cookie)->router);
}

/* The ring buffers and perf buffers of all objects. */
static int start_events(const struct run *run, struct events **events)
{
	int code = 0;

	for (u32 i = 0; i < run->session_count && !code; i++)
		if (run->sessions[i].object)
			code = events_start(&run->sessions[i], &events[i]);
	return code;
}

/* Times of programs are counted while the descriptor is open; negative: they are not. */
static int count_times(const struct run *run)
{
	return option_given(run->sessions->line, OPTION_stats)
		       ? bpf_enable_stats(BPF_STATS_RUN_TIME)
		       : -1;
}

static int run_attached(struct run *run)
{
	struct session *session = run->sessions;
	struct events *events[FILES_MAX] = {};
	int code = start_events(run, events), stats;

	if (!code) {
		stats = count_times(run);
		code = move_until_end(&run->move);
		if (stats >= 0)
			close(stats);
	}
	for (u32 i = 0; i < run->session_count; i++)
		events_stop(events[i]);
	if (!run->move.start_ns)
		return code;
	if (!session->on_linux)
		summary_ports(session, &run->attachments,
			      run->move.end_ns - run->move.start_ns);
	show_maps(run);
	return code;
}

static int parse_options(struct command_line *line, struct run *out)
{
	u64 top = 20;
	int code = move_options(line, &out->move);

	code = code ?: option_number(line, OPTION_top, 20, &top);
	out->top = top;
	return code;
}

static int load(struct session *session, const struct attachments *attachments)
{
	int code = bind_to_port(session, attachments);

	code = code ?: session_set_globals(session);
	code = code ?: session_load(session);
	return code ?: session_set_entries(session);
}

static int attach_and_run(struct run *run)
{
	int code;

	move_catch_signals(run->sessions->engine);
	run->move.attachments = &run->attachments;
	code = router_start(&run->router, run->sessions);
	code = code ?: attach_all(run->sessions, run->session_count, &run->attachments);
	if (!code)
		code = run_attached(run);
	move_ignore_engine();
	return code;
}

/* The first has the engine, whose ports the objects may ask for; each is loaded before the next
 * is opened. */
static int open_all(struct run *run, struct command_line *line)
{
	int code = 0;

	if (!line->argument_count) {
		run->session_count = 1;
		return session_target(run->sessions, line)
			       ?: open_ports(run->sessions, &run->attachments);
	}
	for (int i = 0; i < line->argument_count && !code; i++) {
		struct session *session = &run->sessions[i];

		run->session_count++;
		code = i ? session_open_beside(session, run->sessions, line->arguments[i])
			 : session_open(session, line, line->arguments[i]);
		if (!i)
			code = code ?: open_ports(session, &run->attachments);
		code = code ?: load(session, &run->attachments);
	}
	return code;
}

static int check_files(const struct command_line *line)
{
	const bool on_linux = !strcmp(line->option[OPTION_target] ?: "", "linux");

	if (!line->argument_count && !router_given(line))
		return usage_error("run: expected FILE... (objects or .bpf.c)");
	if (line->argument_count > FILES_MAX)
		return usage_error("run: more than %d files", FILES_MAX);
	if (line->argument_count > 1 && on_linux)
		return usage_error(
			"run: several files are for the skep target; Linux attaches "
			"one XDP program to an interface, others through xdp-loader(8)");
	if (line->argument_count > 1 && line->setting_count)
		return usage_error("run: --set is for one FILE");
	if (on_linux && option_given(line, OPTION_pass_to))
		return usage_error("--pass-to is for the skep target; Linux has a stack");
	return 0;
}

int cmd_run(struct command_line *line)
{
	struct session sessions[FILES_MAX] = {};
	struct run run = {
		.sessions = sessions,
		.move = {.session = sessions,
			 .show = show_maps,
			 .poll = poll_routes,
			 .cookie = &run},
	};
	int code;

	if (option_given(line, OPTION_data))
		return line->argument_count == 1 ? run_once(line)
						 : usage_error("run: --data is for one FILE");
	code = check_files(line);
	code = code ?: parse_options(line, &run);
	code = code ?: open_all(&run, line);
	code = code ?: attach_and_run(&run);
	detach_all(sessions, &run.attachments);
	while (run.session_count)
		session_close(&sessions[--run.session_count]);
	return code;
}
