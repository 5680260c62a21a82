/* SPDX-License-Identifier: BSD-2-Clause */
/* What a rejection is about: registers and stack slots. */
#include "verify/explain.h"

#include <string.h>

static bool is_size(const struct helper_arg *arg)
{
	return arg->kind == ARG_CONST_SIZE || arg->kind == ARG_CONST_SIZE_OR_ZERO;
}

bool explain_is_about_size(const struct requirement *need)
{
	return need->kind == NEED_ARGUMENT &&
	       is_size(&need->helper->arg[need->reg - BPF_REG_1]);
}

static void add_reg(const struct walk *walk, u32 reg, struct live_set *out)
{
	if (reg < MAX_BPF_REG && reg != FRAME_REG)
		out->regs[walk->state.frame_cnt - 1] |= 1u << reg;
}

static bool is_unreadable(const struct stack_slot *slot, u32 byte)
{
	return slot->bytes[byte] == BYTE_INVALID ||
	       (slot->bytes[byte] == BYTE_SPILL && reg_is_pointer(&slot->spilled));
}

bool explain_missing_byte(const struct walk *walk, s64 *off)
{
	const struct access *access = &walk->access;
	const struct frame *frame = &walk->state.frames[access->frame % MAX_FRAMES];
	s64 end = min(access->high + (s64)access->size, (s64)0);

	for (s64 at = access->low; at >= -STACK_BYTES && at < end; at++) {
		u32 slot = (u32)(-at - 1) / SLOT_BYTES;

		if (slot < frame->slot_cnt &&
		    !is_unreadable(&frame->slots[slot],
				   (u32)(at + (s64)(slot + 1) * SLOT_BYTES)))
			continue;
		*off = at;
		return true;
	}
	return false;
}

static bool reads_stack(enum reason reason)
{
	return reason == REASON_stack_read_unwritten || reason == REASON_stack_indirect_read ||
	       reason == REASON_fill_size;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * The register that the message is about, where the requirement is about none: "R3" at the
 * begin of a word, or the argument in "arg#2", "args#2", "arg #2", "arg2", counted from 0.
 * NO_REG: none.
 */
static u32 message_reg(const struct walk *walk)
{
	const char *text = walk->err->text, *arg = strstr(text, "arg");

	for (const char *at = strchr(text, 'R'); at; at = strchr(at + 1, 'R'))
		if (is_digit(at[1]) && !is_digit(at[2]) && (at == text || at[-1] == ' '))
			return (u32)(at[1] - '0');
	if (!arg)
		return NO_REG;
	arg += strcspn(arg, "#0123456789");
	arg += *arg == '#';
	return is_digit(*arg) && *arg < '5' ? (u32)(*arg - '0') + BPF_REG_1 : NO_REG;
}

u32 explain_subject_reg(const struct walk *walk)
{
	const struct failure *failure = &walk->failure;

	return failure->has_need && failure->need.reg < MAX_BPF_REG ? failure->need.reg
								    : message_reg(walk);
}

void explain_subjects(const struct walk *walk, struct live_set *out)
{
	const struct requirement *need = &walk->failure.need;
	const struct bpf_insn *insn = walk_insn(walk);
	s64 off;

	memset(out, 0, sizeof(*out));
	if (reads_stack(walk->failure.reason) && explain_missing_byte(walk, &off)) {
		out->slots[walk->access.frame % MAX_FRAMES] |=
			1ull << ((u32)(-off - 1) / SLOT_BYTES);
		return;
	}
	add_reg(walk, explain_subject_reg(walk), out);
	if (!walk->failure.has_need)
		return;
	if (walk->failure.reason == REASON_leak_into_memory)
		add_reg(walk, need->value, out);
	if ((need->kind == NEED_OPERANDS || need->kind == NEED_COMPARABLE) &&
	    BPF_SRC(insn->code) == BPF_X)
		add_reg(walk, insn->src_reg, out);
	if (explain_is_about_size(need) && walk->failure.reason != REASON_size_negative &&
	    walk->failure.reason != REASON_size_zero &&
	    walk->failure.reason != REASON_size_unbounded)
		add_reg(walk, need->reg - 1u, out);
}
