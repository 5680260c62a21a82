/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How it came to a rejection. The walk keeps the path that it is on (path.c) but no values
 * of the past, and while nothing is wrong nobody asks for them. After a rejection the
 * registers and stack slots of the requirement that was not met are followed backwards along
 * the path (flow.c), which says what must be known; the walk is made once more, the same in
 * all its steps, and watched (watch.c); what was seen becomes the explanation's steps.
 */
#ifndef SKEP_VERIFY_EXPLAIN_H
#define SKEP_VERIFY_EXPLAIN_H

#include "verify/flow.h"
#include "verify/walk.h"
#include "verify/watch.h"

#include <skep/explain.h>

/* The path's last steps, more are not looked at. */
#define EXPLAIN_STEPS_MAX 16384
/* Steps of an explanation; what is nearest to the rejection is kept. */
#define EXPLAIN_NOTES_MAX 64

struct explanation {
	struct skep_explanation face; /* what others see */
	struct arena arena;	      /* owns all that it points to */
};

/* How far a number that a note is about is known, for the hint. */
enum bounds {
	BOUNDS_NO_NUMBER,
	BOUNDS_NONE,
	BOUNDS_UPPER, /* may be negative, without end */
	BOUNDS_BOTH,
};

/* What is under way: the walk that rejected, and what becomes of it. */
struct explain {
	struct walk *walk;
	struct explanation *out;
	struct slice slice;
	const struct watch *watch; /* the values along the slice */
	struct skep_step *notes[EXPLAIN_NOTES_MAX];
	u32 positions[EXPLAIN_NOTES_MAX]; /* of the notes, in the slice */
	u8 bounds[EXPLAIN_NOTES_MAX];	  /* enum bounds, behind the step */
	u32 note_cnt;
	u32 position;		      /* of the notes that are added now */
	const char *file, *file_copy; /* BTF's name of the last source file, and the copy */
};

/*
 * A new explanation of the verdict `code` of a walk that is over; NULL: out of memory. The
 * steps are left out when a second walk cannot be made.
 */
struct explanation *explain_verdict(struct walk *walk, int code);

/* --- explain_steps.c --- */
/* Turns the values seen along the slice into notes, the last first. */
void explain_steps(struct explain *explain);
/* Adds a note; `text` is in the explanation's arena. NULL: no room, or no memory. */
struct skep_step *explain_note(struct explain *explain, enum skep_step_kind kind, u32 insn,
			       const char *text);

/* --- explain_way.c --- */
/* A jump that compares. */
bool explain_is_conditional(const struct bpf_insn *insn);
/* Jumps of the path behind this position: where what is missing was not done on the way. */
void explain_branches(struct explain *explain, u32 from);
/* The last step of the path at this instruction, as a position; false: there is none. */
bool explain_find_step(const struct explain *explain, u32 insn, u32 *position);

/* --- explain_loop.c --- */
/* Whether the walk went round and round. */
bool explain_is_loop(const struct walk *walk);
/* What must be seen to say why: the operands of what could have ended the loop. */
void explain_loop_subjects(struct explain *explain);
/* Which loop, how often, and what changed. */
void explain_loop(struct explain *explain);

/* --- explain_stack.c --- */
/* The frames of the functions, where together they are too large. */
void explain_stack(struct explain *explain);

/* --- explain_subject.c --- */
/* Registers and slots whose story matters for the requirement that was not met. */
void explain_subjects(const struct walk *walk, struct live_set *out);
/* The register that it is about, or the message; NO_REG: none. */
u32 explain_subject_reg(const struct walk *walk);
/* The requirement is about the size of a helper's memory. */
bool explain_is_about_size(const struct requirement *need);
/* The first byte of what was read from the stack that is missing. False: none is. */
bool explain_missing_byte(const struct walk *walk, s64 *off);

/* --- explain_need.c --- */
/* `needs` and `known` of the rejection. */
void explain_need(struct explain *explain);
/* The row's hint, or one that fits what happened on the path. */
void explain_hint(struct explain *explain);

/* --- explain_cost.c --- */
void explain_cost(struct explain *explain);

/* --- explain_words.c --- */
/* What is known of a value, in words: "0..255", "start of the packet + 14". */
void value_words(const struct reg_state *value, struct strbuf *out);
/* Bytes of the stack: the spilled value, or what the bytes hold. */
void slot_words(const struct stack_slot *slot, struct strbuf *out);
/* "LOW..HIGH". */
void range_words(s64 low, s64 high, struct strbuf *out);
/* The text, now the arena's. NULL: out of memory. */
const char *explain_keep(struct explain *explain, struct strbuf *text);
const char *explain_text(struct explain *explain, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
struct skep_source explain_source(struct explain *explain, u32 insn);
/* "bpf_map_lookup_elem()", or the name of a subprogram. */
const char *callee_words(struct explain *explain, u32 insn);
extern const char unknown_callee[]; /* where it has none */

#endif
