/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz/verdict.h"

#include "base/types.h"

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
