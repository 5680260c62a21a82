/* SPDX-License-Identifier: BSD-2-Clause */
/* A socket filter on packets as they lie: of a capture, or of a port. */
#ifndef SKEP_NET_FILTER_H
#define SKEP_NET_FILTER_H

#include "net/capture.h"
#include "net/port.h"
#include "run/runner.h"
#include <skep/capture.h>

/* Many runs of one filter inside one read-side section. */
struct filter {
	struct run_context run;
	struct skb_ctx skb;
	struct runner *runner;
	native_run
		*enter; /* what runs need not be looked at before and behind; NULL: they do */
	struct executor *exec;
	bool keeps_all; /* there is no program */
};

/* `prog` NULL: all packets match. */
void filter_begin(struct filter *filter, const struct run_env *env, struct runner *runner,
		  const struct prog *prog);
void filter_end(struct filter *filter);

static inline bool filter_keeps(struct filter *filter, const u8 *data, u32 length,
				u32 original_length)
{
	if (unlikely(filter->keeps_all))
		return true;
	filter->skb.data = (u8 *)data;
	filter->skb.data_end = (u8 *)data + length;
	filter->skb.len = original_length;
	return likely(filter->enter) ? (u32)filter->enter(&filter->skb, filter->exec)
				     : (u32)runner_run(filter->runner, &filter->skb);
}

/* As skep_capture_filter(). */
s64 filter_capture(struct filter *filter, struct capture_reader *reader,
		   struct skep_packet *out, u32 room, u64 *seen, struct skep_error *err);

/* Who listens at a port. */
struct listener {
	struct prog *prog; /* reference; NULL: all */
	skep_packet_function *function;
	void *cookie;
};

/* NULL: nothing. */
void listener_free(struct listener *listener);
void listener_hear(const struct listener *listener, const struct run_env *env,
		   struct runner *runner, const struct frame *frames, int count);

#endif
