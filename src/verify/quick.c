/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/quick.h"

#include "verify/facts.h"
#include "verify/memory.h"
#include "verify/path.h"
#include "verify/trace.h"

bool quick_is_possible(const struct walk *walk)
{
	const struct rules *rules = &walk->rules;

	return rules->may_loop && rules->may_leak && rules->may_read_uninit &&
	       rules->may_speculate && !rules->strict_alignment &&
	       !(walk->input->flags & VERIFY_FUEL);
}

/* --- arithmetic --- */

static bool move(struct walk *walk, const struct bpf_insn *insn, struct reg_state *regs)
{
	struct reg_state *src = &regs[insn->src_reg], *dst = &regs[insn->dst_reg];
	bool is32 = BPF_CLASS(insn->code) == BPF_ALU;

	if (insn->off)
		return false;
	if (BPF_SRC(insn->code) == BPF_K) {
		reg_set_const(dst, is32 ? (u32)insn->imm : (u64)(s64)insn->imm);
		return true;
	}
	if (src->kind == REG_NOT_INIT ||
	    (is32 && (src->kind != REG_SCALAR || src->number.umax > UINT32_MAX)))
		return false;
	if (src->kind == REG_SCALAR)
		walk_link_number(walk, src);
	reg_copy(dst, src);
	return true;
}

/* It may be 0 or -1, in which case both are walked (transfer_alu.c). */
static bool may_split(const struct scalar *number, u8 op)
{
	return (op == BPF_AND || op == BPF_OR) && (number->smin == -1 || number->smin32 == -1);
}

static void arithmetic(struct walk *walk, const struct bpf_insn *insn, struct reg_state *dst,
		       const struct scalar *amount)
{
	u64 umax = dst->number.umax;

	walk_alu(walk, insn, &dst->number, amount);
	if (dst->id)
		transfer_link(dst, insn, umax, amount);
	else
		reg_unlink(dst);
}

static bool alu(struct walk *walk, const struct bpf_insn *insn, struct reg_state *regs)
{
	struct reg_state *dst = &regs[insn->dst_reg];
	const struct reg_state *src = &regs[insn->src_reg];
	bool is_reg = BPF_SRC(insn->code) == BPF_X;
	struct scalar amount;
	u8 op = BPF_OP(insn->code);

	if (op == BPF_MOV)
		return move(walk, insn, regs);
	if (dst->kind != REG_SCALAR || op == BPF_NEG || op == BPF_END ||
	    (is_reg && src->kind != REG_SCALAR) || may_split(&dst->number, op))
		return false;
	if (is_reg && src != dst) {
		arithmetic(walk, insn, dst, &src->number);
		return true;
	}
	amount = is_reg ? src->number : scalar_const((u64)(s64)insn->imm);
	arithmetic(walk, insn, dst, &amount);
	return true;
}

/* --- memory --- */

/* The first time, or as it was every time before. */
static bool fact_is_plain(struct walk *walk, const struct reg_state *base)
{
	const struct fact_notes *notes = &walk->notes[walk->at];

	return notes->kind == base->kind || notes->kind == REG_NOT_INIT;
}

/* As fact_memory(), where fact_is_plain(). */
static void note_fact(struct walk *walk, const struct reg_state *base, u8 mem)
{
	struct fact_notes *notes = &walk->notes[walk->at];

	if (notes->kind == base->kind)
		return;
	notes->kind = base->kind;
	notes->flags = base->flags;
	walk->out->facts[walk->at].mem = mem;
}

/* Where eight aligned bytes of the stack are accessed, their offset; 0: they are not. */
static s32 whole_slot(const struct bpf_insn *insn, const struct reg_state *base)
{
	s64 off = (s64)base->off + insn->off;

	if (BPF_SIZE(insn->code) != BPF_DW || off % SLOT_BYTES || off >= 0 ||
	    off < -STACK_BYTES || base->number.bits.mask || base->number.bits.value)
		return 0;
	return (s32)off;
}

static u32 slot_at(s32 off)
{
	return (u32)(-off - 1) / SLOT_BYTES;
}

