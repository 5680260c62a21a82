/* SPDX-License-Identifier: BSD-2-Clause */
/* Shows that the registers of a helper call are what the helper's row asks for. */
#include "verify/helpers.h"
#include "verify/memory.h"
#include "verify/object.h"
#include "verify/own.h"
#include "verify/precision.h"
#include "verify/special.h"
#include "verify/stack_object.h"

#include <stdio.h>
#include <string.h>

/* --- kinds of registers that fit --- */

#define KIND(kind) (1u << (kind))
#define MEMORY_KINDS                                                                      \
	(KIND(REG_STACK) | KIND(REG_PACKET) | KIND(REG_PACKET_META) | KIND(REG_MAP_KEY) | \
	 KIND(REG_MAP_VALUE) | KIND(REG_MEM) | KIND(REG_BUFFER))
#define SOCK_KINDS \
	(KIND(REG_SOCK_COMMON) | KIND(REG_SOCKET) | KIND(REG_TCP_SOCK) | KIND(REG_XDP_SOCK))

struct fit {
	u32 kinds;
	const char *expected; /* as Linux lists them */
};

static const char memory_kinds[] =
	"fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_";
static const char sock_kinds[] = "sock_common, sock, tcp_sock, xdp_sock";
static const char btf_sock_kinds[] =
	"sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_";

static const struct fit fits[] = {
	[ARG_CONST_MAP_PTR] = {KIND(REG_MAP), "map_ptr"},
	[ARG_MAP_KEY] = {MEMORY_KINDS, memory_kinds},
	[ARG_MAP_VALUE] = {MEMORY_KINDS, memory_kinds},
	[ARG_MEM] = {MEMORY_KINDS, memory_kinds},
	[ARG_FIXED_MEM] = {MEMORY_KINDS, memory_kinds},
	[ARG_CONST_SIZE] = {KIND(REG_SCALAR), "scalar"},
	[ARG_CONST_SIZE_OR_ZERO] = {KIND(REG_SCALAR), "scalar"},
	[ARG_CONST_ALLOC_SIZE] = {KIND(REG_SCALAR), "scalar"},
	[ARG_CTX] = {KIND(REG_CTX), "ctx"},
	[ARG_SPIN_LOCK] = {KIND(REG_MAP_VALUE), "map_value, ptr_"},
	[ARG_TIMER] = {KIND(REG_MAP_VALUE), "map_value"},
	[ARG_SOCK_COMMON] = {SOCK_KINDS, sock_kinds},
	[ARG_SOCKET] = {KIND(REG_SOCKET), "sock"},
	[ARG_BTF_ID] = {0, "ptr_, trusted_ptr_, rcu_ptr_"},
	[ARG_BTF_ID_SOCK_COMMON] = {SOCK_KINDS, btf_sock_kinds},
	[ARG_PERCPU_BTF_ID] = {0, "percpu_ptr_, percpu_rcu_ptr_, percpu_trusted_ptr_"},
	[ARG_RINGBUF_MEM] = {KIND(REG_MEM), "ringbuf_mem"},
	[ARG_FUNC] = {KIND(REG_FUNC), "func"},
	[ARG_STACK] = {KIND(REG_STACK), "fp"},
	[ARG_CONST_STR] = {KIND(REG_MAP_VALUE), "map_value"},
	[ARG_KPTR] = {KIND(REG_MAP_VALUE), "map_value, ptr_"},
	[ARG_DYNPTR] = {KIND(REG_STACK) | KIND(REG_DYNPTR), "fp, dynptr_ptr"},
};

static bool is_written(const struct helper_arg *arg)
{
	return arg->flags & (ARG_WRITE | ARG_UNINIT);
}

/* Linux does not say of keys and values that they are only read. */
static bool may_write(const struct helper_arg *arg)
{
	return is_written(arg) || arg->kind == ARG_MAP_KEY || arg->kind == ARG_MAP_VALUE;
}

static bool flags_fit(const struct reg_state *reg, const struct helper_arg *arg)
{
	u16 flags = reg->flags;

	if (reg->kind == REG_SCALAR)
		return true;
	if (arg->flags & ARG_OR_NULL)
		flags &= ~REG_MAY_BE_NULL;
	if (!may_write(arg))
		flags &= ~REG_READ_ONLY;
	if (arg->kind == ARG_RINGBUF_MEM)
		return flags == REG_RINGBUF;
	return !(flags & ~REG_RINGBUF);
}

