/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz/difference.h"

#include "fuzz/log_steps.h"
#include "fuzz/verdict.h"
#include "isa/isa.h"
#include "verify/liveness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 256 /* that differ, at one instruction */

const char *verdict_class_text(enum verdict_class class)
{
	static const char *const texts[VERDICT_CLASSES] = {
#define CLASS(name, text) text,
#include "fuzz/verdicts.def"
#undef CLASS
	};

	return texts[class];
}

/* --- what both need --- */

static const struct bpf_insn *insn_of(const struct difference_input *input,
				      const struct log_step *step)
{
	return step->insn < input->count ? &input->insns[step->insn] : NULL;
}

/* The last step of a log, where its program was refused. */
static bool last_step(const char *log, struct log_step *out)
{
	struct log_steps steps = log_steps(log);
	bool found = false;

	while (log_step_next(&steps, out))
		found = true;
	return found;
}

static bool is_sum(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_ALU || class == BPF_ALU64) && BPF_SRC(insn->code) == BPF_X &&
	       (op == BPF_ADD || op == BPF_SUB);
}

static bool is_conditional(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_JA && op != BPF_CALL &&
	       op != BPF_EXIT && op != BPF_JCOND;
}

/* --- what is known of operands --- */

struct values {
	u64 hashes[VALUES_MAX];
	u32 count;
};

static bool values_have(const struct values *values, u64 hash)
{
	for (u32 i = 0; i < values->count; i++)
		if (values->hashes[i] == hash)
			return true;
	return false;
}

/* What a log knows of all that the step reads. */
static u64 operands_hash(const struct difference_input *input, const char *log,
			 const struct log_step *step)
{
	u64 hash = 0;

	for (u32 set = insn_reg_use(insn_of(input, step)).reads; set; set &= set - 1) {
		size_t length;
		const char *value = log_register(log, step->line, __builtin_ctz(set), &length);

		hash = hash * 31 + log_value_hash(value, length);
	}
	return hash;
}

/* The same of each time that a log comes by. */
static void note_operands(const struct difference_input *input, const char *log, u32 at,
			  bool with_speculation, struct values *out)
{
	struct log_steps steps = log_steps(log);
	struct log_step step;

	out->count = 0;
	while (log_step_next(&steps, &step) && out->count < VALUES_MAX) {
		u64 hash;

		if (step.insn != at || (step.is_speculative && !with_speculation))
			continue;
		hash = operands_hash(input, log, &step);
		if (!values_have(out, hash))
			out->hashes[out->count++] = hash;
	}
}

/* What is known of the operands of the refused step is never known to the other. */
static bool is_known_otherwise(const struct difference_input *input, const char *refused,
			       const char *accepted)
{
	static struct values known;
	struct log_step last;

	if (!last_step(refused, &last) || !insn_of(input, &last))
		return false;
	note_operands(input, accepted, last.insn, true, &known);
	return !values_have(&known, operands_hash(input, refused, &last));
}

/* --- masks --- */

static const char different_masks[] = "tried to add from different maps, paths or scalars";

/* Refused as two paths need two masks: the other has not seen all of these operands. */
static bool is_mask(const struct difference_input *input, const char *refused,
		    const char *accepted)
{
	static struct values seen, known;
	struct log_step last;

	if (!strstr(refused, different_masks) || !last_step(refused, &last) ||
	    !insn_of(input, &last) || !is_sum(insn_of(input, &last)))
		return false;
	note_operands(input, refused, last.insn, false, &seen);
	note_operands(input, accepted, last.insn, false, &known);
	for (u32 i = 0; i < seen.count; i++)
		if (!values_have(&known, seen.hashes[i]))
			return true;
	return false;
}

/* --- speculation --- */

/* The one that accepts came to the refused sum while it speculated, and put a barrier there,
 * before it came by any other way. */
static bool has_barrier_first(const struct difference_input *input, const struct log_step *last,
			      const char *accepted)
{
	struct log_steps steps = log_steps(accepted);
	struct log_step step;

	if (!is_sum(insn_of(input, last)))
		return false;
	while (log_step_next(&steps, &step))
		if (step.insn == last->insn)
			return step.is_speculative && step.is_last;
	return false;
}

