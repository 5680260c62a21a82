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
#define WRITES(content)			(HOLDS(WRITE, content) || HOLDS(READ_WRITE, content))

static const struct insn_desc table[INSN_OPS] = {
#define INSN(name, code, dst, src, off, imm, text, kernel_text)                          \
	[INSN_##name] = {#name,                                                          \
			 code,                                                           \
			 FIELD(dst),                                                     \
			 FIELD(src),                                                     \
			 FIELD(off),                                                     \
			 FIELD(imm),                                                     \
			 {0, RESERVED(dst, 15), RESERVED(src, 15), RESERVED(off, -1),    \
			  RESERVED(imm, -1)},                                            \
			 HOLDS(SELECT, src) || HOLDS(SELECT, off) || HOLDS(SELECT, imm), \
			 READS(dst) | READS(src) << 1,                                   \
			 WRITES(dst) | WRITES(src) << 1,                                 \
			 text,                                                           \
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
static const u8 last_row[256] = {
#define INSN(name, code, ...) [code] = INSN_##name,
#include "isa/isa.def"
#undef INSN
};
#pragma GCC diagnostic pop

_Static_assert(INSN_OPS <= 256, "last_row holds row numbers in 8 bits");

static bool is_selected(const struct insn_field *field, s32 value)
{
	return field->kind != FIELD_SELECT || field->value == value;
}

enum insn_op insn_op(const struct bpf_insn *insn)
{
	u32 op = last_row[insn->code];

	if (!table[op].selects)
		return op;
	for (; op && table[op].code == insn->code; op--)
		if (is_selected(&table[op].src, insn->src_reg) &&
		    is_selected(&table[op].off, insn->off) &&
		    is_selected(&table[op].imm, insn->imm))
			return op;
	return INSN_INVALID;
}

bool insn_code_is_known(u8 code)
{
	return last_row[code];
}

enum insn_op insn_code_op(u8 code)
{
	u32 op = last_row[code];

	while (op > INSN_INVALID + 1 && table[op - 1].code == code)
		op--;
	return op;
}

const struct insn_desc *insn_desc(enum insn_op op)
{
	return &table[op];
}
