/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmark driver: the same programs as native code, in the live kernel and in skep, in
 *one process, round after round, so that what disturbs one mode disturbs all. Ratios mean
 * something; absolute times hold for one machine at one moment.
 *
 *	main.c		options, the list, the order of things
 *	native.c	programs as shared objects
 *	operations.c	skep's maps for them
 *	object.c	programs as byte code through libbpf, into the kernel or into skep
 *	buffer.c	the reader's side of ring and perf buffers
 *	pair.c		two threads at once: on two slots, or one that reads what the other
 *writes report.c	the table, the geometric means, JSON
 */
#ifndef SKEP_BENCH_BENCH_H
#define SKEP_BENCH_BENCH_H

#include "base/types.h"
#include <stdatomic.h>

#define ROUNDS_MAX  63
#define PACKET_MAX  2048
#define RESULTS	    4 /* return values compared between the modes */
#define REASON_SIZE 640

enum mode_kind { MODE_NATIVE, MODE_ABSL, MODE_OPERATIONS, MODE_LINUX, MODE_SKEP };

enum mode {
#define MODE(name, kind, text) MODE_##name,
#include "modes.def"
#undef MODE
	MODES
};

struct mode_row {
	const char *name, *text;
	enum mode_kind kind;
};

extern const struct mode_row modes[MODES];

struct packet {
	u8 data[PACKET_MAX];
	u32 size;
};

struct benchmark {
	char group[16], name[64];
	u64 setups;	   /* runs of the program `setup` before anything else */
	double operations; /* per run of `prog` */
	bool has_native;   /* false: native code has no counterpart */
	bool has_absl, has_operations;
	struct packet packet;
};

/* The programs of a benchmark. */
enum program { PROGRAM_MAIN, PROGRAM_SETUP, PROGRAM_PAIR, PROGRAM_STREAM, PROGRAMS };

struct buffer;

/* A benchmark ready to run in one mode; NULL in struct row: it is not. */
struct instance {
	/* Runs `count` times; the last return value goes to `result`. 0 or a negative errno. */
	int (*run)(struct instance *instance, enum program program, u64 count, u32 *result);
	void (*close)(struct instance *instance);
	struct buffer *buffer; /* that the program writes to; NULL: none */
};

/* The instance, or NULL with a reason. */
struct instance *native_open(const struct benchmark *benchmark, enum mode mode,
			     const char *folder, char reason[REASON_SIZE]);
struct instance *object_open(const struct benchmark *benchmark, enum mode mode,
			     const char *folder, char reason[REASON_SIZE]);

/* What was measured of one benchmark. */
struct row {
	struct benchmark benchmark;
	struct instance *instance[MODES];
	char reason[MODES][REASON_SIZE]; /* why there is no number */
	u32 results[MODES][RESULTS];
	double setup_seconds[MODES];
	double setup_bytes[MODES];		/* memory that the process took for it */
	u64 count[MODES];			/* runs in one round */
	double time[MODES][ROUNDS_MAX];		/* ns per operation */
	double median[MODES], deviation[MODES]; /* deviation: median, relative */
};

/* The reader's side of the object's ring buffer, or of its perf buffers, which this makes. 0:
 * done, or there is none (`out` NULL). `engine` NULL: the kernel's. */
struct skep_engine;
struct bpf_object;
int buffer_open(struct bpf_object *bpf, struct skep_engine *engine, struct buffer **out);
void buffer_close(struct buffer *buffer);
/* Drops what is in it. */
void buffer_empty(struct buffer *buffer);
/* Reads the ring buffer's records as they come, until no more will; how many there were. */
u64 buffer_read(struct buffer *buffer, const atomic_bool *end);

struct report;

/* Groups whose rows are not times: the unit of their figures, of which there is one for each
 * mode that runs byte code, in row->median; NULL: the group's rows are times. */
const char *pair_unit(const char *group);
void pair_measure(struct row *row, u32 rounds, double seconds);

struct report *report_new(const bool wanted[MODES], u32 rounds, const char *json_path);
void report_row(struct report *report, const struct row *row);
/* Rows of one figure for each mode, in row->median. */
void report_figures(struct report *report, const struct row *row, const char *unit);
/* Writes the geometric means and the JSON file; 0 or a negative errno. */
int report_end(struct report *report);

double median_of(const double *values, u32 count);
u64 cpu_time_ns(void); /* of the calling thread */

#endif
