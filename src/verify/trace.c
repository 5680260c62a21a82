/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/trace.h"

#include "catalog/host.h"
#include "isa/isa.h"
#include "verify/kfunc.h"
#include "verify/line.h"
#include "verify/state_print.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns: what an instruction changed stands behind it from COLUMN on, in steps of STEP. */
#define COLUMN	   40
#define STEP	   8
#define LEAST_ROOM 4

static void print_frame(struct walk *walk, u32 frame, u16 regs, u64 slots)
{
	frame_print(&walk->state, frame, regs, slots, walk->log);
	strbuf_addc(walk->log, '\n');
}

static void print_top(struct walk *walk, u16 regs, u64 slots)
{
	print_frame(walk, walk->state.frame_cnt - 1, regs, slots);
}

/* For what an instruction does not say itself. */
struct insn_context {
	const struct walk *walk;
	struct strbuf name;
};

static const struct insn_fact *fact_of(const struct walk *walk, const struct bpf_insn *insn)
{
	return &walk->out->facts[insn - walk->insns];
}

static const char *callee_name(void *cookie, const struct bpf_insn *insn)
{
	struct insn_context *context = cookie;
	const struct helper_row *row = helper_row((u32)insn->imm);

	if (insn_is_kfunc_call(insn)) {
		const struct kfunc *kfunc = insn_fact_kfunc(fact_of(context->walk, insn));

		return kfunc ? kfunc->name : NULL;
	}
	if (!row)
		return NULL;
	strbuf_clear(&context->name);
	strbuf_addf(&context->name, "bpf_%s", row->name);
	return strbuf_text(&context->name);
}

/* Addresses are for those who may see them. */
static u64 resolved_imm(void *cookie, const struct bpf_insn *insn)
{
	const struct insn_context *context = cookie;
	u64 imm = insn_fact_imm64(fact_of(context->walk, insn));

	return !insn->src_reg || context->walk->rules.may_leak ? imm : 0;
}

static void print_insn(struct walk *walk, u32 at)
{
	struct insn_context context = {.walk = walk};
	struct insn_names names = {
		.cookie = &context, .callee = callee_name, .wide_imm = resolved_imm};

	strbuf_init(&context.name);
	insn_print(walk->insns, walk->insn_cnt, at, INSN_SYNTAX_KERNEL, &names, walk->log);
	strbuf_done(&context.name);
}

/* --- what the last instruction changed --- */

static u16 touched_regs(const struct bpf_insn *insn)
{
	struct reg_use use = insn_reg_use(insn);
	u16 regs = use.reads | use.writes;
	u8 class = BPF_CLASS(insn->code);
	bool has_src = class == BPF_LDX || class == BPF_STX ||
		       (class != BPF_LD && class != BPF_ST && BPF_SRC(insn->code) == BPF_X);

	if (has_src && insn->src_reg == BPF_REG_10)
		regs |= 1u << BPF_REG_10;
	if ((class == BPF_ST || class == BPF_STX) && insn->dst_reg == BPF_REG_10)
		regs |= 1u << BPF_REG_10;
	return regs;
}

static u64 touched_slots(const struct walk *walk, const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code);
	const struct access *access = &walk->access;
	u64 slots = 0;

	if ((class != BPF_LDX && class != BPF_ST && class != BPF_STX) ||
	    access->object != REG_STACK || access->frame != walk->state.frame_cnt - 1)
		return 0;
	for (s64 at = access->low; at < access->high + access->size; at++) {
		if (at < 0 && at >= -STACK_BYTES)
			slots |= 1ull << ((-at - 1) / SLOT_BYTES);
	}
	return slots;
}

/* Behind the instruction if it is still the last line, else on a line of its own. */
static void print_changes(struct walk *walk)
{
	const struct bpf_insn *insn = &walk->insns[walk->trace.insn];
	size_t room = round_up(max(walk->trace.line_length + LEAST_ROOM, (size_t)COLUMN), STEP);

	if (walk->trace.line_end == walk->log->length) {
		strbuf_truncate(walk->log, walk->log->length - 1);
		strbuf_addf(walk->log, "%*c;", (int)(room - walk->trace.line_length - 1), ' ');
	} else {
		strbuf_addf(walk->log, "%u:", walk->at);
	}
	print_top(walk, touched_regs(insn), touched_slots(walk, insn));
}

