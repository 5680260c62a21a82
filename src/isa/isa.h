/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction: the table of all (isa.def), exact well-formedness, text in both directions.
 * Says nothing about what a program may do with it: that is src/verify.
 */
#ifndef SKEP_ISA_ISA_H
#define SKEP_ISA_ISA_H

#include "base/strbuf.h"
#include "base/types.h"
#include "isa/uapi.h"
#include <linux/filter.h>
#include <skep/error.h>
#include <string.h>

/* One enumerator INSN_NAME per row of isa.def; INSN_INVALID = 0. */
enum insn_op {
	INSN_INVALID,
#define INSN(name, ...) INSN_##name,
#include "isa/isa.def"
#undef INSN
	INSN_OPS,
};

/* What a field of an instruction holds. */
enum field_kind {
	FIELD_ZERO,	    /* reserved */
	FIELD_ANY,	    /* reserved, and Linux does not look at it */
	FIELD_SELECT,	    /* part of the opcode: the row's value */
	FIELD_READ,	    /* a register, read */
	FIELD_WRITE,	    /* ... written */
	FIELD_READ_WRITE,   /* ... both */
	FIELD_DISPLACEMENT, /* added to the address */
	FIELD_TARGET,	    /* jump or call, counted from the next instruction */
	FIELD_VALUE,	    /* any number */
	FIELD_WIDE,	    /* lower half; the upper is the imm of the second slot */
	FIELD_SHIFT,	    /* 0 .. width - 1 */
	FIELD_DIVISOR,	    /* not 0 */
	FIELD_SPACES,	    /* of addr_space_cast: from << 16 | to, 1 and 0 or 0 and 1 */
};

struct insn_field {
	u8 kind;   /* enum field_kind */
	s32 value; /* FIELD_SELECT */
};

/* A row of isa.def. */
struct insn_desc {
	const char *name;
	u8 code;
	struct insn_field dst, src, off, imm;
	struct bpf_insn reserved; /* all bits of the fields that must be 0 */
	bool selects;		  /* a field is FIELD_SELECT */
	bool is_plain;		  /* none is, and any imm is good that is not reserved */
	/* Which registers it names as operands: 1 dst, 2 src. Others that it uses are not here.
	 */
	u8 reads, writes;
	const char *text, *kernel_text; /* NULL kernel_text: as text */
};

extern const struct insn_desc insn_table[INSN_OPS]; /* empty for INSN_INVALID */
/* The last row of each opcode byte, INSN_INVALID when no row has it. */
extern const u8 insn_last_row[256];

/*
 * The registers that an instruction uses, by its opcode byte: reads dst 1, src 2; writes dst 4,
 * src 8. 0: it uses none, others than those that it names, or that depends on its row.
 */
extern const u8 insn_plain_regs[256];

/* Of a row that is selected by other fields than the opcode byte: that one, or an earlier. */
enum insn_op insn_selected_op(const struct bpf_insn *insn);

/*
 * The row that this encoding belongs to, INSN_INVALID when none. Fields that choose the row
 * (FIELD_SELECT) are looked at, reserved ones are not.
 */
static inline enum insn_op insn_op(const struct bpf_insn *insn)
{
	enum insn_op op = insn_last_row[insn->code];

	return insn_table[op].selects ? insn_selected_op(insn) : op;
}

/* The first row of the opcode byte, INSN_INVALID when no row has it. */
enum insn_op insn_code_op(u8 code);

/* Some row has the opcode byte. */
static inline bool insn_code_is_known(u8 code)
{
	return insn_last_row[code];
}

static inline const struct insn_desc *insn_desc(enum insn_op op)
{
	return &insn_table[op];
}

/*
 * Linux 6.18 checks the form of a program at three moments, and so does skep. All return 0 or
 * -EINVAL with `err`: the instruction and Linux's wording.
 *
 * insns_check_codes() is made of every instruction, reached or not, after the jumps and before
 * anything is walked: the opcode byte is known, loads have imm 0, ld_imm64 has both slots and a
 * known source.
 *
 * insn_check() is made of an instruction when the verifier walks over it, so never of dead
 * code: all other reserved fields, registers in range, shift counts, constant divisors, the
 * operation of atomics. That r10 is only read, and what depends on the program (its type, its
 * arena), is the verifier's.
 *
 * insns_check() makes both of every instruction, for those who run without a verifier.
 */
int insns_check_codes(const struct bpf_insn *insns, u32 count, struct skep_error *err);
int insn_check_fully(const struct bpf_insn *insn, u32 at, struct skep_error *err);
int insns_check(const struct bpf_insn *insns, u32 count, struct skep_error *err);

/* All bits that must be 0 are. */
static inline bool insn_reserved_is_clear(const struct insn_desc *desc,
					  const struct bpf_insn *insn)
{
	u64 word, reserved;

	memcpy(&word, insn, sizeof(word));
	memcpy(&reserved, &desc->reserved, sizeof(reserved));
	return !(word & reserved);
}