/* Whether one of the steps that end a path of speculation is at `insn`. */
static bool ends_speculation(const char *log, u32 insn)
{
	struct log_steps steps = log_steps(log);
	struct log_step step;

	while (log_step_next(&steps, &step))
		if (step.insn == insn && step.is_speculative && step.is_last)
			return true;
	return false;
}

/* Refused for a loop that only speculation never leaves: to the other, speculation ended at an
 * instruction before. */
static bool speculates_on(const struct difference_input *input, const struct log_step *last,
			  const char *accepted)
{
	struct log_steps steps = log_steps(input->path);
	struct log_step step;

	if (!last->is_speculative || !strstr(input->path, "infinite loop detected"))
		return false;
	while (log_step_next(&steps, &step))
		if (ends_speculation(accepted, step.insn))
			return true;
	return false;
}

static enum verdict_class class_speculation(const struct difference_input *input,
					    const char *refused, const char *accepted)
{
	struct log_step last;

	if (is_mask(input, refused, accepted))
		return VERDICT_MASK;
	if (!last_step(refused, &last) || !insn_of(input, &last))
		return VERDICT_UNEXPLAINED;
	if (speculates_on(input, &last, accepted))
		return VERDICT_SPECULATION;
	return has_barrier_first(input, &last, accepted) ? VERDICT_BARRIER
							 : VERDICT_UNEXPLAINED;
}

/* --- slots that were compared as plain bytes --- */

/* A load of a part of a slot is refused where it holds a pointer; the other came by while the
 * slot was bytes of which nothing is known: "fp-8=mmmmmmmm". */
static bool reads_part(const struct difference_input *input, const char *refused,
		       const char *accepted)
{
	const struct bpf_insn *insn;
	struct log_step last;
	char slot[32];

	if (!strstr(input->path, "invalid size of register fill") ||
	    !last_step(refused, &last) || !insn_of(input, &last))
		return false;
	insn = insn_of(input, &last);
	if (BPF_CLASS(insn->code) != BPF_LDX || insn->src_reg != BPF_REG_10)
		return false;
	snprintf(slot, sizeof(slot), " fp-%u=m", (u32)round_up(-insn->off, 8));
	return strstr(accepted, slot);
}

/* --- only skep accepts --- */

static bool is_beyond_linux(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);
	bool is_shift = op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH;

	if (class != BPF_ALU && class != BPF_ALU64)
		return false;
	return op == BPF_DIV || op == BPF_MOD || op == BPF_END ||
	       (is_shift && BPF_SRC(insn->code) == BPF_X);
}

/* Linux walked over such an operation. */
static bool passes_beyond_linux(const struct difference_input *input)
{
	struct log_steps steps = log_steps(input->path);
	struct log_step step;

	while (log_step_next(&steps, &step))
		if (insn_of(input, &step) && is_beyond_linux(insn_of(input, &step)))
			return true;
	return false;
}

/* A call or an access that only Linux comes to: to skep, it needs no stack. */
static bool drops_stack(const struct difference_input *input)
{
	struct log_steps steps = log_steps(input->linux_log);
	struct log_step step;

	while (log_step_next(&steps, &step)) {
		const struct bpf_insn *insn = insn_of(input, &step);

		if (insn && !input->verified->facts[step.insn].visited &&
		    (insn->code == (BPF_JMP | BPF_CALL) || insn->dst_reg == BPF_REG_10 ||
		     insn->src_reg == BPF_REG_10))
			return true;
	}
	return false;
}

/* A load of a whole slot: a number to skep on every path, and a pointer to Linux. */
static bool fills_bytes(const struct difference_input *input)
{
	struct log_steps steps = log_steps(input->path);
	struct log_step step;

	while (input->regs && log_step_next(&steps, &step)) {
		const struct bpf_insn *insn = insn_of(input, &step);
		const char *end = step.line + step.length, *value;
		size_t length;

		if (!insn || insn->code != (BPF_LDX | BPF_MEM | BPF_DW) ||
		    input->verified->facts[step.insn].mem != MEM_STACK ||
		    step.insn + 1 >= input->count)
			continue;
		value = log_register(step.line, end, insn->dst_reg, &length);
		if (value && log_value_is_pointer(value, length) &&
		    input->regs[step.insn + 1][insn->dst_reg].kind == REG_FACT_SCALAR)
			return true;
	}
	return false;
}

