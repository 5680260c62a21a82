/* SPDX-License-Identifier: BSD-2-Clause */
/* The x86-64 encoder against Zydis: every row, with all registers and kinds of addresses. */
#include "jit/x86.h"
#include "tests/unit.h"

#include <stdio.h>
#include <Zydis/Zydis.h>

/* What Zydis calls the instruction of each row. */
#define MNEMONIC_add_load ZYDIS_MNEMONIC_ADD
#define MNEMONIC_add_store  ZYDIS_MNEMONIC_ADD
#define MNEMONIC_or_load ZYDIS_MNEMONIC_OR
#define MNEMONIC_or_store   ZYDIS_MNEMONIC_OR
#define MNEMONIC_and_load ZYDIS_MNEMONIC_AND
#define MNEMONIC_and_store  ZYDIS_MNEMONIC_AND
#define MNEMONIC_sub_load ZYDIS_MNEMONIC_SUB
#define MNEMONIC_sub_store  ZYDIS_MNEMONIC_SUB
#define MNEMONIC_xor_load ZYDIS_MNEMONIC_XOR
#define MNEMONIC_xor_store  ZYDIS_MNEMONIC_XOR
#define MNEMONIC_cmp_load ZYDIS_MNEMONIC_CMP
#define MNEMONIC_cmp_store  ZYDIS_MNEMONIC_CMP
#define MNEMONIC_test	    ZYDIS_MNEMONIC_TEST
#define MNEMONIC_xchg	    ZYDIS_MNEMONIC_XCHG
#define MNEMONIC_store8	    ZYDIS_MNEMONIC_MOV
#define MNEMONIC_store	    ZYDIS_MNEMONIC_MOV
#define MNEMONIC_load	    ZYDIS_MNEMONIC_MOV
#define MNEMONIC_lea	    ZYDIS_MNEMONIC_LEA
#define MNEMONIC_movsxd	    ZYDIS_MNEMONIC_MOVSXD
#define MNEMONIC_imul_imm   ZYDIS_MNEMONIC_IMUL
#define MNEMONIC_imul	    ZYDIS_MNEMONIC_IMUL
#define MNEMONIC_movzx8	    ZYDIS_MNEMONIC_MOVZX
#define MNEMONIC_movzx16    ZYDIS_MNEMONIC_MOVZX
#define MNEMONIC_movsx8	    ZYDIS_MNEMONIC_MOVSX
#define MNEMONIC_movsx16    ZYDIS_MNEMONIC_MOVSX
#define MNEMONIC_tzcnt	    ZYDIS_MNEMONIC_TZCNT
#define MNEMONIC_cmpxchg    ZYDIS_MNEMONIC_CMPXCHG
#define MNEMONIC_popcnt	    ZYDIS_MNEMONIC_POPCNT
#define MNEMONIC_lzcnt	    ZYDIS_MNEMONIC_LZCNT
#define MNEMONIC_xadd	    ZYDIS_MNEMONIC_XADD
#define MNEMONIC_add_imm8   ZYDIS_MNEMONIC_ADD
#define MNEMONIC_or_imm8    ZYDIS_MNEMONIC_OR
#define MNEMONIC_and_imm8   ZYDIS_MNEMONIC_AND
#define MNEMONIC_sub_imm8   ZYDIS_MNEMONIC_SUB
#define MNEMONIC_xor_imm8   ZYDIS_MNEMONIC_XOR
#define MNEMONIC_cmp_imm8   ZYDIS_MNEMONIC_CMP
#define MNEMONIC_add_imm32  ZYDIS_MNEMONIC_ADD
#define MNEMONIC_or_imm32   ZYDIS_MNEMONIC_OR
#define MNEMONIC_and_imm32  ZYDIS_MNEMONIC_AND
#define MNEMONIC_sub_imm32  ZYDIS_MNEMONIC_SUB
#define MNEMONIC_xor_imm32  ZYDIS_MNEMONIC_XOR
#define MNEMONIC_cmp_imm32  ZYDIS_MNEMONIC_CMP
#define MNEMONIC_shl_imm8   ZYDIS_MNEMONIC_SHL
#define MNEMONIC_shr_imm8   ZYDIS_MNEMONIC_SHR
#define MNEMONIC_sar_imm8   ZYDIS_MNEMONIC_SAR
#define MNEMONIC_rol_imm8   ZYDIS_MNEMONIC_ROL
#define MNEMONIC_rol_cl ZYDIS_MNEMONIC_ROL
#define MNEMONIC_shl_cl	    ZYDIS_MNEMONIC_SHL
#define MNEMONIC_shr_cl	    ZYDIS_MNEMONIC_SHR
#define MNEMONIC_sar_cl	    ZYDIS_MNEMONIC_SAR
#define MNEMONIC_store_imm8 ZYDIS_MNEMONIC_MOV
#define MNEMONIC_store_imm  ZYDIS_MNEMONIC_MOV
#define MNEMONIC_test_imm32 ZYDIS_MNEMONIC_TEST
#define MNEMONIC_not	    ZYDIS_MNEMONIC_NOT
#define MNEMONIC_neg	    ZYDIS_MNEMONIC_NEG
#define MNEMONIC_mul ZYDIS_MNEMONIC_MUL
#define MNEMONIC_div	    ZYDIS_MNEMONIC_DIV
#define MNEMONIC_idiv	    ZYDIS_MNEMONIC_IDIV
#define MNEMONIC_dec	    ZYDIS_MNEMONIC_DEC
#define MNEMONIC_call	    ZYDIS_MNEMONIC_CALL
#define MNEMONIC_jmp	    ZYDIS_MNEMONIC_JMP

