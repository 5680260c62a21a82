/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/violation.h"
#include "verify/verify.h"

static const char *const mem_names[] = {
	[MEM_NONE] = "nothing",
	[MEM_STACK] = "the stack",
	[MEM_CTX] = "the context",
	[MEM_MAP_VALUE] = "a map value",
	[MEM_PACKET] = "the packet",
	[MEM_BUFFER] = "a buffer",
	[MEM_SOCK] = "a socket",
	[MEM_HELPER] = "memory of a helper",
	[MEM_BTF] = "a typed object",
	[MEM_KERNEL] = "a kernel's structure",
	[MEM_MIXED] = "any memory of the program",
};

static const char *const fact_names[] = {
	[REG_FACT_UNKNOWN] = "unknown",
	[REG_FACT_SCALAR] = "a number in its range",
	[REG_FACT_STACK] = "a stack pointer",
	[REG_FACT_CTX] = "a context pointer",
	[REG_FACT_MAP_VALUE] = "a pointer into a map value",
	[REG_FACT_PACKET] = "a packet pointer",
	[REG_FACT_OTHER] = "something else",
};

void violation_print(const struct run_violation *violation, struct strbuf *out)
{
	strbuf_addf(out, "instruction %u: ", violation->insn);
	switch (violation->kind) {
	case VIOLATION_NONE: strbuf_adds(out, "no violation"); break;
	case VIOLATION_ACCESS:
		strbuf_addf(out, "%s of %u bytes at 0x%llx is outside of %s",
			    violation->write ? "store" : "load", violation->size,
			    violation->value, mem_names[violation->fact]);
		break;
	case VIOLATION_REGISTER:
		strbuf_addf(out, "r%u is 0x%llx and should be %s", violation->reg,
			    violation->value, fact_names[violation->fact]);
		break;
	case VIOLATION_DEAD_CODE:
		strbuf_adds(out, "was reached, and should be dead code");
		break;
	case VIOLATION_BRANCH:
		strbuf_addf(out, "the jump was %staken", violation->value ? "" : "not ");
		break;
	case VIOLATION_CALL_DEPTH:
		strbuf_addf(out, "a call below %llu frames finds no stack", violation->value);
		break;
	case VIOLATION_TARGET: strbuf_adds(out, "control left the program"); break;
	case VIOLATION_MASK:
		strbuf_addf(out, "the offset %lld is beyond its mask", (s64)violation->value);
		break;
	case VIOLATION_ALIGNMENT:
		strbuf_addf(out, "atomic operation at the unaligned address 0x%llx",
			    violation->value);
		break;
	case VIOLATION_BUDGET: strbuf_adds(out, "the run did not end"); break;
	}
}