/* How often skep came by the jump and went on only one way. */
static u32 decided_visits(const char *log, u32 jump)
{
	struct log_steps steps = log_steps(log);
	struct log_step step;
	u32 visits = 0, both = 0;
	char path[32];

	while (log_step_next(&steps, &step))
		visits += step.insn == jump;
	snprintf(path, sizeof(path), "\nfrom %u to ", jump);
	for (const char *at = strstr(log, path); at; at = strstr(at + 1, path))
		both++;
	return visits > both ? visits - both : 0;
}

/* Linux has gone round a loop in which skep, at some time, decides a branch. */
static bool ends_loop(const struct difference_input *input)
{
	static const char start[] = "infinite loop detected at insn ";
	const char *found = strstr(input->path, start), *round = input->path;
	struct log_steps steps = log_steps(input->path);
	struct log_step step;
	u32 head;

	if (!found)
		return false;
	head = (u32)strtoul(found + sizeof(start) - 1, NULL, 10);
	while (log_step_next(&steps, &step))
		if (step.insn == head)
			round = step.line;
	steps = log_steps(round);
	while (log_step_next(&steps, &step))
		if (insn_of(input, &step) && is_conditional(insn_of(input, &step)) &&
		    decided_visits(input->skep_log, step.insn))
			return true;
	return false;
}

/* "R5=scalar(id=2+1073741824,smin=...": a number has it, or had it before it became constant.
 */
static bool has_distance(const char *log, long long distance)
{
	static const char start[] = "=scalar(id=";
	char text[32];
	size_t length = (size_t)snprintf(text, sizeof(text), "%+lld", distance);

	while ((log = strstr(log, start))) {
		log += sizeof(start) - 1;
		log += strspn(log, "0123456789");
		if (!strncmp(log, text, length) && strspn(log + length, ",)"))
			return true;
	}
	return false;
}

/* "map_value pointer offset 1073741824 is not allowed": Linux takes the distance between linked
 * numbers for a pointer's offset. */
static bool is_distance(const struct difference_input *input)
{
	static const char start[] = " pointer offset ";
	const char *found = strstr(input->path, start);
	struct log_step last;

	return found && last_step(input->linux_log, &last) && is_sum(insn_of(input, &last)) &&
	       has_distance(input->linux_log, strtoll(found + sizeof(start) - 1, NULL, 10));
}

static enum verdict_class class_only_skep(const struct difference_input *input)
{
	const char *log = input->path;
	const struct insn_fact *facts = input->verified->facts;
	enum verdict_class class = class_speculation(input, input->linux_log, input->skep_log);
	struct log_step last;

	if (verdict_is_linux_bug(log))
		return VERDICT_BUG_OF_LINUX;
	if (last_step(input->linux_log, &last) && insn_of(input, &last) &&
	    !facts[last.insn].visited)
		return VERDICT_BRANCH; /* not even on a speculative path */
	if (class != VERDICT_UNEXPLAINED ||
	    (last_step(input->linux_log, &last) && last.is_speculative))
		return class;
	if (verdict_is_decided_branch(log, input->insns, facts, input->count) ||
	    (strstr(log, "combined stack size") && drops_stack(input)))
		return VERDICT_BRANCH;
	if (is_distance(input))
		return VERDICT_DISTANCE;
	if (strstr(log, "program is too large"))
		return VERDICT_SIZE;
	if (verdict_is_about_numbers(log) &&
	    is_known_otherwise(input, input->linux_log, input->skep_log))
		return VERDICT_NUMBERS;
	if (fills_bytes(input) || reads_part(input, input->linux_log, input->skep_log))
		return VERDICT_BYTES;
	if (ends_loop(input))
		return VERDICT_LOOP;
	return passes_beyond_linux(input) &&
			       is_known_otherwise(input, input->linux_log, input->skep_log)
		       ? VERDICT_ARITHMETIC
		       : VERDICT_UNEXPLAINED;
}

