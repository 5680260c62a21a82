/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: the functions that bodies.def, absent.def and kfuncs.def mint, and what
 * several families need. */
#ifndef SKEP_HELPER_BODY_H
#define SKEP_HELPER_BODY_H

#include "helper/run_context.h"

#include <sys/types.h>

#define BODY(name) helper_fn helper_##name;
#include "helper/bodies.def"
#undef BODY
#define ABSENT(name, ...) helper_fn helper_##name;
#include "helper/absent.def"
#undef ABSENT
#define BODY(name) helper_fn kfunc_##name;
#include "helper/kfuncs.def"
#undef BODY

/* Opens the definition of a body: arguments are r1 to r5, the run is `run`. */
#define HELPER_BODY(name) \
	u64 helper_##name(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5, struct run_context *run)
/* The same for a kernel function. */
#define KFUNC_BODY(name) \
	u64 kfunc_##name(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5, struct run_context *run)

/* Memory at an address that nobody vouches for: 0 or -EFAULT, then `out` is zeroed. */
int fault_safe_read(void *out, size_t size, u64 address);
/* Copies a string with its terminating zero byte, cut to `size` bytes; returns the bytes
 * written or -EFAULT, then `out` is zeroed. */
long fault_safe_read_string(char *out, size_t size, u64 address);
/* The same, but what failed leaves `out` as it may be. */
int fault_safe_try(void *out, size_t size, u64 address);
long fault_safe_try_string(char *out, size_t size, u64 address);
/* In the memory of another process that this one may trace; 0: of none. */
int fault_safe_try_in(pid_t process, void *out, size_t size, u64 address);
long fault_safe_try_string_in(pid_t process, char *out, size_t size, u64 address);

/* Prints by a format (catalog/format.h). Returns the length of the whole text, of which at most
 * size - 1 bytes and a zero byte are written, or -EINVAL. */
long format_print(char *out, size_t size, const char *format, size_t format_size,
		  const u64 *args, u32 arg_cnt);

#endif
