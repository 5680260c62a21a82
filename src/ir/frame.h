/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: the stack frame as memory. */
#ifndef SKEP_IR_FRAME_H
#define SKEP_IR_FRAME_H

#include "ir/ir.h"

/* A load or store of a place in the frame that is always the same: its offset. */
bool ir_frame_access(const struct ir_function *fn, const struct ir_insn *insn, s64 *offset);
/* How many bytes the callee may touch at its argument; -1: no telling. */
s64 ir_touched(const struct ir_function *fn, const struct ir_insn *insn, u32 index);
/* What the bytes in the frame are before `where`, as a number; 0: not known. */
ir_ref ir_frame_value(struct ir_function *fn, ir_ref where, s64 offset, u32 bytes);

/* forward.c, find.c: parts of one pass. */
void ir_find(struct ir_function *fn);

#endif
