/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs of struct_ops: a variable in a section .struct_ops is a kernel's structure of
 * functions, and a relocation of a member names its program. A program is verified for one
 * member of one structure, whatever else becomes of the variable: its map may have other
 * programs that are not chosen, or be of a section that an old libbpf does not know
 * (.struct_ops.link).
 */
#include "catalog/uapi.h"
#include "cli/adapt.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#define MEMBERS_MAX	1024
#define DATA_RELOCATION 2 /* R_BPF_64_ABS64 */

static struct member {
	char program[64];
	s32 type_id; /* of the structure in the kernel; negative: there is none */
	s32 index;   /* of its member; negative: there is none */
} members[MEMBERS_MAX];
static u32 member_count;

static bool is_struct_ops(const char *section)
{
	section += *section == '?';
	return !strcmp(section, ".struct_ops") || !strcmp(section, ".struct_ops.link");
}

/* A name without what distinguishes versions of a type: "tcp_ops___old". */
static s32 find_kernel_type(const struct btf *kernel, const char *name)
{
	const char *flavor = strstr(name, "___");
	char plain[128];

	snprintf(plain, sizeof(plain), "%.*s", flavor ? (int)(flavor - name) : 127, name);
	return btf__find_by_name_kind(kernel, plain, BTF_KIND_STRUCT);
}

static s32 find_member(const struct btf *btf, s32 type_id, const char *name)
{
	const struct btf_type *type = btf__type_by_id(btf, type_id);

	for (u32 i = 0; i < btf_vlen(type); i++)
		if (!strcmp(btf__str_by_offset(btf, btf_members(type)[i].name_off), name))
			return i;
	return -ENOENT;
}

/* The name of the member at an offset of a structure; NULL: none. */
static const char *member_at(const struct btf *btf, const struct btf_type *type, u64 offset)
{
	for (u32 i = 0; i < btf_vlen(type); i++)
		if (btf_member_bit_offset(type, i) == offset * 8)
			return btf__str_by_offset(btf, btf_members(type)[i].name_off);
	return NULL;
}

static void add_member(const struct image *image, const struct btf *kernel,
		       const struct btf_type *type, u64 offset, const char *program)
{
	struct member *member = &members[member_count];
	const char *name = member_at(image->btf, type, offset);

	if (!name || member_count == MEMBERS_MAX)
		return;
	strncpy(member->program, program, sizeof(member->program) - 1);
	member->type_id =
		find_kernel_type(kernel, btf__str_by_offset(image->btf, type->name_off));
	member->index =
		member->type_id > 0 ? find_member(kernel, member->type_id, name) : -ENOENT;
	member_count++;
}

/* The function at an offset of a section, when the relocation names the section. */
static const char *function_at(const struct image *image, u32 section, u64 offset)
{
	u32 count;
	const Elf64_Sym *symbols = image_symbols(image, &count);

	for (u32 i = 0; i < count; i++)
		if (ELF64_ST_TYPE(symbols[i].st_info) == STT_FUNC &&
		    symbols[i].st_shndx == section && symbols[i].st_value == offset)
			return image_symbol_name(image, &symbols[i]);
	return "";
}

static const char *program_of(const struct image *image, u32 section,
			      const Elf64_Rel *relocation)
{
	u32 count, size;
	const Elf64_Sym *symbols = image_symbols(image, &count);
	const u8 *data = image_elements(image, section, sizeof(u8), &size);
	u64 index = ELF64_R_SYM(relocation->r_info), addend;

	if (!data || index >= count || ELF64_R_TYPE(relocation->r_info) != DATA_RELOCATION ||
	    relocation->r_offset > size || size - relocation->r_offset < sizeof(addend))
		return "";
	memcpy(&addend, data + relocation->r_offset, sizeof(addend));
	if (ELF64_ST_TYPE(symbols[index].st_info) == STT_FUNC)
		return image_symbol_name(image, &symbols[index]);
	return function_at(image, symbols[index].st_shndx, symbols[index].st_value + addend);
}

/* Where a variable is in its section; -ENOENT: it is not there. */
static s64 variable_offset(const struct image *image, u32 section, const char *name)
{
	u32 count;
	const Elf64_Sym *symbols = image_symbols(image, &count);

	for (u32 i = 0; i < count; i++)
		if (symbols[i].st_shndx == section &&
		    ELF64_ST_TYPE(symbols[i].st_info) == STT_OBJECT &&
		    !strcmp(image_symbol_name(image, &symbols[i]), name))
			return symbols[i].st_value;
	return -ENOENT;
}

static void add_variable(const struct image *image, const struct btf *kernel, u32 section,
			 const struct btf_type *variable)
{
	u32 count, relocations_of = image_relocations_of(image, section);
	const Elf64_Rel *relocations =
		image_elements(image, relocations_of, sizeof(*relocations), &count);
	s64 at = variable_offset(image, section,
				 btf__str_by_offset(image->btf, variable->name_off));
	s64 size = btf__resolve_size(image->btf, variable->type);
	s32 type_id = btf__resolve_type(image->btf, variable->type);

	if (at < 0 || size < 0 || type_id <= 0)
		return;
	for (u32 i = 0; i < count; i++) {
		u64 offset = relocations[i].r_offset - at;

		if (offset < (u64)size)
			add_member(image, kernel, btf__type_by_id(image->btf, type_id), offset,
				   program_of(image, section, &relocations[i]));
	}
}

static void add_section(const struct image *image, const struct btf *kernel, u32 section)
{
	const char *name = image_section_name(image, section);
	s32 id = image->btf ? btf__find_by_name_kind(image->btf, name, BTF_KIND_DATASEC) : -1;
	const struct btf_type *type = id > 0 ? btf__type_by_id(image->btf, id) : NULL;

	for (u32 i = 0; type && i < btf_vlen(type); i++) {
		const struct btf_type *variable =
			btf__type_by_id(image->btf, btf_var_secinfos(type)[i].type);

		if (btf_is_var(variable))
			add_variable(image, kernel, section, variable);
	}
}

/* Sections of this kind are no data, as far as libbpf is concerned. */
static void hide_section(struct image *image, u32 section)
{
	u32 relocations = image_relocations_of(image, section);

	image_section(image, section)->sh_type = SHT_NOTE;
	if (relocations)
		image_section(image, relocations)->sh_type = SHT_NOTE;
}

void struct_ops_find(struct image *image, bool hide)
{
	struct btf *kernel = NULL;

	memset(members, 0, member_count * sizeof(*members));
	member_count = 0;
	for (u32 i = 1; i < image->section_count; i++) {
		if (!is_struct_ops(image_section_name(image, i)) ||
		    image_section(image, i)->sh_type != SHT_PROGBITS)
			continue;
		kernel = kernel ?: btf__load_vmlinux_btf();
		if (kernel)
			add_section(image, kernel, i);
		if (hide)
			hide_section(image, i);
	}
	btf__free(kernel);
}

int struct_ops_prepare(struct bpf_program *program, struct bpf_prog_load_opts *opts, long flags)
{
	const char *name = bpf_program__name(program);
	const struct member *member = members;

	opts->prog_flags |= flags;
	while (member < members + member_count && strcmp(member->program, name))
		member++;
	if (opts->attach_btf_id || member == members + member_count)
		return 0;
	if (member->index < 0)
		return -ESRCH;
	opts->attach_btf_id = member->type_id;
	opts->expected_attach_type = member->index;
	return 0;
}
