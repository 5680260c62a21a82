/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep app`: a network function of apps.def, from its configuration to its end. */
#include "cli/app.h"
#include "base/os.h"
#include "cli/move.h"
#include "cli/summary.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define IDLE_MS 1000

#define APP(name, object, ...)                   \
	extern const struct app app_##name;      \
	extern const u8 app_##object##_object[]; \
	extern const size_t app_##object##_size;
#include "cli/apps.def"
#undef APP

struct app_row {
	const char *name, *programs, *help;
	const struct app *app;
	const u8 *object;
	const size_t *size;
};

static const struct app_row rows[] = {
#define APP(name, object, programs, help) \
	{#name, programs, help, &app_##name, app_##object##_object, &app_##object##_size},
#include "cli/apps.def"
#undef APP
};

/* --- configurations --- */

static void free_config(const struct app_run *run, void *config)
{
	if (config && run->app->config_done)
		run->app->config_done(config);
	free(config);
}

/* A new one as the file is now; NULL after a message. */
static void *read_config(const struct app_run *run)
{
	const struct app *app = run->app;
	void *config = calloc(1, max(app->config_size, (size_t)1));
	int code = config ? 0 : usage_error("out of memory");

	if (!code && app->config_init)
		app->config_init(config);
	if (!code && run->config_path)
		code = config_read(run->config_path, app->rows, app->row_count, config);
	if (!code && app->config_check)
		code = app->config_check(config, run->config_path ?: "no configuration");
	if (!code)
		return config;
	free_config(run, config);
	return NULL;
}

/* What was in force stays unless all of the new one is right. */
static void reload(struct app_run *run)
{
	void *config = read_config(run);

	if (config && !run->app->apply(run, config)) {
		free_config(run, run->config);
		run->config = config;
		fprintf(stderr, "%s: read again\n", run->config_path);
		return;
	}
	free_config(run, config);
	fprintf(stderr, "%s: not taken; the configuration from before stays\n",
		run->config_path);
}

/* --- the thread of reloads and work --- */

struct control {
	struct app_run *run;
	pthread_t thread;
	atomic_bool stop;
};

/* The signal handler's. */
static int wake_fd = -1;
static atomic_bool reload_wanted;

static void wake(void)
{
	const u64 one = 1;

	if (write(wake_fd, &one, sizeof(one)) < 0)
		return; /* full: it is awake */
}

static void ask_for_reload(int signal)
{
	const int saved = errno;

	atomic_store(&reload_wanted, true);
	wake();
	errno = saved;
}

static int pause_ms(const struct app *app, u64 due_ns)
{
	const u64 now = os_time_ns(CLOCK_MONOTONIC);

	if (!app->work)
		return IDLE_MS;
	return due_ns > now ? (int)min((due_ns - now + 999999) / 1000000, (u64)IDLE_MS) : 0;
}

static void *control_thread(void *cookie)
{
	struct control *control = cookie;
	struct app_run *run = control->run;
	u64 due_ns = os_time_ns(CLOCK_MONOTONIC), count;

	while (!atomic_load(&control->stop)) {
		struct pollfd woken = {.fd = wake_fd, .events = POLLIN};

		if (poll(&woken, 1, pause_ms(run->app, due_ns)) > 0 &&
		    read(wake_fd, &count, sizeof(count)) < 0)
			continue;
		pthread_mutex_lock(&run->lock);
		if (atomic_exchange(&reload_wanted, false) && run->config_path)
			reload(run);
		if (run->app->work && os_time_ns(CLOCK_MONOTONIC) >= due_ns) {
			run->app->work(run);
			due_ns = os_time_ns(CLOCK_MONOTONIC) + run->app->work_ns;
		}
		pthread_mutex_unlock(&run->lock);
	}
	return NULL;
}

static int control_start(struct control *control, struct app_run *run)
{
	const struct sigaction action = {.sa_handler = ask_for_reload, .sa_flags = SA_RESTART};

	control->run = run;
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0 || pthread_create(&control->thread, NULL, control_thread, control))
		return usage_error("no thread for reloads: %s", strerror(errno));
	sigaction(SIGHUP, &action, NULL);
	return 0;
}

static void control_stop(struct control *control)
{
	signal(SIGHUP, SIG_IGN);
	atomic_store(&control->stop, true);
	wake();
	pthread_join(control->thread, NULL);
	close(wake_fd);
	wake_fd = -1;
}

/* --- a run --- */

static void show(void *cookie)
{
	struct app_run *run = cookie;

	pthread_mutex_lock(&run->lock);
	if (run->app->show)
		run->app->show(run);
	pthread_mutex_unlock(&run->lock);
}

static int run_attached(struct app_run *run, struct move *move)
{
	struct control control = {};
	int stats = option_given(run->session.line, OPTION_stats)
			    ? bpf_enable_stats(BPF_STATS_RUN_TIME)
			    : -1;
	int code = control_start(&control, run);

	if (code)
		return code;
	code = move_until_end(move);
	control_stop(&control);
	if (stats >= 0)
		close(stats);
	if (run->session.on_linux)
		detach_all(&run->session, &run->attachments);
	if (run->app->end)
		run->app->end(run);
	if (!run->session.on_linux)
		summary_ports(&run->session, &run->attachments, move->end_ns - move->start_ns);
	show(run);
	return code;
}

static int attach_and_run(struct app_run *run)
{
	struct move move = {
		.session = &run->session,
		.attachments = &run->attachments,
		.show = show,
		.cookie = run,
	};
	int code = move_options(run->session.line, &move);

	move.shows_progress &= !run->app->owns_terminal;
	if (code)
		return code;
	move_catch_signals(run->session.engine);
	code = attach_all(&run->session, 1, &run->attachments);
	if (!code)
		code = run_attached(run, &move);
	move_ignore_engine();
	return code;
}

static int set_dry(struct app_run *run)
{
	u32 *is_dry = app_global(run, "is_dry", sizeof(*is_dry));

	if (is_dry)
		*is_dry = run->is_dry;
	else if (run->is_dry)
		return usage_error("--dry-run: this network function changes no packet");
	return 0;
}

static int open_app(struct app_run *run, const struct app_row *row)
{
	struct command_line *line = run->session.line;
	int code;

	if (!*row->size)
		return usage_error("app %s: this skep was built without clang, so there are no "
				   "programs of it",
				   row->name);
	line->option[OPTION_program] = row->programs;
	code = session_open_bytes(&run->session, line, row->name, row->object, *row->size);
	code = code ?: open_ports(&run->session, &run->attachments);
	code = code ?: set_dry(run);
	if (!code && run->app->prepare)
		code = run->app->prepare(run, run->config);
	code = code ?: session_load(&run->session);
	code = code ?: session_share_globals(&run->session);
	return code ?: run->app->apply(run, run->config);
}

static int run_app(struct app_run *run, const struct app_row *row)
{
	int code = open_app(run, row);

	code = code ?: attach_and_run(run);
	detach_all(&run->session, &run->attachments);
	if (run->app->done)
		run->app->done(run);
	session_close(&run->session);
	return code;
}

/* What another process has pinned is reached through an engine or the kernel. */
static int run_alone(struct app_run *run)
{
	int code = session_target(&run->session, run->session.line);

	run->own = calloc(1, max(run->app->own_size, (size_t)1));
	if (!code)
		code = run->own ? run->app->alone(run) : usage_error("out of memory");
	session_close(&run->session);
	free(run->own);
	return code;
}

static int run_with_config(struct app_run *run, const struct app_row *row)
{
	const struct command_line *line = run->session.line;
	int code = EXIT_NO_VERDICT;

	run->config = read_config(run);
	run->own = calloc(1, max(run->app->own_size, (size_t)1));
	if (run->config && option_given(line, OPTION_check))
		code = 0;
	else if (run->config && !option_given(line, OPTION_on))
		code = usage_error("app %s: --on PORT is missing (`skep port` lists them)",
				   row->name);
	else if (run->config && run->own)
		code = run_app(run, row);
	free_config(run, run->config);
	free(run->own);
	return code;
}

/* A port may stand behind the name. */
static int run_on_port(struct app_run *run, const struct app_row *row)
{
	struct command_line *line = run->session.line;

	if (line->argument_count == 2)
		line->option[OPTION_on] = line->arguments[1];
	if (option_given(line, OPTION_on))
		return run_with_config(run, row);
	if (row->app->alone && option_given(line, OPTION_pin_dir))
		return run_alone(run);
	return usage_error("app %s: expected PORT, or --pin-dir DIR of a running sampler",
			   row->name);
}

/* --- what there is --- */

static int list_apps(struct output *output)
{
	output_list(output);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		output_begin(output, NULL);
		output_bare(output, "name", rows[i].name);
		output_line(output);
		output_bare(output, "text", rows[i].help);
		output_end(output);
	}
	output_list_end(output);
	return 0;
}

static int list_statements(struct output *output, const struct app *app)
{
	output_list(output);
	for (u32 i = 0; i < app->row_count; i++) {
		struct strbuf usage;

		strbuf_init(&usage);
		strbuf_addf(&usage, "%s %s", app->rows[i].word, app->rows[i].usage);
		output_begin(output, NULL);
		output_bare(output, "statement", strbuf_text(&usage));
		output_line(output);
		output_bare(output, "text", app->rows[i].help);
		output_end(output);
		strbuf_done(&usage);
	}
	output_list_end(output);
	return 0;
}

static const struct app_row *find_row(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

int cmd_app(struct command_line *line)
{
	const struct app_row *row;
	struct app_run run = {.lock = PTHREAD_MUTEX_INITIALIZER};

	if (!line->argument_count)
		return list_apps(&line->output);
	row = find_row(line->arguments[0]);
	if (!row)
		return usage_error("app: no network function '%s'; `skep app` lists them",
				   line->arguments[0]);
	if (line->argument_count > 2)
		return usage_error("app %s: expected one CONFIG", row->name);
	run.app = row->app;
	run.session.line = line;
	run.is_dry = option_given(line, OPTION_dry);
	if (row->app->takes_port)
		return run_on_port(&run, row);
	run.config_path = line->argument_count == 2 ? line->arguments[1] : NULL;
	if (!run.config_path && !option_given(line, OPTION_on))
		return list_statements(&line->output, run.app);
	if (!run.config_path && run.app->needs_config)
		return usage_error("app %s: expected CONFIG, a file; `skep app %s` lists what "
				   "it may say",
				   row->name, row->name);
	return run_with_config(&run, row);
}
