/* SPDX-License-Identifier: BSD-2-Clause */
/* A filter in tcpdump's language as a program: libpcap compiles it to classic BPF, which
 * becomes eBPF as in Linux. */
#ifndef SKEP_CLI_EXPRESSION_H
#define SKEP_CLI_EXPRESSION_H

#include "base/types.h"
#include <linux/bpf.h>

struct expression {
	struct bpf_insn *insns; /* owned: a socket filter */
	u32 count;
	struct bpf_insn
		*direct; /* owned: the same for sched_cls, faster; NULL: there is none */
	u32 direct_count;
};

/* For packets of that link type. 0 or an exit code after a message; always free. */
int expression_compile(const char *text, u32 link_type, struct expression *out);
void expression_free(struct expression *expression);

#endif
