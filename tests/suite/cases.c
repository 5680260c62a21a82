/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the cases of the kernel's lib/test_bpf.c, which main.py compiles in here out of Debian's
 * linux-source package, as suite.h says. What that file needs of the kernel is defined here.
 */
#include "suite.h"

#include <asm/byteorder.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#define ARRAY_SIZE(list) (sizeof(list) / sizeof((list)[0]))
#define BIT(bit)	 (1ul << (bit))
#define GFP_KERNEL	 0
#define S16_MAX		 INT16_MAX
#define S16_MIN		 INT16_MIN
#define S32_MAX		 INT32_MAX
#define S32_MIN		 INT32_MIN
#define S64_MAX		 INT64_MAX
#define S64_MIN		 INT64_MIN
#define U8_MAX		 UINT8_MAX
#define U32_MAX		 UINT32_MAX
#define VLAN_HLEN	 4
#define __init
#define fallthrough		       __attribute__((fallthrough))
#define WARN_ON(what)		       ((void)(what))
#define BUG_ON(what)		       ((what) ? abort() : (void)0)
#define max(a, b)		       ((a) > (b) ? (a) : (b))
#define min(a, b)		       ((a) < (b) ? (a) : (b))
#define div64_u64(a, b)		       ((u64)(a) / (u64)(b))
#define div64_u64_rem(a, b, remainder) (*(remainder) = (u64)(a) % (u64)(b), (u64)(a) / (u64)(b))
#define kfree(memory)		       free(memory)
#define kmalloc(size, flags)	       calloc(1, size)
#define kmalloc_array(count, size, flags) calloc(count, size)
/* They initialise tables. */
#define cpu_to_be16(number)	       ((u16)__builtin_bswap16(number))
#define cpu_to_be32(number)	       ((u32)__builtin_bswap32(number))
#define cpu_to_be64(number)	       ((u64)__builtin_bswap64(number))
#define cpu_to_le16(number)	       ((u16)(number))
#define cpu_to_le32(number)	       ((u32)(number))
#define cpu_to_le64(number)	       ((u64)(number))

/* Any numbers will do: they choose a program's instructions, and both sides of what it compares. */
struct rnd_state {
	u64 seed;
};

static void prandom_seed_state(struct rnd_state *state, u64 seed)
{
	state->seed = seed;
}

static u32 prandom_u32_state(struct rnd_state *state)
{
	state->seed = state->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(state->seed >> 32);
}

#include "suite_filter.h"

#define INSN(...) ((struct bpf_insn){__VA_ARGS__})
#ifndef BPF_ALU32_REG
#define BPF_ALU32_REG(operation, dst, src) INSN(BPF_ALU | BPF_OP(operation) | BPF_X, dst, src)
#endif
#ifndef BPF_ZEXT_REG
#define BPF_ZEXT_REG(reg) INSN(BPF_ALU | BPF_MOV | BPF_X, reg, reg, 0, 1)
#endif
#ifndef BPF_CALL_REL
#define BPF_CALL_REL(target) INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, target)
#endif
#ifndef BPF_TAIL_CALL
#define BPF_TAIL_CALL 0xf0
#endif
#ifndef BPF_ENDIAN
#define BPF_ENDIAN(type, reg, bits) INSN(BPF_ALU | BPF_END | BPF_SRC(type), reg, 0, 0, bits)
#endif
#ifndef __BPF_STMT
#define __BPF_STMT(operation, number) ((struct sock_filter){.code = (operation), .k = (number)})
#define __BPF_JUMP(operation, number, yes, no) \
	((struct sock_filter){.code = (operation), .jt = (yes), .jf = (no), .k = (number)})
#endif
/* The C library has both orders, the kernel its own. */
#undef __BIG_ENDIAN

#include "suite_table.h"

static u32 length_of(const struct bpf_test *test)
{
	u32 length = MAX_INSNS - 1;

	if (test->fill_helper)
		return test->u.ptr.len;
	while (length && !test->u.insns_int[length].code)
		length--;
	return length + 1;
}

/* What runs as a filter of sockets. */
static bool is_wanted(const struct bpf_test *test)
{
	return (test->aux & TEST_TYPE_MASK) == INTERNAL &&
	       !(test->aux & (FLAG_LARGE_MEM | FLAG_SKB_FRAG));
}

static void write_case(const struct bpf_test *test)
{
	const void *insns = test->fill_helper ? (const void *)test->u.ptr.insns : test->u.insns_int;
	struct suite_case out = {.insn_cnt = length_of(test)};

	snprintf(out.name, sizeof(out.name), "%s", test->descr);
	memcpy(out.data, test->data, min(sizeof(out.data), sizeof(test->data)));
	/* A pair of zeros ends them, but the first counts. */
	for (u32 i = 0; i < SUITE_RUNS && i < MAX_SUBTESTS; i++) {
		if (i && !test->test[i].data_size && !test->test[i].result)
			break;
		out.sizes[i] = min((u32)test->test[i].data_size, (u32)sizeof(out.data));
		out.results[out.run_cnt++] = test->test[i].result;
	}
	if (out.insn_cnt > SUITE_INSNS)
		return;
	fwrite(&out, sizeof(out), 1, stdout);
	fwrite(insns, sizeof(struct bpf_insn), out.insn_cnt, stdout);
}

int main(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(tests); i++) {
		struct bpf_test *test = &tests[i];

		if (is_wanted(test) && !(test->fill_helper && test->fill_helper(test)))
			write_case(test);
	}
	return fflush(stdout) != 0;
}
