/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verifier's benchmark: the same programs into the live kernel's verifier and skep's, in
 *one process, round after round. Both say themselves how long they took and how many
 *instructions they processed (log_level 4); skep only verifies, and its memory is what that
 *took from the heap at its peak.
 *
 *	main.c		options, the order of things, the table
 *	generate.c	programs made here, each heavy in one way
 *	capture.c	programs of object files: what libbpf would load, kept to be loaded
 *again load.c		one load into one world heap.c		counts what malloc() gives
 */
#ifndef SKEP_BENCH_VERIFIER_H
#define SKEP_BENCH_VERIFIER_H

#include "base/types.h"

#include <linux/bpf.h>

#define REASON_SIZE 200

enum world { WORLD_LINUX, WORLD_SKEP, WORLDS };

/* One program as each world loads it: maps are descriptors of that world. */
struct program {
	char name[96];
	union bpf_attr attr[WORLDS];
	bool is_there[WORLDS];
	struct program *next;
};

struct measure {
	int code; /* of BPF_PROG_LOAD: 0 accepted */
	u64 processed;
	double ms;
	u64 peak; /* bytes of heap; skep only */
	char reason[REASON_SIZE];
};

/* --- load.c --- */
bool world_open(enum world world);
int world_bpf(enum world world, int cmd, union bpf_attr *attr, u32 size);
void world_load(enum world world, const union bpf_attr *attr, struct measure *out);

/* --- generate.c, capture.c: programs are never freed --- */
struct generator {
	const char *name;
	u32 size;
	void (*generate)(u32 size);
};
extern const struct generator generators[];
extern const u32 generator_cnt;
struct program *generate_program(const struct generator *generator);
/* The programs of an object file that Linux or skep can open; NULL: none. */
struct program *capture_programs(const char *path);

/* --- heap.c: of the whole process --- */
void heap_start(void);
u64 heap_peak(void); /* since heap_start() */

#endif
