/* SPDX-License-Identifier: BSD-2-Clause */
/* Any text: assembled, or refused with a place; what was assembled can be printed. */
#include "fuzz/fuzz.h"
#include "isa/isa.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct skep_error err;
	struct bpf_insn *insns;
	struct strbuf printed;
	u32 count;

	if (!text)
		return 0;
	if (insns_assemble(text, &insns, &count, &err)) {
		REQUIRE(*err.text && *err.where);
		free(text);
		return 0;
	}
	strbuf_init(&printed);
	for (u32 at = 0; at < count; at += insn_slots(&insns[at])) {
		REQUIRE(insn_op(&insns[at]) != INSN_INVALID);
		insn_print(insns, count, at, INSN_SYNTAX_LLVM, NULL, &printed);
	}
	strbuf_done(&printed);
	free(insns);
	free(text);
	return 0;
}
