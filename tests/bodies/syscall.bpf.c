// SPDX-License-Identifier: BSD-2-Clause
/* What programs of type syscall can ask for: bpf(2), types, symbols, mappings. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "check.h"

#define BTF_KIND_STRUCT 4
#define BTF_KIND_FUNC	12

u64 seen[32];
union bpf_attr attr;
u32 key, value;
char jiffies_name[] = "jiffies", no_name[] = "no_such_symbol", task_name[] = "task_struct";

SEC("syscall") int maps(void *ctx)
{
	int fd;

	__builtin_memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = 4;
	attr.max_entries = 1;
	fd = bpf_sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	CHECK(fd >= 0);
	attr.key_size = 5;
	CHECK(bpf_sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr)) == -EINVAL);
	__builtin_memset(&attr, 0, sizeof(attr));
	attr.map_fd = fd;
	attr.key = (long)&key;
	attr.value = (long)&value;
	CHECK(bpf_sys_bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)) == 0);
	CHECK(bpf_sys_bpf(BPF_MAP_DELETE_ELEM, &attr, sizeof(attr)) == -EINVAL);
	CHECK(bpf_sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)) == -EINVAL);
	CHECK(bpf_sys_bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)) == -EINVAL);
	CHECK(bpf_sys_close(fd) == 0);
	CHECK(bpf_sys_bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)) == -9);
	__builtin_memset(&attr, 0, sizeof(attr));
	return 0;
}

SEC("syscall") int types(void *ctx)
{
	seen[0] = bpf_btf_find_by_name_kind(task_name, sizeof(task_name), BTF_KIND_STRUCT, 0);
	CHECK((s64)seen[0] > 0);
	seen[1] = bpf_btf_find_by_name_kind(task_name, sizeof(task_name), BTF_KIND_FUNC, 0);
	seen[2] = bpf_btf_find_by_name_kind(task_name, sizeof(task_name), BTF_KIND_STRUCT, 1);
	seen[3] = bpf_btf_find_by_name_kind(task_name, 4, BTF_KIND_STRUCT, 0);
	seen[4] = bpf_btf_find_by_name_kind(no_name, sizeof(no_name), BTF_KIND_STRUCT, 0);
	seen[5] = bpf_btf_find_by_name_kind(no_name, 1, BTF_KIND_STRUCT, 0);
	return 0;
}

SEC("syscall") int symbols(void *ctx)
{
	u64 address = 7;

	seen[0] = bpf_kallsyms_lookup_name(jiffies_name, sizeof(jiffies_name), 0, &address);
	seen[1] = address;
	seen[2] = bpf_kallsyms_lookup_name(no_name, sizeof(no_name), 0, &address);
	seen[3] = address;
	seen[4] = bpf_kallsyms_lookup_name(no_name, 4, 0, &address);
	seen[5] = bpf_kallsyms_lookup_name(no_name, sizeof(no_name), 1, &address);
	return 0;
}

static long found(struct task_struct *task, struct vm_area_struct *area, void *ctx)
{
	seen[5]++;
	seen[6] = *(u32 *)ctx;
	return 1;
}

/* The context has an address of user space. */
SEC("syscall") int mappings(u64 *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 result = 1;

	seen[0] = bpf_find_vma(task, *ctx, found, &result, 0);
	seen[1] = bpf_find_vma(task, 1, found, &result, 0);
	seen[2] = bpf_find_vma(task, *ctx, found, &result, 1);
	return 0;
}

char _license[] SEC("license") = "GPL";
