/* SPDX-License-Identifier: BSD-2-Clause */
/* Scalars: two views, of 64 and of 32 bits. */
#include "proofs/obligations/obligations.h"

/* Functions of scalar.c and scalar_alu.c that no header has. */
void alu_full(struct scalar *dst, const struct scalar *src, u8 op, bool is_signed,
	      struct shape shape);
void alu_low(struct scalar *dst, const struct scalar *src, u8 op, bool is_signed,
	     struct shape shape);
bool sync_round(struct scalar *scalar, struct shape shape, bool *settled);
bool sync_zero_extended(struct scalar *scalar, struct shape shape);
bool sync_sign_extended(struct scalar *scalar, struct shape shape);
bool raise_to_low(struct span *span, const struct halves *low, u32 width);
bool sink_to_low(struct span *span, const struct halves *low, u32 width);
bool sync_by_bits(struct scalar *scalar, struct shape shape);
bool sync_small(struct scalar *scalar, u64 limit);

/* --- synchronisation --- */

static struct halves any_halves_with(u64 value, u32 width)
{
	struct halves halves;

	halves.lower = (struct span){any_unsigned(width), any_unsigned(width)};
	halves.upper = (struct span){any_unsigned(width), any_unsigned(width)};
	assume(halves_have(&halves, value, width) && halves_are_apart(&halves, width));
	return halves;
}

/* The number stays in a span that is fitted to what is known of its low half. */
void proof_raise_to_low(void)
{
	struct span span = {any_unsigned(64), any_unsigned(64)};
	struct halves low;

	left = any_unsigned(64);
	assume(span_has(span, left));
	low = any_halves_with((u32)left, 32);
	check(raise_to_low(&span, &low, 32));
	check(span_has(span, left));
}

void proof_sink_to_low(void)
{
	struct span span = {any_unsigned(64), any_unsigned(64)};
	struct halves low;

	left = any_unsigned(64);
	assume(span_has(span, left));
	low = any_halves_with((u32)left, 32);
	check(sink_to_low(&span, &low, 32));
	check(span_has(span, left));
}

static bool contract_fit(struct span *span, const struct halves *low, u32 width)
{
	struct span fitted = {any_unsigned(64), any_unsigned(64)};
	bool is_possible = any_unsigned(1);

	assume(implies(span_has(*span, left) && halves_have(low, (u32)left, 32),
		       is_possible && span_has(fitted, left)));
	assume(span->low <= fitted.low && fitted.high <= span->high);
	*span = fitted;
	return is_possible;
}

/* Fitting only takes away: what is needed for spans to stay in their halves. */
void proof_fit_narrows(void)
{
	struct span span = {any_unsigned(64), any_unsigned(64)}, old = span;
	struct halves low;

	low.lower = (struct span){any_unsigned(32), any_unsigned(32)};
	low.upper = (struct span){any_unsigned(32), any_unsigned(32)};
	assume(halves_are_apart(&low, 32));
	assume(!span_is_empty(low.lower) || !span_is_empty(low.upper));
	assume(!span_is_empty(span));
	check(implies(raise_to_low(&span, &low, 32), span.low >= old.low));
	span = old;
	check(implies(sink_to_low(&span, &low, 32), span.high <= old.high));
}

void proof_low_of_halves_32(void)
{
	struct halves halves;
	struct view low;

	left = any_unsigned(64);
	halves = any_halves_with(left, 64);
	low = view_low_of_halves(&halves, 32);
	check_view_has(&low, (u32)left, 32);
}

static struct halves round_halves(const struct view *view, u32 width)
{
	u64 value = left & low_ones(width);

	establish_view_has(view, value, width);
	return any_halves_with(value, width);
}

/* `left` is in the low or in the high half: one obligation each. */
static bool round_narrow(struct view *view, const struct halves *halves, u32 width)
{
	u64 value = left & low_ones(width);

	establish_view_has(view, value, width);
	establish(halves_have(halves, value, width));
	establish(span_is_empty(halves->lower) || halves->lower.high < sign_bit(width));
	establish(span_is_empty(halves->upper) || halves->upper.low >= sign_bit(width));
	establish(span_is_empty(halves->upper) || halves->upper.high <= low_ones(width));
	*view = any_view_with(value, width);
	return true;
}

