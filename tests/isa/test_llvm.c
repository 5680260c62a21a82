/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep's text of instructions against LLVM's own: what llvm-objdump prints, what llvm-mc
 * assembles, and what clang compiles. Each version that is installed is asked.
 */
#include "isa/isa.h"
#include "sample.h"
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct llvm {
	int version;
	const char *objdump[2]; /* options of two runs; either text may match */
};

static struct llvm llvm_14 = {14, {"--print-imm-hex", "--print-imm-hex --mattr=+alu32"}};
static struct llvm llvm_19 = {19, {"", "--mcpu=v4"}};
static char folder[] = "/tmp/skep-llvm-XXXXXX";

static bool is_installed(const char *tool, int version)
{
	char command[64];

	snprintf(command, sizeof(command), "%s-%d --version >/dev/null 2>&1", tool, version);
	return system(command) == 0;
}

static FILE *open_file(const char *name, const char *mode)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, mode);
	assert_non_null(file);
	return file;
}

/* --- reading llvm-objdump --- */

struct line {
	struct bpf_insn insn[2];
	char text[128];
};

static u32 read_bytes(const char *text, u8 *out, u32 limit)
{
	u32 count = 0;
	int used;

	for (unsigned int byte; count < limit && sscanf(text, "%2x%n", &byte, &used) == 1;
	     text += used)
		out[count++] = byte;
	return count;
}

/* "  3:\tb7 01 00 00 05 00 00 00\tr1 = 5"; symbols in <> are objdump's addition. */
static bool read_line(char *text, struct line *out)
{
	char *bytes = strchr(text, '\t'), *insn = bytes ? strchr(bytes + 1, '\t') : NULL;
	char *symbol;

	memset(out, 0, sizeof(*out));
	if (!insn || read_bytes(bytes, (u8 *)out->insn, sizeof(out->insn)) < 8)
		return false;
	insn[strcspn(insn, "\n")] = '\0';
	symbol = strrchr(insn, '<');
	if (symbol && symbol[-1] == ' ' && strchr(symbol, '>'))
		symbol[-1] = '\0';
	for (char *tab = insn; (tab = strchr(tab + 1, '\t'));)
		*tab = ' ';
	snprintf(out->text, sizeof(out->text), "%s", insn + 1);
	return true;
}

static u32 disassemble(const struct llvm *llvm, u32 run, struct line **out)
{
	char command[256], text[256];
	struct line *lines = NULL, line;
	u32 count = 0;
	FILE *pipe;

	snprintf(command, sizeof(command), "llvm-objdump-%d -d %s %s/a.o", llvm->version,
		 llvm->objdump[run], folder);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	while (fgets(text, sizeof(text), pipe))
		if (read_line(text, &line)) {
			lines = reallocarray(lines, count + 1, sizeof(line));
			assert_non_null(lines);
			lines[count++] = line;
		}
	assert_int_equal(pclose(pipe), 0);
	*out = lines;
	return count;
}

/* Rows that this version prints as something else, or differently on purpose (isa.h). */
static bool is_comparable(const struct llvm *llvm, const struct bpf_insn *insn)
{
	const struct insn_desc *desc = insn_desc(insn_op(insn));
	int mode = BPF_MODE(insn->code);

	if (insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg)
		return false;
	if (BPF_CLASS(insn->code) == BPF_LD && mode == BPF_IND && insn->imm)
		return false;
	if (insn_is_wide(insn) && insn->src_reg && (insn[1].imm || insn->imm < 0))
		return false; /* the upper half is left out */
	if (BPF_CLASS(insn->code) == BPF_STX && mode == BPF_ATOMIC &&
	    (insn->imm == BPF_LOAD_ACQ || insn->imm == BPF_STORE_REL))
		return false; /* LLVM 20 */
	if (llvm->version < 18 && insn_is_wide(insn) && insn->src_reg)
		return false; /* other names */
	if (llvm->version < 18 && desc->off.kind == FIELD_SELECT && desc->off.value)
		return false; /* sdiv, smod, movsx, addr_space_cast */
	return true;
}

/* Every instruction of a.o; the number that LLVM did not know. */
static u32 compare_disassembly(const struct llvm *llvm)
{
	struct line *first, *second;
	u32 count = disassemble(llvm, 0, &first), unknown = 0;
	struct strbuf text;

	assert_int_equal(disassemble(llvm, 1, &second), count);
	assert_true(count > 0);
	strbuf_init(&text);
	for (u32 i = 0; i < count; i++) {
		bool known = strcmp(first[i].text, "<unknown>") ||
			     strcmp(second[i].text, "<unknown>");

		unknown += !known;
		if (!known || !is_comparable(llvm, first[i].insn))
			continue;
		strbuf_clear(&text);
		insn_print(first[i].insn, 2, 0, INSN_SYNTAX_LLVM, NULL, &text);
		if (strcmp(strbuf_text(&text), first[i].text) &&
		    strcmp(strbuf_text(&text), second[i].text))
			fail_msg("llvm-objdump-%d: \"%s\" or \"%s\", skep: \"%s\"",
				 llvm->version, first[i].text, second[i].text,
				 strbuf_text(&text));
	}
	strbuf_done(&text);
	free(first);
	free(second);
	return unknown;
}

