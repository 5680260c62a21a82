/* SPDX-License-Identifier: BSD-2-Clause */
/* What the check and the conversion of classic BPF share. Private to src/isa. */
#ifndef SKEP_ISA_CLASSIC_H
#define SKEP_ISA_CLASSIC_H

#include "base/error.h"
#include "isa/isa.h"

/* Records what is wrong with instruction `at`; -EINVAL. */
#define CLASSIC_REJECT(...)                                              \
	({                                                               \
		error_set(err, SKEP_STAGE_DECODE, -EINVAL, __VA_ARGS__); \
		if (err)                                                 \
			err->insn = at;                                  \
		-EINVAL;                                                 \
	})

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
	u32 operand;	  /* offset in struct __sk_buff, or helper id */
	u32 linux_length; /* instructions that Linux makes of it */
};

/* NULL when the instruction is no ancillary load. */
const struct ancillary *ancillary_find(const struct sock_filter *insn);

/* True for the loads from a fixed place of the packet, which ancillary loads are a form of. */
bool classic_is_absolute_load(const struct sock_filter *insn);

/* The last of Linux's checks: jumps that its conversion can reach. */
int classic_check_distances(const struct sock_filter *filter, u32 count,
			    struct skep_error *err);

/* Jumps on A; goto is none. */
bool classic_is_branch(const struct sock_filter *insn);

#endif
