/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/checker.h"
#include "catalog/ctx.h"
#include "map/map.h"
#include "map/own.h"
#include "run/run.h"

#include <string.h>

static u32 insn_index(const struct executor *exec, const struct code_insn *pc)
{
	return pc - exec->code->insns;
}

static const struct insn_fact *insn_fact(const struct executor *exec,
					 const struct code_insn *pc)
{
	const struct verified *verified = exec->code->verified;

	return verified ? &verified->facts[insn_index(exec, pc)] : NULL;
}

/* False, so that a check can return it. The first finding of a run stays. */
static bool violation(struct executor *exec, const struct code_insn *pc,
		      enum violation_kind kind, u64 value)
{
	struct run_violation *found = &exec->checker->found;

	if (found->kind)
		return false;
	*found = (struct run_violation){
		.kind = kind,
		.prog = exec->run->prog,
		.insn = insn_index(exec, pc),
		.value = value,
	};
	return false;
}

/* --- memory --- */
static bool within(u64 address, u32 size, const void *start, const void *end)
{
	const u64 first = ptr_to_u64(start), last = ptr_to_u64(end);

	return address >= first && address <= last && size <= last - address;
}

/* The frame that runs and those that called it. */
static bool in_stack(const struct executor *exec, const struct code_insn *pc, const u64 *reg,
		     u64 address, u32 size)
{
	const u64 low = reg[BPF_REG_10] - exec->code->frame_bytes[insn_index(exec, pc)];

	return address >= low &&
	       within(address, size, exec->stack, exec->stack + sizeof(exec->stack));
}

static size_t ctx_bytes(enum bpf_prog_type type)
{
	const struct prog_row *row = prog_row(type);

	if (!row)
		return 0;
	if (row->ctx_view == CTX_VIEW_XDP_MD)
		return sizeof(struct xdp_ctx);
	if (row->ctx_view == CTX_VIEW_SK_BUFF)
		return sizeof(struct skb_ctx);
	return row->ctx_size;
}

static bool in_ctx(const struct executor *exec, u64 address, u32 size)
{
	const u8 *ctx = exec->run->ctx;

	return ctx && within(address, size, ctx, ctx + ctx_bytes(exec->code->type));
}

static bool in_packet(const struct executor *exec, u64 address, u32 size)
{
	const struct prog_row *row = prog_row(exec->code->type);
	const struct skb_ctx *skb = exec->run->ctx;
	const struct xdp_ctx *xdp = exec->run->ctx;

	if (!row || !exec->run->ctx)
		return false;
	if (row->ctx_view == CTX_VIEW_XDP_MD)
		return within(address, size, min(xdp->data_meta, xdp->data), xdp->data_end) ||
		       within(address, size, xdp->fragments,
			      xdp->fragments + xdp->fragment_bytes);
	if (row->ctx_view == CTX_VIEW_SK_BUFF)
		return within(address, size, min(skb->data_meta ?: skb->data, skb->data),
			      skb->data_end);
	return false;
}

/* What the context of a packet leads to: its socket, the keys of the flow dissector. */
static bool in_ctx_object(const struct executor *exec, u64 address, u32 size)
{
	const struct prog_row *row = prog_row(exec->code->type);
	const struct skb_ctx *skb = exec->run->ctx;

	if (!row || row->ctx_view != CTX_VIEW_SK_BUFF || !skb)
		return false;
	return (skb->sk && within(address, size, skb->sk, skb->sk + 1)) ||
	       (skb->flow_keys && within(address, size, skb->flow_keys, skb->flow_keys + 1));
}

static bool in_maps_of(const struct prog *prog, u64 address, u32 size)
{
	for (u32 i = 0; prog && i < prog->map_cnt; i++)
		if (map_owns(prog->maps[i], u64_to_ptr(address), size))
			return true;
	return false;
}

static bool in_maps(const struct executor *exec, u64 address, u32 size)
{
	return in_maps_of(exec->run->prog, address, size) ||
	       in_maps_of(exec->extended, address, size);
}

static bool in_regions(const struct run_region *regions, u32 count, u64 address, u32 size)
{
	for (u32 i = 0; i < count; i++)
		if (within(address, size, regions[i].start, regions[i].start + regions[i].size))
			return true;
	return false;
}

static bool in_storage(const struct executor *exec, u64 address, u32 size)
{
	return in_regions(exec->run->local_storage, 2, address, size);
}

static bool in_other(const struct executor *exec, u64 address, u32 size)
{
	const struct checker *checker = exec->checker;

	return in_regions(checker->regions, checker->region_cnt, address, size) ||
	       in_regions(checker->helper_regions,
			  min(checker->helper_region_cnt, HELPER_REGIONS), address, size) ||
	       in_ctx_object(exec, address, size);
}