static bool round_sync(struct view *view, u32 width)
{
	u64 value = left & low_ones(width);

	establish_view_has(view, value, width);
	*view = any_view_with(value, width);
	return true;
}

static struct view round_low_of_halves(const struct halves *halves, u32 to)
{
	establish(halves_have(halves, left, 64));
	return any_view_with(left & low_ones(to), to);
}

static void sync_round_keeps(bool is_high)
{
	struct scalar scalar;
	bool settled;

	left = any_unsigned(63) | (is_high ? sign_bit(64) : 0);
	scalar = any_scalar_with(left, SCALAR_SHAPE);
	rely_on(view_halves, round_halves);
	rely_on(view_narrow, round_narrow);
	rely_on(view_sync, round_sync);
	rely_on(raise_to_low, contract_fit);
	rely_on(sink_to_low, contract_fit);
	rely_on(view_low_of_halves, round_low_of_halves);
	check(sync_round(&scalar, SCALAR_SHAPE, &settled));
	check_scalar_has(&scalar, left, SCALAR_SHAPE);
}

void proof_sync_round_low(void)
{
	sync_round_keeps(false);
}

void proof_sync_round_high(void)
{
	sync_round_keeps(true);
}

void proof_sync_zero_extended(void)
{
	struct scalar scalar;

	left = any_unsigned(64);
	scalar = any_scalar_with(left, SCALAR_SHAPE);
	assume(scalar.umax <= low_ones(32));
	rely_on(view_sync, round_sync);
	check(sync_zero_extended(&scalar, SCALAR_SHAPE));
	check_scalar_has(&scalar, left, SCALAR_SHAPE);
}

void proof_sync_sign_extended(void)
{
	struct scalar scalar;

	left = any_unsigned(64);
	scalar = any_scalar_with(left, SCALAR_SHAPE);
	assume(scalar.smin >= INT32_MIN && scalar.smax <= INT32_MAX);
	rely_on(view_sync, round_sync);
	check(sync_sign_extended(&scalar, SCALAR_SHAPE));
	check_scalar_has(&scalar, left, SCALAR_SHAPE);
}

void proof_sync_by_bits(void)
{
	struct scalar scalar;
	bool is_constant, is_done;

	left = any_unsigned(64);
	scalar = any_scalar_with(left, SCALAR_SHAPE);
	is_constant = scalar_is_const(&scalar);
	is_done = sync_by_bits(&scalar, SCALAR_SHAPE);
	check(implies(is_constant, is_done));
	check_scalar_has(&scalar, left, SCALAR_SHAPE);
}

static bool small_from(struct tnum a, u64 value, u64 *out)
{
	establish(tnum_has(a, left));
	establish(value <= left);
	*out = any_unsigned(64);
	assume(value <= *out && *out <= left);
	return true;
}

static bool small_up_to(struct tnum a, u64 value, u64 *out)
{
	establish(tnum_has(a, left));
	establish(left <= value);
	*out = any_unsigned(64);
	assume(left <= *out && *out <= value);
	return true;
}

static struct tnum small_range(u64 low, u64 high)
{
	struct tnum bits = any_tnum(64);

	establish(low <= left && left <= high);
	assume(tnum_has(bits, left));
	return bits;
}

void proof_sync_small(void)
{
	struct scalar scalar;

	left = any_unsigned(64);
	assume(left <= INT32_MAX);
	scalar = any_scalar_with(left, SCALAR_SHAPE);
	rely_on(tnum_member_from, small_from);
	rely_on(tnum_member_up_to, small_up_to);
	rely_on(tnum_range, small_range);
	check(sync_small(&scalar, INT32_MAX));
	check_scalar_has(&scalar, left, SCALAR_SHAPE);
}

