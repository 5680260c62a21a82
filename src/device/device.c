/* SPDX-License-Identifier: BSD-2-Clause */
#include "device/device.h"

#include "base/error.h"
#include "device/channel.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The verifier at the other end may take a minute. */
#define ANSWER_SECONDS 120

struct device {
	atomic_int refs;
	char *name;
	struct device_about about;
	pthread_mutex_t channel_lock; /* one request at a time */
	int fd;
	/* What is asked of others meanwhile; a leaf. */
	pthread_mutex_t lock;
	int gone; /* negative errno: why; 0: it is there */
	bool is_closed;
	struct device_handle *freed;
	struct device_port_counts counts;
};

struct device *device_get(struct device *device)
{
	atomic_fetch_add(&device->refs, 1);
	return device;
}

void device_put(struct device *device)
{
	if (!device || atomic_fetch_sub(&device->refs, 1) != 1)
		return;
	if (device->fd >= 0)
		close(device->fd);
	pthread_mutex_destroy(&device->channel_lock);
	pthread_mutex_destroy(&device->lock);
	free(device->name);
	free(device);
}

const char *device_name(const struct device *device)
{
	return device->name;
}

const struct device_about *device_about(const struct device *device)
{
	return &device->about;
}

/* --- its end --- */

static void mark_gone(struct device *device, int why)
{
	pthread_mutex_lock(&device->lock);
	if (!device->gone)
		device->gone = why;
	pthread_mutex_unlock(&device->lock);
	shutdown(device->fd, SHUT_RDWR);
}

void device_close(struct device *device)
{
	pthread_mutex_lock(&device->lock);
	device->is_closed = true;
	pthread_mutex_unlock(&device->lock);
	mark_gone(device, -ENODEV);
}

int device_check(struct device *device, struct skep_error *err)
{
	bool is_closed;
	int gone;

	pthread_mutex_lock(&device->lock);
	gone = device->gone;
	is_closed = device->is_closed;
	pthread_mutex_unlock(&device->lock);
	if (!gone)
		return 0;
	if (is_closed)
		return error_set(err, SKEP_STAGE_PORT, -ENODEV, "device %s: its port is closed",
				 device->name);
	return error_set(err, SKEP_STAGE_PORT, -ENODEV,
			 "device %s: the channel is broken: %s (what was counted stays)",
			 device->name,
			 gone == -ECONNRESET ? "the device is gone" : strerror(-gone));
}

/* --- requests --- */

/* The two texts of a refusal, of any content. */
static int take_refusal(struct device *device, int code, char *texts, size_t size,
			struct skep_error *err)
{
	size_t length;

	texts[size] = '\0';
	length = strlen(texts);
	error_set(err, SKEP_STAGE_PORT, code, "device %s: %s", device->name,
		  length ? texts : strerror(-code));
	if (length + 1 < size && texts[length + 1])
		error_hint(err, "%s", texts + length + 1);
	return code;
}

/* The texts of a refusal, as many bytes of them as a record takes; the rest is dropped. */
static int receive_refusal(struct device *device, int code, size_t size, struct skep_error *err)
{
	char texts[2 * SKEP_ERROR_TEXT + 1];

	if (size >= sizeof(texts))
		return -EPROTO;
	if (channel_receive(device->fd, texts, size))
		return -ECONNRESET;
	take_refusal(device, code, texts, size, err);
	return 0;
}

/* The answer: 0 and *code, or why there is none. */
static int receive_answer(struct device *device, void *answer, size_t room, int *code,
			  struct skep_error *err)
{
	struct device_frame frame;
	struct device_result result;
	int broken = channel_receive(device->fd, &frame, sizeof(frame));
	size_t size;

	if (broken)
		return broken;
	if (frame.type != DEVICE_ANSWER || frame.length < sizeof(result))
		return -EPROTO;
	broken = channel_receive(device->fd, &result, sizeof(result));
	if (broken)
		return broken;
	size = frame.length - sizeof(result);
	if (result.code > 0 || result.code < -4095 || (!result.code && size > room))
		return -EPROTO;
	*code = result.code ?: (int)size;
	return result.code ? receive_refusal(device, result.code, size, err)
			   : channel_receive(device->fd, answer, size);
}

static int send_request(struct device *device, const struct device_request *request)
{
	const struct channel_part parts[] = {{request->head, request->head_size},
					     {request->more[0], request->more_size[0]},
					     {request->more[1], request->more_size[1]}};

	return channel_send(device->fd, request->type, parts, ARRAY_SIZE(parts));
}

/* --- what is freed --- */

static struct device_handle *take_freed(struct device *device)
{
	struct device_handle *freed;

	pthread_mutex_lock(&device->lock);
	freed = device->freed;
	device->freed = NULL;
	pthread_mutex_unlock(&device->lock);
	return freed;
}

/* With the channel's lock held. A list keeps the order in which they were freed backwards,
 * which is no matter: programs have references to their maps there, too. */
