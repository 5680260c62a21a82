/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What loaders without CAP_PERFMON are held to because CPUs speculate: past a branch in the
 * direction that is not taken, and past a store that they have not seen yet.
 *
 *  - The way that a decided branch does not take is walked, too, as a *speculative* path: its
 *    operands may be anything there. What is wrong on such a path rejects nothing: a barrier is
 *    put in front of the instruction, and the path ends at it.
 *  - An offset in a register that is added to a pointer is masked: beyond the limit that was
 *    proved it counts as 0. A speculative path goes on with that 0.
 *  - A store that might be overtaken by a load of what was there before has a barrier behind
 * it.
 *
 * Nothing of this changes what the program computes. The facts (struct insn_fact) say which
 * instructions have a mask or barriers. All functions do nothing for loaders who may see
 * anything anyway.
 */
#ifndef SKEP_VERIFY_SPECULATION_H
#define SKEP_VERIFY_SPECULATION_H

#include "verify/walk.h"

/* The path that speculation may take where it goes on at `insn`, is kept for later. */
int speculation_put_off(struct walk *walk, u32 insn);
/* The current path is one that only speculation takes: the branch's operands may be anything.
 */
void speculation_enter(struct walk *walk);

/* A barrier in front of the current instruction ends the speculative path. */
bool speculation_stops_before(const struct walk *walk);
/* On a speculative path: what came of the current instruction. `ret`, or 0 and the path's end
 * where it was wrong. */
int speculation_settle(struct walk *walk, int ret);

/* The offset that is added to the pointer in register `pointer` can be masked: walk->mask. */
int speculation_prove_offset(struct walk *walk, const struct bpf_insn *insn, u32 pointer);
/* The path on which the offset was masked to 0 is kept for later. */
int speculation_put_off_masked(struct walk *walk, const struct reg_state *pointer);
/* The sum, in dst, is inside its object; its distance limits the mask. */
int speculation_prove_sum(struct walk *walk, const struct bpf_insn *insn);
/* An addition or subtraction that no pointer is part of has none on any path. */
int speculation_prove_numbers(struct walk *walk, const struct bpf_insn *insn);

/* The current instruction stores to these bytes of the stack; `value` may be NULL: a number. */
void speculation_note_store(struct walk *walk, const struct frame *frame,
			    const struct access *access, const struct reg_state *value);

#endif