struct row {
	const char *name;
	const struct x86_op *op;
	ZydisMnemonic mnemonic;
	bool has_digit;
};

static const struct row rows[] = {
#define X86(name, ...)	     {#name, &x86_##name, MNEMONIC_##name, false},
#define X86_DIGIT(name, ...) {#name, &x86_##name, MNEMONIC_##name, true},
#include "jit/x86.def"
};

static u8 buffer[2 * EMIT_STEP];

static struct emit fresh(void)
{
	memset(buffer, 0, sizeof(buffer));
	return (struct emit){buffer, buffer, buffer + sizeof(buffer)};
}

struct decoded {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
};

/* Immediates, which the caller appends, are zero bytes here. */
static struct decoded decode(const struct row *row)
{
	struct decoded decoded;
	ZydisDecoder decoder;
	ZyanStatus status;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	status = ZydisDecoderDecodeFull(&decoder, buffer, sizeof(buffer), &decoded.insn,
					decoded.operand);
	if (ZYAN_FAILED(status) || decoded.insn.mnemonic != row->mnemonic)
		fail_msg("%s: decoded as %s", row->name,
			 ZYAN_FAILED(status) ? "nothing"
					     : ZydisMnemonicGetString(decoded.insn.mnemonic));
	return decoded;
}

/* What the encoder wrote, without the immediates that follow. */
static void check_length(const struct row *row, const struct decoded *decoded,
			 const struct emit *emit)
{
	u32 immediates = 0;

	for (u32 i = 0; i < 2; i++)
		immediates += decoded->insn.raw.imm[i].size / 8;
	if (decoded->insn.length - immediates != emit_offset(emit))
		fail_msg("%s: %u bytes were written, %u are an instruction", row->name,
			 emit_offset(emit), decoded->insn.length - immediates);
}

/* The operand that is encoded in this place; NULL: none is. */
static const ZydisDecodedOperand *operand_at(const struct decoded *decoded,
					     ZydisOperandEncoding place)
{
	for (u32 i = 0; i < decoded->insn.operand_count; i++)
		if (decoded->operand[i].encoding == place)
			return &decoded->operand[i];
	return NULL;
}