/* Kinds of arguments that an object may be, too. */
static bool takes_object(const struct helper_arg *arg)
{
	return arg->kind == ARG_BTF_ID || arg->kind == ARG_BTF_ID_SOCK_COMMON ||
	       arg->kind == ARG_PERCPU_BTF_ID || fits[arg->kind].expected == memory_kinds;
}

static int prove_object(struct walk *walk, u32 regno, const struct helper_arg *arg)
{
	char kind[REG_KIND_TEXT];

	if (fits[arg->kind].expected == memory_kinds && may_write(arg))
		return reject(walk, arg_may_write, walk->need->helper->name, regno,
			      reg_kind_text(walk_reg(walk, regno), kind));
	return object_prove_argument(walk, regno, arg);
}

static bool takes_own(const struct helper_arg *arg)
{
	return arg->kind == ARG_SPIN_LOCK || arg->kind == ARG_KPTR;
}

/* An object of whatever type the pointer in the value has. */
static bool is_kptr_value(const struct helper_arg *arg)
{
	return arg->kind == ARG_BTF_ID && !arg->btf_type;
}

static int prove_kind(struct walk *walk, u32 regno, const struct helper_arg *arg)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	const struct fit *fit = &fits[arg->kind];
	char kind[REG_KIND_TEXT];

	if (own_is_object(reg) && takes_own(arg) && reg->flags == REG_ALLOCATED)
		return 0;
	if (reg->kind == REG_BTF && is_kptr_value(arg))
		return kptr_prove_value(walk, regno);
	if (reg->kind == REG_BTF && takes_object(arg) && object_fits(reg, arg))
		return prove_object(walk, regno, arg);
	if (fit->kinds & KIND(reg->kind) && flags_fit(reg, arg))
		return 0;
	return reject(walk, arg_kind, regno, reg_kind_text(reg, kind), fit->expected);
}

/* Objects other than plain memory are passed as they came. */
static int prove_offset(struct walk *walk, u32 regno, const struct helper_arg *arg)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	u32 movable = MEMORY_KINDS | KIND(REG_SCALAR);

	if (arg->kind == ARG_DYNPTR)
		return 0;
	if (arg->flags & ARG_RELEASE && reg_is_pointer(reg) &&
	    (reg->off || !scalar_is_const(&reg->number) || reg->number.bits.value))
		return reject(walk, release_offset, regno);
	if (movable & KIND(reg->kind))
		return 0;
	return reg->kind == REG_BTF ? memory_prove_fixed(walk, regno)
				    : memory_prove_unmoved(walk, regno);
}

int argument_prove_object(struct walk *walk, u32 regno, const struct helper_arg *arg)
{
	int ret = prove_kind(walk, regno, arg);

	return ret ? ret : prove_offset(walk, regno, arg);
}

static int prove_reference(struct walk *walk, u32 regno, const struct helper_arg *arg)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	struct call *call = &walk->call;

	if (arg->kind == ARG_DYNPTR || arg->kind == ARG_KPTR)
		return 0; /* an object that the pointer is put in stays as it is */
	if (arg->flags & ARG_RELEASE) {
		if (!reg->ref_id && !reg_is_null(reg))
			return reject(walk, not_referenced, regno);
		call->released_ref = reg->ref_id;
	}
	if (!reg->ref_id)
		return 0;
	if (call->ref_id)
		return reject(walk, two_references, regno, reg->ref_id, call->ref_id);
	call->ref_id = reg->ref_id;
	return 0;
}

/* --- memory --- */

/* Packet pointers may go to helpers that say so, from programs that may look at packets. */
static int prove_packet_use(struct walk *walk, u32 regno, const struct helper_row *row)
{
	const struct reg_state *reg = walk_reg(walk, regno);

	if (reg->kind != REG_PACKET && reg->kind != REG_PACKET_META)
		return 0;
	if (walk->row->has_packet && row->flags & HELPER_PACKET_ARGS)
		return 0;
	return reject(walk, helper_packet);
}

