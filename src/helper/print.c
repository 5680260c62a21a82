/* SPDX-License-Identifier: BSD-2-Clause */
/* Text from programs: to the engine's trace, or into their own memory. */
#include "helper/body.h"

#include <errno.h>
#include <string.h>

#define LINE_BYTES 1024 /* Linux's MAX_PRINTF_BUF */
#define ARGS_MAX   12	/* Linux's MAX_BPRINTF_VARARGS */

static u64 trace(struct run_context *run, const char *format, u32 format_size, const u64 *args,
		 u32 arg_cnt)
{
	char line[LINE_BYTES + 1];
	long length = format_print(line, LINE_BYTES, format, format_size, args, arg_cnt);
	size_t shown;

	if (length < 0)
		return length;
	shown = min((size_t)length, LINE_BYTES - 1ul);
	if (!shown || line[shown - 1] != '\n')
		line[shown++] = '\n';
	if (run->env->trace)
		run->env->trace(run->env->engine, line, shown);
	return length;
}

/* Arguments in memory: their number, or -EINVAL. */
static long count_args(u64 address, u32 size)
{
	if (size % sizeof(u64) || size > ARGS_MAX * sizeof(u64) || (size && !address))
		return -EINVAL;
	return size / sizeof(u64);
}

HELPER_BODY(trace_printk)
{
	const u64 args[] = {r3, r4, r5};

	return trace(run, u64_to_ptr(r1), r2, args, ARRAY_SIZE(args));
}

HELPER_BODY(trace_vprintk)
{
	long arg_cnt = count_args(r3, r4);

	if (arg_cnt < 0)
		return arg_cnt;
	return trace(run, u64_to_ptr(r1), r2, u64_to_ptr(r3), arg_cnt);
}

/* The verifier checked that the format ends. */
HELPER_BODY(snprintf)
{
	const char *format = u64_to_ptr(r3);
	long arg_cnt = count_args(r4, r5), length;

	if (arg_cnt < 0)
		return arg_cnt;
	length = format_print(u64_to_ptr(r1), (u32)r2, format, strlen(format) + 1,
			      u64_to_ptr(r4), arg_cnt);
	return length < 0 ? length : length + 1;
}

/* A stream of the program that user space reads; r5 is the kernel's. */
KFUNC_BODY(bpf_stream_vprintk_impl)
{
	const char *format = u64_to_ptr(r2);
	const long arg_cnt = count_args(r3, (u32)r4);
	char text[LINE_BYTES];
	long length;
	int ret = run->env->stream ? run->env->stream(run->prog, (u32)r1, "", 0) : -ENOENT;

	if (ret == -ENOENT)
		return ret;
	if (arg_cnt < 0)
		return arg_cnt;
	length = format_print(text, sizeof(text), format, (u32)strlen(format) + 1,
			      u64_to_ptr(r3), (u32)arg_cnt);
	if (length < 0)
		return length;
	return run->env->stream(run->prog, (u32)r1, text,
				min((size_t)length, sizeof(text) - 1));
}
