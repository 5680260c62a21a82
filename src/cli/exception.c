/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program with the tag "exception_callback:NAME" has a subprogram that no instruction names.
 * An old libbpf only appends what is called: so one instruction, which nothing else refers to,
 * is a call of the callback while libbpf relocates, and itself again when the program is
 * loaded.
 */
#include "catalog/uapi.h"
#include "cli/adapt.h"

#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf_common.h>
#include <stdlib.h>
#include <string.h>

#define TAG		"exception_callback:"
#define CALL_RELOCATION 10 /* R_BPF_64_32 */
#define EXCEPTIONS_MAX	256

static struct exception {
	char program[64];
	u32 insn; /* the instruction that was replaced, in the program */
	struct bpf_insn replaced;
	int handler; /* of libbpf; negative: none */
} exceptions[EXCEPTIONS_MAX];
static u32 exception_count;

static const Elf64_Sym *find_function(const struct image *image, const char *name, u32 *index)
{
	u32 count;
	const Elf64_Sym *symbols = image_symbols(image, &count);

	for (*index = 0; *index < count; (*index)++) {
		const Elf64_Sym *symbol = &symbols[*index];

		if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
		    !strcmp(image_symbol_name(image, symbol), name))
			return symbol;
	}
	return NULL;
}

/* Instructions of registers and jumps: no loader has a relocation for them. */
static bool is_never_relocated(const struct bpf_insn *insn)
{
	u8 class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	if (class == BPF_JMP || class == BPF_JMP32)
		return op != BPF_CALL;
	return (class == BPF_ALU || class == BPF_ALU64) && BPF_SRC(insn->code) == BPF_X;
}

/* The first such instruction of the function; NULL: none. */
static struct bpf_insn *find_place(const struct image *image, const Elf64_Sym *function)
{
	u32 count, first = function->st_value / sizeof(struct bpf_insn);
	struct bpf_insn *insns =
		image_elements(image, function->st_shndx, sizeof(*insns), &count);
	u64 end = first + function->st_size / sizeof(*insns);

	for (u64 at = first; insns && at < end && at < count; at++) {
		if (is_never_relocated(&insns[at]))
			return &insns[at];
		if (insns[at].code == (BPF_LD | BPF_IMM | BPF_DW))
			at++;
	}
	return NULL;
}

static int add_relocation(struct image *image, u32 section, u64 offset, u32 symbol)
{
	u32 index = image_relocations_of(image, section), count;
	Elf64_Rel *relocations;
	int err = index && image_elements(image, index, sizeof(Elf64_Rel), &count)
			  ? image_grow(image, index, sizeof(Elf64_Rel))
			  : -ENOENT;

	if (err)
		return err;
	relocations = image_elements(image, index, sizeof(Elf64_Rel), &count);
	relocations[count - 1].r_offset = offset;
	relocations[count - 1].r_info = ELF64_R_INFO((u64)symbol, CALL_RELOCATION);
	return 0;
}

static const struct exception *exception_of(const struct bpf_program *program)
{
	for (u32 i = 0; i < exception_count; i++)
		if (!strcmp(exceptions[i].program, bpf_program__name(program)))
			return &exceptions[i];
	return NULL;
}

static int restore(struct bpf_program *program, struct bpf_prog_load_opts *opts, long flags)
{
	const struct exception *exception = exception_of(program);
	size_t count = bpf_program__insn_cnt(program);
	struct bpf_insn *insns;
	int err;

	opts->prog_flags |= flags;
	if (!exception || exception->insn >= count)
		return 0;
	insns = malloc(count * sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	memcpy(insns, bpf_program__insns(program), count * sizeof(*insns));
	insns[exception->insn] = exception->replaced;
	err = bpf_program__set_insns(program, insns, count);
	free(insns);
	return err;
}

/* What libbpf itself would set for a section of this name. */
static u32 flags_of(const char *section)
{
	const char *slash = strchrnul(section, '/');

	if (!strcmp(section, "syscall") ||
	    (slash - section > 2 && !strncmp(slash - 2, ".s", 2)))
		return BPF_F_SLEEPABLE;
	return strncmp(section, "xdp.frags", 9) ? 0 : BPF_F_XDP_HAS_FRAGS;
}

/* libbpf only calls back for sections whose handler is not its own; negative: not to be had. */
static int take_over(const char *section)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = restore);
	enum bpf_attach_type attach_type;
	enum bpf_prog_type type;

	section += *section == '?';
	if (libbpf_prog_type_by_name(section, &type, &attach_type))
		return -ESRCH;
	/* These are loaded for a kernel function, which only libbpf's own handler finds. */
	if (type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM ||
	    type == BPF_PROG_TYPE_EXT || type == BPF_PROG_TYPE_STRUCT_OPS)
		return -EOPNOTSUPP;
	opts.cookie = flags_of(section);
	return libbpf_register_prog_handler(section, type, attach_type, &opts);
}

static int add_exception(struct image *image, const char *name, const char *callback)
{
	const struct bpf_insn call = {
		.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = -1};
	struct exception *exception = &exceptions[exception_count];
	u32 program_index, callback_index, section;
	const Elf64_Sym *program = find_function(image, name, &program_index);
	struct bpf_insn *place = program ? find_place(image, program) : NULL;
	u64 offset;
	int err;

	if (!place || !find_function(image, callback, &callback_index))
		return 0;
	section = program->st_shndx;
	exception->handler = take_over(image_section_name(image, section));
	if (exception->handler < 0)
		return 0;
	exception_count++;
	offset = (u8 *)place - image->data - image_section(image, section)->sh_offset;
	strncpy(exception->program, name, sizeof(exception->program) - 1);
	exception->insn = (offset - program->st_value) / sizeof(*place);
	exception->replaced = *place;
	*place = call;
	err = add_relocation(image, section, offset, callback_index);
	return err == -ENOENT ? 0 : err;
}

int exceptions_find(struct image *image)
{
	int err = 0;

	for (u32 id = 1; image->btf && id < btf__type_cnt(image->btf) && !err; id++) {
		const struct btf_type *tag = btf__type_by_id(image->btf, id), *function;
		const char *text = btf__str_by_offset(image->btf, tag->name_off);

		if (!btf_is_decl_tag(tag) || strncmp(text, TAG, strlen(TAG)) ||
		    exception_count == EXCEPTIONS_MAX)
			continue;
		function = btf__type_by_id(image->btf, tag->type);
		if (btf_is_func(function))
			err = add_exception(image,
					    btf__str_by_offset(image->btf, function->name_off),
					    text + strlen(TAG));
	}
	return err;
}

void exceptions_forget(void)
{
	for (u32 i = 0; i < exception_count; i++)
		libbpf_unregister_prog_handler(exceptions[i].handler);
	exception_count = 0;
	memset(exceptions, 0, sizeof(exceptions));
}
