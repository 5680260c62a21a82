/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines that programs print. They go to the engine's callback, else into a pipe that keeps the
 * first 64 KiB that nobody has read; later lines are dropped while it is full, so that a
 * program never waits.
 */
#ifndef SKEP_SYS_TRACE_H
#define SKEP_SYS_TRACE_H

#include <skep/skep.h>

int trace_init(struct skep_engine *engine, const struct skep_engine_opts *opts);
void trace_done(struct skep_engine *engine);

/* run_env.trace */
void trace_write(void *engine, const char *text, size_t length);

/* run_env.violation: a line in the trace. */
struct run_violation;
void trace_violation(void *engine, const struct run_violation *violation);

#endif
