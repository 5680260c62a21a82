// SPDX-License-Identifier: BSD-2-Clause
/* Types by name: a table with open addressing. Of several types of one name and kind the first
 * is in it, so that a blob full of one name makes no long chains. */
#include "btf/view.h"

#include <errno.h>
#include <string.h>

static u32 hash(const char *name)
{
	u32 value = 2166136261u;

	for (; *name; name++)
		value = (value ^ (u8)*name) * 16777619u;
	return value ^ value >> 16;
}

/* Where the id of the type stands, or would stand (and 0 does). */
static u32 *find_place(const struct btf_view *btf, const char *name, u32 kind)
{
	u32 mask = (1u << btf->name_bits) - 1, place = hash(name) & mask, id;

	for (; (id = btf->by_name[place]); place = (place + 1) & mask)
		if (btf_kind(btf_type(btf, id)) == kind &&
		    !strcmp(btf_type_name(btf, id), name))
			break;
	return &btf->by_name[place];
}

static u32 count_tags(const struct btf_view *btf)
{
	u32 count = 0;

	for (u32 id = 1; id <= btf->count; id++)
		count += btf_kind(btf_type(btf, id)) == BTF_KIND_DECL_TAG;
	return count;
}

static int tags_index(struct btf_view *btf)
{
	btf->tags = arena_array(&btf->arena, count_tags(btf) + 1, sizeof(*btf->tags));
	if (!btf->tags)
		return -ENOMEM;
	for (u32 id = 1; id <= btf->count; id++)
		if (btf_kind(btf_type(btf, id)) == BTF_KIND_DECL_TAG)
			btf->tags[btf->tag_count++] = id;
	return 0;
}

int names_index(struct btf_view *btf)
{
	btf->name_bits = 1;
	while ((1u << btf->name_bits) < 2 * (btf->count + 1))
		btf->name_bits++;
	btf->by_name = arena_array(&btf->arena, 1u << btf->name_bits, sizeof(*btf->by_name));
	if (!btf->by_name)
		return -ENOMEM;
	for (u32 id = 1; id <= btf->count; id++) {
		const char *name = btf_type_name(btf, id);
		u32 *place = find_place(btf, name, btf_kind(btf_type(btf, id)));

		if (*name && !*place)
			*place = id;
	}
	return tags_index(btf);
}

u32 btf_find(const struct btf_view *btf, const char *name, u32 kind)
{
	return *find_place(btf, name, kind);
}

bool btf_has_tag(const struct btf_view *btf, u32 id, const char *name)
{
	for (u32 i = 0; i < btf->tag_count; i++) {
		const struct btf_type *tag = btf_type(btf, btf->tags[i]);

		if (tag->type == id && !strcmp(btf_string(btf, tag->name_off), name))
			return true;
	}
	return false;
}
