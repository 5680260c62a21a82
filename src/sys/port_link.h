/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs at ports: links of XDP, and tc programs in their order (tcx), with links and
 * without. */
#ifndef SKEP_SYS_PORT_LINK_H
#define SKEP_SYS_PORT_LINK_H

#include "sys/command.h"

struct link;
struct prog;

bool is_tcx(u32 attach_type);

/* 0, or -ERANGE: frames of the port have fragments that the program does not know of. */
int xdp_check_mtu(struct call *call, const struct prog *prog, u32 ifindex, bool is_generic);
int xdp_link_create(struct call *call, struct prog *prog, struct link **out);
int tcx_link_create(struct call *call, struct prog *prog, struct link **out);

/* PROG_ATTACH, PROG_DETACH and PROG_QUERY of tcx. */
int tcx_attach(struct call *call, struct prog *prog);
int tcx_detach(struct call *call);
int tcx_query(struct call *call);

#endif
