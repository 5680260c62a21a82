/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/trace.h"

#include "run/run.h"
#include "run/violation.h"
#include "sys/engine.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int trace_init(struct skep_engine *engine, const struct skep_engine_opts *opts)
{
	int ends[2];

	engine->trace = opts->trace;
	engine->trace_cookie = opts->trace_cookie;
	if (engine->trace)
		return 0;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	engine->trace_read = ends[0];
	engine->trace_write = ends[1];
	return 0;
}

void trace_done(struct skep_engine *engine)
{
	if (engine->trace_read < 0)
		return;
	close(engine->trace_read);
	close(engine->trace_write);
}

/* A line of at most PIPE_BUF bytes is written whole or not at all. */
void trace_write(void *owner, const char *text, size_t length)
{
	struct skep_engine *engine = owner;

	if (engine->trace)
		engine->trace(engine->trace_cookie, text, length);
	else if (write(engine->trace_write, text, length) < 0)
		return;
}

void trace_violation(void *owner, const struct run_violation *violation)
{
	struct strbuf line;

	strbuf_init(&line);
	strbuf_addf(&line, "checked interpreter: program '%s': ",
		    violation->prog ? violation->prog->name : "");
	violation_print(violation, &line);
	strbuf_addc(&line, '\n');
	trace_write(owner, strbuf_text(&line), line.length);
	strbuf_done(&line);
}

int skep_trace_open(struct skep_engine *engine)
{
	struct skep_error *err = engine_error_start(engine);
	int fd;

	if (engine->trace)
		return error_set(err, SKEP_STAGE_CALL, -ENOENT,
				 "the engine was given a trace callback; it keeps no lines");
	fd = fcntl(engine->trace_read, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? error_set(err, SKEP_STAGE_CALL, -errno, "no descriptor is free") : fd;
}
