/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The threads that move packets: one worker per queue, each pinned to a CPU of its own, running
 * what it received to completion. Worker n serves the queues n of all ports; a port with fewer
 * queues than there are workers is served by the first ones. Workers share nothing that they
 * write: each has its own memory for frames, its outbox, and the counters of its queues. What one
 * redirects to another goes through net/cpu.h; a worker may have nothing else to do.
 */
#ifndef SKEP_NET_WORKER_H
#define SKEP_NET_WORKER_H

#include "net/xdp.h"

struct crew_task {
	struct xdp_path path;
	struct port *const
		*ports; /* PORTS_MAX, NULL where there is none; fixed during the run */
	const struct skep_ports_run_opts *opts;
	const atomic_bool *stop;
	int stop_fd; /* readable when `stop` is set */
};

/* Runs the task until its end; the calling thread is the first worker. 0 or the first negative
 * errno that a worker met. */
int crew_run(const struct crew_task *task, struct skep_error *err);

#endif
