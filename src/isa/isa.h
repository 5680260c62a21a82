/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction: the table of all (isa.def), exact well-formedness, text in both directions.
 * Says nothing about what a program may do with it: that is src/verify.
 */
#ifndef SKEP_ISA_ISA_H
#define SKEP_ISA_ISA_H

#include "base/strbuf.h"
#include "base/types.h"
#include <linux/bpf.h>
#include <linux/filter.h>
#include <skep/error.h>

/* BPF_PSEUDO_* and the mode bits newer than the header: Linux 6.18's numbers. */
#ifndef BPF_MEMSX
#define BPF_MEMSX 0x80
#endif
#ifndef BPF_JCOND
#define BPF_JCOND 0xe0
#endif
#ifndef BPF_LOAD_ACQ
#define BPF_LOAD_ACQ 0x100
#endif
#ifndef BPF_STORE_REL
#define BPF_STORE_REL 0x110
#endif
#ifndef BPF_MAY_GOTO
#define BPF_MAY_GOTO 0
#endif

/* One enumerator INSN_NAME per row of isa.def; INSN_INVALID = 0. */
enum insn_op {
	INSN_INVALID,
#define INSN(name, ...) INSN_##name,
#include "isa/isa.def"
#undef INSN
	INSN_OPS,
};

/* The row that this encoding belongs to, INSN_INVALID when none (reserved fields are not looked
 * at). */
enum insn_op insn_op(const struct bpf_insn *insn);

/*
 * Whether every instruction is one that Linux 6.18 knows, with reserved fields zero, registers
 * in range, immediate shift counts and divisors legal, and 16-byte instructions whole. 0 or
 * -EINVAL with `err` (insn index, Linux's wording where it has one).
 */
int insns_check(const struct bpf_insn *insns, u32 count, struct skep_error *err);

/* True for the first half of ld_imm64. */
static inline bool insn_is_wide(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

/* --- text --- */
enum insn_syntax {
	INSN_SYNTAX_LLVM,   /* llvm-objdump: "r1 = *(u32 *)(r2 + 0x4)" */
	INSN_SYNTAX_KERNEL, /* verifier log: "(61) r1 = *(u32 *)(r2 +4)" */
};

/* Prints the instruction at insns[at] without newline; wide ones use insns[at + 1] too. */
void insn_print(const struct bpf_insn *insns, u32 count, u32 at, enum insn_syntax syntax,
		struct strbuf *out);

/*
 * Assembles text in clang's syntax, one instruction or label per line, `;`, `//` and `#`
 * comments. The instructions are malloc'ed, the caller frees them. -EINVAL with line and column
 * in `err`.
 */
int insns_assemble(const char *text, struct bpf_insn **out, u32 *count, struct skep_error *err);

/* --- classic BPF --- */
/* Linux's checks of a classic program (bpf_check_classic). 0 or -EINVAL. */
int classic_check(const struct sock_filter *filter, u32 count, struct skep_error *err);
/*
 * Converts a checked classic program to eBPF (socket filter context, LD_ABS for packet loads,
 * as Linux does). *out is malloc'ed.
 */
int classic_convert(const struct sock_filter *filter, u32 count, struct bpf_insn **out,
		    u32 *out_count, struct skep_error *err);

#endif
