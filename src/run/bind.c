/* SPDX-License-Identifier: BSD-2-Clause */
/* The last step before the fast build can run: each operation gets its label there. */
#include "run/code.h"

void code_bind(struct prog_code *code)
{
	const void *const *handlers = interpret_fast_handlers();

	for (u32 i = 0; i <= code->insn_cnt; i++)
		code->insns[i].handler = handlers[code->insns[i].op];
}
