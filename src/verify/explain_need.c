/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The requirement that was not met, in numbers: what would have been enough here, and what is
 * known instead.
 */
#include "verify/explain.h"

#include "catalog/prog.h"

#include <stdio.h>
#include <string.h>

/* --- what the rejected instruction asked of which memory --- */

/* A stretch of memory behind a register, as far as it is known. */
struct stretch {
	const struct reg_state *reg;
	u32 regno;
	s64 off;   /* of the first byte, from reg + its number */
	s64 size;  /* bytes */
	s64 limit; /* of the object, in bytes; 0: has none */
	const char *object;
};

/* NO_REG holds nothing. */
static const struct reg_state *reg_of(const struct explain *explain, u32 reg)
{
	static const struct reg_state nothing;

	return reg < MAX_BPF_REG ? state_reg(&explain->walk->state, reg) : &nothing;
}

static void set_limit(struct stretch *stretch)
{
	const struct reg_state *reg = stretch->reg;

	switch (reg->kind) {
	case REG_MAP_VALUE:
		stretch->limit = reg->map->value_size;
		stretch->object = "the map's value";
		break;
	case REG_MAP_KEY:
		stretch->limit = reg->map->key_size;
		stretch->object = "the map's key";
		break;
	case REG_MEM:
		stretch->limit = (s64)reg->mem_size;
		stretch->object = "the memory";
		break;
	default: break;
	}
}

/* The bytes that a helper's argument stands for, the memory's register in *regno. */
static s64 argument_size(const struct explain *explain, const struct requirement *need,
			 u32 *regno)
{
	const struct helper_arg *arg = &need->helper->arg[need->reg - BPF_REG_1];
	const struct map_desc *map = explain->walk->call.map;

	switch (arg->kind) {
	case ARG_CONST_SIZE:
	case ARG_CONST_SIZE_OR_ZERO:
		*regno = need->reg - 1u;
		return (s64)reg_of(explain, need->reg)->number.umax;
	case ARG_MAP_KEY: return map ? map->key_size : 0;
	case ARG_MAP_VALUE: return map ? map->value_size : 0;
	default: return arg->size;
	}
}

static struct stretch stretch_of(const struct explain *explain)
{
	const struct requirement *need = &explain->walk->failure.need;
	struct stretch stretch = {.regno = need->reg, .size = need->size};

	if (need->kind == NEED_ARGUMENT)
		stretch.size = argument_size(explain, need, &stretch.regno);
	stretch.reg = reg_of(explain, stretch.regno);
	stretch.off = (s64)stretch.reg->off + need->off;
	set_limit(&stretch);
	return stretch;
}

/* --- requirement and knowledge by kind of reason --- */

static const char *reg_words(struct explain *explain, u32 regno)
{
	struct strbuf text;

	strbuf_init(&text);
	value_words(reg_of(explain, regno), &text);
	return explain_keep(explain, &text);
}

static const char *range_text(struct explain *explain, s64 low, s64 high)
{
	struct strbuf text;

	strbuf_init(&text);
	range_words(low, high, &text);
	return explain_keep(explain, &text);
}

static void set(struct explain *explain, const char *needs, const char *known)
{
	explain->out->face.needs = needs;
	explain->out->face.known = known;
}

static void need_packet(struct explain *explain)
{
	struct stretch stretch = stretch_of(explain);
	const struct reg_state *reg = stretch.reg;
	const char *end = reg->kind == REG_PACKET ? "data_end" : "data";
	const char *base = reg->kind == REG_PACKET ? "data" : "data_meta";
	s64 needed = stretch.off + stretch.size, known = reg->range;

	if (stretch.off < 0) {
		set(explain, explain_text(explain, "the access does not begin before %s", base),
		    explain_text(explain, "it begins %lld bytes before it", -stretch.off));
		return;
	}
	if (!scalar_is_const(&reg->number) || reg->number.bits.value) {
		base = explain_text(explain, "r%u", stretch.regno);
		needed -= reg->off;
		known = max(known - reg->off, (s64)0);
	}
	set(explain, explain_text(explain, "%s - %s >= %lld here", end, base, needed),
	    explain_text(explain, "%s - %s >= %lld", end, base, known));
}

/* The offset that the register and the instruction together have in the object. */
static void need_offset(struct explain *explain)
{
	struct stretch stretch = stretch_of(explain);
	const struct scalar *number = &stretch.reg->number;
	struct reg_state sum = {.kind = REG_SCALAR, .number = *number};
	struct scalar off = scalar_const((u64)stretch.off);
	struct strbuf known;

	if (stretch.size > stretch.limit) {
		set(explain,
		    explain_text(explain, "%s has %lld bytes or more", stretch.object,
				 stretch.size),
		    explain_text(explain, "it has %lld", stretch.limit));
		return;
	}
	scalar_alu(&sum.number, &off, BPF_ADD, false, 0);
	strbuf_init(&known);
	strbuf_adds(&known, "the offset is ");
	value_words(&sum, &known);
	set(explain,
	    explain_text(explain, "the offset in %s is %s (%lld of its %lld bytes are used)",
			 stretch.object, range_text(explain, 0, stretch.limit - stretch.size),
			 stretch.size, stretch.limit),
	    explain_keep(explain, &known));
}

