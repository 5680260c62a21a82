/* SPDX-License-Identifier: BSD-2-Clause */
/* Sampled packets on their way from the program's ring to a capture file. */
#ifndef SAMPLER_CAPTURE_H
#define SAMPLER_CAPTURE_H

#include "sampler.h"

#include "base/types.h"

struct ring_buffer;
struct skep_capture_writer;

/* How packets are chosen. */
struct capture_choice {
	enum sampler_capture kind;
	u64 n; /* RANDOM: one of so many; BY_SIZE: from so many bytes on always */
	u32 snap;
	char *path; /* owned; NULL: nothing is captured */
};

struct capture {
	const struct capture_choice *choice; /* in force */
	char *path;			     /* owned; of the file that is open */
	struct skep_capture_writer *writer;  /* NULL: none, or it came to an end */
	struct ring_buffer *ring;
	s64 wall_ns; /* what CLOCK_REALTIME is ahead of CLOCK_MONOTONIC */
	u64 written, lost;
	bool is_dirty;
};

/* The ring. 0 or an exit code after a message. */
int capture_start(struct capture *capture, int ring_fd);
/* At first and at each reload: the file of `choice`, or NULL when it has none or goes on with
 * the one that is open, 0 or an exit code after a message; then, with that file, `choice` is
 * in force, and stays the caller's. */
int capture_open_file(const struct capture *capture, const struct capture_choice *choice,
		      struct skep_capture_writer **out);
void capture_use(struct capture *capture, const struct capture_choice *choice,
		 struct skep_capture_writer *writer);
/* Takes what is in the ring; `flushes`: what was written is to be in the file. A file that
 * cannot be written is told of once; its samples are counted as lost. */
void capture_work(struct capture *capture, bool flushes);
void capture_done(struct capture *capture);

#endif
