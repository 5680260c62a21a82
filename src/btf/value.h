/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the room: a value in memory and its type, taken apart for the printers. The bytes of a
 * value may end anywhere: what lies outside is `missing`.
 */
#ifndef SKEP_BTF_VALUE_H
#define SKEP_BTF_VALUE_H

#include "btf/view.h"

#define VALUE_DEPTH_MAX 64 /* structures in structures, arrays in arrays */
/* Values looked at for each byte: unions of unions could make that grow without limit. */
#define VALUES_PER_BYTE 16

typedef unsigned __int128 u128;

struct value {
	const struct btf_view *btf;
	const char *name;	     /* of the member or variable, "" for others */
	u32 id;			     /* the type as it was declared */
	const struct btf_type *type; /* the same behind modifiers */
	const u8 *data, *end;
	u32 bit, bits; /* a bit field: first bit (0..7), width; bits 0: not a bit field */
	u32 depth;
	u32 *budget; /* shared by all parts */
};

struct value value_of(const struct btf_view *btf, u32 id, const void *data, size_t size,
		      u32 *budget);
struct value value_member(const struct value *parent, u32 index);
/* 0 also for elements without a size. */
u32 value_elements(const struct value *array);
struct value value_element(const struct value *parent, u32 index);
/* Variable `index` of a section; behind a variable its value. */
struct value value_section_var(const struct value *parent, u32 index);
struct value value_behind_var(const struct value *parent);

/* Bytes of the type; 0 when it has none. */
u32 value_size(const struct value *value);
/* Whether it cannot be shown: bytes lie outside, or there is too much of it. Once per value. */
bool value_is_missing(const struct value *value);
/* Integer, enumeration, pointer or bit field; not extended. */
u128 value_raw(const struct value *value, u32 *bits);
u64 value_u64(const struct value *value);
s64 value_s64(const struct value *value); /* sign extended */
bool value_is_signed(const struct value *value);
/* The name of the enumerator, NULL when no one has this value. */
const char *value_enumerator(const struct value *value);
double value_double(const struct value *value);

#endif
