/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups in kfuncs.def. */
#include "catalog/kfunc.h"
#include "catalog/helper.h"
#include <string.h>

enum {
	ACQUIRE = KF_ACQUIRE,
	RELEASE = KF_RELEASE,
	RET_NULL = KF_RET_NULL,
	RCU = KF_RCU,
	RCU_PROTECTED = KF_RCU_PROTECTED,
	SLEEPABLE = KF_SLEEPABLE,
	DESTRUCTIVE = KF_DESTRUCTIVE,
	ITER_NEW = KF_ITER_NEW,
	ITER_NEXT = KF_ITER_NEXT,
	ITER_DESTROY = KF_ITER_DESTROY,
	FASTCALL = KF_FASTCALL,
	DEVICE_BOUND = KF_DEVICE_BOUND,
};

/*
 * Program types. Linux registers kernel functions for a kind of hook and not for a type: what
 * one type of TRACE or CGROUP may call, all of them may.
 */
#define ONE(type)  PROG_BIT(BPF_PROG_TYPE_##type)
#define ANY	   (~0ull)
#define KPROBE	   ONE(KPROBE)
#define SCHED_CLS  ONE(SCHED_CLS)
#define TC	   (SCHED_CLS | ONE(SCHED_ACT))
#define XDP	   ONE(XDP)
#define CLS_XDP	   (SCHED_CLS | XDP)
#define LSM	   ONE(LSM)
#define SYSCALL	   ONE(SYSCALL)
#define STRUCT_OPS ONE(STRUCT_OPS)
#define TRACE	   (ONE(TRACING) | ONE(TRACEPOINT) | ONE(PERF_EVENT) | LSM)
#define CGROUP                                                                             \
	(ONE(CGROUP_SKB) | ONE(CGROUP_SOCK) | ONE(CGROUP_DEVICE) | ONE(CGROUP_SOCK_ADDR) | \
	 ONE(CGROUP_SOCKOPT) | ONE(CGROUP_SYSCTL) | ONE(SOCK_OPS))
#define LWT	(ONE(LWT_IN) | ONE(LWT_OUT) | ONE(LWT_XMIT) | ONE(LWT_SEG6LOCAL))
#define GENERIC (TRACE | CGROUP | CLS_XDP | STRUCT_OPS | SYSCALL)
#define CPUMASK (TRACE | STRUCT_OPS | SYSCALL)
#define SKB_DYNPTR \
	(TRACE | CGROUP | TC | LWT | ONE(SK_SKB) | ONE(SOCKET_FILTER) | ONE(NETFILTER))
#define TEST_RELEASE (TRACE | SCHED_CLS | SYSCALL)

#define KFUNC(its_name, first, its_progs, its_flags, its_special) \
	{                                                         \
		.name = #its_name,                                \
		.since = first,                                   \
		.progs = its_progs,                               \
		.flags = its_flags,                               \
		.special = KFUNC_##its_special,                   \
	},

static const struct kfunc_row rows[] = {
#include "catalog/kfuncs.def"
};

#define AT(type) (1ull << (type))
#define SESSIONS (AT(BPF_TRACE_KPROBE_SESSION) | AT(BPF_TRACE_UPROBE_SESSION))

/* Where the attach type decides, too. */
static const struct limit {
	const char *name;
	u64 attach;
} limits[] = {
	{"bpf_session_is_return", SESSIONS},
	{"bpf_session_cookie", SESSIONS},
	{"bpf_sock_destroy", AT(BPF_TRACE_ITER)},
};

u32 kfunc_count(void)
{
	return ARRAY_SIZE(rows);
}

const struct kfunc_row *kfunc_row(u32 index)
{
	return index < ARRAY_SIZE(rows) ? &rows[index] : NULL;
}

const struct kfunc_row *kfunc_row_by_name(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static bool is_within_limits(const char *name, u32 attach_type)
{
	for (u32 i = 0; i < ARRAY_SIZE(limits); i++)
		if (!strcmp(limits[i].name, name))
			return attach_type < 64 && (limits[i].attach & AT(attach_type));
	return true;
}

bool kfunc_is_allowed(const struct kfunc_row *row, enum bpf_prog_type type,
		      enum bpf_attach_type attach_type)
{
	return (row->progs & PROG_BIT(type)) && is_within_limits(row->name, attach_type);
}
