/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects on the stack that programs hold only by address: dynptrs, iterators, irq flags. Their
 * bytes have a kind of their own, and each of their slots describes the object in `spilled`
 * (register kinds REG_DYNPTR, REG_ITERATOR, REG_IRQ_FLAG).
 */
#ifndef SKEP_VERIFY_STACK_OBJECT_H
#define SKEP_VERIFY_STACK_OBJECT_H

#include "verify/kfunc.h"

/* Where the object is that a register points to: its lowest slot has the largest number. */
struct stack_place {
	struct frame *frame;
	u32 slot; /* of its first bytes; the next 8 are in slot - 1 */
};

/* The register points to `slots` whole slots; `what` names the object in the rejection. */
int place_find(struct walk *walk, u32 regno, u32 slots, const char *what,
	       struct stack_place *out);
/* All bytes of the slot are of this kind. */
bool place_is_filled(const struct stack_place *place, u32 index, enum byte_kind kind);
/* Some byte of the slot is. */
bool place_is_touched(const struct stack_place *place, u32 index, enum byte_kind kind);
/* Slot `index` of the object (0: its first bytes), as far as the frame was written. */
const struct stack_slot *place_slot(const struct stack_place *place, u32 index);
/* The same slot to be changed: the object is there. */
struct stack_slot *place_object(const struct stack_place *place, u32 index);
/* The object's slots hold it from here on: `description` in each. The stack grows to it. */
void place_put(struct walk *walk, const struct stack_place *place, u32 slots,
	       enum byte_kind kind, const struct reg_state *description);
/* Nothing is there any more. */
void place_clear(const struct stack_place *place, u32 slots);

/* --- dynptrs (dynptr.c) --- */

enum dynptr_kind {
	DYNPTR_NONE,
	DYNPTR_LOCAL,
	DYNPTR_RINGBUF, /* holds a reference */
	DYNPTR_SKB,	/* slices are void when the packet changes, as those of the next two */
	DYNPTR_XDP,
	DYNPTR_SKB_META,
};

/* Argument `regno` is a place for a new dynptr. */
int dynptr_prove_place(struct walk *walk, u32 regno);
/* It is a dynptr, of this kind unless DYNPTR_NONE; `changes`: the callee changes the dynptr. */
int dynptr_prove(struct walk *walk, u32 regno, enum dynptr_kind kind, bool changes);
/* It holds a reference that the callee takes back. */
int dynptr_prove_release(struct walk *walk, u32 regno);
/* Makes the dynptr where dynptr_prove_place() showed that there is room. */
int dynptr_make(struct walk *walk, u32 regno, enum dynptr_kind kind);
/* A copy of walk->call.dynptr, there. */
int dynptr_clone(struct walk *walk, u32 regno);
void dynptr_release(struct walk *walk, u32 regno);
/* Bytes [low, high) of a frame are about to be written over. Rejects when a reference is lost.
 */
int dynptr_prove_overwrite(struct walk *walk, struct frame *frame, s64 low, s64 high);
void dynptr_overwrite(struct walk *walk, struct frame *frame, s64 low, s64 high);

/* --- open-coded iterators (iterator.c) --- */
int iterator_prove(struct walk *walk, const struct kfunc *kfunc, u32 index);
int iterator_transfer(struct walk *walk, const struct kfunc *kfunc, u32 index);
/* After the result of a next function is set: the walk goes on behind its end, and is put off
 * to where there was one more. */
int iterator_branch(struct walk *walk);
/* At a call of a next function: there may be more. True at other instructions. */
bool iterator_goes_on(struct walk *walk);

/* --- flags of saved interrupts (irq_flag.c) --- */
int irq_flag_prove(struct walk *walk, const struct kfunc *kfunc, u32 index);
int irq_flag_transfer(struct walk *walk, const struct kfunc *kfunc, u32 index);

#endif