/* The number that the machine knows it by; ah to bh have none. */
static int number_of(ZydisRegister reg)
{
	if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
		return -1;
	return ZydisRegisterGetId(reg) -
	       (reg >= ZYDIS_REGISTER_SPL && reg <= ZYDIS_REGISTER_R15B
			? ZYDIS_REGISTER_SPL - ZYDIS_REGISTER_AH
			: 0);
}

static void check_register(const struct row *row, const ZydisDecodedOperand *operand, u8 reg)
{
	if (!operand || operand->type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    number_of(operand->reg.value) != reg)
		fail_msg("%s: register %u is %s", row->name, reg,
			 operand ? ZydisRegisterGetString(operand->reg.value) : "not there");
}

static u32 bits_of(enum x86_width width)
{
	return width == W64 ? 64 : width == W32 ? 32 : 16;
}

static bool is_byte(const struct row *row, bool of_reg)
{
	return row->op->flags & (of_reg ? X86_BYTE_REG : X86_BYTE_REG | X86_BYTE_RM);
}

/* Moves of fewer bits into a register, and what has one width only. */
static bool has_own_width(const struct row *row)
{
	return row->op->flags || row->op->opcode == 0xc6 || row->op == &x86_movzx16 ||
	       row->op == &x86_movsx16 || row->op == &x86_movsxd || row->op == &x86_lea;
}

static void check_width(const struct row *row, const ZydisDecodedOperand *rm,
			enum x86_width width)
{
	if (!has_own_width(row) && rm->size != bits_of(width))
		fail_msg("%s: %u bits, wanted %u", row->name, rm->size, bits_of(width));
}

static void check_registers(const struct row *row, enum x86_width width, u8 reg, u8 rm)
{
	struct emit emit = fresh();
	struct decoded decoded;
	const ZydisDecodedOperand *operand;

	x86_rr(&emit, *row->op, width, reg, rm);
	decoded = decode(row);
	check_length(row, &decoded, &emit);
	operand = operand_at(&decoded, ZYDIS_OPERAND_ENCODING_MODRM_RM);
	check_register(row, operand, rm);
	check_width(row, operand, width);
	if (!row->has_digit)
		check_register(row, operand_at(&decoded, ZYDIS_OPERAND_ENCODING_MODRM_REG),
			       reg);
}

static const enum x86_width widths[] = {W16, W32, W64};

static bool has_width(const struct row *row, enum x86_width width)
{
	return width != W16 ||
	       !(row->op->flags & X86_WIDE || is_byte(row, true) || row->op == &x86_movsxd);
}

static void registers(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		for (u32 w = 0; w < ARRAY_SIZE(widths); w++)
			for (u32 pair = 0; pair < 256 && has_width(&rows[i], widths[w]); pair++)
				if (rows[i].op != &x86_lea)
					check_registers(&rows[i], widths[w], pair >> 4,
							pair & 15);
}

static void check_address(const struct row *row, const ZydisDecodedOperand *operand,
			  struct x86_mem mem)
{
	ZydisRegister index = operand->mem.index;
	bool has_index = mem.index != X86_NO_REG;

	if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY ||
	    ZydisRegisterGetId(operand->mem.base) != mem.base ||
	    (index != ZYDIS_REGISTER_NONE) != has_index ||
	    (has_index && (ZydisRegisterGetId(index) != mem.index ||
			   operand->mem.scale != 1 << mem.scale)) ||
	    operand->mem.disp.value != mem.disp)
		fail_msg("%s: another address", row->name);
}

static void check_memory(const struct row *row, enum x86_width width, u8 reg,
			 struct x86_mem mem)
{
	struct emit emit = fresh();
	struct decoded decoded;
	const ZydisDecodedOperand *operand;

	x86_rm(&emit, *row->op, width, reg, mem);
	decoded = decode(row);
	check_length(row, &decoded, &emit);
	operand = operand_at(&decoded, ZYDIS_OPERAND_ENCODING_MODRM_RM);
	assert_non_null(operand);
	check_address(row, operand, mem);
	check_width(row, operand, width);
	if (!row->has_digit)
		check_register(row, operand_at(&decoded, ZYDIS_OPERAND_ENCODING_MODRM_REG),
			       reg);
}

