/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device as its host knows it: a process with an engine of its own, which runs the programs
 * that are loaded for it and has their maps. The host keeps handles. Everything here waits for
 * the device and may be called from any thread, but not in a read-side section. When the
 * channel breaks, or the device's port is closed, all that is asked fails with -ENODEV, and
 * handles stay good for nothing.
 */
#ifndef SKEP_DEVICE_DEVICE_H
#define SKEP_DEVICE_DEVICE_H

#include "device/message.h"
#include <skep/error.h>

struct device;

/* Connects and learns what it is; the caller's reference. */
int device_open(const char *address, struct device **out, struct skep_error *err);
struct device *device_get(struct device *device);
void device_put(struct device *device); /* NULL: nothing */
/* From now on it is gone, whoever has references. */
void device_close(struct device *device);

const char *device_name(const struct device *device); /* its address */
const struct device_about *device_about(const struct device *device);
/* 0, or why nothing more can be asked of it: -ENODEV, `err` filled in. */
int device_check(struct device *device, struct skep_error *err);

/* One request; the length of `answer`, which has at most `room` bytes behind the result, or a
 * negative errno: the device's, or -ENODEV. */
struct device_request {
	enum device_message type;
	const void *head;
	size_t head_size;
	const void *more[2];
	size_t more_size[2];
};

int device_ask(struct device *device, const struct device_request *request, void *answer,
	       size_t room, struct skep_error *err);

/* Something that the device has for the host. */
struct device_handle {
	struct device *device; /* reference */
	u32 number;
	u32 code_size;		    /* of a program */
	struct device_handle *next; /* while it waits to be freed */
};

struct device_handle *device_handle_new(struct device *device, const struct device_made *made);
/* Frees it there, too, as soon as nobody else talks to the device. Waits for nobody. NULL:
 * nothing. */
void device_handle_free(struct device_handle *handle);

/* What the device's port counted. With a device that is gone: what was last heard. */
int device_refresh(struct device *device, struct skep_error *err);
void device_counts(struct device *device, struct device_port_counts *out);

#endif
