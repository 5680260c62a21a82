/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any instructions into PROG_LOAD. What the verifier accepts runs in the checked interpreter,
 * which stops at the first access that no region allows: that would be the verifier's fault.
 * The first byte chooses the program type and the log's level (its two highest bits);
 * instructions follow. A map operand's descriptor is an index into the maps there are.
 */
#include "fuzz/bpf_world.h"
#include <string.h>

#define INSNS_MAX 512

static const u32 types[] = {BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_SOCKET_FILTER,
			    BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_CGROUP_SKB};

static void name_maps(const struct bpf_world *world, struct bpf_insn *insns, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) && insns[i].src_reg)
			insns[i].imm = world->object[(u32)insns[i].imm % OBJECTS];
}

static int load(struct bpf_world *world, u8 kind, const struct bpf_insn *insns, u32 count)
{
	union bpf_attr attr = {.prog_type = types[kind % ARRAY_SIZE(types)],
			       .insns = ptr_to_u64(insns),
			       .insn_cnt = count,
			       .license = ptr_to_u64("GPL"),
			       .log_level = kind >> 6};

	if (attr.log_level) {
		attr.log_buf = ptr_to_u64(world->memory);
		attr.log_size = MEMORY_SIZE;
	}
	return skep_bpf(world->engine, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static void run(struct bpf_world *world, int fd)
{
	static const u8 packet[128] = {0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 8, 0, 0x45};
	union bpf_attr attr = {.test = {.prog_fd = (u32)fd,
					.data_in = ptr_to_u64(packet),
					.data_size_in = sizeof(packet),
					.repeat = 2}};

	skep_bpf(world->engine, BPF_PROG_TEST_RUN, &attr, sizeof(attr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bpf_world *world = bpf_world();
	struct bpf_insn insns[INSNS_MAX];
	u32 count;
	int fd;

	if (size < 1 + sizeof(*insns))
		return 0;
	count = (u32)min((size - 1) / sizeof(*insns), (size_t)INSNS_MAX);
	memcpy(insns, data + 1, count * sizeof(*insns));
	name_maps(world, insns, count);
	fd = load(world, data[0], insns, count);
	if (fd < 0) {
		REQUIRE(skep_engine_error(world->engine)->text[0]);
		return 0;
	}
	run(world, fd);
	close(fd);
	return 0;
}
