/* SPDX-License-Identifier: BSD-2-Clause */
/* struct_ops maps in bpf(2), and the links that register them. */
#ifndef SKEP_SYS_STRUCT_OPS_H
#define SKEP_SYS_STRUCT_OPS_H

#include "hook/hook.h"
#include "sys/command.h"

/* LINK_CREATE: map_fd instead of a program. */
int struct_ops_link_create(struct call *call);
/* LINK_UPDATE and LINK_DETACH of links of type BPF_LINK_TYPE_STRUCT_OPS. */
int struct_ops_link_update(struct call *call, struct link *link);
int struct_ops_link_detach(struct link *link);
/* The id of the map that the link has registered; 0: none any more. */
u32 struct_ops_link_map(struct link *link);

#endif
