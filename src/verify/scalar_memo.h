/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Results of arithmetic that were found before: a program does the same to numbers of which it
 * knows the same again and again, in loops above all.
 */
#ifndef SKEP_VERIFY_SCALAR_MEMO_H
#define SKEP_VERIFY_SCALAR_MEMO_H

#include "verify/scalar.h"

#include <string.h>

#define MEMO_ENTRIES 256

struct memo_entry {
	struct scalar dst, src, result;
};

struct scalar_memo {
	u32 how[MEMO_ENTRIES]; /* operator, width and offset; 0: there is no such entry */
	struct memo_entry entries[MEMO_ENTRIES];
};

static inline void scalar_memo_init(struct scalar_memo *memo)
{
	memset(memo->how, 0, sizeof(memo->how));
}

/* As scalar_alu(). */
void scalar_alu_memo(struct scalar_memo *memo, struct scalar *dst, const struct scalar *src,
		     u8 op, bool is32, s16 off);

#endif
