/* SPDX-License-Identifier: BSD-2-Clause */
/* A verified program as text: the stages of `skep inspect`. */
#include "isa/isa.h"
#include "verify/verify.h"

#include <errno.h>
#include <string.h>

static bool is_second_half(const struct verified *verified, u32 at)
{
	return at && insn_is_wide(&verified->insns[at - 1]) && !verified->insns[at].code;
}

static void print_insn(const struct verified *verified, u32 at, struct strbuf *out)
{
	strbuf_addf(out, "%4u: ", at);
	insn_print(verified->insns, verified->insn_cnt, at, INSN_SYNTAX_LLVM, NULL, out);
}

/* --- insns --- */

static void print_insns(const struct verified *verified, struct strbuf *out)
{
	for (u32 i = 0; i < verified->insn_cnt; i++) {
		if (is_second_half(verified, i))
			continue;
		print_insn(verified, i, out);
		strbuf_addc(out, '\n');
	}
}

/* --- cfg: subprograms and their basic blocks --- */

static bool is_jump(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && BPF_OP(insn->code) != BPF_CALL;
}

static u32 jump_target(const struct bpf_insn *insn, u32 at)
{
	bool is_long = BPF_CLASS(insn->code) == BPF_JMP32 && BPF_OP(insn->code) == BPF_JA;

	return at + 1 + (is_long ? insn->imm : insn->off);
}

/* A block starts where a jump goes to, and after every jump. */
static void mark_blocks(const struct verified *verified, const struct subprog *subprog,
			bool *starts)
{
	starts[subprog->start] = true;
	for (u32 i = subprog->start; i < subprog->end; i++) {
		const struct bpf_insn *insn = &verified->insns[i];

		if (is_second_half(verified, i) || !is_jump(insn))
			continue;
		if (i + 1 < subprog->end)
			starts[i + 1] = true;
		if (BPF_OP(insn->code) != BPF_EXIT)
			starts[jump_target(insn, i)] = true;
	}
}

static void print_edges(const struct verified *verified, u32 last, struct strbuf *out)
{
	const struct bpf_insn *insn = &verified->insns[last];
	u8 op = BPF_OP(insn->code);

	if (!is_jump(insn)) {
		strbuf_addf(out, " -> %u", last + 1);
	} else if (op != BPF_EXIT) {
		strbuf_addf(out, " -> %u", jump_target(insn, last));
		if (op != BPF_JA)
			strbuf_addf(out, ", %u", last + 1);
	}
	strbuf_addc(out, '\n');
}

static void print_blocks(const struct verified *verified, const struct subprog *subprog,
			 const bool *starts, struct strbuf *out)
{
	u32 start = subprog->start;

	for (u32 i = subprog->start; i < subprog->end; i++) {
		if (i + 1 < subprog->end && !starts[i + 1])
			continue;
		strbuf_addf(out, "  %u..%u", start, i);
		if (!verified->facts[start].visited)
			strbuf_adds(out, " dead");
		print_edges(verified, i, out);
		start = i + 1;
	}
}

static int print_cfg(const struct verified *verified, struct strbuf *out)
{
	struct arena arena;
	bool *starts;

	arena_init(&arena);
	starts = arena_array(&arena, (size_t)verified->insn_cnt + 1, sizeof(*starts));
	for (u32 i = 0; starts && i < verified->subprog_cnt; i++) {
		const struct subprog *subprog = &verified->subprogs[i];

		strbuf_addf(out, "subprogram %u %s: insns %u..%u, stack %u\n", i,
			    subprog->name ? subprog->name : "", subprog->start,
			    subprog->end - 1, subprog->stack_depth);
		mark_blocks(verified, subprog, starts);
		print_blocks(verified, subprog, starts, out);
	}
	arena_done(&arena);
	return starts ? 0 : -ENOMEM;
}

/* --- facts --- */

static const char *mem_text(u8 mem)
{
	static const char *const text[] = {
		[MEM_STACK] = "stack",		[MEM_CTX] = "context",
		[MEM_MAP_VALUE] = "map value",	[MEM_PACKET] = "packet",
		[MEM_BUFFER] = "buffer",	[MEM_SOCK] = "socket",
		[MEM_HELPER] = "helper memory", [MEM_BTF] = "kernel object",
		[MEM_KERNEL] = "kernel",	[MEM_MIXED] = "mixed",
	};

	return text[mem];
}

static void print_reg(const struct reg_fact *reg, u32 number, struct strbuf *out)
{
	static const char *const text[] = {
		[REG_FACT_SCALAR] = "",	      [REG_FACT_STACK] = "stack",
		[REG_FACT_CTX] = "context",   [REG_FACT_MAP_VALUE] = "value",
		[REG_FACT_PACKET] = "packet", [REG_FACT_OTHER] = "pointer",
	};

	if (reg->kind == REG_FACT_UNKNOWN)
		return;
	strbuf_addf(out, " r%u=%s%s", number, text[reg->kind], reg->may_be_null ? "?" : "");
	if (scalar_is_const(&reg->number))
		strbuf_addf(out, "%+lld", reg->number.smin);
	else if (scalar_is_unknown(&reg->number))
		strbuf_adds(out, "any");
	else
		strbuf_addf(out, "[%lld..%lld]", reg->number.smin, reg->number.smax);
}

static void print_mask(struct offset_mask mask, struct strbuf *out)
{
	if (mask.kind == MASK_SRC || mask.kind == MASK_DST)
		strbuf_addf(out, " offset in %s%s%s%u", mask.kind == MASK_SRC ? "src" : "dst",
			    mask.is_constant ? " = " : " up to ", mask.is_negative ? "-" : "",
			    mask.limit);
}

static void print_fact(const struct verified *verified, u32 at, struct strbuf *out)
{
	const struct insn_fact *fact = &verified->facts[at];

	if (!fact->visited)
		strbuf_adds(out, " dead");
	if (fact->never_taken || fact->always_taken)
		strbuf_addf(out, " %s taken", fact->never_taken ? "never" : "always");
	if (fact->barrier_before || fact->barrier_after)
		strbuf_addf(out, " barrier%s%s", fact->barrier_before ? " before" : "",
			    fact->barrier_after ? " after" : "");
	print_mask(insn_fact_mask(fact), out);
	if (fact->mem)
		strbuf_addf(out, " %s", mem_text(fact->mem));
	if (insn_fact_ctx(fact))
		strbuf_addf(out, " %s", insn_fact_ctx(fact)->name);
	if (insn_fact_map(fact))
		strbuf_addf(out, " map %s", insn_fact_map(fact)->name);
	if (fact->callee >= 0)
		strbuf_addf(out, " subprogram %d", fact->callee);
	for (u32 i = 0; verified->regs && fact->visited && i < MAX_BPF_REG - 1; i++)
		print_reg(&verified->regs[at][i], i, out);
}

static void print_facts(const struct verified *verified, struct strbuf *out)
{
	for (u32 i = 0; i < verified->insn_cnt; i++) {
		if (is_second_half(verified, i))
			continue;
		print_insn(verified, i, out);
		strbuf_adds(out, " ;");
		print_fact(verified, i, out);
		strbuf_addc(out, '\n');
	}
}

int verified_print(const struct verified *verified, const char *stage, struct strbuf *out)
{
	if (!strcmp(stage, "insns"))
		print_insns(verified, out);
	else if (!strcmp(stage, "facts"))
		print_facts(verified, out);
	else if (!strcmp(stage, "cfg"))
		return print_cfg(verified, out);
	else
		return -EINVAL;
	return 0;
}
