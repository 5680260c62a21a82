/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/xdp.h"
#include "base/os.h"
#include "net/redirect.h"

#include <errno.h>
#include <time.h>

/* The packet as the program left it. */
void xdp_frame_from_ctx(struct frame *frame, const struct xdp_ctx *ctx)
{
	u32 length = ctx->data_end - ctx->data;

	/* A capture that cut the packet still says how long it was. */
	frame->original_length += length - frame->length;
	frame->data = ctx->data;
	frame->length = length;
	frame->metadata = ctx->data_meta < ctx->data ? ctx->data - ctx->data_meta : 0;
}

void xdp_ctx_from_frame(struct xdp_ctx *ctx, const struct frame *frame, const struct port *port)
{
	*ctx = (struct xdp_ctx){
		.data = frame->data,
		.data_end = frame->data + frame->length,
		.data_meta = frame->data,
		.hard_start = frame->memory,
		.frame_end = frame->end,
		.ingress_ifindex = port->ifindex,
	};
}

static void carry_out(const struct xdp_path *path, struct run_context *run, struct port *port,
		      struct frame *frame, enum skep_verdict verdict)
{
	switch (verdict) {
	case SKEP_VERDICT_PASS: port_pass(port, frame); break;
	case SKEP_VERDICT_TX: port_send(port, frame); break;
	case SKEP_VERDICT_REDIRECT:
		if (redirect_frame(path, run, port, frame))
			counter_add(&port->counters.redirect_failed, 1);
		break;
	case SKEP_VERDICT_ABORTED:
	case SKEP_VERDICT_DROP:
	case SKEP_VERDICTS: break;
	}
}

static enum skep_verdict verdict_of(u32 action)
{
	return action < SKEP_VERDICTS ? (enum skep_verdict)action : SKEP_VERDICT_ABORTED;
}

void xdp_deliver(const struct xdp_path *path, struct port *port, const struct xdp_ctx *ctx,
		 u32 action, struct run_context *run)
{
	struct frame frame = {
		.memory = ctx->hard_start,
		.end = ctx->frame_end,
		.length = ctx->data_end - ctx->data,
		.original_length = ctx->data_end - ctx->data,
	};

	xdp_frame_from_ctx(&frame, ctx);
	carry_out(path, run, port, &frame, verdict_of(action));
}

static enum skep_verdict run_program(const struct prog *prog, struct run_context *run,
				     struct port *port, struct frame *frame)
{
	struct xdp_ctx ctx;
	u32 code;

	xdp_ctx_from_frame(&ctx, frame, port);
	run->redirect.kind = REDIRECT_NONE;
	code = prog_run(prog, &ctx, run);
	xdp_frame_from_ctx(frame, &ctx);
	return verdict_of(code);
}

static void receive_one(const struct xdp_path *path, const struct prog *prog,
			struct run_context *run, struct port *port, struct frame *frame)
{
	struct port_counters *counters = &port->counters;
	enum skep_verdict verdict = SKEP_VERDICT_PASS;
	u32 length = frame->length;

	if (prog)
		verdict = run_program(prog, run, port, frame);
	counter_add(&counters->in_packets, 1);
	counter_add(&counters->in_bytes, length);
	counter_add(&counters->verdict_packets[verdict], 1);
	counter_add(&counters->verdict_bytes[verdict], length);
	carry_out(path, run, port, frame, verdict);
}

void xdp_receive(const struct xdp_path *path, struct port *port, struct frame *frames,
		 int count)
{
	u64 start = os_time_ns(CLOCK_MONOTONIC);
	const struct prog *prog;
	struct run_context run;

	run_begin(&run, path->env);
	prog = hook_prog(&port->xdp);
	for (int i = 0; i < count; i++)
		receive_one(path, prog, &run, port, &frames[i]);
	run_end(&run);
	counter_add(&port->counters.run_ns, os_time_ns(CLOCK_MONOTONIC) - start);
}
