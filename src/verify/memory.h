/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory behind registers: what may be touched, and what a load brings. */
#ifndef SKEP_VERIFY_MEMORY_H
#define SKEP_VERIFY_MEMORY_H

#include "verify/walk.h"

/* A stretch of memory that an instruction or a helper touches. */
struct extent {
	u32 reg;
	s32 off; /* from the register */
	s32 size;
	u8 access; /* enum access_kind */
	bool may_be_empty;
	bool by_helper;
};

/* `extent` lies within [0, limit) of the object that the register points into. */
int memory_prove_within(struct walk *walk, const struct extent *extent, u64 limit);
int memory_prove_map_value(struct walk *walk, const struct extent *extent);
int memory_prove_packet(struct walk *walk, const struct extent *extent);
int memory_prove_buffer(struct walk *walk, const struct extent *extent);
/* The pointer was moved forward by constants only. */
int memory_prove_fixed(struct walk *walk, u32 reg);
/* The pointer was not moved from where it came (contexts, kernel objects). */
int memory_prove_unmoved(struct walk *walk, u32 reg);

/* A load or store at the context. */
int memory_prove_context(struct walk *walk, const struct requirement *need);

/* --- stack (stack.c) --- */
int stack_prove_bounds(struct walk *walk, const struct extent *extent);
int stack_prove_read(struct walk *walk, const struct requirement *need);
int stack_prove_write(struct walk *walk, const struct requirement *need);
/* A helper reads it (or reads and writes it): all bytes hold something. */
int stack_prove_initialised(struct walk *walk, const struct extent *extent);
void stack_load(struct walk *walk, struct reg_state *dst);
/* `value` NULL: the constant `imm`. */
void stack_store(struct walk *walk, struct reg_state *value, s32 imm);
/* No byte of walk->access is part of a dynptr. */
int stack_prove_no_dynptr(struct walk *walk);
/* Makes the frame deep enough to hold `off`. */
void stack_grow(struct walk *walk, struct frame *frame, s64 off);
/* A helper or an atomic operation wrote these bytes. */
void stack_clobber(struct walk *walk, const struct access *access);

/* --- alignment.c --- */
/* The address is a multiple of the size. */
int memory_prove_alignment(struct walk *walk, const struct requirement *need);

/* What `size` bytes at walk->access of a constant map hold. False: not known. */
bool memory_constant(const struct walk *walk, const struct reg_state *base, u32 size,
		     u64 *value);

/* For messages: "var_off=(0x0; 0xff)" without the name. */
const char *number_bits_text(const struct scalar *number, char *out);
#define NUMBER_BITS_TEXT 48

#endif