/* Stack memory: `may_be_raw` when the helper fills it before it reads it. */
static int prove_stack_memory(struct walk *walk, const struct extent *extent, bool may_be_raw)
{
	struct call *call = &walk->call;
	struct extent bounds = *extent;
	int ret;

	if (extent->size == 0 && !extent->may_be_empty)
		return reject(walk, zero_sized_read, extent->reg);
	if (may_be_raw)
		bounds.access |= ACCESS_WRITE; /* beyond what was written so far, too */
	ret = stack_prove_bounds(walk, &bounds);
	if (ret)
		return ret;
	if (!may_be_raw || !walk->access.is_fixed)
		ret = stack_prove_initialised(walk, extent);
	else
		ret = stack_prove_no_dynptr(walk);
	if (ret || !(extent->access & ACCESS_WRITE))
		return ret;
	call->raw[call->raw_cnt++] = walk->access;
	return 0;
}

static int reject_read_only(struct walk *walk, u32 regno)
{
	char kind[REG_KIND_TEXT];

	return reject(walk, read_only_object, regno,
		      reg_kind_text(walk_reg(walk, regno), kind));
}

/* Programs whose accesses to the context Linux leaves as they are. */
static bool has_plain_context(u32 type)
{
	switch (type) {
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
	case BPF_PROG_TYPE_TRACING:
	case BPF_PROG_TYPE_STRUCT_OPS:
	case BPF_PROG_TYPE_LSM:
	case BPF_PROG_TYPE_CGROUP_DEVICE:
	case BPF_PROG_TYPE_NETFILTER:
	case BPF_PROG_TYPE_SYSCALL: return true;
	default: return false;
	}
}

/* As in Linux, the last byte stands for all. */
static int prove_context_bytes(struct walk *walk, const struct extent *extent)
{
	const struct requirement need = {
		.reg = (u8)extent->reg,
		.off = extent->size - 1,
		.size = 1,
		.access = extent->access,
		.value = NO_REG,
	};

	if (!extent->size)
		return extent->may_be_empty ? 0 : reject(walk, zero_sized_read, extent->reg);
	return memory_prove_context(walk, &need);
}

int argument_prove_extent(struct walk *walk, const struct extent *extent, bool may_be_raw)
{
	const struct reg_state *reg = walk_reg(walk, extent->reg);
	bool writes = extent->access & ACCESS_WRITE;
	char kind[REG_KIND_TEXT];

	switch (reg->kind) {
	case REG_STACK: return prove_stack_memory(walk, extent, may_be_raw);
	case REG_PACKET:
	case REG_PACKET_META: return memory_prove_packet(walk, extent);
	case REG_MAP_VALUE: return memory_prove_map_value(walk, extent);
	case REG_MAP_KEY:
		if (writes)
			return reject_read_only(walk, extent->reg);
		return memory_prove_within(walk, extent, reg->map->key_size);
	case REG_MEM:
	case REG_BUFFER:
		if (writes && reg->flags & REG_READ_ONLY)
			return reject_read_only(walk, extent->reg);
		return reg->kind == REG_MEM ? memory_prove_within(walk, extent, reg->mem_size)
					    : memory_prove_buffer(walk, extent);
	case REG_BTF: return object_prove(walk, extent);
	case REG_CTX:
		if (!has_plain_context(walk->input->type))
			break;
		return prove_context_bytes(walk, extent);
	default: break;
	}
	if (reg_is_null(reg) && extent->may_be_empty && !extent->size)
		return 0;
	return reject(walk, param_kind, extent->reg, reg_kind_text(reg, kind));
}

int call_prove_memory(struct walk *walk, u32 regno, u32 size, u8 access)
{
	struct extent extent = {
		.reg = regno,
		.size = (s32)size,
		.access = access,
		.may_be_empty = true,
		.by_helper = true,
	};

	return argument_prove_extent(walk, &extent, false);
}

static int prove_memory_argument(struct walk *walk, u32 regno, const struct helper_arg *arg,
				 u32 size, bool may_be_empty, bool size_is_known)
{
	struct extent extent = {
		.reg = regno,
		.size = (s32)size,
		.access = is_written(arg) ? ACCESS_WRITE : ACCESS_READ,
		.may_be_empty = may_be_empty,
		.by_helper = true,
	};
	const struct reg_state *reg = walk_reg(walk, regno);
	char kind[REG_KIND_TEXT];

	if (reg_is_null(reg) && arg->flags & ARG_OR_NULL && !size)
		return 0;
	if (reg_is_null(reg) && size)
		return reject(walk, param_kind, regno, reg_kind_text(reg, kind));
	/* Linux lets this pass, and reads from NULL. */
	if (reg_may_be_null(reg) && size)
		return reject(walk, arg_kind, regno, reg_kind_text(reg, kind), memory_kinds);
	return argument_prove_extent(walk, &extent, arg->flags & ARG_UNINIT && size_is_known);
}

