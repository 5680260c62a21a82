/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time in which programs work at their ports: packets move, or the kernel moves them, until
 * the end that the user wants.
 */
#ifndef SKEP_CLI_MOVE_H
#define SKEP_CLI_MOVE_H

#include "cli/attach.h"

struct move {
	struct session *session; /* of the engine, or of the kernel */
	const struct attachments *attachments;
	u64 interval_ns, duration_ns, count, workers; /* 0: none */
	/* Every interval, on the thread that moves packets. */
	void (*show)(void *cookie);
	/* Some times a second, on the same thread; NULL: nothing. */
	void (*poll)(void *cookie);
	void *cookie;
	bool shows_progress;
	/* CLOCK_MONOTONIC; 0: not yet */
	u64 start_ns, end_ns;
	u64 shown_ns;
};

/* --interval, --duration, --count and --workers. 0 or an exit code after a message. */
int move_options(const struct command_line *line, struct move *out);

/* From now on SIGINT and SIGTERM end move_until_end(), and a second one the process. */
void move_catch_signals(struct skep_engine *engine);
void move_ignore_engine(void);

/* Whether the user wants an end. */
bool move_is_interrupted(void);

/* 0 or an exit code after a message. */
int move_until_end(struct move *move);

#endif
