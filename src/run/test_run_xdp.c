/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF_PROG_TEST_RUN of XDP programs. The data may begin with metadata (xdp_md.data bytes of
 * it). What does not fit the first buffer of one page goes into fragments.
 */
#include "run/test_run.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

#define XDP_PAGE	  4096
#define XDP_SHARED_INFO	  320
#define XDP_ROOM	  (XDP_PAGE - XDP_SHARED_INFO) /* headroom and data */
#define XDP_META_MAX	  (PACKET_HEADROOM - 40)       /* behind a struct xdp_frame */
#define XDP_FRAGMENTS_MAX (17 * XDP_PAGE)
#define XDP_BATCH_MAX	  256
#define XDP_PAGE_HEAD	  112 /* what live frames take of their page */
#define LOOPBACK	  1

#define XDP_LIVE_FLAG	  (1u << 1) /* BPF_F_TEST_XDP_LIVE_FRAMES */

struct xdp_test {
	struct xdp_ctx ctx;
	u8 *memory; /* owned: one page, then the fragments */
	u32 metadata, linear, fragments;
	bool is_live;
};

static int check_attr(struct test_run *test, struct xdp_test *state)
{
	const u32 batch = test->attr->test.batch_size;

	if (test->prog->attach_type == BPF_XDP_DEVMAP ||
	    test->prog->attach_type == BPF_XDP_CPUMAP)
		return test_refuse(test, -EINVAL, "programs of map entries have no test run");
	if (test->prog->bound_ifindex)
		return test_refuse(test, -EINVAL, "programs of one device have no test run");
	if (test->attr->test.flags & ~XDP_LIVE_FLAG)
		return test_refuse(test, -EINVAL, "unknown flags 0x%x", test->attr->test.flags);
	state->is_live = test->attr->test.flags & XDP_LIVE_FLAG;
	if (state->is_live && batch > XDP_BATCH_MAX)
		return test_refuse(test, -E2BIG, "batch_size %u is above %u", batch,
				   XDP_BATCH_MAX);
	if (!state->is_live && batch)
		return test_refuse(test, -EINVAL, "batch_size is for live frames");
	return 0;
}

/*
 * struct xdp_md of the caller: metadata of `data` bytes, then the packet up to data_end. What
 * lies behind data_end, or behind the page, goes into fragments.
 */
static int check_ctx(struct test_run *test, const struct xdp_md *in, struct xdp_test *state)
{
	const u32 size = test->attr->test.data_size_in;

	state->linear = size;
	if (!in)
		return 0;
	if (in->data_meta || in->data_end > size || in->data > in->data_end)
		return test_refuse(
			test, -EINVAL,
			"data_meta %u, data %u and data_end %u do not describe %u bytes",
			in->data_meta, in->data, in->data_end, size);
	if (in->data % sizeof(u32) || in->data > XDP_META_MAX)
		return test_refuse(test, -EINVAL, "%u bytes of metadata", in->data);
	if (state->is_live && (test->attr->test.data_out || test->attr->test.ctx_out))
		return test_refuse(test, -EINVAL, "live frames give nothing back");
	state->metadata = in->data;
	state->linear = in->data_end;
	return 0;
}

static int check_size(struct test_run *test, struct xdp_test *state)
{
	const u32 size = test->attr->test.data_size_in;
	const u32 headroom =
		PACKET_HEADROOM - state->metadata + (state->is_live ? XDP_PAGE_HEAD : 0);

	state->linear = min(state->linear, XDP_ROOM - headroom);
	state->fragments = size - state->linear;
	if (size < state->metadata + ETH_HLEN || (state->is_live && state->fragments))
		return test_refuse(test, -EINVAL, "%u bytes of data cannot be used", size);
	if (state->fragments > XDP_FRAGMENTS_MAX)
		return test_refuse(test, -ENOMEM, "%u bytes of fragments, at most %u",
				   state->fragments, XDP_FRAGMENTS_MAX);
	return 0;
}

