/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program writes for whoever reads it with BPF_PROG_STREAM_READ_BY_FD. */
#ifndef SKEP_RUN_STREAM_H
#define SKEP_RUN_STREAM_H

#include "run/run.h"

/* Appends to stream `id` (BPF_STDOUT, BPF_STDERR). 0, -ENOENT: there is no such stream;
 * -ENOSPC: as much waits as Linux keeps; -ENOMEM. */
int prog_stream_write(const struct prog *prog, u32 id, const char *text, size_t length);
/* Takes at most so many bytes out of it, to the caller's memory: the bytes or a negative errno.
 * What could not be written stays. */
int prog_stream_read(const struct prog *prog, u32 id, u64 to, u32 length);

/* With the program: 0 or -ENOMEM. */
int prog_streams_new(struct prog *prog);
void prog_streams_free(struct prog *prog);

#endif
