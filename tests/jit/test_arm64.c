/* SPDX-License-Identifier: BSD-2-Clause */
/* The arm64 encoder against capstone: every row, with all registers and kinds of operands. */
#include "jit/arm64.h"
#include "tests/unit.h"

#include <capstone/capstone.h>
#include <stdarg.h>
#include <stdio.h>

enum shape {
	RRR, RRV, RRRR, HIGH, LONG, RR, IMM12, LOGIC, WIDE, FIELD, EXTRACT, CHOICE, MEMORY, PAIR,
	LSE, ATOMIC, ORDERED, VECTOR, VECTOR3, VSHIFT, VLOAD, REG, PLAIN, FAR, NEAR, NEAR_REG, BIT, LITERAL,
};

struct row {
	enum shape shape;
	const char *name;
	const struct a64_op *op;
};

static const struct row rows[] = {
#define A64(shape, name, opcode) {shape, #name, &a64_##name},
#include "jit/arm64.def"
};

static u8 buffer[2 * EMIT_STEP];
static struct emit emit;
static csh capstone;

static struct emit *fresh(void)
{
	emit = (struct emit){buffer, buffer, buffer + sizeof(buffer)};
	return &emit;
}

/* What capstone makes of the instruction at the place. */
static void disassemble(u32 at, char *out, size_t size)
{
	cs_insn *insn;

	if (!cs_disasm(capstone, buffer + at, 4, at, 1, &insn)) {
		snprintf(out, size, "nothing");
		return;
	}
	snprintf(out, size, "%s%s%s", insn->mnemonic, *insn->op_str ? " " : "", insn->op_str);
	cs_free(insn, 1);
}

__attribute__((format(printf, 2, 3)))
static void want_at(u32 at, const char *format, ...)
{
	char want[128], got[256];
	va_list list;

	va_start(list, format);
	vsnprintf(want, sizeof(want), format, list);
	va_end(list);
	disassemble(at, got, sizeof(got));
	if (strcmp(want, got))
		fail_msg("encoded for '%s', decoded as '%s'", want, got);
}

#define want(...) want_at(0, __VA_ARGS__)

/* The row's name up to the underscore, which tells its forms apart. */
static const char *mnemonic(const struct row *row)
{
	static char name[16];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(row->name, "_"), row->name);
	return name;
}

static char letter(enum a64_width width)
{
	return width == W64 ? 'x' : 'w';
}

#define FOR_EACH_WIDTH(width) for (enum a64_width width = W32; width <= W64; width++)

/* Each field has all registers while the others have few. */
static const u8 few[] = {0, 9, 30};

#define REGISTERS 31

struct three {
	u8 d, n, m;
};

static struct three nth_three(u32 number)
{
	const u32 which = number / (REGISTERS * ARRAY_SIZE(few)) % 3;
	const u8 all = number % REGISTERS, other = few[number / REGISTERS % ARRAY_SIZE(few)];
	struct three three = {other, (u8)(other ^ 1), (u8)(other ^ 2)};

	*(which == 0 ? &three.d : which == 1 ? &three.n : &three.m) = all;
	return three;
}

#define FOR_EACH_THREE(r)                                                              \
	for (struct {u32 i; struct three at;} r = {0, nth_three(0)};                   \
	     r.i < 3 * REGISTERS * ARRAY_SIZE(few); r.i++, r.at = nth_three(r.i))

/* Names of arm64 have no register 31 here: other instructions are written that way. */
static bool has_31(struct three r)
{
	return r.d == 31 || r.n == 31 || r.m == 31;
}

/* --- arithmetic --- */

