/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skep: bpf(2) in user space. An engine is one bpf(2) world: its maps, programs, links, BTF,
 * pins and ports. There is no other global state. All functions may be called from any thread.
 */
#ifndef SKEP_SKEP_H
#define SKEP_SKEP_H

#include <linux/bpf.h>
#include <skep/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SKEP_API __attribute__((visibility("default")))

struct skep_engine;

/* What the caller of bpf(2) may do, as Linux's capabilities with the same names. */
enum skep_rights {
	SKEP_RIGHT_BPF = 1 << 0,
	SKEP_RIGHT_PERFMON = 1 << 1,
	SKEP_RIGHT_NET_ADMIN = 1 << 2,
	SKEP_RIGHT_ADMIN = 1 << 3, /* includes the others, as CAP_SYS_ADMIN does */
	SKEP_RIGHTS_ALL = 15,
};

struct skep_engine_opts {
	size_t sz;	 /* sizeof(struct skep_engine_opts), for compatibility */
	uint32_t slots;	 /* cpu slots; 0: as many as possible CPUs */
	uint32_t rights; /* enum skep_rights; ignored unless rights_given */
	bool rights_given;
	bool checked; /* run every program in the checked interpreter (slow; finds bugs of skep)
		       */
	/* Receives each line that a program prints (bpf_printk); NULL: kept in the trace
	 * buffer. Called on the thread that runs the program; `text` is valid during the call.
	 */
	void (*trace)(void *cookie, const char *text, size_t length);
	void *trace_cookie;
};

/* Returns NULL and fills `err` (may be NULL) on failure. `opts` NULL: all defaults, all rights.
 */
SKEP_API struct skep_engine *skep_engine_new(const struct skep_engine_opts *opts,
					     struct skep_error *err);
/* Detaches all, frees all. File descriptors still open turn into plain closed pipes. */
SKEP_API void skep_engine_free(struct skep_engine *engine);

/*
 * bpf(2): commands, attributes, results and errors of Linux's uapi. `size` is the size of
 * `attr` that the caller knows. Returns what the system call returns, with a negative errno in
 * place of -1. File descriptors are real: close(), dup() and SCM_RIGHTS work as on Linux.
 */
SKEP_API int skep_bpf(struct skep_engine *engine, int cmd, union bpf_attr *attr,
		      unsigned int size);

/*
 * Details of the calling thread's last failed skep_*() call. Never NULL; an empty record when
 * that call succeeded or was with another engine.
 */
SKEP_API const struct skep_error *skep_engine_error(struct skep_engine *engine);

/*
 * A new descriptor from which the lines that programs print can be read (it does not block).
 * Only for an engine without a trace callback: -ENOENT.
 */
SKEP_API int skep_trace_open(struct skep_engine *engine);

SKEP_API const char *skep_version(void);

#ifdef __cplusplus
}
#endif
#endif
