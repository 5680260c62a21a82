/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gdb's interface for code that is compiled at run time (its manual, "JIT Compilation
 * Interface"): a list of ELF files in memory, and a function at which gdb stops when the list
 * changes. A file has the functions' names, the lines of C (DWARF 4) and the unwinder's
 * records.
 */
#include "base/strbuf.h"
#include "jit/image.h"

#include <elf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* --- the list: names and layout are gdb's --- */

enum { JIT_NOACTION, JIT_REGISTER_FN, JIT_UNREGISTER_FN };

struct jit_code_entry {
	struct jit_code_entry *next_entry, *prev_entry;
	const char *symfile_addr;
	u64 symfile_size;
};

struct jit_descriptor {
	u32 version, action_flag;
	struct jit_code_entry *relevant_entry, *first_entry;
};

void __jit_debug_register_code(void);
extern struct jit_descriptor __jit_debug_descriptor;

struct jit_descriptor __jit_debug_descriptor = {.version = 1};

/* gdb has a breakpoint here: the call must be made, the list be as it says. */
__attribute__((noinline, used)) void __jit_debug_register_code(void)
{
	__asm__ volatile("" ::: "memory");
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct gdb_code {
	struct jit_code_entry entry;
	char *file;
};

static void tell(struct jit_code_entry *entry, u32 action)
{
	__jit_debug_descriptor.relevant_entry = entry;
	__jit_debug_descriptor.action_flag = action;
	__jit_debug_register_code();
}

static void link_entry(struct jit_code_entry *entry)
{
	pthread_mutex_lock(&lock);
	entry->next_entry = __jit_debug_descriptor.first_entry;
	if (entry->next_entry)
		entry->next_entry->prev_entry = entry;
	__jit_debug_descriptor.first_entry = entry;
	tell(entry, JIT_REGISTER_FN);
	pthread_mutex_unlock(&lock);
}

void gdb_code_remove(struct gdb_code *code)
{
	struct jit_code_entry *entry = code ? &code->entry : NULL;

	if (!code)
		return;
	pthread_mutex_lock(&lock);
	if (entry->prev_entry)
		entry->prev_entry->next_entry = entry->next_entry;
	else
		__jit_debug_descriptor.first_entry = entry->next_entry;
	if (entry->next_entry)
		entry->next_entry->prev_entry = entry->prev_entry;
	tell(entry, JIT_UNREGISTER_FN);
	pthread_mutex_unlock(&lock);
	free(code->file);
	free(code);
}

/* --- DWARF --- */

enum {
	DW_TAG_compile_unit = 0x11,
	DW_TAG_subprogram = 0x2e,
	DW_AT_name = 0x03,
	DW_AT_stmt_list = 0x10,
	DW_AT_low_pc = 0x11,
	DW_AT_high_pc = 0x12,
	DW_AT_language = 0x13,
	DW_FORM_addr = 0x01,
	DW_FORM_data2 = 0x05,
	DW_FORM_data4 = 0x06,
	DW_FORM_string = 0x08,
	DW_FORM_sec_offset = 0x17,
	DW_LANG_C99 = 0x0c,
	DW_LNS_copy = 1,
	DW_LNS_advance_pc = 2,
	DW_LNS_advance_line = 3,
	DW_LNS_set_file = 4,
	DW_LNE_end_sequence = 1,
	DW_LNE_set_address = 2,
};

static void u8_(struct strbuf *out, u8 value)
{
	strbuf_addc(out, (char)value);
}

static void number(struct strbuf *out, u64 value, u32 bytes)
{
	strbuf_add(out, (const char *)&value, bytes);
}

static void string(struct strbuf *out, const char *text)
{
	strbuf_add(out, text, strlen(text) + 1);
}

static void uleb(struct strbuf *out, u64 value)
{
	for (; value >= 0x80; value >>= 7)
		u8_(out, (u8)(0x80 | value));
	u8_(out, (u8)value);
}

static void sleb(struct strbuf *out, s64 value)
{
	while (value < -64 || value > 63) {
		u8_(out, (u8)(0x80 | (value & 0x7f)));
		value >>= 7;
	}
	u8_(out, value & 0x7f);
}

/* The length of what follows goes where 4 bytes were left for it. */
static void set_length(struct strbuf *out, size_t at)
{
	const u32 length = (u32)(out->length - at - 4);

	if (!out->failed)
		memcpy(out->text + at, &length, sizeof(length));
}

enum { ABBREV_UNIT = 1, ABBREV_FUNCTION };

static void abbreviations(struct strbuf *out)
{
	static const u8 table[] = {ABBREV_UNIT,
				   DW_TAG_compile_unit,
				   1, /* with children */
				   DW_AT_name,
				   DW_FORM_string,
				   DW_AT_language,
				   DW_FORM_data2,
				   DW_AT_low_pc,
				   DW_FORM_addr,
				   DW_AT_high_pc,
				   DW_FORM_data4,
				   DW_AT_stmt_list,
				   DW_FORM_sec_offset,
				   0,
				   0,
				   ABBREV_FUNCTION,
				   DW_TAG_subprogram,
				   0, /* without */
				   DW_AT_name,
				   DW_FORM_string,
				   DW_AT_low_pc,
				   DW_FORM_addr,
				   DW_AT_high_pc,
				   DW_FORM_data4,
				   0,
				   0,
				   0};

	strbuf_add(out, (const char *)table, sizeof(table));
}

static void unit(struct strbuf *out, const struct code_image *image)
{
	const size_t start = out->length;

	number(out, 0, 4);
	number(out, 4, 2); /* version */
	number(out, 0, 4); /* where the abbreviations are */
	u8_(out, sizeof(void *));
	uleb(out, ABBREV_UNIT);
	string(out, image->file_cnt ? image->files[0] : image->symbols[0].name);
	number(out, DW_LANG_C99, 2);
	number(out, ptr_to_u64(image->base), 8);
	number(out, image->size, 4);
	number(out, 0, 4); /* where the lines are */
	for (u32 i = 0; i < image->symbol_cnt; i++) {
		uleb(out, ABBREV_FUNCTION);
		string(out, image->symbols[i].name);
		number(out, ptr_to_u64(image->base + image->symbols[i].offset), 8);
		number(out, image->symbols[i].size, 4);
	}
	u8_(out, 0);
	set_length(out, start);
}

static void file_names(struct strbuf *out, const struct code_image *image)
{
	for (u32 i = 0; i < image->file_cnt; i++) {
		string(out, image->files[i]);
		strbuf_add(out, "\0\0", 3); /* no folder, time, length */
	}
	u8_(out, 0);
}

static void line_program(struct strbuf *out, const struct code_image *image)
{
	u32 at = 0, line = 1, file = 0;

	u8_(out, 0);
	uleb(out, 9);
	u8_(out, DW_LNE_set_address);
	number(out, ptr_to_u64(image->base), 8);
	for (u32 i = 0; i < image->line_cnt; i++) {
		const struct code_line *next = &image->lines[i];

		u8_(out, DW_LNS_advance_pc);
		uleb(out, next->offset - at);
		u8_(out, DW_LNS_advance_line);
		sleb(out, (s64)next->line - line);
		if (next->file != file) {
			u8_(out, DW_LNS_set_file);
			uleb(out, next->file + 1);
		}
		u8_(out, DW_LNS_copy);
		at = next->offset;
		line = next->line;
		file = next->file;
	}
	u8_(out, DW_LNS_advance_pc);
	uleb(out, image->size - at);
	u8_(out, 0);
	uleb(out, 1);
	u8_(out, DW_LNE_end_sequence);
}

static void lines(struct strbuf *out, const struct code_image *image)
{
	/* Operands of the standard operations 1 to 9. */
	static const u8 operands[] = {0, 1, 1, 1, 1, 0, 0, 0, 1};
	const size_t start = out->length;
	size_t header;

	number(out, 0, 4);
	number(out, 4, 2); /* version */
	header = out->length;
	number(out, 0, 4);
	u8_(out, 1);			    /* bytes of an instruction, at least */
	u8_(out, 1);			    /* operations of one */
	u8_(out, 1);			    /* a line is a statement */
	u8_(out, 0);			    /* special operations: the least line, */
	u8_(out, 1);			    /* how many lines, */
	u8_(out, ARRAY_SIZE(operands) + 1); /* the first */
	strbuf_add(out, (const char *)operands, sizeof(operands));
	u8_(out, 0); /* no folders */
	file_names(out, image);
	set_length(out, header);
	line_program(out, image);
	set_length(out, start);
}

/* --- ELF --- */

enum section {
	SECTION_NONE,
	SECTION_TEXT,
	SECTION_FRAMES,
	SECTION_SYMBOLS,
	SECTION_STRINGS,
	SECTION_NAMES,
	SECTION_ABBREV,
	SECTION_INFO,
	SECTION_LINE,
	SECTIONS,
};

static const struct {
	const char *name;
	u32 type;
	u64 flags;
} sections[SECTIONS] = {
	[SECTION_NONE] = {"", SHT_NULL, 0},
	[SECTION_TEXT] = {".text", SHT_NOBITS, SHF_ALLOC | SHF_EXECINSTR},
	[SECTION_FRAMES] = {".eh_frame", SHT_PROGBITS, SHF_ALLOC},
	[SECTION_SYMBOLS] = {".symtab", SHT_SYMTAB, 0},
	[SECTION_STRINGS] = {".strtab", SHT_STRTAB, 0},
	[SECTION_NAMES] = {".shstrtab", SHT_STRTAB, 0},
	[SECTION_ABBREV] = {".debug_abbrev", SHT_PROGBITS, 0},
	[SECTION_INFO] = {".debug_info", SHT_PROGBITS, 0},
	[SECTION_LINE] = {".debug_line", SHT_PROGBITS, 0},
};

static void symbols(struct strbuf *out, const struct code_image *image)
{
	const Elf64_Sym none = {0};
	u32 name = 1;

	strbuf_add(out, (const char *)&none, sizeof(none));
	for (u32 i = 0; i < image->symbol_cnt; i++) {
		const struct code_symbol *from = &image->symbols[i];
		const Elf64_Sym symbol = {.st_name = name,
					  .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
					  .st_shndx = SECTION_TEXT,
					  /* In a file that is not linked: from the section. */
					  .st_value = from->offset,
					  .st_size = from->size};

		strbuf_add(out, (const char *)&symbol, sizeof(symbol));
		name += (u32)strlen(from->name) + 1;
	}
}

static void strings(struct strbuf *out, const struct code_image *image)
{
	u8_(out, 0);
	for (u32 i = 0; i < image->symbol_cnt; i++)
		string(out, image->symbols[i].name);
}

static void section_names(struct strbuf *out)
{
	for (u32 i = 0; i < SECTIONS; i++)
		string(out, sections[i].name);
}

static u32 section_name(u32 section)
{
	u32 at = 0;

	for (u32 i = 0; i < section; i++)
		at += (u32)strlen(sections[i].name) + 1;
	return at;
}

static void content(struct strbuf *out, enum section section, const struct code_image *image)
{
	switch (section) {
	case SECTION_FRAMES:
		strbuf_add(out, (const char *)image->base + image->frames_offset,
			   image->frames_size);
		return;
	case SECTION_SYMBOLS: symbols(out, image); return;
	case SECTION_STRINGS: strings(out, image); return;
	case SECTION_NAMES: section_names(out); return;
	case SECTION_ABBREV: abbreviations(out); return;
	case SECTION_INFO: unit(out, image); return;
	case SECTION_LINE: lines(out, image); return;
	case SECTION_NONE:
	case SECTION_TEXT:
	case SECTIONS: return;
	}
}

static Elf64_Shdr section_header(enum section section, const struct code_image *image)
{
	Elf64_Shdr header = {.sh_name = section_name(section),
			     .sh_type = sections[section].type,
			     .sh_flags = sections[section].flags,
			     .sh_addralign = section == SECTION_NONE ? 0 : 1};

	if (section == SECTION_TEXT) {
		header.sh_addr = ptr_to_u64(image->base);
		header.sh_size = image->size;
	} else if (section == SECTION_FRAMES) {
		header.sh_addr = ptr_to_u64(image->base + image->frames_offset);
	} else if (section == SECTION_SYMBOLS) {
		header.sh_link = SECTION_STRINGS;
		header.sh_info = 1; /* the first that is not local */
		header.sh_entsize = sizeof(Elf64_Sym);
	}
	return header;
}

static void elf(struct strbuf *out, const struct code_image *image)
{
	Elf64_Ehdr header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					 ELFDATA2LSB, EV_CURRENT},
			     .e_type = ET_REL,
			     .e_machine = IMAGE_MACHINE,
			     .e_version = EV_CURRENT,
			     .e_ehsize = sizeof(header),
			     .e_shentsize = sizeof(Elf64_Shdr),
			     .e_shnum = SECTIONS,
			     .e_shstrndx = SECTION_NAMES};
	Elf64_Shdr headers[SECTIONS];

	strbuf_add(out, (const char *)&header, sizeof(header));
	for (u32 i = 0; i < SECTIONS; i++) {
		while (out->length % 8 && !out->failed)
			u8_(out, 0);
		headers[i] = section_header((enum section)i, image);
		headers[i].sh_offset = out->length;
		content(out, (enum section)i, image);
		if (i != SECTION_TEXT)
			headers[i].sh_size = out->length - headers[i].sh_offset;
	}
	while (out->length % 8 && !out->failed)
		u8_(out, 0);
	header.e_shoff = out->length;
	strbuf_add(out, (const char *)headers, sizeof(headers));
	if (!out->failed)
		memcpy(out->text, &header, sizeof(header));
}

struct gdb_code *gdb_code_add(const struct code_image *image)
{
	struct gdb_code *code = calloc(1, sizeof(*code));
	struct strbuf file;

	strbuf_init(&file);
	elf(&file, image);
	if (!code || file.failed) {
		strbuf_done(&file);
		free(code);
		return NULL;
	}
	code->file = file.text;
	code->entry.symfile_addr = file.text;
	code->entry.symfile_size = file.length;
	link_entry(&code->entry);
	return code;
}
