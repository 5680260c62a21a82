/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers that only some places where programs attach have, or allow. */
#include "verify/attach.h"

#include "catalog/lsm.h"
#include "catalog/struct_ops.h"
#include "catalog/tracing.h"

#include <string.h>

/* Iterators over sockets hold the socket's lock. */
static bool has_socket_options(const struct walk *walk)
{
	const struct attach *attach = &walk->attach;

	switch ((u32)walk->input->type) {
	case BPF_PROG_TYPE_TRACING:
		return !strcmp(attach->name, "bpf_iter_tcp") ||
		       !strcmp(attach->name, "bpf_iter_unix");
	case BPF_PROG_TYPE_LSM:
		return walk->input->attach_type == BPF_LSM_CGROUP &&
		       lsm_hook_flags(attach->name) & LSM_SOCKOPT;
	case BPF_PROG_TYPE_STRUCT_OPS:
		return !(struct_ops_member_flags(attach->ops, attach->name) &
			 STRUCT_OPS_NO_SOCKOPT);
	default: return true;
	}
}

bool attach_has_helper(const struct walk *walk, u32 id)
{
	if (walk->attach.ops && !walk->attach.ops->has_helpers)
		return false;
	if (!walk->attach.btf || (id != BPF_FUNC_setsockopt && id != BPF_FUNC_getsockopt))
		return true;
	return has_socket_options(walk);
}

/* Where no lock is held that the helper takes. */
static bool allows_d_path(const struct walk *walk)
{
	const char *name = walk->attach.name;

	if (walk->input->type == BPF_PROG_TYPE_LSM)
		return lsm_hook_flags(name) & LSM_SLEEPABLE;
	return walk->input->attach_type == BPF_TRACE_ITER ||
	       function_flags(name) & FUNCTION_D_PATH;
}

static bool allows_socket_storage(const struct walk *walk)
{
	switch ((u32)walk->input->attach_type) {
	case BPF_TRACE_ITER:
	case BPF_TRACE_RAW_TP: return true;
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT: return function_flags(walk->attach.name) & FUNCTION_SK_STORAGE;
	default: return false;
	}
}

bool attach_has_trampoline(const struct walk *walk)
{
	switch ((u32)walk->input->attach_type) {
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN: return true;
	default: return false;
	}
}

bool attach_allows_helper(const struct walk *walk, u32 id)
{
	u32 type = walk->input->type;

	if (id == BPF_FUNC_d_path)
		return type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM
			       ? allows_d_path(walk)
			       : type != BPF_PROG_TYPE_SYSCALL;
	if (id == BPF_FUNC_sk_storage_get || id == BPF_FUNC_sk_storage_delete)
		return type == BPF_PROG_TYPE_TRACING ? allows_socket_storage(walk)
						     : type != BPF_PROG_TYPE_SYSCALL;
	return true;
}
