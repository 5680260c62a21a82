/* SPDX-License-Identifier: BSD-2-Clause */
/* An unmodified libbpf program with kernel functions and CO-RE, in skep, where it cannot see
 * the kernel's types. */
#include "ksyms.skel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define FOLDER "/sys/kernel/btf"

/* In a mount namespace of its own. */
static bool hide_types(void)
{
	return !unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("none", FOLDER, "tmpfs", 0, NULL);
}

static int run(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct ksyms_bpf *skeleton = ksyms_bpf__open_and_load();
	int ret;

	if (!skeleton) {
		printf("# load: %s\n", strerror(errno));
		return -1;
	}
	ret = bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.look), &opts);
	printf("# test_run: %d, result %u\n", ret, opts.retval);
	ksyms_bpf__destroy(skeleton);
	return ret || opts.retval ? -1 : 0;
}

static void report(int number, const char *what, bool good)
{
	printf("%sok %d - %s\n", good ? "" : "not ", number, what);
}

int main(void)
{
	struct btf *types;

	printf("1..2\n");
	if (!hide_types()) {
		printf("ok 1 # SKIP the kernel's types cannot be hidden: %s\n",
		       strerror(errno));
		printf("ok 2 # SKIP\n");
		return 0;
	}
	types = btf__load_vmlinux_btf();
	report(1, "libbpf finds types",
	       types && btf__find_by_name_kind(types, "bpf_strlen", BTF_KIND_FUNC) > 0);
	btf__free(types);
	report(2, "kernel functions and members are found", !run());
	return 0;
}
