/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/state_print.h"

#include "verify/tnum.h"

/* Smaller numbers are decimal, others hexadecimal. */
static bool is_small_signed(s64 value)
{
	return value >= INT16_MIN && value <= INT16_MAX;
}

static void print_signed(s64 value, struct strbuf *out)
{
	strbuf_addf(out, is_small_signed(value) ? "%lld" : "%#llx", value);
}

static void print_unsigned(u64 value, struct strbuf *out)
{
	strbuf_addf(out, value < UINT16_MAX ? "%llu" : "%#llx", value);
}

/* The attributes in parentheses, commas between them. */
struct attributes {
	struct strbuf *out;
	bool has_some;
};

static void next_attribute(struct attributes *attributes, const char *name)
{
	strbuf_addf(attributes->out, "%s%s=", attributes->has_some ? "," : "", name);
	attributes->has_some = true;
}

/* --- ranges: bounds of the same value share it ("smin=umin=5") --- */

struct bound {
	const char *name;
	u64 value;
	bool is_signed;
	bool is_done; /* printed, or says nothing */
};

static bool bounds_agree(const struct bound *a, const struct bound *b)
{
	bool a_negative = a->is_signed && (s64)a->value < 0;
	bool b_negative = b->is_signed && (s64)b->value < 0;

	return a->value == b->value && a_negative == b_negative;
}

/* Lower and upper bounds alternate. */
static void print_bounds(struct attributes *attributes, struct bound *bounds, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		if (bounds[i].is_done)
			continue;
		next_attribute(attributes, bounds[i].name);
		for (u32 j = i + 2; j < count; j += 2) {
			if (bounds[j].is_done || !bounds_agree(&bounds[i], &bounds[j]))
				continue;
			bounds[j].is_done = true;
			strbuf_addf(attributes->out, "%s=", bounds[j].name);
		}
		if (bounds[i].is_signed)
			print_signed((s64)bounds[i].value, attributes->out);
		else
			print_unsigned(bounds[i].value, attributes->out);
	}
}

/* Large ones are their 32 bits. */
static u64 low_bound(s32 value)
{
	return is_small_signed(value) ? (u64)(s64)value : (u32)value;
}

static void print_number(struct attributes *attributes, const struct scalar *number)
{
	struct bound bounds[] = {
		{"smin", (u64)number->smin, true, number->smin == INT64_MIN},
		{"smax", (u64)number->smax, true, number->smax == INT64_MAX},
		{"umin", number->umin, false, number->umin == 0},
		{"umax", number->umax, false, number->umax == UINT64_MAX},
		{"smin32", low_bound(number->smin32), true, number->smin32 == INT32_MIN},
		{"smax32", low_bound(number->smax32), true, number->smax32 == INT32_MAX},
		{"umin32", number->umin32, false, number->umin32 == 0},
		{"umax32", number->umax32, false, number->umax32 == UINT32_MAX},
	};

	print_bounds(attributes, bounds, ARRAY_SIZE(bounds));
	if (!~number->bits.mask)
		return;
	next_attribute(attributes, "var_off");
	strbuf_addf(attributes->out, "(0x%llx; 0x%llx)", number->bits.value, number->bits.mask);
}

/* --- registers --- */

static void print_map(struct attributes *attributes, const struct map_desc *map)
{
	if (map->name[0]) {
		next_attribute(attributes, "map");
		strbuf_addf(attributes->out, "%.*s", (int)sizeof(map->name), map->name);
	}
	next_attribute(attributes, "ks");
	strbuf_addf(attributes->out, "%u,vs=%u", map->key_size, map->value_size);
}

static bool is_map_kind(u8 kind)
{
	return kind == REG_MAP || kind == REG_MAP_VALUE || kind == REG_MAP_KEY;
}

static void print_identity(struct attributes *attributes, const struct reg_state *reg)
{
	if (reg->id) {
		next_attribute(attributes, "id");
		strbuf_addf(attributes->out, "%u", reg->id);
		if (reg->kind == REG_SCALAR && reg->off)
			strbuf_addf(attributes->out, "%+d", reg->off);
	}
	if (reg->ref_id) {
		next_attribute(attributes, "ref_obj_id");
		strbuf_addf(attributes->out, "%u", reg->ref_id);
	}
	if (is_map_kind(reg->kind) && reg->map)
		print_map(attributes, reg->map);
}

