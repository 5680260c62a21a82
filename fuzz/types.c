/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz/types.h"

#include <bpf/btf.h>
#include <stdlib.h>
#include <string.h>

/* Whether every type got the id that the enum gives it. */
static bool add_types(struct btf *btf)
{
	bool ok = true;

#define MEMBER(text, type, offset) \
	ok &= !btf__add_field(btf, text, FUZZ_##type, 8 * (offset), 0);
#define PARAM(text, type) ok &= !btf__add_func_param(btf, text, FUZZ_##type);
#define INT(name, text, bytes, encoding) \
	ok &= btf__add_int(btf, text, bytes, encoding) == FUZZ_##name;
#define STRUCT(name, text, bytes, members)                      \
	ok &= btf__add_struct(btf, text, bytes) == FUZZ_##name; \
	members
#define POINTER(name, to)   ok &= btf__add_ptr(btf, FUZZ_##to) == FUZZ_##name;
#define TAG(name, text, to) ok &= btf__add_type_tag(btf, text, FUZZ_##to) == FUZZ_##name;
#define CONTAINS(name, text, of, member) \
	ok &= btf__add_decl_tag(btf, text, FUZZ_##of, member) == FUZZ_##name;
#define FUNC(name, text, linkage, params)                              \
	ok &= btf__add_func_proto(btf, FUZZ_INT) == FUZZ_PROTO_##name; \
	params ok &= btf__add_func(btf, text, linkage, FUZZ_PROTO_##name) == FUZZ_##name;
#include "fuzz/types.def"
	return ok;
}

void *fuzz_types(u32 *size)
{
	struct btf *btf = btf__new_empty();
	const void *raw = btf && add_types(btf) ? btf__raw_data(btf, size) : NULL;
	void *copy = raw ? malloc(*size) : NULL;

	if (copy)
		memcpy(copy, raw, *size);
	btf__free(btf);
	return copy;
}