static void check_rrr(const struct row *row, enum a64_width width)
{
	static const char *const shifts[] = {"lsl", "lsr", "asr", "ror"};
	const bool has_ror = (row->op->bits & 0x1f000000) == 0x0a000000;
	const char c = letter(width);

	FOR_EACH_THREE(r) {
		if (has_31(r.at))
			continue;
		a64_rrr(fresh(), *row->op, width, r.at.d, r.at.n, r.at.m);
		want("%s %c%u, %c%u, %c%u", mnemonic(row), c, r.at.d, c, r.at.n, c, r.at.m);
	}
	for (u32 shift = 0; shift < 3 + has_ror; shift++)
		for (u8 amount = 1; amount < (width == W64 ? 64 : 32); amount++) {
			a64_rrr_shifted(fresh(), *row->op, width, 1, 2, 3, (enum a64_shift)shift, amount);
			want("%s %c1, %c2, %c3, %s #%u", mnemonic(row), c, c, c, shifts[shift],
			     amount);
		}
}

static void check_rrv(const struct row *row, enum a64_width width)
{
	const char c = letter(width);
	char name[16];

	/* lslv is written lsl. */
	snprintf(name, sizeof(name), "%s", mnemonic(row));
	if (strchr("la", name[0]) || !strcmp(name, "rorv"))
		name[3] = '\0';
	FOR_EACH_THREE(r) {
		if (has_31(r.at))
			continue;
		a64_rrr(fresh(), *row->op, width, r.at.d, r.at.n, r.at.m);
		want("%s %c%u, %c%u, %c%u", name, c, r.at.d, c, r.at.n, c, r.at.m);
	}
}

static void check_rrrr(const struct row *row, enum a64_width width)
{
	const char c = letter(width);

	for (u8 a = 0; a < REGISTERS; a++)
		FOR_EACH_THREE(r) {
			if (has_31(r.at))
				continue;
			a64_rrrr(fresh(), *row->op, width, r.at.d, r.at.n, r.at.m, a);
			want("%s %c%u, %c%u, %c%u, %c%u", mnemonic(row), c, r.at.d, c, r.at.n, c, r.at.m, c, a);
		}
}

static void check_wide_products(const struct row *row)
{
	FOR_EACH_THREE(r) {
		if (has_31(r.at))
			continue;
		if (row->shape == HIGH) {
			a64_high(fresh(), *row->op, r.at.d, r.at.n, r.at.m);
			want("%s x%u, x%u, x%u", mnemonic(row), r.at.d, r.at.n, r.at.m);
		} else {
			a64_long(fresh(), *row->op, r.at.d, r.at.n, r.at.m, r.at.n);
			want("%s x%u, w%u, w%u, x%u", mnemonic(row), r.at.d, r.at.n, r.at.m, r.at.n);
		}
	}
}

static void check_rr(const struct row *row, enum a64_width width)
{
	const bool is_rev64 = !strcmp(row->name, "rev64");
	const bool is_rev = is_rev64 || (!strcmp(row->name, "rev32") && width == W32);

	for (u8 d = 0; d < REGISTERS && (!is_rev64 || width == W64); d++)
		for (u8 n = 0; n < REGISTERS; n++) {
			a64_rr(fresh(), *row->op, width, d, n);
			want("%s %c%u, %c%u", is_rev ? "rev" : mnemonic(row), letter(width), d,
			     letter(width), n);
		}
}

/* Capstone writes small numbers without a prefix. */
static const char *number(u64 value)
{
	static char text[2][32];
	static u32 which;

	which ^= 1;
	snprintf(text[which], sizeof(text[which]), value > 9 ? "#0x%llx" : "#%llu", value);
	return text[which];
}

static void check_imm12(const struct row *row, enum a64_width width)
{
	const char c = letter(width);

	FOR_EACH_THREE(r) {
		if (has_31(r.at))
			continue;
		a64_imm12(fresh(), *row->op, width, r.at.d, r.at.n, 5);
		want("%s %c%u, %c%u, #5", mnemonic(row), c, r.at.d, c, r.at.n);
	}
	for (u32 imm = 0; imm < 4096; imm++) {
		assert_true(a64_is_imm12(imm) && a64_is_imm12((u64)imm << 12));
		a64_imm12(fresh(), *row->op, width, 3, 4, imm);
		want("%s %c3, %c4, %s", mnemonic(row), c, c, number(imm));
		if (!imm)
			continue;
		a64_imm12(fresh(), *row->op, width, 3, 4, imm << 12);
		want("%s %c3, %c4, %s, lsl #12", mnemonic(row), c, c, number(imm));
	}
	assert_false(a64_is_imm12(4097) || a64_is_imm12(1 << 24) || a64_is_imm12(-1ull));
}

