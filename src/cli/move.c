/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/move.h"
#include "base/os.h"

#include <signal.h>
#include <skep/port.h>
#include <stdio.h>
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

void move_catch_signals(struct skep_engine *engine)
{
	/* A second signal ends the process at once. */
	struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESETHAND};

	running_engine = engine;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

void move_ignore_engine(void)
{
	running_engine = NULL;
}

bool move_is_interrupted(void)
{
	return interrupted;
}

int move_options(const struct command_line *line, struct move *out)
{
	const bool on_linux = !strcmp(line->option[OPTION_target] ?: "", "linux");
	int code = option_seconds(line, OPTION_interval, &out->interval_ns);

	if (on_linux && option_given(line, OPTION_workers))
		return usage_error("--workers is for the skep target; Linux has CPUs");
	code = code ?: option_seconds(line, OPTION_duration, &out->duration_ns);
	out->shows_progress = isatty(STDERR_FILENO);
	code = code ?: option_number(line, OPTION_workers, 0, &out->workers);
	return code ?: option_number(line, OPTION_count, 0, &out->count);
}

/* One line on the terminal's last row, replaced each time. */
static void show_progress(const struct move *move, u64 now)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	u64 packets = 0;

	for (u32 i = 0; i < move->attachments->port_count; i++)
		if (!skep_port_stats(move->session->engine, move->attachments->ports[i],
				     &stats))
			packets += stats.in_packets;
	fprintf(stderr, "\r%llu packets, %.2f M/s\033[K", packets,
		packets * 1000.0 / max(now - move->start_ns, 1ull));
}

static void end_progress(const struct move *move)
{
	if (move->shows_progress && !move->session->on_linux)
		fputs("\r\033[K", stderr);
}

static void show_when_due(struct move *move, u64 now)
{
	if (!move->interval_ns || now - move->shown_ns < move->interval_ns)
		return;
	end_progress(move);
	move->show(move->cookie);
	move->shown_ns = now;
}

static int tick(void *cookie)
{
	struct move *move = cookie;
	u64 now = os_time_ns(CLOCK_MONOTONIC);

	if (move->poll)
		move->poll(move->cookie);
	show_when_due(move, now);
	if (move->shows_progress)
		show_progress(move, now);
	return interrupted;
}

static int move_packets(struct move *move)
{
	struct skep_ports_run_opts opts = {
		.sz = sizeof(opts),
		.max_packets = move->count,
		.max_ns = move->duration_ns,
		.interval_ns =
			move->interval_ns ? min(move->interval_ns, PROGRESS_NS) : PROGRESS_NS,
		.tick = tick,
		.cookie = move,
		.workers = min(move->workers, (u64)UINT32_MAX),
	};
	struct skep_error err = {};
	int code = skep_ports_run(move->session->engine, &opts, &err);

	end_progress(move);
	if (!code)
		return 0;
	usage_error("%s", err.text[0] ? err.text : strerror(-code));
	if (err.hint[0])
		fprintf(stderr, "  hint: %s\n", err.hint);
	return EXIT_REJECTED;
}

/* The kernel runs the programs: wait for the end. */
static int wait_for_end(struct move *move)
{
	const struct timespec pause = {.tv_nsec = WAIT_MS * 1000000};
	u64 now = move->start_ns;

	if (!move->duration_ns && move->shows_progress)
		fputs("attached; Ctrl-C ends\n", stderr);
	while (!interrupted &&
	       (!move->duration_ns || now - move->start_ns < move->duration_ns)) {
		nanosleep(&pause, NULL);
		now = os_time_ns(CLOCK_MONOTONIC);
		show_when_due(move, now);
	}
	return 0;
}

int move_until_end(struct move *move)
{
	int code;

	move->start_ns = move->shown_ns = os_time_ns(CLOCK_MONOTONIC);
	code = move->session->on_linux ? wait_for_end(move) : move_packets(move);
	move->end_ns = os_time_ns(CLOCK_MONOTONIC);
	return code;
}