static void memory_of_row(const struct row *row, enum x86_width width)
{
	static const s32 disps[] = {0, 1, -1, 127, -128, 128, -129, 1 << 20, -(1 << 30)};

	for (u32 triple = 0; triple < 16 * 16 * 17; triple++) {
		u8 reg = triple & 15, base = triple >> 4 & 15, index = triple >> 8;
		struct x86_mem mem = {base, index == 16 ? X86_NO_REG : index, triple & 3,
				      disps[triple % ARRAY_SIZE(disps)]};

		if (index != RSP) /* cannot be one */
			check_memory(row, width, reg, mem);
	}
}

static void addresses(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		for (u32 w = 0; w < ARRAY_SIZE(widths); w++)
			if (has_width(&rows[i], widths[w]))
				memory_of_row(&rows[i], widths[w]);
}

static void pool(void **state)
{
	for (u32 reg = 0; reg < 16; reg++) {
		const struct row row = {"load", &x86_load, ZYDIS_MNEMONIC_MOV, false};
		struct emit emit = fresh();
		u32 at = x86_rip(&emit, x86_load, W64, reg);
		struct decoded decoded;
		const ZydisDecodedOperand *operand;

		emit_patch32(&emit, at, 1234);
		decoded = decode(&row);
		operand = operand_at(&decoded, ZYDIS_OPERAND_ENCODING_MODRM_RM);
		check_length(&row, &decoded, &emit);
		assert_int_equal(operand->mem.base, ZYDIS_REGISTER_RIP);
		assert_int_equal(operand->mem.disp.value, 1234);
	}
}

/* --- forms without a row --- */

static void check_form(ZydisMnemonic mnemonic, const struct emit *emit, u8 reg)
{
	const struct row row = {ZydisMnemonicGetString(mnemonic), NULL, mnemonic, true};
	struct decoded decoded = decode(&row);

	assert_int_equal(decoded.insn.length, emit_offset(emit));
	if (reg != X86_NO_REG)
		check_register(&row, &decoded.operand[0], reg);
}

#define CHECK_FORM(mnemonic, reg, call)                            \
	do {                                                       \
		struct emit emit = fresh();                        \
                                                                   \
		call;                                              \
		check_form(ZYDIS_MNEMONIC_##mnemonic, &emit, reg); \
	} while (0)

static void short_forms(void **state)
{
	for (u8 reg = 0; reg < 16; reg++) {
		CHECK_FORM(PUSH, reg, x86_push(&emit, reg));
		CHECK_FORM(POP, reg, x86_pop(&emit, reg));
		CHECK_FORM(BSWAP, reg, x86_bswap(&emit, W32, reg));
		CHECK_FORM(BSWAP, reg, x86_bswap(&emit, W64, reg));
	}
	CHECK_FORM(RET, X86_NO_REG, x86_ret(&emit));
	CHECK_FORM(LEAVE, X86_NO_REG, x86_leave(&emit));
	CHECK_FORM(LFENCE, X86_NO_REG, x86_lfence(&emit));
	CHECK_FORM(CDQ, X86_NO_REG, x86_sign_to_rdx(&emit, W32));
	CHECK_FORM(CQO, X86_NO_REG, x86_sign_to_rdx(&emit, W64));
	CHECK_FORM(JMP, X86_NO_REG, x86_jmp32(&emit));
	CHECK_FORM(JMP, X86_NO_REG, x86_jmp8(&emit));
	CHECK_FORM(CALL, X86_NO_REG, x86_call32(&emit));
}

static void conditions(void **state)
{
	static const struct {
		enum x86_condition condition;
		ZydisMnemonic mnemonic;
	} names[] = {{CC_B, ZYDIS_MNEMONIC_JB},	  {CC_AE, ZYDIS_MNEMONIC_JNB},
		     {CC_E, ZYDIS_MNEMONIC_JZ},	  {CC_NE, ZYDIS_MNEMONIC_JNZ},
		     {CC_BE, ZYDIS_MNEMONIC_JBE}, {CC_A, ZYDIS_MNEMONIC_JNBE},
		     {CC_L, ZYDIS_MNEMONIC_JL},	  {CC_GE, ZYDIS_MNEMONIC_JNL},
		     {CC_LE, ZYDIS_MNEMONIC_JLE}, {CC_G, ZYDIS_MNEMONIC_JNLE}};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		struct emit emit = fresh();

		x86_jcc32(&emit, names[i].condition);
		check_form(names[i].mnemonic, &emit, X86_NO_REG);
		emit = fresh();
		x86_jcc8(&emit, names[i].condition);
		check_form(names[i].mnemonic, &emit, X86_NO_REG);
	}
}

