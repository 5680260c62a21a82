/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows that an access stays inside the object that its register points into, by the kind of
 * object. The stack is in stack.c.
 */
#include "verify/memory.h"

#include "verify/attach.h"
#include "verify/facts.h"
#include "verify/object.h"
#include "verify/special.h"

#include <stdio.h>
#include <string.h>

const char *number_bits_text(const struct scalar *number, char *out)
{
	if (scalar_is_const(number))
		snprintf(out, NUMBER_BITS_TEXT,
			 number->bits.value < UINT16_MAX ? "%llu" : "%#llx",
			 number->bits.value);
	else
		snprintf(out, NUMBER_BITS_TEXT, "(0x%llx; 0x%llx)", number->bits.value,
			 number->bits.mask);
	return out;
}

/* --- bounds --- */

/* Which end of the access is wrong: Linux's second line. */
static int say_which(struct walk *walk, const struct extent *extent, const char *which,
		     int code)
{
	if (walk->log)
		strbuf_addf(walk->log, "R%u %s\n", extent->reg, which);
	return code;
}

static int reject_packet(struct walk *walk, const struct extent *extent, s64 off)
{
	const struct reg_state *reg = walk_reg(walk, extent->reg);
	int code = reject(walk, packet_range, off, extent->size, extent->reg, reg->id, (s32)off,
			  reg->range);

	return say_which(walk, extent, "offset is outside of the packet", code);
}

static int reject_bounds(struct walk *walk, const struct extent *extent, s64 off, u64 limit,
			 const char *which)
{
	int code;

	switch (walk_reg(walk, extent->reg)->kind) {
	case REG_MAP_VALUE:
		code = reject(walk, map_value_range, (u32)limit, off, extent->size);
		break;
	case REG_MAP_KEY:
		code = reject(walk, map_key_range, (u32)limit, off, extent->size);
		break;
	default: code = reject(walk, memory_range, (u32)limit, off, extent->size); break;
	}
	return say_which(walk, extent, which, code);
}

static bool is_inside(const struct extent *extent, s64 off, u64 limit)
{
	bool has_size = extent->size > 0 || (extent->size == 0 && extent->may_be_empty);

	return off >= 0 && has_size && (u64)off + (u64)extent->size <= limit;
}

int memory_prove_within(struct walk *walk, const struct extent *extent, u64 limit)
{
	const struct reg_state *reg = walk_reg(walk, extent->reg);
	s64 off = (s64)reg->off + extent->off, smin = reg->number.smin;

	if (smin < 0 && (smin < -(1ll << 32) || off + smin < 0))
		return reject(walk, negative_offset, extent->reg);
	if (!is_inside(extent, off + smin, limit))
		return reject_bounds(walk, extent, off + smin, limit,
				     "min value is outside of the allowed memory range");
	if (reg->number.umax >= POINTER_OFFSET_LIMIT)
		return reject(walk, unbounded_offset, extent->reg);
	if (!is_inside(extent, off + (s64)reg->number.umax, limit))
		return reject_bounds(walk, extent, off + (s64)reg->number.umax, limit,
				     "max value is outside of the allowed memory range");
	walk->access = (struct access){.kind = extent->access,
				       .is_fixed = scalar_is_const(&reg->number),
				       .low = off + smin,
				       .high = off + (s64)reg->number.umax,
				       .size = (u32)extent->size};
	return 0;
}

int memory_prove_map_value(struct walk *walk, const struct extent *extent)
{
	const struct reg_state *reg = walk_reg(walk, extent->reg);
	const struct map_desc *map = reg->map;
	s32 off = reg->off + extent->off;
	int ret;

	if (extent->access & ACCESS_WRITE && map->flags & BPF_F_RDONLY_PROG)
		return reject(walk, map_write_forbidden, map->value_size, off, extent->size);
	if (extent->access & ACCESS_READ && map->flags & BPF_F_WRONLY_PROG)
		return reject(walk, map_read_forbidden, map->value_size, off, extent->size);
	ret = memory_prove_within(walk, extent, map->value_size);
	return ret ? ret : special_prove_untouched(walk, map, extent);
}

int memory_prove_packet(struct walk *walk, const struct extent *extent)
{
	const struct reg_state *reg = walk_reg(walk, extent->reg);
	s64 off = (s64)reg->off + extent->off;

	if (reg->number.smin < 0)
		return reject(walk, negative_offset, extent->reg);
	/* The range was measured from the same unknown offset: only the constant part counts.
	 */
	if (!is_inside(extent, off, reg->range))
		return reject_packet(walk, extent, off);
	walk->access = (struct access){.kind = extent->access, .size = (u32)extent->size};
	return 0;
}

