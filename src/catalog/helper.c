/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups in helpers.def. */
#include "catalog/helper.h"
#include <skep/skep.h>
#include <string.h>

enum {
	BPF = SKEP_RIGHT_BPF,
	PERFMON = SKEP_RIGHT_PERFMON,
	ADMIN = SKEP_RIGHT_ADMIN,
};

enum {
	GPL = HELPER_GPL,
	PACKET_ARGS = HELPER_PACKET_ARGS,
	CHANGES_PACKET = HELPER_CHANGES_PACKET,
	OR_NULL = HELPER_RET_OR_NULL,
	ACQUIRES = HELPER_ACQUIRES,
	SLEEPS = HELPER_SLEEPS,
	TRUSTED = HELPER_RET_TRUSTED,
	ALL_ARGS = HELPER_ALL_ARGS,
};

/* program types */
#define ONE(type)		PROG_BIT(BPF_PROG_TYPE_##type)
#define SOCKET_FILTER		ONE(SOCKET_FILTER)
#define KPROBE			ONE(KPROBE)
#define TRACEPOINT		ONE(TRACEPOINT)
#define PERF_EVENT		ONE(PERF_EVENT)
#define RAW_TRACEPOINT		ONE(RAW_TRACEPOINT)
#define RAW_TRACEPOINT_WRITABLE ONE(RAW_TRACEPOINT_WRITABLE)
#define TRACING			ONE(TRACING)
#define LSM			ONE(LSM)
#define STRUCT_OPS		ONE(STRUCT_OPS)
#define SYSCALL			ONE(SYSCALL)
#define XDP			ONE(XDP)
#define TC			(ONE(SCHED_CLS) | ONE(SCHED_ACT))
#define CGROUP_SKB		ONE(CGROUP_SKB)
#define CGROUP_SOCK		ONE(CGROUP_SOCK)
#define CGROUP_SOCK_ADDR	ONE(CGROUP_SOCK_ADDR)
#define CGROUP_DEVICE		ONE(CGROUP_DEVICE)
#define CGROUP_SYSCTL		ONE(CGROUP_SYSCTL)
#define CGROUP_SOCKOPT		ONE(CGROUP_SOCKOPT)
#define LWT_IN			ONE(LWT_IN)
#define LWT_XMIT		ONE(LWT_XMIT)
#define LWT_SEG6LOCAL		ONE(LWT_SEG6LOCAL)
#define LWT			(LWT_IN | ONE(LWT_OUT) | LWT_XMIT | LWT_SEG6LOCAL)
#define SOCK_OPS		ONE(SOCK_OPS)
#define SK_SKB			ONE(SK_SKB)
#define SK_MSG			ONE(SK_MSG)
#define SK_REUSEPORT		ONE(SK_REUSEPORT)
#define SK_LOOKUP		ONE(SK_LOOKUP)
#define FLOW_DISSECTOR		ONE(FLOW_DISSECTOR)
#define LIRC_MODE2		ONE(LIRC_MODE2)
/* remote controls have a short list of their own */
#define BASE (~LIRC_MODE2)
#define TRACE \
	(KPROBE | TRACEPOINT | PERF_EVENT | RAW_TRACEPOINT | RAW_TRACEPOINT_WRITABLE | SYSCALL)
#define TRACE_BTF (TRACE | TRACING | LSM)
#define EVENT_PROGS \
	(~(SK_REUSEPORT | FLOW_DISSECTOR | LIRC_MODE2 | STRUCT_OPS | ONE(NETFILTER)))
#define COARSE_CLOCK                                                                   \
	(SOCKET_FILTER | TC | XDP | CGROUP_SKB | CGROUP_SOCK | CGROUP_SOCK_ADDR |      \
	 CGROUP_SYSCTL | LWT | SOCK_OPS | SK_SKB | SK_MSG | SK_REUSEPORT | SK_LOOKUP | \
	 FLOW_DISSECTOR | STRUCT_OPS)
#define SOCK_CASTS                                                                            \
	(SOCKET_FILTER | TC | XDP | CGROUP_SKB | CGROUP_SOCK_ADDR | LWT | SOCK_OPS | SK_SKB | \
	 SK_MSG | SK_LOOKUP | FLOW_DISSECTOR | SYSCALL | TRACING | LSM)

