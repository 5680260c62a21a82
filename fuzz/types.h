/* SPDX-License-Identifier: BSD-2-Clause */
/* The types of generated programs (types.def) and the BTF that has them. */
#ifndef SKEP_FUZZ_TYPES_H
#define SKEP_FUZZ_TYPES_H

#include "base/types.h"

#define FUZZ_OWN_LIST 16 /* where an object of its own has its nodes */
#define FUZZ_OWN_TREE 40
#define FUZZ_ROOT     8 /* where a value has what they are put into */

/* The ids. A function has two: that of its prototype is the one before. */
enum fuzz_type {
	FUZZ_NO_TYPE,
	FUZZ_VOID = FUZZ_NO_TYPE,
#define INT(name, ...)	    FUZZ_##name,
#define STRUCT(name, ...)   FUZZ_##name,
#define POINTER(name, ...)  FUZZ_##name,
#define TAG(name, ...)	    FUZZ_##name,
#define CONTAINS(name, ...) FUZZ_##name,
#define FUNC(name, ...)	    FUZZ_PROTO_##name, FUZZ_##name,
#include "fuzz/types.def"
#undef INT
#undef STRUCT
#undef POINTER
#undef TAG
#undef CONTAINS
#undef FUNC
};

enum {
	FUZZ_FIRST_FUNC = FUZZ_ENTRY,
	FUZZ_FUNCS = (FUZZ_OF_XDP - FUZZ_ENTRY) / 2 + 1,
};

/* Its place among the functions. */
static inline u32 fuzz_func(enum fuzz_type type)
{
	return (type - FUZZ_FIRST_FUNC) / 2;
}

/* The BTF, which the caller frees; NULL: no memory. */
void *fuzz_types(u32 *size);

#endif