/* --- calls --- */

static void print_call(struct walk *walk)
{
	u32 callee = walk->state.frame_cnt - 1;

	strbuf_adds(walk->log, "caller:\n");
	print_frame(walk, callee - 1, PRINT_ALL_REGS, PRINT_ALL_SLOTS);
	strbuf_adds(walk->log, "callee:\n");
	print_frame(walk, callee, PRINT_ALL_REGS, PRINT_ALL_SLOTS);
	strbuf_addf(walk->log, "%u:", walk->at);
	print_frame(walk, callee, PRINT_ALL_REGS, PRINT_ALL_SLOTS);
}

static void print_return(struct walk *walk)
{
	strbuf_addf(walk->log, "to caller at %u:\n", walk->at);
	print_top(walk, PRINT_ALL_REGS, PRINT_ALL_SLOTS);
	strbuf_addf(walk->log, "\nfrom %u to %u:", walk->trace.insn, walk->at);
	print_top(walk, PRINT_ALL_REGS, PRINT_ALL_SLOTS);
}

static void print_before(struct walk *walk)
{
	struct trace *trace = &walk->trace;
	u32 frame_cnt = walk->state.frame_cnt;

	if (!trace->frame_cnt) {
		strbuf_addf(walk->log, "%u:", walk->at);
		print_top(walk, PRINT_ALL_REGS, PRINT_ALL_SLOTS);
	} else if (frame_cnt > trace->frame_cnt) {
		print_call(walk);
	} else if (frame_cnt < trace->frame_cnt) {
		print_return(walk);
	} else if (!trace->is_told && touched_regs(&walk->insns[trace->insn])) {
		print_changes(walk);
	}
}

/* The source line, as Linux prints it, when it is another than before. */
static void print_line(struct walk *walk)
{
	struct trace *trace = &walk->trace;
	struct source_line line;
	const char *slash;

	if (!line_find(walk->input, walk->at, &line) ||
	    (line.file == trace->file && line.number == trace->line_number))
		return;
	slash = strrchr(line.file, '/');
	strbuf_addf(walk->log, "; %s @ %s:%u\n", line.text, slash ? slash + 1 : line.file,
		    line.number);
	trace->file = line.file;
	trace->line_number = line.number;
}

void trace_source(struct walk *walk)
{
	if (trace_is_on(walk))
		print_line(walk);
}

void trace_insn(struct walk *walk)
{
	struct trace *trace = &walk->trace;

	print_before(walk);
	print_line(walk);
	trace->line_length = walk->log->length;
	strbuf_addf(walk->log, "%u: ", walk->at);
	print_insn(walk, walk->at);
	strbuf_addc(walk->log, '\n');
	trace->line_length = walk->log->length - trace->line_length;
	trace->line_end = walk->log->length;
	trace->insn = walk->at;
	trace->is_told = false;
	trace->frame_cnt = walk->state.frame_cnt;
	if (walk_insn(walk)->code != (BPF_JMP | BPF_EXIT) || trace->frame_cnt == 1)
		return;
	strbuf_adds(walk->log, "returning from callee:\n");
	print_top(walk, PRINT_ALL_REGS, PRINT_ALL_SLOTS);
}

void trace_branch(struct walk *walk)
{
	if (!trace_is_on(walk))
		return;
	print_changes(walk);
	walk->trace.is_told = true;
}

/* --- paths --- */

void trace_drop_path(struct walk *walk, const struct pending *pending)
{
	if (walk->log && !(walk->log_level & VERIFY_LOG_STATES))
		strbuf_truncate(walk->log, pending->log_length);
}

