/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What OBJ_GET_INFO shows of a program beyond what running it needs: prog->sys. Lives in the
 * arena of the verified program, and goes with it.
 */
#ifndef SKEP_SYS_PROG_DETAILS_H
#define SKEP_SYS_PROG_DETAILS_H

#include "run/run.h"
#include <linux/btf.h>

struct prog_details {
	struct bpf_func_info *func_info;
	struct bpf_line_info *line_info;
	u32 func_info_cnt, line_info_cnt;
	u32 prog_flags;
	u32 target_attach_type; /* of an extension: the attach type of its first target */
};

static inline const struct prog_details *prog_details(const struct prog *prog)
{
	return prog->sys;
}

/* As the verifier sees the program of which another one replaces a function. */
struct verify_target prog_as_target(const struct prog *prog);

/* Adds a map to those that the program keeps: 0 or -ENOMEM. */
int prog_bind(struct skep_engine *engine, struct prog *prog, struct map *map);

#endif
