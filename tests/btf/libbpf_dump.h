/* SPDX-License-Identifier: BSD-2-Clause */
/* libbpf's btf_dump as an oracle. Apart, as its btf.h and skep's use the same names. */
#ifndef SKEP_TESTS_BTF_LIBBPF_DUMP_H
#define SKEP_TESTS_BTF_LIBBPF_DUMP_H

#include <stddef.h>

/* The text, which the caller frees; NULL on failure. */
char *libbpf_dump(const void *blob, size_t blob_size, unsigned int type_id, const void *data,
		  size_t size);

#endif
