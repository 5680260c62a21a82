/* SPDX-License-Identifier: BSD-2-Clause */
/* Atomic operations of arm64: one instruction with LSE (version 8.1), else a loop. As in the
 * kernel, those that give the old value are ordered, the others are not. */
#include "jit/arm64_base.h"

#include <sys/auxv.h>

#if defined(__aarch64__)
#include <asm/hwcap.h>
#endif

bool arm64_has_lse(void)
{
#if defined(__aarch64__)
	return getauxval(AT_HWCAP) & HWCAP_ATOMICS;
#else
	return true;
#endif
}

static u8 size_of(machine_width width)
{
	return width == W64 ? 3 : 2;
}

struct lse_row {
	struct a64_op relaxed, ordered;
};

static struct lse_row lse_row(enum arm64_atomic what)
{
	switch (what) {
	case ARM64_ADD: return (struct lse_row){a64_ldadd, a64_ldaddal};
	case ARM64_AND: return (struct lse_row){a64_ldclr, a64_ldclral};
	case ARM64_OR: return (struct lse_row){a64_ldset, a64_ldsetal};
	case ARM64_XOR: return (struct lse_row){a64_ldeor, a64_ldeoral};
	case ARM64_XCHG: break;
	}
	return (struct lse_row){a64_swpal, a64_swpal};
}

static struct a64_op plain_row(enum arm64_atomic what)
{
	switch (what) {
	case ARM64_ADD: return a64_add;
	case ARM64_AND: return a64_and;
	case ARM64_OR: return a64_orr;
	case ARM64_XOR: return a64_eor;
	case ARM64_XCHG: break;
	}
	return a64_orr;
}

/* S2: the old value; S3: the new one; S4: whether somebody else wrote meanwhile. */
static void loop(struct emit *emit, enum arm64_atomic what, machine_width width, u8 value, u8 address,
		 bool is_ordered)
{
	const u32 again = emit_offset(emit);
	u8 written = value;

	a64_ordered(emit, is_ordered ? a64_ldaxr : a64_ldxr, size_of(width), S2, address);
	if (what != ARM64_XCHG) {
		a64_rrr(emit, plain_row(what), width, S3, S2, value);
		written = S3;
	}
	a64_atomic(emit, is_ordered ? a64_stlxr : a64_stxr, size_of(width), S4, written, address);
	a64_aim(emit, a64_near_reg(emit, a64_cbnz, W32, S4), again);
}

/* LSE's operation clears the bits that are set. */
static u8 lse_value(struct emit *emit, enum arm64_atomic what, u8 value)
{
	if (what != ARM64_AND)
		return value;
	a64_rrr(emit, a64_orn, W64, S2, XZR, value);
	return S2;
}

void arm64_atomic(struct emit *emit, enum arm64_atomic what, machine_width width, u8 value, u8 address)
{
	if (arm64_has_lse())
		a64_atomic(emit, lse_row(what).relaxed, size_of(width), lse_value(emit, what, value), XZR,
			   address);
	else
		loop(emit, what, width, value, address, false);
}

void arm64_fetch(struct emit *emit, enum arm64_atomic what, machine_width width, u8 old, u8 value,
		 u8 address)
{
	if (arm64_has_lse()) {
		a64_atomic(emit, lse_row(what).ordered, size_of(width), lse_value(emit, what, value), old,
			   address);
		return;
	}
	loop(emit, what, width, value, address, true);
	a64_plain(emit, a64_dmb_ish);
	a64_mov(emit, width, old, S2);
}

void arm64_compare_exchange(struct emit *emit, machine_width width, u8 compared, u8 value, u8 address)
{
	u32 again, other;

	if (arm64_has_lse()) {
		a64_atomic(emit, a64_casal, size_of(width), compared, value, address);
		return;
	}
	again = emit_offset(emit);
	a64_ordered(emit, a64_ldaxr, size_of(width), S2, address);
	a64_rrr(emit, a64_subs, width, XZR, S2, compared);
	other = a64_near(emit, A64_NE);
	a64_atomic(emit, a64_stlxr, size_of(width), S4, value, address);
	a64_aim(emit, a64_near_reg(emit, a64_cbnz, W32, S4), again);
	a64_land(emit, other);
	a64_plain(emit, a64_dmb_ish);
	a64_mov(emit, width, compared, S2);
}