/* attach types */
#define AT(type)    (1ull << (type))
#define TRAMPOLINES (AT(BPF_TRACE_FENTRY) | AT(BPF_TRACE_FEXIT) | AT(BPF_MODIFY_RETURN))
#define MAY_SET_RETVAL                                                 \
	(AT(BPF_CGROUP_INET4_BIND) | AT(BPF_CGROUP_INET6_BIND) |       \
	 AT(BPF_CGROUP_INET4_CONNECT) | AT(BPF_CGROUP_INET6_CONNECT) | \
	 AT(BPF_CGROUP_UNIX_CONNECT) | AT(BPF_CGROUP_UDP4_SENDMSG) |   \
	 AT(BPF_CGROUP_UDP6_SENDMSG) | AT(BPF_CGROUP_UNIX_SENDMSG))

/* arguments */
#define ARG(its_kind, its_flags)                           \
	{                                                  \
		.kind = ARG_##its_kind, .flags = its_flags \
	}
#define ARG_BYTES(its_flags, bytes)                                      \
	{                                                                \
		.kind = ARG_FIXED_MEM, .flags = its_flags, .size = bytes \
	}
#define ARG_OBJECT(its_flags, type)                                       \
	{                                                                 \
		.kind = ARG_BTF_ID, .flags = its_flags, .btf_type = #type \
	}
#define ANY			   ARG(ANYTHING, 0)
#define CTX			   ARG(CTX, 0)
#define CTX_OR_NULL		   ARG(CTX, ARG_OR_NULL)
#define MAP			   ARG(CONST_MAP_PTR, 0)
#define KEY			   ARG(MAP_KEY, 0)
#define VALUE			   ARG(MAP_VALUE, 0)
#define VALUE_OR_NULL		   ARG(MAP_VALUE, ARG_OR_NULL)
#define VALUE_UNINIT		   ARG(MAP_VALUE, ARG_UNINIT | ARG_WRITE)
#define MEM			   ARG(MEM, 0)
#define MEM_OR_NULL		   ARG(MEM, ARG_OR_NULL)
#define MEM_WRITE		   ARG(MEM, ARG_WRITE)
#define MEM_WRITE_OR_NULL	   ARG(MEM, ARG_WRITE | ARG_OR_NULL)
#define MEM_UNINIT		   ARG(MEM, ARG_UNINIT | ARG_WRITE)
#define SIZE			   ARG(CONST_SIZE, 0)
#define SIZE_OR_ZERO		   ARG(CONST_SIZE_OR_ZERO, 0)
#define ALLOC_SIZE		   ARG(CONST_ALLOC_SIZE, 0)
#define FIXED(bytes)		   ARG_BYTES(0, bytes)
#define ALIGNED_WRITE(bytes)	   ARG_BYTES(ARG_WRITE | ARG_ALIGNED, bytes)
#define ALIGNED_UNINIT(bytes)	   ARG_BYTES(ARG_UNINIT | ARG_WRITE | ARG_ALIGNED, bytes)
#define SPIN_LOCK		   ARG(SPIN_LOCK, 0)
#define TIMER			   ARG(TIMER, 0)
#define SOCK			   ARG(SOCK_COMMON, 0)
#define SOCKET_OR_NULL		   ARG(SOCKET, ARG_OR_NULL)
#define BTF_SOCK_COMMON		   ARG(BTF_ID_SOCK_COMMON, 0)
#define BTF_SOCK_COMMON_OR_NULL	   ARG(BTF_ID_SOCK_COMMON, ARG_OR_NULL)
#define BTF_SOCK_COMMON_RELEASE	   ARG(BTF_ID_SOCK_COMMON, ARG_RELEASE)
#define BTF(type)		   ARG_OBJECT(0, type)
#define BTF_OR_NULL(type)	   ARG_OBJECT(ARG_OR_NULL, type)
#define PERCPU_BTF		   ARG(PERCPU_BTF_ID, 0)
#define RINGBUF_MEM_RELEASE	   ARG(RINGBUF_MEM, ARG_RELEASE)
#define FUNC			   ARG(FUNC, 0)
#define STACK_OR_NULL		   ARG(STACK, ARG_OR_NULL)
#define STRING			   ARG(CONST_STR, 0)
#define KPTR_SLOT		   ARG(KPTR, 0)
#define KPTR_VALUE_RELEASE_OR_NULL ARG(BTF_ID, ARG_RELEASE | ARG_OR_NULL)
#define DYNPTR_READ		   ARG(DYNPTR, ARG_DYNPTR_READ)
#define DYNPTR_UNINIT_LOCAL	   ARG(DYNPTR, ARG_UNINIT | ARG_WRITE | ARG_DYNPTR_LOCAL)
#define DYNPTR_UNINIT_RINGBUF	   ARG(DYNPTR, ARG_UNINIT | ARG_WRITE | ARG_DYNPTR_RINGBUF)
#define DYNPTR_RINGBUF_RELEASE	   ARG(DYNPTR, ARG_RELEASE | ARG_DYNPTR_RINGBUF)

