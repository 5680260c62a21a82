/* SPDX-License-Identifier: BSD-2-Clause */
/* Subprograms: where calls lead, and that each is closed in itself. */
#include "verify/cfg.h"

#include "isa/isa.h"
#include "verify/exception.h"
#include "verify/report.h"
#include <skep/skep.h>

#include <errno.h>
#include <string.h>

/* Index of the subprogram that `insn` is in. */
static u32 subprog_before(const struct cfg *cfg, u32 insn)
{
	u32 low = 0, high = cfg->subprog_cnt;

	while (high - low > 1) {
		u32 middle = (low + high) / 2;

		if (cfg->subprogs[middle].start <= insn)
			low = middle;
		else
			high = middle;
	}
	return low;
}

s32 cfg_subprog_at(const struct cfg *cfg, u32 insn)
{
	u32 index;

	if (!cfg->subprogs)
		return -1;
	index = subprog_before(cfg, insn);
	return cfg->subprogs[index].start == insn ? (s32)index : -1;
}

static int add_subprog(struct cfg *cfg, u32 at, s64 target, const struct report *report)
{
	u32 index;

	if (target < 0 || target >= cfg->insn_cnt)
		return report(report, at, call_target);
	index = subprog_before(cfg, (u32)target);
	if (cfg->subprogs[index].start == target)
		return 0;
	if (cfg->subprog_cnt == SUBPROGS_MAX)
		return report(report, at, too_many_subprograms);
	index++;
	memmove(&cfg->subprogs[index + 1], &cfg->subprogs[index],
		(cfg->subprog_cnt - index) * sizeof(struct subprog));
	cfg->subprogs[index] = (struct subprog){.start = (u32)target};
	cfg->subprog_cnt++;
	return 0;
}

static bool is_call(const struct cfg *cfg, u32 at)
{
	const struct bpf_insn *insn = &cfg->insns[at];
	s64 target;

	return insn->code == (BPF_JMP | BPF_CALL) || insn_is_subprog_address(insn, at, &target);
}

static int find_calls(struct cfg *cfg, struct arena *arena)
{
	u32 count = 0;

	for (u32 at = 0; at < cfg->insn_cnt; at++)
		count += is_call(cfg, at);
	cfg->calls = arena_array(arena, count, sizeof(*cfg->calls));
	if (!cfg->calls)
		return -ENOMEM;
	for (u32 at = 0; at < cfg->insn_cnt && cfg->call_cnt < count; at++)
		if (is_call(cfg, at))
			cfg->calls[cfg->call_cnt++] = at;
	return 0;
}

u32 cfg_call_from(const struct cfg *cfg, u32 insn)
{
	u32 low = 0, high = cfg->call_cnt;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (cfg->calls[middle] < insn)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The main program, an exception's callback, and one for each call and address. */
static u32 subprogs_at_most(const struct cfg *cfg)
{
	return min(2 + cfg->call_cnt, (u32)SUBPROGS_MAX);
}

static int add_callees(struct cfg *cfg, u32 rights, const struct report *report)
{
	for (u32 i = 0; i < cfg->call_cnt; i++) {
		u32 at = cfg->calls[i];
		const struct bpf_insn *insn = &cfg->insns[at];
		s64 target;
		bool is_own = insn_is_subprog_call(insn, at, &target) ||
			      insn_is_subprog_address(insn, at, &target);
		int ret;

		if (!is_own && !insn_is_kfunc_call(insn))
			continue;
		if (!(rights & (SKEP_RIGHT_BPF | SKEP_RIGHT_ADMIN)))
			return report(report, at, call_rights);
		if (!is_own)
			continue;
		ret = add_subprog(cfg, at, target, report);
		if (ret)
			return ret;
	}
	return 0;
}

/* Only the engine calls it. */
static int add_exception_callback(struct cfg *cfg, const struct verify_input *input,
				  const struct report *report)
{
	struct subprog *subprog;
	u32 insn;
	int ret = exception_find_callback(input, report, &insn);

	if (ret || !insn)
		return ret;
	ret = add_subprog(cfg, 0, insn, report);
	if (ret)
		return ret;
	cfg->exception_callback = (u32)cfg_subprog_at(cfg, insn);
	subprog = &cfg->subprogs[cfg->exception_callback];
	subprog->is_exception_callback = subprog->is_callback = subprog->is_async = true;
	return 0;
}

static void close_subprogs(struct cfg *cfg, u32 log_level, const struct report *report)
{
	for (u32 i = 0; i < cfg->subprog_cnt; i++) {
		struct subprog *subprog = &cfg->subprogs[i];

		subprog->end = i + 1 < cfg->subprog_cnt ? subprog[1].start : cfg->insn_cnt;
		for (u32 at = subprog->start; at < subprog->end; at++)
			cfg->subprog_of[at] = (u16)i;
		if (report->log && log_level & VERIFY_LOG_STATES)
			strbuf_addf(report->log, "func#%u @%u\n", i, subprog->start);
	}
}

static bool is_jump(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_EXIT && op != BPF_CALL;
}

static s64 jump_target(const struct bpf_insn *insn, u32 at)
{
	s32 distance = insn->code == (BPF_JMP32 | BPF_JA) ? insn->imm : insn->off;

	return (s64)at + distance + 1;
}

static bool ends_subprog(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_EXIT) || insn->code == (BPF_JMP | BPF_JA) ||
	       insn->code == (BPF_JMP32 | BPF_JA);
}

