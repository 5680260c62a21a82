/* SPDX-License-Identifier: BSD-2-Clause */
/* A device's life: it listens, has a thread for each host, and one that moves packets. */
#include "sys/device.h"

#include "base/error.h"
#include "device/channel.h"
#include "net/net.h"
#include "sys/engine.h"

#include <errno.h>
#include <poll.h>
#include <skep/port.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- packets --- */

static void *move_packets(void *cookie)
{
	struct skep_device *device = cookie;
	struct skep_error err = {};
	int code = skep_ports_run(device->engine, NULL, &err);

	pthread_mutex_lock(&device->lock);
	device->failed = code;
	device->error = err;
	pthread_mutex_unlock(&device->lock);
	return NULL;
}

int device_move(struct skep_device *device)
{
	int code;

	if (device->is_moving)
		return 0;
	code = pthread_create(&device->mover, NULL, move_packets, device);
	device->is_moving = !code;
	return -code;
}

/* --- one host --- */

static int answer_host(struct device_host *host, int code, const struct answer *answer)
{
	const struct device_result result = {.code = code};
	const struct channel_part parts[] = {
		{&result, sizeof(result)},
		{code ? host->err.text : answer->bytes,
		 code ? strlen(host->err.text) + 1 : answer->size},
		{code ? host->err.hint : NULL, code ? strlen(host->err.hint) + 1 : 0}};

	return channel_send(host->fd, DEVICE_ANSWER, parts, ARRAY_SIZE(parts));
}

/* Whether the channel goes on. */
static bool serve(struct device_host *host, const struct request *request)
{
	struct answer answer = {.bytes = host->answer};
	bool goes_on;
	int code;

	error_clear(&host->err);
	code = device_serve(host, request, &answer);
	if (code && !host->err.text[0])
		error_set(&host->err, SKEP_STAGE_CALL, code, "%s", strerror(-code));
	goes_on = code != -EPROTO && code != -EPROTONOSUPPORT;
	if (request->type != DEVICE_free && answer_host(host, code, &answer))
		goes_on = false;
	return goes_on;
}

static bool refuse_frame(struct device_host *host, const struct device_frame *frame)
{
	error_set(&host->err, SKEP_STAGE_CALL, -EPROTO,
		  "a message %u of %u bytes is none of "
		  "version %u of the protocol",
		  frame->type, frame->length, DEVICE_VERSION);
	answer_host(host, -EPROTO, NULL);
	return false;
}

static bool serve_next(struct device_host *host)
{
	struct device_frame frame;
	size_t head, most;
	bool goes_on;
	u8 *bytes;

	if (channel_receive(host->fd, &frame, sizeof(frame)))
		return false;
	if (!device_request_size(frame.type, &head, &most) || frame.length < head ||
	    frame.length - head > most)
		return refuse_frame(host, &frame);
	bytes = malloc(frame.length);
	goes_on = bytes && !channel_receive(host->fd, bytes, frame.length) &&
		  serve(host, &(struct request){.type = frame.type,
						.head = bytes,
						.more = bytes + head,
						.size = frame.length - head});
	free(bytes);
	return goes_on;
}

/* One who says nothing at first is no host. */
static void set_patience(int fd, time_t seconds)
{
	const struct timeval time = {.tv_sec = seconds};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
}

static void *host_thread(void *cookie)
{
	struct device_host *host = cookie;

	set_patience(host->fd, HOSTS_GREETED_S);
	if (serve_next(host)) {
		set_patience(host->fd, 0);
		while (serve_next(host))
			;
	}
	device_forget(host);
	shutdown(host->fd, SHUT_RDWR);
	pthread_mutex_lock(&host->device->lock);
	host->is_done = true;
	pthread_mutex_unlock(&host->device->lock);
	return NULL;
}

static void host_free(struct device_host *host)
{
	close(host->fd);
	free(host->handles);
	free(host->answer);
	free(host);
}

/* With the device's lock held: a place for one more, when who has ended is gone. NULL: none. */
static struct device_host **find_place(struct skep_device *device)
{
	struct device_host **place = NULL;

	for (u32 i = 0; i < HOSTS_MAX; i++) {
		struct device_host *host = device->hosts[i];

		if (host && host->is_done) {
			pthread_join(host->thread, NULL);
			host_free(host);
			device->hosts[i] = NULL;
		}
		if (!device->hosts[i])
			place = &device->hosts[i];
	}
	return place;
}

static struct device_host *host_new(struct skep_device *device, int fd)
{
	struct device_host *host = calloc(1, sizeof(*host));

