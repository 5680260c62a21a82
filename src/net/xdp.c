/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/xdp.h"
#include "base/os.h"
#include "hook/hook_run.h"
#include "net/redirect.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What programs reach directly of a frame that has fragments: a page without its headroom and
 * what Linux keeps behind it. */
#define LINEAR_MAX (4096 - PACKET_HEADROOM - 320)
/* How much a program may make a copied packet longer. */
#define COPY_TAILROOM 4096

void xdp_ctx_from_frame(struct xdp_ctx *ctx, const struct frame *frame, const struct port *port,
			bool has_frags)
{
	*ctx = (struct xdp_ctx){
		.data = frame->data,
		.data_end = frame->data + frame->length,
		.data_meta = frame->data - frame->metadata,
		.hard_start = frame->memory,
		.frame_end = frame->end,
		.ingress_ifindex = port->ifindex,
	};
	if (likely(!has_frags || frame->length <= LINEAR_MAX))
		return;
	/* They lie where they came: right behind. */
	ctx->data_end = ctx->frame_end = ctx->fragments = ctx->pages = frame->data + LINEAR_MAX;
	ctx->pages_end = frame->end;
	ctx->fragment_bytes = frame->length - LINEAR_MAX;
}

/* A program may have made room in front of the fragments. */
static void join_fragments(struct frame *frame, const struct xdp_ctx *ctx, u32 linear)
{
	const ptrdiff_t gap = ctx->fragments - ctx->data_end;
	u8 *start = ctx->data - frame->metadata;

	memmove(start + gap, start, linear + frame->metadata);
	frame->data += gap;
}

/* The packet as the program left it. A capture that cut it still says how long it was. */
void xdp_frame_from_ctx(struct frame *frame, const struct xdp_ctx *ctx)
{
	const u32 linear = ctx->data_end - ctx->data, length = linear + ctx->fragment_bytes;

	frame->original_length += length - frame->length;
	frame->data = ctx->data;
	frame->length = length;
	frame->metadata = ctx->data_meta < ctx->data ? ctx->data - ctx->data_meta : 0;
	if (unlikely(ctx->fragment_bytes && ctx->fragments != ctx->data_end))
		join_fragments(frame, ctx, linear);
}

void xdp_send(const struct xdp_path *path, struct port *port, struct frame *frame)
{
	if (path->outbox)
		outbox_put(path->outbox, port, frame);
	else
		port_send(port, 0, &frame, 1);
}

void xdp_pass(const struct xdp_path *path, struct port *port, struct frame *frame,
	      struct run_context *run)
{
	if (port->ops->abilities & PORT_KEEPS_PASSED)
		xdp_send(path, port, frame);
}

static enum skep_verdict verdict_of(u32 action)
{
	return action < SKEP_VERDICTS ? (enum skep_verdict)action : SKEP_VERDICT_ABORTED;
}

static void count_unusable(struct port *port, u32 action, const struct run_context *run)
{
	if (run->is_stopped)
		port_exception(port, SKEP_EXCEPTION_STOPPED);
	else
		port_exception(port, action == XDP_ABORTED ? SKEP_EXCEPTION_ABORTED
							   : SKEP_EXCEPTION_UNKNOWN_ACTION);
}

static void carry_out(const struct xdp_path *path, struct run_context *run, struct port *port,
		      struct frame *frame, u32 action)
{
	switch (verdict_of(action)) {
	case SKEP_VERDICT_PASS: xdp_pass(path, port, frame, run); break;
	case SKEP_VERDICT_TX: xdp_send(path, port, frame); break;
	case SKEP_VERDICT_REDIRECT: redirect_frame(path, run, port, frame); break;
	case SKEP_VERDICT_ABORTED: count_unusable(port, action, run); break;
	case SKEP_VERDICT_DROP:
	case SKEP_VERDICTS: break;
	}
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
	carry_out(path, run, port, &frame, action);
}

/* --- receiving --- */

/* What a batch adds to the queue's counters. */
struct batch_tally {
	u64 packets[SKEP_VERDICTS], bytes[SKEP_VERDICTS];
};

static void tally_add(const struct batch_tally *tally, struct rx_counters *rx)
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

static u32 run_programs(struct hook_run *programs, struct run_context *run,
			const struct port_queue *queue, struct frame *frame)
{
	struct xdp_ctx ctx;
	u32 action;

	xdp_ctx_from_frame(&ctx, frame, queue->port, programs->has_frags);
	ctx.rx_queue_index = queue->index;
	run->redirect.kind = REDIRECT_NONE;
	run->is_stopped = false;
	action = hook_run_packet(programs, &ctx, run, frame->length);
	xdp_frame_from_ctx(frame, &ctx);
	return action;
}

/* Generic XDP: the frame's own memory is left, for memory that is freed behind the flush. */
static u8 *copy_frame(struct frame *frame)
{
	const u32 size = PACKET_HEADROOM + frame->length + COPY_TAILROOM;
	u8 *memory = malloc(size);

	if (!memory)
		return NULL;
	memcpy(memory + PACKET_HEADROOM, frame->data, frame->length);
	frame->memory = memory;
	frame->end = memory + size;
	frame->data = memory + PACKET_HEADROOM;
	return memory;
}

static void receive_one(const struct xdp_path *path, struct hook_run *programs,
			struct run_context *run, struct port_queue *queue, struct frame *frame,
			struct batch_tally *tally)
{
	const u32 length = frame->length;
	u32 action = XDP_PASS;
	enum skep_verdict verdict;

	if (programs->count)
		action = run_programs(programs, run, queue, frame);
	verdict = verdict_of(action);
	tally->packets[verdict]++;
	tally->bytes[verdict] += length;
	carry_out(path, run, queue->port, frame, action);
}

/* What cannot be copied is lost before any program sees it. */
static void receive_copies(const struct xdp_path *path, struct hook_run *programs,
			   struct run_context *run, struct port_queue *queue,
			   struct frame *frames, int count, struct batch_tally *tally)
{
	u8 *copies[FRAME_BATCH];

	for (int i = 0; i < count; i++) {
		const u32 length = frames[i].length;

		copies[i] = copy_frame(&frames[i]);
		if (copies[i]) {
			receive_one(path, programs, run, queue, &frames[i], tally);
			continue;
		}
		port_exception(queue->port, SKEP_EXCEPTION_NO_MEMORY);
		tally->packets[SKEP_VERDICT_DROP]++;
		tally->bytes[SKEP_VERDICT_DROP] += length;
	}
	if (path->outbox)
		outbox_flush(path->outbox);
	for (int i = 0; i < count; i++)
		free(copies[i]);
}

void xdp_receive(const struct xdp_path *path, struct port_queue *queue, struct frame *frames,
		 int count)
{
	u64 start = os_time_ns(CLOCK_MONOTONIC);
	struct batch_tally tally = {};
	struct hook_run programs;
	struct run_context run;

	run_begin(&run, path->env);
	hook_run_begin(&programs, &queue->port->xdp, queue->index);
	if (programs.count && programs.is_generic)
		receive_copies(path, &programs, &run, queue, frames, count, &tally);
	else
		for (int i = 0; i < count; i++)
			receive_one(path, &programs, &run, queue, &frames[i], &tally);
	hook_run_end(&programs);
	run_end(&run);
	if (path->outbox)
		outbox_flush(path->outbox);
	tally_add(&tally, &queue->rx);
	counter_add(&queue->rx.run_ns, os_time_ns(CLOCK_MONOTONIC) - start);
}
