/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKEP_SHIM_EXEC_H
#define SKEP_SHIM_EXEC_H

/*
 * Replaces this process by `arguments` (ends with NULL; the command is looked up in PATH) with
 * bpf(2) turned to skep. Returns only when that failed: a negative errno; -ELIBACC when
 * libskep-preload.so was not found.
 */
int shim_exec(char *const *arguments);

#endif
