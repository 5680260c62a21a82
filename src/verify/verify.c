/* SPDX-License-Identifier: BSD-2-Clause */
/* The stages of a verification, top to bottom. */
#include "verify/verify.h"

#include "base/error.h"
#include "base/os.h"
#include "isa/isa.h"
#include "verify/attach.h"
#include "verify/btf_info.h"
#include "verify/cycle.h"
#include "verify/explain.h"
#include "verify/facts.h"
#include "verify/fuel.h"
#include "verify/global.h"
#include "verify/kfunc.h"
#include "verify/line.h"
#include "verify/precision.h"
#include "verify/prune.h"
#include "verify/quick.h"
#include "verify/resolve.h"
#include "verify/trace.h"
#include "verify/walk.h"

#include <skep/skep.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void set_rules(struct walk *walk)
{
	u32 rights = walk->input->rights;
	bool is_perfmon = rights & (SKEP_RIGHT_PERFMON | SKEP_RIGHT_ADMIN);

	walk->rules.may_loop = rights & (SKEP_RIGHT_BPF | SKEP_RIGHT_ADMIN);
	walk->rules.may_leak = is_perfmon;
	walk->rules.may_read_uninit = is_perfmon;
	walk->rules.may_speculate = is_perfmon;
	walk->rules.strict_alignment = walk->input->flags & VERIFY_STRICT_ALIGNMENT &&
				       !(walk->input->flags & VERIFY_ANY_ALIGNMENT);
	walk->is_quick = quick_is_possible(walk);
}

static void set_budget(struct walk *walk)
{
	struct verify_budget *budget = &walk->budget;

	*budget = walk->input->budget;
	budget->insns = budget->insns ?: INSNS_PROCESSED_MAX;
	budget->memory = budget->memory ?: VERIFY_MEMORY;
	budget->time_ns = budget->time_ns ?: VERIFY_TIME_NS;
	walk->started = os_time_ns(CLOCK_THREAD_CPUTIME_ID);
}

static int check_size(struct walk *walk)
{
	u32 limit = walk->rules.may_loop ? INSNS_PROCESSED_MAX : INSNS_UNPRIVILEGED;

	if (!walk->insn_cnt || walk->insn_cnt > limit)
		return reject(walk, program_size, walk->insn_cnt, limit);
	return 0;
}

static int copy_program(struct walk *walk)
{
	const struct verify_input *input = walk->input;
	struct verified *out = walk->out;

	out->insn_cnt = walk->insn_cnt;
	out->type = input->type;
	out->attach_type = input->attach_type;
	out->flags = input->flags;
	out->insns = input->insns;
	out->facts = arena_array(&out->arena, input->insn_cnt, sizeof(*out->facts));
	walk->insns = out->insns;
	return out->facts ? 0 : -ENOMEM;
}

static int check_codes(struct walk *walk)
{
	int ret = insns_check_codes(walk->insns, walk->insn_cnt, walk->err);

	if (ret && walk->log)
		strbuf_addf(walk->log, "%s\n", walk->err->text);
	return ret;
}

/* How often an iterator's next function is called, or calls what orders a tree, is not known
 * ahead. */
static void mark_rounds(struct walk *walk)
{
	for (u32 i = 0; i < walk->cfg.call_cnt; i++) {
		u32 at = walk->cfg.calls[i];
		const struct kfunc *kfunc = insn_fact_kfunc(&walk->out->facts[at]);

		if (kfunc && kfunc->row &&
		    (kfunc_has_flag(kfunc, KF_ITER_NEXT) ||
		     kfunc->row->special == KFUNC_RBTREE_ADD))
			walk->cfg.flags[at] |= CFG_PRUNE_POINT | CFG_FORCE_CHECKPOINT;
	}
}

/* In the order of Linux's checks. */
static int find_structure(struct walk *walk)
{
	struct arena *arena = &walk->out->arena;
	int ret = btf_info_check_records(walk->input, walk->err);

	ret = ret ? ret : cfg_find_subprogs(walk->input, arena, &walk->cfg, walk->err);
	ret = ret ? ret : btf_info_check_subprogs(walk->input, &walk->cfg, arena, walk->err);
	ret = ret ? ret : check_codes(walk);
	ret = ret ? ret : resolve_operands(walk);
	ret = ret ? ret
		  : cfg_check_edges(&walk->cfg, walk->rules.may_loop, &walk->order, walk->log,
				    walk->err);
	mark_rounds(walk);
	ret = ret ? ret : fuel_find_rounds(walk);
	ret = ret ? ret : effects_compute(walk);
	ret = ret ? ret : attach_resolve(walk);
	walk->out->subprogs = walk->cfg.subprogs;
	walk->out->subprog_cnt = walk->cfg.subprog_cnt;
	return ret;
}

static int prepare(struct walk *walk)
{
	int ret = liveness_compute(&walk->cfg, walk->out->facts, !walk->rules.may_leak,
				   &walk->scratch, &walk->liveness);

	ret = ret ? ret : facts_init(walk);
	ret = ret ? ret : precision_init(walk);
	arena_done(&walk->order);
	ret = ret ? ret : global_init(walk);
	return ret ? ret : prune_init(walk);
}