static bool in_own(const struct executor *exec, u64 address, u32 size)
{
	const struct run_env *env = exec->run->env;

	return env && env->own && own_world_has(env->own, address, size);
}

/* What a callback gets as its key may be a copy. */
static bool in_key(const struct executor *exec, u64 address, u32 size)
{
	return in_regions(&exec->run->key, 1, address, size);
}

static bool in_any(const struct executor *exec, const struct code_insn *pc, const u64 *reg,
		   u64 address, u32 size)
{
	return in_stack(exec, pc, reg, address, size) || in_packet(exec, address, size) ||
	       in_maps(exec, address, size) || in_storage(exec, address, size) ||
	       in_own(exec, address, size) || in_other(exec, address, size) ||
	       in_ctx(exec, address, size);
}

static bool in_kind(const struct executor *exec, const struct code_insn *pc, const u64 *reg,
		    enum mem_kind kind, u64 address, u32 size)
{
	switch (kind) {
	case MEM_STACK: return in_stack(exec, pc, reg, address, size);
	case MEM_CTX: return in_ctx(exec, address, size) || in_other(exec, address, size);
	case MEM_MAP_VALUE:
		return in_maps(exec, address, size) || in_storage(exec, address, size) ||
		       in_key(exec, address, size);
	case MEM_PACKET: return in_packet(exec, address, size);
	case MEM_BUFFER:
	case MEM_SOCK: return in_other(exec, address, size) || in_maps(exec, address, size);
	case MEM_NONE:
	case MEM_ARENA:
	case MEM_KERNEL: return false;
	case MEM_HELPER:
	case MEM_BTF:
	case MEM_MIXED: return in_any(exec, pc, reg, address, size);
	}
	return false;
}

bool checked_access(struct executor *exec, const struct code_insn *pc, const u64 *reg,
		    u64 address, u32 size, bool write)
{
	const struct insn_fact *fact = insn_fact(exec, pc);
	const enum mem_kind kind = fact ? fact->mem : MEM_MIXED;

	if (in_kind(exec, pc, reg, kind, address, size))
		return true;
	violation(exec, pc, VIOLATION_ACCESS, address);
	exec->checker->found.fact = kind;
	exec->checker->found.size = size;
	exec->checker->found.write = write;
	return false;
}

/* Memory that a helper returns, as a dynptr's, may begin anywhere: Linux does not look either.
 */
static bool may_be_unaligned(const struct executor *exec, const struct code_insn *pc)
{
	const struct insn_fact *fact = insn_fact(exec, pc);

	return fact && (fact->mem == MEM_HELPER || fact->mem == MEM_MIXED);
}

bool checked_atomic(struct executor *exec, const struct code_insn *pc, const u64 *reg,
		    u64 address, u32 size)
{
	if (address & (size - 1) && !may_be_unaligned(exec, pc))
		return violation(exec, pc, VIOLATION_ALIGNMENT, address);
	return checked_access(exec, pc, reg, address, size, true);
}

/* --- registers --- */
static bool map_value_fits(const struct executor *exec, const struct reg_fact *fact, u64 value)
{
	const struct map_desc *desc = fact->map;
	const u64 start = value - fact->number.bits.value;

	if (!value)
		return fact->may_be_null;
	if (!desc || !scalar_is_const(&fact->number))
		return true;
	return map_owns(map_of_desc(desc), u64_to_ptr(start), desc->value_size) ||
	       in_storage(exec, start, desc->value_size);
}

static bool fact_holds(const struct executor *exec, const struct code_insn *pc, const u64 *reg,
		       u32 which, const struct reg_fact *fact)
{
	const u64 value = reg[which];

	switch ((enum reg_fact_kind)fact->kind) {
	case REG_FACT_SCALAR: return scalar_has(&fact->number, value);
	case REG_FACT_CTX: return scalar_has(&fact->number, value - ptr_to_u64(exec->run->ctx));
	case REG_FACT_MAP_VALUE: return map_value_fits(exec, fact, value);
	case REG_FACT_UNKNOWN:
	case REG_FACT_STACK: /* the address may be outside: only accesses tell */
	case REG_FACT_PACKET:
	case REG_FACT_OTHER: return true;
	}
	return true;
}

static bool facts_hold(struct executor *exec, const struct code_insn *pc, const u64 *reg)
{
	const struct verified *verified = exec->code->verified;

	for (u32 which = 0; verified->regs && which < MAX_BPF_REG; which++) {
		const struct reg_fact *fact = &verified->regs[insn_index(exec, pc)][which];

		if (fact_holds(exec, pc, reg, which, fact))
			continue;
		violation(exec, pc, VIOLATION_REGISTER, reg[which]);
		exec->checker->found.reg = which;
		exec->checker->found.fact = fact->kind;
		return false;
	}
	return true;
}

