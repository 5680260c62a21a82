/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/requirement.h"

#include "base/strbuf.h"
#include "catalog/host.h"
#include "isa/isa.h"

struct list {
	enum bpf_prog_type type;
	struct requirement *all;
	u32 count;
};

static struct requirement *add(struct list *list, enum requirement_kind kind, u8 reg)
{
	struct requirement *need = &list->all[list->count++];

	*need = (struct requirement){.kind = kind, .reg = reg, .value = NO_REG};
	return need;
}

static void add_memory(struct list *list, struct requirement need)
{
	list->all[list->count++] = need;
}

static void alu_needs(const struct bpf_insn *insn, struct list *out)
{
	u8 op = BPF_OP(insn->code);
	bool is_unary = op == BPF_NEG || op == BPF_END;

	if (!is_unary && BPF_SRC(insn->code) == BPF_X)
		add(out, NEED_INITIALISED, insn->src_reg);
	if (op != BPF_MOV)
		add(out, NEED_INITIALISED, insn->dst_reg);
	if (is_unary) /* a pointer is refused first, the frame pointer, too */
		add(out, NEED_OPERANDS, insn->dst_reg);
	add(out, NEED_WRITABLE, insn->dst_reg);
	if (!is_unary)
		add(out, NEED_OPERANDS, insn->dst_reg);
}

static void atomic_needs(const struct bpf_insn *insn, struct list *out)
{
	if (insn->imm == BPF_LOAD_ACQ) {
		add(out, NEED_INITIALISED, insn->src_reg);
		add(out, NEED_WRITABLE, insn->dst_reg);
		add_memory(out, insn_need_at(insn, insn->src_reg, ACCESS_READ, insn->dst_reg));
		add(out, NEED_ATOMIC, insn->src_reg);
		return;
	}
	add(out, NEED_INITIALISED, insn->src_reg);
	add(out, NEED_INITIALISED, insn->dst_reg);
	if (insn->imm == BPF_STORE_REL) {
		add_memory(out, insn_need_at(insn, insn->dst_reg, ACCESS_WRITE, insn->src_reg));
		add(out, NEED_ATOMIC, insn->dst_reg);
		return;
	}
	if (insn->imm == BPF_CMPXCHG) {
		add(out, NEED_INITIALISED, BPF_REG_0);
		add(out, NEED_NUMBER, BPF_REG_0);
	}
	add(out, NEED_NUMBER, insn->src_reg);
	add(out, NEED_ATOMIC, insn->dst_reg);
	if (insn->imm & BPF_FETCH)
		add(out, NEED_WRITABLE, insn->imm == BPF_CMPXCHG ? BPF_REG_0 : insn->src_reg);
	add_memory(out, insn_need_at(insn, insn->dst_reg, ACCESS_ATOMIC, NO_REG));
}

static void store_needs(const struct bpf_insn *insn, struct list *out)
{
	bool is_reg = BPF_CLASS(insn->code) == BPF_STX;

	if (BPF_MODE(insn->code) == BPF_ATOMIC) {
		atomic_needs(insn, out);
		return;
	}
	if (is_reg)
		add(out, NEED_INITIALISED, insn->src_reg);
	add(out, NEED_INITIALISED, insn->dst_reg);
	add_memory(out, insn_memory_need(insn));
}

static void load_needs(const struct bpf_insn *insn, struct list *out)
{
	add(out, NEED_INITIALISED, insn->src_reg);
	add(out, NEED_WRITABLE, insn->dst_reg);
	add_memory(out, insn_memory_need(insn));
}

static void legacy_load_needs(const struct bpf_insn *insn, struct list *out)
{
	if (insn_is_wide(insn)) {
		add(out, NEED_WRITABLE, insn->dst_reg);
		if (insn->src_reg == BPF_PSEUDO_FUNC)
			add(out, NEED_FUNCTION_TYPE, NO_REG);
		return;
	}
	add(out, NEED_PACKET_LOAD, BPF_REG_6);
	add(out, NEED_INITIALISED, BPF_REG_6);
	if (BPF_MODE(insn->code) == BPF_IND)
		add(out, NEED_INITIALISED, insn->src_reg);
}