static void constants(void **state)
{
	static const struct {
		u64 value;
		u32 bytes; /* for registers without a prefix of their own */
	} cases[] = {{0, 2},
		     {1, 5},
		     {0xffffffff, 5},
		     {-1ull, 7},
		     {-0x80000000ull, 7},
		     {0x100000000, 10},
		     {0x8000000000000000, 10}};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		for (u8 reg = 0; reg < 16; reg++) {
			struct emit emit = fresh();
			const struct row row = {
				"constant", NULL,
				cases[i].value ? ZYDIS_MNEMONIC_MOV : ZYDIS_MNEMONIC_XOR, true};
			struct decoded decoded;

			x86_mov_imm(&emit, reg, cases[i].value);
			decoded = decode(&row);
			assert_int_equal(decoded.insn.length, emit_offset(&emit));
			if (reg < R8)
				assert_int_equal(emit_offset(&emit), cases[i].bytes);
			check_register(&row, &decoded.operand[0], reg);
			if (cases[i].value)
				assert_int_equal(
					decoded.operand[1].imm.value.u &
						(cases[i].bytes == 5 ? 0xffffffff : ~0ull),
					cases[i].value);
		}
}

/* --- what has no row: conditional moves, shifts by any register, locked forms --- */

static const struct {
	enum x86_condition condition;
	ZydisMnemonic mnemonic;
} moves[] = {{CC_B, ZYDIS_MNEMONIC_CMOVB},   {CC_AE, ZYDIS_MNEMONIC_CMOVNB},
	     {CC_E, ZYDIS_MNEMONIC_CMOVZ},   {CC_NE, ZYDIS_MNEMONIC_CMOVNZ},
	     {CC_BE, ZYDIS_MNEMONIC_CMOVBE}, {CC_A, ZYDIS_MNEMONIC_CMOVNBE},
	     {CC_S, ZYDIS_MNEMONIC_CMOVS},   {CC_NS, ZYDIS_MNEMONIC_CMOVNS},
	     {CC_L, ZYDIS_MNEMONIC_CMOVL},   {CC_GE, ZYDIS_MNEMONIC_CMOVNL},
	     {CC_LE, ZYDIS_MNEMONIC_CMOVLE}, {CC_G, ZYDIS_MNEMONIC_CMOVNLE}};

static void check_move(u32 which, enum x86_width width, u8 reg, u8 other)
{
	const struct row row = {"cmov", &x86_load, moves[which].mnemonic, false};
	struct x86_mem mem = x86_at(other, reg % 2 ? 0x40 : -0x400);
	struct emit emit = fresh();
	struct decoded decoded;

	x86_cmov(&emit, moves[which].condition, width, reg, other);
	decoded = decode(&row);
	check_length(&row, &decoded, &emit);
	check_register(&row, &decoded.operand[0], reg);
	check_register(&row, &decoded.operand[1], other);
	assert_int_equal(decoded.operand[0].size, bits_of(width));
	emit = fresh();
	x86_cmov_memory(&emit, moves[which].condition, width, reg, mem);
	decoded = decode(&row);
	check_length(&row, &decoded, &emit);
	check_register(&row, &decoded.operand[0], reg);
	check_address(&row, &decoded.operand[1], mem);
}

