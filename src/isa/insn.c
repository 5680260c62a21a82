/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of isa.def and the way from an encoding to its row. */
#include "isa/isa.h"

#define SAME	    NULL
#define FIELD_IS(v) FIELD_SELECT, v
#define FIELD(content)          \
	{                       \
		FIELD_##content \
	}

/* `ones` where the field is reserved. */
#define RESERVED(content, ones)		RESERVED_KIND(ones, FIELD_##content)
#define RESERVED_KIND(ones, ...)	RESERVED_FIRST(ones, __VA_ARGS__, 0)
#define RESERVED_FIRST(ones, kind, ...) ((kind) == FIELD_ZERO ? (ones) : 0)

#define HOLDS(kind, content)		HOLDS_KIND(kind, FIELD_##content)
#define HOLDS_KIND(kind, ...)		HOLDS_FIRST(kind, __VA_ARGS__, 0)
#define HOLDS_FIRST(kind, own, ...)	((own) == FIELD_##kind)
#define READS(content)			(HOLDS(READ, content) || HOLDS(READ_WRITE, content))
#define SELECTS(src, off, imm)		(HOLDS(SELECT, src) || HOLDS(SELECT, off) || HOLDS(SELECT, imm))
#define WRITES(content)			(HOLDS(WRITE, content) || HOLDS(READ_WRITE, content))

const struct insn_desc insn_table[INSN_OPS] = {
#define INSN(name, code, dst, src, off, imm, text, kernel_text)                              \
	[INSN_##name] = {#name,                                                              \
			 code,                                                               \
			 FIELD(dst),                                                         \
			 FIELD(src),                                                         \
			 FIELD(off),                                                         \
			 FIELD(imm),                                                         \
			 {0, RESERVED(dst, 15), RESERVED(src, 15), RESERVED(off, -1),        \
			  RESERVED(imm, -1)},                                                \
			 SELECTS(src, off, imm),                                             \
			 !SELECTS(src, off, imm) && (HOLDS(ZERO, imm) || HOLDS(VALUE, imm)), \
			 READS(dst) | READS(src) << 1,                                       \
			 WRITES(dst) | WRITES(src) << 1,                                     \
			 text,                                                               \
			 kernel_text},
#include "isa/isa.def"
#undef INSN
};

/*
 * The last row of each opcode byte: a later initialiser replaces an earlier one, which is what
 * the warning is about.
 */
#pragma GCC diagnostic push
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
const u8 insn_last_row[256] = {
#define INSN(name, code, ...) [code] = INSN_##name,
#include "isa/isa.def"
#undef INSN
};

#define IS_ATOMIC(code) (((code)&0xe7) == (BPF_STX | BPF_ATOMIC))
#define IS_LD(code)	(((code)&7) == BPF_LD)

const u8 insn_plain_regs[256] = {
#define INSN(name, code, dst, src, ...)         \
	[code] = IS_ATOMIC(code) || IS_LD(code) \
			 ? 0                    \
			 : READS(dst) | READS(src) << 1 | WRITES(dst) << 2 | WRITES(src) << 3,
#include "isa/isa.def"
#undef INSN
};
#pragma GCC diagnostic pop

_Static_assert(INSN_OPS <= 256, "insn_last_row holds row numbers in 8 bits");

static bool is_selected(const struct insn_field *field, s32 value)
{
	return field->kind != FIELD_SELECT || field->value == value;
}

enum insn_op insn_selected_op(const struct bpf_insn *insn)
{
	for (u32 op = insn_last_row[insn->code]; op && insn_table[op].code == insn->code; op--)
		if (is_selected(&insn_table[op].src, insn->src_reg) &&
		    is_selected(&insn_table[op].off, insn->off) &&
		    is_selected(&insn_table[op].imm, insn->imm))
			return op;
	return INSN_INVALID;
}

enum insn_op insn_code_op(u8 code)
{
	u32 op = insn_last_row[code];

	while (op > INSN_INVALID + 1 && insn_table[op - 1].code == code)
		op--;
	return op;
}