/* A constant is always done; what is not done stays as it is. */
static bool contract_by_bits(struct scalar *scalar, struct shape shape)
{
	bool is_done = any_unsigned(1);

	establish_scalar_has(scalar, left, shape);
	assume(implies(!scalar->bits.mask, is_done));
	if (is_done)
		*scalar = any_scalar_with(left, shape);
	return is_done;
}

static bool contract_small(struct scalar *scalar, u64 limit)
{
	establish_scalar_has(scalar, left, SCALAR_SHAPE);
	establish(left <= limit);
	*scalar = any_scalar_with(left, SCALAR_SHAPE);
	return true;
}

/* proof_sync_round */
static bool contract_round(struct scalar *scalar, struct shape shape, bool *settled)
{
	establish_scalar_has(scalar, left, shape);
	*scalar = any_scalar_with(left, shape);
	*settled = any_unsigned(1);
	return true;
}

static bool contract_sign_extended(struct scalar *scalar, struct shape shape)
{
	establish_scalar_has(scalar, left, shape);
	establish(scalar->smin >= INT32_MIN && scalar->smax <= INT32_MAX);
	*scalar = any_scalar_with(left, shape);
	return true;
}

/* proof_sync_zero_extended */
static bool contract_zero_extended(struct scalar *scalar, struct shape shape)
{
	establish_scalar_has(scalar, left, shape);
	establish(scalar->umax <= low_ones(32));
	*scalar = any_scalar_with(left, shape);
	return true;
}

void proof_scalar_sync(void)
{
	struct scalar scalar;

	left = any_unsigned(64);
	scalar = any_scalar_with(left, SCALAR_SHAPE);
	rely_on(sync_round, contract_round);
	rely_on(sync_by_bits, contract_by_bits);
	rely_on(sync_small, contract_small);
	rely_on(sync_zero_extended, contract_zero_extended);
	rely_on(sync_sign_extended, contract_sign_extended);
	check(scalar_sync(&scalar));
	check_scalar_has(&scalar, left, SCALAR_SHAPE);
}

/* --- sets --- */

void proof_scalar_join(void)
{
	struct scalar a, b, joined;

	left = any_unsigned(64);
	right = any_unsigned(64);
	a = any_scalar_with(left, SCALAR_SHAPE);
	b = any_scalar_with(right, SCALAR_SHAPE);
	rely_on(scalar_sync_shaped, contract_scalar_sync);
	outcome = any_unsigned(1) ? left : right;
	keep(outcome, 0);
	joined = scalar_join(&a, &b);
	check_scalar_has(&joined, outcome, SCALAR_SHAPE);
}

void proof_scalar_meet(void)
{
	struct scalar a, b;

	left = any_unsigned(64);
	a = any_scalar_with(left, SCALAR_SHAPE);
	b = any_scalar_with(left, SCALAR_SHAPE);
	rely_on(scalar_sync_shaped, contract_scalar_sync);
	keep(left, 0);
	check(scalar_meet(&a, &b));
	check_scalar_has(&a, left, SCALAR_SHAPE);
}

void proof_scalar_contains(void)
{
	struct scalar outer = any_scalar(SCALAR_SHAPE), inner;

	left = any_unsigned(64);
	inner = any_scalar_with(left, SCALAR_SHAPE);
	assume(scalar_contains(&outer, &inner));
	check_scalar_has(&outer, left, SCALAR_SHAPE);
}

/* --- operations --- */

static void any_operands(u8 op, u32 width, struct scalar *a, struct scalar *b)
{
	left = any_unsigned(64);
	right = any_unsigned(64);
	if (is_shift(op))
		assume((right & low_ones(width)) < width);
	*a = any_scalar_with(left, SCALAR_SHAPE);
	*b = any_scalar_with(right, SCALAR_SHAPE);
}

static u64 result_of(u8 op, bool is_signed, u32 width)
{
	u64 ones = low_ones(width);

	return concrete_alu(left & ones, right & ones, op, is_signed, width);
}

