/* SPDX-License-Identifier: BSD-2-Clause */
/* The BTF of sample.bpf.c, with the sizes of its sections filled in as a loader does. */
#ifndef SKEP_TESTS_BTF_SAMPLE_H
#define SKEP_TESTS_BTF_SAMPLE_H

#include "base/os.h"
#include "btf/btf.h"
#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* The content of a section of a 64-bit ELF file that clang wrote; NULL: it has none. */
static inline u8 *sample_section(const char *file, const char *name, u32 *size)
{
	const Elf64_Ehdr *elf = (const void *)file;
	const Elf64_Shdr *section = (const void *)(file + elf->e_shoff);
	const char *names = file + section[elf->e_shstrndx].sh_offset;

	for (int i = 0; i < elf->e_shnum; i++) {
		if (strcmp(names + section[i].sh_name, name))
			continue;
		*size = section[i].sh_size;
		return (u8 *)file + section[i].sh_offset;
	}
	return NULL;
}

/* Variables one after the other, each at a multiple of 64. */
static inline void sample_place_vars(struct btf_type *type)
{
	struct btf_var_secinfo *var = (void *)(type + 1);
	u32 end = 0;

	for (u32 i = 0; i < btf_vlen(type); i++) {
		var[i].offset = round_up(end, 64);
		end = var[i].offset + var[i].size;
	}
	type->size = end;
}

static inline u32 sample_type_size(const struct btf_type *type)
{
	static const u8 fixed[] = {[BTF_KIND_INT] = 4,
				   [BTF_KIND_ARRAY] = 12,
				   [BTF_KIND_VAR] = 4,
				   [BTF_KIND_DECL_TAG] = 4,
				   [BTF_KIND_ENUM64] = 0};
	static const u8 each[] = {
		[BTF_KIND_STRUCT] = 12,	   [BTF_KIND_UNION] = 12,   [BTF_KIND_ENUM] = 8,
		[BTF_KIND_FUNC_PROTO] = 8, [BTF_KIND_DATASEC] = 12, [BTF_KIND_ENUM64] = 12};

	return sizeof(*type) + fixed[btf_kind(type)] + each[btf_kind(type)] * btf_vlen(type);
}

/* The blob, which the caller frees; NULL when there is no such object. */
static inline u8 *sample_btf(const char *object, u32 *size)
{
	const struct btf_header *header;
	size_t file_size;
	char *file;
	u8 *blob;

	if (os_read_file(object, 1 << 20, &file, &file_size))
		return NULL;
	blob = sample_section(file, ".BTF", size);
	if (!blob) {
		free(file);
		return NULL;
	}
	memmove(file, blob, *size);
	blob = (u8 *)file;
	header = (const void *)blob;
	for (u32 at = 0; at < header->type_len;) {
		struct btf_type *type = (void *)(blob + header->hdr_len + at);

		if (btf_kind(type) == BTF_KIND_DATASEC)
			sample_place_vars(type);
		at += sample_type_size(type);
	}
	return blob;
}

#endif