/* Nothing but reserved fields and registers could be wrong, and they are right. */
static inline bool insn_is_plain(const struct bpf_insn *insn)
{
	const struct insn_desc *desc = &insn_table[insn_last_row[insn->code]];

	return desc->is_plain && insn->dst_reg < MAX_BPF_REG && insn->src_reg < MAX_BPF_REG &&
	       insn_reserved_is_clear(desc, insn);
}

static inline int insn_check(const struct bpf_insn *insn, u32 at, struct skep_error *err)
{
	return insn_is_plain(insn) ? 0 : insn_check_fully(insn, at, err);
}

/* True for the first half of ld_imm64. */
static inline bool insn_is_wide(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

/* How many of the array's elements it takes. */
static inline u32 insn_slots(const struct bpf_insn *insn)
{
	return insn_is_wide(insn) ? 2 : 1;
}

/* The 64-bit operand of a two-slot instruction. */
static inline u64 insn_wide_imm(const struct bpf_insn *insn)
{
	return (u64)(u32)insn[1].imm << 32 | (u32)insn[0].imm;
}

/* --- text --- */
enum insn_syntax {
	INSN_SYNTAX_LLVM,   /* llvm-objdump: "r1 = *(u32 *)(r2 + 0x4)" */
	INSN_SYNTAX_KERNEL, /* verifier log: "(61) r1 = *(u32 *)(r2 +4)" */
};

/* What the kernel's syntax shows and an instruction does not say. Each function may be NULL. */
struct insn_names {
	void *cookie;
	/* Name of a called helper or kernel function; NULL: "unknown". */
	const char *(*callee)(void *cookie, const struct bpf_insn *insn);
	/* Operand of ld_imm64 after resolving (the address of a map, say). */
	u64 (*wide_imm)(void *cookie, const struct bpf_insn *insn);
};

/*
 * Prints the instruction at insns[at] without newline; wide ones use insns[at + 1] too.
 *
 * INSN_SYNTAX_LLVM is what llvm-objdump 19 prints (what it decodes only with --mcpu=v4: as
 * then), with three additions where that drops something: "call pc+0x5" for a local call, "call
 * kfunc 0x10, 0x0" with BTF id and fd index, and "skb[r2 + 0x4]".
 */
void insn_print(const struct bpf_insn *insns, u32 count, u32 at, enum insn_syntax syntax,
		const struct insn_names *names, struct strbuf *out);

/*
 * Assembles text in clang's syntax: one instruction or label per line or between `;`, comments
 * from `#` or `//` to the end of the line. Takes everything that insn_print() gives in LLVM's
 * syntax and for two-slot instructions also
 *   r1 = map_fd 3 ll	    r1 = map_value 3 + 8 ll	r1 = map_idx 0 ll
 *   r1 = map_idx_value 0 + 8 ll	r1 = btf_id 5 ll	r1 = func L1 ll
 * The instructions are malloc'ed, the caller frees them. -EINVAL with line and column in `err`.
 */
int insns_assemble(const char *text, struct bpf_insn **out, u32 *count, struct skep_error *err);

/* --- classic BPF --- */
/*
 * Linux's checks of a classic program: length, opcodes, constants, jumps, scratch words read
 * before they are written, known ancillary loads, a return at the end. 0 or -EINVAL.
 */
int classic_check(const struct sock_filter *filter, u32 count, struct skep_error *err);

/*
 * Converts a checked classic program to eBPF as Linux does: A in r0, X in r7, the context in
 * r6, scratch words on the stack, LD_ABS and LD_IND for the packet. The result runs on a struct
 * __sk_buff (program type socket filter) and returns how many bytes of the packet to keep.
 * Instructions that nothing reaches are left out. *out is malloc'ed. -ENOMEM.
 */
int classic_convert(const struct sock_filter *filter, u32 count, struct bpf_insn **out,
		    u32 *out_count, struct skep_error *err);

/*
 * The same for a program that may touch the packet's memory (program type sched_cls), which is
 * faster; bytes behind the first 64 KiB it does not find. -EOPNOTSUPP: it loads something else.
 */
int classic_convert_direct(const struct sock_filter *filter, u32 count, struct bpf_insn **out,
			   u32 *out_count, struct skep_error *err);

/*
 * Ancillary loads that neither the context nor a helper of Linux's uapi gives. A converted
 * program calls these ids with r1 = context, r2 = A, r3 = X; no other program may.
 */
enum classic_helper {
	CLASSIC_HELPER_PAY_OFFSET = 0x10000, /* offset of the transport payload */
	CLASSIC_HELPER_NLATTR, /* offset of the netlink attribute of type X from A on, or 0 */
	CLASSIC_HELPER_NLATTR_NEST, /* the same inside the attribute at A */
	CLASSIC_HELPER_HATYPE,	    /* ARPHRD_ type of the device */
};

#endif
