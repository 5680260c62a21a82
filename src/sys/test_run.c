/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run.h"
#include "run/stream.h"
#include "sys/command.h"

#include <errno.h>

/* The results that changed; a caller that passed a short attr may not have room for others. */
static int write_results(struct call *call, const union bpf_attr *given)
{
	const union bpf_attr *attr = &call->attr.v;
	int ret = call_put(call, v.test.retval, attr->test.retval);

	if (!ret)
		ret = call_put(call, v.test.duration, attr->test.duration);
	if (!ret)
		ret = call_put(call, v.test.data_size_out, attr->test.data_size_out);
	if (!ret && attr->test.ctx_size_out != given->test.ctx_size_out)
		ret = call_put(call, v.test.ctx_size_out, attr->test.ctx_size_out);
	return ret;
}

int command_prog_test_run(struct call *call)
{
	const union bpf_attr given = call->attr.v;
	int ret = 0, written;
	struct prog *prog = call_prog(call, (int)given.test.prog_fd, &ret);
	const bool is_offloaded = prog && prog->offload;

	if (prog)
		object_put(&prog->object);
	if (is_offloaded)
		return call_fail(call, -ENOTSUPP, "program %u runs at its device only",
				 given.test.prog_fd);
	prog = call_prog_to_run(call, (int)given.test.prog_fd, &ret);
	if (!prog)
		return ret;
	/* A link that was closed gives its place back before the program runs. */
	if (atomic_load_explicit(&prog->is_extended, memory_order_relaxed))
		descriptors_reap(call->engine);
	ret = prog_test_run(prog, &call->engine->env, &call->attr.v, call->err);
	object_put(&prog->object);
	if (ret && ret != -ENOSPC)
		return ret;
	written = write_results(call, &given);
	return written ? written : ret;
}

int command_prog_stream_read_by_fd(struct call *call)
{
	const struct attr_stream_read *attr = &call->attr.stream_read;
	int ret = 0;
	struct prog *prog = call_prog(call, (int)attr->prog_fd, &ret);

	if (!prog)
		return ret;
	ret = prog_stream_read(prog, attr->stream_id, attr->stream_buf, attr->stream_buf_len);
	object_put(&prog->object);
	if (ret == -ENOENT)
		return call_fail(call, ret, "no stream %u: 1 and 2 are those of a program",
				 attr->stream_id);
	return ret < 0 ? call_fail(call, ret, "stream_buf cannot be written") : ret;
}