static u64 repeated(u64 value, u32 size, enum a64_width width)
{
	for (; size < 64; size *= 2)
		value |= value << size;
	return width == W64 ? value : (u32)value;
}

static void check_logic(const struct row *row, enum a64_width width)
{
	const char c = letter(width);
	u32 pattern, patterns = 0;

	for (u32 size = 2; size <= (width == W64 ? 64 : 32); size *= 2)
		for (u32 ones = 1; ones < size; ones++)
			for (u32 by = 0; by < size; by++) {
				const u64 run = (1ull << ones) - 1, mask = size == 64 ? -1ull : (1ull << size) - 1;
				const u64 piece = by ? (run >> by | run << (size - by)) & mask : run;
				const u64 value = repeated(piece, size, width);

				assert_true(a64_is_pattern(value, width, &pattern));
				a64_logic(fresh(), *row->op, width, 7, 8, pattern);
				want("%s %c7, %c8, %s", mnemonic(row), c, c, number(value));
				patterns++;
			}
	assert_int_equal(patterns, width == W64 ? 5334 : 1302);
	assert_false(a64_is_pattern(0, width, &pattern) || a64_is_pattern(5, width, &pattern) ||
		     a64_is_pattern(-1ull, width, &pattern));
}

static void check_wide(const struct row *row, enum a64_width width)
{
	const char c = letter(width);

	for (u8 place = 0; place < (width == W64 ? 4 : 2); place++)
		for (u32 bits = 1; bits < 0x10000; bits += bits < 16 ? 1 : 251) {
			a64_wide(fresh(), *row->op, width, bits % REGISTERS, (u16)bits, place);
			if (place)
				want("%s %c%u, #0x%x, lsl #%u", row->name, c, bits % REGISTERS, bits, 16 * place);
			else
				want("%s %c%u, #0x%x", row->name, c, bits % REGISTERS, bits);
		}
}

/* --- fields: the names that they go by --- */

static void want_field(const struct row *row, enum a64_width width, u32 r, u32 s)
{
	const char c = letter(width), kind = row->name[0];
	const u32 size = width == W64 ? 64 : 32;

	if (kind == 'b' && s < r)
		want("bfi %c4, %c5, %s, %s", c, c, number(size - r), number(s + 1));
	else if (kind == 'b')
		want("bfxil %c4, %c5, %s, %s", c, c, number(r), number(s - r + 1));
	else if (s == size - 1)
		want("%s %c4, %c5, %s", kind == 's' ? "asr" : "lsr", c, c, number(r));
	else if (kind == 'u' && s + 1 == r)
		want("lsl %c4, %c5, %s", c, c, number(size - r));
	else if (s < r)
		want("%cbfiz %c4, %c5, %s, %s", kind, c, c, number(size - r), number(s + 1));
	else if (!r && (s == 7 || s == 15) && (kind == 's' || width == W32))
		want("%cxt%c %c4, w5", kind, s == 7 ? 'b' : 'h', c);
	else if (!r && s == 31 && kind == 's')
		want("sxtw x4, w5");
	else
		want("%cbfx %c4, %c5, %s, %s", kind, c, c, number(r), number(s - r + 1));
}

static void check_field(const struct row *row, enum a64_width width)
{
	const u8 size = width == W64 ? 64 : 32;

	for (u8 r = 0; r < size; r++)
		for (u8 s = 0; s < size; s++) {
			a64_field(fresh(), *row->op, width, 4, 5, r, s);
			want_field(row, width, r, s);
		}
	for (u8 reg = 0; reg < REGISTERS; reg++) {
		a64_field(fresh(), *row->op, width, reg, reg ^ 1, 3, 5);
		if ((reg ^ 1) < REGISTERS)
			want("%s %c%u, %c%u, #3, #3",
			     row->name[0] == 'b' ? "bfxil" : row->name[0] == 's' ? "sbfx" : "ubfx",
			     letter(width), reg, letter(width), reg ^ 1);
	}
}

