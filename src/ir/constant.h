/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: memory that never changes. */
#ifndef SKEP_IR_CONSTANT_H
#define SKEP_IR_CONSTANT_H

#include "ir/ir.h"

/* The bytes at the address, when they are all a frozen map's that programs only read; else NULL. */
const u8 *ir_constant_bytes(const struct ir_function *fn, u64 address, u64 bytes);
/* What the load of such memory gives; false: it is no such load. */
bool ir_constant_load(const struct ir_function *fn, const struct ir_insn *load, u64 *out);

#endif
