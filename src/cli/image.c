/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/image.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, u8 *data, size_t size)
{
	for (ssize_t count; size; data += count, size -= count) {
		count = read(fd, data, size);
		if (count < 0)
			return -errno;
		if (!count)
			return -EIO;
	}
	return 0;
}

static int read_file(const char *path, struct image *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	struct stat info;

	if (fd < 0 || fstat(fd, &info)) {
		err = -errno;
	} else if (!S_ISREG(info.st_mode)) {
		err = S_ISDIR(info.st_mode) ? -EISDIR : -EINVAL;
	} else {
		out->size = info.st_size;
		out->data = calloc(1, out->size + 1);
		err = out->data ? read_all(fd, out->data, out->size) : -ENOMEM;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

static bool is_inside(const struct image *image, u64 offset, u64 size)
{
	return offset <= image->size && size <= image->size - offset;
}

static const Elf64_Ehdr *header(const struct image *image)
{
	return (const Elf64_Ehdr *)image->data;
}

static u32 count_sections(const struct image *image)
{
	const Elf64_Ehdr *elf = header(image);
	const u8 order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

	if (image->size < sizeof(*elf) || memcmp(elf->e_ident, ELFMAG, SELFMAG) ||
	    elf->e_ident[EI_CLASS] != ELFCLASS64 || elf->e_ident[EI_DATA] != order ||
	    elf->e_shentsize != sizeof(Elf64_Shdr) || elf->e_shoff % 8 ||
	    !is_inside(image, elf->e_shoff, (u64)elf->e_shnum * sizeof(Elf64_Shdr)))
		return 0;
	return elf->e_shnum;
}

static void read_btf(struct image *image)
{
	u32 size;
	const void *data =
		image_elements(image, image_find_section(image, ".BTF"), sizeof(u8), &size);

	image->btf = data ? btf__new(data, size) : NULL;
}

static int look_at(struct image *image, int err)
{
	if (err) {
		image_free(image);
		return err;
	}
	image->section_count = count_sections(image);
	read_btf(image);
	return 0;
}

int image_read(const char *path, struct image *out)
{
	*out = (struct image){};
	return look_at(out, read_file(path, out));
}

int image_copy(const void *bytes, size_t size, struct image *out)
{
	*out = (struct image){.data = calloc(1, size + 1), .size = size};
	if (out->data)
		memcpy(out->data, bytes, size);
	return look_at(out, out->data ? 0 : -ENOMEM);
}

void image_free(struct image *image)
{
	btf__free(image->btf);
	free(image->data);
	*image = (struct image){};
}

Elf64_Shdr *image_section(const struct image *image, u32 index)
{
	return index < image->section_count
		       ? (Elf64_Shdr *)(image->data + header(image)->e_shoff) + index
		       : NULL;
}

/* A string of a string table; "" when it is not one. */
static const char *string_at(const struct image *image, u32 table, u32 offset)
{
	u32 size;
	const char *strings = image_elements(image, table, sizeof(char), &size);

	return strings && offset < size && memchr(strings + offset, '\0', size - offset)
		       ? strings + offset
		       : "";
}

const char *image_section_name(const struct image *image, u32 index)
{
	const Elf64_Shdr *section = image_section(image, index);

	return section ? string_at(image, header(image)->e_shstrndx, section->sh_name) : "";
}

u32 image_find_section(const struct image *image, const char *name)
{
	for (u32 i = 1; i < image->section_count; i++)
		if (!strcmp(image_section_name(image, i), name))
			return i;
	return 0;
}

u32 image_relocations_of(const struct image *image, u32 index)
{
	for (u32 i = 1; i < image->section_count; i++)
		if (image_section(image, i)->sh_type == SHT_REL &&
		    image_section(image, i)->sh_info == index)
			return i;
	return 0;
}

void *image_elements(const struct image *image, u32 index, size_t element, u32 *count)
{
	const Elf64_Shdr *section = index ? image_section(image, index) : NULL;

	*count = 0;
	if (!section || section->sh_type == SHT_NOBITS ||
	    !is_inside(image, section->sh_offset, section->sh_size) ||
	    section->sh_offset % min(element, (size_t)8) || section->sh_size < element)
		return NULL;
	*count = section->sh_size / element;
	return image->data + section->sh_offset;
}

static u32 symbol_table(const struct image *image)
{
	for (u32 i = 1; i < image->section_count; i++)
		if (image_section(image, i)->sh_type == SHT_SYMTAB)
			return i;
	return 0;
}

const Elf64_Sym *image_symbols(const struct image *image, u32 *count)
{
	return image_elements(image, symbol_table(image), sizeof(Elf64_Sym), count);
}

const char *image_symbol_name(const struct image *image, const Elf64_Sym *symbol)
{
	const Elf64_Shdr *table = image_section(image, symbol_table(image));

	return table ? string_at(image, table->sh_link, symbol->st_name) : "";
}

int image_grow(struct image *image, u32 index, size_t more)
{
	Elf64_Shdr *section = image_section(image, index);
	size_t at = round_up(image->size, (size_t)8), size = section->sh_size;
	u8 *data = realloc(image->data, at + size + more + 1);

	if (!data)
		return -ENOMEM;
	image->data = data;
	section = image_section(image, index);
	memset(data + image->size, 0, at + size + more + 1 - image->size);
	memcpy(data + at, data + section->sh_offset, size);
	section->sh_offset = at;
	section->sh_size = size + more;
	image->size = at + size + more;
	return 0;
}

void *image_btf_place(const struct image *image, const void *in_btf)
{
	u32 size;
	const u8 *raw = btf__raw_data(image->btf, &size);
	u8 *data = image_elements(image, image_find_section(image, ".BTF"), sizeof(u8), &size);

	return data + ((const u8 *)in_btf - raw);
}
