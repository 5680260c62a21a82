/* SPDX-License-Identifier: BSD-2-Clause */
/* Values in words, for readers who think in C. */
#include "verify/explain.h"

#include "isa/isa.h"
#include "verify/kfunc.h"
#include "verify/line.h"

#include <stdarg.h>

/* Larger numbers are easier to recognise in hexadecimal. */
#define DECIMAL_MAX 9999999

/* --- numbers --- */

static void number_words(s64 value, struct strbuf *out)
{
	bool is_small = value >= -DECIMAL_MAX && value <= DECIMAL_MAX;

	strbuf_addf(out, is_small ? "%lld" : "%#llx", value);
}

void range_words(s64 low, s64 high, struct strbuf *out)
{
	number_words(low, out);
	if (low == high)
		return;
	strbuf_adds(out, "..");
	number_words(high, out);
}

static void unsigned_range_words(u64 low, u64 high, struct strbuf *out)
{
	strbuf_addf(out, low <= DECIMAL_MAX ? "%llu.." : "%#llx..", low);
	strbuf_addf(out, high <= DECIMAL_MAX ? "%llu" : "%#llx", high);
}

/* A bound this far out says nothing. */
#define FAR (1ll << 62)

/* What the low half says when the whole says nothing. */
static void low_half_words(const struct scalar *number, struct strbuf *out)
{
	strbuf_adds(out, "any number");
	if (number->umin32 || number->umax32 < UINT32_MAX - UINT16_MAX) {
		strbuf_adds(out, ", its low 32 bits ");
		unsigned_range_words(number->umin32, number->umax32, out);
	} else if (number->smin32 != INT32_MIN || number->smax32 < INT32_MAX - INT16_MAX) {
		strbuf_adds(out, ", its low 32 bits ");
		range_words(number->smin32, number->smax32, out);
	}
}

static void half_open_words(const struct scalar *number, struct strbuf *out)
{
	if (number->smax < FAR) {
		strbuf_adds(out, "any number <= ");
		number_words(number->smax, out);
	} else if (number->smin > -FAR) {
		strbuf_adds(out, "any number >= ");
		number_words(number->smin, out);
	} else if (number->umin) {
		strbuf_addf(out, "any unsigned number >= %llu", number->umin);
	} else {
		low_half_words(number, out);
	}
}

static void scalar_words(const struct scalar *number, struct strbuf *out)
{
	bool is_signed = number->smin > -FAR && number->smax < FAR;
	u32 zeros =
		number->bits.value ? 0 : (u32)__builtin_ctzll(number->bits.mask | 1ull << 63);

	if (scalar_is_const(number)) {
		number_words((s64)number->bits.value, out);
		return;
	}
	if (!number->umin && number->umax == UINT32_MAX)
		strbuf_adds(out, "any 32-bit number");
	else if (is_signed)
		range_words(number->smin, number->smax, out);
	else
		half_open_words(number, out);
	if (zeros && zeros < 32)
		strbuf_addf(out, ", a multiple of %u", 1u << zeros);
}

/* --- pointers --- */

static void offset_words(const struct reg_state *reg, struct strbuf *out)
{
	s64 off = reg->off;

	if (scalar_is_const(&reg->number))
		off += (s64)reg->number.bits.value;
	if (off)
		strbuf_addf(out, " %c %lld", off < 0 ? '-' : '+', off < 0 ? -off : off);
	if (scalar_is_const(&reg->number))
		return;
	strbuf_adds(out, " + (");
	scalar_words(&reg->number, out);
	strbuf_addc(out, ')');
}

static void packet_words(const struct reg_state *reg, struct strbuf *out)
{
	strbuf_adds(out, reg->kind == REG_PACKET ? "data" : "data_meta");
	offset_words(reg, out);
	if (!reg->range)
		return;
	strbuf_addf(out, ", %u bytes from %s are there", reg->range,
		    !scalar_is_const(&reg->number) ? "its variable part on"
		    : reg->kind == REG_PACKET	   ? "data"
						   : "data_meta");
}

static void map_words(const struct reg_state *reg, const char *what, struct strbuf *out)
{
	strbuf_addf(out, "%s '%.*s'", what, (int)sizeof(reg->map->name), reg->map->name);
	offset_words(reg, out);
}

