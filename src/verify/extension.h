/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that replace a function of another program (BPF_PROG_TYPE_EXT, freplace): whether
 * one fits, at load time and, for another target, when it is attached.
 */
#ifndef SKEP_VERIFY_EXTENSION_H
#define SKEP_VERIFY_EXTENSION_H

#include "verify/report.h"
#include "verify/verify.h"

struct walk;

/* What there is to know of the replacing program. */
struct extension {
	const struct btf_view *btf; /* NULL: none */
	u32 func;		    /* the BTF function of its first instruction; 0: none */
	bool changes_packet, sleeps;
};

/*
 * The program fits the function of `target` whose type is `btf_id`: `out` is its index in the
 * target's subprograms. 0, or a negative errno after the reason was reported.
 */
int extension_check(const struct report *to, const struct extension *extension,
		    const struct verify_target *target, u32 btf_id, u32 *out);

/* Of the program under verification, which is from then on one of its target's type. */
int extension_resolve(struct walk *walk);

#endif
