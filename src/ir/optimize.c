/* SPDX-License-Identifier: BSD-2-Clause */
/* The passes, from top to bottom. */
#include "ir/ir.h"

static void clean(struct ir_function *fn)
{
	ir_order(fn);
	if (!fn->failed)
		ir_phis(fn);
	if (!fn->failed)
		ir_fold(fn);
	if (!fn->failed)
		ir_order(fn);
}

void ir_optimize(struct ir_function *fn)
{
	clean(fn);
	if (!fn->failed)
		ir_promote(fn);
	if (!fn->failed)
		clean(fn);
	if (!fn->failed)
		ir_number(fn);
	if (!fn->failed)
		clean(fn);
	if (!fn->failed)
		ir_dead(fn);
	if (!fn->failed)
		ir_address(fn);
	if (!fn->failed)
		ir_dead(fn);
}
