/* SPDX-License-Identifier: BSD-2-Clause */
/* The running kernel as a test's oracle: loads programs, attaches nothing. */
#ifndef SKEP_TESTS_LINUX_H
#define SKEP_TESTS_LINUX_H

#include "base/types.h"
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The program's fd or a negative errno; the verifier's log when `log` is not NULL. */
static inline int linux_prog_load(enum bpf_prog_type type, const struct bpf_insn *insns,
				  u32 count, u32 log_level, char *log, size_t log_size)
{
	union bpf_attr attr = {
		.prog_type = type,
		.insns = ptr_to_u64(insns),
		.insn_cnt = count,
		.license = ptr_to_u64("Dual BSD/GPL"),
		.log_level = log ? log_level : 0,
		.log_buf = ptr_to_u64(log),
		.log_size = log ? log_size : 0,
	};
	long fd;

	if (log)
		*log = '\0';
	fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	return fd < 0 ? -errno : (int)fd;
}

/* The calling thread's capabilities, to be given back. */
struct linux_rights {
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
};

static inline bool linux_restore_rights(const struct linux_rights *before)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	return !syscall(SYS_capset, &header, before->sets);
}

/* Of those that bpf(2) asks for, the thread keeps what stands for `kept` (enum skep_rights). */
static inline bool linux_keep_rights(u32 kept, struct linux_rights *before)
{
	static const u32 capabilities[] = {CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct linux_rights less;

	if (syscall(SYS_capget, &header, before->sets))
		return false;
	less = *before;
	for (u32 i = 0; i < 4; i++)
		if (!(kept >> i & 1))
			less.sets[CAP_TO_INDEX(capabilities[i])].effective &=
				~CAP_TO_MASK(capabilities[i]);
	return linux_restore_rights(&less);
}

/* Whether bpf(2) may be used here at all. */
static inline bool linux_has_bpf(void)
{
	static const struct bpf_insn empty[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = linux_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, empty, 2, 0, NULL, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Whether it takes the newest instructions that skep knows (store-release, Linux 6.15). */
static inline bool linux_has_isa(void)
{
	static const struct bpf_insn newest[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 10, .off = -8, .imm = 0x110},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = linux_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, newest, 3, 0, NULL, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

#endif