static const char *buffer_text(const struct reg_state *reg)
{
	if (reg->kind == REG_TP_BUFFER)
		return "tracepoint";
	return reg->flags & REG_READ_ONLY ? "rdonly" : "rdwr";
}

int memory_prove_buffer(struct walk *walk, const struct extent *extent)
{
	const struct reg_state *reg = walk_reg(walk, extent->reg);
	s64 off = (s64)reg->off + extent->off;
	char bits[NUMBER_BITS_TEXT];
	u32 *end;

	if (off < 0)
		return reject(walk, buffer_range, extent->reg, buffer_text(reg), off,
			      extent->size);
	if (!scalar_is_const(&reg->number) || reg->number.bits.value)
		return reject(walk, buffer_variable_offset, extent->reg, off,
			      number_bits_text(&reg->number, bits));
	end = &walk->out->buffer_end[!!(reg->flags & REG_READ_ONLY)];
	*end = max(*end, (u32)(off + extent->size));
	walk->access = (struct access){.kind = extent->access,
				       .is_fixed = true,
				       .low = off,
				       .high = off,
				       .size = (u32)extent->size};
	return 0;
}

int memory_prove_fixed(struct walk *walk, u32 regno)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	char kind[REG_KIND_TEXT], bits[NUMBER_BITS_TEXT];

	if (reg->off < 0)
		return reject(walk, pointer_negative_offset, reg_kind_text(reg, kind), regno,
			      reg->off);
	if (!scalar_is_const(&reg->number) || reg->number.bits.value)
		return reject(walk, pointer_variable_offset, reg_kind_text(reg, kind),
			      number_bits_text(&reg->number, bits));
	return 0;
}

int memory_prove_unmoved(struct walk *walk, u32 regno)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	char kind[REG_KIND_TEXT];

	if (reg->off > 0)
		return reject(walk, pointer_modified, reg_kind_text(reg, kind), regno,
			      reg->off);
	return memory_prove_fixed(walk, regno);
}

/* --- by kind of object --- */

static int prove_no_leak(struct walk *walk, const struct requirement *need, const char *into)
{
	if (!(need->access & ACCESS_WRITE) || need->value == NO_REG ||
	    !walk_hides_pointer(walk, walk_reg(walk, need->value)))
		return 0;
	return reject(walk, leak_into_memory, need->value, into);
}

static int reject_read_only(struct walk *walk, const struct requirement *need)
{
	char kind[REG_KIND_TEXT];

	return reject(walk, read_only_object, need->reg,
		      reg_kind_text(walk_reg(walk, need->reg), kind));
}

/* A pointer cannot be loaded as a sign-extended number. */
static bool fits_sign_extension(const struct walk *walk, const struct ctx_field *field)
{
	const struct bpf_insn *insn = walk_insn(walk);

	return field->value == CTX_SCALAR || BPF_CLASS(insn->code) != BPF_LDX ||
	       BPF_MODE(insn->code) != BPF_MEMSX;
}

/* What programs on a cgroup's packets may do with CAP_BPF only. */
static bool needs_bpf(const struct walk *walk, const struct ctx_field *field, u8 access)
{
	if (walk->rules.may_loop || walk->input->type != BPF_PROG_TYPE_CGROUP_SKB)
		return false;
	return field->value == CTX_PACKET || field->value == CTX_PACKET_END ||
	       (access & ACCESS_WRITE && field->offset == offsetof(struct __sk_buff, tstamp));
}

/* The context is the arguments of what the program attaches to. */
static int prove_argument_load(struct walk *walk, const struct requirement *need)
{
	struct access *access = &walk->access;

	access->field = ctx_field_find(walk->input->type, walk->input->attach_type, 0,
				       sizeof(u64), false);
	if (need->access & ACCESS_WRITE)
		return reject(walk, ctx_access, (s32)access->low, need->size);
	return attach_prove_argument(walk, access->low, need->size);
}

/* A field that points to an object of the kernel. */
static int find_field_object(struct walk *walk)
{
	const struct ctx_field *field = walk->access.field;

	if (field->value != CTX_BTF_POINTER || !field->btf_type)
		return 0;
	walk->access.loaded =
		(struct loaded){.kind = REG_BTF,
				.flags = REG_TRUSTED,
				.btf = walk_kernel(walk),
				.type_id = walk_kernel_struct(walk, field->btf_type)};
	if (!walk->access.loaded.type_id)
		return reject(walk, ctx_access, (s32)walk->access.low, walk->access.size);
	return 0;
}

