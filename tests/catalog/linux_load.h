/* SPDX-License-Identifier: BSD-2-Clause */
/* The running kernel as oracle: does it load this program? */
#ifndef SKEP_TESTS_CATALOG_LINUX_LOAD_H
#define SKEP_TESTS_CATALOG_LINUX_LOAD_H

#include "base/types.h"
#include "catalog/uapi.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A kind of program: everything that PROG_LOAD is told beside the instructions. */
struct linux_kind {
	u32 type, attach_type;
	u32 btf_id; /* of the attach point, for types that have one */
	bool sleepable;
	bool is_proprietary; /* its licence is not GPL-compatible */
};

/* 0 or a negative errno. `log` may be NULL, else it receives the verifier's log. */
static inline int linux_load_kind(const struct linux_kind *kind, const struct bpf_insn *insns,
				  u32 count, u32 log_level, char *log, u32 log_size)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = kind->type;
	attr.expected_attach_type = kind->attach_type;
	attr.attach_btf_id = kind->btf_id;
	attr.prog_flags = kind->sleepable ? BPF_F_SLEEPABLE : 0;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = count;
	attr.license = (uintptr_t)(kind->is_proprietary ? "none" : "GPL");
	if (log) {
		log[0] = '\0';
		attr.log_level = log_level;
		attr.log_buf = (uintptr_t)log;
		attr.log_size = log_size;
	}
	fd = syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static inline int linux_load(u32 type, u32 attach_type, const struct bpf_insn *insns, u32 count,
			     char *log, u32 log_size)
{
	const struct linux_kind kind = {
		.type = type,
		.attach_type = attach_type,
		.sleepable = type == BPF_PROG_TYPE_SYSCALL,
	};

	return linux_load_kind(&kind, insns, count, 1, log, log_size);
}

/* r0 = 1; exit: every type accepts it. */
static inline int linux_load_smallest(u32 type, u32 attach_type)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return linux_load(type, attach_type, insns, ARRAY_SIZE(insns), NULL, 0);
}

/* Whether the kernel can be asked: right to load, and as new as the tables. */
static inline bool linux_is_oracle(void)
{
	return linux_load_smallest(BPF_PROG_TYPE_XDP, 0) == 0 &&
	       linux_load_smallest(BPF_PROG_TYPE_KPROBE, 57) == 0 &&
	       linux_load_smallest(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, 53) == 0;
}

/* Kernels may be built or locked down without these. */
static inline bool linux_may_lack_helper(u32 id)
{
	return id == BPF_FUNC_probe_write_user || id == BPF_FUNC_override_return;
}

/* Types that a kernel may be built without, or that load with a BTF id only. */
static inline bool linux_can_load_plainly(u32 type)
{
	return type != BPF_PROG_TYPE_LIRC_MODE2 && type != BPF_PROG_TYPE_TRACING &&
	       type != BPF_PROG_TYPE_STRUCT_OPS && type != BPF_PROG_TYPE_EXT &&
	       type != BPF_PROG_TYPE_LSM;
}

#endif
