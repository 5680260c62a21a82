/* SPDX-License-Identifier: BSD-2-Clause */
/* Which encodings are legal, what is said of the others, and whether Linux agrees. */
#include "isa/isa.h"
#include "sample.h"
#include "tests/linux.h"
#include "tests/unit.h"

#include <stdio.h>

#define INSN_RAW(c, d, s, o, i)                                           \
	{                                                                 \
		.code = c, .dst_reg = d, .src_reg = s, .off = o, .imm = i \
	}
#define LD_DW	  BPF_LD | BPF_IMM | BPF_DW
#define ATOMIC_DW BPF_STX | BPF_ATOMIC | BPF_DW

enum moment { NEVER, VISIT, UP_FRONT };

static const struct {
	struct bpf_insn insn[2];
	enum moment moment;
	const char *text;
} forms[] = {
	{{INSN_RAW(0x8f, 0, 0, 0, 0)}, UP_FRONT, "unknown opcode 8f"},
	{{INSN_RAW(0x0d, 0, 0, 0, 0)}, UP_FRONT, "unknown opcode 0d"},
	{{INSN_RAW(0x96, 0, 0, 0, 0)}, UP_FRONT, "unknown opcode 96"},
	{{INSN_RAW(0x38, 0, 0, 0, 0)}, UP_FRONT, "unknown opcode 38"},
	{{INSN_RAW(0x61, 0, 10, -8, 1)}, UP_FRONT, "BPF_LDX uses reserved fields"},
	{{INSN_RAW(0x01, 0, 10, -8, 0)}, UP_FRONT, "BPF_LDX uses reserved fields"},
	{{INSN_RAW(0x99, 0, 10, -8, 0)}, UP_FRONT, "unknown opcode 99"},
	{{INSN_RAW(LD_DW, 0, 0, 0, 0), INSN_RAW(0, 0, 0, 1, 0)},
	 UP_FRONT,
	 "invalid bpf_ld_imm64 insn"},
	{{INSN_RAW(LD_DW, 0, 0, 0, 0), INSN_RAW(0, 0, 1, 0, 0)},
	 UP_FRONT,
	 "invalid bpf_ld_imm64 insn"},
	{{INSN_RAW(LD_DW, 0, 0, 0, 0), INSN_RAW(0, 1, 0, 0, 0)},
	 UP_FRONT,
	 "invalid bpf_ld_imm64 insn"},
	{{INSN_RAW(LD_DW, 0, 0, 0, 0), INSN_RAW(7, 0, 0, 0, 0)},
	 UP_FRONT,
	 "invalid bpf_ld_imm64 insn"},
	{{INSN_RAW(LD_DW, 0, 7, 0, 0)}, UP_FRONT, "unrecognized bpf_ld_imm64 insn"},
	{{INSN_RAW(LD_DW, 0, 15, 0, 0)}, UP_FRONT, "unrecognized bpf_ld_imm64 insn"},
	{{INSN_RAW(LD_DW, 0, 1, 0, 0), INSN_RAW(0, 0, 0, 0, 5)},
	 UP_FRONT,
	 "unrecognized bpf_ld_imm64 insn"},
	{{INSN_RAW(LD_DW, 0, 5, 0, 0), INSN_RAW(0, 0, 0, 0, 5)},
	 UP_FRONT,
	 "unrecognized bpf_ld_imm64 insn"},
	{{INSN_RAW(LD_DW, 0, 0, 1, 0)}, VISIT, "BPF_LD_IMM64 uses reserved fields"},
	{{INSN_RAW(LD_DW, 11, 0, 0, 0)}, VISIT, "R11 is invalid"},
	{{INSN_RAW(0x87, 0, 0, 0, 1)}, VISIT, "BPF_NEG uses reserved fields"},
	{{INSN_RAW(0xd4, 0, 0, 0, 8)}, VISIT, "BPF_END uses reserved fields"},
	{{INSN_RAW(0xdc, 0, 1, 0, 16)}, VISIT, "BPF_END uses reserved fields"},
	{{INSN_RAW(0xbc, 0, 2, 32, 0)}, VISIT, "BPF_MOV uses reserved fields"},
	{{INSN_RAW(0xbf, 0, 2, 4, 0)}, VISIT, "BPF_MOV uses reserved fields"},
	{{INSN_RAW(0xb7, 0, 0, 8, 1)}, VISIT, "BPF_MOV uses reserved fields"},
	{{INSN_RAW(0xbf, 0, 2, 1, 5)},
	 VISIT,
	 "addr_space_cast insn can only convert between address space 1 and 0"},
	{{INSN_RAW(0x07, 0, 0, 1, 1)}, VISIT, "BPF_ALU uses reserved fields"},
	{{INSN_RAW(0x0f, 0, 2, 0, 1)}, VISIT, "BPF_ALU uses reserved fields"},
	{{INSN_RAW(0x37, 0, 0, 2, 1)}, VISIT, "BPF_ALU uses reserved fields"},
	{{INSN_RAW(0x37, 0, 0, 0, 0)}, VISIT, "div by zero"},
	{{INSN_RAW(0x94, 0, 0, 1, 0)}, VISIT, "div by zero"},
	{{INSN_RAW(0x67, 0, 0, 0, 64)}, VISIT, "invalid shift 64"},
	{{INSN_RAW(0x64, 0, 0, 0, 32)}, VISIT, "invalid shift 32"},
	{{INSN_RAW(0xc7, 0, 0, 0, -1)}, VISIT, "invalid shift -1"},
	{{INSN_RAW(0x74, 0, 0, 0, 31)}, NEVER, ""},
	{{INSN_RAW(0xbf, 11, 12, 0, 0)}, VISIT, "R12 is invalid"},
	{{INSN_RAW(0x1d, 11, 12, 0, 0)}, VISIT, "R11 is invalid"},
	{{INSN_RAW(0x7b, 10, 2, -8, 1)}, VISIT, "BPF_STX uses reserved fields"},
	{{INSN_RAW(0x7a, 10, 1, -8, 1)}, VISIT, "BPF_ST uses reserved fields"},
	{{INSN_RAW(ATOMIC_DW, 10, 2, -8, 2)},
	 VISIT,
	 "BPF_ATOMIC uses invalid atomic opcode 02"},
	{{INSN_RAW(ATOMIC_DW, 10, 2, -8, BPF_ADD | BPF_SUB)},
	 VISIT,
	 "BPF_ATOMIC uses invalid atomic opcode 10"},
	{{INSN_RAW(ATOMIC_DW, 10, 2, -8, -1)},
	 VISIT,
	 "BPF_ATOMIC uses invalid atomic opcode ffffffff"},
	{{INSN_RAW(0xd3, 10, 2, -8, 0)}, VISIT, "invalid atomic operand size"},
	{{INSN_RAW(0xcb, 10, 2, -8, BPF_XCHG)}, VISIT, "invalid atomic operand size"},
	{{INSN_RAW(0xd3, 10, 2, -8, BPF_STORE_REL)}, NEVER, ""},
	{{INSN_RAW(0x85, 0, 0, 1, 7)}, VISIT, "BPF_CALL uses reserved fields"},
	{{INSN_RAW(0x85, 0, 3, 0, 7)}, VISIT, "BPF_CALL uses reserved fields"},
	{{INSN_RAW(0x85, 1, 0, 0, 7)}, VISIT, "BPF_CALL uses reserved fields"},
	{{INSN_RAW(0x05, 0, 0, 0, 1)}, VISIT, "BPF_JA uses reserved fields"},
	{{INSN_RAW(0x06, 0, 0, 1, 0)}, VISIT, "BPF_JA uses reserved fields"},
	{{INSN_RAW(0x15, 0, 1, 0, 0)}, VISIT, "BPF_JMP/JMP32 uses reserved fields"},
	{{INSN_RAW(0x1e, 0, 2, 0, 1)}, VISIT, "BPF_JMP/JMP32 uses reserved fields"},
	{{INSN_RAW(0xe5, 0, 1, 0, 0)}, VISIT, "invalid may_goto imm 0"},
	{{INSN_RAW(0xe5, 0, 0, 0, 3)}, VISIT, "invalid may_goto imm 3"},
	{{INSN_RAW(0x20, 1, 0, 0, 0)}, VISIT, "BPF_LD_[ABS|IND] uses reserved fields"},
	{{INSN_RAW(0x40, 0, 11, 0, 0)}, VISIT, "R11 is invalid"},
	{{INSN_RAW(0x95, 1, 0, 0, 0)}, VISIT, "BPF_EXIT uses reserved fields"},
	{{INSN_RAW(0x95, 0, 0, 5, 0)}, NEVER, ""},
};

