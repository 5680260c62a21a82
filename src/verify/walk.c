/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks every path from the first instruction, one at a time, depth first. A conditional jump
 * that may go both ways keeps its state for later and goes on without jumping.
 */
#include "verify/walk.h"

#include "base/error.h"
#include "base/os.h"

#include "isa/isa.h"
#include "verify/cycle.h"
#include "verify/facts.h"
#include "verify/fuel.h"
#include "verify/precision.h"
#include "verify/prune.h"
#include "verify/quick.h"
#include "verify/report.h"
#include "verify/speculation.h"
#include "verify/trace.h"
#include "verify/watch.h"

#include <string.h>
#include <time.h>

#define CALLEE_SAVED 0x3c0 /* r6 to r9 */

/* --- paths put off --- */

void walk_live_set(const struct walk *walk, const struct state *state, u32 insn,
		   struct live_set *out)
{
	const struct liveness *liveness = &walk->liveness;
	u32 top = state->frame_cnt - 1;

	for (u32 i = 0; i < top; i++) {
		const struct frame *callee = &state->frames[i + 1];

		/* What the caller needs after its call, and what its callees may reach. */
		out->regs[i] = callee->callback == CALLBACK_NOW
				       ? liveness->regs[callee->call_site]
				       : liveness->regs[callee->call_site + 1] & CALLEE_SAVED;
		out->slots[i] = liveness->slots[callee->call_site];
	}
	out->regs[top] = liveness->regs[insn];
	out->slots[top] = liveness->slots[insn];
}

static struct pending *pending_new(struct walk *walk)
{
	struct pending *pending = walk->unused_pending;

	if (!pending)
		return arena_alloc(&walk->scratch, sizeof(*pending));
	walk->unused_pending = pending->older;
	return pending;
}

static struct pending pop_pending(struct walk *walk)
{
	struct pending *top = walk->pending, last = *top;

	walk->pending = last.older;
	walk->pending_cnt--;
	top->older = walk->unused_pending;
	walk->unused_pending = top;
	return last;
}

struct packed_state *walk_save(struct walk *walk)
{
	return state_pack(&walk->pool, &walk->state, &all_alive, PACK_ALL);
}

void walk_restore(struct walk *walk, struct packed_state *saved)
{
	state_unpack(saved, &walk->state);
	state_free(&walk->pool, saved);
}

int walk_set_aside(struct walk *walk, u32 insn, struct pending *out)
{
	struct live_set live;

	walk_live_set(walk, &walk->state, insn, &live);
	*out = (struct pending){
		.insn = insn,
		.prev = walk->at,
		.mark = path_mark(walk),
		.open_rounds = walk->open_rounds,
		.log_length = walk->log ? walk->log->length : 0,
		.state = state_pack(&walk->pool, &walk->state, &live, PACK_ALL),
	};
	return out->state ? 0 : -ENOMEM;
}

int walk_take_up_again(struct walk *walk, const struct pending *path)
{
	struct pending *pending = pending_new(walk);

	if (!pending)
		return -ENOMEM;
	*pending = *path;
	pending->older = walk->pending;
	walk->pending = pending;
	walk->pending_cnt++;
	return 0;
}

int walk_put_off(struct walk *walk, u32 insn, bool takes_branch)
{
	struct pending path;
	int ret = walk_set_aside(walk, insn, &path);

	path.takes_branch = takes_branch;
	ret = ret ? ret : walk_take_up_again(walk, &path);
	walk->put_off_cnt += !ret;
	return ret;
}

int walk_put_off_round(struct walk *walk, u32 insn)
{
	int ret;

	walk->open_rounds++;
	ret = walk_put_off(walk, insn, false);
	walk->open_rounds--;
	return ret;
}

/* False: this way cannot happen. */
static bool go_on(struct walk *walk, const struct pending *pending)
{
	walk_restore(walk, pending->state);
	trace_drop_path(walk, pending);
	path_resume(walk, pending->mark);
	walk->open_rounds = pending->open_rounds;
	walk->at = walk->next = pending->insn;
	walk->prev = pending->prev;
	if (pending->round)
		prune_widen_after(walk, walk->at, pending->round);
	if (pending->takes_branch && !transfer_branch_taken(walk))
		return false;
	trace_resume(walk);
	return true;
}

