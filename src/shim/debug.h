/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command and the preload library offer to see of machine code. */
#ifndef SKEP_SHIM_DEBUG_H
#define SKEP_SHIM_DEBUG_H

#include <skep/skep.h>

/* "perf-map", "perf-dump" and "gdb", with commas between them, to enum skep_jit_debug. False: a
 * name is another one. */
bool debug_parse(const char *text, uint32_t *out);

/*
 * From now on a crash in the machine code of this engine's programs is reported on standard
 * error, in front of what was to happen otherwise. One engine of the process; it must last.
 */
void debug_report_crashes(struct skep_engine *engine);

#endif