/* What skep says of the form of one instruction; moment NEVER and "" when nothing. */
static enum moment ask_skep(const struct bpf_insn *insn, struct skep_error *err)
{
	struct bpf_insn program[] = {insn[0], insn[1], {.code = BPF_JMP | BPF_EXIT}};

	err->text[0] = '\0';
	if (!insn_is_wide(insn))
		program[1] = program[2];
	if (insns_check_codes(program, 3, err))
		return UP_FRONT;
	return insn_check(insn, 0, err) ? VISIT : NEVER;
}

static void every_form_has_its_verdict(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(forms); i++) {
		struct skep_error err;
		enum moment moment = ask_skep(forms[i].insn, &err);

		if (moment != forms[i].moment || strcmp(err.text, forms[i].text))
			fail_msg("row %u: want %d \"%s\", got %d \"%s\"", i, forms[i].moment,
				 forms[i].text, moment, err.text);
	}
}

static void the_last_slot_cannot_hold_half_an_instruction(void **state)
{
	static const struct bpf_insn half[] = {INSN_RAW(LD_DW, 0, 0, 0, 0)};
	struct skep_error err;

	assert_int_equal(insns_check(half, 1, &err), -EINVAL);
	assert_string_equal(err.text, "invalid bpf_ld_imm64 insn");
	assert_int_equal(err.insn, 0);
	assert_int_equal(insns_check(half, 1, NULL), -EINVAL);
}

