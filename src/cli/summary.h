/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run shows: ports with their verdicts, and maps. */
#ifndef SKEP_CLI_SUMMARY_H
#define SKEP_CLI_SUMMARY_H

#include "cli/attach.h"

void summary_ports(struct session *session, const struct attachments *attachments, u64 ns);
void summary_maps(struct session *session, u32 top);

/* `skep run --data HEX`: one run of one program; prints "retval N". */
int run_once(struct command_line *line);

#endif
