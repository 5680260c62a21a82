/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep run`: load, attach, move packets (or wait), show what happened. */
#include "base/os.h"
#include "cli/attach.h"
#include "cli/events.h"
#include "cli/summary.h"

#include <errno.h>
#include <signal.h>
#include <skep/port.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_NS 200000000ull
#define WAIT_MS	    100

/* What the signal handler reaches. */
static struct skep_engine *running_engine;
static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	interrupted = 1;
	if (running_engine)
		skep_ports_stop(running_engine);
}

struct run {
	struct session *session;
	struct attachments *attachments;
	u64 start_ns, interval_ns, duration_ns, count, shown_ns;
	u32 top;
	bool shows_progress;
};

/* One line on the terminal's last row, replaced each time. */
static void show_progress(const struct run *run, u64 now)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	u64 packets = 0;

	for (u32 i = 0; i < run->attachments->port_count; i++)
		if (!skep_port_stats(run->session->engine, run->attachments->ports[i], &stats))
			packets += stats.in_packets;
	fprintf(stderr, "\r%llu packets, %.2f M/s\033[K", packets,
		packets * 1000.0 / max(now - run->start_ns, 1ull));
}

static void end_progress(const struct run *run)
{
	if (run->shows_progress)
		fputs("\r\033[K", stderr);
}

static int tick(void *cookie)
{
	struct run *run = cookie;
	u64 now = os_time_ns(CLOCK_MONOTONIC);

	if (run->interval_ns && now - run->shown_ns >= run->interval_ns) {
		end_progress(run);
		summary_maps(run->session, run->top);
		run->shown_ns = now;
	}
	if (run->shows_progress)
		show_progress(run, now);
	return interrupted;
}

static int move_packets(struct run *run)
{
	struct skep_ports_run_opts opts = {
		.sz = sizeof(opts),
		.max_packets = run->count,
		.max_ns = run->duration_ns,
		.interval_ns =
			run->interval_ns ? min(run->interval_ns, PROGRESS_NS) : PROGRESS_NS,
		.tick = tick,
		.cookie = run,
	};
	struct skep_error err = {};
	int code = skep_ports_run(run->session->engine, &opts, &err);

	end_progress(run);
	if (!code)
		return 0;
	usage_error("%s", err.text[0] ? err.text : strerror(-code));
	if (err.hint[0])
		fprintf(stderr, "  hint: %s\n", err.hint);
	return EXIT_REJECTED;
}

/* The kernel runs the programs: wait for the end. */
static int wait_for_end(struct run *run)
{
	const struct timespec pause = {.tv_nsec = WAIT_MS * 1000000};
	u64 now = run->start_ns;

	if (!run->duration_ns && run->shows_progress)
		fputs("attached; Ctrl-C ends\n", stderr);
	while (!interrupted && (!run->duration_ns || now - run->start_ns < run->duration_ns)) {
		nanosleep(&pause, NULL);
		now = os_time_ns(CLOCK_MONOTONIC);
		if (run->interval_ns && now - run->shown_ns >= run->interval_ns) {
			summary_maps(run->session, run->top);
			run->shown_ns = now;
		}
	}
	return 0;
}

static int run_attached(struct run *run)
{
	struct session *session = run->session;
	struct events *events;
	int code = events_start(session, &events);
	u64 ended;

	if (code)
		return code;
	run->start_ns = run->shown_ns = os_time_ns(CLOCK_MONOTONIC);
	code = session->on_linux ? wait_for_end(run) : move_packets(run);
	ended = os_time_ns(CLOCK_MONOTONIC);
	events_stop(events);
	if (!session->on_linux)
		summary_ports(session, run->attachments, ended - run->start_ns);
	summary_maps(session, run->top);
	return code;
}

static int parse_options(struct command_line *line, struct run *out)
{
	u64 top = 20;
	int code = option_seconds(line, OPTION_interval, &out->interval_ns);

	if (!code)
		code = option_seconds(line, OPTION_duration, &out->duration_ns);
	if (!code)
		code = option_number(line, OPTION_count, 0, &out->count);
	if (!code)
		code = option_number(line, OPTION_top, 20, &top);
	out->top = top;
	out->shows_progress = isatty(STDERR_FILENO);
	return code;
}

static void catch_signals(struct skep_engine *engine)
{
	/* A second signal ends the process at once. */
	struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESETHAND};

	running_engine = engine;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int load_and_run(struct session *session, struct run *run)
{
	struct attachments attachments = {};
	int code = session_set_globals(session);

	if (!code)
		code = session_load(session);
	if (!code)
		code = session_set_entries(session);
	if (code)
		return code;
	run->session = session;
	run->attachments = &attachments;
	catch_signals(session->engine);
	code = attach_all(session, &attachments);
	if (!code)
		code = run_attached(run);
	detach_all(session, &attachments);
	running_engine = NULL;
	return code;
}

int cmd_run(struct command_line *line)
{
	struct session session;
	struct run run = {};
	int code;

	if (line->argument_count != 1)
		return usage_error("run: expected one FILE (an object or a .bpf.c)");
	if (option_given(line, OPTION_data))
		return run_once(line);
	code = parse_options(line, &run);
	if (code)
		return code;
	if (option_given(line, OPTION_xdp_mode) &&
	    strcmp(line->option[OPTION_target] ?: "", "linux"))
		return usage_error("--xdp-mode is for --target linux");
	code = session_open(&session, line, line->arguments[0]);
	if (!code)
		code = load_and_run(&session, &run);
	session_close(&session);
	return code;
}
