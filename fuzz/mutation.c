/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz/mutation.h"

#include "isa/isa.h"

#define HELPERS 212 /* ids of Linux 6.18, 0 included */

static bool is_wide_at(const struct bpf_insn *insns, u32 count, u32 at)
{
	return at + 1 < count && insn_is_wide(&insns[at]);
}

/* The first slot of some instruction. */
static u32 pick_insn(u64 *random, const struct bpf_insn *insns, u32 count)
{
	u32 wanted = random_below(random, count), at = 0;

	for (;;) {
		u32 next = at + 1 + is_wide_at(insns, count, at);

		if (next > wanted)
			return at;
		at = next;
	}
}

static s32 pick_imm(u64 *random, const struct bpf_insn *insns, u32 count, s32 old)
{
	static const s32 corners[] = {0,  1,  -1, 2,  4,   7,	8,	15,	   16,
				      31, 32, 63, 64, 255, 512, 0xffff, INT32_MAX, INT32_MIN};

	switch (random_below(random, 6)) {
	case 0: return corners[random_below(random, ARRAY_SIZE(corners))];
	case 1: return (s32)(1u << random_below(random, 32));
	case 2: return (s32)(random_next(random) >> random_below(random, 32));
	case 3: return insns[random_below(random, count)].imm;
	default: return (s32)((u32)old + random_below(random, 17) - 8);
	}
}

static s16 pick_off(u64 *random, const struct bpf_insn *insns, u32 count, s16 old)
{
	static const s16 sign_widths[] = {8, 16, 32, 1};

	switch (random_below(random, 5)) {
	case 0: return insns[random_below(random, count)].off;
	case 1: return sign_widths[random_below(random, ARRAY_SIZE(sign_widths))];
	case 2: return (s16)(old + 8 * ((s32)random_below(random, 5) - 2));
	default: return (s16)(old + (s32)random_below(random, 17) - 8);
	}
}

static void change_code(u64 *random, struct bpf_insn *insn)
{
	static const u8 modes[] = {BPF_MEM, BPF_MEMSX, BPF_ATOMIC, BPF_MEM};
	static const u8 sizes[] = {BPF_B, BPF_H, BPF_W, BPF_DW};
	u8 class = BPF_CLASS(insn->code);
	bool is_memory = class == BPF_LDX || class == BPF_ST || class == BPF_STX;

	switch (random_below(random, 4)) {
	case 0: insn->code ^= 1u << random_below(random, 8); break;
	case 1: insn->code ^= BPF_X; break;
	case 2:
		if (is_memory)
			insn->code =
				class | sizes[random_below(random, 4)] | BPF_MODE(insn->code);
		else
			insn->code ^= class == BPF_JMP || class == BPF_JMP32
					      ? BPF_JMP ^ BPF_JMP32
					      : BPF_ALU ^ BPF_ALU64;
		break;
	default:
		if (is_memory)
			insn->code =
				class | BPF_SIZE(insn->code) | modes[random_below(random, 4)];
		else
			insn->code = (insn->code & 0xf) | random_below(random, 15) << 4;
		break;
	}
}

static void change_operation(u64 *random, struct bpf_insn *insn)
{
	static const s32 atomics[] = {BPF_ADD,	     BPF_AND | BPF_FETCH, BPF_OR,
				      BPF_XCHG,	     BPF_CMPXCHG,	  BPF_LOAD_ACQ,
				      BPF_STORE_REL, BPF_ADD | BPF_FETCH};

	if (BPF_CLASS(insn->code) == BPF_STX)
		insn->imm = atomics[random_below(random, ARRAY_SIZE(atomics))];
	else if (insn->code == (BPF_JMP | BPF_CALL))
		insn->imm = (s32)random_below(random, HELPERS);
	else
		change_code(random, insn);
}

/* An instruction that does nothing in its place. */
static void drop(struct bpf_insn *insn, bool is_wide)
{
	static const struct bpf_insn nothing = {.code = BPF_JMP | BPF_JA};

	insn[0] = nothing;
	if (is_wide)
		insn[1] = nothing;
}

static void copy_over(struct bpf_insn *insns, u32 count, u32 from, u32 to)
{
	bool is_wide = is_wide_at(insns, count, from);

	if (is_wide != is_wide_at(insns, count, to))
		return;
	insns[to] = insns[from];
	if (is_wide)
		insns[to + 1] = insns[from + 1];
}

static void swap_with_next(struct bpf_insn *insns, u32 count, u32 at)
{
	struct bpf_insn first = insns[at];

	if (at + 1 >= count || insn_is_wide(&first) || insn_is_wide(&insns[at + 1]))
		return;
	insns[at] = insns[at + 1];
	insns[at + 1] = first;
}

/* A call like another one of the program. */
static void call_another(u64 *random, struct bpf_insn *insns, u32 count, u32 at)
{
	u32 from = pick_insn(random, insns, count);

	for (u32 i = 0; i < count && insns[from].code != (BPF_JMP | BPF_CALL); i++)
		from = (from + 1) % count;
	if (insns[from].code == (BPF_JMP | BPF_CALL) && !is_wide_at(insns, count, at))
		insns[at] = insns[from];
}

void mutate_insns(u64 *random, struct bpf_insn *insns, u32 count)
{
	u32 at = pick_insn(random, insns, count), other = pick_insn(random, insns, count);
	struct bpf_insn *insn = &insns[at];

	switch (random_below(random, 14)) {
	case 0:
	case 1: insn->dst_reg = random_below(random, 11) & 0xf; break;
	case 2:
	case 3: insn->src_reg = random_below(random, 11) & 0xf; break;
	case 4:
	case 5: insn->off = pick_off(random, insns, count, insn->off); break;
	case 6:
	case 7: insn->imm = pick_imm(random, insns, count, insn->imm); break;
	case 8: drop(insn, is_wide_at(insns, count, at)); break;
	case 9: copy_over(insns, count, other, at); break;
	case 10: swap_with_next(insns, count, at); break;
	case 11: call_another(random, insns, count, at); break;
	case 12: change_operation(random, insn); break;
	default: change_code(random, insn); break;
	}
}
