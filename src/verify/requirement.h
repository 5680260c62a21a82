/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an instruction needs, as data. The prove_*() functions show each against the state; only
 * then may the instruction be carried out (transfer_*()). A rejection names the requirement
 * that could not be shown.
 */
#ifndef SKEP_VERIFY_REQUIREMENT_H
#define SKEP_VERIFY_REQUIREMENT_H

#include "base/types.h"
#include "catalog/helper.h"

#include <linux/filter.h>

enum requirement_kind {
	NEED_INITIALISED, /* reg holds a value */
	NEED_WRITABLE,	  /* reg is not the frame pointer */
	NEED_NUMBER, /* reg is no pointer, unless pointers may be shown to the program's user */
	NEED_MEMORY, /* `size` bytes at reg + off may be accessed as `access` says */
	NEED_ATOMIC, /* reg points to memory that allows atomic operations */
	NEED_OPERANDS,	    /* the operator takes operands of these kinds */
	NEED_COMPARABLE,    /* reg may be compared with the other operand */
	NEED_PACKET_LOAD,   /* LD_ABS or LD_IND is possible here */
	NEED_HELPER,	    /* the program may call this helper here */
	NEED_ARGUMENT,	    /* reg fits the helper's argument */
	NEED_AGREEMENT,	    /* the helper's arguments fit one another */
	NEED_CALLEE,	    /* the subprogram may be called here */
	NEED_FUNCTION_TYPE, /* the function whose address is taken has a type */
	NEED_RELEASED,	    /* no lock and no reference is held */
	NEED_RESULT,	    /* r0 is what the program may return */
};

enum access_kind {
	ACCESS_READ = 1,
	ACCESS_WRITE = 2,
	ACCESS_ATOMIC = ACCESS_READ | ACCESS_WRITE,
};

#define NO_REG 0xff /* no register: an immediate value, or bytes that are not one value */

struct requirement {
	u8 kind; /* enum requirement_kind */
	u8 reg;
	u8 access; /* enum access_kind */
	u8 size;   /* bytes of the access; 0: its extent is not fixed */
	u8 value;  /* register that is stored or loaded; NO_REG */
	s32 off;
	const struct helper_row *helper; /* NEED_HELPER, NEED_ARGUMENT, NEED_AGREEMENT */
};

/* The most that one instruction has: a helper call (helper, five arguments, agreement). */
#define REQUIREMENTS_MAX 8

/* What the instruction of a program of this type needs; their number. */
u32 requirements_of(const struct bpf_insn *insn, enum bpf_prog_type type,
		    struct requirement out[REQUIREMENTS_MAX]);

/* Bytes that a load or store of this instruction accesses. */
static inline u32 insn_access_size(const struct bpf_insn *insn)
{
	static const u8 sizes[] = {
		[BPF_B >> 3] = 1, [BPF_H >> 3] = 2, [BPF_W >> 3] = 4, [BPF_DW >> 3] = 8};

	return sizes[BPF_SIZE(insn->code) >> 3];
}

/* Its memory is behind `reg`; `value` is loaded or stored. */
static inline struct requirement insn_need_at(const struct bpf_insn *insn, u8 reg, u8 access,
					      u8 value)
{
	return (struct requirement){.kind = NEED_MEMORY,
				    .reg = reg,
				    .value = value,
				    .size = (u8)insn_access_size(insn),
				    .access = access,
				    .off = insn->off};
}

/* What a load or a plain store needs of the memory. */
static inline struct requirement insn_memory_need(const struct bpf_insn *insn)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LDX: return insn_need_at(insn, insn->src_reg, ACCESS_READ, insn->dst_reg);
	case BPF_STX: return insn_need_at(insn, insn->dst_reg, ACCESS_WRITE, insn->src_reg);
	default: return insn_need_at(insn, insn->dst_reg, ACCESS_WRITE, NO_REG);
	}
}

/* As text, for reports: "r1 + 4: 8 bytes that can be read". */
struct strbuf;
void requirement_print(const struct requirement *need, struct strbuf *out);

#endif
