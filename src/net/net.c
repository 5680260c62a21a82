/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of ports and the worker that moves packets. The table is an array of pointers read
 * under RCU; opening and closing take the lock. One worker runs at a time, and a port cannot be
 * closed while it runs (-EBUSY).
 */
#include "net/net.h"
#include "base/error.h"
#include "base/os.h"
#include "net/port.h"
#include "net/xdp.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PORTS_MAX 64
#define WAIT_MS	  100
/* Frames begin at different cache sets. */
#define FRAME_STRIDE (PACKET_HEADROOM + FRAME_DATA_MAX + 5 * CACHE_LINE)

struct net {
	const struct run_env *env;
	pthread_mutex_t lock;	       /* ports, running */
	struct port *ports[PORTS_MAX]; /* ports[i] has ifindex i + 1; RCU-protected */
	bool running;
	int stop_fd; /* eventfd: wakes the worker */
	atomic_bool stop;
};

struct net *net_new(const struct run_env *env)
{
	struct net *net = calloc(1, sizeof(*net));

	if (!net)
		return NULL;
	net->env = env;
	net->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (net->stop_fd < 0) {
		free(net);
		return NULL;
	}
	pthread_mutex_init(&net->lock, NULL);
	return net;
}

void net_free(struct net *net)
{
	if (!net)
		return;
	for (u32 i = 0; i < PORTS_MAX; i++)
		if (net->ports[i])
			port_close(net->ports[i]);
	pthread_mutex_destroy(&net->lock);
	close(net->stop_fd);
	free(net);
}

static struct port *find_port(void *cookie, u32 ifindex)
{
	struct net *net = cookie;

	return ifindex && ifindex <= PORTS_MAX ? rcu_dereference(net->ports[ifindex - 1])
					       : NULL;
}

/* With the lock held. */
static int open_locked(struct net *net, const char *spec, struct skep_error *err)
{
	struct port *port;
	int code;
	u32 i = 0;

	while (i < PORTS_MAX && net->ports[i])
		i++;
	if (i == PORTS_MAX)
		return error_set(err, SKEP_STAGE_PORT, -ENOSPC,
				 "port '%s': all %d ports are open", spec, PORTS_MAX);
	code = port_open(spec, i + 1, &port, err);
	if (code)
		return code;
	rcu_assign_pointer(net->ports[i], port);
	return i + 1;
}

int net_port_open(struct net *net, const char *spec, struct skep_error *err)
{
	int result;

	pthread_mutex_lock(&net->lock);
	result = net->running ? error_set(err, SKEP_STAGE_PORT, -EBUSY,
					  "port '%s': packets are being moved", spec)
			      : open_locked(net, spec, err);
	pthread_mutex_unlock(&net->lock);
	return result;
}

int net_port_close(struct net *net, u32 ifindex)
{
	struct port *port = NULL;
	int code = 0;

	pthread_mutex_lock(&net->lock);
	if (net->running)
		code = -EBUSY;
	else if (!(port = find_port(net, ifindex)))
		code = -ENODEV;
	else
		rcu_assign_pointer(net->ports[ifindex - 1], NULL);
	pthread_mutex_unlock(&net->lock);
	if (port)
		port_close(port);
	return code;
}

int net_port_stats(struct net *net, u32 ifindex, struct skep_port_stats *out)
{
	struct port *port;

	rcu_read_lock();
	port = find_port(net, ifindex);
	if (port)
		port_read_stats(port, out);
	rcu_read_unlock();
	return port ? 0 : -ENODEV;
}

struct hook *net_hook(struct net *net, u32 ifindex, enum bpf_attach_type attach_type)
{
	struct port *port = find_port(net, ifindex);

	return port && attach_type == BPF_XDP ? &port->xdp : NULL;
}

bool net_has_port(struct net *net, u32 ifindex)
{
	bool found;

	rcu_read_lock();
	found = find_port(net, ifindex);
	rcu_read_unlock();
	return found;
}

int net_transmit(struct net *net, u32 ifindex, const u8 *data, u32 length, bool is_received)
{
	const struct frame frame = {
		.data = (u8 *)data, .length = length, .original_length = length};
	struct port *port = find_port(net, ifindex);

	if (!port)
		return -ENODEV;
	if (!is_received)
		return port_send(port, &frame);
	port_pass(port, &frame);
	return 0;
}

void net_xdp_deliver(struct net *net, const struct xdp_ctx *ctx, u32 action,
		     struct run_context *run)
{
	const struct xdp_path path = {.env = net->env, .find = find_port, .cookie = net};
	struct port *port = find_port(net, ctx->ingress_ifindex);

	if (port)
		xdp_deliver(&path, port, ctx, action, run);
}

/* --- the worker --- */

struct worker {
	struct net *net;
	const struct skep_ports_run_opts *opts;
	struct xdp_path path;
	u8 *memory;
	struct frame frames[FRAME_BATCH];
	u64 start_ns, tick_ns; /* when it began; when the next tick is due, 0: never */
	struct skep_error *err;
	int failed; /* the first errno of a port */
};

