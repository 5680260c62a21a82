// SPDX-License-Identifier: BSD-2-Clause
/* What a loader resolves in the kernel: functions, variables and settings that may be missing. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "verdict.h"

#undef bpf_ksym_exists
#define bpf_ksym_exists(symbol) (!!(symbol))

extern void bpf_no_such_function(void) __ksym __weak;
extern const int no_such_variable __ksym __weak;
extern const void no_such_symbol __ksym __weak;
extern const void bpf_prog_active __ksym __weak;
extern int LINUX_KERNEL_VERSION __kconfig;
extern bool CONFIG_BPF_SYSCALL __kconfig __weak;
extern enum libbpf_tristate CONFIG_NO_SUCH __kconfig __weak;

SEC("tc") ACCEPT int avoids_what_is_missing(void *ctx)
{
	if (bpf_ksym_exists(bpf_no_such_function))
		bpf_no_such_function();
	return 0;
}

SEC("tc")
REJECT("invalid kernel function call not eliminated in verifier pass") int calls_what_is_missing(void *ctx)
{
	bpf_no_such_function();
	return 0;
}

SEC("tc") ACCEPT int addresses_are_null_when_missing(void *ctx)
{
	if (bpf_ksym_exists(&no_such_variable))
		return no_such_variable;
	return bpf_ksym_exists(&no_such_symbol);
}

SEC("tc") ACCEPT int takes_an_address(void *ctx)
{
	return (long)&bpf_prog_active;
}

SEC("tc") ACCEPT int knows_the_settings(void *ctx)
{
	return LINUX_KERNEL_VERSION + CONFIG_BPF_SYSCALL + CONFIG_NO_SUCH;
}

/* Another definition wins over a weak one, and nobody outside may call a hidden one. */
__weak __noinline int weak_function(int x)
{
	return x + 1;
}

__hidden __noinline int hidden_function(int x)
{
	return x + 2;
}

SEC("tc") ACCEPT int calls_weak_and_hidden(struct __sk_buff *skb)
{
	return weak_function(skb->len) + hidden_function(skb->mark);
}

char _license[] SEC("license") = "GPL";
