/* SPDX-License-Identifier: BSD-2-Clause */
/* What the check and the conversion of classic BPF share. Private to src/isa. */
#ifndef SKEP_ISA_CLASSIC_H
#define SKEP_ISA_CLASSIC_H

#include "isa/isa.h"

/* How an ancillary load gets its value. */
enum ancillary_kind {
	ANCILLARY_FIELD,      /* from the context */
	ANCILLARY_FIELD_BE16, /* the same; 16 bits in network order there */
	ANCILLARY_HELPER,     /* a call with the context, A and X */
	ANCILLARY_XOR,	      /* A ^ X */
};

struct ancillary {
	u32 load; /* SKF_AD_* */
	enum ancillary_kind kind;
	u32 operand; /* offset in struct __sk_buff, or helper id */
};

/* NULL when the instruction is no ancillary load. */
const struct ancillary *ancillary_find(const struct sock_filter *insn);

/* True for the loads from a fixed place of the packet, which ancillary loads are a form of. */
bool classic_is_absolute_load(const struct sock_filter *insn);

/* Jumps on A; goto is none. */
bool classic_is_branch(const struct sock_filter *insn);

#endif
