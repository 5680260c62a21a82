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
 * Opens a port: "pcap:IN[:OUT]", "gen:KEY=VALUE,...", "tap:NAME", "packet:IFACE". Frames that
 * leave through the port are written to OUT, the TAP, the interface. Returns the new ifindex (>
 * 0) or a negative errno with `err` (may be NULL) filled in.
 */
SKEP_API int skep_port_open(struct skep_engine *engine, const char *spec,
			    struct skep_error *err);
SKEP_API int skep_port_close(struct skep_engine *engine, int ifindex);

enum skep_verdict {
	SKEP_VERDICT_ABORTED, /* XDP_ABORTED, and codes that Linux does not know */
	SKEP_VERDICT_DROP,
	SKEP_VERDICT_PASS,
	SKEP_VERDICT_TX,
	SKEP_VERDICT_REDIRECT,
	SKEP_VERDICTS,
};

/* Counters since the port was opened. in == sum over all verdicts, always. */
struct skep_port_stats {
	size_t sz; /* set by the caller: sizeof(struct skep_port_stats) */
	char spec[128];
	uint64_t in_packets, in_bytes;
	uint64_t out_packets,
		out_bytes; /* written by TX, REDIRECT to this port, PASS where kept */
	uint64_t verdict_packets[SKEP_VERDICTS], verdict_bytes[SKEP_VERDICTS];
	uint64_t redirect_failed, out_failed, truncated;
	uint64_t run_ns; /* time spent on its packets */
	bool at_end;	 /* a finite source is exhausted */
};

SKEP_API int skep_port_stats(struct skep_engine *engine, int ifindex,
			     struct skep_port_stats *out);

struct skep_ports_run_opts {
	size_t sz;
	uint64_t max_packets; /* per port; 0: no limit */
	uint64_t max_ns;      /* 0: no limit */
	/* Called about every interval_ns (0: never) on the calling thread between packets;
	 * non-zero stops the run. */
	uint64_t interval_ns;
	int (*tick)(void *cookie);
	void *cookie;
};

/*
 * Moves packets through all ports of the engine until every finite source is exhausted, a limit
 * is reached, or skep_ports_stop() was called (from any thread or a signal handler). 0 or a
 * negative errno; what was counted and written so far stays.
 */
SKEP_API int skep_ports_run(struct skep_engine *engine, const struct skep_ports_run_opts *opts,
			    struct skep_error *err);
SKEP_API void skep_ports_stop(struct skep_engine *engine);

#ifdef __cplusplus
}
#endif
#endif