static void pointer_words(const struct reg_state *reg, struct strbuf *out)
{
	struct reg_state not_null = *reg; /* said by the caller */
	char kind[REG_KIND_TEXT];

	switch (reg->kind) {
	case REG_CTX: strbuf_adds(out, "the context"); break;
	case REG_MAP: map_words(reg, "map", out); return;
	case REG_MAP_VALUE: map_words(reg, "pointer to a value of map", out); return;
	case REG_MAP_KEY: map_words(reg, "pointer to a key of map", out); return;
	case REG_STACK: strbuf_adds(out, "fp"); break;
	case REG_PACKET:
	case REG_PACKET_META: packet_words(reg, out); return;
	case REG_PACKET_END: strbuf_adds(out, "data_end"); break;
	case REG_SOCKET: strbuf_adds(out, "pointer to a socket"); break;
	case REG_MEM: strbuf_addf(out, "pointer to %llu bytes of memory", reg->mem_size); break;
	default:
		not_null.flags &= (u16)~REG_MAY_BE_NULL;
		strbuf_addf(out, "pointer (%s)", reg_kind_text(&not_null, kind));
		offset_words(reg, out);
		return;
	}
	offset_words(reg, out);
}

void value_words(const struct reg_state *value, struct strbuf *out)
{
	if (value->kind == REG_NOT_INIT) {
		strbuf_adds(out, "nothing");
	} else if (value->kind == REG_SCALAR) {
		scalar_words(&value->number, out);
	} else {
		pointer_words(value, out);
		if (reg_may_be_null(value))
			strbuf_adds(out, ", or NULL");
	}
}

void slot_words(const struct stack_slot *slot, struct strbuf *out)
{
	u32 written = 0, zeros = 0;

	if (slot_is_spill(slot)) {
		value_words(&slot->spilled, out);
		return;
	}
	if (slot->bytes[0] & BYTE_OBJECT) {
		strbuf_adds(out, slot->bytes[0] == BYTE_DYNPTR	   ? "a dynptr"
				 : slot->bytes[0] == BYTE_ITERATOR ? "an iterator"
								   : "an interrupt flag");
		return;
	}
	for (u32 i = 0; i < SLOT_BYTES; i++) {
		written += slot->bytes[i] != BYTE_INVALID;
		zeros += slot->bytes[i] == BYTE_ZERO;
	}
	if (!written)
		strbuf_adds(out, "nothing");
	else if (zeros == SLOT_BYTES)
		strbuf_adds(out, "zeros");
	else
		strbuf_addf(out, "%u written byte%s", written, written == 1 ? "" : "s");
}

/* --- texts of the explanation --- */

const char *explain_keep(struct explain *explain, struct strbuf *text)
{
	const char *kept =
		text->failed ? NULL : arena_string(&explain->out->arena, strbuf_text(text));

	strbuf_done(text);
	return kept;
}

const char *explain_text(struct explain *explain, const char *format, ...)
{
	struct strbuf text;
	va_list args;

	strbuf_init(&text);
	va_start(args, format);
	strbuf_vaddf(&text, format, args);
	va_end(args);
	return explain_keep(explain, &text);
}

/* BTF belongs to the loader: what is kept is copied. */
struct skep_source explain_source(struct explain *explain, u32 insn)
{
	struct arena *arena = &explain->out->arena;
	struct source_line line;

	if (!line_find(explain->walk->input, insn, &line) || !*line.file)
		return (struct skep_source){0};
	if (explain->file != line.file) {
		explain->file = line.file;
		explain->file_copy = arena_string(arena, line.file);
	}
	return (struct skep_source){
		.file = explain->file_copy,
		.text = arena_string(arena, line.whole),
		.line = line.number,
		.column = line.column,
	};
}

static const char *subprogram_name(const struct walk *walk, u32 insn)
{
	s64 target;
	s32 index;

	if (!insn_is_subprog_call(&walk->insns[insn], insn, &target))
		return NULL;
	index = cfg_subprog_at(&walk->cfg, (u32)target);
	return index < 0 ? NULL : walk->cfg.subprogs[index].name;
}

const char unknown_callee[] = "the call";

const char *callee_words(struct explain *explain, u32 insn)
{
	const struct bpf_insn *call = &explain->walk->insns[insn];
	const char *name = subprogram_name(explain->walk, insn);
	const struct helper_row *row = helper_row((u32)call->imm);
	const struct kfunc *kfunc = insn_fact_kfunc(&explain->walk->out->facts[insn]);

	if (kfunc)
		name = kfunc->name;
	if (name)
		return explain_text(explain, "%s()", name);
	if (call->src_reg == 0 && row)
		return explain_text(explain, "bpf_%s()", row->name);
	return BPF_CLASS(call->code) == BPF_LD ? "the packet's load" : unknown_callee;
}
