/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/code_image.h"
#include "run/native.h"
#include "run/tag.h"
#include "sys/code.h"
#include "verify/line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_SIZE 160

/* --- names: those that Linux gives its own --- */

static const char *symbol_name(struct arena *arena, const u8 tag[BPF_TAG_SIZE],
			       const char *name)
{
	char text[NAME_MAX_SIZE] = "bpf_prog_";
	u32 length = (u32)strlen(text);

	for (u32 i = 0; i < BPF_TAG_SIZE; i++)
		length += (u32)snprintf(text + length, 3, "%02x", tag[i]);
	if (*name)
		snprintf(text + length, sizeof(text) - length, "_%s", name);
	return arena_string(arena, text);
}

static const char *name_of(const struct prog *prog, u32 index)
{
	const char *function = prog->verified->subprogs[index].name;

	return function ? function : index ? "F" : prog->name;
}

static int add_symbols(const struct prog *prog, const struct native *native,
		       struct built_image *built)
{
	const struct verified *verified = prog->verified;
	const u32 count = verified->subprog_cnt;
	struct code_symbol *symbols = arena_array(&built->arena, count + 1, sizeof(*symbols));

	if (!symbols)
		return -ENOMEM;
	symbols[0] = (struct code_symbol){0, native_offset(native, native->entry[0]),
					  "skep_enter_program"};
	for (u32 i = 0; i < count; i++) {
		const struct subprog *subprog = &verified->subprogs[i];
		u8 tag[BPF_TAG_SIZE];

		program_tag(verified->insns + subprog->start, subprog->end - subprog->start,
			    tag);
		symbols[i + 1] = (struct code_symbol){
			native_offset(native, native->entry[i]),
			native_length(native, i, count),
			symbol_name(&built->arena, i ? tag : prog->tag, name_of(prog, i))};
		if (!symbols[i + 1].name)
			return -ENOMEM;
	}
	built->image.symbols = symbols;
	built->image.symbol_cnt = count + 1;
	return 0;
}

/* --- lines --- */

/* Few files: most programs are of one. */
static u32 file_index(struct built_image *built, const char **files, const char *file)
{
	u32 i = 0;

	while (i < built->image.file_cnt && strcmp(files[i], file) != 0)
		i++;
	if (i == built->image.file_cnt && i < UINT16_MAX) {
		files[i] = file;
		built->image.file_cnt++;
	}
	return i;
}

static int add_lines(const struct prog *prog, const struct native *native,
		     struct built_image *built)
{
	struct code_line *lines = arena_array(&built->arena, native->place_cnt, sizeof(*lines));
	const char **files = arena_array(&built->arena, native->place_cnt + 1, sizeof(*files));
	u32 count = 0;

	if (!lines || !files)
		return -ENOMEM;
	for (u32 i = 0; i < native->place_cnt; i++) {
		struct code_line line = {.offset = native->places[i].offset};
		struct source_line source;

		if (!code_line_of(prog, native->places[i].at, &source))
			continue;
		line.line = source.number;
		line.file = file_index(built, files, source.file);
		if (!count || lines[count - 1].line != line.line ||
		    lines[count - 1].file != line.file)
			lines[count++] = line;
	}
	built->image.lines = lines;
	built->image.line_cnt = count;
	built->image.files = files;
	return 0;
}

int code_image_build(const struct prog *prog, const struct native *native,
		     struct built_image *out)
{
	int err;

	arena_init(&out->arena);
	out->image = (struct code_image){.base = (const u8 *)native->enter,
					 .size = native_offset(native, native->end),
					 .frames_offset = native->frames,
					 .frames_size = native->size - native->frames};
	err = add_symbols(prog, native, out) ?: add_lines(prog, native, out);
	if (err)
		arena_done(&out->arena);
	return err;
}

void code_image_free(struct built_image *built)
{
	arena_done(&built->arena);
}
