/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel's BTF does not tell of the places where tracing programs attach: rows of
 * tracepoints.def, iterators.def and functions.def.
 */
#ifndef SKEP_CATALOG_TRACING_H
#define SKEP_CATALOG_TRACING_H

#include "base/types.h"

/* `tracepoint` without btf_trace_; arguments are counted from 0. In modules every argument of
 * every tracepoint may be NULL. */
bool tracepoint_arg_may_be_null(const char *tracepoint, u32 arg);

enum iterator_arg_flags {
	ITERATOR_OR_NULL = 1 << 0,
	ITERATOR_TRUSTED = 1 << 1,
	ITERATOR_BUFFER = 1 << 2,    /* not an object but bytes: a key or a value */
	ITERATOR_READ_ONLY = 1 << 3, /* with ITERATOR_BUFFER */
};

/* First Linux that has the target, NULL: none has. Its function is bpf_iter_TARGET(). */
const char *iterator_since(const char *target);
/* What a pointer argument is: enum iterator_arg_flags. */
u32 iterator_arg(const char *target, u32 arg);

enum function_flags {
	FUNCTION_NO_TRACING = 1 << 0, /* no fentry, fexit or fmod_ret */
	FUNCTION_NO_RETURN = 1 << 1,  /* no fexit or fmod_ret */
	FUNCTION_D_PATH = 1 << 2,     /* bpf_d_path() may be called there */
	FUNCTION_MODIFIABLE = 1 << 3, /* fmod_ret */
	FUNCTION_MAY_SLEEP = 1 << 4,  /* sleepable programs may attach */
	FUNCTION_SK_STORAGE = 1 << 5, /* bpf_sk_storage_get() and _delete() may be called */
};

/* enum function_flags of a function of the kernel. */
u32 function_flags(const char *name);

#endif
