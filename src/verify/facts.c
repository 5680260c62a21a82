/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/facts.h"

#include <string.h>

int facts_init(struct walk *walk)
{
	walk->notes = arena_array(&walk->scratch, walk->insn_cnt, sizeof(*walk->notes));
	if (!walk->notes)
		return -ENOMEM;
	if (!(walk->input->flags & VERIFY_REG_FACTS))
		return 0;
	walk->out->regs =
		arena_array(&walk->out->arena, walk->insn_cnt, sizeof(*walk->out->regs));
	return walk->out->regs ? 0 : -ENOMEM;
}

/* --- registers --- */

static struct reg_fact reg_fact_of(const struct reg_state *reg)
{
	struct reg_fact fact = {.number = reg->number, .may_be_null = reg_may_be_null(reg)};
	struct scalar offset = scalar_const((u64)(s64)reg->off);

	switch (reg->kind) {
	case REG_NOT_INIT: return (struct reg_fact){.kind = REG_FACT_UNKNOWN};
	case REG_SCALAR: fact.kind = REG_FACT_SCALAR; return fact;
	case REG_STACK: fact.kind = REG_FACT_STACK; break;
	case REG_CTX: fact.kind = REG_FACT_CTX; break;
	case REG_MAP_VALUE:
		fact.kind = REG_FACT_MAP_VALUE;
		fact.map = reg->map;
		break;
	case REG_PACKET: fact.kind = REG_FACT_PACKET; break;
	default: fact.kind = REG_FACT_OTHER; break;
	}
	scalar_alu(&fact.number, &offset, BPF_ADD, false, 0);
	return fact;
}

static void reg_fact_join(struct reg_fact *fact, const struct reg_fact *other)
{
	if (fact->kind != other->kind || fact->map != other->map) {
		*fact = (struct reg_fact){.kind = REG_FACT_UNKNOWN};
		return;
	}
	fact->may_be_null |= other->may_be_null;
	fact->number = scalar_join(&fact->number, &other->number);
}

/* Nothing is known of what is dead: pruning does not look at it. */
void fact_visit_regs(struct walk *walk, bool is_first)
{
	struct reg_fact *facts = walk->out->regs[walk->at];
	u16 alive = walk->liveness.regs[walk->at] | 1u << BPF_REG_10;

	for (u32 i = 0; i < MAX_BPF_REG; i++) {
		struct reg_fact fact = {.kind = REG_FACT_UNKNOWN};

		if (alive >> i & 1)
			fact = reg_fact_of(walk_reg(walk, i));

		if (is_first)
			facts[i] = fact;
		else
			reg_fact_join(&facts[i], &fact);
	}
}

/* --- memory --- */

static enum mem_kind mem_kind_of(const struct reg_state *reg)
{
	switch ((enum reg_kind)reg->kind) {
	case REG_STACK: return MEM_STACK;
	case REG_CTX: return MEM_CTX;
	case REG_MAP_VALUE:
	case REG_MAP_KEY: return MEM_MAP_VALUE;
	case REG_PACKET:
	case REG_PACKET_META: return MEM_PACKET;
	case REG_FLOW_KEYS:
	case REG_BUFFER:
	case REG_TP_BUFFER: return MEM_BUFFER;
	case REG_SOCKET:
	case REG_SOCK_COMMON:
	case REG_TCP_SOCK:
	case REG_XDP_SOCK: return MEM_SOCK;
	case REG_MEM: return reg->flags & REG_UNTRUSTED ? MEM_BTF : MEM_HELPER;
	case REG_BTF: /* a program's own objects are memory like any other */
		return reg->flags & REG_ALLOCATED && !(reg->flags & REG_UNTRUSTED) ? MEM_HELPER
										   : MEM_BTF;
	case REG_MAP: return MEM_KERNEL;
	case REG_ARENA: return MEM_ARENA;
	case REG_NOT_INIT:
	case REG_SCALAR:
	case REG_PACKET_END:
	case REG_FUNC:
	case REG_DYNPTR:
	case REG_ITERATOR:
	case REG_IRQ_FLAG:
	case REG_KINDS: break;
	}
	return MEM_NONE;
}

