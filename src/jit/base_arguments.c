/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys and values that a program puts together on its stack with narrow stores, and that a map
 * reads in words. A processor forwards a store to a load that lies inside it; a load of more
 * waits until the stores have left the pipeline, and all that follows waits with it. Such an
 * argument is copied piece by piece, each as wide as the store that wrote it, into words of
 * their own, and the map gets the address of the copy.
 *
 * Which stores wrote it is a guess from the instructions before the call: what is copied is
 * what is there when the program runs, so that a wrong guess costs time and nothing else.
 */
#include "jit/base.h"

#define ARGUMENT_MAX 64
#define PIECES_MAX   16
/* So many instructions before the call are looked at. */
#define WINDOW 64

struct argument {
	u8 reg;	  /* of the program */
	u32 size; /* 0: left alone */
	/* Which store wrote each byte, as a distance from the call; 0: none of late. */
	u8 writer[ARGUMENT_MAX];
};

static bool is_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL);
}

static u32 window_start(const struct base *base, u32 at)
{
	return max(base->subprog->start, at - min(at, (u32)WINDOW));
}

/* Whether the register points into the stack, and where. */
static bool find_offset(const struct base *base, u32 at, u8 reg, s32 *offset)
{
	*offset = 0;
	for (u32 i = at, start = window_start(base, at); i-- > start;) {
		const struct bpf_insn *insn = &base->verified->insns[i];

		if (is_call(insn) && reg <= BPF_REG_5)
			return false;
		if (insn->dst_reg != reg)
			continue;
		switch (BPF_CLASS(insn->code)) {
		case BPF_ALU64:
			if (insn->code == (BPF_ALU64 | BPF_ADD | BPF_K)) {
				*offset += insn->imm;
				break;
			}
			if (insn->code != (BPF_ALU64 | BPF_MOV | BPF_X) || insn->off)
				return false;
			reg = insn->src_reg;
			if (reg == BPF_REG_10)
				return true;
			break;
		case BPF_ALU:
		case BPF_LD:
		case BPF_LDX: return false;
		default: break;
		}
	}
	return false;
}

static u32 store_bytes(const struct bpf_insn *insn)
{
	const u8 class = BPF_CLASS(insn->code);

	if ((class != BPF_ST && class != BPF_STX) || BPF_MODE(insn->code) != BPF_MEM)
		return 0;
	switch (BPF_SIZE(insn->code)) {
	case BPF_B: return 1;
	case BPF_H: return 2;
	case BPF_W: return 4;
	default: return 8;
	}
}

/* Stores before another call have left the pipeline. */
static void find_writers(const struct base *base, u32 at, s32 offset, struct argument *argument)
{
	for (u32 i = at, start = window_start(base, at); i-- > start;) {
		const struct bpf_insn *insn = &base->verified->insns[i];
		s32 from = insn->off - offset, end = from + (s32)store_bytes(insn);

		if (is_call(insn))
			return;
		if (insn->dst_reg != BPF_REG_10 || end == from)
			continue;
		for (s32 byte = max(from, 0); byte < min(end, (s32)argument->size); byte++)
			if (!argument->writer[byte])
				argument->writer[byte] = (u8)(at - i);
	}
}

/* Bytes from `from` that one load reads: as one store wrote them, and inside one word. */
static u32 piece_bytes(const struct argument *argument, u32 from)
{
	u32 bytes = 8;

	while (from % bytes || from + bytes > argument->size)
		bytes /= 2;
	for (u32 i = 1; i < bytes; i++)
		while (i < bytes && argument->writer[from + i] != argument->writer[from])
			bytes /= 2;
	return bytes;
}

static u32 piece_count(const struct argument *argument)
{
	u32 count = 0;

	for (u32 at = 0; at < argument->size; at += piece_bytes(argument, at))
		count++;
	return count;
}

/* The argument is read in words, and its stores are narrower. */
static bool is_split(const struct argument *argument)
{
	for (u32 at = 1; at < argument->size; at++)
		if (at % 8 && argument->writer[at] != argument->writer[at - 1])
			return piece_count(argument) <= PIECES_MAX;
	return false;
}

static void look_at(const struct base *base, u32 at, u8 reg, u32 size, struct argument *out)
{
	s32 offset;

	*out = (struct argument){.reg = reg, .size = size};
	if (size > ARGUMENT_MAX || !find_offset(base, at, reg, &offset)) {
		out->size = 0;
		return;
	}
	find_writers(base, at, offset, out);
	if (!is_split(out))
		out->size = 0;
}

/* The word at `from` into rax. */
static void gather_word(struct base *base, const struct argument *argument, u32 from)
{
	const u32 end = min(from + 8, argument->size);
	struct emit *emit = &base->emit;

	for (u32 at = from, bytes; at < end; at += bytes) {
		const u8 to = at == from ? RAX : R11;

		bytes = piece_bytes(argument, at);
		base_load_bytes(base, to, bytes, x86_at(base_reg[argument->reg], (s32)at));
		if (at == from)
			continue;
		x86_rr(emit, x86_shl_imm8, W64, 0, R11);
		emit8(emit, (u8)(at % 8 * 8));
		x86_rr(emit, x86_or_store, W64, R11, RAX);
	}
}

/* The copy is at `to` from rsp; its address becomes the argument. */
static void copy(struct base *base, const struct argument *argument, u32 to)
{
	for (u32 at = 0; at < argument->size; at += 8) {
		gather_word(base, argument, at);
		x86_rm(&base->emit, x86_store, W64, RAX, x86_at(RSP, (s32)(to + at)));
	}
	if (argument->size)
		x86_rm(&base->emit, x86_lea, W64, base_reg[argument->reg],
		       x86_at(RSP, (s32)to));
}

static bool reads_key_in_words(const struct map_desc *desc)
{
	return desc->type == BPF_MAP_TYPE_HASH || desc->type == BPF_MAP_TYPE_PERCPU_HASH ||
	       desc->type == BPF_MAP_TYPE_LRU_HASH ||
	       desc->type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
	       desc->type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

u32 base_widen_arguments(struct base *base, u32 at)
{
	const struct bpf_insn *insn = &base->verified->insns[at];
	const struct map_desc *desc = insn_fact_map(&base->verified->facts[at]);
	const bool updates = insn->imm == BPF_FUNC_map_update_elem;
	struct argument key, value;
	u32 space;

	if (insn->src_reg || !desc ||
	    (!updates && insn->imm != BPF_FUNC_map_lookup_elem &&
	     insn->imm != BPF_FUNC_map_delete_elem))
		return 0;
	look_at(base, at, BPF_REG_2, reads_key_in_words(desc) ? desc->key_size : 0, &key);
	look_at(base, at, BPF_REG_3, updates ? desc->value_size : 0, &value);
	space = round_up(round_up(key.size, 8) + round_up(value.size, 8), 16);
	if (!space)
		return 0;
	x86_rr(&base->emit, x86_sub_imm32, W64, 0, RSP);
	emit32(&base->emit, space);
	copy(base, &key, 0);
	copy(base, &value, round_up(key.size, 8));
	return space;
}
