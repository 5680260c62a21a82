/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that the caller of bpf(2) names by address. A garbage address gives -EFAULT, as on
 * Linux, and never a crash: the kernel does the copying.
 */
#ifndef SKEP_BASE_USER_H
#define SKEP_BASE_USER_H

#include "base/types.h"

/* 0, or -EFAULT. A `size` of 0 always succeeds. */
int user_read(void *to, u64 from, size_t size);
int user_write(u64 to, const void *from, size_t size);

/* Whether [from, from + size) reads as zeros: 0, -E2BIG when not, or -EFAULT. */
int user_check_zero(u64 from, size_t size);

/* Copies a terminated string of at most size - 1 bytes (a longer one is cut, as Linux's
 * strncpy_from_user() does); its length or -EFAULT. */
long user_read_string(char *to, u64 from, size_t size);

/* A heap copy of `size` bytes: 0 and *out (NULL for size 0), -EFAULT or -ENOMEM. */
int user_duplicate(u64 from, size_t size, void **out);

#endif