static void check_extract(enum a64_width width)
{
	const char c = letter(width);

	FOR_EACH_THREE(r) {
		if (has_31(r.at) || r.at.n == r.at.m)
			continue;
		for (u8 from = 0; from < (width == W64 ? 64 : 32); from += 5) {
			a64_extract(fresh(), width, r.at.d, r.at.n, r.at.m, from);
			want("extr %c%u, %c%u, %c%u, %s", c, r.at.d, c, r.at.n, c, r.at.m, number(from));
		}
	}
}

static const char *const conditions[] = {"eq", "ne", "hs", "lo", "mi", "pl", "vs",
					 "vc", "hi", "ls", "ge", "lt", "gt", "le"};

static void check_choice(const struct row *row, enum a64_width width)
{
	const char c = letter(width);

	for (u32 condition = 0; condition < ARRAY_SIZE(conditions); condition++)
		FOR_EACH_THREE(r) {
			if (has_31(r.at) || r.at.n == r.at.m)
				continue;
			a64_choice(fresh(), *row->op, width, r.at.d, r.at.n, r.at.m,
				   (enum a64_condition)condition);
			want("%s %c%u, %c%u, %c%u, %s", mnemonic(row), c, r.at.d, c, r.at.n, c, r.at.m,
			     conditions[condition]);
		}
}

/* --- memory --- */

struct access {
	char name[8], near[8];
	char c;
	u32 size; /* logarithm of the bytes */
};

/* ldrsb of "load_s8_64", and so on. */
static struct access access_of(const struct row *row)
{
	const bool is_load = row->name[0] == 'l';
	const bool is_signed = strstr(row->name, "_s");
	const u32 size = row->op->bits >> 30;
	const char *suffix = size == 0 ? "b" : size == 1 ? "h" : is_signed ? "w" : "";
	struct access access = {.size = size};
	const u32 kind = row->op->bits >> 22 & 3;

	access.c = size == 3 || kind == 2 ? 'x' : 'w';
	snprintf(access.name, sizeof(access.name), "%sr%s%s", is_load ? "ld" : "st", is_signed ? "s" : "", suffix);
	snprintf(access.near, sizeof(access.near), "%sur%s%s", is_load ? "ld" : "st", is_signed ? "s" : "", suffix);
	return access;
}

static void check_memory(const struct row *row)
{
	const struct access as = access_of(row);

	for (u8 t = 0; t < REGISTERS; t++)
		for (u8 n = 0; n < REGISTERS; n++) {
			a64_memory(fresh(), *row->op, t, a64_at(n, 0));
			want("%s %c%u, [x%u]", as.name, as.c, t, n);
			for (u8 scale = 0; scale <= as.size; scale += as.size ?: 1) {
				a64_memory(fresh(), *row->op, t, (struct a64_mem){n, t, scale, 0});
				if (scale)
					want("%s %c%u, [x%u, x%u, lsl #%u]", as.name, as.c, t, n, t, scale);
				else
					want("%s %c%u, [x%u, x%u]", as.name, as.c, t, n, t);
			}
		}
	for (s32 disp = -300; disp < 40000; disp++) {
		const bool is_scaled = disp >= 0 && !(disp & ((1 << as.size) - 1)) && disp >> as.size < 4096;

		assert_int_equal(a64_reaches(*row->op, disp), is_scaled || (disp >= -256 && disp < 256));
		if (!a64_reaches(*row->op, disp) || !disp)
			continue;
		a64_memory(fresh(), *row->op, 1, a64_at(SP, disp));
		want("%s %c1, [sp, #%s%s]", is_scaled ? as.name : as.near, as.c, disp < 0 ? "-" : "",
		     number((u64)abs(disp)) + 1);
	}
}

