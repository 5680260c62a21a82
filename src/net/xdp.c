/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/xdp.h"
#include "hook/hook_run.h"
#include "net/cpu.h"
#include "net/forward.h"
#include "net/redirect.h"
#include "net/tc.h"
#include "run/runner.h"

#include <stdlib.h>
#include <string.h>

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
	if (unlikely(tc_is_there(port)))
		tc_receive(path, port, frame, run);
	else if (path->forwarder)
		forward_frame(path, port, frame, 0, run);
	else if (port->ops->abilities & PORT_KEEPS_PASSED)
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

/* One batch on its way through the programs of its port. */
struct batch {
	const struct xdp_path *path;
	struct port_queue *queue;
	struct run_context run;
	struct xdp_ctx ctx;
	struct batch_tally tally;
	struct hook_run programs;
};

_Static_assert((u32)XDP_RX_TIME == (u32)FRAME_TIME && (u32)XDP_RX_HASH == (u32)FRAME_HASH &&
		       (u32)XDP_RX_VLAN == (u32)FRAME_VLAN,
	       "one is the other");

static u32 known_of_port(const struct port *port)
{
	const u32 abilities = port->ops->abilities;

	return (abilities & PORT_KNOWS_TIME ? XDP_RX_TIME : 0) |
	       (abilities & PORT_KNOWS_HASH ? XDP_RX_HASH : 0) |
	       (abilities & PORT_KNOWS_VLAN ? XDP_RX_VLAN : 0);
}

static struct xdp_rx rx_of(const struct port *port, const struct frame *frame)
{
	return (struct xdp_rx){.able = known_of_port(port),
			       .known = frame->known,
			       .hash = frame->hash,
			       .vlan_proto = frame->vlan_proto,
			       .vlan_tci = frame->vlan_tci,
			       .time_ns = frame->time_ns};
}

static u32 run_programs(struct batch *batch, struct frame *frame)
{
	struct xdp_rx rx;
	struct xdp_ctx ctx;
	u32 action;

	xdp_ctx_from_frame(&ctx, frame, batch->queue->port, batch->programs.has_frags);
	ctx.rx_queue_index = batch->queue->index;
	if (batch->programs.is_bound) {
		rx = rx_of(batch->queue->port, frame);
		ctx.rx = &rx;
	}
	batch->run.redirect.kind = REDIRECT_NONE;
	batch->run.is_stopped = false;
	action = hook_run_packet(&batch->programs, &ctx, &batch->run, frame->length);
	xdp_frame_from_ctx(frame, &ctx);
	return action;
}

/* Generic XDP: the frame's own memory is left, for memory that is freed behind the flush. */
static u8 *copy_frame(struct frame *frame)
{
	struct frame copy;

	if (!frame_copy(&copy, frame->data, frame->length, COPY_TAILROOM))
		return NULL;
	frame->memory = copy.memory;
	frame->end = copy.end;
	frame->data = copy.data;
	return copy.memory;
}

static void receive_one(struct batch *batch, struct frame *frame)
{
	const u32 length = frame->length;
	u32 action = XDP_PASS;
	enum skep_verdict verdict;

	if (batch->programs.count)
		action = run_programs(batch, frame);
	verdict = verdict_of(action);
	batch->tally.packets[verdict]++;
	batch->tally.bytes[verdict] += length;
	carry_out(batch->path, &batch->run, batch->queue->port, frame, action);
}

/* What cannot be copied is lost before any program sees it. */
static void receive_copies(struct batch *batch, struct frame *frames, int count)
{
	struct frame originals[FRAME_BATCH];
	u8 *copies[FRAME_BATCH];

	for (int i = 0; i < count; i++) {
		const u32 length = frames[i].length;

		originals[i] = frames[i];
		copies[i] = copy_frame(&frames[i]);
		if (copies[i]) {
			receive_one(batch, &frames[i]);
			continue;
		}
		port_exception(batch->queue->port, SKEP_EXCEPTION_NO_MEMORY);
		batch->tally.packets[SKEP_VERDICT_DROP]++;
		batch->tally.bytes[SKEP_VERDICT_DROP] += length;
	}
	outbox_flush(batch->path->outbox);
	for (int i = 0; i < count; i++) {
		free(copies[i]);
		frames[i] = originals[i];
	}
}

/* One frame through the only program. `batch->ctx` has what all frames share. */
static void run_program(struct batch *batch, struct hook_run_program *program,
			struct frame *frame)
{
	struct xdp_ctx *ctx = &batch->ctx;
	const u32 length = frame->length;
	enum skep_verdict verdict;
	u32 action, place;

	ctx->data = frame->data;
	ctx->data_end = frame->data + length;
	ctx->data_meta = frame->data - frame->metadata;
	ctx->hard_start = frame->memory;
	ctx->frame_end = frame->end;
	batch->run.redirect.kind = REDIRECT_NONE;
	batch->run.is_stopped = false;
	action = runner_run(batch->path->runner, ctx);
	place = min(action, (u32)TALLY_RESULTS - 1);
	program->packets[place]++;
	program->bytes[place] += length;
	if (unlikely(program->proceed_on >> place & 1))
		action = batch->programs.at_the_end;
	verdict = verdict_of(action);
	batch->tally.packets[verdict]++;
	batch->tally.bytes[verdict] += length;
	if (verdict == SKEP_VERDICT_DROP)
		return;
	xdp_frame_from_ctx(frame, ctx);
	carry_out(batch->path, &batch->run, batch->queue->port, frame, action);
}

/* The usual case: one program, and nothing about the frames that needs care. */
static void receive_plain(struct batch *batch, struct frame *frames, int count)
{
	struct hook_run_program *program = &batch->programs.programs[0];

	batch->ctx = (struct xdp_ctx){
		.ingress_ifindex = batch->queue->port->ifindex,
		.rx_queue_index = batch->queue->index,
	};
	runner_start(batch->path->runner, program->prog, &batch->run);
	for (int i = 0; i < count; i++)
		if (likely(!batch->programs.has_frags || frames[i].length <= LINEAR_MAX))
			run_program(batch, program, &frames[i]);
		else
			receive_one(batch, &frames[i]);
}

static void receive_all(struct batch *batch, struct frame *frames, int count)
{
	for (int i = 0; i < count; i++)
		receive_one(batch, &frames[i]);
}

void xdp_receive(const struct xdp_path *path, struct port_queue *queue, struct frame *frames,
		 int count)
{
	struct batch batch;

	batch.path = path;
	batch.queue = queue;
	batch.tally = (struct batch_tally){};
	run_begin(&batch.run, path->env);
	batch.run.path = path;
	hook_run_begin(&batch.programs, &queue->port->xdp, queue->index);
	if (batch.programs.count && batch.programs.is_generic)
		receive_copies(&batch, frames, count);
	else if (batch.programs.count == 1 && !batch.programs.is_timed &&
		 !batch.programs.is_bound)
		receive_plain(&batch, frames, count);
	else
		receive_all(&batch, frames, count);
	hook_run_end(&batch.programs);
	run_end(&batch.run);
	outbox_flush(path->outbox);
	if (unlikely(path->cpu))
		cpu_flush(path->cpu);
	tally_add(&batch.tally, &queue->rx);
}
