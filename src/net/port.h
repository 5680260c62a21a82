/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port: one table of operations per kind (ports.def), one struct port per open port, one or
 * more queues in each. A queue is received from by one worker at a time, and sent to by any
 * thread, under its lock. Counters may be read from any thread.
 */
#ifndef SKEP_NET_PORT_H
#define SKEP_NET_PORT_H

#include "hook/hook.h"
#include "net/frame.h"
#include <pthread.h>
#include <skep/attach.h>
#include <skep/forward.h>
#include <stdatomic.h>

#define PORT_SPEC_MAX 128
#define PORTS_MAX     64
#define QUEUES_MAX    16

/* What a kind of port can do; the names are those of include/skep/port.h. */
enum port_ability {
	PORT_RECEIVES = SKEP_PORT_RECEIVES,
	PORT_SENDS = SKEP_PORT_SENDS,
	PORT_QUEUES = SKEP_PORT_QUEUES,
	PORT_OWN_MEMORY = SKEP_PORT_OWN_MEMORY,
	PORT_KEEPS_PASSED = SKEP_PORT_KEEPS_PASSED,
	PORT_KNOWS_TIME = SKEP_PORT_KNOWS_TIME,
	PORT_KNOWS_HASH = SKEP_PORT_KNOWS_HASH,
	PORT_KNOWS_VLAN = SKEP_PORT_KNOWS_VLAN,
	PORT_OFFLOADS = SKEP_PORT_OFFLOADS,
};

/* Written by the worker that receives. */
struct rx_counters {
	atomic_ullong packets, bytes, truncated, run_ns;
	atomic_ullong verdict_packets[SKEP_VERDICTS], verdict_bytes[SKEP_VERDICTS];
	atomic_bool at_end;
};

/* Written under the queue's lock. */
struct tx_counters {
	atomic_ullong packets, bytes, failed;
};

/* What became of packets in the forwarding: of a worker, or of everybody who is none. */
struct forward_counters {
	_Alignas(CACHE_LINE) atomic_ullong counts[SKEP_FORWARD_COUNTS];
};

/* One writer per counter, so that no atomic addition is needed. */
static inline void counter_add(atomic_ullong *counter, u64 amount)
{
	atomic_store_explicit(counter,
			      atomic_load_explicit(counter, memory_order_relaxed) + amount,
			      memory_order_relaxed);
}

struct port;

enum tc_direction { TC_INGRESS, TC_EGRESS };

struct port_queue {
	_Alignas(CACHE_LINE) struct port *port;
	u32 index;
	int wait_fd;	/* readable when frames may have come; -1: there is none */
	bool is_polled; /* frames may come, and nothing tells */
	u64 due_ns;	/* CLOCK_MONOTONIC, when the next frame is due; 0: not known */
	void *state;	/* the kind's own */
	struct rx_counters rx;
	_Alignas(CACHE_LINE) pthread_mutex_t lock; /* sending */
	struct tx_counters tx;
};

struct port_ops {
	const char *name;
	u32 abilities; /* PORT_* */
	/* It stands for an interface of the host, whose name its arguments begin with. */
	bool is_interface;
	/* Whether the kind can be used here: 0, or a negative errno and why not. NULL: always.
	 */
	int (*usable)(struct skep_error *err);
	/* `args` is what follows "NAME:"; sets port->state and, unless they are 1, the
	 * numbers of queues. */
	int (*open)(struct port *port, const char *args, struct skep_error *err);
	/*
	 * Up to `count` frames and how many they are; 0: none now; -ENODATA: no more will ever
	 * come; another errno: broken, `err` filled in. Sets everything but `memory` and `end`,
	 * and with PORT_OWN_MEMORY these, too.
	 */
	int (*receive)(struct port_queue *queue, struct frame *frames, int count,
		       struct skep_error *err);
	/* The frames of the last receive() are not needed any more. NULL: nothing to do. */
	void (*release)(struct port_queue *queue);
	/* Sends frames, which stay the caller's, in order: how many could be sent. */
	int (*send)(struct port_queue *queue, struct frame *const *frames, int count);
	/* At the end of a run: what was sent has left. 0 or a negative errno. NULL: nothing to
	 * do. */
	int (*finish)(struct port *port);
	/* Packets that came to the queue and were lost before anybody could take them. NULL:
	 * that is not known. */
	u64 (*lost)(const struct port_queue *queue);
	/* What others counted for the port, as last heard: added to what it counted itself.
	 * NULL: nothing. Waits for nobody. */
	void (*add_stats)(const struct port *port, struct skep_port_stats *stats);
	/* The device behind a port that offloads. */
	struct device *(*device)(const struct port *port);
	void (*close)(struct port *port);
};

struct device;
struct listener;

struct port {
	char spec[PORT_SPEC_MAX];
	u32 ifindex;
	u32 queue_count; /* to receive from; the first send_queue_count can send */
	u32 send_queue_count;
	const struct port_ops *ops;
	void *state; /* the kind's own */
	struct listener *listener; /* owned; fixed during a run; NULL: nobody listens */
	struct hook xdp;
	/* tc at ingress and egress: those of bpf(2) in their order (tcx), then filters with
	 * direct action, as Linux's clsact has them. */
	struct hook tcx[2], filters[2];
	atomic_ullong taken; /* packets, while their number is limited */
	atomic_uint pass_to; /* ifindex of what is behind it; 0: nothing but a capture */
	atomic_ullong exceptions[SKEP_EXCEPTIONS];
	atomic_ullong tc[2][SKEP_TC_VERDICTS]; /* packets, by direction and verdict */
	struct port_queue queues[QUEUES_MAX];
	struct forward_counters forward[QUEUES_MAX + 1];
};

/* Makes the port of a spec ("NAME:ARGS"); *out owns everything. */
int port_open(const char *spec, u32 ifindex, struct port **out, struct skep_error *err);
/* Detaches its programs, waits for a grace period, frees. */
void port_close(struct port *port);
/* Sends frames out through one of the port's queues and counts them. Any thread. How many. */
int port_send(struct port *port, u32 queue, struct frame *const *frames, int count);
/* What was counted as sent was lost after all. With the queue's lock held. */
void port_unsend(struct port_queue *queue, u64 packets, u64 bytes);
static inline void port_exception(struct port *port, enum skep_exception why)
{
	atomic_fetch_add_explicit(&port->exceptions[why], 1, memory_order_relaxed);
}

/* For a receive() that found nothing: 0, or what the kernel says of the socket, `err` filled in:
 * the interface is gone or down. */
int port_check_socket(const struct port_queue *queue, int fd, struct skep_error *err);
bool port_is_at_end(const struct port *port);
void port_read_stats(const struct port *port, struct skep_port_stats *out);
/* The n-th row of ports.def. 0 or -ENOENT. */
int port_kind(u32 n, struct skep_port_kind *out);

/* Copies a packet of at most FRAME_DATA_MAX bytes into a frame behind the headroom. */
void frame_fill(struct frame *frame, const u8 *data, u32 length);

#endif