static void check_pair(const struct row *row)
{
	for (s32 disp = -512; disp < 512; disp += 8)
		for (u8 t = 0; t < REGISTERS; t++) {
			const u8 t2 = (u8)((t + 1) % REGISTERS);
			char place[32];

			snprintf(place, sizeof(place), "#%s%s", disp < 0 ? "-" : "", number((u64)abs(disp)) + 1);
			a64_pair(fresh(), *row->op, t, t2, SP, disp);
			if (strstr(row->name, "post"))
				want("ldp x%u, x%u, [sp], %s", t, t2, place);
			else if (strstr(row->name, "pre"))
				want("stp x%u, x%u, [sp, %s]!", t, t2, place);
			else if (disp)
				want("%s x%u, x%u, [sp, %s]", row->name, t, t2, place);
			else
				want("%s x%u, x%u, [sp]", row->name, t, t2);
		}
}

static void check_atomic(const struct row *row, u8 size)
{
	const bool is_conditional = strstr(row->name, "xr");
	const char c = size == 3 ? 'x' : 'w';

	FOR_EACH_THREE(r) {
		if (has_31(r.at))
			continue;
		a64_atomic(fresh(), *row->op, size, r.at.d, r.at.n, r.at.m);
		want("%s%s %c%u, %c%u, [x%u]", row->name, size == 0 ? "b" : size == 1 ? "h" : "",
		     is_conditional ? 'w' : c, r.at.d, c, r.at.n, r.at.m);
	}
}

/* Capstone 4 does not know them: what GNU as makes of `name w1, w2, [x3]`. */
static const struct {
	const char *name;
	u32 word;
} lse_words[] = {
	{"ldaddal", 0xb8e10062}, {"ldclral", 0xb8e11062}, {"ldeoral", 0xb8e12062},
	{"ldsetal", 0xb8e13062}, {"swpal", 0xb8e18062},	  {"ldadd", 0xb8210062},
	{"ldclr", 0xb8211062},	 {"ldeor", 0xb8212062},	  {"ldset", 0xb8213062},
	{"casal", 0x88e1fc62},
};

static void check_lse(const struct row *row)
{
	u32 word, others;

	for (u32 i = 0; i < ARRAY_SIZE(lse_words); i++) {
		if (strcmp(lse_words[i].name, row->name))
			continue;
		a64_atomic(fresh(), *row->op, 2, 1, 2, 3);
		memcpy(&word, buffer, sizeof(word));
		assert_int_equal(word, lse_words[i].word);
		others = word & ~(3u << 30 | 31 << 16 | 31 << 5 | 31);
		for (u32 reg = 0; reg < 31 * 4; reg++) {
			a64_atomic(fresh(), *row->op, reg / 31, reg % 31, reg % 31 ^ 1, reg % 31 ^ 2);
			memcpy(&word, buffer, sizeof(word));
			assert_int_equal(word, others | reg / 31 << 30 | reg % 31 << 16 |
						       (reg % 31 ^ 2) << 5 | (reg % 31 ^ 1));
		}
		return;
	}
	fail_msg("%s: what it should be is not written down", row->name);
}

static void check_ordered(const struct row *row, u8 size)
{
	for (u8 t = 0; t < REGISTERS; t++)
		for (u8 n = 0; n < REGISTERS; n++) {
			a64_ordered(fresh(), *row->op, size, t, n);
			want("%s%s %c%u, [x%u]", row->name, size == 0 ? "b" : size == 1 ? "h" : "",
			     size == 3 ? 'x' : 'w', t, n);
		}
}

static void check_vector(const struct row *row)
{
	for (u8 d = 0; d < REGISTERS; d++)
		for (u8 n = 0; n < REGISTERS; n++) {
			a64_vector(fresh(), *row->op, d, n);
			if (row->name[0] == 'f') /* fmov_d_x: the registers' letters */
				want("fmov %c%u, %c%u", row->name[5], d, row->name[7], n);
			else if (row->name[0] == 'c')
				want("cnt v%u.8b, v%u.8b", d, n);
			else if (row->name[0] == 'a')
				want("addv b%u, v%u.8b", d, n);
			else if (row->name[0] == 'd')
				want("dup v%u.%s, %c%u", d, row->name[4] == 's' ? "4s" : "2d",
				     row->name[4] == 's' ? 'w' : 'x', n);
			else if (row->name[0] == 'x')
				want("xtn v%u.2s, v%u.2d", d, n);
			else
				want("%s v%u.16b, v%u.16b", mnemonic(row), d, n);
		}
}

