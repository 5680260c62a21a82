/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/tag.h"

#include "base/sha256.h"
#include <string.h>

#define INSNS_AT_ONCE 64

static bool names_map(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) &&
	       (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE);
}

void program_tag(const struct bpf_insn *insns, u32 count, u8 tag[BPF_TAG_SIZE])
{
	struct bpf_insn part[INSNS_AT_ONCE];
	bool second_slot = false;
	u8 hash[SHA256_SIZE];
	struct sha256 sha;

	sha256_init(&sha);
	for (u32 i = 0; i < count; i++) {
		struct bpf_insn *insn = &part[i % INSNS_AT_ONCE];

		*insn = insns[i];
		if (second_slot || names_map(insn))
			insn->imm = 0;
		second_slot = !second_slot && names_map(insn);
		if (insn == &part[INSNS_AT_ONCE - 1])
			sha256_add(&sha, part, sizeof(part));
	}
	sha256_add(&sha, part, count % INSNS_AT_ONCE * sizeof(*part));
	sha256_end(&sha, hash);
	memcpy(tag, hash, BPF_TAG_SIZE);
}