static void alu_full_keeps(u8 op, bool is_signed)
{
	struct scalar a, b;

	any_operands(op, 64, &a, &b);
	outcome = result_of(op, is_signed, 64);
	rely_on(view_alu, contract_view_alu);
	rely_on(scalar_sync_shaped, contract_scalar_sync);
	keep(outcome, 0);
	alu_full(&a, &b, op, is_signed, SCALAR_SHAPE);
	check_scalar_has(&a, outcome, SCALAR_SHAPE);
}

static void alu_low_keeps(u8 op, bool is_signed)
{
	struct scalar a, b;

	any_operands(op, 32, &a, &b);
	outcome = result_of(op, is_signed, 32);
	rely_on(view_alu, contract_view_alu);
	rely_on(scalar_sync_shaped, contract_scalar_sync);
	keep(outcome, 0);
	alu_low(&a, &b, op, is_signed, SCALAR_SHAPE);
	check_scalar_has(&a, outcome, SCALAR_SHAPE);
}

static bool contract_set_small(struct scalar *scalar, struct tnum bits, struct span span,
			       u64 limit)
{
	establish(tnum_has(bits, outcome));
	establish(span_has(span, outcome) && outcome <= limit);
	*scalar = any_scalar_with(outcome, SCALAR_SHAPE);
	return true;
}

void proof_scalar_set_small(void)
{
	struct tnum bits = any_tnum(64);
	struct span span = {any_unsigned(64), any_unsigned(64)};
	struct scalar scalar;

	left = any_unsigned(64);
	assume(left <= INT32_MAX && tnum_has(bits, left) && span_has(span, left));
	assume(span.high <= INT32_MAX);
	rely_on(tnum_member_from, small_from);
	rely_on(tnum_member_up_to, small_up_to);
	rely_on(tnum_range, small_range);
	check(scalar_set_small(&scalar, bits, span, INT32_MAX));
	check_scalar_has(&scalar, left, SCALAR_SHAPE);
}

static void alu_quick_keeps(u8 op, bool is_low)
{
	struct scalar a, b;

	any_operands(op, is_low ? 32 : 64, &a, &b);
	outcome = result_of(op, false, is_low ? 32 : 64);
	rely_on(scalar_set_small, contract_set_small);
	if (scalar_alu_quick(&a, &b, op, is_low, SCALAR_SHAPE))
		check_scalar_has(&a, outcome, SCALAR_SHAPE);
}

/* Constants are always done. */
static void alu_constants_keeps(u8 op, bool is_low)
{
	struct scalar a, b;

	left = any_unsigned(64);
	right = any_unsigned(64);
	if (is_shift(op))
		assume((right & low_ones(is_low ? 32 : 64)) < (is_low ? 32 : 64));
	a = scalar_const(left);
	b = scalar_const(right);
	outcome = result_of(op, false, is_low ? 32 : 64);
	check(scalar_alu_quick(&a, &b, op, is_low, SCALAR_SHAPE));
	check_scalar_has(&a, outcome, SCALAR_SHAPE);
}

#define SCALAR_ALU(kind, name, op, is_signed)  \
	void kind##_scalar_##name##_64(void);  \
	void kind##_scalar_##name##_64(void)   \
	{                                      \
		alu_full_keeps(op, is_signed); \
	}                                      \
	void kind##_scalar_##name##_32(void);  \
	void kind##_scalar_##name##_32(void)   \
	{                                      \
		alu_low_keeps(op, is_signed);  \
	}

#define SCALAR_QUICK(kind, name, op)            \
	void proof_constants_##name(void);      \
	void proof_constants_##name(void)       \
	{                                       \
		alu_constants_keeps(op, false); \
		alu_constants_keeps(op, true);  \
	}                                       \
	void kind##_quick_##name##_64(void);    \
	void kind##_quick_##name##_64(void)     \
	{                                       \
		alu_quick_keeps(op, false);     \
	}                                       \
	void kind##_quick_##name##_32(void);    \
	void kind##_quick_##name##_32(void)     \
	{                                       \
		alu_quick_keeps(op, true);      \
	}