/* The size that goes with the memory argument before it. */
static int prove_size(struct walk *walk, u32 regno, const struct helper_row *row)
{
	const struct scalar *size = &walk_reg(walk, regno)->number;
	u32 index = regno - BPF_REG_1;
	bool may_be_zero = row->arg[index].kind == ARG_CONST_SIZE_OR_ZERO;

	walk->call.size_max = size->umax;
	if (size->smin < 0)
		return reject(walk, size_negative, regno);
	if (!size->umin && !may_be_zero)
		return reject(walk, size_zero, regno, size->umin, size->umax);
	if (size->umax >= POINTER_OFFSET_LIMIT)
		return reject(walk, size_unbounded, regno);
	precision_need(walk, 1u << regno);
	return prove_memory_argument(walk, regno - 1, &row->arg[index - 1], (u32)size->umax,
				     may_be_zero, scalar_is_const(size));
}

/* A key that is one constant may make the look-up's result certain. */
static void note_constant_key(struct walk *walk, const struct reg_state *reg)
{
	struct call *call = &walk->call;
	const struct map_desc *map = call->map;
	struct reg_state key;

	if ((map->type != BPF_MAP_TYPE_ARRAY && map->type != BPF_MAP_TYPE_PERCPU_ARRAY) ||
	    reg->kind != REG_STACK || !walk->access.is_fixed)
		return;
	if (!stack_holds_number(walk, &key) || !reg_is_const(&key))
		return;
	precision_need_slot(walk, walk->access.frame, walk->access.low);
	precision_need_slot(walk, walk->access.frame, walk->access.low + walk->access.size - 1);
	call->key = key.number.bits.value;
	call->has_key = true;
}

static int prove_key(struct walk *walk, u32 regno, const struct helper_arg *arg)
{
	int ret =
		prove_memory_argument(walk, regno, arg, walk->call.map->key_size, false, true);
	if (!ret)
		note_constant_key(walk, walk_reg(walk, regno));
	return ret;
}

static int prove_value(struct walk *walk, u32 regno, const struct helper_arg *arg)
{
	if (reg_is_null(walk_reg(walk, regno)) && arg->flags & ARG_OR_NULL)
		return 0;
	return prove_memory_argument(walk, regno, arg, walk->call.map->value_size, false, true);
}

static int prove_fixed(struct walk *walk, u32 regno, const struct helper_arg *arg)
{
	struct requirement need = {.reg = (u8)regno, .size = (u8)arg->size};
	int ret = prove_memory_argument(walk, regno, arg, arg->size, false, true);

	if (ret || !(arg->flags & ARG_ALIGNED) || arg->size > 8)
		return ret;
	return memory_prove_alignment(walk, &need);
}

static int prove_alloc_size(struct walk *walk, u32 regno)
{
	const struct reg_state *reg = walk_reg(walk, regno);

	if (!scalar_is_const(&reg->number))
		return reject(walk, not_constant, regno);
	walk->call.memory_size = reg->number.bits.value;
	precision_need(walk, 1u << regno);
	return 0;
}

int call_prove_string(struct walk *walk, u32 regno)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	const struct map_desc *map = reg->map;
	struct extent extent = {
		.reg = regno, .size = (s32)map->value_size - reg->off, .access = ACCESS_READ};
	int ret;

	if (!map_desc_is_constant(map))
		return reject(walk, string_not_constant, regno);
	if (!scalar_is_const(&reg->number))
		return reject(walk, string_variable, regno);
	ret = memory_prove_map_value(walk, &extent);
	if (ret)
		return ret;
	if (!memchr(map->values + walk->access.low, 0, map->value_size - walk->access.low))
		return reject(walk, string_unterminated);
	return 0;
}

static enum dynptr_kind dynptr_kind_of(const struct helper_arg *arg)
{
	if (arg->flags & ARG_DYNPTR_LOCAL)
		return DYNPTR_LOCAL;
	return arg->flags & ARG_DYNPTR_RINGBUF ? DYNPTR_RINGBUF : DYNPTR_NONE;
}