static void print_place(struct attributes *attributes, const struct reg_state *reg)
{
	if (reg->kind != REG_SCALAR && reg->off) {
		next_attribute(attributes, "off");
		print_signed(reg->off, attributes->out);
	}
	if (reg->kind == REG_PACKET || reg->kind == REG_PACKET_META) {
		next_attribute(attributes, "r");
		print_unsigned(reg->range, attributes->out);
	}
	if (reg->kind == REG_MEM) {
		next_attribute(attributes, "sz");
		print_unsigned(reg->mem_size, attributes->out);
	}
}

/* A constant, or a fixed place in a frame, needs no attributes. */
static bool print_plain(const struct reg_state *reg, u32 frame, struct strbuf *out)
{
	char kind[REG_KIND_TEXT];

	if (reg_is_const(reg)) {
		print_signed((s64)reg->number.bits.value, out);
		return true;
	}
	strbuf_adds(out, reg_kind_text(reg, kind));
	strbuf_adds(out, reg_type_name(reg));
	if (reg->kind != REG_STACK)
		return false;
	if (reg->frame != frame)
		strbuf_addf(out, "[%llu]", reg->frame);
	if (!scalar_is_const(&reg->number))
		return false;
	print_signed((s64)reg->number.bits.value + reg->off, out);
	return true;
}

void reg_print(const struct reg_state *reg, u32 frame, struct strbuf *out)
{
	struct attributes attributes = {out, false};

	if (print_plain(reg, frame, out))
		return;
	strbuf_addc(out, '(');
	print_identity(&attributes, reg);
	print_place(&attributes, reg);
	if (!scalar_is_const(&reg->number)) {
		print_number(&attributes, &reg->number);
	} else if (reg->number.bits.value) {
		next_attribute(&attributes, "imm");
		print_signed((s64)reg->number.bits.value, out);
	}
	strbuf_addc(out, ')');
}

/* --- frames --- */

static char byte_text(u8 kind)
{
	switch ((enum byte_kind)kind) {
	case BYTE_INVALID: return '?';
	case BYTE_SPILL: return 'r';
	case BYTE_MISC: return 'm';
	case BYTE_ZERO: return '0';
	case BYTE_DYNPTR: return 'd';
	case BYTE_ITERATOR: return 'i';
	case BYTE_IRQ_FLAG: return 'f';
	}
	return '?';
}

/* Bytes from the highest address down; those of a spilled register are its own text. */
static void print_slot(const struct stack_slot *slot, u32 index, u32 frame, struct strbuf *out)
{
	bool has_some = false;

	for (u32 i = 0; i < SLOT_BYTES; i++)
		has_some |= slot->bytes[i] != BYTE_INVALID;
	if (!has_some)
		return;
	strbuf_addf(out, " fp-%u=", (index + 1) * SLOT_BYTES);
	for (u32 i = SLOT_BYTES; i > 0; i--) {
		if (slot->bytes[i - 1] == BYTE_SPILL && slot_is_spill(slot))
			break;
		strbuf_addc(out, byte_text(slot->bytes[i - 1]));
	}
	if (slot_is_spill(slot))
		reg_print(&slot->spilled, frame, out);
}

void frame_print(const struct state *state, u32 index, u16 regs, u64 slots, struct strbuf *out)
{
	const struct resources *held = &state->resources;
	const struct frame *frame = &state->frames[index];
	u32 first = 0;

	if (index)
		strbuf_addf(out, " frame%u:", index);
	for (u32 i = 0; i < MAX_BPF_REG; i++) {
		if (!(regs >> i & 1) || frame->regs[i].kind == REG_NOT_INIT)
			continue;
		strbuf_addf(out, " R%u=", i);
		reg_print(&frame->regs[i], index, out);
	}
	for (u32 i = 0; i < frame->slot_cnt; i++) {
		if (slots >> i & 1)
			print_slot(&frame->slots[i], i, index, out);
	}
	for (u32 i = 0; i < held->count; i++)
		if (held->all[i].kind == RESOURCE_REFERENCE)
			strbuf_addf(out, "%s%u", first++ ? "," : " refs=", held->all[i].id);
}