/* Behind the instruction, logs and explanations only ask what it accessed. */
static bool tells_access(const struct walk *walk)
{
	return walk->watch || trace_is_on(walk);
}

static inline void note_slot(struct walk *walk, const struct reg_state *base, s32 off, u8 kind)
{
	if (tells_access(walk))
		walk->access = (struct access){.kind = kind,
					       .object = REG_STACK,
					       .is_fixed = true,
					       .low = off,
					       .high = off,
					       .size = SLOT_BYTES,
					       .frame = (u32)base->frame};
	path_note_slots(walk, (u32)base->frame, slot_at(off), 1);
	note_fact(walk, base, MEM_STACK);
}

static bool fill(struct walk *walk, const struct bpf_insn *insn, struct reg_state *dst,
		 const struct reg_state *base)
{
	const struct frame *frame = &walk->state.frames[base->frame];
	s32 off = whole_slot(insn, base);

	if (!off || slot_at(off) >= frame->slot_cnt ||
	    !slot_is_spill(&frame->slots[slot_at(off)]) ||
	    !slot_is_full_spill(&frame->slots[slot_at(off)]))
		return false;
	note_slot(walk, base, off, ACCESS_READ);
	reg_copy(dst, &frame->slots[slot_at(off)].spilled);
	return true;
}

static bool load_packet(struct walk *walk, const struct bpf_insn *insn, struct reg_state *dst,
			const struct reg_state *base)
{
	u32 size = insn_access_size(insn);
	s64 off = (s64)base->off + insn->off;

	if (base->number.smin < 0 || off < 0 || off + size > base->range)
		return false;
	if (tells_access(walk))
		walk->access = (struct access){
			.kind = ACCESS_READ, .object = base->kind, .size = size};
	note_fact(walk, base, MEM_PACKET);
	reg_set_scalar(dst, scalar_unsigned_bytes(size));
	return true;
}

static bool load(struct walk *walk, const struct bpf_insn *insn, struct reg_state *regs)
{
	const struct reg_state *base = &regs[insn->src_reg];
	struct reg_state *dst = &regs[insn->dst_reg];

	if (BPF_MODE(insn->code) != BPF_MEM || reg_may_be_null(base) ||
	    !fact_is_plain(walk, base))
		return false;
	if (base->kind == REG_STACK)
		return fill(walk, insn, dst, base);
	return base->kind == REG_PACKET && load_packet(walk, insn, dst, base);
}

/* A whole slot gets a register; those of callers get no address in the callee's frame. */
static bool store(struct walk *walk, const struct bpf_insn *insn, struct reg_state *regs)
{
	const struct reg_state *base = &regs[insn->dst_reg];
	struct reg_state *value = &regs[insn->src_reg];
	struct frame *frame;
	struct stack_slot *slot;
	s32 off;

	if (BPF_MODE(insn->code) != BPF_MEM || base->kind != REG_STACK ||
	    value->kind == REG_NOT_INIT || value->kind == REG_STACK ||
	    !fact_is_plain(walk, base))
		return false;
	off = whole_slot(insn, base);
	if (!off)
		return false;
	frame = &walk->state.frames[base->frame];
	slot = &frame->slots[slot_at(off)];
	if (slot_at(off) >= frame->slot_cnt)
		stack_grow(walk, frame, off);
	if (slot_is_object(slot))
		return false;
	note_slot(walk, base, off, ACCESS_WRITE);
	if (value->kind == REG_SCALAR)
		walk_link_number(walk, value);
	reg_copy(&slot->spilled, value);
	memset(slot->bytes, BYTE_SPILL, SLOT_BYTES);
	return true;
}

bool quick_step(struct walk *walk)
{
	const struct bpf_insn *insn = walk_insn(walk);
	struct reg_state *regs = state_top(&walk->state)->regs;

	walk->next = walk->at + 1;
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64: return insn->dst_reg != FRAME_REG && alu(walk, insn, regs);
	case BPF_LDX: return insn->dst_reg != FRAME_REG && load(walk, insn, regs);
	case BPF_STX: return store(walk, insn, regs);
	default: return false;
	}
}
