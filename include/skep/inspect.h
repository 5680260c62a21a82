/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking into an engine: what the stages of the pipeline made of a program. */
#ifndef SKEP_INSPECT_H
#define SKEP_INSPECT_H

#include <skep/skep.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The text of a stage ("insns", "cfg", "facts", "ir", "ir:PASS") of the program behind a file descriptor. *out
 * is the caller's, who gives it to free(); it stays untouched on failure. 0 or a negative
 * errno: -EBADF (no program), -EINVAL (no such stage), -ENOMEM.
 */
SKEP_API int skep_prog_print(struct skep_engine *engine, int prog_fd, const char *stage,
			     char **out);

/*
 * What skep lacks to run the program behind a file descriptor of a verify-only engine: one line
 * each, "helper NAME" or "kernel function NAME"; "": nothing. *out is the
 * caller's, who gives it to free(); it stays untouched on failure. 0 or a negative errno:
 * -EBADF (no program), -ENOMEM.
 */
SKEP_API int skep_prog_lacks(struct skep_engine *engine, int prog_fd, char **out);

/*
 * Bytes of memory of the map behind a file descriptor: what it may need for max_entries, and
 * what it has grown by; the engine's memory_limit counts the same. *out stays untouched on
 * failure. 0 or a negative errno: -EBADF (no map).
 */
SKEP_API int skep_map_bytes(struct skep_engine *engine, int map_fd, uint64_t *out);

#ifdef __cplusplus
}
#endif
#endif