static int prove_dynptr(struct walk *walk, u32 regno, const struct helper_arg *arg)
{
	if (arg->flags & ARG_UNINIT)
		return dynptr_prove_place(walk, regno);
	if (arg->flags & ARG_RELEASE)
		return dynptr_prove_release(walk, regno);
	return dynptr_prove(walk, regno, dynptr_kind_of(arg), !(arg->flags & ARG_DYNPTR_READ));
}

/* --- by kind of argument --- */

static int prove_anything(struct walk *walk, u32 regno)
{
	if (walk_hides_pointer(walk, walk_reg(walk, regno)))
		return reject(walk, leak_into_helper, regno);
	return 0;
}

static int prove_content(struct walk *walk, u32 regno, const struct helper_row *row)
{
	const struct helper_arg *arg = &row->arg[regno - BPF_REG_1];
	const struct reg_state *reg = walk_reg(walk, regno);

	switch ((enum arg_kind)arg->kind) {
	case ARG_CONST_MAP_PTR: return special_prove_map_of_field(walk, regno, "timer");
	case ARG_MAP_KEY: return prove_key(walk, regno, arg);
	case ARG_MAP_VALUE: return prove_value(walk, regno, arg);
	case ARG_FIXED_MEM: return prove_fixed(walk, regno, arg);
	case ARG_CONST_SIZE:
	case ARG_CONST_SIZE_OR_ZERO: return prove_size(walk, regno, row);
	case ARG_CONST_ALLOC_SIZE: return prove_alloc_size(walk, regno);
	case ARG_SPIN_LOCK: return lock_prove(walk, regno, row->id == BPF_FUNC_spin_lock);
	case ARG_KPTR: return kptr_prove_slot(walk, regno);
	case ARG_TIMER: return special_prove_field(walk, regno, BTF_FIELD_TIMER);
	case ARG_CONST_STR: return call_prove_string(walk, regno);
	case ARG_DYNPTR: return prove_dynptr(walk, regno, arg);
	case ARG_PERCPU_BTF_ID:
		walk->call.per_cpu = *reg;
		return object_prove_per_cpu(walk, regno);
	case ARG_FUNC:
		walk->call.callback = (u32)reg->subprog;
		walk->call.calls_back = true;
		return 0;
	case ARG_NONE:
	case ARG_ANYTHING:
	case ARG_MEM: /* with its size, the next argument */
	case ARG_CTX:
	case ARG_SOCK_COMMON:
	case ARG_SOCKET:
	case ARG_BTF_ID:
	case ARG_BTF_ID_SOCK_COMMON:
	case ARG_RINGBUF_MEM:
	case ARG_STACK: break;
	}
	return 0;
}

/* Where the map is a socket map, the value to store is a socket. */
static struct helper_arg effective(const struct walk *walk, const struct helper_arg *arg)
{
	const struct map_desc *map = walk->call.map;
	struct helper_arg out = *arg;

	if (arg->kind == ARG_MAP_VALUE && map &&
	    (map->type == BPF_MAP_TYPE_SOCKMAP || map->type == BPF_MAP_TYPE_SOCKHASH))
		out.kind = ARG_BTF_ID_SOCK_COMMON;
	return out;
}

int prove_argument(struct walk *walk, const struct requirement *need)
{
	const struct helper_row *row = need->helper;
	const struct helper_arg arg = effective(walk, &row->arg[need->reg - BPF_REG_1]);
	const struct reg_state *reg = walk_reg(walk, need->reg);
	int ret;

	if (reg->kind == REG_NOT_INIT)
		return reject(walk, not_initialised, need->reg);
	if (arg.kind == ARG_ANYTHING)
		return prove_anything(walk, need->reg);
	ret = prove_packet_use(walk, need->reg, row);
	if (reg_is_null(reg))
		precision_need(walk, 1u << need->reg); /* another number would be refused */
	if (!ret && !(reg_is_null(reg) && arg.flags & ARG_OR_NULL)) {
		ret = argument_prove_object(walk, need->reg, &arg);
	}
	ret = ret ? ret : prove_reference(walk, need->reg, &arg);
	if (ret || arg.kind != row->arg[need->reg - BPF_REG_1].kind)
		return ret;
	return prove_content(walk, need->reg, row);
}