static int send_freed(struct device *device)
{
	struct device_handle *handle, *next;
	int broken = 0;

	for (handle = take_freed(device); handle; handle = next) {
		const struct device_free head = {.handle = handle->number};

		next = handle->next;
		if (!broken)
			broken = send_request(
				device, &(struct device_request){
						DEVICE_free, &head, sizeof(head), {}, {}});
		free(handle);
		device_put(device);
	}
	return broken;
}

/* The references that handles have may be the last: the caller's own keeps the device. */
static void flush_freed(struct device *device)
{
	int broken;

	if (pthread_mutex_trylock(&device->channel_lock))
		return; /* who has it looks for them when he is done */
	broken = send_freed(device);
	pthread_mutex_unlock(&device->channel_lock);
	if (broken)
		mark_gone(device, broken);
}

void device_handle_free(struct device_handle *handle)
{
	struct device *device = handle ? device_get(handle->device) : NULL;

	if (!handle)
		return;
	pthread_mutex_lock(&device->lock);
	handle->next = device->freed;
	device->freed = handle;
	pthread_mutex_unlock(&device->lock);
	flush_freed(device);
	device_put(device);
}

struct device_handle *device_handle_new(struct device *device, const struct device_made *made)
{
	struct device_handle *handle = calloc(1, sizeof(*handle));

	if (handle)
		*handle = (struct device_handle){.device = device_get(device),
						 .number = made->handle,
						 .code_size = made->code_size};
	return handle;
}

int device_ask(struct device *device, const struct device_request *request, void *answer,
	       size_t room, struct skep_error *err)
{
	int code = 0, broken = 0;

	pthread_mutex_lock(&device->channel_lock);
	if (device_check(device, err)) {
		pthread_mutex_unlock(&device->channel_lock);
		return -ENODEV;
	}
	broken = send_freed(device);
	if (!broken)
		broken = send_request(device, request);
	if (!broken)
		broken = receive_answer(device, answer, room, &code, err);
	pthread_mutex_unlock(&device->channel_lock);
	if (broken) {
		mark_gone(device, broken == -EAGAIN ? -ETIMEDOUT : broken);
		return device_check(device, err);
	}
	flush_freed(device);
	return code;
}

/* --- its beginning --- */

static int say_hello(struct device *device, struct skep_error *err)
{
	const struct device_hello hello = {DEVICE_MAGIC, DEVICE_VERSION};
	struct device_about *about = &device->about;
	int got = device_ask(
		device, &(struct device_request){DEVICE_hello, &hello, sizeof(hello), {}, {}},
		about, sizeof(*about), err);

	if (got < 0)
		return got;
	if (got != sizeof(*about) || about->magic != DEVICE_MAGIC ||
	    about->version != DEVICE_VERSION)
		return error_set(
			err, SKEP_STAGE_PORT, -EPROTONOSUPPORT,
			"device %s: it speaks version %u of the protocol, this skep %u",
			device->name, got >= 8 ? about->version : 0, DEVICE_VERSION);
	about->machine[sizeof(about->machine) - 1] = about->port[sizeof(about->port) - 1] =
		'\0';
	return 0;
}

static void set_patience(int fd)
{
	const struct timeval time = {.tv_sec = ANSWER_SECONDS};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
}

static struct device *new_device(const char *address, int fd)
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	device->name = strdup(address);
	if (!device->name) {
		free(device);
		return NULL;
	}
	device->refs = 1;
	device->fd = fd;
	pthread_mutex_init(&device->channel_lock, NULL);
	pthread_mutex_init(&device->lock, NULL);
	return device;
}

int device_open(const char *address, struct device **out, struct skep_error *err)
{
	int fd = channel_connect(address, err), code;
	struct device *device;

	if (fd < 0)
		return fd;
	device = new_device(address, fd);
	if (!device) {
		close(fd);
		return error_set(err, SKEP_STAGE_PORT, -ENOMEM, "out of memory");
	}
	set_patience(fd);
	code = say_hello(device, err) ?: device_refresh(device, err);
	if (code)
		device_put(device);
	else
		*out = device;
	return code;
}

/* --- what its port counted --- */

int device_refresh(struct device *device, struct skep_error *err)
{
	const struct device_port_stats head = {};
	struct device_port_counts counts;
	int got = device_ask(
		device,
		&(struct device_request){DEVICE_port_stats, &head, sizeof(head), {}, {}},
		&counts, sizeof(counts), err);

	if (got < 0)
		return got;
	if (got != sizeof(counts)) {
		mark_gone(device, -EPROTO);
		return device_check(device, err);
	}
	pthread_mutex_lock(&device->lock);
	device->counts = counts;
	pthread_mutex_unlock(&device->lock);
	return 0;
}

void device_counts(struct device *device, struct device_port_counts *out)
{
	pthread_mutex_lock(&device->lock);
	*out = device->counts;
	pthread_mutex_unlock(&device->lock);
}
