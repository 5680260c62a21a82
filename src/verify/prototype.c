/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/prototype.h"

#include "btf/btf.h"
#include "verify/btf_info.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	u32 tag;
} tag_rows[] = {
	{"ctx", TAG_CONTEXT},	  {"trusted", TAG_TRUSTED},   {"untrusted", TAG_UNTRUSTED},
	{"nonnull", TAG_NONNULL}, {"nullable", TAG_NULLABLE}, {"arena", TAG_ARENA},
};

#define TAG_PREFIX "arg:"

/* One argument that is being looked at. */
struct lookup {
	struct walk *walk;
	const struct btf_view *btf;
	u32 func; /* id of the BTF function */
	const char *func_name;
	u32 index;
	u32 tags; /* enum param_tag */
	u32 type; /* its type behind modifiers */
};

/* --- tags --- */

static bool add_tag(const char *name, u32 *tags)
{
	for (u32 i = 0; i < ARRAY_SIZE(tag_rows); i++) {
		if (strcmp(tag_rows[i].name, name))
			continue;
		*tags |= tag_rows[i].tag;
		return true;
	}
	return false;
}

int param_tags(const struct btf_view *btf, u32 func, u32 index, u32 *out)
{
	u32 count = btf_type_count(btf), tags = 0;

	for (u32 id = func + 1; id <= count; id++) {
		const struct btf_type *type = btf_type(btf, id);
		const struct btf_decl_tag *tag = btf_extra(type);
		const char *name = btf_type_name(btf, id);

		if (btf_kind(type) != BTF_KIND_DECL_TAG || type->type != func ||
		    tag->component_idx != (s32)index ||
		    strncmp(name, TAG_PREFIX, strlen(TAG_PREFIX)))
			continue;
		if (!add_tag(name + strlen(TAG_PREFIX), &tags))
			return -EOPNOTSUPP;
	}
	*out = tags;
	return 0;
}

static bool has_others(const struct lookup *look, u32 tags)
{
	return look->tags & ~tags;
}

/* --- pointers --- */

static u32 target_of(const struct lookup *look)
{
	return btf_resolve(look->btf, btf_type(look->btf, look->type)->type);
}

static const char *kind_of(const struct lookup *look, u32 id)
{
	return id ? btf_kind_text(btf_kind(btf_type(look->btf, id))) : "UNKNOWN";
}

/* A "___flavour" of a type's name does not count. */
static size_t essential_length(const char *name)
{
	const char *flavour = strstr(name + (*name != 0), "___");

	return flavour ? (size_t)(flavour - name) : strlen(name);
}

/* The kernel's type of the same kind and name. */
static int find_kernel_type(struct lookup *look, struct param *out)
{
	const struct btf_view *kernel = walk_kernel(look->walk);
	u32 target = target_of(look);
	const char *full = btf_type_name(look->btf, target), *kind = kind_of(look, target);
	char name[128];

	snprintf(name, sizeof(name), "%.*s", (int)essential_length(full), full);
	if (!*full)
		return reject(look->walk, param_kernel_type_error, look->index, kind, "(anon)",
			      -EINVAL);
	if (kernel)
		out->type_id = btf_find(kernel, name, btf_kind(btf_type(look->btf, target)));
	if (!out->type_id)
		return reject(look->walk, param_kernel_type, look->index, kind, full);
	return 0;
}

static int set_trusted(struct lookup *look, struct param *out)
{
	if (has_others(look, TAG_TRUSTED | TAG_NULLABLE))
		return reject(look->walk, param_tags, look->index);
	out->kind = PARAM_OBJECT;
	out->flags = REG_TRUSTED | (look->tags & TAG_NULLABLE ? REG_MAY_BE_NULL : 0);
	return find_kernel_type(look, out);
}

static bool is_number(const struct btf_view *btf, u32 id)
{
	u32 kind = id ? btf_kind(btf_type(btf, id)) : BTF_KIND_UNKN;

	return kind == BTF_KIND_INT || kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64;
}

static int set_untrusted(struct lookup *look, struct param *out)
{
	u32 target = target_of(look), kind;
	int ret;

	if (has_others(look, TAG_UNTRUSTED))
		return reject(look->walk, param_untrusted_tags, look->index);
	if (!target || is_number(look->btf, target)) {
		out->kind = PARAM_ANYTHING;
		out->flags = REG_READ_ONLY | REG_UNTRUSTED;
		return 0;
	}
	ret = find_kernel_type(look, out);
	if (ret)
		return ret;
	kind = btf_kind(btf_type(look->btf, target));
	if (kind != BTF_KIND_STRUCT && kind != BTF_KIND_UNION)
		return reject(look->walk, param_untrusted_type, look->index,
			      kind_of(look, target), btf_type_name(look->btf, target));
	out->kind = PARAM_OBJECT;
	out->flags = REG_UNTRUSTED;
	return 0;
}

