/* SPDX-License-Identifier: BSD-2-Clause */
/* What this process may do with the kernel's bpf(2), and what is missing. */
#ifndef SKEP_LINUX_RIGHTS_H
#define SKEP_LINUX_RIGHTS_H

#include "base/types.h"

/* The effective capabilities as a bit set; 0 when they cannot be read. */
u64 linux_capabilities(void);
bool linux_has_capability(int capability);

/*
 * For an error of a bpf(2) call: " (needs CAP_BPF, ...)" with what this process lacks, "" when
 * the error has another cause or nothing is lacking. Static storage of the calling thread.
 */
const char *linux_missing_right(int error);

/* Takes from this process what is not in `kept` (enum skep_rights); 0 or a negative errno. */
int linux_drop_rights(u32 kept);

#endif
