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

static int keep_frame(struct capture_writer *writer, const struct frame *frame)
{
	return capture_write_noted(writer, frame->data, frame->length, frame->original_length,
				   frame->known & FRAME_TIME ? frame->time_ns : 0,
				   frame->known & FRAME_NOTE ? frame->note : NULL);
}

int keep_frames(struct port_queue *queue, struct capture_writer *writer,
		struct frame *const *frames, int count)
{
	int kept = 0;

	count_lost(queue, writer);
	while (kept < count && !keep_frame(writer, frames[kept]))
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
