/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several programs at one port, and what each of them did. bpf(2) attaches one XDP program to a
 * port, as on Linux, and tc programs in the order of tcx; here are XDP programs in an order
 * with libxdp's rules, generic XDP beside native, and tc programs with the verdicts of
 * `tc filter ... bpf direct-action`.
 */
#ifndef SKEP_ATTACH_H
#define SKEP_ATTACH_H

#include <skep/port.h>

#ifdef __cplusplus
extern "C" {
#endif

enum skep_hook_place {
	SKEP_HOOK_XDP,
	SKEP_HOOK_TC_INGRESS,
	SKEP_HOOK_TC_EGRESS,
};

/* libxdp's, for programs whose object says nothing (section .xdp_run_config). */
#define SKEP_PRIORITY_DEFAULT 50
#define SKEP_PROCEED_DEFAULT  (1u << XDP_PASS)

struct skep_attach_opts {
	size_t sz;
	uint32_t place; /* enum skep_hook_place */
	/* Lower ones run first, programs of the same by name, then as they came. 0:
	 * SKEP_PRIORITY_DEFAULT. */
	uint32_t priority;
	/* XDP: a bit for each action after which the next program runs; behind the last the
	 * packet passes. Of tc programs the next runs after TC_ACT_UNSPEC. */
	uint32_t proceed_on;
	/* XDP: on a copy of the packet in the engine's own memory, as Linux's generic mode; all
	 * programs of a port have the same mode. */
	bool generic;
};

/*
 * Attaches a program beside others that were attached so. `opts` NULL: XDP with libxdp's
 * defaults. Returns the descriptor of a link, the caller's to close, for BPF_LINK_UPDATE and
 * BPF_LINK_DETACH; or a negative errno: -ENODEV (no such port), -EBUSY (bpf(2) attached an XDP
 * program for itself alone), -EEXIST (the program is there already; the port has programs of
 * the other mode), -ERANGE (63 are there), -EINVAL (another type of program), -ENOMEM.
 */
SKEP_API int skep_attach(struct skep_engine *engine, int ifindex, int prog_fd,
			 const struct skep_attach_opts *opts);

/* Results of programs are counted by these places: XDP's actions by their numbers, results of
 * tc programs by theirs plus 1 (TC_ACT_UNSPEC is 0), and all others at the last. */
#define SKEP_RESULTS 16

/* One program of a port, or of one of the port's queues. */
struct skep_attached {
	size_t sz;
	uint32_t place;		   /* enum skep_hook_place */
	uint32_t prog_id, link_id; /* 0: attached without a link */
	char name[16];
	uint32_t priority, proceed_on;
	bool generic;
	uint64_t packets[SKEP_RESULTS], bytes[SKEP_RESULTS];
	uint64_t ns; /* nanoseconds in the program, counted while BPF_ENABLE_STATS is on */
};

/*
 * The n-th program of the port, from 0: those of XDP in their order, then tc's at ingress, then
 * at egress. `queue` below 0: of all queues. Counted since the program was attached; those of a
 * chain before which a packet ended do not count it. 0, -ENODEV, -ENOENT (there are no more).
 */
SKEP_API int skep_attached(struct skep_engine *engine, int ifindex, unsigned int n, int queue,
			   struct skep_attached *out);

enum skep_tc_verdict {
	SKEP_TC_PASS,
	SKEP_TC_DROP,
	SKEP_TC_STOLEN,
	SKEP_TC_REDIRECT,
	SKEP_TC_VERDICTS,
};

/* What the tc programs at the port's ingress or egress (`place`) together made of packets;
 * those that met no program are not counted. 0, -ENODEV, -EINVAL (the place). */
SKEP_API int skep_port_tc(struct skep_engine *engine, int ifindex, uint32_t place,
			  uint64_t packets[SKEP_TC_VERDICTS]);

/*
 * What XDP and the tc programs at its ingress let pass leaves by another port, through the tc
 * programs at that one's egress: what is behind a port is a TAP, then, or any other port. 0: it
 * goes where a port keeps what passes, or ends. 0 or -ENODEV.
 */
SKEP_API int skep_port_pass_to(struct skep_engine *engine, int ifindex, int target);

/* Why packets of a port did not get where they should. */
enum skep_exception {
#define EXCEPTION(id, ...) SKEP_EXCEPTION_##id,
#include <skep/exceptions.def>
#undef EXCEPTION
	SKEP_EXCEPTIONS,
};

/* Counts of the packets that came in by the port, the first `count` of them. 0 or -ENODEV. */
SKEP_API int skep_port_exceptions(struct skep_engine *engine, int ifindex, uint64_t *counts,
				  unsigned int count);
/* Static storage; NULL: no such exception. */
SKEP_API const char *skep_exception_name(unsigned int exception);
SKEP_API const char *skep_exception_text(unsigned int exception);

#ifdef __cplusplus
}
#endif
#endif
