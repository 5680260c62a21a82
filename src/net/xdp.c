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

void xdp_send(const struct xdp_path *path, struct port *port, struct frame *frame)
{
	if (path->outbox)
		outbox_put(path->outbox, port, frame);
	else
		port_send(port, 0, &frame, 1);
}

void xdp_pass(const struct xdp_path *path, struct port *port, struct frame *frame)
{
	if (port->ops->abilities & PORT_KEEPS_PASSED)
		xdp_send(path, port, frame);
}

static void carry_out(const struct xdp_path *path, struct run_context *run, struct port *port,
		      struct frame *frame, enum skep_verdict verdict)
{
	switch (verdict) {
	case SKEP_VERDICT_PASS: xdp_pass(path, port, frame); break;
	case SKEP_VERDICT_TX: xdp_send(path, port, frame); break;
	case SKEP_VERDICT_REDIRECT:
		if (redirect_frame(path, run, port, frame))
			atomic_fetch_add_explicit(&port->redirect_failed, 1,
						  memory_order_relaxed);
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

/* What a batch adds to the queue's counters. */
struct tally {
	u64 packets[SKEP_VERDICTS], bytes[SKEP_VERDICTS];
};

static void tally_add(const struct tally *tally, struct rx_counters *rx)
{
	for (int i = 0; i < SKEP_VERDICTS; i++) {
		if (!tally->packets[i])
			continue;
		counter_add(&rx->packets, tally->packets[i]);
		counter_add(&rx->bytes, tally->bytes[i]);
		counter_add(&rx->verdict_packets[i], tally->packets[i]);
		counter_add(&rx->verdict_bytes[i], tally->bytes[i]);
	}
}

static enum skep_verdict run_program(const struct prog *prog, struct run_context *run,
				     const struct port_queue *queue, struct frame *frame)
{
	struct xdp_ctx ctx;
	u32 code;

	xdp_ctx_from_frame(&ctx, frame, queue->port);
	ctx.rx_queue_index = queue->index;
	run->redirect.kind = REDIRECT_NONE;
	code = prog_run(prog, &ctx, run);
	xdp_frame_from_ctx(frame, &ctx);
	return verdict_of(code);
}

static void receive_one(const struct xdp_path *path, const struct prog *prog,
			struct run_context *run, struct port_queue *queue, struct frame *frame,
			struct tally *tally)
{
	enum skep_verdict verdict = SKEP_VERDICT_PASS;
	const u32 length = frame->length;

	if (prog)
		verdict = run_program(prog, run, queue, frame);
	tally->packets[verdict]++;
	tally->bytes[verdict] += length;
	carry_out(path, run, queue->port, frame, verdict);
}

void xdp_receive(const struct xdp_path *path, struct port_queue *queue, struct frame *frames,
		 int count)
{
	u64 start = os_time_ns(CLOCK_MONOTONIC);
	struct tally tally = {};
	const struct prog *prog;
	struct run_context run;

	run_begin(&run, path->env);
	prog = hook_prog(&queue->port->xdp);
	for (int i = 0; i < count; i++)
		receive_one(path, prog, &run, queue, &frames[i], &tally);
	run_end(&run);
	if (path->outbox)
		outbox_flush(path->outbox);
	tally_add(&tally, &queue->rx);
	counter_add(&queue->rx.run_ns, os_time_ns(CLOCK_MONOTONIC) - start);
}