/* The state at the program's entry: r1 is the context, or the arguments are those of the
 * function that is replaced. */
static int enter_program(struct walk *walk)
{
	if (walk->out->is_extension) {
		trace_function_starts(walk, 0);
		return global_enter(walk, 0);
	}
	walk->state.frame_cnt = 1;
	frame_init(&walk->state.frames[0], 0, 0, 0);
	reg_set_pointer(walk_reg(walk, BPF_REG_1), REG_CTX);
	walk->at = walk->next = 0;
	return attach_enter(walk);
}

static int check_stack(struct walk *walk)
{
	return cfg_check_stack_depth(&walk->cfg, walk->input, walk->err,
				     &walk->out->stack_depth);
}

static int run_stages(struct walk *walk)
{
	int ret = check_size(walk);

	ret = ret ? ret : copy_program(walk);
	ret = ret ? ret : find_structure(walk);
	ret = ret ? ret : prepare(walk);
	if (ret)
		return ret;
	ret = enter_program(walk);
	if (ret)
		return ret;
	trace_liveness(walk);
	ret = walk_program(walk);
	if (!ret)
		trace_program_ends(walk);
	ret = ret ? ret : global_walk_called(walk);
	ret = ret ? ret : check_stack(walk);
	ret = ret ? ret : facts_check_tail_calls(walk);
	if (!ret)
		facts_finish(walk);
	return ret;
}

struct walk *walk_new(const struct verify_input *input, struct skep_error *err)
{
	struct walk *walk = malloc(sizeof(*walk));

	if (!walk)
		return NULL;
	memset(walk, 0, offsetof(struct walk, memo));
	memset(&walk->state, 0, offsetof(struct state, frames));
	walk->input = input;
	walk->err = err;
	walk->insn_cnt = input->insn_cnt;
	walk->row = prog_row(input->type);
	walk->log_level = input->log_level;
	walk->log = input->log_level ? input->log : NULL;
	arena_init(&walk->scratch);
	arena_init(&walk->order);
	scalar_memo_init(&walk->memo);
	state_pool_init(&walk->pool);
	set_rules(walk);
	set_budget(walk);
	walk->out = calloc(1, sizeof(*walk->out));
	if (!walk->out) {
		free(walk);
		return NULL;
	}
	arena_init(&walk->out->arena);
	walk->failure.reason = REASONS;
	return walk;
}

int walk_run(struct walk *walk)
{
	return walk->row ? run_stages(walk) : reject(walk, program_type, walk->input->type);
}

void walk_free(struct walk *walk)
{
	path_done(walk);
	cycle_done(walk);
	arena_done(&walk->scratch);
	arena_done(&walk->order);
	state_pool_done(&walk->pool);
	free(walk);
}

/* One walk, to be freed by the caller. NULL: out of memory. *out: what came of it. */
static struct walk *verify_once(const struct verify_input *input, struct skep_error *err,
				bool is_patient, struct watch *watch, int *out)
{
	struct walk *walk;

	error_clear(err);
	walk = walk_new(input, err);
	if (!walk)
		return NULL;
	walk->is_patient = is_patient;
	*watch = (struct watch){0};
	if (input->explanation && !watch_count(watch, input->insn_cnt, &walk->scratch))
		walk->watch = watch;
	*out = walk_run(walk);
	return walk;
}

/* What was forgotten early may be what a rejected program needed. */
static struct walk *verify_with_patience(const struct verify_input *input,
					 struct skep_error *err, struct watch *watch, int *out)
{
	size_t log_start = input->log ? input->log->length : 0;
	struct walk *walk = verify_once(input, err, false, watch, out);

	if (!walk || !*out || !walk->forgets)
		return walk;
	verified_free(walk->out);
	walk_free(walk);
	if (input->log)
		strbuf_truncate(input->log, log_start);
	return verify_once(input, err, true, watch, out);
}

int verify_program(const struct verify_input *input, struct verified **out,
		   struct skep_error *err)
{
	u64 start = os_time_ns(CLOCK_MONOTONIC);
	struct skep_error unused;
	struct watch watch;
	struct walk *walk;
	int ret;

	if (!err)
		err = &unused;
	walk = verify_with_patience(input, err, &watch, &ret);
	if (!walk)
		return -ENOMEM;
	walk->stats.insns_processed = (u32)walk->insns_processed;
	walk->stats.time_ns = os_time_ns(CLOCK_MONOTONIC) - start;
	trace_stats(walk);
	walk->out->stats = walk->stats;
	if (ret)
		line_locate(input, err);
	if (input->explanation)
		*input->explanation = walk->watch ? explain_verdict(walk, ret) : NULL;
	if (ret)
		verified_free(walk->out);
	else
		*out = walk->out;
	walk_free(walk);
	return ret;
}

void verified_free(struct verified *verified)
{
	if (!verified)
		return;
	arena_done(&verified->arena);
	free(verified);
}