/* Goes on with the path put off last. *ends: there is none. */
static int resume(struct walk *walk, bool *ends)
{
	struct pending last;
	int ret;

	do {
		ret = prune_path_ended(walk);
		*ends = !walk->pending;
		if (ret || *ends)
			return ret;
		last = pop_pending(walk);
	} while (!go_on(walk, &last));
	return 0;
}

/* --- one instruction --- */

/* What could not be shown, in front of the hint. */
static void add_need(struct walk *walk)
{
	char hint[SKEP_ERROR_TEXT];
	struct strbuf need;

	memcpy(hint, walk->err->hint, sizeof(hint));
	strbuf_init(&need);
	requirement_print(walk->need, &need);
	error_hint(walk->err, "needs that %s; %s", strbuf_text(&need), hint);
	strbuf_done(&need);
}

int walk_reject(struct walk *walk, enum reason reason, ...)
{
	struct report to = {.log = walk->log, .err = walk->err};
	va_list args;
	int code;

	va_start(args, reason);
	code = report_vreason(&to, walk->at, reason, args);
	va_end(args);
	walk->failure = (struct failure){.reason = reason, .has_need = walk->need};
	if (walk->need) {
		walk->failure.need = *walk->need;
		add_need(walk);
	}
	return code;
}

static enum reg_kind kind_of(const struct walk *walk, u32 reg)
{
	return walk->state.frames[walk->state.frame_cnt - 1].regs[reg].kind;
}

static bool is_number(const struct walk *walk, u32 reg)
{
	return kind_of(walk, reg) == REG_SCALAR;
}

/* The second operand is a constant or a number. */
static bool src_is_number(const struct walk *walk, const struct bpf_insn *insn)
{
	return BPF_SRC(insn->code) == BPF_K || is_number(walk, insn->src_reg);
}

/* Arithmetic on numbers, and comparisons of them, need nothing else. */
static bool works_on_numbers(const struct walk *walk, const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	if (insn->dst_reg == FRAME_REG)
		return false;
	if (class == BPF_ALU || class == BPF_ALU64) {
		if (op == BPF_MOV)
			return !insn->off && src_is_number(walk, insn);
		return is_number(walk, insn->dst_reg) &&
		       (op == BPF_NEG || op == BPF_END || src_is_number(walk, insn));
	}
	if ((class != BPF_JMP && class != BPF_JMP32) || op == BPF_CALL || op == BPF_EXIT ||
	    op == BPF_JA || op == BPF_JCOND)
		return false;
	return is_number(walk, insn->dst_reg) && src_is_number(walk, insn);
}

/* A load or store that needs nothing else than the memory. */
static bool needs_memory(const struct walk *walk, const struct bpf_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LDX:
		return kind_of(walk, insn->src_reg) != REG_NOT_INIT &&
		       insn->dst_reg != FRAME_REG;
	case BPF_STX:
		return BPF_MODE(insn->code) != BPF_ATOMIC &&
		       kind_of(walk, insn->src_reg) != REG_NOT_INIT &&
		       kind_of(walk, insn->dst_reg) != REG_NOT_INIT;
	case BPF_ST: return kind_of(walk, insn->dst_reg) != REG_NOT_INIT;
	default: return false;
	}
}

static int prove_all(struct walk *walk, const struct requirement *needs, u32 count)
{
	int ret = 0;

	for (u32 i = 0; i < count && !ret; i++) {
		walk->need = &needs[i];
		ret = prove_requirement(walk, walk->need);
	}
	walk->need = NULL;
	return ret;
}

static int prove_only_memory(struct walk *walk, const struct bpf_insn *insn)
{
	const struct requirement need = insn_memory_need(insn);
	int ret;

	walk->need = &need;
	ret = prove_memory(walk, &need);
	walk->need = NULL;
	return ret;
}

