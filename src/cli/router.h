/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep run --forward`: an engine as a router, whose file of routes may change meanwhile. */
#ifndef SKEP_CLI_ROUTER_H
#define SKEP_CLI_ROUTER_H

#include "cli/attach.h"

#include <sys/stat.h>

struct router {
	struct session *session; /* NULL: no router */
	struct stat file;	 /* as it was when it was read */
};

/* Whether the command is to forward. */
bool router_given(const struct command_line *line);
/* Before the ports' routes are known: 0 or an exit code after a message. */
int router_open(struct session *session);
/* Reads the routes, which may name programs that were loaded. The same. */
int router_start(struct router *router, struct session *session);
/* Now and then: reads the file again when it changed; when that fails the old routes stay, with
 * a message. */
void router_poll(struct router *router);
/* What became of the packets of each port, and the neighbours. */
void router_summary(struct session *session, const struct attachments *attachments);

#endif
