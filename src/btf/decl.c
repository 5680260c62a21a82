// SPDX-License-Identifier: BSD-2-Clause
/*
 * The name of a type as C writes it. C reads a declarator from the inside: next to the name
 * stands what the type is first of all, the base type stands far out on the left. Walking from
 * the type to its base therefore adds to both sides of the name: pointers on the left, arrays
 * and parameters on the right, parentheses where a pointer is to one of those.
 */
#include "btf/view.h"

#define POINTERS_MAX 32
#define TEXT_MAX     4096 /* parameters that have parameters grow without limit */

struct declarator {
	char left[2 * POINTERS_MAX]; /* from the name outwards */
	u32 left_count;
	struct strbuf right;
};

static void print_decl(const struct btf_view *btf, u32 id, const char *name, size_t text_end,
		       struct strbuf *out);

static u32 strip_qualifiers(const struct btf_view *btf, u32 id)
{
	const struct btf_type *type = btf_type(btf, id);

	while (kind_has(type, KIND_MODIFIER) && btf_kind(type) != BTF_KIND_TYPEDEF) {
		id = type->type;
		type = btf_type(btf, id);
	}
	return id;
}

static void print_params(const struct btf_view *btf, const struct btf_type *proto,
			 size_t text_end, struct strbuf *out)
{
	const struct btf_param *param = btf_params(proto);
	u32 count = btf_vlen(proto);

	strbuf_adds(out, count ? "(" : "(void");
	for (u32 i = 0; i < count; i++) {
		strbuf_adds(out, i ? ", " : "");
		if (!param[i].type || out->length > text_end) {
			strbuf_adds(out, "...");
			break;
		}
		print_decl(btf, param[i].type, btf_string(btf, param[i].name_off), text_end,
			   out);
	}
	strbuf_addc(out, ')');
}

static void print_base(const struct btf_view *btf, u32 id, struct strbuf *out)
{
	const struct btf_type *type = btf_type(btf, id);
	const char *name = btf_type_name(btf, id), *word = "";

	switch (btf_kind(type)) {
	case BTF_KIND_UNKN: word = "void"; break;
	case BTF_KIND_STRUCT: word = "struct"; break;
	case BTF_KIND_UNION: word = "union"; break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64: word = "enum"; break;
	case BTF_KIND_FWD: word = btf_kind_flag(type) ? "union" : "struct"; break;
	default: break;
	}
	strbuf_addf(out, "%s%s%s", word, *word && *name ? " " : "", name);
}

static void add_pointer(const struct btf_view *btf, const struct btf_type *pointer,
			struct declarator *to)
{
	const struct btf_type *target = btf_type(btf, strip_qualifiers(btf, pointer->type));
	u32 kind = btf_kind(target);

	to->left[to->left_count++] = '*';
	if (kind != BTF_KIND_ARRAY && kind != BTF_KIND_FUNC_PROTO)
		return;
	to->left[to->left_count++] = '(';
	strbuf_addc(&to->right, ')');
}

/* Walks from the type to its base, which it returns. */
static u32 build_declarator(const struct btf_view *btf, u32 id, size_t text_end,
			    struct declarator *to)
{
	while (to->left_count + 2 <= sizeof(to->left)) {
		const struct btf_type *type;

		id = strip_qualifiers(btf, id);
		type = btf_type(btf, id);
		if (btf_kind(type) == BTF_KIND_PTR) {
			add_pointer(btf, type, to);
			id = type->type;
		} else if (btf_kind(type) == BTF_KIND_ARRAY && to->right.length < TEXT_MAX) {
			strbuf_addf(&to->right, "[%u]", btf_array(type)->nelems);
			id = btf_array(type)->type;
		} else if (btf_kind(type) == BTF_KIND_FUNC_PROTO) {
			print_params(btf, type, text_end, &to->right);
			id = type->type;
		} else {
			return id;
		}
	}
	return 0;
}

static void print_decl(const struct btf_view *btf, u32 id, const char *name, size_t text_end,
		       struct strbuf *out)
{
	struct declarator declarator = {};

	print_base(btf, build_declarator(btf, id, text_end, &declarator), out);
	if (declarator.left_count || *name)
		strbuf_addc(out, ' ');
	for (u32 i = declarator.left_count; i-- > 0;)
		strbuf_addc(out, declarator.left[i]);
	strbuf_addf(out, "%s%s", name, strbuf_text(&declarator.right));
	strbuf_done(&declarator.right);
}

void btf_print_type(const struct btf_view *btf, u32 type_id, struct strbuf *out)
{
	if (btf_type(btf, type_id))
		print_decl(btf, type_id, "", TEXT_MAX, out);
}