static void rows_of_one_opcode_byte_stand_together(void **state)
{
	struct bpf_insn insn = {0};

	for (u32 op = 1; op < INSN_OPS; op++) {
		insn.code = insn_desc(op)->code;
		if (insn_desc(op - 1)->code != insn.code || op == 1)
			assert_int_equal(insn_code_op(insn.code), op);
	}
}

static void every_row_is_found_and_well_formed(void **state)
{
	struct sample sample[SAMPLES_MAX];

	for (u32 op = 1; op < INSN_OPS; op++) {
		u32 count = samples(op, sample);

		for (u32 i = 0; i < count; i++) {
			struct skep_error err;

			if (insn_op(sample[i].insn) != op)
				fail_msg("%s, sample %u is not found", insn_desc(op)->name, i);
			if (ask_skep(sample[i].insn, &err) != NEVER)
				fail_msg("%s, sample %u: %s", insn_desc(op)->name, i, err.text);
		}
	}
}

/* --- the same questions to the running kernel --- */

#define LOG_SIZE 65536
#define FIRST	 6 /* index of the instruction asked about */

/* What only a malformed instruction makes Linux say. */
static const char *const form_messages[] = {
	"uses reserved fields",
	"unknown opcode",
	" is invalid\n",
	"div by zero",
	"invalid shift",
	"invalid atomic operand size",
	"BPF_ATOMIC uses invalid",
	"invalid may_goto imm",
	"can only convert between",
	"invalid bpf_ld_imm64 insn",
	"unrecognized bpf_ld_imm64 insn",
};

