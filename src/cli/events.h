/* SPDX-License-Identifier: BSD-2-Clause */
/* Ring buffers and perf buffers of an object, read on a thread of their own while it runs. */
#ifndef SKEP_CLI_EVENTS_H
#define SKEP_CLI_EVENTS_H

#include "cli/session.h"

struct events;

/* Starts reading every ring buffer and perf event array. 0 or an exit code after a message. */
int events_start(struct session *session, struct events **out);
/* Prints what is left and stops; NULL is allowed. */
void events_stop(struct events *events);

#endif