/* How many bytes there are behind the pointer for a helper; 0: not known. */
static s64 room_behind(const struct reg_state *reg)
{
	struct stretch stretch = {.reg = reg};
	s64 off = (s64)reg->off + (scalar_is_const(&reg->number) ? (s64)reg->number.bits.value
								 : reg->number.smax);

	set_limit(&stretch);
	if (reg->kind == REG_STACK)
		return -off;
	return stretch.limit ? stretch.limit - off : 0;
}

static void need_size(struct explain *explain)
{
	const struct requirement *need = &explain->walk->failure.need;
	const struct helper_arg *arg = &need->helper->arg[need->reg - BPF_REG_1];
	s64 least = arg->kind == ARG_CONST_SIZE,
	    most = room_behind(reg_of(explain, need->reg - 1));

	set(explain,
	    most > 0 ? explain_text(explain, "r%u is %s, the size of what r%u points to",
				    need->reg, range_text(explain, least, most), need->reg - 1)
		     : explain_text(explain, "r%u is a size: at least %lld, and bounded",
				    need->reg, least),
	    explain_text(explain, "r%u is %s", need->reg, reg_words(explain, need->reg)));
}

static void need_inside(struct explain *explain)
{
	struct stretch stretch = stretch_of(explain);

	if (explain_is_about_size(&explain->walk->failure.need) &&
	    room_behind(stretch.reg) > 0) {
		need_size(explain);
		return;
	}
	if (stretch.limit) {
		need_offset(explain);
		return;
	}
	set(explain,
	    explain_text(explain, "the variable part of r%u is not negative, and bounded",
			 stretch.regno),
	    reg_words(explain, stretch.regno));
}

static void need_pointer(struct explain *explain)
{
	u32 regno = explain_subject_reg(explain->walk);
	const struct reg_state *reg = reg_of(explain, regno);

	if (explain->walk->failure.need.kind == NEED_OPERANDS && !reg_may_be_null(reg)) {
		regno = walk_insn(explain->walk)->src_reg;
		reg = reg_of(explain, regno);
	}
	set(explain,
	    explain_text(explain,
			 reg_may_be_null(reg) ? "r%u is not NULL"
					      : "r%u is a pointer to memory",
			 regno),
	    explain_text(explain, "r%u is %s", regno, reg_words(explain, regno)));
}

static void need_argument(struct explain *explain, const char *expected)
{
	u32 regno = explain_subject_reg(explain->walk);

	set(explain, explain_text(explain, "r%u is %s", regno, expected),
	    explain_text(explain, "r%u is %s", regno, reg_words(explain, regno)));
}

static void need_stack_bytes(struct explain *explain)
{
	const struct access *access = &explain->walk->access;
	s64 off, end = access->high + (s64)access->size;

	if (!explain_missing_byte(explain->walk, &off))
		return;
	set(explain,
	    explain_text(explain, "the %lld bytes from fp%lld on are written",
			 end - access->low, access->low),
	    explain_text(explain, "on this path nothing was written at fp%lld", off));
}

static void need_stack_range(struct explain *explain)
{
	u32 regno = explain_subject_reg(explain->walk);

	if (explain_is_about_size(&explain->walk->failure.need)) {
		need_size(explain);
		return;
	}
	set(explain,
	    explain_text(explain, "all bytes are in the frame, fp-%d..fp-1", STACK_BYTES),
	    explain_text(explain, "%lld bytes at r%u%+d, r%u is %s", stretch_of(explain).size,
			 regno, explain->walk->failure.need.off, regno,
			 reg_words(explain, regno)));
}

static void need_result(struct explain *explain)
{
	const struct walk *walk = explain->walk;
	const struct verify_input *input = walk->input;
	struct ret_range range = prog_ret_range(input->type, input->attach_type);
	enum callback_kind callback = state_top(&explain->walk->state)->callback;

	if (callback != CALLBACK_NONE)
		range = (struct ret_range){.low = 0, .high = callback == CALLBACK_NOW};
	set(explain,
	    explain_text(explain, "r0 is %s at the end",
			 range_text(explain, range.low, range.high)),
	    explain_text(explain, "r0 is %s", reg_words(explain, BPF_REG_0)));
}

static void need_alignment(struct explain *explain)
{
	const struct requirement *need = &explain->walk->failure.need;

	set(explain, explain_text(explain, "the address is a multiple of %u", need->size),
	    explain_text(explain, "r%u%+d, r%u is %s", need->reg, need->off, need->reg,
			 reg_words(explain, need->reg)));
}

static void need_value(struct explain *explain)
{
	u32 regno = explain_subject_reg(explain->walk);

	set(explain, explain_text(explain, "r%u holds a value", regno),
	    explain_text(explain, "on this path nothing is in r%u", regno));
}