static int set_memory(struct lookup *look, struct param *out)
{
	u32 target = target_of(look);
	s64 size = target ? btf_size(look->btf, target) : -EINVAL;

	if (look->tags & TAG_NULLABLE)
		return reject(look->walk, param_tags, look->index);
	if (size < 0)
		return reject(look->walk, param_size, look->index, kind_of(look, target),
			      btf_type_name(look->btf, target), (int)size);
	out->kind = PARAM_MEMORY;
	out->flags = look->tags & TAG_NONNULL ? 0 : REG_MAY_BE_NULL;
	out->size = (u32)size;
	return 0;
}

static bool points_to_dynptr(const struct lookup *look)
{
	u32 target = target_of(look);

	return target && btf_kind(btf_type(look->btf, target)) == BTF_KIND_STRUCT &&
	       !strcmp(btf_type_name(look->btf, target), "bpf_dynptr");
}

static int set_context(struct lookup *look, struct param *out)
{
	if (has_others(look, TAG_CONTEXT))
		return reject(look->walk, param_tags, look->index);
	out->kind = PARAM_CONTEXT;
	return look->tags ? param_check_context(look->walk, look->index, look->type) : 0;
}

static int set_pointer(struct lookup *look, struct param *out)
{
	if (look->tags & TAG_CONTEXT || param_is_context(look->walk->row, look->btf, look->type))
		return set_context(look, out);
	if (points_to_dynptr(look)) {
		out->kind = PARAM_DYNPTR;
		return look->tags ? reject(look->walk, param_tags, look->index) : 0;
	}
	if (look->tags & TAG_TRUSTED)
		return set_trusted(look, out);
	if (look->tags & TAG_UNTRUSTED)
		return set_untrusted(look, out);
	if (look->tags & TAG_ARENA) {
		out->kind = PARAM_ARENA;
		return has_others(look, TAG_ARENA)
			       ? reject(look->walk, param_arena_tags, look->index)
			       : 0;
	}
	return set_memory(look, out);
}

/* --- the whole --- */

static int set_param(struct lookup *look, u32 type_id, struct param *out)
{
	const struct btf_type *type;

	if (param_tags(look->btf, look->func, look->index, &look->tags))
		return reject(look->walk, param_tags_unknown, look->index);
	look->type = btf_resolve(look->btf, type_id);
	type = btf_type(look->btf, look->type);
	if (type && btf_kind(type) == BTF_KIND_PTR)
		return set_pointer(look, out);
	if (look->tags)
		return reject(look->walk, param_tag_on_number, look->index);
	if (!is_number(look->btf, look->type))
		return reject(look->walk, param_unsupported, look->index,
			      kind_of(look, look->type), look->func_name);
	out->kind = PARAM_SCALAR;
	return 0;
}

static int build(struct walk *walk, u32 func, struct prototype *out)
{
	const struct btf_view *btf = walk->input->btf;
	const struct btf_type *proto = btf_type(btf, btf_type(btf, func)->type);
	const struct btf_param *params = btf_params(proto);
	const char *name = btf_type_name(btf, func);

	out->param_cnt = btf_vlen(proto);
	if (out->param_cnt > PARAMS_MAX)
		return reject(walk, too_many_params, name, out->param_cnt, PARAMS_MAX);
	if (!is_number(btf, btf_resolve(btf, proto->type)))
		return reject(walk, result_type, name);
	for (u32 i = 0; i < out->param_cnt; i++) {
		struct lookup look = {
			.walk = walk, .btf = btf, .func = func, .func_name = name, .index = i};
		int ret = set_param(&look, params[i].type, &out->params[i]);

		if (ret)
			return ret;
	}
	return 0;
}

int prototype_of(struct walk *walk, u32 subprog, const struct prototype **out)
{
	struct prototype *built = walk->prototypes[subprog];
	int ret;

	if (!built) {
		built = arena_alloc(&walk->scratch, sizeof(*built));
		if (!built)
			return -ENOMEM;
		memset(built, 0, sizeof(*built));
		ret = build(walk, btf_info_func(walk->input, subprog), built);
		if (ret)
			return ret;
		walk->prototypes[subprog] = built;
	}
	*out = built;
	return 0;
}
