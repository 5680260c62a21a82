/* SPDX-License-Identifier: BSD-2-Clause */
/* XDP programs of an engine: loaded from text, and run on a packet of zeros. */
#ifndef SKEP_TESTS_SYS_ENGINE_PROGRAMS_H
#define SKEP_TESTS_SYS_ENGINE_PROGRAMS_H

#include "isa/isa.h"
#include "tests/unit.h"

#include <linux/bpf.h>
#include <skep/skep.h>
#include <stdlib.h>

static inline int engine_load(struct skep_engine *engine, const char *text)
{
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_XDP, .license = ptr_to_u64("none")};
	struct bpf_insn *insns;
	struct skep_error err;
	int fd;

	if (insns_assemble(text, &insns, &attr.insn_cnt, &err))
		fail_msg("%s", err.text);
	attr.insns = ptr_to_u64(insns);
	fd = skep_bpf(engine, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		fail_msg("%s", skep_engine_error(engine)->text);
	free(insns);
	return fd;
}

static inline u32 engine_run(struct skep_engine *engine, int prog, u32 repeat)
{
	static const u8 packet[64];
	union bpf_attr attr = {.test = {.prog_fd = (u32)prog,
					.data_in = ptr_to_u64(packet),
					.data_size_in = sizeof(packet),
					.repeat = repeat}};

	assert_int_equal(skep_bpf(engine, BPF_PROG_TEST_RUN, &attr, sizeof(attr)), 0);
	return attr.test.retval;
}

#endif
