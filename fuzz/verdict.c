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
		"invalid unbounded variable-offset",
		"invalid variable-offset",
		"variable stack access prohibited",
		"unknown scalar value should have been in",
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