/* The kind of lanes is the name's end; what has none there works on bytes. */
static void check_vector3(const struct row *row)
{
	FOR_EACH_THREE(r) {
		const char *end = strchr(row->name, '_');
		const char *lanes = end && strlen(end) == 3 ? end + 1 : "16b";

		if (has_31(r.at) || r.at.n == r.at.m)
			continue;
		a64_vector3(fresh(), *row->op, r.at.d, r.at.n, r.at.m);
		if (row->op->bits == a64_umull.bits)
			want("umull v%u.2d, v%u.2s, v%u.2s", r.at.d, r.at.n, r.at.m);
		else if (row->name[1] == 'x')
			want("ext v%u.16b, v%u.16b, v%u.16b, #%s", r.at.d, r.at.n, r.at.m, end + 1);
		else
			want("%s v%u.%s, v%u.%s, v%u.%s", mnemonic(row), r.at.d, lanes, r.at.n, lanes,
			     r.at.m, lanes);
	}
}

static void check_vector_shift(const struct row *row)
{
	static const char *const wide[] = {"8h", "4s", "2d"}, *const narrow[] = {"8b", "4h", "2s"};

	for (u8 i = 0; i < 3 && strstr(row->name, "shll"); i++) {
		a64_vector_shift(fresh(), *row->op, 17, 20, (u8)(8 << i));
		want("%s v17.%s, v20.%s, #0", mnemonic(row), wide[i], narrow[i]);
	}
	for (u8 bits = 32; bits <= 64 && !strstr(row->name, "shll"); bits *= 2)
		for (u8 by = 1; by < bits; by++) {
			const bool is_left = row->op->bits == a64_shl_v.bits;

			a64_vector_shift(fresh(), *row->op, by % REGISTERS, 20,
					 is_left ? bits + by : 2 * bits - by);
			want("%s v%u.%s, v20.%s, %s", mnemonic(row), by % REGISTERS, bits == 32 ? "4s" : "2d",
			     bits == 32 ? "4s" : "2d", number(by));
		}
}

static void check_vector_load(const struct row *row)
{
	for (u8 t = 0; t < REGISTERS; t++)
		for (u8 bytes = 2; bytes <= 16; bytes *= 2) {
			a64_vector_load(fresh(), *row->op, t, t ^ 1, bytes);
			if ((t ^ 1) < REGISTERS)
				want("ldr %c%u, [x%u], %s", row->name[4], t, t ^ 1, number(bytes));
		}
}

/* --- control --- */

static void check_plain(const struct row *row)
{
	a64_plain(fresh(), *row->op);
	if (strchr(row->name, '_'))
		want("%.3s %s", row->name, row->name + 4);
	else
		want("%s", row->name);
}

static void check_reg(const struct row *row)
{
	for (u8 n = 0; n < REGISTERS; n++) {
		a64_reg(fresh(), *row->op, n);
		if (row->op->bits == a64_ret.bits && n == X30)
			want("ret");
		else
			want("%s x%u", row->name, n);
	}
}

/* To places before and behind it. */
#define FROM 400

static u32 emit_jump(const struct row *row, u32 which)
{
	const enum a64_width width = which % 2 ? W64 : W32;

	fresh();
	for (u32 i = 0; i < FROM / 4; i++)
		a64_plain(&emit, a64_nop);
	switch ((u32)row->shape) {
	case FAR: return a64_far(&emit, *row->op);
	case NEAR: return a64_near(&emit, (enum a64_condition)(which % ARRAY_SIZE(conditions)));
	case NEAR_REG: return a64_near_reg(&emit, *row->op, width, (u8)(which % REGISTERS));
	case BIT: return a64_bit(&emit, *row->op, (u8)(which % REGISTERS), (u8)(which % 64));
	default: return a64_literal(&emit, (u8)(which % REGISTERS));
	}
}

