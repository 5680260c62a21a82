/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/outbox.h"

void outbox_send_list(struct outbox *outbox, struct outbox_list *list)
{
	u32 i = 0;

	port_send(list->port, outbox->queue, list->frames, (int)list->count);
	list->count = 0;
	while (&outbox->lists[outbox->active[i]] != list)
		i++;
	outbox->active[i] = outbox->active[--outbox->active_count];
}

void outbox_flush(struct outbox *outbox)
{
	while (outbox->active_count)
		outbox_send_list(outbox, &outbox->lists[outbox->active[0]]);
}
