/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The best way to get at an interface: steps are tried from the best down (ladder.c has them);
 * the one that worked is shown with what it costs, and why each better one did not.
 */
#ifndef SKEP_CLI_LADDER_H
#define SKEP_CLI_LADDER_H

#include "cli/session.h"

/* A port of the engine on the interface: *port is its ifindex there. 0, or an exit code after a
 * message. */
int ladder_open_port(struct session *session, const char *interface, int *port);
/* The program on the interface in the kernel, until the process ends. The same. */
int ladder_attach_xdp(struct session *session, const struct bpf_program *program, u32 ifindex,
		      const char *interface);

#endif
