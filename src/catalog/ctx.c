/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Look-ups in ctx.def. Rows of one view stand together and in the order of their offsets; a
 * look-up walks the view's rows, which is quick enough for a verifier (views have up to sixty).
 */
#include "catalog/ctx.h"
#include "catalog/helper.h"
#include "catalog/prog.h"
#include <linux/bpf_perf_event.h>

#define ONE(type) PROG_BIT(BPF_PROG_TYPE_##type)
#define AT(type)  (1ull << (type))
#define ANY	  (~0ull)

/* sets of program types */
#define TC	   (ONE(SCHED_CLS) | ONE(SCHED_ACT))
#define CGROUP_SKB ONE(CGROUP_SKB)
#define SK_SKB	   ONE(SK_SKB)
#define LWT	   (ONE(LWT_IN) | ONE(LWT_OUT) | ONE(LWT_XMIT) | ONE(LWT_SEG6LOCAL))
#define SKB_PACKET (TC | CGROUP_SKB | LWT | SK_SKB)
#define SKB	   (SKB_PACKET | ONE(SOCKET_FILTER))
#define FLOW	   ONE(FLOW_DISSECTOR)
#define XDP	   ONE(XDP)

/* sets of attach types */
#define SOCK_LIFE (AT(BPF_CGROUP_INET_SOCK_CREATE) | AT(BPF_CGROUP_INET_SOCK_RELEASE))
#define POST_BIND (AT(BPF_CGROUP_INET4_POST_BIND) | AT(BPF_CGROUP_INET6_POST_BIND))
#define ADDR4                                                        \
	(AT(BPF_CGROUP_INET4_BIND) | AT(BPF_CGROUP_INET4_CONNECT) |  \
	 AT(BPF_CGROUP_UDP4_SENDMSG) | AT(BPF_CGROUP_UDP4_RECVMSG) | \
	 AT(BPF_CGROUP_INET4_GETPEERNAME) | AT(BPF_CGROUP_INET4_GETSOCKNAME))
#define ADDR6                                                        \
	(AT(BPF_CGROUP_INET6_BIND) | AT(BPF_CGROUP_INET6_CONNECT) |  \
	 AT(BPF_CGROUP_UDP6_SENDMSG) | AT(BPF_CGROUP_UDP6_RECVMSG) | \
	 AT(BPF_CGROUP_INET6_GETPEERNAME) | AT(BPF_CGROUP_INET6_GETSOCKNAME))

enum {
	READ_NARROW = CTX_READ_NARROW,
	ALL_NARROW = CTX_READ_NARROW | CTX_WRITE_NARROW,
	ALL_WIDE = CTX_READ_WIDE | CTX_WRITE_WIDE,
	READ_HEAD = CTX_READ_HEAD,
	RANGE = CTX_RANGE,
	WORDS = CTX_WORDS,
	UNALIGNED = CTX_UNALIGNED,
};

/* the structures behind the views whose rows name members */
typedef struct __sk_buff uapi_SK_BUFF;
typedef struct xdp_md uapi_XDP_MD;
typedef struct bpf_sock uapi_CGROUP_SOCK;
typedef struct bpf_sock_addr uapi_SOCK_ADDR;
typedef struct bpf_sock_ops uapi_SOCK_OPS;
typedef struct sk_msg_md uapi_SK_MSG;
typedef struct sk_reuseport_md uapi_SK_REUSEPORT;
typedef struct bpf_sk_lookup uapi_SK_LOOKUP;
typedef struct bpf_cgroup_dev_ctx uapi_CGROUP_DEVICE;
typedef struct bpf_sysctl uapi_SYSCTL;
typedef struct bpf_sockopt uapi_SOCKOPT;
typedef struct bpf_perf_event_data uapi_PERF_EVENT_DATA;
typedef struct skb_ctx own_SK_BUFF;
typedef struct xdp_ctx own_XDP_MD;

#define MEMBER_SIZE(type, member) sizeof(((type *)NULL)->member)

