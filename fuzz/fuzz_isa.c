/* SPDX-License-Identifier: BSD-2-Clause */
/* Any instructions: printing never fails, and well-formed ones survive print and assemble. */
#include "fuzz/fuzz.h"
#include "isa/isa.h"

#include <string.h>

#define INSNS_MAX 64

static void print_each(const struct bpf_insn *insns, u32 count, enum insn_syntax syntax)
{
	struct strbuf text;

	strbuf_init(&text);
	for (u32 at = 0; at < count; at++)
		insn_print(insns, count, at, syntax, NULL, &text);
	strbuf_done(&text);
}

/* Fields that nobody looks at are not in the text. */
static void clear_ignored(struct bpf_insn *insns, u32 count)
{
	for (u32 at = 0; at < count; at += insn_slots(&insns[at]))
		if (insn_desc(insn_op(&insns[at]))->off.kind == FIELD_ANY)
			insns[at].off = 0;
}

static void assemble_again(const struct bpf_insn *insns, u32 count)
{
	struct bpf_insn *again;
	struct strbuf text;
	u32 again_count;

	strbuf_init(&text);
	for (u32 at = 0; at < count; at += insn_slots(&insns[at])) {
		insn_print(insns, count, at, INSN_SYNTAX_LLVM, NULL, &text);
		strbuf_addc(&text, '\n');
	}
	REQUIRE(insns_assemble(strbuf_text(&text), &again, &again_count, NULL) == 0);
	REQUIRE(again_count == count);
	REQUIRE(!count || !memcmp(again, insns, count * sizeof(*insns)));
	free(again);
	strbuf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bpf_insn insns[INSNS_MAX];
	u32 count = min(size / sizeof(*insns), (size_t)INSNS_MAX);
	struct skep_error err;

	if (count)
		memcpy(insns, data, count * sizeof(*insns));
	print_each(insns, count, INSN_SYNTAX_LLVM);
	print_each(insns, count, INSN_SYNTAX_KERNEL);
	if (insns_check(insns, count, &err)) {
		REQUIRE(err.insn >= 0 && (u32)err.insn < count && *err.text);
		return 0;
	}
	clear_ignored(insns, count);
	assemble_again(insns, count);
	return 0;
}
