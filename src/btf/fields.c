// SPDX-License-Identifier: BSD-2-Clause
/*
 * Special fields are searched through nested structures and arrays, in the order of members.
 * A search returns how many it wrote behind `out`, or a negative errno.
 */
#include "btf/fields.h"

#include "btf/check.h"
#include "btf/field_rows.h"

#include <string.h>

#define FIELD(name, field_text, field_size, field_align, field_flags) \
	[BTF_FIELD_##name] = {field_text, field_size, field_align, field_flags},
#define UNIQUE	FIELD_UNIQUE
#define REPEATS FIELD_REPEATS
#define OBJECT	FIELD_OBJECT
#define POINTER FIELD_POINTER
const struct field_row field_rows[BTF_FIELD_KINDS] = {
#include "btf/fields.def"
};
#undef FIELD
#undef UNIQUE
#undef REPEATS
#undef OBJECT
#undef POINTER

#define CONTAINS "contains:" /* declaration tag: contains:STRUCT:MEMBER */

struct search {
	const struct btf_view *btf;
	u32 kinds; /* wanted */
	u32 level;
};

/* Where a field stands: member `index` of `owner`, or a variable (index -1, owner: the VAR). */
struct spot {
	u32 owner;
	int index;
	u32 offset;
	u32 size; /* of the variable; 0: a member */
	u32 *seen;
};

static int find_in_struct(struct search *search, u32 id, struct btf_field *out, u32 room);

static bool is_struct(const struct btf_type *type)
{
	return btf_kind(type) == BTF_KIND_STRUCT;
}

/* The kind whose name `name` is, among those with (or without) FIELD_POINTER; KINDS: none. */
static enum btf_field_kind kind_by_name(const char *name, bool pointer)
{
	enum btf_field_kind kind;

	for (kind = 0; kind < BTF_FIELD_KINDS; kind++)
		if (pointer == !!(field_rows[kind].flags & FIELD_POINTER) &&
		    !strcmp(field_rows[kind].text, name))
			break;
	return kind;
}

/* A pointer to a tagged structure: 1 and `out`, 0 when it is none, -EINVAL for a bad tag. */
static int find_pointer(const struct search *search, u32 id, struct btf_field *out)
{
	const struct btf_view *btf = search->btf;
	const struct btf_type *type = btf_type(btf, id), *tag, *behind;
	enum btf_field_kind kind;

	if (btf_kind(type) == BTF_KIND_VOLATILE)
		type = btf_type(btf, type->type);
	if (btf_kind(type) != BTF_KIND_PTR)
		return 0;
	tag = btf_type(btf, type->type);
	if (btf_kind(tag) != BTF_KIND_TYPE_TAG || btf_kind_flag(tag))
		return 0;
	kind = kind_by_name(btf_string(btf, tag->name_off), true);
	behind = btf_type(btf, tag->type);
	if (btf_kind(behind) == BTF_KIND_TYPE_TAG || kind == BTF_FIELD_KINDS)
		return -EINVAL;
	if (!(search->kinds & BTF_FIELD_BIT(kind)))
		return 0;
	*out = (struct btf_field){.kind = kind, .type_id = btf_resolve(btf, tag->type)};
	return is_struct(btf_type(btf, out->type_id)) ? 1 : -EINVAL;
}

/* What the one tag "contains:..." of the spot says, NULL when there is none or several. */
static const char *find_contains_tag(const struct btf_view *btf, const struct spot *spot)
{
	const char *found = NULL;

	for (u32 id = 1; id <= btf_type_count(btf); id++) {
		const struct btf_type *type = btf_type(btf, id);
		const char *text = btf_string(btf, type->name_off);

		if (btf_kind(type) != BTF_KIND_DECL_TAG || type->type != spot->owner ||
		    *(const s32 *)btf_extra(type) != spot->index ||
		    strncmp(text, CONTAINS, strlen(CONTAINS)))
			continue;
		if (found)
			return NULL;
		found = text + strlen(CONTAINS);
	}
	return found;
}

static u32 find_struct(const struct btf_view *btf, const char *name, size_t length)
{
	for (u32 id = 1; id <= btf_type_count(btf); id++) {
		const char *own = btf_type_name(btf, id);

		if (is_struct(btf_type(btf, id)) && !strncmp(own, name, length) && !own[length])
			return id;
	}
	return 0;
}

/* The structure and the member that a list or tree contains. */
static int find_contained(const struct btf_view *btf, const struct spot *spot,
			  struct btf_field *out)
{
	const char *text = find_contains_tag(btf, spot),
		   *colon = text ? strchr(text, ':') : NULL;

	if (!colon)
		return -EINVAL;
	out->type_id = find_struct(btf, text, colon - text);
	if (!out->type_id)
		return -ENOENT;
	out->node_name = colon + 1;
	return *out->node_name ? 1 : -EINVAL;
}

/* `count` fields at `out` belong to the first element of an array of `elements`. */
static int repeat_fields(struct btf_field *out, u32 room, u32 count, u32 elements, u32 stride)
{
	for (u32 i = 0; i < count; i++)
		if (!(field_rows[out[i].kind].flags & FIELD_REPEATS))
			return -EINVAL;
	if ((u64)count * elements > room)
		return -E2BIG;
	for (u32 i = count; i < count * elements; i++) {
		out[i] = out[i - count];
		out[i].offset += stride;
	}
	return count * elements;
}

static int find_nested(struct search *search, u32 id, const struct spot *spot, u32 elements,
		       struct btf_field *out, u32 room)
{
	int count;

	if (search->level + 1 >= CHECK_DEPTH_MAX)
		return -E2BIG;
	search->level++;
	count = find_in_struct(search, id, out, room);
	search->level--;
	for (int i = 0; i < count; i++)
		out[i].offset += spot->offset;
	if (count <= 0 || elements == 1)
		return count;
	return repeat_fields(out, room, count, elements, btf_type(search->btf, id)->size);
}

/* A field of a kind that has its own structure. */
static int find_named(const struct search *search, u32 id, enum btf_field_kind kind,
		      const struct spot *spot, struct btf_field *out)
{
	const struct btf_type *type = btf_type(search->btf, id);

	if (!is_struct(type) || type->size != field_rows[kind].size)
		return 0;
	*out = (struct btf_field){.kind = kind};
	if (BTF_FIELD_BIT(kind) & LIST_OR_TREE)
		return find_contained(search->btf, spot, out);
	return 1;
}

/* The kind a field of this type would be; KPTR stands for every pointer. */
static enum btf_field_kind wanted_kind(const struct search *search, const struct btf_type *type)
{
	enum btf_field_kind kind = kind_by_name(btf_string(search->btf, type->name_off), false);
	u32 pointers = BTF_FIELD_BIT(BTF_FIELD_KPTR_UNTRUSTED) | BTF_FIELD_BIT(BTF_FIELD_KPTR) |
		       BTF_FIELD_BIT(BTF_FIELD_KPTR_PERCPU) | BTF_FIELD_BIT(BTF_FIELD_UPTR);

	if (kind < BTF_FIELD_KINDS && (search->kinds & BTF_FIELD_BIT(kind)))
		return kind;
	return (search->kinds & pointers) && !is_struct(type) ? BTF_FIELD_KPTR
							      : BTF_FIELD_KINDS;
}

/* The type of an array's elements, however many dimensions it has. */
static int strip_arrays(const struct btf_view *btf, u32 *id, u32 *elements)
{
	const struct btf_type *type = btf_type(btf, *id);
	u32 depth = 0;

	*elements = 1;
	for (; depth < CHECK_DEPTH_MAX && btf_kind(type) == BTF_KIND_ARRAY; depth++) {
		*elements *= btf_array(type)->nelems;
		*id = btf_array(type)->type;
		type = btf_type(btf, *id);
	}
	return depth == CHECK_DEPTH_MAX ? -E2BIG : 0;
}

static int find_at(struct search *search, u32 id, const struct spot *spot,
		   struct btf_field *out, u32 room)
{
	struct btf_field spare, *field = room ? out : &spare;
	const struct field_row *row;
	const struct btf_type *type;
	enum btf_field_kind kind;
	u32 elements;
	int found = strip_arrays(search->btf, &id, &elements);

	if (found || !elements)
		return found;
	type = btf_type(search->btf, id);
	kind = wanted_kind(search, type);
	if (kind == BTF_FIELD_KINDS) {
		if (!is_struct(type) || (spot->size && spot->size != type->size * elements))
			return 0;
		return find_nested(search, id, spot, elements, out, room);
	}
	row = &field_rows[kind];
	if ((row->flags & FIELD_UNIQUE) && (*spot->seen & BTF_FIELD_BIT(kind)))
		return -E2BIG;
	*spot->seen |= BTF_FIELD_BIT(kind);
	if ((spot->size && spot->size != row->size * elements) || spot->offset % row->align)
		return 0;
	found = row->flags & FIELD_POINTER ? find_pointer(search, id, field)
					   : find_named(search, id, kind, spot, field);
	if (found <= 0)
		return found;
	if (!room)
		return -E2BIG;
	field->offset = spot->offset;
	field->size = row->size;
	return elements > 1 ? repeat_fields(out, room, 1, elements, row->size) : 1;
}

static int find_in_struct(struct search *search, u32 id, struct btf_field *out, u32 room)
{
	const struct btf_type *type = btf_type(search->btf, id);
	const struct btf_member *member = btf_members(type);
	u32 count = 0, seen = 0;

	for (u32 i = 0; i < btf_vlen(type); i++) {
		u32 bits = btf_member_bit_offset(type, &member[i]);
		struct spot spot = {id, i, bits / 8, 0, &seen};
		int found;

		if (bits % 8)
			return -EINVAL;
		found = find_at(search, member[i].type, &spot, out + count, room - count);
		if (found < 0)
			return found;
		count += found;
	}
	return count;
}

static int find_in_section(struct search *search, u32 id, struct btf_field *out, u32 room)
{
	const struct btf_type *type = btf_type(search->btf, id);
	const struct btf_var_secinfo *var = btf_var_secinfos(type);
	u32 count = 0, seen = 0;

	for (u32 i = 0; i < btf_vlen(type); i++) {
		struct spot spot = {var[i].type, -1, var[i].offset, var[i].size, &seen};
		int found = find_at(search, btf_type(search->btf, var[i].type)->type, &spot,
				    out + count, room - count);

		if (found < 0)
			return found;
		count += found;
	}
	return count;
}

/* The node member of what a list or tree contains. */
static int find_node(const struct btf_view *btf, struct btf_field *field)
{
	const char *want = field->kind == BTF_FIELD_LIST_HEAD ? "bpf_list_node" : "bpf_rb_node";
	const struct btf_type *type = btf_type(btf, field->type_id), *node = NULL;
	const struct btf_member *member = btf_members(type);

	for (u32 i = 0; i < btf_vlen(type); i++) {
		u32 bits = btf_member_bit_offset(type, &member[i]);

		if (strcmp(btf_string(btf, member[i].name_off), field->node_name))
			continue;
		if (node)
			return -EINVAL;
		node = btf_type(btf, member[i].type);
		if (!is_struct(node) || strcmp(btf_string(btf, node->name_off), want) ||
		    bits % 64)
			return -EINVAL;
		field->node_offset = bits / 8;
	}
	return node ? 0 : -ENOENT;
}

/* An owned pointer is to a structure of the program: skep has no kernel structures with a
 * destructor, and Linux has none for those that it knows by name. */
static bool may_own(const struct btf_view *btf, const struct btf_field *field)
{
	return field->kind != BTF_FIELD_KPTR ||
	       kind_by_name(btf_type_name(btf, field->type_id), false) == BTF_FIELD_KINDS;
}

/* What must hold among the fields of one value. */
static int check_fields(const struct btf_view *btf, struct btf_fields *fields, u32 size)
{
	u32 next = 0;
	int err;

	for (u32 i = 0; i < fields->count; i++) {
		struct btf_field *field = &fields->field[i];

		field->btf = btf;
		if ((u64)field->offset + field->size > size)
			return -EFAULT;
		if (field->offset < next)
			return -EEXIST;
		next = field->offset + field->size;
		fields->kinds |= BTF_FIELD_BIT(field->kind);
		if (!may_own(btf, field))
			return -ENOENT;
		err = field->node_name ? find_node(btf, field) : 0;
		if (err)
			return err;
	}
	if ((fields->kinds & LOCKS) == LOCKS ||
	    ((fields->kinds & LIST_OR_TREE) && !(fields->kinds & LOCKS)) ||
	    ((fields->kinds & NODES) == NODES &&
	     !(fields->kinds & BTF_FIELD_BIT(BTF_FIELD_REFCOUNT))))
		return -EINVAL;
	return 0;
}

bool field_is_pointer(const struct btf_view *btf, u32 id, u32 kinds)
{
	struct search search = {.btf = btf, .kinds = kinds};
	struct btf_field field;

	return find_pointer(&search, id, &field) == 1;
}

int btf_find_fields(const struct btf_view *btf, u32 type_id, u32 kinds, struct btf_fields *out)
{
	const struct btf_type *type = btf_type(btf, type_id);
	struct search search = {.btf = btf, .kinds = kinds};
	struct btf_fields found = {};
	int count = -EINVAL, err;

	if (type && is_struct(type))
		count = find_in_struct(&search, type_id, found.field, BTF_FIELDS_MAX);
	else if (type && btf_kind(type) == BTF_KIND_DATASEC)
		count = find_in_section(&search, type_id, found.field, BTF_FIELDS_MAX);
	if (count < 0)
		return count;
	found.count = count;
	err = check_fields(btf, &found, type->size);
	if (!err)
		*out = found;
	return err;
}

const struct btf_field *btf_field_of_kind(const struct btf_fields *fields,
					  enum btf_field_kind kind)
{
	for (u32 i = 0; i < fields->count; i++)
		if (fields->field[i].kind == kind)
			return &fields->field[i];
	return NULL;
}

void btf_fields_bind(struct btf_fields *fields, const struct btf_view *kernel)
{
	for (u32 i = 0; kernel && i < fields->count; i++) {
		struct btf_field *field = &fields->field[i];
		u32 id = 0;

		if (field_rows[field->kind].flags & FIELD_POINTER && field->kind != BTF_FIELD_UPTR)
			id = btf_find(kernel, btf_type_name(field->btf, field->type_id),
				      BTF_KIND_STRUCT);
		if (!id)
			continue;
		field->btf = kernel;
		field->type_id = id;
	}
}

const struct btf_field *btf_field_at(const struct btf_fields *fields, u32 kinds, u32 offset)
{
	for (u32 i = 0; i < fields->count; i++)
		if (kinds >> fields->field[i].kind & 1 && fields->field[i].offset == offset)
			return &fields->field[i];
	return NULL;
}

const char *btf_field_text(enum btf_field_kind kind)
{
	return field_rows[kind].text;
}

bool btf_fields_equal(const struct btf_fields *a, const struct btf_fields *b)
{
	for (u32 i = 0; i < a->count && a->count == b->count; i++) {
		const struct btf_field *x = &a->field[i], *y = &b->field[i];

		if (x->kind != y->kind || x->offset != y->offset || x->size != y->size ||
		    x->type_id != y->type_id || x->node_offset != y->node_offset)
			return false;
	}
	return a->count == b->count;
}
