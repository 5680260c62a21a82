/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/arena.h"
#include "run/arena.h"

#include <string.h>

static u32 bytes_of(const struct bpf_insn *insn)
{
	switch (BPF_SIZE(insn->code)) {
	case BPF_B: return 1;
	case BPF_H: return 2;
	case BPF_W: return 4;
	default: return 8;
	}
}

static u64 load(const void *at, u32 bytes, bool is_signed)
{
	switch (bytes) {
	case 1: return is_signed ? (u64)(s64) * (const s8 *)at : *(const u8 *)at;
	case 2: {
		u16 value;

		memcpy(&value, at, sizeof(value));
		return is_signed ? (u64)(s64)(s16)value : value;
	}
	case 4: {
		u32 value;

		memcpy(&value, at, sizeof(value));
		return is_signed ? (u64)(s64)(s32)value : value;
	}
	default: {
		u64 value;

		memcpy(&value, at, sizeof(value));
		return value;
	}
	}
}

static void store(void *at, u32 bytes, u64 value)
{
	const u8 byte = (u8)value;
	const u16 half = (u16)value;
	const u32 word = (u32)value;

	switch (bytes) {
	case 1: memcpy(at, &byte, sizeof(byte)); break;
	case 2: memcpy(at, &half, sizeof(half)); break;
	case 4: memcpy(at, &word, sizeof(word)); break;
	default: memcpy(at, &value, sizeof(value)); break;
	}
}

/* Joins `value` to what is there; the old value. */
#define FETCH(type)                                                                     \
	static u64 fetch_##type(type *at, s32 operation, u64 value)                     \
	{                                                                               \
		switch (operation) {                                                    \
		case BPF_ADD: return __atomic_fetch_add(at, value, __ATOMIC_SEQ_CST);   \
		case BPF_OR: return __atomic_fetch_or(at, value, __ATOMIC_SEQ_CST);     \
		case BPF_AND: return __atomic_fetch_and(at, value, __ATOMIC_SEQ_CST);   \
		case BPF_XOR: return __atomic_fetch_xor(at, value, __ATOMIC_SEQ_CST);   \
		default: return __atomic_exchange_n(at, (type)value, __ATOMIC_SEQ_CST); \
		}                                                                       \
	}                                                                               \
	static u64 exchange_##type(type *at, type expected, u64 value)                  \
	{                                                                               \
		__atomic_compare_exchange_n(at, &expected, (type)value, false,          \
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);        \
		return expected;                                                        \
	}

FETCH(u32)
FETCH(u64)

static void read_modify_write(const struct bpf_insn *insn, void *at, u64 *reg)
{
	const bool is64 = BPF_SIZE(insn->code) == BPF_DW;
	const s32 operation = insn->imm & ~BPF_FETCH;
	const u64 value = reg[insn->src_reg];
	u64 old;

	if (insn->imm == BPF_CMPXCHG) {
		reg[BPF_REG_0] = is64 ? exchange_u64(at, reg[BPF_REG_0], value)
				      : exchange_u32(at, reg[BPF_REG_0], value);
		return;
	}
	old = is64 ? fetch_u64(at, operation, value) : fetch_u32(at, operation, value);
	if (insn->imm & BPF_FETCH)
		reg[insn->src_reg] = old;
}

/* Memory order, then as a plain access. */
static void ordered(const struct bpf_insn *insn, void *at, u64 *reg)
{
	const u32 bytes = bytes_of(insn);

	if (insn->imm == BPF_LOAD_ACQ) {
		reg[insn->dst_reg] = load(at, bytes, false);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		return;
	}
	__atomic_thread_fence(__ATOMIC_RELEASE);
	store(at, bytes, reg[insn->src_reg]);
}

/* Where there is nothing, it is 0: for loads as on Linux, and then for what is fetched, which
 * must have the bits that the verifier says. */
static void fetch_nothing(const struct bpf_insn *insn, u64 *reg)
{
	if (BPF_CLASS(insn->code) == BPF_STX && insn->imm == BPF_CMPXCHG)
		reg[BPF_REG_0] = 0;
	else if (BPF_CLASS(insn->code) == BPF_STX && insn->imm & BPF_FETCH)
		reg[insn->src_reg] = 0;
}

static bool is_load(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_LDX ||
	       (BPF_MODE(insn->code) == BPF_ATOMIC && insn->imm == BPF_LOAD_ACQ);
}

static void atomic(const struct bpf_insn *insn, void *at, u64 *reg)
{
	if (insn->imm == BPF_LOAD_ACQ || insn->imm == BPF_STORE_REL)
		ordered(insn, at, reg);
	else
		read_modify_write(insn, at, reg);
}

void arena_access(const struct arena_access *access, u64 *reg)
{
	const struct bpf_insn *insn = &access->insn;
	const u32 bytes = bytes_of(insn);
	const u64 pointer = reg[is_load(insn) ? insn->src_reg : insn->dst_reg];
	void *at = map_arena_at(access->map, (u32)pointer + (u64)(s64)insn->off, bytes);

	if (!at) {
		if (is_load(insn))
			reg[insn->dst_reg] = 0;
		else if (BPF_MODE(insn->code) == BPF_ATOMIC)
			fetch_nothing(insn, reg);
		return;
	}
	if (BPF_CLASS(insn->code) == BPF_LDX)
		reg[insn->dst_reg] = load(at, bytes, BPF_MODE(insn->code) == BPF_MEMSX);
	else if (BPF_CLASS(insn->code) == BPF_ST)
		store(at, bytes, (u64)(s64)insn->imm);
	else if (BPF_MODE(insn->code) == BPF_ATOMIC)
		atomic(insn, at, reg);
	else
		store(at, bytes, reg[insn->src_reg]);
}