static void want_jump(const struct row *row, u32 which, u32 target)
{
	const u32 reg = which % REGISTERS;

	switch ((u32)row->shape) {
	case FAR: want_at(FROM, "%s #0x%x", row->name, target); return;
	case NEAR: want_at(FROM, "b.%s #0x%x", conditions[which % ARRAY_SIZE(conditions)], target); return;
	case NEAR_REG:
		want_at(FROM, "%s %c%u, #0x%x", row->name, letter(which % 2 ? W64 : W32), reg, target);
		return;
	case BIT:
		want_at(FROM, "%s %c%u, %s, #0x%x", row->name, which % 64 > 31 ? 'x' : 'w', reg,
			number(which % 64), target);
		return;
	default: want_at(FROM, "ldr x%u, #0x%x", reg, target); return;
	}
}

static void check_jump(const struct row *row)
{
	static const u32 reach[] = {[FAR] = 1 << 25, [NEAR] = 1 << 18, [NEAR_REG] = 1 << 18, [BIT] = 1 << 13,
				    [LITERAL] = 1 << 18};
	const u32 words = reach[row->shape];

	for (u32 which = 0; which < 64 * 31; which++) {
		const u32 targets[] = {16, FROM, FROM + 4, 0x1000, FROM + 4 * (words - 1)};
		const u32 at = emit_jump(row, which), target = targets[which % ARRAY_SIZE(targets)];

		assert_int_equal(at, FROM);
		assert_false(a64_aim(&emit, at, FROM + 4 * words));
		assert_true(a64_aim(&emit, at, 32) && a64_aim(&emit, at, target));
		want_jump(row, which, target);
	}
}

static void check_in_width(const struct row *row, enum a64_width width)
{
	switch ((u32)row->shape) {
	case RRR: check_rrr(row, width); return;
	case RRV: check_rrv(row, width); return;
	case RRRR: check_rrrr(row, width); return;
	case RR: check_rr(row, width); return;
	case IMM12: check_imm12(row, width); return;
	case LOGIC: check_logic(row, width); return;
	case WIDE: check_wide(row, width); return;
	case FIELD: check_field(row, width); return;
	case EXTRACT: check_extract(width); return;
	case CHOICE: check_choice(row, width); return;
	default: return;
	}
}

static void check_row(const struct row *row)
{
	switch ((u32)row->shape) {
	case HIGH:
	case LONG: check_wide_products(row); return;
	case MEMORY: check_memory(row); return;
	case PAIR: check_pair(row); return;
	case LSE: check_lse(row); return;
	case VECTOR: check_vector(row); return;
	case VECTOR3: check_vector3(row); return;
	case VSHIFT: check_vector_shift(row); return;
	case VLOAD: check_vector_load(row); return;
	case REG: check_reg(row); return;
	case PLAIN: check_plain(row); return;
	case FAR:
	case NEAR:
	case NEAR_REG:
	case BIT:
	case LITERAL: check_jump(row); return;
	case ATOMIC:
	case ORDERED:
		for (u8 size = 0; size < 4; size++)
			if (row->shape == ATOMIC)
				check_atomic(row, size);
			else
				check_ordered(row, size);
		return;
	default:
		FOR_EACH_WIDTH(width)
			check_in_width(row, width);
	}
}

static void every_row_is_what_capstone_reads(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		check_row(&rows[i]);
}

/* --- what is made of several instructions, by a machine in miniature --- */

