/* SPDX-License-Identifier: BSD-2-Clause */
/* A program's tag: the first bytes of the SHA-1 of its instructions, as Linux computes it. */
#ifndef SKEP_RUN_TAG_H
#define SKEP_RUN_TAG_H

#include "base/types.h"
#include "catalog/uapi.h"

/* What names a map by its file descriptor counts as zero, so that a tag is the same after every
 * load. */
void program_tag(const struct bpf_insn *insns, u32 count, u8 tag[BPF_TAG_SIZE]);

#endif
