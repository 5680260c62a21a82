/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets between hosts and devices, and whole messages on them. */
#ifndef SKEP_DEVICE_CHANNEL_H
#define SKEP_DEVICE_CHANNEL_H

#include "device/message.h"
#include <skep/error.h>

/* "unix:PATH" or "tcp:HOST:PORT" ("tcp:[HOST]:PORT"): a socket, or a negative errno with `err`.
 */
int channel_connect(const char *address, struct skep_error *err);
int channel_listen(const char *address, struct skep_error *err);
/* Takes the name of a unix: address away that channel_listen() made. */
void channel_forget(const char *address);

/* One part of a message. */
struct channel_part {
	const void *bytes;
	size_t size;
};

/* 0 or a negative errno. At most 3 parts. */
int channel_send(int fd, u32 type, const struct channel_part *parts, u32 count);
/* Exactly so many bytes: 0, or a negative errno; -ECONNRESET: the other end is gone. */
int channel_receive(int fd, void *bytes, size_t size);

#endif