static void conditional_moves(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(moves); i++)
		for (u32 pair = 0; pair < 256; pair++) {
			check_move(i, W32, pair >> 4, pair & 15);
			check_move(i, W64, pair >> 4, pair & 15);
		}
}

static void check_shift(enum x86_shift shift, enum x86_width width, u8 reg, u8 value, u8 count)
{
	static const ZydisMnemonic names[] = {[X86_SHLX] = ZYDIS_MNEMONIC_SHLX,
					      [X86_SARX] = ZYDIS_MNEMONIC_SARX,
					      [X86_SHRX] = ZYDIS_MNEMONIC_SHRX};
	const struct row row = {"shift by register", NULL, names[shift], false};
	struct emit emit = fresh();
	struct decoded decoded;

	x86_shift_by_reg(&emit, shift, width, reg, value, count);
	decoded = decode(&row);
	check_length(&row, &decoded, &emit);
	check_register(&row, &decoded.operand[0], reg);
	check_register(&row, &decoded.operand[1], value);
	check_register(&row, &decoded.operand[2], count);
	assert_int_equal(decoded.operand[0].size, bits_of(width));
}

static void shifts_by_register(void **state)
{
	for (enum x86_shift shift = X86_SHLX; shift <= X86_SHRX; shift++)
		for (u32 triple = 0; triple < 16 * 16 * 16; triple++) {
			check_shift(shift, W32, triple >> 8, triple >> 4 & 15, triple & 15);
			check_shift(shift, W64, triple >> 8, triple >> 4 & 15, triple & 15);
		}
}

static void locked_forms(void **state)
{
	static const struct row list[] = {{"add", &x86_add_store, ZYDIS_MNEMONIC_ADD, false},
					  {"and", &x86_and_store, ZYDIS_MNEMONIC_AND, false},
					  {"or", &x86_or_store, ZYDIS_MNEMONIC_OR, false},
					  {"xor", &x86_xor_store, ZYDIS_MNEMONIC_XOR, false},
					  {"xadd", &x86_xadd, ZYDIS_MNEMONIC_XADD, false},
					  {"cmpxchg", &x86_cmpxchg, ZYDIS_MNEMONIC_CMPXCHG, false}};

	for (u32 i = 0; i < ARRAY_SIZE(list) * 512; i++) {
		const struct row *row = &list[i / 512];
		const u8 reg = i & 15, base = i >> 4 & 15;
		const struct x86_mem mem = x86_at(base, 8);
		struct emit emit = fresh();
		struct decoded decoded;

		x86_locked(&emit, *row->op, i & 256 ? W64 : W32, reg, mem);
		decoded = decode(row);
		check_length(row, &decoded, &emit);
		assert_true(decoded.insn.attributes & ZYDIS_ATTRIB_HAS_LOCK);
		check_register(row, operand_at(&decoded, ZYDIS_OPERAND_ENCODING_MODRM_REG), reg);
		check_address(row, operand_at(&decoded, ZYDIS_OPERAND_ENCODING_MODRM_RM), mem);
	}
}

/* What instructions had stays known when the code needs more room. */
static void registers_in_much_code(void **state)
{
	struct emit emit = {};

	assert_int_equal(emit_reserve(&emit), 0);
	x86_rm(&emit, x86_load, W64, RAX, x86_at(R12, 0));
	while (emit_offset(&emit) < 100 * EMIT_STEP) {
		assert_int_equal(emit_reserve(&emit), 0);
		x86_rr(&emit, x86_test, W64, RAX, RAX);
	}
	assert_int_equal(emit.registers, 1u << R12 | 1u << RAX);
	free(emit.start);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers),  cmocka_unit_test(addresses),
		cmocka_unit_test(pool),	      cmocka_unit_test(short_forms),
		cmocka_unit_test(conditions), cmocka_unit_test(constants),
		cmocka_unit_test(conditional_moves), cmocka_unit_test(shifts_by_register),
		cmocka_unit_test(locked_forms), cmocka_unit_test(registers_in_much_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