int memory_prove_context(struct walk *walk, const struct requirement *need)
{
	const struct reg_state *reg = walk_reg(walk, need->reg);
	s32 off = reg->off + need->off;
	int ret = prove_no_leak(walk, need, "ctx");

	ret = ret ? ret : memory_prove_unmoved(walk, need->reg);
	if (ret)
		return ret;
	walk->access = (struct access){
		.kind = need->access,
		.is_fixed = true,
		.low = off,
		.high = off,
		.size = need->size,
		.field = ctx_field_find(walk->input->type, walk->input->attach_type, off,
					need->size, need->access & ACCESS_WRITE),
	};
	if (walk->attach.btf)
		return prove_argument_load(walk, need);
	if (!walk->access.field || !fits_sign_extension(walk, walk->access.field) ||
	    needs_bpf(walk, walk->access.field, need->access))
		return reject(walk, ctx_access, off, need->size);
	return find_field_object(walk);
}

static enum ctx_view socket_view(const struct reg_state *reg)
{
	switch (reg->kind) {
	case REG_SOCKET: return CTX_VIEW_SOCKET;
	case REG_TCP_SOCK: return CTX_VIEW_TCP_SOCK;
	case REG_XDP_SOCK: return CTX_VIEW_XDP_SOCK;
	default: return CTX_VIEW_SOCK_COMMON;
	}
}

static int prove_socket(struct walk *walk, const struct requirement *need)
{
	const struct reg_state *reg = walk_reg(walk, need->reg);
	s32 off = reg->off + need->off;
	char kind[REG_KIND_TEXT];

	if (need->access & ACCESS_WRITE)
		return reject_read_only(walk, need);
	if (reg->number.smin < 0)
		return reject(walk, negative_offset, need->reg);
	if (!ctx_object_field_find(socket_view(reg), off, need->size, false))
		return reject(walk, sock_access, need->reg, reg_kind_text(reg, kind), off,
			      need->size);
	walk->access = (struct access){.kind = need->access,
				       .is_fixed = true,
				       .low = off,
				       .high = off,
				       .size = need->size};
	return 0;
}

static int prove_flow_keys(struct walk *walk, const struct requirement *need)
{
	s32 off = walk_reg(walk, need->reg)->off + need->off;
	int ret = prove_no_leak(walk, need, "flow keys");

	if (ret)
		return ret;
	if (off < 0 || off + need->size > (s32)sizeof(struct bpf_flow_keys))
		return reject(walk, flow_keys_range, off, need->size);
	walk->access = (struct access){.kind = need->access,
				       .is_fixed = true,
				       .low = off,
				       .high = off,
				       .size = need->size};
	return 0;
}

static int prove_packet_access(struct walk *walk, const struct requirement *need,
			       const struct extent *extent)
{
	int ret;

	if (need->access & ACCESS_WRITE && !walk->row->may_write_packet)
		return reject(walk, packet_read_only);
	ret = prove_no_leak(walk, need, "packet");
	return ret ? ret : memory_prove_packet(walk, extent);
}

static int prove_stack_access(struct walk *walk, const struct requirement *need,
			      const struct extent *extent)
{
	int ret = stack_prove_bounds(walk, extent);

	if (!ret && need->access & ACCESS_READ)
		ret = stack_prove_read(walk, need);
	if (!ret && need->access & ACCESS_WRITE)
		ret = stack_prove_write(walk, need);
	return ret;
}

static int prove_given_memory(struct walk *walk, const struct requirement *need,
			      const struct extent *extent)
{
	const struct reg_state *reg = walk_reg(walk, need->reg);
	int ret;

	if (need->access & ACCESS_WRITE && reg->flags & REG_READ_ONLY)
		return reject_read_only(walk, need);
	ret = prove_no_leak(walk, need, "mem");
	if (ret)
		return ret;
	if (reg->kind != REG_MEM)
		return memory_prove_buffer(walk, extent);
	if (reg->flags & REG_UNTRUSTED) {
		walk->access = (struct access){.kind = need->access, .size = need->size};
		return 0;
	}
	return memory_prove_within(walk, extent, reg->mem_size);
}

