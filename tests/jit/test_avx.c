/* SPDX-License-Identifier: BSD-2-Clause */
/* The encoder of vectors against Zydis: every row, with all registers and addresses. */
#include "jit/avx.h"
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>
#include <Zydis/Zydis.h>

struct row {
	const char *name;
	const struct avx_op *op;
};

static const struct row rows[] = {
#define AVX(name, ...) {#name, &avx_##name},
#include "jit/avx.def"
};

static u8 buffer[EMIT_STEP];

static struct emit fresh(void)
{
	memset(buffer, 0, sizeof(buffer));
	return (struct emit){buffer, buffer, buffer + sizeof(buffer)};
}

struct decoded {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
};

static struct decoded decode(const char *name, const struct emit *emit)
{
	struct decoded decoded;
	ZydisDecoder decoder;
	char lower[32] = "";
	const char *found;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, buffer, sizeof(buffer), &decoded.insn,
					       decoded.operand)))
		fail_msg("%s: decoded as nothing", name);
	found = ZydisMnemonicGetString(decoded.insn.mnemonic);
	snprintf(lower, sizeof(lower), "%s", found);
	if (strcmp(lower, name))
		fail_msg("%s: decoded as %s", name, lower);
	if (decoded.insn.length != emit_offset(emit))
		fail_msg("%s: %u bytes were written, %u are an instruction", name,
			 emit_offset(emit), decoded.insn.length);
	return decoded;
}

static void check_vector(const char *name, const ZydisDecodedOperand *operand, u8 reg)
{
	if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    ZydisRegisterGetId(operand->reg.value) != reg)
		fail_msg("%s: vector %u is %s", name, reg,
			 ZydisRegisterGetString(operand->reg.value));
}

static bool is_three(const struct row *row)
{
	return row->op->form == AVX_THREE;
}

static void check_registers(const struct row *row, u8 reg, u8 left, u8 rm)
{
	struct emit emit = fresh();
	struct decoded decoded;

	if (row->op->form >= AVX_IMM)
		avx_imm(&emit, *row->op, reg, rm, 0x1b);
	else
		avx_rr(&emit, *row->op, reg, left, rm);
	decoded = decode(row->name, &emit);
	check_vector(row->name, &decoded.operand[0], reg);
	assert_int_equal(decoded.operand[0].size, 256);
	if (is_three(row))
		check_vector(row->name, &decoded.operand[1], left);
	check_vector(row->name, &decoded.operand[1 + is_three(row)], rm);
	if (row->op->form >= AVX_IMM)
		assert_int_equal(decoded.operand[2].imm.value.u, 0x1b);
}

static void registers(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		for (u32 triple = 0; triple < 16 * 16 * 16; triple++)
			check_registers(&rows[i], triple & 15, triple >> 4 & 15, triple >> 8);
}

static void check_memory(const struct row *row, u8 reg, struct x86_mem mem)
{
	struct emit emit = fresh();
	const ZydisDecodedOperand *operand;
	struct decoded decoded;

	avx_rm(&emit, *row->op, reg, 3, mem);
	decoded = decode(row->name, &emit);
	check_vector(row->name, &decoded.operand[0], reg);
	operand = &decoded.operand[1 + is_three(row)];
	assert_int_equal(operand->type, ZYDIS_OPERAND_TYPE_MEMORY);
	assert_int_equal(ZydisRegisterGetId(operand->mem.base), mem.base);
	assert_int_equal(ZydisRegisterGetId(operand->mem.index), mem.index);
	assert_int_equal(operand->mem.scale, 1 << mem.scale);
	assert_int_equal(operand->mem.disp.value, mem.disp);
}

static void addresses(void **state)
{
	static const s32 disps[] = {0, 1, -1, 127, -129, 1 << 20, -(1 << 30)};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		for (u32 triple = 0; triple < 16 * 16 * 16 && rows[i].op->form < AVX_IMM; triple++) {
			const u8 index = triple >> 8;

			if (index != RSP) /* cannot be one */
				check_memory(&rows[i], triple & 15,
					     (struct x86_mem){triple >> 4 & 15, index, triple & 3,
							      disps[triple % ARRAY_SIZE(disps)]});
		}
}

#define CHECK_FORM(mnemonic, first, second, call)                                \
	do {                                                                     \
		struct emit emit = fresh();                                      \
		struct decoded decoded;                                          \
                                                                                 \
		call;                                                            \
		decoded = decode(mnemonic, &emit);                               \
		assert_int_equal(ZydisRegisterGetId(decoded.operand[0].reg.value), first); \
		assert_int_equal(ZydisRegisterGetId(decoded.operand[1].reg.value), second); \
	} while (0)

static void forms_without_a_row(void **state)
{
	for (u8 vector = 0; vector < 16; vector++)
		for (u8 reg = 0; reg < 16; reg++) {
			CHECK_FORM("vmovd", vector, reg, avx_from_reg(&emit, W32, vector, reg));
			CHECK_FORM("vmovq", vector, reg, avx_from_reg(&emit, W64, vector, reg));
			CHECK_FORM("vmovd", reg, vector, avx_to_reg(&emit, W32, reg, vector));
			CHECK_FORM("vmovq", reg, vector, avx_to_reg(&emit, W64, reg, vector));
			CHECK_FORM("vpinsrq", vector, vector, avx_set_second(&emit, vector, reg));
			CHECK_FORM("vinserti128", vector, vector, avx_double(&emit, vector));
			CHECK_FORM("vextracti128", reg, vector, avx_upper(&emit, reg, vector));
		}
}

static void end(void **state)
{
	struct emit emit = fresh();

	avx_end(&emit);
	decode("vzeroupper", &emit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers),
		cmocka_unit_test(addresses),
		cmocka_unit_test(forms_without_a_row),
		cmocka_unit_test(end),
	};

	return cmocka_run_group_tests_name("avx", tests, NULL, NULL);
}
