/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the application that holds the engine offers to programs (skep/extend.h), as the
 * verifier and the executors see it. Its types follow the kernel's in one view, as a module's
 * do.
 */
#ifndef SKEP_CATALOG_HOST_H
#define SKEP_CATALOG_HOST_H

#include "catalog/kfunc.h"
#include <skep/extend.h>

struct host_function {
	struct kfunc_row row;
	u32 btf_id;    /* of its FUNC */
	u32 helper_id; /* 0: it is called by type only */
};

struct host_hook {
	const char *name;
	u32 btf_id; /* of its FUNC */
	s32 min, max;
	bool has_result;
};

struct host {
	u32 first_type; /* types from this id on are the host's */
	const struct host_function *functions;
	u32 function_cnt;
	const struct host_hook *hooks;
	u32 hook_cnt;
	const struct skep_map_type *map_types;
	u32 map_type_cnt;
	void *cookie;
};

/* All take NULL for the host, and give NULL for what it does not have. */
const struct host_function *host_function_by_type(const struct host *host, u32 btf_id);
const struct host_function *host_function_by_helper(const struct host *host, u32 helper_id);
const struct host_hook *host_hook_by_type(const struct host *host, u32 btf_id);
const struct skep_map_type *host_map_type(const struct host *host, u32 type);

/* A call of one of the host's helpers, by its number. */
static inline bool insn_is_host_helper(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg &&
	       (u32)insn->imm >= SKEP_HELPER_FIRST;
}

static inline bool host_has_type(const struct host *host, u32 btf_id)
{
	return host && btf_id >= host->first_type;
}

#endif