static int prove(struct walk *walk)
{
	const struct bpf_insn *insn = walk_insn(walk);
	struct requirement needs[REQUIREMENTS_MAX];

	if (works_on_numbers(walk, insn))
		return 0;
	if (needs_memory(walk, insn))
		return prove_only_memory(walk, insn);
	return prove_all(walk, needs, requirements_of(insn, walk->input->type, needs));
}

/* Code that is never walked over may have reserved fields set. */
static int check_form(struct walk *walk)
{
	int ret = insn_check(walk_insn(walk), walk->at, walk->err);

	if (ret && walk->log)
		strbuf_addf(walk->log, "%s\n", walk->err->text);
	return ret;
}

/* What Linux looks at before the reserved fields: the operand of a jump, and whether programs
 * of this type may load from the packet in the old way at all. */
static bool is_refused_anyway(struct walk *walk)
{
	const struct bpf_insn *insn = walk_insn(walk);
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	if (class == BPF_LD)
		return BPF_MODE(insn->code) != BPF_IMM && !walk->row->has_ld_abs;
	if ((class != BPF_JMP && class != BPF_JMP32) || op == BPF_JA || op == BPF_JCOND ||
	    op == BPF_CALL || op == BPF_EXIT || insn->dst_reg >= MAX_BPF_REG)
		return false;
	return walk_reg(walk, insn->dst_reg)->kind == REG_NOT_INIT;
}

static int carry_out(struct walk *walk)
{
	int ret = 0;

	if (!walk->out->facts[walk->at].visited && !insn_is_plain(walk_insn(walk)) &&
	    !is_refused_anyway(walk))
		ret = check_form(walk);
	ret = ret ? ret : path_advance(walk);
	if (ret)
		return ret;
	if (walk->watch)
		watch_step(walk);
	fact_visit(walk);
	if (walk->is_quick && quick_step(walk))
		return 0;
	ret = prove(walk);
	ret = ret ? ret : fuel_prove(walk);
	return ret ? ret : transfer(walk);
}

static u64 memory_of(const struct walk *walk)
{
	return walk->out->arena.bytes + walk->scratch.bytes + walk->pool.arena.bytes +
	       path_bytes(walk) + cycle_bytes(walk);
}

static int check_budget(struct walk *walk)
{
	const struct verify_budget *budget = &walk->budget;

	if (memory_of(walk) > budget->memory)
		return reject(walk, budget, budget->memory, "bytes of memory");
	if (os_time_ns(CLOCK_THREAD_CPUTIME_ID) - walk->started > budget->time_ns)
		return reject(walk, budget, budget->time_ns / 1000000, "ms");
	return 0;
}

static int step(struct walk *walk)
{
	int ret;

	if (walk->watch)
		watch_visit(walk);
	if (++walk->insns_processed > walk->budget.insns)
		return reject(walk, too_complex, walk->insns_processed);
	if (!(walk->insns_processed % BUDGET_EVERY)) {
		ret = check_budget(walk);
		if (ret)
			return ret;
	}
	if (walk->cfg.flags[walk->at] & CFG_PRUNE_POINT) {
		ret = prune_check(walk, &walk->path_ends);
		if (!ret && walk->path_ends)
			trace_pruned(walk);
		if (ret || walk->path_ends)
			return ret;
	}
	if (trace_is_on(walk))
		trace_insn(walk);
	if (walk->state.is_speculative && speculation_stops_before(walk)) {
		walk->path_ends = true;
		return 0;
	}
	ret = carry_out(walk);
	if (walk->state.is_speculative)
		ret = speculation_settle(walk, ret);
	walk->prev = walk->at;
	return ret;
}

static int walk_path(struct walk *walk)
{
	walk->path_ends = false;
	while (!walk->path_ends) {
		int ret;

		walk->at = walk->next;
		ret = step(walk);
		if (ret)
			return ret;
	}
	return 0;
}

int walk_program(struct walk *walk)
{
	bool ends = false;
	int ret;

	do {
		ret = walk_path(walk);
		ret = ret ? ret : resume(walk, &ends);
	} while (!ret && !ends);
	if (walk->watch)
		path_unroll(walk);
	return ret;
}
