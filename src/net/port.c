/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/port.h"
#include "base/error.h"
#include "net/filter.h"
#include "net/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PORT(name, usage, text) extern const struct port_ops port_##name;
#include "net/ports.def"
#undef PORT

static const struct {
	const char *name, *usage, *text;
	const struct port_ops *ops;
} kinds[] = {
#define PORT(name, usage, text) {#name, usage, text, &port_##name},
#include "net/ports.def"
#undef PORT
};

/* The operations for the spec, and in *args what follows the colon. */
static const struct port_ops *find_kind(const char *spec, const char **args)
{
	size_t length = strcspn(spec, ":");

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strlen(kinds[i].name) != length || strncmp(spec, kinds[i].name, length))
			continue;
		*args = spec[length] ? spec + length + 1 : spec + length;
		return kinds[i].ops;
	}
	return NULL;
}

static int unknown_kind(const char *spec, struct skep_error *err)
{
	char usages[SKEP_ERROR_TEXT] = "";

	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		strcat(usages, i ? ", " : "");
		strcat(usages, kinds[i].usage);
	}
	error_set(err, SKEP_STAGE_PORT, -EINVAL, "port '%s': expected one of %s", spec, usages);
	return -EINVAL;
}

static const struct {
	bool is_redirect;
} exceptions[] = {
#define EXCEPTION(id, name, is_redirect, text) {is_redirect},
#include <skep/exceptions.def>
#undef EXCEPTION
};

static const enum bpf_attach_type tcx_types[] = {BPF_TCX_INGRESS, BPF_TCX_EGRESS};

static void queue_init(struct port *port, u32 index)
{
	struct port_queue *queue = &port->queues[index];

	queue->port = port;
	queue->index = index;
	queue->wait_fd = -1;
	pthread_mutex_init(&queue->lock, NULL);
}

static void port_free(struct port *port)
{
	listener_free(port->listener);
	for (u32 i = 0; i < QUEUES_MAX; i++)
		pthread_mutex_destroy(&port->queues[i].lock);
	free(port);
}

static struct port *port_new(const char *spec, u32 ifindex, const struct port_ops *ops)
{
	struct port *port = aligned_alloc(CACHE_LINE, round_up(sizeof(*port), CACHE_LINE));

	if (!port)
		return NULL;
	memset(port, 0, sizeof(*port));
	/* A long spec is cut: it is only shown. */
	strncat(port->spec, spec, sizeof(port->spec) - 1);
	port->ifindex = ifindex;
	port->ops = ops;
	port->queue_count = port->send_queue_count = 1;
	for (u32 i = 0; i < QUEUES_MAX; i++)
		queue_init(port, i);
	hook_init(&port->xdp, BPF_XDP, ifindex);
	for (u32 i = TC_INGRESS; i <= TC_EGRESS; i++) {
		hook_init(&port->tcx[i], tcx_types[i], ifindex);
		hook_init(&port->filters[i], tcx_types[i], ifindex);
	}
	return port;
}

int port_open(const char *spec, u32 ifindex, struct port **out, struct skep_error *err)
{
	const struct port_ops *ops;
	const char *args;
	struct port *port;
	int code;

	ops = find_kind(spec, &args);
	if (!ops)
		return unknown_kind(spec, err);
	port = port_new(spec, ifindex, ops);
	if (!port)
		return error_set(err, SKEP_STAGE_PORT, -ENOMEM, "out of memory");
	code = ops->open(port, args, err);
	if (code) {
		port_free(port);
		return code;
	}
	port->xdp.queues = port->queue_count;
	for (u32 i = TC_INGRESS; i <= TC_EGRESS; i++)
		port->tcx[i].queues = port->filters[i].queues = port->queue_count;
	*out = port;
	return 0;
}

void port_close(struct port *port)
{
	hook_done(&port->xdp);
	for (u32 i = TC_INGRESS; i <= TC_EGRESS; i++) {
		hook_done(&port->tcx[i]);
		hook_done(&port->filters[i]);
	}
	synchronize_rcu();
	port->ops->close(port);
	port_free(port);
}

