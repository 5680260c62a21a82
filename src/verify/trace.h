/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk's part of the log: the path, one line per instruction, and the statistics. */
#ifndef SKEP_VERIFY_TRACE_H
#define SKEP_VERIFY_TRACE_H

#include "verify/walk.h"

/* The instruction that comes now. */
void trace_insn(struct walk *walk);
/* The walk goes on with a path put off; without states in the log, the lines since go. */
void trace_resume(struct walk *walk, const struct pending *pending);
void trace_stats(struct walk *walk);

#endif
