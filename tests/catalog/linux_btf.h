/* SPDX-License-Identifier: BSD-2-Clause */
/* The running kernel's types, and the kinds of programs that need them to load. */
#ifndef SKEP_TESTS_CATALOG_LINUX_BTF_H
#define SKEP_TESTS_CATALOG_LINUX_BTF_H

#include "btf/btf.h"
#include "tests/catalog/linux_load.h"

#include <fcntl.h>
#include <stdlib.h>

/* NULL: the kernel has none, or it cannot be read. */
static inline struct btf_view *linux_btf_open(void)
{
	struct skep_error error;
	struct btf_view *btf;
	size_t size = 0, room = 32 << 20;
	char *data = malloc(room);
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC), err;
	ssize_t count;

	while (data && fd >= 0 && (count = read(fd, data + size, room - size)) > 0)
		size += count;
	err = size ? btf_view_new(data, size, &btf, NULL, &error) : -ENOENT;
	if (fd >= 0)
		close(fd);
	free(data);
	return err ? NULL : btf;
}

/* Every kind of program that loads plainly, with one attach type each, and those that a host
 * without trampolines takes by their BTF id. `out` has room for 40; the number of kinds. */
static inline u32 linux_kinds(const struct btf_view *btf, struct linux_kind *out)
{
	static const u8 attach_types[33] = {
		[BPF_PROG_TYPE_CGROUP_SOCK] = BPF_CGROUP_INET_SOCK_CREATE,
		[BPF_PROG_TYPE_CGROUP_SOCK_ADDR] = BPF_CGROUP_INET4_BIND,
		[BPF_PROG_TYPE_CGROUP_SOCKOPT] = BPF_CGROUP_GETSOCKOPT,
		[BPF_PROG_TYPE_SK_LOOKUP] = BPF_SK_LOOKUP,
		[BPF_PROG_TYPE_SK_REUSEPORT] = BPF_SK_REUSEPORT_SELECT,
		[BPF_PROG_TYPE_NETFILTER] = BPF_NETFILTER,
	};
	const struct linux_kind by_btf[] = {
		{BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_SESSION, 0, false},
		{BPF_PROG_TYPE_KPROBE, BPF_TRACE_UPROBE_SESSION, 0, false},
		{BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP,
		 btf_find(btf, "btf_trace_sched_switch", BTF_KIND_TYPEDEF), false},
		{BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER,
		 btf_find(btf, "bpf_iter_task", BTF_KIND_FUNC), false},
		{BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER,
		 btf_find(btf, "bpf_iter_task", BTF_KIND_FUNC), true},
		{BPF_PROG_TYPE_STRUCT_OPS, 0,
		 btf_find(btf, "tcp_congestion_ops", BTF_KIND_STRUCT), false},
	};
	u32 count = 0;

	for (u32 type = 1; type < ARRAY_SIZE(attach_types); type++)
		if (linux_can_load_plainly(type))
			out[count++] = (struct linux_kind){type, attach_types[type], 0,
							   type == BPF_PROG_TYPE_SYSCALL};
	memcpy(out + count, by_btf, sizeof(by_btf));
	return count + ARRAY_SIZE(by_btf);
}

/* What a log of level 2 says last of a register ("R2="), NULL: nothing. Ends the log there. */
static inline char *linux_last_state(char *log, const char *reg)
{
	char *state = NULL;

	for (char *found = log; (found = strstr(found, reg)); found++)
		state = found + strlen(reg);
	if (state)
		state[strcspn(state, " \n")] = '\0';
	return state;
}

/* The structure or union that a type points to, 0: it is something else. */
static inline u32 linux_pointed(const struct btf_view *btf, u32 id)
{
	const struct btf_type *type = btf_type(btf, btf_resolve(btf, id));

	if (!type || btf_kind(type) != BTF_KIND_PTR)
		return 0;
	id = btf_resolve(btf, type->type);
	type = btf_type(btf, id);
	if (!type || (btf_kind(type) != BTF_KIND_STRUCT && btf_kind(type) != BTF_KIND_UNION))
		return 0;
	return id;
}

#endif
