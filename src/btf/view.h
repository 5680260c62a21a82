/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the room: the view itself, and what is known of each kind of type (kinds.def). */
#ifndef SKEP_BTF_VIEW_H
#define SKEP_BTF_VIEW_H

#include "base/arena.h"
#include "btf/btf.h"

/* Linux's errno that user space's headers lack. */
#define ENOTSUPP 524

struct btf_view {
	struct arena arena; /* owns all below */
	const u8 *data;	    /* the blob as given */
	size_t size;
	struct btf_header header; /* fields that the blob's header lacks are 0 */
	const u8 *types;	  /* type section, aligned */
	const char *strings;	  /* header.str_len bytes, the last one is 0 */
	u32 *offsets;		  /* of type id in `types`; [0] is unused */
	u32 count;		  /* ids are 1 .. count */
	u32 *by_name;		  /* hash table of ids with a name; see names.c */
	u32 name_bits;		  /* it has 2^name_bits places */
	u32 *tags;		  /* ids of declaration tags */
	u32 tag_count;
};

enum kind_flags {
	KIND_SIZED = 1 << 0,
	KIND_NO_SIZE = 1 << 1,
	KIND_MODIFIER = 1 << 2,
	KIND_FOLLOWED = 1 << 3,
	KIND_SOURCE = 1 << 4,
	KIND_TAGGABLE = 1 << 5,
	KIND_NO_KIND_FLAG = 1 << 6,
	KIND_NO_VLEN = 1 << 7,
};

struct kind_row {
	const char *text;
	u8 fixed, each; /* bytes behind the type: at all, and per element of vlen */
	u8 flags;	/* enum kind_flags */
};

/* Makes by_name and tags, once the types are indexed. 0 or -ENOMEM. */
int names_index(struct btf_view *btf);

extern const struct kind_row kind_rows[NR_BTF_KINDS];

/* `type` NULL (no such id) and void have NO_SIZE. */
static inline bool kind_has(const struct btf_type *type, enum kind_flags flag)
{
	return type && (kind_rows[btf_kind(type)].flags & flag);
}

static inline bool kind_is_composite(const struct btf_type *type)
{
	return btf_kind(type) == BTF_KIND_STRUCT || btf_kind(type) == BTF_KIND_UNION;
}

#endif