	if (!host)
		return NULL;
	host->device = device;
	host->fd = fd;
	host->handles = calloc(HANDLES_MAX, sizeof(*host->handles));
	host->answer = calloc(1, DEVICE_ANSWER_MAX);
	if (host->handles && host->answer &&
	    !pthread_create(&host->thread, NULL, host_thread, host))
		return host;
	free(host->handles);
	free(host->answer);
	free(host);
	return NULL;
}

/* Who finds no place is told by the end of the channel. */
static void take_host(struct skep_device *device, int fd)
{
	struct device_host **place;

	pthread_mutex_lock(&device->lock);
	place = find_place(device);
	if (place)
		*place = host_new(device, fd);
	if (!place || !*place)
		close(fd);
	pthread_mutex_unlock(&device->lock);
}

static void *accept_hosts(void *cookie)
{
	struct skep_device *device = cookie;
	struct pollfd fds[] = {{.fd = device->listen_fd, .events = POLLIN},
			       {.fd = device->stop_fd, .events = POLLIN}};

	while (poll(fds, ARRAY_SIZE(fds), -1) >= 0 || errno == EINTR) {
		int fd;

		if (fds[1].revents)
			break;
		fd = fds[0].revents ? accept4(device->listen_fd, NULL, NULL, SOCK_CLOEXEC) : -1;
		if (fd >= 0)
			take_host(device, fd);
	}
	return NULL;
}

/* --- the device --- */

static void device_free(struct skep_device *device)
{
	if (device->listen_fd >= 0) {
		close(device->listen_fd);
		channel_forget(device->address);
	}
	if (device->stop_fd >= 0)
		close(device->stop_fd);
	pthread_mutex_destroy(&device->lock);
	free(device->address);
	free(device);
}

static int check_opts(struct skep_engine *engine, const struct skep_device_opts *opts,
		      struct skep_error *err)
{
	if (opts->sz < offsetof(struct skep_device_opts, without) || !opts->listen)
		return error_set(err, SKEP_STAGE_CALL, -EINVAL,
				 "skep_device_opts: where to listen is missing");
	if (opts->ifindex <= 0 || !net_has_port(engine->net, (u32)opts->ifindex))
		return error_set(err, SKEP_STAGE_PORT, -ENODEV, "no port has ifindex %d",
				 opts->ifindex);
	return 0;
}

static int device_init(struct skep_device *device, const struct skep_device_opts *opts,
		       struct skep_error *err)
{
	int code = device->address ? device_read_without(device, opts->without, err) : -ENOMEM;

	if (code)
		return code;
	device->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (device->stop_fd < 0)
		return -errno;
	device->listen_fd = channel_listen(opts->listen, err);
	if (device->listen_fd < 0)
		return device->listen_fd;
	return -pthread_create(&device->acceptor, NULL, accept_hosts, device);
}

struct skep_device *skep_device_start(struct skep_engine *engine,
				      const struct skep_device_opts *from,
				      struct skep_error *err)
{
	struct skep_device_opts opts = {};
	struct skep_device *device;
	int code;

	error_clear(err);
	memcpy(&opts, from, min(from->sz, sizeof(opts)));
	if (check_opts(engine, &opts, err))
		return NULL;
	device = calloc(1, sizeof(*device));
	if (!device) {
		error_set(err, SKEP_STAGE_CALL, -ENOMEM, "out of memory");
		return NULL;
	}
	device->engine = engine;
	device->ifindex = opts.ifindex;
	device->address = strdup(opts.listen);
	device->listen_fd = device->stop_fd = device->attached.link = -1;
	pthread_mutex_init(&device->lock, NULL);
	code = device_init(device, &opts, err);
	if (!code)
		return device;
	if (err && !err->code)
		error_set(err, SKEP_STAGE_CALL, code, "a device cannot start: %s",
			  strerror(-code));
	device_free(device);
	return NULL;
}

static void stop_accepting(struct skep_device *device)
{
	const u64 one = 1;

	if (write(device->stop_fd, &one, sizeof(one)) < 0)
		abort(); /* an eventfd takes it */
	pthread_join(device->acceptor, NULL);
}

int skep_device_stop(struct skep_device *device, struct skep_error *err)
{
	int code;

	error_clear(err);
	if (!device)
		return 0;
	stop_accepting(device);
	for (u32 i = 0; i < HOSTS_MAX; i++) {
		if (!device->hosts[i])
			continue;
		shutdown(device->hosts[i]->fd, SHUT_RDWR);
		pthread_join(device->hosts[i]->thread, NULL);
		host_free(device->hosts[i]);
	}
	if (device->is_moving) {
		skep_ports_stop(device->engine);
		pthread_join(device->mover, NULL);
	}
	code = device->failed;
	if (code && err)
		*err = device->error;
	device_free(device);
	return code;
}
