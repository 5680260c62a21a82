/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine code of an engine's programs: made, found by address, and told to profilers and
 * debuggers as far as the engine was asked to.
 */
#ifndef SKEP_SYS_CODE_H
#define SKEP_SYS_CODE_H

#include "base/rcu.h"
#include "jit/image.h"
#include "run/run.h"
#include <pthread.h>

struct native;
struct skep_engine_opts;
struct skep_error;

struct code_list {
	pthread_mutex_t lock;	      /* of changes of `records` */
	struct cds_list_head records; /* of struct code_record; read under RCU */
	u32 debug;		      /* enum skep_jit_debug */
	int perf_map;		      /* -1: none */
	struct jitdump *dump;	      /* NULL: none */
};

/* One program's code. Freed a grace period after it has left the list. */
struct code_record {
	struct cds_list_head link;
	struct rcu_head rcu;
	struct code_list *list;
	const struct prog *prog;
	const struct native *native;
	const u8 *start, *end;
	struct gdb_code *gdb; /* NULL: gdb was not told */
};

/* 0 or a negative errno with `err`; code_list_done() is due in either case. */
int code_list_init(struct code_list *list, const struct skep_engine_opts *opts,
		   struct skep_error *err);
void code_list_done(struct code_list *list);

/* Notes code of a program that does not run yet; NULL: it has none. */
void code_note(struct code_list *list, const struct prog *prog, struct native *native);

/* Under RCU: the record with the address; NULL. */
const struct code_record *code_find(struct code_list *list, const void *pc);

struct source_line;
/* The line of C of a program's instruction; false: none is known. */
bool code_line_of(const struct prog *prog, u32 insn, struct source_line *out);

#endif