/* Kinds of pointers whose instructions Linux rewrites by kind. */
static bool is_rewritten(enum reg_kind kind)
{
	switch (kind) {
	case REG_CTX:
	case REG_SOCKET:
	case REG_SOCK_COMMON:
	case REG_TCP_SOCK:
	case REG_XDP_SOCK:
	case REG_BTF:
	case REG_ARENA: return true;
	case REG_NOT_INIT:
	case REG_SCALAR:
	case REG_MAP:
	case REG_MAP_VALUE:
	case REG_MAP_KEY:
	case REG_STACK:
	case REG_PACKET:
	case REG_PACKET_META:
	case REG_PACKET_END:
	case REG_FLOW_KEYS:
	case REG_MEM:
	case REG_BUFFER:
	case REG_TP_BUFFER:
	case REG_FUNC:
	case REG_DYNPTR:
	case REG_ITERATOR:
	case REG_IRQ_FLAG:
	case REG_KINDS: break;
	}
	return false;
}

static bool is_object_or_memory(enum reg_kind kind)
{
	return kind == REG_BTF || kind == REG_MEM;
}

/* A load of which one path is less sure than another is executed as the less sure one. */
static bool can_mix(struct walk *walk, const struct fact_notes *notes,
		    const struct reg_state *reg)
{
	if (notes->kind == reg->kind && (reg->kind != REG_BTF || notes->flags == reg->flags))
		return true;
	if (is_object_or_memory(notes->kind) && is_object_or_memory(reg->kind))
		return BPF_CLASS(walk_insn(walk)->code) == BPF_LDX;
	return !is_rewritten(notes->kind) && !is_rewritten(reg->kind);
}

static enum mem_kind mem_join(enum mem_kind a, enum mem_kind b)
{
	if (a == b)
		return a;
	if (a == MEM_KERNEL || b == MEM_KERNEL)
		return MEM_KERNEL;
	return a == MEM_BTF || b == MEM_BTF ? MEM_BTF : MEM_MIXED;
}

static void note_memory(const struct walk *walk, struct insn_fact *fact,
			const struct map_desc *map)
{
	const struct access *access = &walk->access;

	if (access->object == REG_CTX && access->field->flags & CTX_CONVERTED) {
		fact->operand = OPERAND_CTX;
		fact->ctx = access->field;
	} else if (map) {
		insn_fact_set_map(fact, map);
	}
}

int fact_memory(struct walk *walk, const struct reg_state *reg)
{
	struct insn_fact *fact = &walk->out->facts[walk->at];
	struct fact_notes *notes = &walk->notes[walk->at];
	enum mem_kind kind = mem_kind_of(reg);
	const struct map_desc *map = reg->kind == REG_MAP_VALUE ? reg->map : NULL;

	if (notes->kind == REG_NOT_INIT) {
		notes->kind = reg->kind;
		notes->flags = reg->flags;
		fact->mem = kind;
		note_memory(walk, fact, map);
		return 0;
	}
	if (insn_fact_map(fact) != map && fact->operand == OPERAND_MAP)
		insn_fact_set_map(fact, NULL);
	if (!can_mix(walk, notes, reg))
		return reject(walk, different_pointers);
	fact->mem = mem_join(fact->mem, kind);
	return 0;
}

/* --- jumps and calls --- */

void fact_branch(struct walk *walk, bool taken)
{
	struct insn_fact *fact = &walk->out->facts[walk->at];
	struct fact_notes *notes = &walk->notes[walk->at];

	if (walk->state.is_speculative)
		return;
	if (taken)
		notes->taken = true;
	else
		notes->passed = true;
	fact->never_taken = !notes->taken;
	fact->always_taken = !notes->passed;
}

void fact_call_map(struct walk *walk, const struct map_desc *map)
{
	struct insn_fact *fact = &walk->out->facts[walk->at];
	struct fact_notes *notes = &walk->notes[walk->at];

	if (!notes->has_map)
		insn_fact_set_map(fact, map);
	else if (insn_fact_map(fact) != map)
		insn_fact_set_map(fact, NULL);
	notes->has_map = true;
	notes->has_unprivileged_map |= map->by_unprivileged;
}

int facts_check_tail_calls(struct walk *walk)
{
	for (u32 i = 0; i < walk->cfg.call_cnt; i++) {
		u32 at = walk->cfg.calls[i];
		const struct bpf_insn *insn = &walk->insns[at];
		const struct insn_fact *fact = &walk->out->facts[at];

		if (insn->code != (BPF_JMP | BPF_CALL) || insn->src_reg ||
		    insn->imm != BPF_FUNC_tail_call || !fact->visited)
			continue;
		if (!insn_fact_map(fact) && walk->notes[at].has_unprivileged_map) {
			walk->at = at;
			return reject(walk, tail_call_maps);
		}
	}
	return 0;
}

void facts_finish(struct walk *walk)
{
	struct cfg *cfg = &walk->cfg;

	for (u32 i = 0; i < cfg->subprog_cnt; i++)
		cfg->subprogs[i].is_reachable =
			walk->out->facts[cfg->subprogs[i].start].visited;
}
