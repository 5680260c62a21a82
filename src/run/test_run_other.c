/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF_PROG_TEST_RUN of the types that see no packet buffer of their own. */
#include "base/user.h"
#include "run/test_run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PAGE_DATA_MAX	4096
#define RAW_TP_ARGS_MAX 12
#define SYSCALL_CTX_MAX UINT16_MAX
#define NETFILTER_PAD	(64 + 320) /* what Linux's skb takes of the page */
#define RUN_ON_CPU_FLAG (1u << 0)  /* BPF_F_TEST_RUN_ON_CPU */

static bool has_any_option(const union bpf_attr *attr)
{
	return attr->test.flags || attr->test.cpu || attr->test.batch_size;
}

/* --- flow dissector: the keys come back in place of the data --- */
struct dissection {
	struct skb_ctx skb;
	struct bpf_flow_keys keys, fresh;
	u32 size;
};

static u16 clamp_offset(u16 offset, u32 low, u32 high)
{
	return max(low, min((u32)offset, high));
}

static void dissection_before(void *cookie)
{
	struct dissection *state = cookie;

	state->keys = state->fresh;
}

static void dissection_after(void *cookie, struct run_context *run, u64 result)
{
	struct dissection *state = cookie;

	state->keys.nhoff = clamp_offset(state->keys.nhoff, ETH_HLEN, state->size);
	state->keys.thoff = clamp_offset(state->keys.thoff, state->keys.nhoff, state->size);
}

static void dissection_init(struct dissection *state, const u8 *data, u32 flags)
{
	state->fresh = (struct bpf_flow_keys){
		.nhoff = ETH_HLEN,
		.thoff = ETH_HLEN,
		.n_proto = ((const struct ethhdr *)data)->h_proto,
		.flags = flags,
	};
	state->skb = (struct skb_ctx){
		.data = (u8 *)data,
		.data_meta = (u8 *)data,
		.data_end = (u8 *)data + state->size,
		.hard_start = (u8 *)data,
		.frame_end = (u8 *)data + state->size,
		.flow_keys = &state->keys,
	};
}

static int dissect(struct test_run *test, const struct bpf_flow_keys *in)
{
	struct dissection state = {.size = test->attr->test.data_size_in};
	const struct test_hooks hooks = {dissection_before, dissection_after, &state};
	u8 *data;
	int ret = test_data_read(test, 0, state.size, &data);

	if (ret)
		return ret;
	dissection_init(&state, data, in ? in->flags : 0);
	test_repeat(test, &state.skb, &hooks);
	ret = test_data_write(test, &state.keys, sizeof(state.keys), 0);
	free(data);
	return ret ?: test_ctx_write(test, in, sizeof(*in));
}

int test_run_flow_dissector(struct test_run *test)
{
	const u32 size = test->attr->test.data_size_in;
	const size_t flags = offsetof(struct bpf_flow_keys, flags);
	void *keys;
	int ret;

	if (has_any_option(test->attr))
		return test_refuse(test, -EINVAL, "flags, cpu and batch_size must be 0");
	if (size < ETH_HLEN || size > PAGE_DATA_MAX)
		return test_refuse(test, -EINVAL, "%u bytes of data: %u to %u can be used",
				   size, ETH_HLEN, PAGE_DATA_MAX);
	ret = test_ctx_read(test, sizeof(struct bpf_flow_keys), &keys);
	if (ret)
		return ret;
	if (keys && (!is_zero(keys, 0, flags) ||
		     !is_zero(keys, flags + sizeof(u32), sizeof(struct bpf_flow_keys))))
		ret = test_refuse(test, -EINVAL, "only the keys' flags can be chosen");
	ret = ret ?: dissect(test, keys);
	free(keys);
	return ret;
}

