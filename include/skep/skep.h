/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep: bpf(2) in user space. An engine is one bpf(2) world: its maps, programs, links, BTF,
 * pins and ports. There is no other global state.
 *
 * All functions may be called from any thread, on one engine by several at a time; only
 * skep_engine_free() must be the last call on its engine. Structures that begin with `sz` may
 * grow: the caller sets it to the structure's size that it was compiled with.
 */
#ifndef SKEP_SKEP_H
#define SKEP_SKEP_H

#include <linux/bpf.h>
#include <skep/error.h>
#include <skep/explain.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SKEP_API __attribute__((visibility("default")))

struct skep_engine;
struct skep_extension; /* skep/extend.h */

/* What the caller of bpf(2) may do, as Linux's capabilities with the same names. */
enum skep_rights {
	SKEP_RIGHT_BPF = 1 << 0,
	SKEP_RIGHT_PERFMON = 1 << 1,
	SKEP_RIGHT_NET_ADMIN = 1 << 2,
	SKEP_RIGHT_ADMIN = 1 << 3, /* includes the others, as CAP_SYS_ADMIN does */
	SKEP_RIGHTS_ALL = 15,
};

/* How programs are executed; all ways give the same results. */
enum skep_jit {
	SKEP_JIT_DEFAULT, /* the fastest that there is for this machine */
	SKEP_JIT_OFF,	  /* interpreted */
	SKEP_JIT_BASE,	  /* machine code, made in one pass */
	SKEP_JIT_FULL,	  /* optimised machine code */
};

/* Of which programs the constants are not to be found in the machine code, as
 * net.core.bpf_jit_harden. */
enum skep_jit_harden {
	SKEP_JIT_HARDEN_NONE,
	SKEP_JIT_HARDEN_UNPRIVILEGED, /* of loaders without SKEP_RIGHT_BPF */
	SKEP_JIT_HARDEN_ALL,
};

/* Who is told of machine code. */
enum skep_jit_debug {
	SKEP_JIT_PERF_MAP = 1 << 0,  /* perf, by /tmp/perf-PID.map: names of functions */
	SKEP_JIT_PERF_DUMP = 1 << 1, /* perf, by jit-PID.dump: names, code, lines of C */
	SKEP_JIT_GDB = 1 << 2,	     /* gdb, by its interface for such code: the same */
	SKEP_JIT_DEBUG_ALL = 7,
};

/* Where an engine's maps are. */
enum skep_region {
	SKEP_REGION_NONE, /* in memory of their own */
	SKEP_REGION_NEW,  /* in a new region without a name (skep_region_fd() gives it on) */
	SKEP_REGION_FILE, /* in that of `region_path`, which is made when it is not there */
	SKEP_REGION_FD,	  /* in that of `region_fd` */
};

