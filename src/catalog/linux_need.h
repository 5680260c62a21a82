/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oldest Linux that a program needs, told from the tables. It is what the program cannot do
 * without; an older verifier may refuse it for other reasons.
 */
#ifndef SKEP_CATALOG_LINUX_NEED_H
#define SKEP_CATALOG_LINUX_NEED_H

#include "base/types.h"
#include "catalog/uapi.h"

struct linux_need {
	const char *since; /* "5.2" */
	const char *kind;  /* "program type", "attach type", "instructions", "helper", "map" */
	const char *what;  /* name in its table, or words */
	s32 insn;	   /* the first that needs it; -1: none does */
};

/* Instructions before relocation or after, as PROG_LOAD takes them. */
struct linux_need linux_need_of_prog(enum bpf_prog_type type, enum bpf_attach_type attach_type,
				     const struct bpf_insn *insns, u32 count);
struct linux_need linux_need_of_map(enum bpf_map_type type);

/* As strcmp(): "5.9" is before "5.10". */
int linux_version_compare(const char *one, const char *other);

#endif