/* --- socket look-up --- */
static int check_sk_lookup(struct test_run *test, const struct bpf_sk_lookup *ctx)
{
	const size_t end = offsetof(struct bpf_sk_lookup, local_port) + sizeof(ctx->local_port);

	if (ctx->sk || !is_zero(ctx, end, sizeof(*ctx)))
		return test_refuse(test, -EINVAL, "a field of the context cannot be chosen");
	if (ctx->local_port > UINT16_MAX)
		return test_refuse(test, -ERANGE, "local_port %u", ctx->local_port);
	if (ctx->family != AF_INET && ctx->family != AF_INET6)
		return test_refuse(test, -EAFNOSUPPORT, "address family %u", ctx->family);
	return 0;
}

/* Each run chooses anew; who drops has chosen nobody. */
static void lookup_before(void *cookie)
{
	((struct bpf_sk_lookup *)cookie)->sk = NULL;
}

static void lookup_after(void *cookie, struct run_context *run, u64 result)
{
	if (result != SK_PASS)
		((struct bpf_sk_lookup *)cookie)->sk = NULL;
}

static void run_sk_lookup(struct test_run *test, struct bpf_sk_lookup *ctx)
{
	const struct test_hooks hooks = {lookup_before, lookup_after, ctx};
	const struct sock_ctx *sk;

	test_repeat(test, ctx, &hooks);
	sk = (const void *)ctx->sk;
	ctx->cookie = sk ? sk->cookie : 0;
}

int test_run_sk_lookup(struct test_run *test)
{
	const union bpf_attr *attr = test->attr;
	void *ctx;
	int ret;

	if (has_any_option(attr))
		return test_refuse(test, -EINVAL, "flags, cpu and batch_size must be 0");
	if (attr->test.data_in || attr->test.data_size_in || attr->test.data_out ||
	    attr->test.data_size_out)
		return test_refuse(test, -EINVAL, "these programs see no data");
	ret = test_ctx_read(test, sizeof(struct bpf_sk_lookup), &ctx);
	if (!ret && !ctx)
		ret = test_refuse(test, -EINVAL, "a context is needed");
	ret = ret ?: check_sk_lookup(test, ctx);
	if (!ret) {
		run_sk_lookup(test, ctx);
		ret = test_data_write(test, NULL, 0, 0);
	}
	ret = ret ?: test_ctx_write(test, ctx, sizeof(struct bpf_sk_lookup));
	free(ctx);
	return ret;
}

/* --- raw tracepoints and system call programs: the context is plain memory --- */