struct skep_engine_opts {
	size_t sz;
	uint32_t slots;	 /* cpu slots; 0: as many as possible CPUs */
	uint32_t rights; /* enum skep_rights; ignored unless rights_given */
	bool rights_given;
	bool checked; /* run every program in the checked interpreter (slow; finds bugs of skep)
		       */
	/* Receives each line that a program prints (bpf_printk): `length` bytes with the
	 * newline, not terminated; NULL: lines go to skep_trace_open(). Called on the thread
	 * that runs the program, from several at a time; `text` is valid during the call. It
	 * must not call functions of skep. */
	void (*trace)(void *cookie, const char *text, size_t length);
	void *trace_cookie;
	/* The engine only gives verdicts, those of Linux: every map type of Linux can be made,
	 * and programs may use it and call every helper and kernel function, whether skep has
	 * them or not (skep_prog_lacks() says which it has not). Nothing runs:
	 * BPF_PROG_TEST_RUN, BPF_LINK_CREATE and what else would attach give -EOPNOTSUPP. */
	bool verify_only;
	/* Receives what the verifier has to say of each program that PROG_LOAD brought before
	 * it, accepted or rejected (skep/explain.h); NULL: nothing of the kind is made. A
	 * rejected program is walked a second time for it. Called on the thread that loads,
	 * before its call returns; the receiver owns the explanation and gives it to
	 * skep_explanation_free(). It must not call functions of the engine. */
	void (*explain)(void *cookie, struct skep_explanation *explanation);
	void *explain_cookie;
	/* enum skep_jit. Where machine code cannot be made (the machine is not known, the
	 * system allows no memory that is first written and then executed), programs are
	 * interpreted; BPF_OBJ_GET_INFO_BY_FD tells by jited_prog_len. */
	uint32_t jit;
	/* Bytes that the memory of all maps together may take; 0: no limit. A map that would
	 * take more is not made, and one that grows (tries, local storage, hash maps whose
	 * groups overflow) refuses the new element, with -ENOMEM both; what is in maps stays.
	 * Counted is what maps reserve for max_entries, not what they have touched. */
	uint64_t memory_limit;
	/* What the application offers to programs beside what Linux has; NULL: nothing. Read
	 * during the call only, what its functions and its cookie point to stays in use. */
	const struct skep_extension *extension;
	/* How many instructions of loops and functions a run of a program may execute: each
	 * round of a loop costs as many as the loop has, each call of a function of the program
	 * (by it or by a helper) as many as that has; what is executed of them does not matter.
	 * 0: no limit. A run that would use up more is stopped where the round or the function
	 * begins, its result is -EINTR; interpreted or as machine code, the same run is stopped
	 * at the same place, with the same effects before it. A program that holds something (a
	 * reference, a lock, an RCU section) in a loop is refused, since it would be lost; at a
	 * call it only counts while something is held, and the run is stopped later. */
	uint64_t fuel;
	/* enum skep_region. Processes whose engines have the same region see the same maps at
	 * the same addresses: those that one pins (BPF_OBJ_PIN), another gets (BPF_OBJ_GET).
	 * Arrays, hash maps and LRU maps of both kinds, queues and stacks can be in a region,
	 * without fields of a meaning of their own; other maps are refused with -EOPNOTSUPP, or
	 * private when region_or_private is true. docs/regions.md says what holds. */
	uint32_t region;
	bool region_or_private;
	int region_fd;		 /* used during the call only */
	const char *region_path; /* the same */
	/* Of a new region: bytes, whole pages, 0: 1 GiB; address of a page that is free in all
	 * processes, 0: one is chosen. */
	uint64_t region_size;
	uint64_t region_address;
	/* A directory for pins, "": $XDG_RUNTIME_DIR/skep/bpf; made when it is not there. Its
	 * file `region` is the engine's region: pinned maps live on in it when the process
	 * ends, and another finds them by their paths. NULL: pins end with the engine. */
	const char *pin_dir;
	/* enum skep_jit_debug, together. docs/debugging.md says how to use it. */
	uint32_t jit_debug;
	/* Below which folder's .debug/jit/skep-XXXXXX the file jit-PID.dump is made; NULL: below
	 * $JITDUMPDIR, $HOME or the working directory. Used during the call only. */
	const char *jit_dump_folder;
	/* Programs of more instructions start with machine code made in one pass; a thread of the
	 * engine makes the optimised one, which the next run has once it is there. 0: loading waits
	 * for it. Of no meaning where `jit` is not SKEP_JIT_FULL or the default. */
	uint32_t jit_background;
	/* enum skep_jit_harden. A constant of more than a byte becomes two that are random: who
	 * loads a program does not choose what bytes its machine code has. It runs slower. */
	uint32_t jit_harden;
};

/*
 * A new engine, which the caller frees. `opts` is read during the call only; NULL: all
 * defaults, all rights. NULL on failure, with `err` (may be NULL) filled in: -E2BIG (options
 * that this version lacks), -EINVAL (values out of range, an extension that
 * is not sound), -ENOMEM, -EMFILE.
 */
SKEP_API struct skep_engine *skep_engine_new(const struct skep_engine_opts *opts,
					     struct skep_error *err);
/*
 * Detaches all, closes all ports, frees all; NULL: nothing. No other thread may be in a
 * function of the engine. File descriptors of the engine stay the caller's to close; what they
 * stood for is gone.
 */
SKEP_API void skep_engine_free(struct skep_engine *engine);

/*
 * bpf(2): commands, attributes, results and errors of Linux's uapi. `size` is the size of
 * `attr` that the caller knows. Returns what the system call returns, with a negative errno in
 * place of -1. File descriptors are real and the caller's: close(), dup() and SCM_RIGHTS work
 * as on Linux, and an object lives as long as something refers to it. `attr` and the memory
 * that it points to are used during the call only; a bad address gives -EFAULT.
 */
SKEP_API int skep_bpf(struct skep_engine *engine, int cmd, union bpf_attr *attr,
		      unsigned int size);

/*
 * Details of the calling thread's last call with an engine. Never NULL; an empty record when
 * that call succeeded or was with another engine. Valid until the thread's next call.
 */
SKEP_API const struct skep_error *skep_engine_error(struct skep_engine *engine);

/*
 * A new descriptor, the caller's to close, from which the lines that programs print can be read
 * (it does not block, and each line is read once). Lines that find its pipe full are lost. A
 * negative errno: -ENOENT (the engine has a trace callback), -EMFILE.
 */
SKEP_API int skep_trace_open(struct skep_engine *engine);

/* NULL: nothing. */
SKEP_API void skep_explanation_free(struct skep_explanation *explanation);

/* "MAJOR.MINOR.PATCH", static storage. */
SKEP_API const char *skep_version(void);

#ifdef __cplusplus
}
#endif
#endif
