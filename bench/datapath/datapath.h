/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet path beside what bare C does with the same packets, in one run. A case is a row of
 * cases.def and one function, which moves packets for about `seconds` and says how many. Rows
 * of one group are compared: the first of a group is its limit.
 */
#ifndef SKEP_BENCH_DATAPATH_H
#define SKEP_BENCH_DATAPATH_H

#include "base/types.h"

#define PACKET_BYTES 64
#define ROUNDS_MAX   101

struct rate {
	double packets, seconds;
};

/* 0; 77: not possible here, `why` says why; 1: failed, and `why`. */
typedef int measure(double seconds, struct rate *out, char why[256]);

#define CASE(name, group, goal, text) measure measure_##name;
#include "cases.def"
#undef CASE

double now_seconds(void);
double cpu_seconds(void); /* of this thread */
/* The packet of all cases: IPv4, TCP, to port 80. */
extern const u8 bench_packet[PACKET_BYTES];
/* What a filter in C that does as bench/programs/packet/parse_drop.bpf.c says. */
bool bare_parse(const u8 *packet, u32 length);

/* What was calculated for its time alone. */
static inline void use(bool value)
{
	__asm__ volatile("" : : "r"(value));
}

extern const char *bench_object; /* the file with the programs */

struct skep_engine;
/* An engine with the object's program attached to the port `spec`; *port is its number. NULL:
 * `why` says why. */
struct skep_engine *bench_engine(const char *object, const char *spec, int *port,
				 char why[256]);

#endif
