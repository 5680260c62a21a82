/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For a program that is linked with a static libbpf and with wrap_dep's options: the calls that
 * libbpf makes go to an engine or to Linux, as the program says. Until it says, to Linux.
 */
#ifndef SKEP_SHIM_WRAP_H
#define SKEP_SHIM_WRAP_H

#include <skep/skep.h>

/* NULL: Linux. The engine stays the caller's; call wrap_use_linux() before it is freed. */
void wrap_use_engine(struct skep_engine *engine);
void wrap_use_linux(void);

#endif