/* results */
#define RESULT_INTEGER	     .ret = RET_INTEGER
#define RESULT_VOID	     .ret = RET_VOID
#define RESULT_MAP_VALUE     .ret = RET_MAP_VALUE
#define RESULT_SOCKET	     .ret = RET_SOCKET
#define RESULT_TCP_SOCK	     .ret = RET_TCP_SOCK
#define RESULT_SOCK_COMMON   .ret = RET_SOCK_COMMON
#define RESULT_RINGBUF_MEM   .ret = RET_RINGBUF_MEM
#define RESULT_DYNPTR_MEM    .ret = RET_DYNPTR_MEM
#define RESULT_MEM_OR_BTF_ID .ret = RET_MEM_OR_BTF_ID
#define RESULT_BTF_ID(type)  .ret = RET_BTF_ID, .ret_btf_type = #type
#define RESULT_KPTR	     .ret = RET_BTF_ID

#define ROW(its_id, its_name, first, result, its_flags, its_rights, its_progs, ...) \
	{                                                                           \
		.id = its_id, .name = #its_name, .since = first, RESULT_##result,   \
		.flags = its_flags, .rights = its_rights, .progs = its_progs,       \
		.arg = {__VA_ARGS__},                                               \
	}
#define HELPER(id, ...)	 [id] = ROW(id, __VA_ARGS__),
#define VARIANT(id, ...) ROW(id, __VA_ARGS__),
#define LIMIT(helper, its_type, attach_types)     \
	{                                         \
		.id = BPF_FUNC_##helper,          \
		.type = BPF_PROG_TYPE_##its_type, \
		.attach = attach_types,           \
	},

static const struct helper_row rows[] = {
#include "catalog/helpers.def"
};

static const struct helper_row variants[] = {
#include "catalog/helper_variants.def"
};

static const struct limit {
	u32 id, type;
	u64 attach;
} limits[] = {
#include "catalog/helper_limits.def"
};

const struct helper_row *helper_row(u32 id)
{
	return id < ARRAY_SIZE(rows) && rows[id].name ? &rows[id] : NULL;
}

const struct helper_row *helper_row_by_name(const char *name)
{
	for (u32 id = 1; id < ARRAY_SIZE(rows); id++)
		if (!strcmp(rows[id].name, name))
			return &rows[id];
	return NULL;
}

u32 helper_last_id(void)
{
	return ARRAY_SIZE(rows) - 1;
}

const struct helper_row *helper_row_for(u32 id, enum bpf_prog_type type)
{
	const struct helper_row *row = helper_row(id);

	for (u32 i = 0; i < ARRAY_SIZE(variants); i++)
		if (variants[i].id == id && (variants[i].progs & PROG_BIT(type)))
			return &variants[i];
	return row && (row->progs & PROG_BIT(type)) ? row : NULL;
}

static bool is_within_limits(u32 id, u32 type, u32 attach_type)
{
	for (u32 i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].id == id && limits[i].type == type)
			return attach_type < 64 && (limits[i].attach & AT(attach_type));
	return true;
}

bool helper_is_allowed(const struct helper_row *row, enum bpf_prog_type type,
		       enum bpf_attach_type attach_type, bool sleepable, u32 rights)
{
	return helper_row_for(row->id, type) && (row->rights & ~rights) == 0 &&
	       (sleepable || !(row->flags & HELPER_SLEEPS)) &&
	       is_within_limits(row->id, type, attach_type);
}
