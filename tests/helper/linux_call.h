/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One helper called twice with the same arguments: by a small program in the running kernel,
 * and our body. The result and all memory must be equal afterwards.
 */
#ifndef SKEP_TESTS_HELPER_LINUX_CALL_H
#define SKEP_TESTS_HELPER_LINUX_CALL_H

#include "helper/run_context.h"
#include "tests/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MEMORY_BYTES 2048 /* of each map, and of our copies */

enum call_arg_kind {
	ARG_IS_NUMBER,
	ARG_IS_MEMORY, /* offset in memory that the program may write */
	ARG_IS_TEXT,   /* offset in constant memory */
};

struct call_arg {
	enum call_arg_kind kind;
	s64 value;
};

#define NUMBER(value)                \
	{                            \
		ARG_IS_NUMBER, value \
	}
#define MEMORY(offset)                \
	{                             \
		ARG_IS_MEMORY, offset \
	}
#define TEXT(offset)                \
	{                           \
		ARG_IS_TEXT, offset \
	}

struct linux_call {
	u32 type, helper;
	struct call_arg args[5];
	_Alignas(8) u8 memory[MEMORY_BYTES];
	_Alignas(8) char text[MEMORY_BYTES];
	/* filled in */
	s64 result;
};

static inline int linux_bpf(int cmd, union bpf_attr *attr)
{
	int result = syscall(__NR_bpf, cmd, attr, sizeof(*attr));

	return result < 0 ? -errno : result;
}

static inline int linux_make_memory(const void *content, bool is_constant)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = MEMORY_BYTES,
		.max_entries = 1,
		.map_flags = is_constant ? BPF_F_RDONLY_PROG : 0,
	};
	u32 key = 0;
	int fd = linux_bpf(BPF_MAP_CREATE, &attr);

	if (fd < 0)
		return fd;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = fd;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)content;
	linux_bpf(BPF_MAP_UPDATE_ELEM, &attr);
	if (is_constant) {
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = fd;
		linux_bpf(BPF_MAP_FREEZE, &attr);
	}
	return fd;
}

static inline void linux_read_memory(int fd, void *out)
{
	u32 key = 0;
	union bpf_attr attr = {.map_fd = fd, .key = (uintptr_t)&key, .value = (uintptr_t)out};

	linux_bpf(BPF_MAP_LOOKUP_ELEM, &attr);
}

static inline u32 linux_put_load64(struct bpf_insn *out, u8 reg, u8 pseudo, u64 low, u64 high)
{
	out[0] = (struct bpf_insn){.code = BPF_LD | BPF_IMM | BPF_DW,
				   .dst_reg = reg,
				   .src_reg = pseudo,
				   .imm = low};
	out[1] = (struct bpf_insn){.imm = high};
	return 2;
}

/* The call; its result goes to the last 8 bytes of the memory. */
static inline u32 linux_build_call(const struct linux_call *call, int memory, int text,
				   struct bpf_insn *out)
{
	u32 count = 0;

	for (u32 i = 0; i < 5; i++) {
		const struct call_arg *arg = &call->args[i];

		if (arg->kind == ARG_IS_NUMBER)
			count += linux_put_load64(out + count, i + 1, 0, (u64)arg->value,
						  (u64)arg->value >> 32);
		else
			count += linux_put_load64(out + count, i + 1, BPF_PSEUDO_MAP_VALUE,
						  arg->kind == ARG_IS_TEXT ? text : memory,
						  arg->value);
	}
	out[count++] = (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = call->helper};
	count += linux_put_load64(out + count, 1, BPF_PSEUDO_MAP_VALUE, memory,
				  MEMORY_BYTES - 8);
	out[count++] = (struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 1};
	out[count++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K};
	out[count++] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	return count;
}

static inline int linux_run(int prog, u32 type)
{
	u8 packet[64] = {};
	union bpf_attr attr = {.test.prog_fd = prog};

	if (type != BPF_PROG_TYPE_SYSCALL) {
		attr.test.data_in = (uintptr_t)packet;
		attr.test.data_size_in = sizeof(packet);
		attr.test.repeat = 1;
	}
	return linux_bpf(BPF_PROG_TEST_RUN, &attr);
}

/* Calls in the kernel: 0 and result and memory, or a negative errno (not loaded). */
static inline int linux_call(struct linux_call *call)
{
	struct bpf_insn insns[32];
	int memory = linux_make_memory(call->memory, false);
	int text = linux_make_memory(call->text, true), prog, err;
	static char log[8192];
	union bpf_attr attr = {
		.prog_type = call->type,
		.insns = (uintptr_t)insns,
		.insn_cnt = linux_build_call(call, memory, text, insns),
		.license = (uintptr_t) "GPL",
		.prog_flags = call->type == BPF_PROG_TYPE_SYSCALL ? BPF_F_SLEEPABLE : 0,
		.log_level = 1,
		.log_buf = (uintptr_t)log,
		.log_size = sizeof(log),
	};

	prog = linux_bpf(BPF_PROG_LOAD, &attr);
	err = prog < 0 ? prog : linux_run(prog, call->type);
	if (!err) {
		linux_read_memory(memory, call->memory);
		memcpy(&call->result, call->memory + MEMORY_BYTES - 8, 8);
	}
	if (prog >= 0)
		close(prog);
	close(memory);
	close(text);
	return err;
}

static inline void own_call(struct linux_call *call)
{
	struct run_env env = {};
	struct run_context run = {.env = &env, .type = call->type};
	u64 args[5];

	for (u32 i = 0; i < 5; i++) {
		const struct call_arg *arg = &call->args[i];

		args[i] = arg->kind == ARG_IS_NUMBER   ? (u64)arg->value
			  : arg->kind == ARG_IS_MEMORY ? ptr_to_u64(call->memory + arg->value)
						       : ptr_to_u64(call->text + arg->value);
	}
	call->result =
		helper_body(call->helper)(args[0], args[1], args[2], args[3], args[4], &run);
	memcpy(call->memory + MEMORY_BYTES - 8, &call->result, 8);
}

static inline bool linux_can_call(void)
{
	struct linux_call call = {.type = BPF_PROG_TYPE_SYSCALL,
				  .helper = BPF_FUNC_ktime_get_ns};

	return linux_call(&call) == 0;
}

#endif
