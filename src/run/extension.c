/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/extension.h"
#include "run/native.h"

void extension_set(struct prog *prog, u32 subprog, const struct prog *extension)
{
	bool is_extended = false;

	rcu_assign_pointer(prog->code->extensions[subprog], extension);
	for (u32 i = 0; i < prog->verified->subprog_cnt; i++)
		is_extended |= prog->code->extensions[i] != NULL;
	atomic_store_explicit(&prog->is_extended, is_extended, memory_order_relaxed);
}

u64 extension_run(struct executor *exec, const struct prog *extension, const u64 args[5])
{
	/* Acquire: partner of the exchange in sys/compile.c. */
	const struct native *native =
		atomic_load_explicit(&extension->native, memory_order_acquire);
	const struct prog_code *code = exec->code;
	const struct prog *prog = exec->run->prog;
	u64 ret;

	exec->extended = exec->run->prog;
	exec->run->prog = extension;
	exec->code = extension->code;
	if (native && !exec->checker)
		ret = native->enter(args, exec, native->entry[0]);
	else
		ret = executor_call(exec, extension->code->insns, args);
	exec->code = code;
	exec->run->prog = prog;
	return ret;
}