/* The value that the instructions give the register. */
static u64 run_constant(u8 d)
{
	u64 value = 0xdeadbeefdeadbeefull;

	for (const u8 *at = buffer; at < emit.at; at += 4) {
		u32 insn, place, bits, size, ones, by;
		u64 mask;

		memcpy(&insn, at, sizeof(insn));
		assert_int_equal(insn & 31, d);
		bits = insn >> 5 & 0xffff;
		place = 16 * (insn >> 21 & 3);
		mask = insn >> 31 ? -1ull : UINT32_MAX;
		switch (insn >> 23 & 0x3f) {
		case 0x25: /* by the two bits above: movn, movz, movk */
			if ((insn >> 29 & 3) == 3)
				value = (value & ~(0xffffull << place)) | (u64)bits << place;
			else
				value = (insn >> 29 & 3 ? (u64)bits << place : ~((u64)bits << place)) & mask;
			break;
		case 0x24: /* orr of a pattern and nothing */
			assert_int_equal(insn >> 5 & 31, 31);
			by = insn >> 16 & 63;
			size = insn >> 22 & 1 ? 64 : 32u >> (u32)__builtin_clz(~(insn >> 10 & 63) << 26 | 1 << 25);
			ones = (insn >> 10 & 63 & (size - 1)) + 1;
			value = ones == 64 ? -1ull : (1ull << ones) - 1;
			by &= size - 1;
			if (by)
				value = (value >> by | value << (size - by)) &
					(size == 64 ? -1ull : (1ull << size) - 1);
			value = repeated(value, size, W64) & mask;
			break;
		default: fail_msg("0x%08x makes no constant", insn);
		}
	}
	return value;
}

static void constants_are_made(void **state)
{
	static const struct {
		u64 value;
		u32 insns;
	} table[] = {
		{0, 1}, {1, 1}, {0xffff, 1}, {0x10000, 1}, {-1ull, 1}, {-2ull, 1}, {UINT32_MAX, 1},
		{0xfffffffe, 1}, {0x12345678, 2}, {0xffff1234, 1}, {0x5555555555555555, 1},
		{0xff00ff00, 1}, {0x123456789abcdef0, 4}, {0xffffffff00000000, 1},
		{0x7fffffffffffffff, 1}, {0xffff123456789abc, 3}, {0x1234000056780000, 2},
		{0x00007f1234560000, 2}, {0xfffffffffff00001, 1}, {0xfffffffffff01001, 2},
	};
	u64 random = 88172645463325252ull;

	for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
		a64_mov_imm(fresh(), 3, table[i].value);
		if (run_constant(3) != table[i].value || emit_offset(&emit) != 4 * table[i].insns)
			fail_msg("%#llx: made %#llx in %u instructions", table[i].value,
				 run_constant(3), emit_offset(&emit) / 4);
	}
	for (u32 i = 0; i < 100000; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		a64_mov_imm(fresh(), 5, random >> i % 64);
		assert_int_equal(run_constant(5), random >> i % 64);
		assert_true(emit_offset(&emit) <= 16);
	}
}

static void addresses_that_are_out_of_reach_are_made(void **state)
{
	static const struct {
		struct a64_mem mem;
		const char *want[3];
	} table[] = {
		{{1, A64_NO_REG, 0, 8}, {"ldr x0, [x1, #8]"}},
		{{1, A64_NO_REG, 0, -8}, {"ldur x0, [x1, #-8]"}},
		{{1, A64_NO_REG, 0, -512}, {"sub x16, x1, #0x200", "ldr x0, [x16]"}},
		{{1, A64_NO_REG, 0, 32768}, {"add x16, x1, #8, lsl #12", "ldr x0, [x16]"}},
		{{1, A64_NO_REG, 0, 32777},
		 {"add x16, x1, #8, lsl #12", "add x16, x16, #9", "ldr x0, [x16]"}},
		{{1, 2, 3, 0}, {"ldr x0, [x1, x2, lsl #3]"}},
		{{1, 2, 0, 0}, {"ldr x0, [x1, x2]"}},
		{{1, 2, 2, 0}, {"add x16, x1, x2, lsl #2", "ldr x0, [x16]"}},
		{{1, 2, 3, 16}, {"add x16, x1, x2, lsl #3", "ldr x0, [x16, #0x10]"}},
	};

	for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
		a64_access(fresh(), a64_load64, X0, table[i].mem, X16);
		for (u32 k = 0; k < 3 && table[i].want[k]; k++)
			want_at(4 * k, "%s", table[i].want[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_what_capstone_reads),
		cmocka_unit_test(constants_are_made),
		cmocka_unit_test(addresses_that_are_out_of_reach_are_made),
	};
	int failed;

	if (cs_open(CS_ARCH_ARM64, CS_MODE_ARM, &capstone))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	cs_close(&capstone);
	return failed;
}
