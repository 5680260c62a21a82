/* SPDX-License-Identifier: BSD-2-Clause */
/* The few questions asked of the operating system. */
#ifndef SKEP_BASE_OS_H
#define SKEP_BASE_OS_H

#include "base/types.h"

u64 os_time_ns(int clock);  /* CLOCK_MONOTONIC, CLOCK_BOOTTIME, ... */
u32 os_possible_cpus(void); /* as libbpf counts them; at least 1 */
size_t os_page_size(void);

/* Whether the processor has vectors of 256 bits that machine code may use. */
bool os_has_vectors(void);
/* Many bytes are compared with one at once, with a bit for each as the result. */
bool os_matches_bytes(void);
bool os_counts_bits(void); /* set ones, and zeros at both ends */

/*
 * A full memory barrier on every running thread of the process (membarrier(2)), so that those
 * who are rarely waited for need none. Whether there is one; after that it cannot fail.
 */
bool os_barrier_ready(void);
void os_barrier(void);

/* A wish for large pages under the memory, which will be used as a whole. */
void os_prefer_huge(void *memory, size_t size);

/* A memfd of `size` bytes; negative errno. The caller closes it. */
int os_memfd(const char *name, size_t size);

/* The whole file, terminated by a zero byte that `*size` does not count; the caller frees it.
 * 0 or a negative errno; at most `limit` bytes (-EFBIG). */
int os_read_file(const char *path, size_t limit, char **out, size_t *size);

#endif
