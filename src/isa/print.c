/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of an instruction: the template of its row with the operands filled in. */
#include "isa/isa.h"

struct printer {
	const struct bpf_insn *insn;
	const struct insn_desc *desc;
	const struct insn_names *names;
	u64 wide; /* 64-bit operand of a two-slot instruction */
	bool kernel;
	struct strbuf *out;
};

static void print_hex(struct strbuf *out, s64 value)
{
	u64 size = value < 0 ? -(u64)value : (u64)value;

	strbuf_addf(out, "%s0x%llx", value < 0 ? "-" : "", size);
}

static void print_number(const struct printer *printer, s32 value)
{
	if (printer->kernel)
		strbuf_addf(printer->out, "%d", value);
	else
		print_hex(printer->out, value);
}

static void print_comparand(const struct printer *printer)
{
	if (printer->kernel)
		strbuf_addf(printer->out, "0x%x", (u32)printer->insn->imm);
	else
		print_hex(printer->out, printer->insn->imm);
}

static void print_wide(const struct printer *printer)
{
	const struct insn_names *names = printer->names;

	if (!printer->kernel)
		print_hex(printer->out, printer->wide);
	else if (names && names->wide_imm)
		strbuf_addf(printer->out, "0x%llx",
			    names->wide_imm(names->cookie, printer->insn));
	else
		strbuf_addf(printer->out, "0x%llx", printer->wide);
}

static void print_displacement(const struct printer *printer)
{
	s32 off = printer->insn->off;

	if (printer->kernel)
		strbuf_addf(printer->out, " %+d", off);
	else
		strbuf_addf(printer->out, " %c 0x%x", off < 0 ? '-' : '+',
			    off < 0 ? -off : off);
}

/* The constant part of an indirect packet load. */
static void print_addend(const struct printer *printer)
{
	s64 imm = printer->insn->imm;

	if (printer->kernel)
		strbuf_addf(printer->out, " + %lld", imm);
	else if (imm)
		strbuf_addf(printer->out, " %c 0x%llx", imm < 0 ? '-' : '+',
			    imm < 0 ? -imm : imm);
}

static void print_target(const struct printer *printer)
{
	const struct bpf_insn *insn = printer->insn;
	s64 target = printer->desc->off.kind == FIELD_TARGET ? insn->off : insn->imm;

	if (printer->kernel)
		strbuf_addf(printer->out, "pc%+lld", target);
	else
		strbuf_addf(printer->out, "%c0x%llx", target < 0 ? '-' : '+',
			    target < 0 ? -target : target);
}

static void print_spaces(const struct printer *printer)
{
	u32 imm = printer->insn->imm;

	print_number(printer, imm >> 16);
	strbuf_adds(printer->out, ", ");
	print_number(printer, imm & 0xffff);
}

static void print_callee(const struct printer *printer)
{
	const struct insn_names *names = printer->names;
	const char *name = NULL;

	if (names && names->callee)
		name = names->callee(names->cookie, printer->insn);
	strbuf_addf(printer->out, "%s#%d", name ? name : "unknown", printer->insn->imm);
}

static void print_operand(const struct printer *printer, char operand)
{
	const struct bpf_insn *insn = printer->insn;

	switch (operand) {
	case 'd':
	case 'l': strbuf_addf(printer->out, "r%u", insn->dst_reg); break;
	case 'D': strbuf_addf(printer->out, "w%u", insn->dst_reg); break;
	case 's':
	case 'v': strbuf_addf(printer->out, "r%u", insn->src_reg); break;
	case 'S': strbuf_addf(printer->out, "w%u", insn->src_reg); break;
	case 'i': print_number(printer, insn->imm); break;
	case 'k': print_number(printer, insn->off); break;
	case 'c': print_comparand(printer); break;
	case 'q': print_wide(printer); break;
	case 'o': print_displacement(printer); break;
	case 'n': print_addend(printer); break;
	case 'j': print_target(printer); break;
	case 'a': print_spaces(printer); break;
	case 'h': print_callee(printer); break;
	default: strbuf_addc(printer->out, operand); break;
	}
}

static void print_template(const struct printer *printer, const char *text)
{
	for (; *text; text++)
		if (*text == '%')
			print_operand(printer, *++text);
		else
			strbuf_addc(printer->out, *text);
}

/*
 * The kernel prints an instruction before it checks it: one whose fields choose no row appears
 * as the plain form of its opcode byte, atomics as "BUG".
 */
static enum insn_op printed_op(const struct bpf_insn *insn, bool kernel)
{
	enum insn_op op = insn_op(insn);

	if (op == INSN_INVALID && kernel && BPF_CLASS(insn->code) != BPF_STX)
		op = insn_code_op(insn->code);
	return op;
}

void insn_print(const struct bpf_insn *insns, u32 count, u32 at, enum insn_syntax syntax,
		const struct insn_names *names, struct strbuf *out)
{
	const struct bpf_insn *insn = &insns[at];
	bool kernel = syntax == INSN_SYNTAX_KERNEL;
	enum insn_op op = printed_op(insn, kernel);
	struct printer printer = {insn, insn_desc(op), names, 0, kernel, out};

	if (insn_is_wide(insn))
		printer.wide = at + 1 < count ? insn_wide_imm(insn) : (u64)(u32)insn->imm;
	if (kernel)
		strbuf_addf(out, "(%02x) ", insn->code);
	if (op == INSN_INVALID && kernel)
		strbuf_addf(out, "BUG_%02x", insn->code);
	else if (op == INSN_INVALID)
		strbuf_adds(out, "<unknown>");
	else
		print_template(&printer, kernel && printer.desc->kernel_text
						 ? printer.desc->kernel_text
						 : printer.desc->text);
}
