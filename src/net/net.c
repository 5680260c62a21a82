/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of ports: an array of pointers read under RCU; opening and closing take the lock.
 * One run goes on at a time (worker.c), and no port is opened or closed meanwhile (-EBUSY).
 */
#include "net/net.h"
#include "base/error.h"
#include "device/device.h"
#include "net/filter.h"
#include "net/forward.h"
#include "net/port.h"
#include "net/tc.h"
#include "net/worker.h"
#include "net/xdp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct net {
	const struct run_env *env;
	pthread_mutex_t lock;	       /* ports, running */
	struct port *ports[PORTS_MAX]; /* ports[i] has ifindex i + 1; RCU-protected */
	bool running;
	struct forwarder *forwarder; /* owned; fixed during a run; NULL: it does not forward */
	int stop_fd;		     /* eventfd: wakes the workers */
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
	forwarder_free(net->forwarder);
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

static struct xdp_path path_of(struct net *net)
{
	return (struct xdp_path){
		.env = net->env, .find = find_port, .cookie = net, .forwarder = net->forwarder};
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

struct device *net_device(struct net *net, u32 ifindex)
{
	struct device *device = NULL;
	struct port *port;

	rcu_read_lock();
	port = find_port(net, ifindex);
	if (port && port->ops->device)
		device = device_get(port->ops->device(port));
	rcu_read_unlock();
	return device;
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

	if (!port)
		return NULL;
	switch ((int)attach_type) {
	case BPF_XDP: return &port->xdp;
	case BPF_TCX_INGRESS: return &port->tcx[TC_INGRESS];
	case BPF_TCX_EGRESS: return &port->tcx[TC_EGRESS];
	}
	return NULL;
}

struct hook *net_hook_at(struct net *net, u32 ifindex, enum skep_hook_place place)
{
	struct port *port = find_port(net, ifindex);

	if (!port)
		return NULL;
	switch (place) {
	case SKEP_HOOK_XDP: return &port->xdp;
	case SKEP_HOOK_TC_INGRESS: return &port->filters[TC_INGRESS];
	case SKEP_HOOK_TC_EGRESS: return &port->filters[TC_EGRESS];
	}
	return NULL;
}

#define NOWHERE UINT32_MAX

struct hook *net_hook_nth(struct net *net, u32 ifindex, u32 n, u32 *place)
{
	struct port *port = find_port(net, ifindex);

