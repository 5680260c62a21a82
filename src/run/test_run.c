/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/test_run.h"
#include "base/error.h"
#include "base/os.h"
#include "base/user.h"
#include "map/map.h"
#include "run/runner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Linux's internal errno for what a program type does not support. */
#define LINUX_ENOTSUPP 524

/* Linux looks at no more than a page of an argument that is too large. */
#define ARGUMENT_MAX 4096

/* A read-side section is not held longer than this many runs. */
#define RUNS_PER_SECTION 256

bool is_zero(const void *bytes, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (((const u8 *)bytes)[i])
			return false;
	return true;
}

int test_refuse(struct test_run *test, int code, const char *format, ...)
{
	char text[SKEP_ERROR_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error_set(test->err, SKEP_STAGE_RUN, code, "%s", text);
}

/* Without a runner (out of memory) each run is on its own. */
static void run_batch(struct test_run *test, struct runner *runner, void *ctx,
		      const struct test_hooks *hooks, u32 count)
{
	struct run_context run;

	run_begin(&run, test->env);
	run.regions = test->region;
	run.region_cnt = test->region ? 1 : 0;
	memcpy(run.local_storage, test->local_storage, sizeof(run.local_storage));
	if (runner)
		runner_start(runner, test->prog, &run);
	if (runner && !hooks)
		test->retval = runner_repeat(runner, ctx, count);
	for (u32 i = 0; (!runner || hooks) && i < count; i++) {
		u64 result;

		if (hooks && hooks->before)
			hooks->before(hooks->cookie);
		result = runner ? runner_run(runner, ctx) : prog_run(test->prog, ctx, &run);
		if (hooks && hooks->after)
			hooks->after(hooks->cookie, &run, result);
		test->retval = result;
	}
	run_end(&run);
	test->violated |= run.violated;
}

void test_repeat(struct test_run *test, void *ctx, const struct test_hooks *hooks)
{
	const u32 repeat = test->attr->test.repeat ?: 1;
	struct runner *runner = runner_new();
	const u64 start = os_time_ns(CLOCK_MONOTONIC);

	for (u32 done = 0; done < repeat;) {
		const u32 count = min(repeat - done, (u32)RUNS_PER_SECTION);

		run_batch(test, runner, ctx, hooks, count);
		done += count;
	}
	test->duration = min((os_time_ns(CLOCK_MONOTONIC) - start) / repeat, (u64)UINT32_MAX);
	runner_free(runner);
}

/* --- the caller's memory --- */
int test_ctx_read(struct test_run *test, size_t size, void **out)
{
	const u64 in = test->attr->test.ctx_in;
	const size_t given = test->attr->test.ctx_size_in;
	void *ctx;
	int ret = 0;

	*out = NULL;
	if (!in && !test->attr->test.ctx_out)
		return 0;
	if (given > ARGUMENT_MAX)
		ret = -E2BIG;
	else if (given > size)
		ret = user_check_zero(in + size, given - size);
	if (ret)
		return test_refuse(test, ret, "the context is larger than %zu bytes", size);
	ctx = calloc(1, size);
	if (!ctx)
		return test_refuse(test, -ENOMEM, "out of memory");
	if (user_read(ctx, in, min(given, size))) {
		free(ctx);
		return test_refuse(test, -EFAULT, "the context cannot be read");
	}
	*out = ctx;
	return 0;
}

int test_ctx_write(struct test_run *test, const void *ctx, u32 size)
{
	const u32 room = test->attr->test.ctx_size_out;

	if (!ctx || !test->attr->test.ctx_out)
		return 0;
	if (user_write(test->attr->test.ctx_out, ctx, min(size, room)))
		return test_refuse(test, -EFAULT, "the context cannot be written");
	test->attr->test.ctx_size_out = size;
	if (room < size)
		return test_refuse(test, -ENOSPC,
				   "the context has %u bytes, there is room for %u", size,
				   room);
	return 0;
}

/* Of a packet with fragments all of them come back, and what is too much is missing before
 * them: Linux's way. */
static int copy_out(struct test_run *test, const u8 *data, u32 size, u32 fragments, u32 part)
{
	const u64 out = test->attr->test.data_out;
	const u32 linear = part - fragments;

	if (!data || !out)
		return 0;
	if (part < fragments)
		return -ENOSPC;
	if (user_write(out, data, linear) ||
	    user_write(out + linear, data + size - fragments, fragments))
		return -EFAULT;
	return 0;
}

int test_data_write(struct test_run *test, const void *data, u32 size, u32 fragments)
{
	const u32 room = test->attr->test.data_size_out;
	/* Without a size the caller promises that all fits. */
	const u32 part = room ? min(size, room) : size;
	int ret = copy_out(test, data, size, fragments, part);

	if (ret)
		return test_refuse(test, ret, "the data cannot be written");
	test->attr->test.data_size_out = size;
	test->attr->test.retval = test->retval;
	test->attr->test.duration = test->duration;
	if (part < size)
		return test_refuse(test, -ENOSPC, "the data has %u bytes, there is room for %u",
				   size, room);
	return 0;
}

int test_data_read(struct test_run *test, u32 headroom, u32 capacity, u8 **out)
{
	const u32 size = test->attr->test.data_size_in;
	u8 *memory = calloc(1, (size_t)headroom + capacity);

	if (!memory)
		return test_refuse(test, -ENOMEM, "out of memory");
	if (user_read(memory + headroom, test->attr->test.data_in, size)) {
		free(memory);
		return test_refuse(test, -EFAULT, "the data cannot be read");
	}
	*out = memory;
	return 0;
}

/* --- which type does what --- */
static int test_by_type(struct test_run *test)
{
	switch ((int)test->prog->type) {
	case BPF_PROG_TYPE_SOCKET_FILTER:
	case BPF_PROG_TYPE_SCHED_CLS:
	case BPF_PROG_TYPE_SCHED_ACT:
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_LWT_IN:
	case BPF_PROG_TYPE_LWT_OUT:
	case BPF_PROG_TYPE_LWT_XMIT: return test_run_skb(test);
	case BPF_PROG_TYPE_XDP: return test_run_xdp(test);
	case BPF_PROG_TYPE_FLOW_DISSECTOR: return test_run_flow_dissector(test);
	case BPF_PROG_TYPE_SK_LOOKUP: return test_run_sk_lookup(test);
	case BPF_PROG_TYPE_RAW_TRACEPOINT: return test_run_raw_tp(test);
	case BPF_PROG_TYPE_SYSCALL: return test_run_syscall(test);
	case BPF_PROG_TYPE_NETFILTER: return test_run_netfilter(test);
	default:
		return test_refuse(test, -LINUX_ENOTSUPP,
				   "programs of this type have no test run");
	}
}

/* An address without a size, or a size without an address. */
static bool is_half_given(u64 address, u32 size)
{
	return !address != !size;
}

static int storage_init(struct test_run *test)
{
	const struct prog *prog = test->prog;

	for (u32 i = 0; i < prog->map_cnt; i++) {
		const struct map_desc *desc = &prog->maps[i]->desc;
		struct run_region *storage =
			&test->local_storage[desc->type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE];

		if ((desc->type != BPF_MAP_TYPE_CGROUP_STORAGE &&
		     desc->type != BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE) ||
		    storage->start)
			continue;
		storage->size = round_up(desc->value_size, 8);
		storage->start = calloc(1, storage->size);
		if (!storage->start)
			return test_refuse(test, -ENOMEM, "out of memory");
	}
	return 0;
}

static void storage_done(struct test_run *test)
{
	free(test->local_storage[0].start);
	free(test->local_storage[1].start);
}

int prog_test_run(struct prog *prog, const struct run_env *env, union bpf_attr *attr,
		  struct skep_error *err)
{
	struct test_run test = {.prog = prog, .env = env, .attr = attr, .err = err};
	int ret;

	if (is_half_given(attr->test.ctx_in, attr->test.ctx_size_in) ||
	    is_half_given(attr->test.ctx_out, attr->test.ctx_size_out))
		return test_refuse(&test, -EINVAL,
				   "a context needs both an address and a size");
	ret = storage_init(&test);
	if (!ret)
		ret = test_by_type(&test);
	storage_done(&test);
	if (!ret && test.violated)
		ret = test_refuse(&test, -EFAULT, "the checked interpreter found a violation");
	return ret;
}