static void helper_needs(const struct bpf_insn *insn, struct list *out)
{
	const struct helper_row *row = helper_row_for((u32)insn->imm, out->type);

	add(out, NEED_HELPER, NO_REG)->helper = row;
	for (u8 i = 0; row && i < HELPER_ARGS && row->arg[i].kind != ARG_NONE; i++)
		add(out, NEED_ARGUMENT, BPF_REG_1 + i)->helper = row;
	add(out, NEED_AGREEMENT, NO_REG)->helper = row;
}

static void jump_needs(const struct bpf_insn *insn, struct list *out)
{
	switch (BPF_OP(insn->code)) {
	case BPF_JA:
	case BPF_JCOND: return;
	case BPF_EXIT:
		add(out, NEED_RELEASED, NO_REG);
		add(out, NEED_RESULT, BPF_REG_0);
		return;
	case BPF_CALL:
		if (insn->src_reg == 0 && !insn_is_host_helper(insn))
			helper_needs(insn, out);
		else
			add(out, NEED_CALLEE, NO_REG);
		return;
	default: break;
	}
	add(out, NEED_INITIALISED, insn->dst_reg);
	if (BPF_SRC(insn->code) == BPF_X)
		add(out, NEED_INITIALISED, insn->src_reg);
	add(out, NEED_COMPARABLE, insn->dst_reg);
}

static void insn_needs(const struct bpf_insn *insn, struct list *out)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64: alu_needs(insn, out); break;
	case BPF_LD: legacy_load_needs(insn, out); break;
	case BPF_LDX: load_needs(insn, out); break;
	case BPF_ST:
	case BPF_STX: store_needs(insn, out); break;
	default: jump_needs(insn, out); break;
	}
}

u32 requirements_of(const struct bpf_insn *insn, enum bpf_prog_type type,
		    struct requirement out[REQUIREMENTS_MAX])
{
	struct list list = {.type = type, .all = out};

	insn_needs(insn, &list);
	return list.count;
}

static const char *access_text(u8 access)
{
	return access == ACCESS_READ	? "read"
	       : access == ACCESS_WRITE ? "written"
					: "changed atomically";
}

void requirement_print(const struct requirement *need, struct strbuf *out)
{
	u32 reg = need->reg;

	switch ((enum requirement_kind)need->kind) {
	case NEED_INITIALISED: strbuf_addf(out, "r%u holds a value", reg); break;
	case NEED_WRITABLE: strbuf_addf(out, "r%u may be written", reg); break;
	case NEED_NUMBER: strbuf_addf(out, "r%u is a number", reg); break;
	case NEED_MEMORY:
		strbuf_addf(out, "%u byte%s at r%u%+d can be %s", need->size,
			    need->size == 1 ? "" : "s", reg, need->off,
			    access_text(need->access));
		break;
	case NEED_ATOMIC:
		strbuf_addf(out, "r%u points to memory that allows atomic operations", reg);
		break;
	case NEED_OPERANDS: strbuf_adds(out, "the operator takes these operands"); break;
	case NEED_COMPARABLE: strbuf_addf(out, "r%u may be compared", reg); break;
	case NEED_PACKET_LOAD: strbuf_adds(out, "r6 is the context of a packet"); break;
	case NEED_HELPER:
		strbuf_addf(out, "%s may be called here",
			    need->helper ? need->helper->name : "the helper");
		break;
	case NEED_ARGUMENT:
		strbuf_addf(out, "r%u fits argument %u of %s", reg, reg, need->helper->name);
		break;
	case NEED_AGREEMENT: strbuf_adds(out, "the arguments fit one another"); break;
	case NEED_CALLEE: strbuf_adds(out, "the subprogram may be called here"); break;
	case NEED_FUNCTION_TYPE: strbuf_adds(out, "the function has a type"); break;
	case NEED_RELEASED: strbuf_adds(out, "no lock and no reference is held"); break;
	case NEED_RESULT: strbuf_adds(out, "r0 is a result that the program may give"); break;
	}
}
