/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep device`: an engine whose programs other processes load. */
#include "base/os.h"
#include "cli/attach.h"
#include "cli/summary.h"

#include <signal.h>
#include <skep/device.h>
#include <string.h>
#include <time.h>

/* For all threads that there will be: they are waited for. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

/* Who waits for this record can connect. */
static void say_ready(struct output *output, const char *address)
{
	output_begin(output, "device");
	output_string(output, "listening", address);
	output_end(output);
}

static int serve(struct session *session, const struct attachments *attachments,
		 const sigset_t *signals)
{
	struct command_line *line = session->line;
	const struct skep_device_opts opts = {.sz = sizeof(opts),
					      .listen = line->option[OPTION_listen],
					      .ifindex = attachments->ports[0],
					      .without = line->option[OPTION_without]};
	const u64 start = os_time_ns(CLOCK_MONOTONIC);
	struct skep_error err = {};
	struct skep_device *device = skep_device_start(session->engine, &opts, &err);
	int signal, code;

	if (!device)
		return usage_error("%s", err.text);
	say_ready(&line->output, opts.listen);
	sigwait(signals, &signal);
	code = skep_device_stop(device, &err);
	if (code) {
		usage_error("%s", err.text);
		code = EXIT_REJECTED;
	}
	summary_ports(session, attachments, os_time_ns(CLOCK_MONOTONIC) - start);
	return code;
}

int cmd_device(struct command_line *line)
{
	struct session session = {};
	struct attachments attachments = {};
	sigset_t signals;
	int code;

	if (line->argument_count)
		return usage_error("device: takes no arguments");
	if (!option_given(line, OPTION_listen))
		return usage_error("device: --listen unix:PATH or tcp:HOST:PORT is missing");
	block_signals(&signals);
	code = session_target(&session, line);
	code = code ?: open_ports(&session, &attachments);
	code = code ?: serve(&session, &attachments, &signals);
	detach_all(&session, &attachments);
	session_close(&session);
	return code;
}