#define CONVERTED(its_view, member, its_value, its_flags, readers, writers, attach_types) \
	{                                                                                 \
		.name = #member,                                                          \
		.offset = offsetof(uapi_##its_view, member),                              \
		.size = MEMBER_SIZE(uapi_##its_view, member),                             \
		.flags = CTX_CONVERTED | (its_flags),                                     \
		.value = CTX_##its_value,                                                 \
		.view = CTX_VIEW_##its_view,                                              \
		.own_offset = offsetof(own_##its_view, member),                           \
		.own_size = MEMBER_SIZE(own_##its_view, member),                          \
		.read_progs = readers,                                                    \
		.write_progs = writers,                                                   \
		.attach = attach_types,                                                   \
	},
#define AREA(its_view, its_name, its_offset, its_size, its_value, its_flags, readers, writers, \
	     attach_types)                                                                     \
	{                                                                                      \
		.name = its_name,                                                              \
		.offset = its_offset,                                                          \
		.size = its_size,                                                              \
		.flags = its_flags,                                                            \
		.value = CTX_##its_value,                                                      \
		.view = CTX_VIEW_##its_view,                                                   \
		.own_offset = its_offset,                                                      \
		.own_size = its_size,                                                          \
		.read_progs = readers,                                                         \
		.write_progs = writers,                                                        \
		.attach = attach_types,                                                        \
	},
#define FIELD(view, member, value, flags, readers, writers, attach)                          \
	AREA(view, #member, offsetof(uapi_##view, member), MEMBER_SIZE(uapi_##view, member), \
	     value, flags, readers, writers, attach)
#define OBJECT(view, name, offset, size, flags, is_writable) \
	AREA(view, name, offset, size, SCALAR, flags, ANY, (is_writable) ? ANY : 0, 0)
#define KERNEL_POINTER(its_view, its_name, its_offset, structure, readers) \
	{                                                                  \
		.name = its_name,                                          \
		.offset = its_offset,                                      \
		.size = 8,                                                 \
		.value = CTX_BTF_POINTER,                                  \
		.view = CTX_VIEW_##its_view,                               \
		.own_offset = its_offset,                                  \
		.own_size = 8,                                             \
		.read_progs = readers,                                     \
		.btf_type = structure,                                     \
	},

static const struct ctx_field fields[] = {
#include "catalog/ctx.def"
};

static bool is_inside_area(const struct ctx_field *field, u32 offset, u32 size)
{
	if (offset < field->offset || offset + size > field->offset + field->size)
		return false;
	if (field->flags & CTX_WORDS)
		return size == 8 && offset % 8 == 0;
	return (field->flags & CTX_UNALIGNED) || offset % size == 0;
}

/* Whether the row takes an access of this place and size. */
static bool field_covers(const struct ctx_field *field, u32 offset, u32 size, bool is_write)
{
	u32 narrow = is_write ? CTX_WRITE_NARROW : CTX_READ_NARROW;
	u32 wide = is_write ? CTX_WRITE_WIDE : CTX_READ_WIDE;

	if (field->flags & (CTX_RANGE | CTX_WORDS))
		return is_inside_area(field, offset, size);
	if (offset == field->offset && size == field->size)
		return true;
	if (offset == field->offset && size == 8)
		return field->flags & wide;
	if (size >= field->size)
		return false;
	if (field->flags & narrow)
		return offset >= field->offset && offset % size == 0 &&
		       offset + size <= field->offset + field->size;
	return !is_write && (field->flags & CTX_READ_HEAD) && offset == field->offset;
}

static const struct ctx_field *field_find(u32 view, u64 prog, u64 attach, s32 offset, u32 size,
					  bool is_write)
{
	if (offset < 0 || size == 0)
		return NULL;
	for (u32 i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct ctx_field *field = &fields[i];

		if (field->view == view &&
		    (prog & (is_write ? field->write_progs : field->read_progs)) &&
		    (!field->attach || (field->attach & attach)) &&
		    field_covers(field, offset, size, is_write))
			return field;
	}
	return NULL;
}

const struct ctx_field *ctx_field_find(enum bpf_prog_type type,
				       enum bpf_attach_type attach_type, s32 offset, u32 size,
				       bool is_write)
{
	const struct prog_row *row = prog_row(type);

	if (!row)
		return NULL;
	attach_type = prog_default_attach_type(type, attach_type);
	return field_find(row->ctx_view, PROG_BIT(type),
			  (u32)attach_type < 64 ? AT(attach_type) : 0, offset, size, is_write);
}

const struct ctx_field *ctx_object_field_find(enum ctx_view view, s32 offset, u32 size,
					      bool is_write)
{
	const struct ctx_field *field = field_find(view, ANY, 0, offset, size, is_write);

	if (!field && view == CTX_VIEW_SOCKET)
		field = field_find(CTX_VIEW_SOCK_COMMON, ANY, 0, offset, size, is_write);
	return field;
}

static const struct {
	u32 view, start, end;
	const char *since;
} younger[] = {
#define SINCE(its_view, first, last, version)                   \
	{CTX_VIEW_##its_view, offsetof(uapi_##its_view, first), \
	 offsetof(uapi_##its_view, last) + MEMBER_SIZE(uapi_##its_view, last), version},
#include "catalog/ctx_since.def"
	/* skb_hwtstamp, which headers may lack */
	{CTX_VIEW_SOCK_OPS, 216, 224, "6.2"},
};

const char *ctx_field_since(const struct ctx_field *field)
{
	for (u32 i = 0; i < ARRAY_SIZE(younger); i++)
		if (younger[i].view == field->view && younger[i].start <= field->offset &&
		    field->offset < younger[i].end)
			return younger[i].since;
	return NULL;
}
