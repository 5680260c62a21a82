/* SPDX-License-Identifier: BSD-2-Clause */
/* What an object says about its XDP programs among others at a port: libxdp's section
 * .xdp_run_config, a structure named _PROGRAM whose members are numbers as BTF writes them
 * (__uint). */
#ifndef SKEP_CLI_RUN_CONFIG_H
#define SKEP_CLI_RUN_CONFIG_H

#include "cli/session.h"

struct run_config {
	u32 priority, proceed_on;
};

/* Libxdp's defaults, and what the object says else. Whether it says anything. */
bool run_config_read(const struct session *session, const char *program,
		     struct run_config *out);

#endif