/* The same code puts them all together: those that it treats apart are in every run. */
SCALAR_ALU(proof, add, BPF_ADD, false)
SCALAR_ALU(long, sub, BPF_SUB, false)
SCALAR_ALU(long, mul, BPF_MUL, false)
SCALAR_ALU(proof, and, BPF_AND, false)
SCALAR_ALU(long, or, BPF_OR, false)
SCALAR_ALU(long, xor, BPF_XOR, false)
SCALAR_ALU(proof, shl, BPF_LSH, false)
SCALAR_ALU(long, shr, BPF_RSH, false)
SCALAR_ALU(long, sar, BPF_ARSH, false)
SCALAR_ALU(long, div, BPF_DIV, false)
SCALAR_ALU(proof, sdiv, BPF_DIV, true)
SCALAR_ALU(long, mod, BPF_MOD, false)
SCALAR_ALU(long, smod, BPF_MOD, true)

SCALAR_QUICK(long, add, BPF_ADD)
SCALAR_QUICK(long, sub, BPF_SUB)
SCALAR_QUICK(long, mul, BPF_MUL)
SCALAR_QUICK(proof, and, BPF_AND)
SCALAR_QUICK(long, or, BPF_OR)
SCALAR_QUICK(long, xor, BPF_XOR)
SCALAR_QUICK(proof, shl, BPF_LSH)
SCALAR_QUICK(long, shr, BPF_RSH)
SCALAR_QUICK(long, sar, BPF_ARSH)

/* --- widths: of 64 bits the low ones are kept --- */

static struct view contract_view_low(const struct view *view, u32 from, u32 to)
{
	struct view low = any_view(to);

	assume(implies(view_has(view, left & low_ones(from), from),
		       view_has(&low, left & low_ones(to), to)));
	return low;
}

static struct scalar any_for_widths(void)
{
	left = any_unsigned(64);
	rely_on(view_low, contract_view_low);
	rely_on(scalar_sync_shaped, contract_scalar_sync);
	return any_scalar_with(left, SCALAR_SHAPE);
}

#define WIDTHS(bits)                                         \
	void proof_scalar_truncate_##bits(void);             \
	void proof_scalar_truncate_##bits(void)              \
	{                                                    \
		struct scalar a = any_for_widths();          \
                                                             \
		outcome = (u##bits)left;                     \
		keep(outcome, 0);                            \
		scalar_truncate(&a, (bits) / 8);             \
		check_scalar_has(&a, outcome, SCALAR_SHAPE); \
	}                                                    \
	void proof_scalar_sign_extend_##bits(void);          \
	void proof_scalar_sign_extend_##bits(void)           \
	{                                                    \
		struct scalar a = any_for_widths();          \
                                                             \
		outcome = (u64)(s64)(s##bits)left;           \
		keep(outcome, 0);                            \
		scalar_sign_extend(&a, (bits) / 8);          \
		check_scalar_has(&a, outcome, SCALAR_SHAPE); \
	}

WIDTHS(8)
WIDTHS(16)
WIDTHS(32)

static struct tnum contract_byte_swap(struct tnum a, u32 width)
{
	struct tnum swapped = any_tnum(width);
	u64 value = width == 64 ? left : left & low_ones(width);

	assume(implies(tnum_has(a, value), tnum_has(swapped, outcome)));
	return swapped;
}

static void contract_truncate(struct scalar *scalar, u32 bytes)
{
	if (bytes >= 8)
		return;
	*scalar = any_scalar_with(left & low_ones(8 * bytes), SCALAR_SHAPE);
}

#define BYTE_SWAP(bits)                                         \
	void proof_scalar_byte_swap_##bits(void);               \
	void proof_scalar_byte_swap_##bits(void)                \
	{                                                       \
		struct scalar a = any_for_widths();             \
                                                                \
		outcome = __builtin_bswap##bits((u##bits)left); \
		rely_on(scalar_truncate, contract_truncate);    \
		rely_on(tnum_byte_swap, contract_byte_swap);    \
		keep(outcome, 0);                               \
		scalar_byte_swap(&a, bits, true);               \
		check_scalar_has(&a, outcome, SCALAR_SHAPE);    \
	}

BYTE_SWAP(16)
BYTE_SWAP(32)
BYTE_SWAP(64)
