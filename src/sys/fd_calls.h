/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls other than bpf(2) on the descriptors of an engine's objects, for src/shim. A
 * descriptor that is not the engine's gives FD_FOREIGN.
 */
#ifndef SKEP_SYS_FD_CALLS_H
#define SKEP_SYS_FD_CALLS_H

#include "base/types.h"
#include <skep/skep.h>

struct perf_event_attr;

#define FD_FOREIGN 1

/* perf_event_open(2) of a BPF output on a slot: the descriptor or a negative errno. */
int fd_perf_event_open(struct skep_engine *engine, const struct perf_event_attr *attr,
		       int slot);
int fd_perf_event_enable(struct skep_engine *engine, int fd, bool on);
int fd_mmap(struct skep_engine *engine, int fd, void *address, size_t length, int prot,
	    int flags, u64 offset, void **out);
/* What /proc/self/fd shows on Linux: "anon_inode:bpf-map"; NULL: not ours. */
const char *fd_name(struct skep_engine *engine, int fd);
/* What /proc/self/fdinfo shows on Linux of a map, as far as the engine has it; the caller frees
 * it. NULL: no map of ours, or no memory. */
char *fd_info(struct skep_engine *engine, int fd);
/* A file of the engine's own types of a kernel; FD_FOREIGN: the kernel shows its own. A negative
 * errno. */
int fd_kernel_btf(struct skep_engine *engine, int *out);
/* Brings what poll() sees of ring buffers and perf events up to date. */
void fd_refresh(struct skep_engine *engine);

/* Around fork(), in the thread that forks: what only the parent drives, the child lets go of.
 */
void fd_before_fork(struct skep_engine *engine);
void fd_after_fork(struct skep_engine *engine, bool is_child);

#endif
