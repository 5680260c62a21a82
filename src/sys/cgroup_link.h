/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of control groups: links, BPF_PROG_ATTACH, BPF_PROG_DETACH and BPF_PROG_QUERY. */
#ifndef SKEP_SYS_CGROUP_LINK_H
#define SKEP_SYS_CGROUP_LINK_H

#include "sys/command.h"

int cgroup_link_create(struct call *call, struct prog *prog, struct link **out);
int cgroup_attach(struct call *call, struct prog *prog);
int cgroup_detach(struct call *call);
int cgroup_query(struct call *call);

#endif
