/* SPDX-License-Identifier: BSD-2-Clause */
/* BTF with two types: int (1) and long (2). */
#ifndef SKEP_TESTS_TYPES_H
#define SKEP_TESTS_TYPES_H

#include "btf/btf.h"
#include "tests/unit.h"

static inline struct btf_view *two_types(void)
{
	static struct btf_view *view;
	static const struct {
		struct btf_header header;
		struct btf_type type;
		u32 encoding;
		struct btf_type long_type;
		u32 long_encoding;
		char strings[12];
	} blob = {{.magic = BTF_MAGIC,
		   .version = 1,
		   .hdr_len = sizeof(struct btf_header),
		   .type_len = 32,
		   .str_off = 32,
		   .str_len = 10},
		  {1, BTF_KIND_INT << 24, {4}},
		  BTF_INT_SIGNED << 24 | 32,
		  {5, BTF_KIND_INT << 24, {8}},
		  64,
		  "\0int\0long"};

	if (!view)
		assert_int_equal(
			btf_view_new(&blob, sizeof(blob.header) + 42, &view, NULL, NULL), 0);
	return view;
}

#endif
