/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz/verdict.h"

#include "base/types.h"
#include "isa/isa.h"

#include <stdlib.h>
#include <string.h>

struct verdict_line verdict_line(const char *log)
{
	const char *end = strstr(log, "\nprocessed "), *start = end;

	while (start && start > log && start[-1] != '\n')
		start--;
	return (struct verdict_line){start ?: "", (int)(end - start)};
}

bool verdict_is_about_numbers(const char *log)
{
	static const char *const reasons[] = {
		"outside of the allowed memory range",
		"unbounded memory access",
		"min value is negative",
		"unbounded min value",
		"invalid access to",
		"misaligned",
		"zero-sized read",
		"program is too large", /* its pruning is another */
		"pointer offset",	/* the distance between linked numbers, to Linux */
		"invalid unbounded variable-offset",
		"invalid variable-offset",
		"invalid write to stack R",
		"invalid read from stack R",
	};

	for (u32 i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (strstr(log, reasons[i]))
			return true;
	}
	return false;
}

bool verdict_is_linux_bug(const char *log)
{
	return strstr(log, "verifier bug: ");
}

bool insn_compares_with_itself(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && BPF_SRC(insn->code) == BPF_X &&
	       insn->dst_reg == insn->src_reg;
}

/* --- the path that a log follows --- */

/* "12: (b7) r1 = 0": the instruction's number; NO_INSN: the line is about something else. */
#define NO_INSN UINT32_MAX

static u32 insn_of(const char *line)
{
	char *end;
	unsigned long insn = strtoul(line, &end, 10);

	return end > line && !strncmp(end, ": (", 3) ? (u32)insn : NO_INSN;
}

bool verdict_is_decided_branch(const char *log, const struct bpf_insn *insns,
			       const struct insn_fact *facts, u32 count)
{
	u32 last = NO_INSN;

	if (strstr(log, "speculative execution"))
		return false;
	for (; *log; log += strcspn(log, "\n"), log += *log != '\0') {
		u32 insn = insn_of(log), jump = last;

		if (insn >= count)
			continue;
		last = insn;
		if (jump == NO_INSN)
			continue;
		if ((facts[jump].always_taken && insn == jump + 1 && insns[jump].off) ||
		    (facts[jump].never_taken && insn != jump + 1))
			return true;
	}
	return last != NO_INSN && !facts[last].visited;
}

/* --- classes --- */

static const char different_masks[] = "tried to add from different maps, paths or scalars";

const char *verdict_class_text(enum verdict_class class)
{
	static const char *const texts[VERDICT_CLASSES] = {
#define CLASS(name, text) text,
#include "fuzz/verdicts.def"
#undef CLASS
	};

	return texts[class];
}

static bool is_beyond_linux(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);
	bool is_shift = op == BPF_LSH || op == BPF_RSH || op == BPF_ARSH;

	if (class != BPF_ALU && class != BPF_ALU64)
		return false;
	return op == BPF_DIV || op == BPF_MOD || op == BPF_END ||
	       (is_shift && BPF_SRC(insn->code) == BPF_X);
}

/* A call that skep never comes to: it needs no stack. */
static bool drops_call(const struct bpf_insn *insns, const struct insn_fact *facts, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) &&
		    insns[i].src_reg == BPF_PSEUDO_CALL && !facts[i].visited)
			return true;
	return false;
}

enum verdict_class verdict_class_only_skep(const char *log, const struct bpf_insn *insns,
					   const struct insn_fact *facts, u32 count)
{
	bool is_beyond = false;

	for (u32 i = 0; i < count; i++)
		is_beyond |= is_beyond_linux(&insns[i]);
	if (verdict_is_linux_bug(log))
		return VERDICT_BUG_OF_LINUX;
	if (verdict_is_decided_branch(log, insns, facts, count) ||
	    (strstr(log, "combined stack size") && drops_call(insns, facts, count)))
		return VERDICT_BRANCH;
	if (strstr(log, different_masks))
		return VERDICT_MASK;
	if (verdict_is_about_numbers(log))
		return VERDICT_NUMBERS;
	return is_beyond ? VERDICT_ARITHMETIC : VERDICT_UNEXPLAINED;
}

/* "33: (16) if w0 == 0x0 goto pc+4 ; R0=map_value(...)" */
static bool halves_pointer(const char *line, size_t length)
{
	static const char start[] = ") if w", refused[] = "pointer comparison prohibited";
	const char *jump = memmem(line, length, start, sizeof(start) - 1);
	const char *next = line + length + (line[length] != '\0');
	char known[] = " R?=";

	if (!jump)
		return false;
	if (memmem(next, strcspn(next, "\n"), refused, sizeof(refused) - 1))
		return true;
	jump += sizeof(start) - 1;
	known[2] = *jump;
	jump = memmem(jump, length - (size_t)(jump - line), known, sizeof(known) - 1);
	jump = jump ? jump + sizeof(known) - 1 : "";
	return *jump >= 'a' && *jump <= 'z' && strncmp(jump, "scalar", 6);
}

/* "62: (db) r0 = atomic64_cmpxchg((u64 *)(r10 -24), r0, r3) ; R0=..." */
static bool fetches_from_stack(const char *line, size_t length)
{
	static const char start[] = " = atomic", frame[] = "*)(r10 ";

	return memmem(line, length, start, sizeof(start) - 1) &&
	       memmem(line, length, frame, sizeof(frame) - 1);
}

/* "invalid read from stack R2 off -8+2 size 4" */
static bool reads_half_slot(const char *log)
{
	static const char start[] = "invalid read from stack R";
	const char *found = strstr(log, start);

	return found && !strncmp(found + sizeof(start), " off -", 6);
}

enum verdict_class verdict_class_only_linux(const char *log)
{
	if (strstr(log, different_masks))
		return VERDICT_MASK;
	if (reads_half_slot(log))
		return VERDICT_HALF_SLOT;
	if (strstr(log, "type=scalar expected=fp\nCaller passes invalid args"))
		return VERDICT_NULL_ARGUMENT;
	while (*log) {
		size_t length = strcspn(log, "\n");

		if (halves_pointer(log, length))
			return VERDICT_HALF_POINTER;
		if (insn_of(log) != NO_INSN && fetches_from_stack(log, length))
			return VERDICT_STACK_ATOMIC;
		log += length + (log[length] != '\0');
	}
	return VERDICT_UNEXPLAINED;
}