/* A number is added to a pointer. */
static void need_bounded(struct explain *explain)
{
	const struct bpf_insn *insn = walk_insn(explain->walk);
	struct stretch stretch = {.regno = insn->dst_reg};
	u32 regno = insn->dst_reg;

	if (BPF_SRC(insn->code) == BPF_X && reg_is_pointer(reg_of(explain, regno)))
		regno = insn->src_reg;
	else if (BPF_SRC(insn->code) == BPF_X)
		stretch.regno = insn->src_reg;
	stretch.reg = reg_of(explain, stretch.regno);
	set_limit(&stretch);
	set(explain,
	    stretch.limit ? explain_text(explain, "r%u stays in the %lld bytes of %s", regno,
					 stretch.limit, stretch.object)
			  : explain_text(explain, "r%u is a number between -%d and %d", regno,
					 POINTER_OFFSET_LIMIT, POINTER_OFFSET_LIMIT),
	    explain_text(explain, "r%u is %s", regno, reg_words(explain, regno)));
}

static void need_release(struct explain *explain)
{
	const struct resource *reference = state_reference(&explain->walk->state);

	if (!reference)
		return;
	set(explain, "every reference is given back before the program ends",
	    explain_text(explain, "that of instruction %u is still held", reference->insn));
}

static void need_as_it_came(struct explain *explain)
{
	u32 regno = explain_subject_reg(explain->walk);

	set(explain, explain_text(explain, "r%u points to the start of its object", regno),
	    explain_text(explain, "r%u is %s", regno, reg_words(explain, regno)));
}

/* Which types of programs may call it. */
static void need_type(struct explain *explain)
{
	const struct helper_row *row = helper_row((u32)walk_insn(explain->walk)->imm);
	const char *name = explain->walk->row->name;
	struct strbuf types;
	u32 count = 0;

	strbuf_init(&types);
	for (u32 type = 1; row && type < 64; type++) {
		if (!(row->progs & PROG_BIT(type)) || !prog_row(type))
			continue;
		strbuf_addf(&types, "%s%s", count++ ? ", " : "", prog_row(type)->name);
	}
	set(explain,
	    count ? explain_text(explain, "a program of one of the types %s",
				 strbuf_text(&types))
		  : NULL,
	    explain_text(explain, "this one is of type %s", name));
	strbuf_done(&types);
}

/* The requirement's own words. */
static void need_in_general(struct explain *explain)
{
	const struct requirement *need = &explain->walk->failure.need;
	u32 regno = explain_subject_reg(explain->walk);
	struct strbuf text;

	strbuf_init(&text);
	if (need->kind == NEED_CALLEE && regno < MAX_BPF_REG)
		strbuf_addf(&text, "r%u is what %s asks for", regno,
			    callee_words(explain, explain->walk->at));
	else if (need->kind == NEED_CALLEE)
		strbuf_addf(&text, "%s may be called here",
			    callee_words(explain, explain->walk->at));
	else
		requirement_print(need, &text);
	set(explain, explain_keep(explain, &text),
	    regno < MAX_BPF_REG
		    ? explain_text(explain, "r%u is %s", regno, reg_words(explain, regno))
		    : NULL);
}

static void need_of_instruction(struct explain *explain)
{
	switch ((u32)explain->walk->failure.reason) {
	case REASON_packet_range: need_packet(explain); break;
	case REASON_map_value_range:
	case REASON_map_key_range:
	case REASON_memory_range:
	case REASON_unbounded_offset:
	case REASON_negative_offset: need_inside(explain); break;
	case REASON_size_negative:
	case REASON_size_zero:
	case REASON_size_unbounded: need_size(explain); break;
	case REASON_bad_pointer:
	case REASON_arithmetic_before_null_check: need_pointer(explain); break;
	case REASON_not_constant: need_argument(explain, "a constant"); break;
	case REASON_stack_read_unwritten:
	case REASON_stack_indirect_read: need_stack_bytes(explain); break;
	case REASON_stack_range:
	case REASON_stack_unbounded:
	case REASON_stack_variable_range: need_stack_range(explain); break;
	case REASON_result_range:
	case REASON_result_unknown:
	case REASON_result_not_number: need_result(explain); break;
	case REASON_misaligned:
	case REASON_misaligned_packet: need_alignment(explain); break;
	case REASON_not_initialised: need_value(explain); break;
	case REASON_math_unbounded:
	case REASON_math_out_of_bounds:
	case REASON_math_constant: need_bounded(explain); break;
	case REASON_helper_not_for_type: need_type(explain); break;
	case REASON_unreleased: need_release(explain); break;
	case REASON_pointer_modified:
	case REASON_pointer_negative_offset:
	case REASON_pointer_variable_offset: need_as_it_came(explain); break;
	default: need_in_general(explain); break;
	}
}

void explain_need(struct explain *explain)
{
	const struct failure *failure = &explain->walk->failure;

	if (!failure->has_need)
		return;
	/* What functions of the program ask for is theirs; no register is named. */
	if (failure->need.kind == NEED_CALLEE)
		need_in_general(explain);
	else
		need_of_instruction(explain);
}
