/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep inside another program: an engine, a program loaded with bpf(2)'s own commands, a port
 * of generated traffic, and what became of its packets.
 *
 *	cc embed.c $(pkg-config --cflags --libs skep) -o embed && ./embed
 */
#include <linux/bpf.h>
#include <skep/port.h>
#include <skep/skep.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define TRAFFIC		  "gen:flows=100,count=10000,size=64-1500"

/* Drops what is shorter than 128 bytes, passes the rest. */
static const struct bpf_insn program[] = {
	/* r2 = ctx->data_end; r1 = ctx->data + 128 */
	{.code = BPF_LDX | BPF_W | BPF_MEM,
	 .dst_reg = BPF_REG_2,
	 .src_reg = BPF_REG_1,
	 .off = 4},
	{.code = BPF_LDX | BPF_W | BPF_MEM,
	 .dst_reg = BPF_REG_1,
	 .src_reg = BPF_REG_1,
	 .off = 0},
	{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = 128},
	/* return r1 > r2 ? XDP_DROP : XDP_PASS */
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_DROP},
	{.code = BPF_JMP | BPF_JGT | BPF_X,
	 .dst_reg = BPF_REG_1,
	 .src_reg = BPF_REG_2,
	 .off = 1},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
	{.code = BPF_JMP | BPF_EXIT},
};

static int load(struct skep_engine *engine)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = ARRAY_SIZE(program);
	attr.license = (uintptr_t) "BSD-2-Clause";
	strcpy(attr.prog_name, "no_short_frames");
	return skep_bpf(engine, BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* A link: the program stays at the port until the link is closed. */
static int attach(struct skep_engine *engine, int prog, int port)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = prog;
	attr.link_create.target_ifindex = port;
	attr.link_create.attach_type = BPF_XDP;
	return skep_bpf(engine, BPF_LINK_CREATE, &attr, sizeof(attr));
}

static int show(struct skep_engine *engine, int port)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	int ret = skep_port_stats(engine, port, &stats);

	if (ret)
		return ret;
	printf("%s: %llu packets, %llu dropped, %llu passed\n", stats.spec,
	       (unsigned long long)stats.in_packets,
	       (unsigned long long)stats.verdict_packets[SKEP_VERDICT_DROP],
	       (unsigned long long)stats.verdict_packets[SKEP_VERDICT_PASS]);
	return 0;
}

static int filter(struct skep_engine *engine)
{
	int prog, port, link, ret;

	prog = load(engine);
	if (prog < 0)
		return prog;
	port = skep_port_open(engine, TRAFFIC, NULL);
	link = port < 0 ? port : attach(engine, prog, port);
	close(prog); /* the link holds it */
	if (link < 0)
		return link;
	ret = skep_ports_run(engine, NULL, NULL);
	if (!ret)
		ret = show(engine, port);
	close(link);
	return ret;
}

static int report(const struct skep_error *error)
{
	fprintf(stderr, "embed: %s\n", error->text);
	if (error->hint[0])
		fprintf(stderr, "hint: %s\n", error->hint);
	return 1;
}

int main(void)
{
	struct skep_error error;
	struct skep_engine *engine = skep_engine_new(NULL, &error);
	int ret;

	if (!engine)
		return report(&error);
	ret = filter(engine) ? report(skep_engine_error(engine)) : 0;
	skep_engine_free(engine);
	return ret;
}