int port_send(struct port *port, u32 index, struct frame *const *frames, int count)
{
	struct port_queue *queue = &port->queues[index % port->send_queue_count];
	u64 packets = 0, bytes = 0;
	int at = 0;

	pthread_mutex_lock(&queue->lock);
	while (at < count) {
		int sent = port->ops->send(queue, frames + at, count - at);

		for (int i = 0; i < sent; i++)
			bytes += frames[at + i]->length;
		packets += sent;
		at += sent + 1; /* the one that could not be sent is skipped */
	}
	counter_add(&queue->tx.packets, packets);
	counter_add(&queue->tx.bytes, bytes);
	if (unlikely(packets < count))
		counter_add(&queue->tx.failed, count - packets);
	pthread_mutex_unlock(&queue->lock);
	return packets;
}

void port_unsend(struct port_queue *queue, u64 packets, u64 bytes)
{
	counter_add(&queue->tx.packets, -packets);
	counter_add(&queue->tx.bytes, -bytes);
	counter_add(&queue->tx.failed, packets);
}

bool frame_copy(struct frame *frame, const u8 *data, u32 length, u32 tailroom)
{
	const size_t size = (size_t)PACKET_HEADROOM + length + tailroom;
	u8 *memory = malloc(size);

	if (!memory)
		return false;
	*frame = (struct frame){.memory = memory,
				.end = memory + size,
				.data = memory + PACKET_HEADROOM,
				.length = length,
				.original_length = length};
	memcpy(frame->data, data, length);
	return true;
}

void frame_fill(struct frame *frame, const u8 *data, u32 length)
{
	frame->data = frame->memory + PACKET_HEADROOM;
	frame->length = frame->original_length = length;
	frame->metadata = 0;
	frame->known = 0;
	memcpy(frame->data, data, length);
}

int port_check_socket(const struct port_queue *queue, int fd, struct skep_error *err)
{
	socklen_t size = sizeof(int);
	int code = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size))
		code = errno;
	if (!code)
		return 0;
	return error_set(err, SKEP_STAGE_PORT, -code,
			 "%s: the interface is down or gone: %s (what was counted stays)",
			 queue->port->spec, strerror(code));
}

bool port_is_at_end(const struct port *port)
{
	for (u32 i = 0; i < port->queue_count; i++)
		if (!atomic_load_explicit(&port->queues[i].rx.at_end, memory_order_relaxed))
			return false;
	return true;
}

static u64 counter_read(const atomic_ullong *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_queue(const struct port_queue *queue, struct skep_port_stats *stats)
{
	const struct rx_counters *rx = &queue->rx;
	const struct port_ops *ops = queue->port->ops;

	stats->in_packets += counter_read(&rx->packets);
	stats->in_bytes += counter_read(&rx->bytes);
	stats->truncated += counter_read(&rx->truncated);
	stats->run_ns += counter_read(&rx->run_ns);
	for (int i = 0; i < SKEP_VERDICTS; i++) {
		stats->verdict_packets[i] += counter_read(&rx->verdict_packets[i]);
		stats->verdict_bytes[i] += counter_read(&rx->verdict_bytes[i]);
	}
	stats->out_packets += counter_read(&queue->tx.packets);
	stats->out_bytes += counter_read(&queue->tx.bytes);
	stats->out_failed += counter_read(&queue->tx.failed);
	stats->lost += ops->lost ? ops->lost(queue) : 0;
}

void port_read_stats(const struct port *port, struct skep_port_stats *out)
{
	struct skep_port_stats stats = {
		.sz = out->sz,
		.at_end = port_is_at_end(port),
		.queues = port->queue_count,
	};

	for (u32 i = 0; i < port->queue_count; i++)
		add_queue(&port->queues[i], &stats);
	for (u32 i = 0; i < SKEP_EXCEPTIONS; i++)
		if (exceptions[i].is_redirect)
			stats.redirect_failed += counter_read(&port->exceptions[i]);
	if (port->ops->add_stats)
		port->ops->add_stats(port, &stats);
	strcpy(stats.spec, port->spec);
	memcpy(out, &stats, min(out->sz, sizeof(stats)));
}

int port_kind(u32 n, struct skep_port_kind *out)
{
	struct skep_port_kind kind = {.sz = out->sz};
	struct skep_error err = {};

	if (n >= ARRAY_SIZE(kinds))
		return -ENOENT;
	kind.name = kinds[n].name;
	kind.usage = kinds[n].usage;
	kind.text = kinds[n].text;
	kind.abilities = kinds[n].ops->abilities;
	kind.usable = kinds[n].ops->usable ? kinds[n].ops->usable(&err) : 0;
	strcpy(kind.why_not, err.text);
	memcpy(out, &kind, min(out->sz, sizeof(kind)));
	return 0;
}
