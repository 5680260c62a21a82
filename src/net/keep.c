/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/keep.h"

/* When writing ends, what was taken but is not in the file any more never left. */
static void count_lost(struct port_queue *queue, struct capture_writer *writer)
{
	if (!writer->lost_packets)
		return;
	port_unsend(queue, writer->lost_packets, writer->lost_bytes);
	writer->lost_packets = writer->lost_bytes = 0;
}

int keep_frames(struct port_queue *queue, struct capture_writer *writer,
		struct frame *const *frames, int count)
{
	int kept = 0;

	count_lost(queue, writer);
	while (kept < count &&
	       !capture_write(writer, frames[kept]->data, frames[kept]->length,
			      frames[kept]->original_length, frames[kept]->time_ns))
		kept++;
	return kept;
}

int keep_finish(struct port_queue *queue, struct capture_writer *writer)
{
	int code;

	pthread_mutex_lock(&queue->lock);
	code = capture_flush(writer);
	count_lost(queue, writer);
	pthread_mutex_unlock(&queue->lock);
	return code;
}
