/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine code of programs, for debuggers, profilers and crash reports (options jit_debug and
 * jit_dump_folder of skep_engine_new() tell perf and gdb).
 *
 * The functions here allocate nothing: a signal handler may call them. They find
 * only programs that the calling thread may be running: outside of a run nothing is found.
 */
#ifndef SKEP_DEBUG_H
#define SKEP_DEBUG_H

#include <skep/skep.h>

#ifdef __cplusplus
extern "C" {
#endif

struct skep_code_place {
	size_t sz;
	uint32_t prog_id;
	uint32_t insn;	       /* of the program */
	char name[16];	       /* the program's, "": it has none */
	const char *function;  /* of the program; NULL: it has no BTF */
	const char *file;      /* as the compiler recorded it; NULL: no line is known */
	const char *text;      /* the line itself, without leading white space */
	uint32_t line, column; /* from 1 */
	const void *code;      /* of the program, `code_size` bytes */
	size_t code_size;
};

/*
 * What the machine code at `pc` is of. 0 and *out, whose `sz` the caller has set, or -ENOENT. The
 * strings are the program's, and valid until the run ends.
 */
SKEP_API int skep_code_find(struct skep_engine *engine, const void *pc,
			    struct skep_code_place *out);

/*
 * Of a handler of SIGSEGV, SIGBUS, SIGILL or SIGFPE that was installed with SA_SIGINFO: when it was
 * the machine code of a program that crashed, or a function that it called (a helper, a function of
 * the application's own), a report of some lines in `out`, terminated, at most `size` bytes: which
 * program, instruction and line, the registers, the program's code when it was there. Returns its
 * length, 0: no program of the engine crashed, and `out` is untouched. Who called is found by the
 * unwinder of libgcc, which may wait for the dynamic linker's lock.
 */
SKEP_API size_t skep_crash_describe(struct skep_engine *engine, int signal, const void *siginfo,
				    const void *ucontext, char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
