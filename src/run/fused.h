/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The superinstructions: operations that only the fast build has, numbered after those of
 * code.h. fused.def has families of its own; three more follow from ops.def: a move before an
 * ALU operation, an address computed before a load, a counter advanced before a jump.
 */
#ifndef SKEP_RUN_FUSED_H
#define SKEP_RUN_FUSED_H

#include "run/code.h"

enum fused_op {
	FUSED_BASE = CODE_OPS - 1,
#define FUSED_NAME(name) FUSED_##name,
#include "run/fused_names.h"
	FUSED_END,
};

#endif