/* --- control --- */
u16 checked_op(struct executor *exec, const struct code_insn *pc, const u64 *reg)
{
	struct checker *checker = exec->checker;

	if (pc < exec->code->insns || pc >= exec->code->insns + exec->code->insn_cnt) {
		violation(exec, pc, VIOLATION_TARGET, 0);
		return OP_dead;
	}
	if (pc->op == OP_dead)
		violation(exec, pc, VIOLATION_DEAD_CODE, 0);
	else if (exec->code->verified && !facts_hold(exec, pc, reg))
		return OP_dead;
	if (checker->budget && !--checker->budget) {
		violation(exec, pc, VIOLATION_BUDGET, 0);
		return OP_dead;
	}
	return code_round(exec->code, (u64)(pc - exec->code->insns)) ? OP_round : pc->op;
}

bool checked_branch(struct executor *exec, const struct code_insn *pc, bool taken)
{
	const struct insn_fact *fact = insn_fact(exec, pc);

	if (fact && (taken ? fact->never_taken : fact->always_taken))
		return violation(exec, pc, VIOLATION_BRANCH, taken);
	return true;
}

bool checked_mask(struct executor *exec, const struct code_insn *pc, u64 offset, u64 masked)
{
	return offset == masked || violation(exec, pc, VIOLATION_MASK, offset);
}

bool checked_frame(struct executor *exec, const struct code_insn *pc, const u64 *reg,
		   const struct frame *frame)
{
	const u64 used = ptr_to_u64(exec->stack + sizeof(exec->stack)) - reg[BPF_REG_10];
	const u64 deepest = used + pc->off + STACK_BYTES;
	const u32 frames_max = exec->code->verified ? FRAMES_MAX : FRAMES_PER_PROG - 1;

	if (frame - exec->frames >= frames_max || deepest > sizeof(exec->stack))
		return violation(exec, pc, VIOLATION_CALL_DEPTH, frame - exec->frames);
	return true;
}

/* LD_ABS and LD_IND read the packet of the context in r6. */
bool checked_packet(struct executor *exec, const struct code_insn *pc, u64 ctx)
{
	const struct prog_row *row = prog_row(exec->code->type);

	if (!row || row->ctx_view != CTX_VIEW_SK_BUFF || ctx != ptr_to_u64(exec->run->ctx))
		return violation(exec, pc, VIOLATION_REGISTER, ctx);
	return true;
}

/* How much memory a helper's result points to; 0: it is in a map, or no pointer. */
static size_t result_bytes(const struct helper_row *row)
{
	switch ((enum ret_kind)row->ret) {
	case RET_SOCKET:
	case RET_SOCK_COMMON: return sizeof(struct bpf_sock);
	case RET_TCP_SOCK: return sizeof(struct bpf_tcp_sock);
	case RET_INTEGER:
	case RET_VOID:
	case RET_MAP_VALUE:
	case RET_RINGBUF_MEM:
	case RET_DYNPTR_MEM:
	case RET_BTF_ID:
	case RET_MEM_OR_BTF_ID: return 0;
	}
	return 0;
}

void checked_helper_result(struct executor *exec, const struct code_insn *pc, u64 result)
{
	const struct verified *verified = exec->code->verified;
	const struct bpf_insn *insn = verified ? &verified->insns[insn_index(exec, pc)] : NULL;
	const struct helper_row *row = insn && !insn->src_reg ? helper_row(insn->imm) : NULL;
	struct checker *checker = exec->checker;
	size_t size = row && result ? result_bytes(row) : 0;

	if (!size)
		return;
	checker->helper_regions[checker->helper_region_cnt++ % HELPER_REGIONS] =
		(struct run_region){u64_to_ptr(result), size};
}

static bool is_clean(struct run_context *run, const struct checker *checker)
{
	if (!checker->found.kind)
		return true;
	run->violated = true;
	if (run->env->violation)
		run->env->violation(run->env->engine, &checker->found);
	return false;
}

u64 checked_run(struct executor *exec, const u64 args[5])
{
	struct run_context *run = exec->run;
	struct checker checker = {.regions = run->regions, .region_cnt = run->region_cnt};
	u64 ret;

	exec->checker = &checker;
	ret = executor_run(exec, args);
	return is_clean(run, &checker) ? ret : 0;
}

void checked_call(struct executor *exec, u64 function, const u64 args[5])
{
	const struct map *map = u64_to_ptr(args[0]);
	struct checker checker = {0};

	exec->checker = &checker;
	exec->run->key = (struct run_region){u64_to_ptr(args[1]), map->desc.key_size};
	exec->run->call_back(exec->run, function, args);
	is_clean(exec->run, &checker);
}
