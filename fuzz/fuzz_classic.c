/* SPDX-License-Identifier: BSD-2-Clause */
/* Any classic program: what passes the check becomes well-formed eBPF with jumps inside. */
#include "fuzz/fuzz.h"
#include "isa/isa.h"

#include <string.h>

static void require_sound(const struct bpf_insn *insns, u32 count)
{
	REQUIRE(insns_check(insns, count, NULL) == 0);
	REQUIRE(insn_op(&insns[count - 1]) == INSN_EXIT);
	for (u32 at = 0; at < count; at++)
		if (insn_desc(insn_op(&insns[at]))->off.kind == FIELD_TARGET)
			REQUIRE(insns[at].off >= 0 && at + 1 + insns[at].off < count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sock_filter filter[BPF_MAXINSNS];
	u32 count = min(size / sizeof(*filter), (size_t)BPF_MAXINSNS), converted;
	struct bpf_insn *insns;
	struct skep_error err;

	if (count)
		memcpy(filter, data, count * sizeof(*filter));
	if (classic_check(filter, count, &err)) {
		REQUIRE(*err.text);
		return 0;
	}
	REQUIRE(classic_convert(filter, count, &insns, &converted, NULL) == 0);
	require_sound(insns, converted);
	free(insns);
	return 0;
}
