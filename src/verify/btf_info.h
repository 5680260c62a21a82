/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * func_info and line_info: the records that tie instructions to types and source lines. Linux
 * looks at func_info before it knows the subprograms, and at both again when it does.
 */
#ifndef SKEP_VERIFY_BTF_INFO_H
#define SKEP_VERIFY_BTF_INFO_H

#include "verify/cfg.h"

/* The records of func_info, each for itself. 0 or a negative errno with `err` and the log. */
int btf_info_check_records(const struct verify_input *input, struct skep_error *err);

/*
 * Both against the subprograms: one func_info record and a line for each. Fills in `name` (out
 * of `arena`) and `is_global`.
 */
int btf_info_check_subprogs(const struct verify_input *input, struct cfg *cfg,
			    struct arena *arena, struct skep_error *err);

/* The first instruction and the BTF function of a subprogram whose func_info was checked; 0: there is none. */
u32 btf_info_start(const struct verify_input *input, u32 subprog);
u32 btf_info_func(const struct verify_input *input, u32 subprog);

#endif
