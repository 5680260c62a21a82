/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a program goes at a hook that takes several: beside another one, which stays
 * referenced.
 */
#ifndef SKEP_SYS_RELATIVE_H
#define SKEP_SYS_RELATIVE_H

#include "hook/hook.h"
#include "sys/command.h"

struct relative {
	struct hook_request request;
	struct link *link;
	struct prog *prog, *replaced;
};

/* What BPF_F_BEFORE, BPF_F_AFTER, BPF_F_ID and BPF_F_LINK say with relative_fd. That there is
 * no such program is told when one is needed. `type` BPF_PROG_TYPE_UNSPEC: of any type. */
void relative_find(struct call *call, u32 flags, u32 fd_or_id, u64 revision,
		   enum bpf_prog_type type, struct relative *out);
void relative_done(struct relative *relative);

#endif