void trace_resume(struct walk *walk)
{
	walk->trace.frame_cnt = 0;
	if (!walk->log || !(walk->log_level & VERIFY_LOG_STATES))
		return;
	strbuf_addf(walk->log, "\nfrom %u to %u%s:", walk->prev, walk->next,
		    walk->state.is_speculative ? " (speculative execution)" : "");
	print_top(walk, PRINT_ALL_REGS, PRINT_ALL_SLOTS);
}

void trace_same_again(struct walk *walk, const struct packed_state *before)
{
	struct state *old;

	if (!walk->log)
		return;
	old = malloc(sizeof(*old));
	if (!old)
		return;
	state_unpack(before, old);
	strbuf_adds(walk->log, "cur state:");
	print_top(walk, PRINT_ALL_REGS, PRINT_ALL_SLOTS);
	strbuf_adds(walk->log, "old state:");
	frame_print(old, old->frame_cnt - 1, PRINT_ALL_REGS, PRINT_ALL_SLOTS, walk->log);
	strbuf_addc(walk->log, '\n');
	free(old);
}

void trace_pruned(struct walk *walk)
{
	if (trace_is_on(walk))
		strbuf_addf(walk->log, "%u: safe\n", walk->at);
}

/* Only the log with all states keeps what was accepted. */
static void drop_accepted(struct walk *walk)
{
	if (walk->log && !(walk->log_level & VERIFY_LOG_STATES))
		strbuf_clear(walk->log);
}

void trace_program_ends(struct walk *walk)
{
	drop_accepted(walk);
}

void trace_function_starts(struct walk *walk, u32 subprog)
{
	drop_accepted(walk);
	walk->trace.frame_cnt = 0;
	if (walk->log)
		strbuf_addf(walk->log, "Validating %s() func#%u...\n",
			    walk->cfg.subprogs[subprog].name, subprog);
}

void trace_function_ends(struct walk *walk, u32 subprog)
{
	drop_accepted(walk);
	if (trace_is_on(walk))
		strbuf_addf(walk->log,
			    "Func#%u ('%s') is safe for any args that match its prototype\n",
			    subprog, walk->cfg.subprogs[subprog].name);
}

/* Of each function's own frame. */
static void print_depths(struct walk *walk)
{
	strbuf_adds(walk->log, "stack depth ");
	for (u32 i = 0; i < walk->cfg.subprog_cnt; i++)
		strbuf_addf(walk->log, "%s%u", i ? "+" : "", walk->cfg.subprogs[i].stack_depth);
	strbuf_addc(walk->log, '\n');
}

/* Registers that may still be read: "0: .1........ (61) r2 = ...". */
void trace_liveness(struct walk *walk)
{
	if (!walk->log || !(walk->log_level & VERIFY_LOG_STATES))
		return;
	strbuf_adds(walk->log, "Live regs before insn:\n");
	for (u32 at = 0; at < walk->insn_cnt; at++) {
		strbuf_addf(walk->log, "%7u: ", at);
		for (u32 reg = 0; reg < FRAME_REG; reg++)
			strbuf_addc(walk->log, walk->liveness.regs[at] >> reg & 1
						       ? (char)('0' + reg)
						       : '.');
		strbuf_addc(walk->log, ' ');
		print_insn(walk, at);
		strbuf_addc(walk->log, '\n');
		at += insn_is_wide(&walk->insns[at]);
	}
}

void trace_note(struct walk *walk, const char *format, ...)
{
	char line[SKEP_ERROR_TEXT];
	va_list args;

	if (!walk->log)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	strbuf_addf(walk->log, "%s\n", line);
}

void trace_stats(struct walk *walk)
{
	const struct verify_stats *stats = &walk->stats;

	if (!walk->log)
		return;
	if (walk->log_level & VERIFY_LOG_STATS) {
		strbuf_addf(walk->log, "verification time %llu usec\n", stats->time_ns / 1000);
		print_depths(walk);
	}
	strbuf_addf(walk->log,
		    "processed %u insns (limit %d) max_states_per_insn %u total_states %u "
		    "peak_states %u mark_read %u\n",
		    stats->insns_processed, INSNS_PROCESSED_MAX, stats->max_states_per_insn,
		    stats->total_states, stats->peak_states, stats->mark_read);
}