static int prove_value_access(struct walk *walk, const struct requirement *need,
			      const struct extent *extent)
{
	int ret = prove_no_leak(walk, need, "map");

	return ret ? ret : memory_prove_map_value(walk, extent);
}

static int prove_key_access(struct walk *walk, const struct requirement *need,
			    const struct extent *extent)
{
	if (need->access & ACCESS_WRITE)
		return reject(walk, key_read_only, need->reg);
	return memory_prove_within(walk, extent, walk_reg(walk, need->reg)->map->key_size);
}

/* Wherever it points: what is not there faults, and is dealt with then. */
static int prove_arena_access(struct walk *walk, const struct requirement *need)
{
	walk->access = (struct access){.kind = need->access, .size = need->size};
	return 0;
}

static int prove_by_kind(struct walk *walk, const struct requirement *need)
{
	const struct reg_state *reg = walk_reg(walk, need->reg);
	struct extent extent = {
		.reg = need->reg, .off = need->off, .size = need->size, .access = need->access};
	char kind[REG_KIND_TEXT];

	if (!reg_may_be_null(reg)) {
		switch ((enum reg_kind)reg->kind) {
		case REG_MAP_VALUE: return prove_value_access(walk, need, &extent);
		case REG_MAP_KEY: return prove_key_access(walk, need, &extent);
		case REG_ARENA: return prove_arena_access(walk, need);
		case REG_STACK: return prove_stack_access(walk, need, &extent);
		case REG_CTX: return memory_prove_context(walk, need);
		case REG_PACKET:
		case REG_PACKET_META: return prove_packet_access(walk, need, &extent);
		case REG_FLOW_KEYS: return prove_flow_keys(walk, need);
		case REG_SOCKET:
		case REG_SOCK_COMMON:
		case REG_TCP_SOCK:
		case REG_XDP_SOCK: return prove_socket(walk, need);
		case REG_MEM:
		case REG_BUFFER:
		case REG_TP_BUFFER: return prove_given_memory(walk, need, &extent);
		case REG_BTF: return object_prove(walk, &extent);
		case REG_MAP: return object_prove_map(walk, &extent);
		case REG_NOT_INIT:
		case REG_SCALAR:
		case REG_PACKET_END:
		case REG_FUNC:
		case REG_DYNPTR:
		case REG_ITERATOR:
		case REG_IRQ_FLAG:
		case REG_KINDS: break;
		}
	}
	return reject(walk, bad_pointer, need->reg, reg_kind_text(reg, kind));
}

/* The old value takes the place of the address, which is some number then. */
static bool overwrites_address(const struct bpf_insn *insn)
{
	u8 fetched = insn->imm == BPF_CMPXCHG ? BPF_REG_0 : insn->src_reg;

	return insn->imm != BPF_LOAD_ACQ && insn->imm != BPF_STORE_REL &&
	       insn->imm & BPF_FETCH && fetched == insn->dst_reg;
}

static int reject_overwritten(struct walk *walk, const struct requirement *need)
{
	const struct scalar any = scalar_unknown();
	char bits[NUMBER_BITS_TEXT];

	return reject(walk, misaligned, "", number_bits_text(&any, bits), 0, need->off,
		      need->size);
}

/* The stack is tracked in aligned pieces, and atomic operations need alignment everywhere; else
 * alignment counts only when it was asked for. */
int prove_memory(struct walk *walk, const struct requirement *need)
{
	const struct bpf_insn *insn = walk_insn(walk);
	bool is_atomic = BPF_CLASS(insn->code) == BPF_STX && BPF_MODE(insn->code) == BPF_ATOMIC;
	const struct reg_state *reg = walk_reg(walk, need->reg);
	int ret = 0;

	if (is_atomic && overwrites_address(insn))
		return reject_overwritten(walk, need);
	if (need->size > 1 &&
	    (is_atomic || reg->kind == REG_STACK || walk->rules.strict_alignment))
		ret = memory_prove_alignment(walk, need);
	ret = ret ? ret : prove_by_kind(walk, need);
	if (ret)
		return ret;
	walk->access.object = reg->kind;
	return fact_memory(walk, reg);
}

bool memory_constant(const struct walk *walk, const struct reg_state *base, u32 size,
		     u64 *value)
{
	if (base->kind != REG_MAP_VALUE || !walk->access.is_fixed ||
	    base->map->max_entries != 1 || !map_desc_is_constant(base->map))
		return false;
	*value = 0;
	memcpy(value, base->map->values + walk->access.low, size);
	return true;
}
