/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor: a sampler that tells nobody but the one before the terminal; or the view of a
 * sampler that another process runs. */
#include "../sampler/meter.h"
#include "draw.h"
#include "lines.h"
#include "screen.h"

#include "base/os.h"
#include "cli/move.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WORK_NS	  50000000ull
#define TICK_NS	  1000000000ull
#define STALE_NS  5000000000ull
#define TOP_USUAL 20
#define METER_ALL (1ull << 32)

struct monitor {
	struct meter meter;
	struct drawing drawing;
	struct output *output;
	bool has_begun, is_live, is_once;
	int rows, columns; /* that were drawn */
	u64 top;
	u64 tick_ns, next_tick_ns;
	u32 shown; /* pictures, as lines */
};

/* --- showing --- */

static int read_options(struct app_run *run, struct monitor *monitor)
{
	const struct command_line *line = run->session.line;
	int code = option_seconds(line, OPTION_interval, &monitor->tick_ns);

	code = code ?: option_number(line, OPTION_top, TOP_USUAL, &monitor->top);
	if (!monitor->tick_ns)
		monitor->tick_ns = TICK_NS;
	monitor->is_once = option_given(line, OPTION_once);
	monitor->output = &run->session.line->output;
	monitor->drawing.title = line->option[OPTION_on] ?: line->option[OPTION_pin_dir];
	return code;
}

static void begin(struct monitor *monitor)
{
	if (!monitor->has_begun && !monitor->is_once && !monitor->output->is_json)
		monitor->is_live = screen_open();
	monitor->has_begun = true;
}

static void show_lines(struct monitor *monitor, const struct view *view)
{
	lines_show(monitor->output, view, monitor->top);
	monitor->shown++;
}

/* A new picture. False: it was all that was wanted. */
static bool take(struct monitor *monitor, const struct view *view)
{
	if (monitor->is_live)
		draw_take(&monitor->drawing, view);
	else if (view->total.packets)
		show_lines(monitor, view);
	return !monitor->is_once || !monitor->shown;
}

/* Keys, and what is drawn of them. False: the user wants an end. */
static bool answer_terminal(struct monitor *monitor, bool is_new)
{
	int key, rows, columns;
	bool goes_on = true;

	if (!monitor->is_live)
		return true;
	while (goes_on && (key = screen_key()) != SCREEN_KEY_NONE) {
		goes_on = draw_key(&monitor->drawing, key);
		is_new = true;
	}
	screen_size(&rows, &columns);
	if (is_new || rows != monitor->rows || columns != monitor->columns)
		draw(&monitor->drawing);
	monitor->rows = rows;
	monitor->columns = columns;
	return goes_on;
}

static void end_picture(struct monitor *monitor)
{
	if (monitor->is_live)
		screen_close();
	monitor->is_live = false;
}

/* --- its own sampler --- */

static void tell_nobody(void *cookie, const struct flow *flow, enum flow_end reason)
{
}

static int monitor_prepare(struct app_run *run, const void *config)
{
	return meter_prepare(run, FLOWS_USUAL);
}

static int monitor_apply(struct app_run *run, const void *config)
{
	static const struct sampler_setup all = {.meter_below = METER_ALL};
	struct monitor *monitor = run->own;
	int code = read_options(run, monitor);

	code = code ?: meter_start(run, &monitor->meter, FLOWS_USUAL, tell_nobody, NULL);
	if (code)
		return code;
	monitor->meter.timeouts = (struct flow_timeouts){~0ull, 30 * TICK_NS};
	monitor->meter.view.one_of = 1;
	meter_use(run, &monitor->meter, &all);
	return 0;
}

static int monitor_work(struct app_run *run)
{
	struct monitor *monitor = run->own;
	const u64 now_ns = os_time_ns(CLOCK_MONOTONIC);
	const bool is_tick = now_ns >= monitor->next_tick_ns;
	bool goes_on = true;

	begin(monitor);
	if (is_tick) {
		monitor->next_tick_ns = now_ns + monitor->tick_ns;
		meter_tick(run, &monitor->meter);
		goes_on = take(monitor, &monitor->meter.view);
	}
	goes_on = answer_terminal(monitor, is_tick) && goes_on;
	/* As Ctrl-C does. */
	if (!goes_on)
		kill(getpid(), SIGINT);
	return 0;
}

/* What ended within a tick is shown, too. */
static void monitor_end(struct app_run *run)
{
	struct monitor *monitor = run->own;

	end_picture(monitor);
	meter_end(run, &monitor->meter);
	if (!monitor->shown)
		show_lines(monitor, &monitor->meter.view);
}

static void monitor_done(struct app_run *run)
{
	meter_done(&((struct monitor *)run->own)->meter);
}

/* --- another's --- */

static bool is_stale(const struct view *view)
{
	return os_time_ns(CLOCK_REALTIME) - view->time_ns > STALE_NS;
}

static int watch(struct monitor *monitor, int fd, u64 duration_ns)
{
	const struct timespec pause = {.tv_nsec = WORK_NS};
	const u64 start_ns = os_time_ns(CLOCK_MONOTONIC);
	static struct view view;
	bool goes_on = true;
	u64 sequence = 0;
	int err = 0;

	begin(monitor);
	while (goes_on && !err && !view.is_over && !move_is_interrupted() &&
	       (!duration_ns || os_time_ns(CLOCK_MONOTONIC) - start_ns < duration_ns)) {
		err = view_read(fd, &view);
		const bool is_new = !err && view.sequence != sequence;

		sequence = view.sequence;
		monitor->drawing.is_stale = is_stale(&view);
		if (is_new)
			goes_on = take(monitor, &view);
		goes_on = answer_terminal(monitor, is_new) && goes_on;
		nanosleep(&pause, NULL);
	}
	end_picture(monitor);
	if (view.is_over)
		fputs("the sampler has ended\n", stderr);
	return err ? usage_error("the sampler's view cannot be read: %s", strerror(-err)) : 0;
}

static int monitor_alone(struct app_run *run)
{
	const char *dir = run->session.line->option[OPTION_pin_dir];
	struct monitor *monitor = run->own;
	u64 duration_ns;
	int fd, code = read_options(run, monitor);

	code = code ?: option_seconds(run->session.line, OPTION_duration, &duration_ns);
	code = code ?: view_open(dir, &fd);
	if (code)
		return code;
	move_catch_signals(NULL);
	code = watch(monitor, fd, duration_ns);
	close(fd);
	return code;
}

const struct app app_monitor = {
	.takes_port = true,
	.owns_terminal = true,
	.own_size = sizeof(struct monitor),
	.prepare = monitor_prepare,
	.apply = monitor_apply,
	.work_ns = WORK_NS,
	.work = monitor_work,
	.end = monitor_end,
	.done = monitor_done,
	.alone = monitor_alone,
};
