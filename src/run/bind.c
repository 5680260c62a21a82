/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last step before the fast build can run: each instruction gets its label there, that of
 * the longest superinstruction which begins with it where there is one. Those behind keep their
 * own labels, for whoever jumps to them.
 */
#include "run/fused.h"

#include <string.h>

#define PATTERN_MAX 4

struct pattern {
	u16 fused;	      /* enum fused_op */
	u16 ops[PATTERN_MAX]; /* OP_dead (0) ends a shorter one */
	bool (*fits)(const struct code_insn *insn);
};

/* --- which registers a pattern asks for --- */

/* d = s0; d = d OP second. */
static bool fits_pair(const struct code_insn *insn)
{
	return insn[1].dst == insn[0].dst;
}

static bool fits_pair_x(const struct code_insn *insn)
{
	return insn[1].dst == insn[0].dst && insn[1].src != insn[0].dst;
}

/* The third joins another register to the same one. */
static bool fits_triple(const struct code_insn *insn)
{
	return insn[1].dst == insn[0].dst && fits_pair_x(insn + 1);
}

static bool fits_address(const struct code_insn *insn)
{
	return insn[1].src == insn[0].dst;
}

static bool fits_moved_address(const struct code_insn *insn)
{
	return fits_pair_x(insn) && fits_address(insn + 1);
}

static bool fits_any(const struct code_insn *insn)
{
	return true;
}

/* t = a; t shifted; a shifted; then the last joins them. */
static bool fits_rotate(const struct code_insn *insn)
{
	return insn[0].dst != insn[0].src && insn[1].dst == insn[0].dst &&
	       insn[2].dst == insn[0].src;
}

static bool fits_rotate_a(const struct code_insn *insn)
{
	return fits_rotate(insn) && insn[3].dst == insn[0].src && insn[3].src == insn[0].dst;
}

static bool fits_rotate_t(const struct code_insn *insn)
{
	return fits_rotate(insn) && insn[3].dst == insn[0].dst && insn[3].src == insn[0].src;
}

/* The second hands the first's result on, to another register or to memory behind one. */
static bool fits_copy(const struct code_insn *insn)
{
	return insn[1].src == insn[0].dst && insn[1].dst != insn[0].dst;
}

/* t = s0; t shifted; then it is joined to another register. */
static bool fits_into(const struct code_insn *insn)
{
	return insn[1].dst == insn[0].dst && fits_copy(insn + 1);
}

/* --- the patterns: longer ones first --- */
#define WIDTHS(PATTERN, ...) PATTERN(64, __VA_ARGS__) PATTERN(32, __VA_ARGS__)

