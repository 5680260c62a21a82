/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs in a world: assembled, loaded, run once. */
#ifndef SKEP_TESTS_SYS_PROGRAMS_H
#define SKEP_TESTS_SYS_PROGRAMS_H

#include "isa/isa.h"
#include "tests/sys/worlds.h"

/* What a program is beside its instructions. */
struct program_kind {
	u32 type, attach_type, flags, attach_btf_id;
	const char *name; /* NULL: none */
};

/* "map_fd N" in the text is the N-th of `maps`. A descriptor or a negative errno. */
static inline int load_kind(struct world *world, struct program_kind kind, const char *text,
			    const int *maps)
{
	struct bpf_insn *insns;
	union bpf_attr attr = {.prog_type = kind.type,
			       .expected_attach_type = kind.attach_type,
			       .prog_flags = kind.flags,
			       .attach_btf_id = kind.attach_btf_id,
			       .license = ptr_to_u64("GPL")};
	struct skep_error error;
	int fd;

	if (kind.name)
		strncpy(attr.prog_name, kind.name, sizeof(attr.prog_name) - 1);
	if (insns_assemble(text, &insns, &attr.insn_cnt, &error))
		fail_msg("%s", error.text);
	for (u32 i = 0; i < attr.insn_cnt; i++)
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW)) {
			if (insns[i].src_reg == BPF_PSEUDO_MAP_FD)
				insns[i].imm = maps[insns[i].imm];
			i++;
		}
	attr.insns = ptr_to_u64(insns);
	fd = bpf(world, BPF_PROG_LOAD, &attr);
	free(insns);
	return fd;
}

static inline int load_text(struct world *world, u32 type, const char *text, const int *maps)
{
	const struct program_kind kind = {
		.type = type, .flags = type == BPF_PROG_TYPE_SYSCALL ? BPF_F_SLEEPABLE : 0};

	return load_kind(world, kind, text, maps);
}

/* What it returns for a packet of zeros, or a negative errno. */
static inline long long run_once(struct world *world, int prog)
{
	u8 packet[64] = {0};
	union bpf_attr attr = {.test = {.prog_fd = prog,
					.data_in = ptr_to_u64(packet),
					.data_size_in = sizeof(packet)}};
	int ret = bpf(world, BPF_PROG_TEST_RUN, &attr);

	return ret < 0 ? ret : attr.test.retval;
}

static inline long long run_text(struct world *world, u32 type, const char *text,
				 const int *maps)
{
	int prog = load_text(world, type, text, maps);
	long long result = prog < 0 ? prog : run_once(world, prog);

	if (prog >= 0)
		close(prog);
	return result;
}

#endif