/* --- the tests --- */

static void make_object(const char *tool, int version, const char *options)
{
	char command[256];

	snprintf(command, sizeof(command), "cd %s && %s-%d %s", folder, tool, version, options);
	assert_int_equal(system(command), 0);
}

static void write_samples(void)
{
	FILE *file = open_file("a.s", "w");
	struct sample sample[SAMPLES_MAX];

	for (u32 op = 1; op < INSN_OPS; op++)
		for (u32 i = 0; i < samples(op, sample); i++) {
			const u8 *bytes = (const u8 *)sample[i].insn;

			for (u32 k = 0; k < 8 * insn_slots(sample[i].insn); k++)
				fprintf(file, "%s%u%s", k ? "," : ".byte ", bytes[k],
					k + 1 < 8 * insn_slots(sample[i].insn) ? "" : "\n");
		}
	fclose(file);
}

static void samples_print_as(const struct llvm *llvm)
{
	if (!is_installed("llvm-mc", llvm->version) ||
	    !is_installed("llvm-objdump", llvm->version))
		skip();
	write_samples();
	make_object("llvm-mc", llvm->version, "-triple bpfel -filetype=obj a.s -o a.o");
	compare_disassembly(llvm);
}

static void every_row_prints_as_in_llvm_14(void **state)
{
	samples_print_as(&llvm_14);
}

static void every_row_prints_as_in_llvm_19(void **state)
{
	samples_print_as(&llvm_19);
}

static const char program[] =
	"struct ctx { unsigned int a[8]; };\n"
	"static long (*random)(void) = (void *)7;\n"
	"int table[16]; long total; volatile short flag;\n"
	"static __attribute__((noinline)) long sum(struct ctx *c, int n)\n"
	"{ long s = 0; for (int i = 0; i < n && i < 8; i++) s += c->a[i] * (i - 3); return s; }\n"
	"__attribute__((section(\"socket\"))) int f(struct ctx *c)\n"
	"{ long v = sum(c, random() & 15); char b[16] = {1, 2, 3};\n"
	"  b[v & 15] = v >> 3; table[v & 7] ^= __builtin_bswap32(c->a[1]); flag = -5;\n"
	"  __sync_fetch_and_add(&total, v); if (v < 0 || c->a[2] > 0x80000000u) return b[3];\n"
	"  return v / 7 + v % (c->a[3] | 1); }\n";

static void compiled_code_prints_as(const struct llvm *llvm, const char *cpu)
{
	char options[128];
	FILE *file;

	if (!is_installed("clang", llvm->version) ||
	    !is_installed("llvm-objdump", llvm->version))
		skip();
	file = open_file("a.c", "w");
	fputs(program, file);
	fclose(file);
	snprintf(options, sizeof(options), "-target bpf -mcpu=%s -O2 -c a.c -o a.o", cpu);
	make_object("clang", llvm->version, options);
	assert_int_equal(compare_disassembly(llvm), 0);
}

static void compiled_code_prints_as_in_llvm_14(void **state)
{
	compiled_code_prints_as(&llvm_14, "v3");
}

static void compiled_code_prints_as_in_llvm_19(void **state)
{
	compiled_code_prints_as(&llvm_19, "v4");
}

static void llvm_mc_assembles_the_text_to_the_same_bytes(void **state)
{
	struct sample sample[SAMPLES_MAX], *wanted = NULL;
	struct line *lines;
	struct strbuf text;
	u32 count = 0;
	FILE *file;

	if (!is_installed("llvm-mc", 19) || !is_installed("llvm-objdump", 19))
		skip();
	strbuf_init(&text);
	for (u32 op = 1; op < INSN_OPS; op++)
		for (u32 i = 0; i < samples(op, sample); i++) {
			if (!is_comparable(&llvm_19, sample[i].insn))
				continue;
			insn_print(sample[i].insn, 2, 0, INSN_SYNTAX_LLVM, NULL, &text);
			strbuf_addc(&text, '\n');
			wanted = reallocarray(wanted, count + 1, sizeof(*wanted));
			assert_non_null(wanted);
			wanted[count++] = sample[i];
		}
	file = open_file("a.s", "w");
	fputs(strbuf_text(&text), file);
	fclose(file);
	strbuf_done(&text);
	make_object("llvm-mc", 19, "-triple bpfel -mcpu=v4 -filetype=obj a.s -o a.o");
	assert_int_equal(disassemble(&llvm_19, 1, &lines), count);
	for (u32 i = 0; i < count; i++)
		if (memcmp(lines[i].insn, wanted[i].insn, 8 * insn_slots(wanted[i].insn)))
			fail_msg("llvm-mc makes other bytes of \"%s\"", lines[i].text);
	free(lines);
	free(wanted);
}

static int make_folder(void **state)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"a.s", "a.c", "a.o"};
	char path[64];

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_prints_as_in_llvm_14),
		cmocka_unit_test(every_row_prints_as_in_llvm_19),
		cmocka_unit_test(compiled_code_prints_as_in_llvm_14),
		cmocka_unit_test(compiled_code_prints_as_in_llvm_19),
		cmocka_unit_test(llvm_mc_assembles_the_text_to_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
