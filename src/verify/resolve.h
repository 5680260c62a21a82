/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKEP_VERIFY_RESOLVE_H
#define SKEP_VERIFY_RESOLVE_H

#include "verify/walk.h"

/* What each ld_imm64 and call names: maps, addresses, subprograms; into the facts. */
int resolve_operands(struct walk *walk);

#endif
