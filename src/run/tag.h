/* SPDX-License-Identifier: BSD-2-Clause */
/* A program's tag: the first bytes of the SHA-256 of its instructions, as Linux 6.18 computes
 * it (earlier: SHA-1). */
#ifndef SKEP_RUN_TAG_H
#define SKEP_RUN_TAG_H

#include "base/types.h"
#include "catalog/uapi.h"

/* What names a map by its file descriptor counts as zero, so that a tag is the same after every
 * load. */
void program_tag(const struct bpf_insn *insns, u32 count, u8 tag[BPF_TAG_SIZE]);

#endif
