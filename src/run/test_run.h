/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_PROG_TEST_RUN: what the program types share. A type's function checks its own arguments,
 * makes a context, runs it with test_repeat(), and gives the results back.
 */
#ifndef SKEP_RUN_TEST_RUN_H
#define SKEP_RUN_TEST_RUN_H

#include "catalog/ctx.h"
#include "run/run.h"

struct test_run {
	struct prog *prog;
	const struct run_env *env;
	union bpf_attr *attr;
	struct skep_error *err;
	bool violated;			 /* the checked interpreter found something */
	u32 retval, duration;		 /* duration: ns per run */
	const struct run_region *region; /* a context whose size the type does not say; NULL */
	struct run_region local_storage[2]; /* owned; of one test, as on Linux */
};

int test_run_skb(struct test_run *test);
int test_run_xdp(struct test_run *test);
int test_run_flow_dissector(struct test_run *test);
int test_run_sk_lookup(struct test_run *test);
int test_run_raw_tp(struct test_run *test);
int test_run_syscall(struct test_run *test);
int test_run_netfilter(struct test_run *test);

/* -EINVAL with a text; so that callers can return it. */
int test_refuse(struct test_run *test, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What surrounds each run of a test; both may be NULL. */
struct test_hooks {
	void (*before)(void *cookie);
	void (*after)(void *cookie, struct run_context *run, u64 result);
	void *cookie;
};

/*
 * Runs attr->test.repeat times (0: once) on `ctx`, which keeps what earlier runs did to it, and
 * sets retval and duration. `hooks` may be NULL.
 */
void test_repeat(struct test_run *test, void *ctx, const struct test_hooks *hooks);

/*
 * The caller's context: `size` bytes of which it gave the first, the rest zero. *out is NULL
 * when the caller neither gives one nor wants one back; malloc'ed.
 */
int test_ctx_read(struct test_run *test, size_t size, void **out);
/* Gives it back: 0, -ENOSPC when only a part fits, -EFAULT. */
int test_ctx_write(struct test_run *test, const void *ctx, u32 size);

/* Gives back the data, of which the last `fragments` bytes are in fragments, its size, the
 * result and the duration: 0, -ENOSPC, -EFAULT. */
int test_data_write(struct test_run *test, const void *data, u32 size, u32 fragments);

/* A packet's memory: `headroom` zero bytes, the caller's data, room up to `capacity` bytes. */
int test_data_read(struct test_run *test, u32 headroom, u32 capacity, u8 **out);

bool is_zero(const void *bytes, size_t first, size_t end);

#endif
