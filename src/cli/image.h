/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An object's bytes in memory, before libbpf opens them: what an old libbpf does not understand
 * is found here and put so that it does (arena.c, struct_ops.c, exception.c). Objects are
 * hostile: everything handed out lies inside the bytes. An image that is no 64-bit ELF object
 * of this byte order has no sections; libbpf says then what is wrong.
 */
#ifndef SKEP_CLI_IMAGE_H
#define SKEP_CLI_IMAGE_H

#include "base/types.h"
#include <elf.h>
#include <stddef.h>

struct btf;
struct btf_type;

struct image {
	u8 *data; /* owned */
	size_t size;
	u32 section_count;
	struct btf *btf; /* libbpf's copy of section .BTF; owned; NULL: none that can be read */
};

/* 0 or a negative errno. */
int image_read(const char *path, struct image *out);
int image_copy(const void *bytes, size_t size, struct image *out);
void image_free(struct image *image);

/* NULL: no such section. A pointer is valid until image_grow(). */
Elf64_Shdr *image_section(const struct image *image, u32 index);
const char *image_section_name(const struct image *image, u32 index); /* never NULL */
u32 image_find_section(const struct image *image, const char *name);  /* 0: none */
/* The section that relocates the one at `index`; 0: none. */
u32 image_relocations_of(const struct image *image, u32 index);
/* Its bytes; NULL: none, or fewer than an element of `element` bytes. *count: elements. */
void *image_elements(const struct image *image, u32 index, size_t element, u32 *count);
const char *image_symbol_name(const struct image *image, const Elf64_Sym *symbol);
const Elf64_Sym *image_symbols(const struct image *image, u32 *count);

/* Gives a section its bytes once more behind the end of the image, with `more` zeros after
 * them. 0 or -ENOMEM. */
int image_grow(struct image *image, u32 index, size_t more);

/* Where in the image something is that btf shows: for changes. */
void *image_btf_place(const struct image *image, const void *in_btf);

#endif
