/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk's part of the log: the path, one line per instruction with what it changed, as Linux
 * prints it, and the statistics.
 */
#ifndef SKEP_VERIFY_TRACE_H
#define SKEP_VERIFY_TRACE_H

#include "verify/walk.h"

/* The path goes to the log. */
static inline bool trace_is_on(const struct walk *walk)
{
	return walk->log && walk->log_level & (VERIFY_LOG_PATH | VERIFY_LOG_STATES);
}

/* The instruction that comes now, where trace_is_on(). */
void trace_insn(struct walk *walk);
/* A conditional jump was gone over that may go both ways: what this way says. */
void trace_branch(struct walk *walk);
/* The walk is about to go on with a path put off; without states in the log, the lines since
 * go. */
void trace_drop_path(struct walk *walk, const struct pending *pending);
/* It goes on with it. */
void trace_resume(struct walk *walk);
/* The source line of the current instruction, in front of a rejection before it. */
void trace_source(struct walk *walk);
/* The present state, and the one kept before that is the same. */
void trace_same_again(struct walk *walk, const struct packed_state *before);
/* A state kept here covers this one: the path is not followed further. */
void trace_pruned(struct walk *walk);
/* A global function is walked on its own: what the log holds of others that were accepted
 * goes. */
void trace_function_starts(struct walk *walk, u32 subprog);
void trace_function_ends(struct walk *walk, u32 subprog);
/* The walk of the program itself is over, and nothing was wrong. */
void trace_program_ends(struct walk *walk);
/* What is alive before each instruction. */
void trace_liveness(struct walk *walk);
/* A line that says what was found, at any log level. */
void trace_note(struct walk *walk, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void trace_stats(struct walk *walk);

#endif