/* --- only Linux accepts --- */

/* "33: (16) if w0 == 0x0 goto pc+4 ; R0=map_value(...)", refused or not. */
static bool halves_pointer(const struct difference_input *input)
{
	static const char refused[] = "pointer comparison prohibited";
	struct log_steps steps = log_steps(input->path);
	struct log_step step;

	while (log_step_next(&steps, &step)) {
		const struct bpf_insn *insn = insn_of(input, &step);
		const char *value;
		size_t length;

		if (!insn || BPF_CLASS(insn->code) != BPF_JMP32 || !is_conditional(insn))
			continue;
		value = log_register(input->path, step.line + step.length, insn->dst_reg,
				     &length);
		if (strstr(step.line, refused) ||
		    (value && log_value_is_pointer(value, length)))
			return true;
	}
	return false;
}

/* "invalid read from stack R2 off -8+2 size 4" */
static bool reads_half_slot(const char *log)
{
	static const char start[] = "invalid read from stack R";
	const char *found = strstr(log, start);

	return found && !strncmp(found + sizeof(start), " off -", 6);
}

/* Whether Linux, too, refuses the instruction `at` once `place` is another one. */
static bool refuses_then(const struct difference_input *input, u32 place,
			 struct bpf_insn instead, u32 at)
{
	const char *log = input->ask_linux(input->cookie, place, instead);
	struct log_step last;

	return log && last_step(log, &last) && last.insn == at;
}

/* A load of what the instruction at `at` reads and writes, or only writes. */
static struct bpf_insn load_instead(const struct bpf_insn *insn, u8 to)
{
	return (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_SIZE(insn->code),
				 .dst_reg = to,
				 .src_reg = insn->dst_reg,
				 .off = insn->off};
}

static bool fetches(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC &&
	       insn->imm & BPF_FETCH;
}

/* A number that an atomic operation took from the stack: where a plain load takes it, Linux
 * follows it, too. */
static bool follows_atomic(const struct difference_input *input, const struct log_step *last)
{
	struct log_steps steps = log_steps(input->path);
	struct log_step step;

	while (log_step_next(&steps, &step)) {
		const struct bpf_insn *insn = insn_of(input, &step);

		if (insn && fetches(insn) &&
		    refuses_then(input, step.insn,
				 load_instead(insn, insn->imm == BPF_CMPXCHG ? BPF_REG_0
									     : insn->src_reg),
				 last->insn))
			return true;
	}
	return false;
}

/* A pointer that a narrow store overwrites: where a load reads it, Linux follows it, too. */
static bool overwrites_dead(const struct difference_input *input, const struct log_step *last)
{
	return strstr(input->path, "attempt to corrupt spilled pointer") &&
	       refuses_then(input, last->insn, load_instead(insn_of(input, last), BPF_REG_0),
			    last->insn);
}

static enum verdict_class class_only_linux(const struct difference_input *input)
{
	enum verdict_class class = class_speculation(input, input->skep_log, input->linux_log);
	const char *log = input->path;
	struct log_step last;

	if (class != VERDICT_UNEXPLAINED)
		return class;
	if (reads_half_slot(log))
		return VERDICT_HALF_SLOT;
	if (strstr(log, "type=scalar expected=fp\nCaller passes invalid args"))
		return VERDICT_NULL_ARGUMENT;
	if (!last_step(input->skep_log, &last) || !insn_of(input, &last))
		return VERDICT_UNEXPLAINED;
	if (halves_pointer(input))
		return VERDICT_HALF_POINTER;
	if (reads_part(input, input->skep_log, input->linux_log))
		return VERDICT_BYTES;
	if (overwrites_dead(input, &last))
		return VERDICT_DEAD_POINTER;
	if (follows_atomic(input, &last))
		return VERDICT_STACK_ATOMIC;
	return VERDICT_UNEXPLAINED;
}

enum verdict_class difference_class(const struct difference_input *input)
{
	return input->verified ? class_only_skep(input) : class_only_linux(input);
}