static int worker_init(struct worker *worker, struct net *net,
		       const struct skep_ports_run_opts *opts, struct skep_error *err)
{
	*worker = (struct worker){
		.net = net,
		.opts = opts,
		.path = {.env = net->env, .find = find_port, .cookie = net},
		.start_ns = os_time_ns(CLOCK_MONOTONIC),
		.err = err,
	};
	if (opts->interval_ns && opts->tick)
		worker->tick_ns = worker->start_ns + opts->interval_ns;
	worker->memory = mmap(NULL, FRAME_BATCH * FRAME_STRIDE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (worker->memory == MAP_FAILED)
		return error_set(err, SKEP_STAGE_PORT, -ENOMEM, "no memory for the frames");
	for (u32 i = 0; i < FRAME_BATCH; i++) {
		struct frame *frame = &worker->frames[i];

		frame->memory = worker->memory + i * FRAME_STRIDE;
		frame->end = frame->memory + PACKET_HEADROOM + FRAME_DATA_MAX;
	}
	return 0;
}

static void worker_done(struct worker *worker)
{
	munmap(worker->memory, FRAME_BATCH * FRAME_STRIDE);
}

static void port_fails(struct worker *worker, struct port *port, int code)
{
	atomic_store_explicit(&port->counters.at_end, true, memory_order_relaxed);
	if (!worker->failed)
		worker->failed = code;
}

/* How many packets may still be taken from the port. */
static int batch_size(const struct worker *worker, const struct port *port)
{
	u64 taken = atomic_load_explicit(&port->counters.in_packets, memory_order_relaxed);
	u64 limit = worker->opts->max_packets;

	if (!limit)
		return FRAME_BATCH;
	return taken >= limit ? 0 : (int)min(limit - taken, (u64)FRAME_BATCH);
}

/* One batch from one port; the number of packets. */
static int serve_port(struct worker *worker, struct port *port)
{
	int count = batch_size(worker, port), got = -ENODATA;

	/* The record of an error that is not the first must not replace the first. */
	if (count)
		got = port->ops->receive(port, worker->frames, count,
					 worker->failed ? NULL : worker->err);
	if (got > 0)
		xdp_receive(&worker->path, port, worker->frames, got);
	else if (got == -ENODATA)
		atomic_store_explicit(&port->counters.at_end, true, memory_order_relaxed);
	else if (got < 0)
		port_fails(worker, port, got);
	return max(got, 0);
}

static void flush_ports(struct worker *worker, bool is_end)
{
	for (u32 i = 0; i < PORTS_MAX; i++) {
		struct port *port = worker->net->ports[i];
		int code = port && port->ops->flush ? port->ops->flush(port, is_end) : 0;

		if (!code || worker->failed)
			continue;
		worker->failed = error_set(worker->err, SKEP_STAGE_PORT, code,
					   "%s: writing: %s", port->spec, strerror(-code));
	}
}

static bool is_at_end(const struct port *port)
{
	return atomic_load_explicit(&port->counters.at_end, memory_order_relaxed);
}

/* One round over all ports; *active: how many may still deliver. */
static int serve_all(struct worker *worker, int *active)
{
	int packets = 0;

	*active = 0;
	for (u32 i = 0; i < PORTS_MAX; i++) {
		struct port *port = worker->net->ports[i];

		if (!port || is_at_end(port))
			continue;
		packets += serve_port(worker, port);
		*active += !is_at_end(port);
	}
	if (packets)
		flush_ports(worker, false);
	return packets;
}

/* Nothing came: sleeps until a port is readable, a tick is due or a stop is asked for. */
static void wait_for_frames(const struct worker *worker)
{
	struct pollfd fds[PORTS_MAX + 1] = {{.fd = worker->net->stop_fd, .events = POLLIN}};
	int count = 1;

	for (u32 i = 0; i < PORTS_MAX; i++) {
		const struct port *port = worker->net->ports[i];

		if (port && port->wait_fd >= 0 && !is_at_end(port))
			fds[count++] = (struct pollfd){.fd = port->wait_fd, .events = POLLIN};
	}
	poll(fds, count, WAIT_MS);
}

/* Whether the run goes on; calls the tick when it is due. */
static bool goes_on(struct worker *worker)
{
	u64 now;

	if (atomic_load_explicit(&worker->net->stop, memory_order_relaxed))
		return false;
	if (!worker->tick_ns && !worker->opts->max_ns)
		return true;
	now = os_time_ns(CLOCK_MONOTONIC);
	if (worker->opts->max_ns && now - worker->start_ns >= worker->opts->max_ns)
		return false;
	if (!worker->tick_ns || now < worker->tick_ns)
		return true;
	worker->tick_ns = now + worker->opts->interval_ns;
	return !worker->opts->tick(worker->opts->cookie);
}

static int worker_run(struct worker *worker)
{
	int active = 1;

	while (active && goes_on(worker))
		if (!serve_all(worker, &active) && active)
			wait_for_frames(worker);
	flush_ports(worker, true);
	return worker->failed;
}

static bool set_running(struct net *net, bool running)
{
	bool was;

	pthread_mutex_lock(&net->lock);
	was = net->running;
	net->running = running;
	pthread_mutex_unlock(&net->lock);
	return was;
}

static void forget_stop(struct net *net)
{
	u64 count;

	if (atomic_exchange(&net->stop, false) &&
	    read(net->stop_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
}

int net_run(struct net *net, const struct skep_ports_run_opts *opts, struct skep_error *err)
{
	struct skep_ports_run_opts all = {};
	struct worker *worker;
	int code;

	if (opts)
		memcpy(&all, opts, min(opts->sz, sizeof(all)));
	if (set_running(net, true))
		return error_set(err, SKEP_STAGE_PORT, -EBUSY,
				 "packets are already being moved");
	worker = malloc(sizeof(*worker));
	code = worker ? worker_init(worker, net, &all, err)
		      : error_set(err, SKEP_STAGE_PORT, -ENOMEM, "no memory for a worker");
	if (!code) {
		code = worker_run(worker);
		worker_done(worker);
	}
	free(worker);
	forget_stop(net);
	set_running(net, false);
	return code;
}

void net_stop(struct net *net)
{
	u64 one = 1;

	atomic_store(&net->stop, true);
	if (write(net->stop_fd, &one, sizeof(one)) < 0)
		return; /* already full: the worker will wake up */
}
