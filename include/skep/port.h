/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports: what packets come from and go to. A port has an ifindex in its engine; XDP programs
 * are attached to it through bpf(2) (LINK_CREATE with that target_ifindex), so libbpf's
 * bpf_program__attach_xdp() works unchanged.
 */
#ifndef SKEP_PORT_H
#define SKEP_PORT_H

#include <skep/skep.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Opens a port: "pcap:IN[:OUT]", "gen:KEY=VALUE,...", "ring:PATH", "xdp:IFACE", ... (skep(1), skep_port_kind()).
 * Frames that leave through the port are written to OUT, the TAP, the interface. Returns the
 * new ifindex (> 0), which is valid until skep_port_close() or skep_engine_free(), or a
 * negative errno: -EINVAL (the spec), -ENOSPC (64 ports are open), -EBUSY (during
 * skep_ports_run()), that of the file or interface.
 *
 * `err` (may be NULL), here and below, gets a copy of skep_engine_error().
 */
SKEP_API int skep_port_open(struct skep_engine *engine, const char *spec,
			    struct skep_error *err);
/* Detaches its programs. 0 or a negative errno: -ENODEV, -EBUSY (during skep_ports_run()). */
SKEP_API int skep_port_close(struct skep_engine *engine, int ifindex);

enum skep_verdict {
	SKEP_VERDICT_ABORTED, /* XDP_ABORTED, and codes that Linux does not know */
	SKEP_VERDICT_DROP,
	SKEP_VERDICT_PASS,
	SKEP_VERDICT_TX,
	SKEP_VERDICT_REDIRECT,
	SKEP_VERDICTS,
};

/*
 * Counters since the port was opened, of packets and of the bytes of their frames. All packets
 * that came in have a verdict: without a program, and when the port took it, PASS.
 */
struct skep_port_stats {
	size_t sz;
	char spec[128]; /* as given to skep_port_open(), cut when longer */
	uint64_t in_packets, in_bytes;
	/* Written by TX, by REDIRECT to this port, and by PASS where the port keeps packets. */
	uint64_t out_packets, out_bytes;
	/* By the bytes that came in, whatever the program made of the packet. */
	uint64_t verdict_packets[SKEP_VERDICTS], verdict_bytes[SKEP_VERDICTS];
	uint64_t redirect_failed; /* no such target; what a target cannot send is its out_failed
				   */
	uint64_t out_failed;	  /* not written */
	uint64_t truncated;	  /* the capture had less than was on the wire */
	uint64_t run_ns;	  /* nanoseconds spent on its packets, the sum of its queues */
	bool at_end;		  /* it delivers no more: exhausted, broken or at max_packets */
	uint32_t queues;
	uint64_t lost; /* came, but nobody took them in time; not part of in_packets */
};

/* Fills in at most out->sz bytes; also during skep_ports_run(). 0 or -ENODEV. */
SKEP_API int skep_port_stats(struct skep_engine *engine, int ifindex,
			     struct skep_port_stats *out);

enum skep_port_ability {
	SKEP_PORT_RECEIVES = 1,
	SKEP_PORT_SENDS = 2,
	SKEP_PORT_QUEUES = 4, /* may have several queues, one worker each */
	SKEP_PORT_OWN_MEMORY =
		8, /* programs work on the port's own memory: nothing is copied */
	SKEP_PORT_KEEPS_PASSED = 16, /* what PASS lets through is written, too */
	SKEP_PORT_KNOWS_TIME = 32,   /* when a packet came */
	SKEP_PORT_KNOWS_HASH = 64,   /* the hash of its flow */
	SKEP_PORT_KNOWS_VLAN = 128,  /* the tag that was taken out of it */
	SKEP_PORT_OFFLOADS = 256,    /* runs programs itself that are loaded for it */
};

/* A kind of port; the texts have static storage. */
struct skep_port_kind {
	size_t sz;
	const char *name, *usage, *text;
	uint32_t abilities; /* SKEP_PORT_* */
	int usable;	    /* 0, or the negative errno of opening any port of the kind here */
	char why_not[256];  /* empty when it is usable */
};

/* The n-th kind, from 0: fills in at most out->sz bytes. 0 or -ENOENT (there are no more). */
SKEP_API int skep_port_kind(unsigned int n, struct skep_port_kind *out);

struct skep_ports_run_opts {
	size_t sz;
	uint64_t max_packets; /* per port, since its first run with a limit; 0: no limit */
	uint64_t max_ns;      /* nanoseconds of this run; 0: no limit */
	/* Called about every interval_ns nanoseconds (0: never) on the calling thread between
	 * packets; non-zero ends the run with 0. May call functions of skep. */
	uint64_t interval_ns;
	int (*tick)(void *cookie);
	void *cookie;
	/* At least so many workers, at most 16; those that have no queue of a port get only what a
	 * cpumap redirects to them: its entry N is the worker N modulo their number. */
	uint32_t workers;
};

/*
 * Moves packets through all ports of the engine until every finite source is exhausted, a limit
 * is reached, or skep_ports_stop() was called. `opts` NULL: no limits. Programs run on the
 * calling thread. 0 or a negative errno: -EBUSY (a run is going on), -ENOMEM, or the first that
 * a port met; that port is at its end, and the others go on. What was counted and written so
 * far stays.
 */
SKEP_API int skep_ports_run(struct skep_engine *engine, const struct skep_ports_run_opts *opts,
			    struct skep_error *err);
/* Ends the run that is going on, else the next one. From any thread or a signal handler. */
SKEP_API void skep_ports_stop(struct skep_engine *engine);

#ifdef __cplusplus
}
#endif
#endif
