/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run.h"
#include "sys/command.h"

#include <errno.h>

int command_prog_test_run(struct call *call)
{
	int ret = 0;
	struct prog *prog = call_prog(call, call->attr.v.test.prog_fd, &ret);

	if (!prog)
		return ret;
	ret = prog_test_run(prog, &call->engine->env, &call->attr.v, call->err);
	object_put(&prog->object);
	return ret;
}