/* A program that walks over the instruction with r0..r3 numbers, r6 the context. */
static u32 program_around(const struct bpf_insn *insn, struct bpf_insn *out)
{
	static const struct bpf_insn start[FIRST] = {
		INSN_RAW(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
		INSN_RAW(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		INSN_RAW(BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, 1),
		INSN_RAW(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 2),
		INSN_RAW(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 3),
		INSN_RAW(BPF_STX | BPF_MEM | BPF_DW, 10, 2, -8, 0),
	};
	static const struct bpf_insn end[] = {
		INSN_RAW(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		INSN_RAW(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	u32 count = FIRST;

	memcpy(out, start, sizeof(start));
	for (u32 i = 0; i < insn_slots(insn); i++)
		out[count++] = insn[i];
	if (insn->code == (BPF_JMP | BPF_EXIT))
		return count;
	memcpy(&out[count], end, sizeof(end));
	return count + 2;
}

static const char *form_message_in(const char *log)
{
	for (u32 i = 0; i < ARRAY_SIZE(form_messages); i++)
		if (strstr(log, form_messages[i]))
			return form_messages[i];
	return NULL;
}

/* The line in which the log at level 2 shows the instruction, without what it says of
 * registers. */
static bool logged_text(const char *log, char *out, size_t size)
{
	char start[16];
	const char *line;
	size_t length;

	snprintf(start, sizeof(start), "\n%u: (", FIRST);
	line = strstr(log, start);
	if (!line)
		return false;
	line = strchr(line, '(');
	length = strcspn(line, ";\n");
	while (length && line[length - 1] == ' ')
		length--;
	snprintf(out, size, "%.*s", (int)length, line);
	return true;
}

static const char *callee_name(void *cookie, const struct bpf_insn *insn)
{
#define NAME(name) "bpf_" #name
	static const char *const names[] = {__BPF_FUNC_MAPPER(NAME)};
#undef NAME

	return (u32)insn->imm < ARRAY_SIZE(names) ? names[insn->imm] : NULL;
}

static void compare_text(const struct bpf_insn *program, u32 count, const char *log)
{
	static const struct insn_names names = {.callee = callee_name};
	struct strbuf text;
	char logged[256];

	if (!logged_text(log, logged, sizeof(logged)))
		return;
	strbuf_init(&text);
	insn_print(program, count, FIRST, INSN_SYNTAX_KERNEL, &names, &text);
	if (strcmp(logged, strbuf_text(&text)))
		fail_msg("Linux: \"%s\", skep: \"%s\"", logged, strbuf_text(&text));
	strbuf_done(&text);
}

static void compare_with_linux(const struct bpf_insn *insn)
{
	static char log[LOG_SIZE];
	struct bpf_insn program[FIRST + 4];
	u32 count = program_around(insn, program);
	struct skep_error err;
	enum moment moment = ask_skep(insn, &err);
	int fd = linux_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, program, count, 2, log, LOG_SIZE);
	const char *said = form_message_in(log);

	if (fd >= 0)
		close(fd);
	if (strstr(log, "has an associated arena"))
		return; /* asked before the registers are looked at */
	if (moment == NEVER ? said != NULL : fd >= 0 || !strstr(log, err.text))
		fail_msg("code %02x dst %u src %u off %d imm %d: skep: \"%s\", Linux:\n%s",
			 insn->code, insn->dst_reg, insn->src_reg, insn->off, insn->imm,
			 err.text, log);
	if (moment == NEVER)
		compare_text(program, count, log);
}

static void linux_agrees_on_the_forms(void **state)
{
	if (!linux_has_isa())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(forms); i++)
		compare_with_linux(forms[i].insn);
}

static void linux_agrees_on_every_opcode_byte(void **state)
{
	if (!linux_has_isa())
		skip();
	for (u32 code = 0; code < 256; code++) {
		struct bpf_insn insn[2] = {{.code = code}};

		compare_with_linux(insn);
	}
}

/* Maps, types and functions that these name do not exist: Linux stops there. */
static bool names_an_object(const struct bpf_insn *insn)
{
	return (insn_is_wide(insn) && insn->src_reg) ||
	       (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg);
}

/* Jumps in the sample would leave the program. */
static void stay_inside(const struct insn_desc *desc, struct bpf_insn *insn)
{
	if (desc->off.kind == FIELD_TARGET)
		insn->off = 0;
	if (desc->imm.kind == FIELD_TARGET)
		insn->imm = 0;
}

static void linux_agrees_on_every_row_with_each_field_spoilt(void **state)
{
	static const s32 spoilt[4][6] = {
		{0, 1, 10, 11, 14, 15},
		{0, 1, 10, 11, 14, 15},
		{0, 1, 2, 8, 32, -1},
		{0, 1, -1, 31, 63, 64},
	};
	struct sample sample[SAMPLES_MAX];

	if (!linux_has_isa())
		skip();
	for (u32 op = 1; op < INSN_OPS; op++) {
		samples(op, sample);
		stay_inside(insn_desc(op), sample[0].insn);
		if (names_an_object(sample[0].insn))
			continue;
		for (u32 field = 0; field < 4; field++)
			for (u32 i = 0; i < 6; i++) {
				struct sample changed = sample[0];

				sample_set(changed.insn, field, spoilt[field][i]);
				stay_inside(insn_desc(op), changed.insn);
				if (!names_an_object(changed.insn))
					compare_with_linux(changed.insn);
			}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_has_its_verdict),
		cmocka_unit_test(the_last_slot_cannot_hold_half_an_instruction),
		cmocka_unit_test(rows_of_one_opcode_byte_stand_together),
		cmocka_unit_test(every_row_is_found_and_well_formed),
		cmocka_unit_test(linux_agrees_on_the_forms),
		cmocka_unit_test(linux_agrees_on_every_opcode_byte),
		cmocka_unit_test(linux_agrees_on_every_row_with_each_field_spoilt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
