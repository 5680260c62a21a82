/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stack of the calling thread: by the tables that compilers leave for exceptions
 * (.eh_frame, through the unwinder that every C library's compiler brings), then by frame
 * pointers where code has no tables.
 *
 * The engine's own functions are no part of it. Who enters the engine says where that was; then
 * the first frame is the one that called it.
 */
#ifndef SKEP_HELPER_BACKTRACE_H
#define SKEP_HELPER_BACKTRACE_H

#include "base/types.h"
#include "catalog/uapi.h"

#define BACKTRACE_MAX 127 /* kernel.perf_event_max_stack, as it is after boot */

/* The engine is entered by the calling thread in the frame `cfa` (__builtin_dwarf_cfa()); NULL:
 * it was left. Returns what was said before, to be said again. */
const void *backtrace_enter(const void *cfa);

/* Return addresses, innermost first, without the first `skip`. How many there are; -EFAULT:
 * fewer than `skip`. */
s32 backtrace_stack(u64 *out, u32 skip, u32 limit);

/* What Linux says of an address: the build id of its file and the offset there, or that there
 * is none. */
void backtrace_describe(u64 address, struct bpf_stack_build_id *out);

#endif
