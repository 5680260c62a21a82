/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the verifier has to say of a program: why it was rejected and how it came to that, and
 * what looking at it cost. It is made when skep_engine_opts.explain asks for it.
 *
 * All texts are terminated, one line, without a newline; all that an explanation points to
 * lives as long as it does. Structures may grow at their ends.
 */
#ifndef SKEP_EXPLAIN_H
#define SKEP_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A place in the source, out of the program's BTF. */
struct skep_source {
	const char *file; /* as the compiler recorded it; NULL: not known, and nothing below */
	const char *text; /* the line, with its white space */
	uint32_t line;	  /* from 1 */
	uint32_t column;  /* from 1, in bytes; 0: not known */
};

enum skep_step_kind {
	SKEP_STEP_BORN,	    /* the value came to be here */
	SKEP_STEP_MOVED,    /* it went from one register or stack slot to another */
	SKEP_STEP_CHANGED,  /* arithmetic made another value of it */
	SKEP_STEP_NARROWED, /* a check told more of it */
	SKEP_STEP_LOST,	    /* what was known of it is known no more */
	SKEP_STEP_BRANCH,   /* a jump on the way to the rejected instruction */
	SKEP_STEP_ROUND,    /* a part of what was gone round, or looked at most */
	SKEP_STEP_FRAME,    /* a function's frame on the stack */
};

/* One step of the path that led to a rejection. */
struct skep_step {
	enum skep_step_kind kind;
	uint32_t insn;	    /* index of the instruction */
	const char *place;  /* "r1", "fp-16": which register or stack slot, after the step */
	const char *text;   /* what happened, a sentence without a full stop */
	const char *before; /* what was known of the value; NULL: there was none */
	const char *after;  /* what is known of it after the step; NULL: nothing */
	struct skep_source source;
};

/* What instructions with the same source line, or of one function, cost. */
struct skep_cost {
	const char *name;	   /* of the function; NULL: a line, or no name is known */
	uint32_t insn;		   /* the first instruction of them */
	uint32_t insns;		   /* how many instructions they are */
	uint64_t processed;	   /* how often they were looked at, all together */
	uint64_t states;	   /* states kept at them, to compare later paths with */
	struct skep_source source; /* of a line */
};

struct skep_explanation {
	/* The verdict: that of skep_engine_error() at the same time. */
	const char *program; /* the name that PROG_LOAD had */
	int code;	    /* negative errno; 0: accepted, and nothing is said up to `steps` */
	const char *reason; /* stable id */
	const char *message; /* in Linux's words */
	int insn;	     /* the rejected instruction, -1: none */
	const char *insn_text;
	struct skep_source source;
	const char *needs; /* the requirement that was not met; NULL: there is none */
	const char *known; /* what is known instead; NULL: nothing to compare */
	const char *hint;  /* what to do */

	/* How it came to that: of each register and stack slot of the requirement, in the
	 * order of the path. */
	const struct skep_step *const *steps;
	uint32_t step_count;
	bool is_cut; /* the path was so long that its beginning was not looked at */

	/* What it cost, the dearest first. Lines are empty without line info. */
	uint64_t processed; /* instructions looked at */
	uint64_t states;    /* states kept in all, and at most at a time */
	uint64_t peak_states;
	uint64_t time_ns;
	const struct skep_cost *const *lines;
	uint32_t line_count;
	const struct skep_cost *const *functions;
	uint32_t function_count;
};

#ifdef __cplusplus
}
#endif
#endif