static void note_features(struct subprog *subprog, const struct bpf_insn *insn)
{
	u8 mode = BPF_MODE(insn->code);

	if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == 0 &&
	    insn->imm == BPF_FUNC_tail_call)
		subprog->has_tail_call = true;
	if (BPF_CLASS(insn->code) == BPF_LD && (mode == BPF_ABS || mode == BPF_IND))
		subprog->has_ld_abs = true;
}

/* A jump that leads into the middle of ld_imm64, which is refused later, also goes on behind
 * it.
 */
static void split_at(struct cfg *cfg, u32 target)
{
	cfg->flags[target] |= CFG_BLOCK_START;
	if (target && target + 1 < cfg->insn_cnt && insn_is_wide(&cfg->insns[target - 1]))
		cfg->flags[target + 1] |= CFG_BLOCK_START;
}

/* Jumps stay inside, and blocks start where they lead and behind them. */
static int check_closed(struct cfg *cfg, struct subprog *subprog, const struct report *report)
{
	cfg->flags[subprog->start] |= CFG_BLOCK_START;
	for (u32 at = subprog->start; at < subprog->end; at++) {
		const struct bpf_insn *insn = &cfg->insns[at];
		u8 class = BPF_CLASS(insn->code);
		s64 target;

		if (class != BPF_JMP && class != BPF_JMP32 && class != BPF_LD)
			continue;
		note_features(subprog, insn);
		if ((is_jump(insn) || ends_subprog(insn)) && at + 1 < subprog->end)
			split_at(cfg, at + 1);
		if (!is_jump(insn))
			continue;
		target = jump_target(insn, at);
		if (target < subprog->start || target >= subprog->end)
			return report(report, at, jump_range, at, (s32)target);
		split_at(cfg, (u32)target);
	}
	if (!ends_subprog(&cfg->insns[subprog->end - 1]))
		return report(report, subprog->end - 1, falls_through);
	return 0;
}

int cfg_find_subprogs(const struct verify_input *input, struct arena *arena, struct cfg *cfg,
		      struct skep_error *err)
{
	struct report report = {input->log, err};
	struct cfg built = {
		.insns = input->insns, .insn_cnt = input->insn_cnt, .subprog_cnt = 1};
	int ret;

	if (find_calls(&built, arena))
		return -ENOMEM;
	built.flags = arena_array(arena, built.insn_cnt, sizeof(*built.flags));
	built.subprog_of = arena_array(arena, built.insn_cnt, sizeof(*built.subprog_of));
	built.subprogs = arena_array(arena, subprogs_at_most(&built), sizeof(*built.subprogs));
	if (!built.flags || !built.subprog_of || !built.subprogs)
		return -ENOMEM;
	ret = add_callees(&built, input->rights, &report);
	if (ret)
		return ret;
	ret = add_exception_callback(&built, input, &report);
	if (ret)
		return ret;
	close_subprogs(&built, input->log_level, &report);
	for (u32 i = 0; i < built.subprog_cnt; i++) {
		ret = check_closed(&built, &built.subprogs[i], &report);
		if (ret)
			return ret;
	}
	*cfg = built;
	return 0;
}

u32 cfg_jump_successors(const struct cfg *cfg, u32 at, u32 successors[2])
{
	const struct bpf_insn *insn = &cfg->insns[at];
	u32 end = cfg->subprogs[cfg->subprog_of[at]].end, count = 0;
	u32 next = at + (insn_is_wide(insn) ? 2 : 1);

	if (insn->code == (BPF_JMP | BPF_EXIT))
		return 0;
	if (!ends_subprog(insn) && next < end)
		successors[count++] = next;
	if (is_jump(insn))
		successors[count++] = (u32)jump_target(insn, at);
	return count;
}
