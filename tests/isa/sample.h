/* SPDX-License-Identifier: BSD-2-Clause */
/* Encodings of a row of isa.def: one plain, and each field varied on its own. */
#ifndef SKEP_TESTS_ISA_SAMPLE_H
#define SKEP_TESTS_ISA_SAMPLE_H

#include "isa/isa.h"

#define SAMPLES_MAX 64

struct sample {
	struct bpf_insn insn[2];
};

/* Values that a field may hold; the first is the plain one. */
static inline u32 sample_values(const struct insn_field *field, s32 values[8])
{
	static const s32 by_kind[][8] = {
		[FIELD_ZERO] = {1, 0},
		[FIELD_ANY] = {1, 0},
		[FIELD_READ] = {3, 2, 1, 10},
		[FIELD_WRITE] = {3, 1, 0, 9},
		[FIELD_READ_WRITE] = {3, 1, 0, 9},
		[FIELD_DISPLACEMENT] = {5, -8, 0, 4, INT16_MAX, INT16_MIN},
		[FIELD_TARGET] = {4, 0, 5, -5, 300},
		[FIELD_VALUE] = {5, 0, 7, -3, INT32_MAX, INT32_MIN},
		[FIELD_WIDE] = {5, 0, 7, -3, INT32_MAX, INT32_MIN},
		[FIELD_SHIFT] = {3, 1, 0, 31},
		[FIELD_DIVISOR] = {3, 7, -1, INT32_MIN},
		[FIELD_SPACES] = {2, 1, 1 << 16},
	};

	if (field->kind == FIELD_SELECT) {
		values[0] = field->value;
		return 1;
	}
	for (s32 i = 0; i < by_kind[field->kind][0]; i++)
		values[i] = by_kind[field->kind][i + 1];
	return by_kind[field->kind][0];
}

static inline void sample_set(struct bpf_insn *insn, u32 field, s32 value)
{
	if (field == 0)
		insn->dst_reg = value;
	else if (field == 1)
		insn->src_reg = value;
	else if (field == 2)
		insn->off = value;
	else
		insn->imm = value;
}

static inline u32 samples(enum insn_op op, struct sample out[SAMPLES_MAX])
{
	const struct insn_desc *desc = insn_desc(op);
	const struct insn_field *fields[] = {&desc->dst, &desc->src, &desc->off, &desc->imm};
	struct sample plain = {.insn = {{.code = desc->code}}};
	u32 count = 1;
	s32 values[8];

	for (u32 field = 0; field < 4; field++) {
		sample_values(fields[field], values);
		sample_set(plain.insn, field, values[0]);
	}
	out[0] = plain;
	for (u32 field = 0; field < 4; field++)
		for (u32 i = 1; i < sample_values(fields[field], values); i++) {
			out[count] = plain;
			sample_set(out[count++].insn, field, values[i]);
		}
	if (desc->imm.kind == FIELD_WIDE)
		for (s32 upper = -1; upper <= 0x1234; upper += 0x1235) {
			out[count] = plain;
			out[count++].insn[1].imm = upper;
		}
	return count;
}

#endif
