/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Look-ups in progs.def and attach.def, and the two rules of BPF_PROG_LOAD that depend on both
 * program and attach type: which pairs exist, and what the program may return.
 */
#include "catalog/prog.h"
#include <errno.h>
#include <linux/bpf_perf_event.h>
#include <skep/skep.h>
#include <string.h>

#include "catalog/helper.h"

enum prog_flags {
	PACKET = 1 << 0,
	PACKET_WRITE = 1 << 1,
	LD_ABS = 1 << 2,
	TEST_RUN = 1 << 3,
};

enum { PERFMON = SKEP_RIGHT_PERFMON, NET_ADMIN = SKEP_RIGHT_NET_ADMIN };

#define PROG(id, its_name, first, structure, structure_size, view, needs, its_flags) \
	[BPF_PROG_TYPE_##id] = {                                                     \
		.type = BPF_PROG_TYPE_##id,                                          \
		.name = its_name,                                                    \
		.since = first,                                                      \
		.ctx_name = structure,                                               \
		.ctx_size = structure_size,                                          \
		.ctx_view = CTX_VIEW_##view,                                         \
		.rights = needs,                                                     \
		.has_packet = (its_flags)&PACKET,                                    \
		.may_write_packet = (its_flags)&PACKET_WRITE,                        \
		.has_ld_abs = (its_flags)&LD_ABS,                                    \
		.has_test_run = (its_flags)&TEST_RUN,                                \
	},

static const struct prog_row prog_rows[] = {
#include "catalog/progs.def"
};

#define ONE(id) PROG_BIT(BPF_PROG_TYPE_##id)
#define ATTACH(id, its_name, its_progs, first) \
	[id] = {.type = id, .name = its_name, .progs = its_progs, .since = first},

static const struct attach_row attach_rows[] = {
#include "catalog/attach.def"
};

const struct prog_row *prog_row(u32 type)
{
	if (type >= ARRAY_SIZE(prog_rows) || !prog_rows[type].name)
		return NULL;
	return &prog_rows[type];
}

const struct prog_row *prog_row_by_name(const char *name)
{
	for (u32 type = 0; type < ARRAY_SIZE(prog_rows); type++)
		if (prog_rows[type].name && !strcmp(prog_rows[type].name, name))
			return &prog_rows[type];
	return NULL;
}

const struct attach_row *attach_row(u32 type)
{
	return type < ARRAY_SIZE(attach_rows) ? &attach_rows[type] : NULL;
}

const struct attach_row *attach_row_by_name(const char *name)
{
	for (u32 type = 0; type < ARRAY_SIZE(attach_rows); type++)
		if (!strcmp(attach_rows[type].name, name))
			return &attach_rows[type];
	return NULL;
}

/* Types whose checks depend on the attach type, so that a wrong one is refused. */
#define STRICT_PROGS                                                                        \
	(ONE(CGROUP_SKB) | ONE(CGROUP_SOCK) | ONE(CGROUP_SOCK_ADDR) | ONE(CGROUP_SOCKOPT) | \
	 ONE(SK_LOOKUP) | ONE(SK_REUSEPORT) | ONE(NETFILTER) | ONE(TRACING) | ONE(LSM))

int prog_check_attach_type(enum bpf_prog_type type, enum bpf_attach_type attach_type)
{
	const struct attach_row *row;

	if (!prog_row(type))
		return -EINVAL;
	if (type == BPF_PROG_TYPE_SYSCALL || type == BPF_PROG_TYPE_EXT)
		return attach_type ? -EINVAL : 0;
	if (!(STRICT_PROGS & PROG_BIT(type)))
		return 0;
	row = attach_row(prog_default_attach_type(type, attach_type));
	return row && (row->progs & PROG_BIT(type)) ? 0 : -EINVAL;
}

enum bpf_attach_type prog_default_attach_type(enum bpf_prog_type type,
					      enum bpf_attach_type attach_type)
{
	if (attach_type == 0 && type == BPF_PROG_TYPE_CGROUP_SOCK)
		return BPF_CGROUP_INET_SOCK_CREATE;
	if (attach_type == 0 && type == BPF_PROG_TYPE_SK_REUSEPORT)
		return BPF_SK_REUSEPORT_SELECT;
	return attach_type;
}

static const struct ret_range any_value = {.checked = false};

static struct ret_range values(s64 low, s64 high)
{
	return (struct ret_range){.low = low, .high = high, .checked = true, .is64 = true};
}

static struct ret_range sock_addr_range(u32 attach_type)
{
	switch (attach_type) {
	case BPF_CGROUP_UDP4_RECVMSG:
	case BPF_CGROUP_UDP6_RECVMSG:
	case BPF_CGROUP_INET4_GETPEERNAME:
	case BPF_CGROUP_INET6_GETPEERNAME:
	case BPF_CGROUP_INET4_GETSOCKNAME:
	case BPF_CGROUP_INET6_GETSOCKNAME:
	case (u32)BPF_CGROUP_UNIX_RECVMSG:
	case (u32)BPF_CGROUP_UNIX_GETPEERNAME:
	case (u32)BPF_CGROUP_UNIX_GETSOCKNAME: return values(1, 1);
	case BPF_CGROUP_INET4_BIND:
	case BPF_CGROUP_INET6_BIND:
		return values(0, 3); /* bit 1: ask for no CAP_NET_BIND_SERVICE */
	default: return values(0, 1);
	}
}

static struct ret_range tracing_range(u32 attach_type)
{
	switch (attach_type) {
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT: return values(0, 0);
	case BPF_TRACE_ITER: return values(0, 1);
	default: return any_value;
	}
}

static struct ret_range lsm_range(u32 attach_type)
{
	if (attach_type == BPF_LSM_CGROUP)
		return values(0, 1);
	return (struct ret_range){.low = -ERRNO_MAX, .high = 0, .checked = true};
}

struct ret_range prog_ret_range(enum bpf_prog_type type, enum bpf_attach_type attach_type)
{
	switch ((u32)type) {
	case BPF_PROG_TYPE_CGROUP_SKB: /* egress: bit 1 signals congestion */
		return values(0, attach_type == BPF_CGROUP_INET_EGRESS ? 3 : 1);
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR: return sock_addr_range(attach_type);
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_SOCK_OPS:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_CGROUP_SYSCTL:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT:
	case BPF_PROG_TYPE_SK_LOOKUP:
	case (u32)BPF_PROG_TYPE_NETFILTER: return values(0, 1);
	case BPF_PROG_TYPE_KPROBE:
		if (attach_type == BPF_TRACE_KPROBE_SESSION ||
		    attach_type == BPF_TRACE_UPROBE_SESSION)
			return values(0, 1);
		return any_value;
	case BPF_PROG_TYPE_TRACING: return tracing_range(attach_type);
	case BPF_PROG_TYPE_LSM: return lsm_range(attach_type);
	default: return any_value;
	}
}
