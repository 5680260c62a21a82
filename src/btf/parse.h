/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values that people write, turned into bytes by their BTF type: map keys and values, globals.
 *
 *     number       7, -1, 0x1f, 'c', true, false, an enumerator's name
 *     struct       {1, 2}, {.port = 80, .protocol = 6}; what is not named is zero
 *     array        {1, 2, 3}, "text" for characters
 *     __be16/32/64 the number in the host's order; it is stored in network order
 *     address      10.0.0.1 for 4 bytes, 2001:db8::1 for 16, 02:00:00:00:00:01 for 6
 */
#ifndef SKEP_BTF_PARSE_H
#define SKEP_BTF_PARSE_H

#include "btf/btf.h"

/*
 * Fills `out` (all `size` bytes; the rest of a shorter value is zero) from the text at *text
 * and moves *text behind the value. 0 or -EINVAL with `err`: what was found, at which place,
 * what was expected.
 */
int btf_parse_value(const struct btf_view *btf, u32 type_id, const char **text, void *out,
		    size_t size, struct skep_error *err);

#endif