static const struct pattern patterns[] = {
#define ROTATE_WIDTH(width, first, second)                                                     \
	{FUSED_##first##_##second##_a##width,                                                  \
	 {OP_mov##width##_x, OP_##first##width##_k, OP_##second##width##_k, OP_or##width##_x}, \
	 fits_rotate_a},                                                                       \
		{FUSED_##first##_##second##_t##width,                                          \
		 {OP_mov##width##_x, OP_##first##width##_k, OP_##second##width##_k,            \
		  OP_or##width##_x},                                                           \
		 fits_rotate_t},
#define ROTATE(first, second, ...) WIDTHS(ROTATE_WIDTH, first, second)
#include "run/fused.def"

#define MOVED_JOIN_WIDTH(width, shift, join)                               \
	{FUSED_mov_##shift##_##join##width,                                \
	 {OP_mov##width##_x, OP_##shift##width##_k, OP_##join##width##_x}, \
	 fits_triple},
#define INTO_WIDTH(width, shift, join)                                     \
	{FUSED_##shift##_into_##join##width,                               \
	 {OP_mov##width##_x, OP_##shift##width##_k, OP_##join##width##_x}, \
	 fits_into},
#define SHIFT_JOIN(shift, join, ...)          \
	WIDTHS(MOVED_JOIN_WIDTH, shift, join) \
	WIDTHS(INTO_WIDTH, shift, join)
#define LOAD_MERGE_WIDTH(width, load)                      \
	{FUSED_##load##_merge##width,                      \
	 {OP_##load, OP_lsh##width##_k, OP_or##width##_x}, \
	 fits_triple},
#define LOAD_MERGE(load, ...) WIDTHS(LOAD_MERGE_WIDTH, load)
#include "run/fused.def"

#define LOAD(name, ...)                                                                  \
	{FUSED_mov_add_##name, {OP_mov64_x, OP_add64_x, OP_##name}, fits_moved_address}, \
		{FUSED_add_##name, {OP_add64_x, OP_##name}, fits_address},
#include "run/ops.def"

#define JOIN_WIDTH(width, shift, join)                  \
	{FUSED_##shift##_##join##width,                 \
	 {OP_##shift##width##_k, OP_##join##width##_x}, \
	 fits_pair_x},
#define SHIFT_JOIN(shift, join, ...) WIDTHS(JOIN_WIDTH, shift, join)
#define EXTEND_WIDTH(width, shift) \
	{FUSED_extend_##shift##width, {OP_lsh##width##_k, OP_##shift##width##_k}, fits_pair},
#define EXTEND(shift) WIDTHS(EXTEND_WIDTH, shift)
#define LOAD_INTO_WIDTH(width, load, join) \
	{FUSED_##load##_##join##width, {OP_##load, OP_##join##width##_x}, fits_copy},
#define LOAD_INTO(load, type, join, ...) WIDTHS(LOAD_INTO_WIDTH, load, join)
#define LOAD_JUMP_WIDTH(width, load, jump) \
	{FUSED_##load##_##jump##width, {OP_##load, OP_##jump##width##_k}, fits_pair},
#define LOAD_JUMP(load, type, jump, ...) WIDTHS(LOAD_JUMP_WIDTH, load, jump)
#define COPY(bits, ...)			 {FUSED_copy##bits, {OP_ldx##bits, OP_stx##bits}, fits_copy},
#include "run/fused.def"

/* A 32-bit operation takes the lower half, whichever move came before. */
#define MOV_PATTERNS(name, width, mov)                                         \
	{FUSED_mov_##name##width##_k, {mov, OP_##name##width##_k}, fits_pair}, \
		{FUSED_mov_##name##width##_x, {mov, OP_##name##width##_x}, fits_pair_x},
#define ALU(name, ...)                     \
	MOV_PATTERNS(name, 64, OP_mov64_x) \
	MOV_PATTERNS(name, 32, OP_mov64_x) \
	MOV_PATTERNS(name, 32, OP_mov32_x)
#define JUMP_PATTERN(name) {FUSED_add_##name, {OP_add64_k, OP_##name}, fits_any},
#define JUMP(name, ...)          \
	JUMP_PATTERN(name##64_k) \
	JUMP_PATTERN(name##64_x) \
	JUMP_PATTERN(name##32_k) \
	JUMP_PATTERN(name##32_x)
#include "run/ops.def"
};

static bool pattern_matches(const struct pattern *pattern, const struct code_insn *insn,
			    u32 left)
{
	u32 length = 0;

	while (length < PATTERN_MAX && pattern->ops[length]) {
		if (length == left || insn[length].op != pattern->ops[length])
			return false;
		length++;
	}
	return pattern->fits(insn);
}

/* The patterns that begin with each operation, in their order: from 1 on, 0 ends. */
struct pattern_index {
	u16 first[CODE_OPS], next[ARRAY_SIZE(patterns)];
};

static void index_patterns(struct pattern_index *index)
{
	memset(index->first, 0, sizeof(index->first));
	for (u32 i = ARRAY_SIZE(patterns); i > 0; i--) {
		u16 *first = &index->first[patterns[i - 1].ops[0]];

		index->next[i - 1] = *first;
		*first = (u16)i;
	}
}

/* --- barriers --- */

bool code_needs_barrier(const struct prog_code *code, u32 at)
{
	const struct insn_fact *facts = code->verified ? code->verified->facts : NULL;

	if (!facts || at >= code->insn_cnt)
		return false;
	return facts[at].barrier_before || (at && facts[at - 1].barrier_after);
}

/* How many instructions from here on run without one between them, as far as it matters. */
static u32 run_length(const struct prog_code *code, u32 at)
{
	u32 length = 1;

	while (length < PATTERN_MAX && at + length < code->insn_cnt &&
	       !code_needs_barrier(code, at + length))
		length++;
	return length;
}

static u32 choose_handler(const struct pattern_index *index, const struct code_insn *insn,
			  u32 left)
{
	for (u32 i = index->first[insn->op]; i; i = index->next[i - 1])
		if (pattern_matches(&patterns[i - 1], insn, left))
			return patterns[i - 1].fused;
	return insn->op;
}

void code_bind(struct prog_code *code)
{
	const bool has_fuel = code_has_fuel(code);
	const void *const *handlers =
		has_fuel ? interpret_fuel_handlers() : interpret_fast_handlers();
	struct pattern_index index;

	index_patterns(&index);
	for (u32 i = 0; i <= code->insn_cnt; i++) {
		u32 op = i < code->insn_cnt && code_round(code, i) ? OP_round
			 : code_needs_barrier(code, i)		   ? OP_barrier
			 : has_fuel
				 ? code->insns[i].op
				 : choose_handler(&index, &code->insns[i], run_length(code, i));

		code->insns[i].handler = handlers[op];
	}
}
