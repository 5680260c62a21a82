/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers and frames as Linux's log shows them: "R1=ctx() R10=fp0 fp-8=scalar(smin=0,...)".
 */
#ifndef SKEP_VERIFY_STATE_PRINT_H
#define SKEP_VERIFY_STATE_PRINT_H

#include "base/strbuf.h"
#include "verify/state.h"

#define PRINT_ALL_REGS	((u16)~0)
#define PRINT_ALL_SLOTS (~0ull)

/* One register or spilled register of the frame with this index. */
void reg_print(const struct reg_state *reg, u32 frame, struct strbuf *out);

/* Each chosen register and stack slot that holds something, a space before each. */
void frame_print(const struct state *state, u32 frame, u16 regs, u64 slots, struct strbuf *out);

#endif
