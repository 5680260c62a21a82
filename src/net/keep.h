/* SPDX-License-Identifier: BSD-2-Clause */
/* What ports that keep a capture of what leaves them have in common. */
#ifndef SKEP_NET_KEEP_H
#define SKEP_NET_KEEP_H

#include "net/capture.h"
#include "net/port.h"

/* struct port_ops.send(), with the queue's lock held. */
int keep_frames(struct port_queue *queue, struct capture_writer *writer,
		struct frame *const *frames, int count);
/* struct port_ops.finish(): all that was kept is in the file, or is counted as failed. */
int keep_finish(struct port_queue *queue, struct capture_writer *writer);

#endif