	*place = (n + 1) / 2;
	switch (port ? n : NOWHERE) {
	case 0: return &port->xdp;
	case 1: return &port->tcx[TC_INGRESS];
	case 2: return &port->filters[TC_INGRESS];
	case 3: return &port->tcx[TC_EGRESS];
	case 4: return &port->filters[TC_EGRESS];
	}
	return NULL;
}

int net_port_pass_to(struct net *net, u32 ifindex, u32 target)
{
	struct port *port;
	bool found;

	rcu_read_lock();
	port = find_port(net, ifindex);
	found = port && (!target || find_port(net, target));
	if (found)
		atomic_store_explicit(&port->pass_to, target, memory_order_relaxed);
	rcu_read_unlock();
	return found ? 0 : -ENODEV;
}

int net_port_tc(struct net *net, u32 ifindex, u32 direction, uint64_t *packets)
{
	struct port *port;

	rcu_read_lock();
	port = find_port(net, ifindex);
	for (u32 i = 0; port && i < SKEP_TC_VERDICTS; i++)
		packets[i] =
			atomic_load_explicit(&port->tc[direction][i], memory_order_relaxed);
	rcu_read_unlock();
	return port ? 0 : -ENODEV;
}

int net_port_exceptions(struct net *net, u32 ifindex, uint64_t *counts, u32 count)
{
	struct port *port;

	rcu_read_lock();
	port = find_port(net, ifindex);
	for (u32 i = 0; port && i < min(count, (u32)SKEP_EXCEPTIONS); i++)
		counts[i] = atomic_load_explicit(&port->exceptions[i], memory_order_relaxed);
	rcu_read_unlock();
	return port ? 0 : -ENODEV;
}

/* With the lock held. */
static int forward_locked(struct net *net, bool on)
{
	if (net->running)
		return -EBUSY;
	if (on && !net->forwarder)
		net->forwarder = forwarder_new(net->env->routes);
	else if (!on) {
		forwarder_free(net->forwarder);
		net->forwarder = NULL;
	}
	return on && !net->forwarder ? -ENOMEM : 0;
}

int net_forward(struct net *net, bool on)
{
	int code;

	pthread_mutex_lock(&net->lock);
	code = forward_locked(net, on);
	pthread_mutex_unlock(&net->lock);
	return code;
}

int net_add_devices(struct net *net, struct route_set *set)
{
	int code = 0;

	rcu_read_lock();
	for (u32 i = 1; net->forwarder && i <= PORTS_MAX && !code; i++) {
		const struct port *port = find_port(net, i);

		code = port ? forward_add_device(set, port) : 0;
	}
	rcu_read_unlock();
	return code;
}

int net_forward_counts(struct net *net, u32 ifindex, uint64_t *counts, u32 count)
{
	struct port *port;

	memset(counts, 0, count * sizeof(*counts));
	rcu_read_lock();
	port = find_port(net, ifindex);
	for (u32 worker = 0; port && worker <= QUEUES_MAX; worker++)
		for (u32 i = 0; i < min(count, (u32)SKEP_FORWARD_COUNTS); i++)
			counts[i] += atomic_load_explicit(&port->forward[worker].counts[i],
							  memory_order_relaxed);
	rcu_read_unlock();
	return port ? 0 : -ENODEV;
}

/* With the lock held. */
static int listen_locked(struct net *net, u32 ifindex, struct listener *listener)
{
	struct port *port = find_port(net, ifindex);

	if (net->running || !port)
		return port ? -EBUSY : -ENODEV;
	listener_free(port->listener);
	port->listener = listener;
	return 0;
}

int net_port_listen(struct net *net, u32 ifindex, const struct listener *listener)
{
	struct listener *copy = listener->function ? malloc(sizeof(*copy)) : NULL;
	int code = listener->function && !copy ? -ENOMEM : 0;

	if (copy)
		*copy = *listener;
	pthread_mutex_lock(&net->lock);
	code = code ?: listen_locked(net, ifindex, copy);
	pthread_mutex_unlock(&net->lock);
	if (code)
		free(copy);
	return code;
}

bool net_has_port(struct net *net, u32 ifindex)
{
	bool found;

	rcu_read_lock();
	found = find_port(net, ifindex);
	rcu_read_unlock();
	return found;
}

static bool is_of_interface(const struct port *port, const char *name)
{
	const char *args = strchr(port->spec, ':');
	const size_t length = strlen(name);

	return port->ops->is_interface && args && !strncmp(args + 1, name, length) &&
	       (!args[length + 1] || args[length + 1] == ',');
}

u32 net_port_of_interface(struct net *net, const char *name)
{
	u32 found = 0;

	rcu_read_lock();
	for (u32 i = 1; i <= PORTS_MAX && !found; i++) {
		const struct port *port = find_port(net, i);

		if (port && is_of_interface(port, name))
			found = i;
	}
	rcu_read_unlock();
	return found;
}

int net_transmit(struct net *net, const struct xdp_path *running, u32 ifindex,
		 const struct skb_ctx *skb, bool is_received)
{
	const struct xdp_path path = path_of(net);
	struct port *port = find_port(net, ifindex);

	/* What was sent before leaves before. */
	if (running && running->outbox)
		outbox_flush(running->outbox);
	return port ? tc_transmit(&path, port, skb, is_received) : -ENODEV;
}

void net_xdp_deliver(struct net *net, const struct xdp_ctx *ctx, u32 action,
		     struct run_context *run)
{
	const struct xdp_path path = path_of(net);
	struct port *port = find_port(net, ctx->ingress_ifindex);

	if (port)
		xdp_deliver(&path, port, ctx, action, run);
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
	const struct crew_task task = {
		.path = path_of(net),
		.ports = net->ports,
		.opts = &all,
		.stop = &net->stop,
		.stop_fd = net->stop_fd,
	};
	int code;

	if (opts)
		memcpy(&all, opts, min(opts->sz, sizeof(all)));
	if (set_running(net, true))
		return error_set(err, SKEP_STAGE_PORT, -EBUSY,
				 "packets are already being moved");
	code = crew_run(&task, err);
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
