/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port: one table of operations per kind (ports.def), one struct port per open port. A port
 * is driven by one worker thread at a time; its counters may be read from any thread.
 */
#ifndef SKEP_NET_PORT_H
#define SKEP_NET_PORT_H

#include "base/types.h"
#include "catalog/ctx.h"
#include "hook/hook.h"
#include <skep/port.h>
#include <stdatomic.h>

#define PORT_SPEC_MAX 128
#define FRAME_BATCH   64
/* Behind the headroom: as long as the longest record of a capture (net/capture.h). */
#define FRAME_DATA_MAX (256 * 1024)

/* A packet in memory that its programs may write. */
struct frame {
	u8 *memory; /* its owner is who receives; of a port, PACKET_HEADROOM + FRAME_DATA_MAX
		       bytes */
	u8 *end;    /* of the memory */
	u8 *data;
	u32 length;
	u32 metadata;	     /* so many bytes in front of `data` are a program's */
	u32 original_length; /* on the wire, when the capture cut it; else == length */
	u64 time_ns;
};

struct port_counters {
	_Alignas(CACHE_LINE) atomic_ullong in_packets;
	atomic_ullong in_bytes, out_packets, out_bytes;
	atomic_ullong verdict_packets[SKEP_VERDICTS], verdict_bytes[SKEP_VERDICTS];
	atomic_ullong redirect_failed, out_failed, truncated, run_ns;
	atomic_bool at_end;
};

/* One writer per counter (the worker), so that no atomic addition is needed. */
static inline void counter_add(atomic_ullong *counter, u64 amount)
{
	atomic_store_explicit(counter,
			      atomic_load_explicit(counter, memory_order_relaxed) + amount,
			      memory_order_relaxed);
}

struct port;

struct port_ops {
	const char *name;
	/* `args` is what follows "NAME:"; sets port->state. */
	int (*open)(struct port *port, const char *args, struct skep_error *err);
	/*
	 * Fills up to `count` frames (memory given; sets data, length, ...) and returns how
	 * many; 0: none now; -ENODATA: no more will ever come; another errno: broken, `err`
	 * filled in.
	 */
	int (*receive)(struct port *port, struct frame *frames, int count,
		       struct skep_error *err);
	/* Sends a frame out. 0 or a negative errno (counted as out_failed). */
	int (*send)(struct port *port, const struct frame *frame);
	/* Takes a frame that XDP passed on; NULL: it ends here. 0 or a negative errno. */
	int (*pass)(struct port *port, const struct frame *frame);
	/* Pushes out what was sent: after each batch, and once with `is_end` when the run ends.
	 * NULL: nothing to do. */
	int (*flush)(struct port *port, bool is_end);
	void (*close)(struct port *port);
};

struct port {
	char spec[PORT_SPEC_MAX];
	u32 ifindex;
	const struct port_ops *ops;
	void *state; /* the kind's own */
	int wait_fd; /* readable when frames may have come; -1: never waits */
	struct hook xdp;
	struct port_counters counters;
};

/* Makes the port of a spec ("NAME:ARGS"); *out owns everything. */
int port_open(const char *spec, u32 ifindex, struct port **out, struct skep_error *err);
/* Detaches its programs, waits for a grace period, frees. */
void port_close(struct port *port);
int port_send(struct port *port, const struct frame *frame);
/* To the stack behind the port, if there is one. */
void port_pass(struct port *port, const struct frame *frame);
void port_read_stats(const struct port *port, struct skep_port_stats *out);

/* Copies a packet of at most FRAME_DATA_MAX bytes into a frame behind the headroom. */
void frame_fill(struct frame *frame, const u8 *data, u32 length, u32 original_length,
		u64 time_ns);

#endif
