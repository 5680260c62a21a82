/* SPDX-License-Identifier: BSD-2-Clause */
/* What skep can judge but not run. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char text[64];

SEC("tp/syscalls/sys_enter_nanosleep")
int prints_types(void *ctx)
{
	struct btf_ptr shown = {.ptr = ctx, .type_id = 1};

	return bpf_snprintf_btf(text, sizeof(text), &shown, sizeof(shown), 0) < 0;
}

char _license[] SEC("license") = "GPL";