/* The packet, and behind it, in a page of their own, the fragments. */
static int frame_init(struct test_run *test, struct xdp_test *state)
{
	const u32 headroom = PACKET_HEADROOM - state->metadata;
	const u32 capacity = max(test->attr->test.data_size_in, (u32)XDP_PAGE) + 2 * XDP_PAGE;
	u8 *data;
	int ret = test_data_read(test, headroom, capacity, &state->memory);

	if (ret)
		return ret;
	data = state->memory + headroom;
	memmove(state->memory + XDP_PAGE, data + state->linear, state->fragments);
	memset(data + state->linear, 0, XDP_PAGE - headroom - state->linear);
	state->ctx = (struct xdp_ctx){
		.data = data + state->metadata,
		.data_end = data + state->linear,
		.data_meta = data,
		.hard_start = state->memory,
		.frame_end = state->memory + XDP_ROOM,
		.fragments = state->memory + XDP_PAGE,
		.pages = state->memory + XDP_PAGE,
		.pages_end = state->memory + headroom + capacity,
		.fragment_bytes = state->fragments,
		.ingress_ifindex = LOOPBACK,
	};
	return 0;
}

static int ctx_apply(struct test_run *test, const struct xdp_md *in, struct xdp_ctx *ctx)
{
	if (!in)
		return 0;
	if (in->egress_ifindex)
		return test_refuse(test, -EINVAL, "egress_ifindex cannot be chosen");
	if (!in->ingress_ifindex) {
		if (in->rx_queue_index)
			return test_refuse(test, -EINVAL, "a queue of no port");
		return 0;
	}
	if (in->ingress_ifindex != LOOPBACK &&
	    (!test->env->has_port ||
	     !test->env->has_port(test->env->engine, in->ingress_ifindex)))
		return test_refuse(test, -ENODEV, "there is no port %u", in->ingress_ifindex);
	if (in->rx_queue_index)
		return test_refuse(test, -EINVAL, "port %u has no queue %u",
				   in->ingress_ifindex, in->rx_queue_index);
	ctx->ingress_ifindex = in->ingress_ifindex;
	return 0;
}

/* Metadata that the program did away with (data_meta > data) cannot come back. */
static int give_back(struct test_run *test, struct xdp_test *state, struct xdp_md *out)
{
	const struct xdp_ctx *ctx = &state->ctx;
	const u32 linear = ctx->data_end - ctx->data_meta, fragments = ctx->fragment_bytes;
	u8 *data = malloc(linear + fragments + 1);
	int ret;

	if (!data)
		return test_refuse(test, -ENOMEM, "out of memory");
	memcpy(data, ctx->data_meta, linear);
	memcpy(data + linear, ctx->fragments, fragments);
	if (out) {
		out->data = ctx->data - ctx->data_meta;
		out->data_end = linear;
	}
	ret = test_data_write(test, data, linear + fragments, fragments);
	free(data);
	return ret ?: test_ctx_write(test, out, sizeof(*out));
}

/* --- live frames: each run gets the packet anew, and its verdict is carried out --- */
struct live {
	struct test_run *test;
	struct xdp_test *state;
	struct xdp_ctx ctx;
	u8 *packet; /* the data as it was given */
};

static void live_after(void *cookie, struct run_context *run, u64 action)
{
	struct live *live = cookie;
	struct xdp_test *state = live->state;
	const struct run_env *env = live->test->env;

	if (env->xdp_deliver)
		env->xdp_deliver(env->engine, &state->ctx, action, run);
	run->redirect.kind = REDIRECT_NONE;
	state->ctx = live->ctx;
	memcpy(state->ctx.data_meta, live->packet, state->linear);
}

static int run_live(struct test_run *test, struct xdp_test *state)
{
	struct live live = {.test = test, .state = state, .ctx = state->ctx};
	const struct test_hooks hooks = {.after = live_after, .cookie = &live};

	live.packet = malloc(state->linear);
	if (!live.packet)
		return test_refuse(test, -ENOMEM, "out of memory");
	memcpy(live.packet, state->ctx.data_meta, state->linear);
	test_repeat(test, &state->ctx, &hooks);
	test->retval = 0;
	free(live.packet);
	return 0;
}

static int run_frame(struct test_run *test, struct xdp_test *state, struct xdp_md *ctx)
{
	int ret = ctx_apply(test, ctx, &state->ctx);

	if (ret)
		return ret;
	if (state->is_live)
		ret = run_live(test, state);
	else
		test_repeat(test, &state->ctx, NULL);
	return ret ?: give_back(test, state, ctx);
}

int test_run_xdp(struct test_run *test)
{
	struct xdp_test state = {0};
	void *ctx = NULL;
	int ret = check_attr(test, &state);

	ret = ret ?: test_ctx_read(test, sizeof(struct xdp_md), &ctx);
	ret = ret ?: check_ctx(test, ctx, &state);
	ret = ret ?: check_size(test, &state);
	ret = ret ?: frame_init(test, &state);
	ret = ret ?: run_frame(test, &state, ctx);
	free(state.memory);
	free(ctx);
	return ret;
}