static u32 insn_bytes(const struct bpf_insn *insn)
{
	static const u8 bytes[] = {
		[BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1, [BPF_DW >> 3] = 8};

	return bytes[BPF_SIZE(insn->code) >> 3];
}

/* How much of its context the program may touch. */
static u32 ctx_bytes_needed(const struct verified *verified)
{
	u32 needed = 0;

	for (u32 i = 0; i < verified->insn_cnt; i++) {
		const struct bpf_insn *insn = &verified->insns[i];

		if (verified->facts[i].mem == MEM_CTX)
			needed = max(needed, (u32)insn->off + insn_bytes(insn));
	}
	return needed;
}

static int run_raw(struct test_run *test, u32 max_size, void **ctx)
{
	const u32 size = test->attr->test.ctx_size_in;
	u32 needed = ctx_bytes_needed(test->prog->verified);
	struct run_region region = {.size = size};

	if (size < needed || size > max_size)
		return test_refuse(test, -EINVAL, "a context of %u bytes: %u to %u can be used",
				   size, needed, max_size);
	if (user_duplicate(test->attr->test.ctx_in, size, ctx))
		return test_refuse(test, -EFAULT, "the context cannot be read");
	region.start = *ctx;
	test->region = &region;
	test_repeat(test, *ctx, NULL);
	test->region = NULL;
	test->attr->test.retval = test->retval;
	return 0;
}

/* A cpu that the caller chose must exist; every slot is as good as another. */
static int check_cpu(struct test_run *test)
{
	const bool chosen = test->attr->test.flags & RUN_ON_CPU_FLAG;

	if (!chosen && test->attr->test.cpu)
		return test_refuse(test, -EINVAL, "cpu is for BPF_F_TEST_RUN_ON_CPU");
	if (chosen && test->attr->test.cpu >= slots_count(test->env->slots))
		return test_refuse(test, -ENXIO, "there is no cpu %u", test->attr->test.cpu);
	return 0;
}

int test_run_raw_tp(struct test_run *test)
{
	const union bpf_attr *attr = test->attr;
	void *ctx = NULL;
	int ret;

	if (attr->test.data_in || attr->test.data_out || attr->test.ctx_out ||
	    attr->test.duration || attr->test.repeat || attr->test.batch_size)
		return test_refuse(test, -EINVAL, "only a context can be given");
	ret = check_cpu(test);
	ret = ret ?: run_raw(test, RAW_TP_ARGS_MAX * sizeof(u64), &ctx);
	free(ctx);
	return ret;
}

int test_run_syscall(struct test_run *test)
{
	const union bpf_attr *attr = test->attr;
	void *ctx = NULL;
	int ret;

	if (attr->test.data_in || attr->test.data_out || attr->test.ctx_out ||
	    attr->test.duration || attr->test.repeat || attr->test.flags ||
	    attr->test.batch_size)
		return test_refuse(test, -EINVAL, "only a context can be given");
	ret = run_raw(test, SYSCALL_CTX_MAX, &ctx);
	if (!ret && user_write(attr->test.ctx_in, ctx, attr->test.ctx_size_in))
		ret = test_refuse(test, -EFAULT, "the context cannot be written");
	free(ctx);
	return ret;
}

/* --- netfilter --- */

/* Linux's struct nf_hook_state. Only the hook and its family can be chosen. */
struct hook_state {
	u8 hook, family;
	u64 in, out, socket, net, function;
};

/* With a hook the data begins with an Ethernet header, whose protocol has to be the hook's. */
static int check_hook(struct test_run *test, const struct hook_state *state, const u8 *data)
{
	const u32 size = test->attr->test.data_size_in - ETH_HLEN;
	const u16 protocol = ntohs(((const struct ethhdr *)data)->h_proto);
	const bool is_ipv6 = protocol == ETH_P_IPV6;

	if (!state)
		return 0;
	if (size < sizeof(struct iphdr) || (is_ipv6 && size < sizeof(struct ipv6hdr)))
		return test_refuse(test, -EINVAL, "the packet has no whole header");
	if (!is_ipv6 && protocol != ETH_P_IP)
		return test_refuse(test, -EPROTO, "there are no hooks for protocol 0x%04x",
				   protocol);
	if (state->family != (is_ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4) ||
	    !is_zero(state, offsetof(struct hook_state, in), sizeof(*state)))
		return test_refuse(test, -EINVAL, "a field of the context cannot be chosen");
	return 0;
}

int test_run_netfilter(struct test_run *test)
{
	const u32 size = test->attr->test.data_size_in;
	u64 ctx[2] = {0}; /* struct bpf_nf_ctx: pointers to kernel objects that are not here */
	void *state = NULL;
	u8 *data = NULL;
	int ret;

	if (has_any_option(test->attr))
		return test_refuse(test, -EINVAL, "flags, cpu and batch_size must be 0");
	if (size < sizeof(struct iphdr) || size > PAGE_DATA_MAX - NETFILTER_PAD)
		return test_refuse(test, -EINVAL, "%u bytes of data cannot be used", size);
	ret = test_data_read(test, 0, size, &data);
	ret = ret ?: test_ctx_read(test, sizeof(struct hook_state), &state);
	ret = ret ?: check_hook(test, state, data);
	if (!ret) {
		test_repeat(test, ctx, NULL);
		ret = test_data_write(test, NULL, 0, 0);
	}
	free(state);
	free(data);
	return ret;
}
