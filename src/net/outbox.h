/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames on their way out, gathered per port while a batch is worked on, so that a port gets
 * many at once. Each worker has one. Frames are not copied: they stay untouched until the
 * flush. What goes to one port leaves in the order in which it was put in.
 */
#ifndef SKEP_NET_OUTBOX_H
#define SKEP_NET_OUTBOX_H

#include "net/port.h"

struct outbox_list {
	struct port *port;
	u32 count;
	struct frame *frames[FRAME_BATCH];
};

struct outbox {
	u32 queue; /* through which frames leave, modulo a port's queues */
	u32 active_count;
	u32 active[PORTS_MAX];		     /* ports with frames, by ifindex - 1 */
	struct outbox_list lists[PORTS_MAX]; /* by ifindex - 1 */
};

void outbox_send_list(struct outbox *outbox, struct outbox_list *list);
/* Sends everything. */
void outbox_flush(struct outbox *outbox);

static inline void outbox_put(struct outbox *outbox, struct port *port, struct frame *frame)
{
	struct outbox_list *list = &outbox->lists[port->ifindex - 1];

	if (!list->count) {
		list->port = port;
		outbox->active[outbox->active_count++] = port->ifindex - 1;
	}
	list->frames[list->count++] = frame;
	if (unlikely(list->count == FRAME_BATCH))
		outbox_send_list(outbox, list);
}

#endif
