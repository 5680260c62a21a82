/* SPDX-License-Identifier: BSD-2-Clause */
/* Machine code under construction: bytes that grow, and values patched in later. */
#ifndef SKEP_JIT_EMIT_H
#define SKEP_JIT_EMIT_H

#include "base/types.h"

#include <stdlib.h>
#include <string.h>

/* No instruction of a program becomes more bytes than this. */
#define EMIT_STEP 1024

struct emit {
	u8 *start, *at, *end;
	u32 registers; /* that instructions had as an operand or a base, as bits */
};

/* Room for so many bytes more: 0 or -ENOMEM. */
int emit_grow(struct emit *emit, size_t bytes);

/* Room for one step, likewise. */
static inline int emit_reserve(struct emit *emit)
{
	return likely(emit->end - emit->at >= EMIT_STEP) ? 0 : emit_grow(emit, EMIT_STEP);
}

static inline u32 emit_offset(const struct emit *emit)
{
	return (u32)(emit->at - emit->start);
}

static inline void emit8(struct emit *emit, u8 byte)
{
	*emit->at++ = byte;
}

static inline void emit32(struct emit *emit, u32 word)
{
	memcpy(emit->at, &word, sizeof(word));
	emit->at += sizeof(word);
}

static inline void emit64(struct emit *emit, u64 word)
{
	memcpy(emit->at, &word, sizeof(word));
	emit->at += sizeof(word);
}

static inline void emit_patch32(struct emit *emit, u32 offset, u32 word)
{
	memcpy(emit->start + offset, &word, sizeof(word));
}

#endif
