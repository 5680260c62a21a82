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
#define FILES_MAX   16

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
	struct session *sessions; /* one of each object; the first has the engine */
	u32 session_count;
	struct attachments attachments;
	u64 start_ns, interval_ns, duration_ns, count, shown_ns;
	u32 top;
	bool shows_progress;
};

/* One line on the terminal's last row, replaced each time. */
static void show_progress(const struct run *run, u64 now)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	u64 packets = 0;

	for (u32 i = 0; i < run->attachments.port_count; i++)
		if (!skep_port_stats(run->sessions->engine, run->attachments.ports[i], &stats))
			packets += stats.in_packets;
	fprintf(stderr, "\r%llu packets, %.2f M/s\033[K", packets,
		packets * 1000.0 / max(now - run->start_ns, 1ull));
}

static void end_progress(const struct run *run)
{
	if (run->shows_progress)
		fputs("\r\033[K", stderr);
}

static void show_maps(const struct run *run)
{
	for (u32 i = 0; i < run->session_count; i++)
		summary_maps(&run->sessions[i], run->top);
}

static int tick(void *cookie)
{
	struct run *run = cookie;
	u64 now = os_time_ns(CLOCK_MONOTONIC);

	if (run->interval_ns && now - run->shown_ns >= run->interval_ns) {
		end_progress(run);
		show_maps(run);
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
	int code = skep_ports_run(run->sessions->engine, &opts, &err);

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
			show_maps(run);
			run->shown_ns = now;
		}
	}
	return 0;
}

/* The ring buffers and perf buffers of all objects. */
static int start_events(const struct run *run, struct events **events)
{
	int code = 0;

	for (u32 i = 0; i < run->session_count && !code; i++)
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
	u64 ended = 0;

	if (!code) {
		stats = count_times(run);
		run->start_ns = run->shown_ns = os_time_ns(CLOCK_MONOTONIC);
		code = session->on_linux ? wait_for_end(run) : move_packets(run);
		ended = os_time_ns(CLOCK_MONOTONIC);
		if (stats >= 0)
			close(stats);
	}
	for (u32 i = 0; i < run->session_count; i++)
		events_stop(events[i]);
	if (!run->start_ns)
		return code;
	if (!session->on_linux)
		summary_ports(session, &run->attachments, ended - run->start_ns);
	show_maps(run);
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

	catch_signals(run->sessions->engine);
	code = attach_all(run->sessions, run->session_count, &run->attachments);
	if (!code)
		code = run_attached(run);
	running_engine = NULL;
	return code;
}

/* The first has the engine, whose ports the objects may ask for; each is loaded before the next
 * is opened. */
static int open_all(struct run *run, struct command_line *line)
{
	int code = 0;

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

	if (!line->argument_count)
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
	struct run run = {.sessions = sessions};
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
