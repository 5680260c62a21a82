/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What profilers and debuggers are told of a program's machine code: the names of its
 * functions, and the lines of C that its bytes come from.
 */
#ifndef SKEP_JIT_IMAGE_H
#define SKEP_JIT_IMAGE_H

#include "base/types.h"

#include <elf.h>

#if defined(__x86_64__)
#define IMAGE_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define IMAGE_MACHINE EM_AARCH64
#else
#define IMAGE_MACHINE EM_NONE /* which no code is made for */
#endif

struct code_symbol {
	u32 offset, size;
	const char *name;
};

/* From here on, up to the next one. */
struct code_line {
	u32 offset, line;
	u32 file; /* of the image's */
};

struct code_image {
	const u8 *base;
	u32 size;			   /* of the code */
	u32 frames_offset, frames_size;	   /* of the .eh_frame records, from the base */
	const struct code_symbol *symbols; /* by offset, without gaps */
	u32 symbol_cnt;
	const struct code_line *lines; /* by offset */
	u32 line_cnt;
	const char *const *files;
	u32 file_cnt;
};

/* --- perf_map.c: /tmp/perf-PID.map, which `perf report` reads --- */

/* The file of this process, the caller's to close: a descriptor or a negative errno. -EPERM:
 * somebody else made it. */
int perf_map_open(void);
void perf_map_add(int fd, const struct code_image *image);

/* --- jitdump.c: jit-PID.dump, which `perf inject --jit` reads --- */

struct jitdump;

/*
 * A new file in a new folder below `folder`/.debug/jit, where perf keeps such files; `folder`
 * "": $JITDUMPDIR, $HOME or the working directory. 0 or a negative errno.
 */
int jitdump_open(const char *folder, struct jitdump **out);
void jitdump_add(struct jitdump *dump, const struct code_image *image);
void jitdump_close(struct jitdump *dump); /* NULL: nothing */

/* --- gdb.c: the interface that gdb has for compilers at run time --- */

struct gdb_code;

/* Makes it known to a debugger; NULL: out of memory. */
struct gdb_code *gdb_code_add(const struct code_image *image);
void gdb_code_remove(struct gdb_code *code); /* NULL: nothing */

#endif
