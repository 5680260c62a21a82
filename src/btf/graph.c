// SPDX-License-Identifier: BSD-2-Clause
/*
 * The graph of types: every reference leads to a type that may stand there, everything that
 * needs a size has one, members lie inside their structure, and nothing contains itself.
 *
 * A walk starts at each type that was not reached yet. It goes at most CHECK_DEPTH_MAX types
 * deep, so it recurses. What it must not follow depends on where it started (enum walk): a
 * structure ends at pointers, a pointer ends at structures.
 */
#include "btf/check.h"

static int follow(struct check *check, u32 id);

static bool has_no_size(const struct btf_type *type)
{
	return !type || kind_has(type, KIND_NO_SIZE);
}

static bool ends_walk(const struct check *check, const struct btf_type *type)
{
	u32 kind = btf_kind(type);

	switch (check->walk) {
	case WALK_UNDECIDED: return !kind_has(type, KIND_FOLLOWED);
	case WALK_POINTER: return !kind_has(type, KIND_MODIFIER) && kind != BTF_KIND_PTR;
	case WALK_AGGREGATE:
		return !kind_has(type, KIND_MODIFIER) && kind != BTF_KIND_ARRAY &&
		       !kind_is_composite(type);
	}
	return false;
}

static int follow_unless_done(struct check *check, u32 id)
{
	const struct btf_type *type = btf_type(check->btf, id);

	if (ends_walk(check, type) || check->visits[id] == VISIT_DONE)
		return 0;
	return follow(check, id);
}

const struct btf_type *check_sized(const struct check *check, u32 *id, u32 *size)
{
	const struct btf_type *type = btf_type(check->btf, *id);
	u32 target = *id;

	if (has_no_size(type))
		return NULL;
	if (kind_has(type, KIND_MODIFIER) || btf_kind(type) == BTF_KIND_VAR) {
		target = check->resolved[target];
		type = btf_type(check->btf, target);
		if (has_no_size(type))
			return NULL;
	}
	if (kind_has(type, KIND_SIZED))
		*size = type->size;
	else if (btf_kind(type) == BTF_KIND_ARRAY)
		*size = check->array_size[target];
	else if (btf_kind(type) == BTF_KIND_PTR)
		*size = sizeof(void *);
	else
		return NULL;
	*id = target;
	return type;
}

/* A walk that began at a structure left pointers behind modifiers alone: go on from there. */
static int follow_pointer_behind(struct check *check, u32 id)
{
	const struct btf_type *type = btf_type(check->btf, id);

	if (!kind_has(type, KIND_MODIFIER))
		return 0;
	id = check->resolved[id];
	type = btf_type(check->btf, id);
	return btf_kind(type) == BTF_KIND_PTR ? follow_unless_done(check, id) : 0;
}

/* Void, a forward declaration and a function prototype have no size but may be pointed to. */
static bool may_be_referred(const struct btf_type *type)
{
	u32 kind = btf_kind(type);

	return kind == BTF_KIND_UNKN || kind == BTF_KIND_FWD || kind == BTF_KIND_FUNC_PROTO;
}

/* Pointers, modifiers and variables: a single reference to another type. */
static int follow_reference(struct check *check, const struct btf_type *type, u32 id)
{
	const struct btf_type *next = btf_type(check->btf, type->type);
	u32 target = type->type, size, kind = btf_kind(type);
	int err;

	if (!next || kind_has(next, KIND_SOURCE))
		return check_fail_type(check, type, -EINVAL, "Invalid type_id");
	err = follow_unless_done(check, target);
	if (!err && !kind_has(type, KIND_MODIFIER))
		err = follow_pointer_behind(check, target);
	if (err)
		return err;
	if (!check_sized(check, &target, &size)) {
		if (check->visits[target] == VISIT_DONE) {
			target = check->resolved[target];
			next = btf_type(check->btf, target);
		}
		if (kind == BTF_KIND_VAR || !next || !may_be_referred(next))
			return check_fail_type(check, type, -EINVAL, "Invalid type_id");
	}
	check->resolved[id] = target;
	return 0;
}

static int follow_array_index(struct check *check, const struct btf_type *type)
{
	u32 id = btf_array(type)->index_type, size;
	const struct btf_type *index = btf_type(check->btf, id);
	int err;

	if (has_no_size(index) || kind_has(index, KIND_SOURCE))
		return check_fail_type(check, type, -EINVAL, "Invalid index");
	err = follow_unless_done(check, id);
	if (err)
		return err;
	index = check_sized(check, &id, &size);
	if (!index || btf_kind(index) != BTF_KIND_INT || !int_is_regular(index))
		return check_fail_type(check, type, -EINVAL, "Invalid index");
	return 0;
}

static int follow_array(struct check *check, const struct btf_type *type, u32 id)
{
	u32 element_id = btf_array(type)->type, count = btf_array(type)->nelems, size;
	const struct btf_type *element = btf_type(check->btf, element_id);
	int err = follow_array_index(check, type);

	if (err)
		return err;
	if (has_no_size(element) || kind_has(element, KIND_SOURCE))
		return check_fail_type(check, type, -EINVAL, "Invalid elem");
	err = follow_unless_done(check, element_id);
	if (err)
		return err;
	element = check_sized(check, &element_id, &size);
	if (!element)
		return check_fail_type(check, type, -EINVAL, "Invalid elem");
	if (btf_kind(element) == BTF_KIND_INT && !int_is_regular(element))
		return check_fail_type(check, type, -EINVAL, "Invalid array of int");
	if (count && size > UINT32_MAX / count)
		return check_fail_type(check, type, -EINVAL, "Array size overflows U32_MAX");
	check->resolved[id] = element_id;
	check->array_size[id] = size * count;
	return 0;
}

static int follow_composite(struct check *check, const struct btf_type *type)
{
	const struct btf_member *member = btf_members(type);
	int err;

	for (u32 i = 0; i < btf_vlen(type); i++) {
		const struct btf_type *target = btf_type(check->btf, member[i].type);

		if (has_no_size(target) || kind_has(target, KIND_SOURCE))
			return check_fail_member(check, type, &member[i], "Invalid member");
		err = follow_unless_done(check, member[i].type);
		if (!err)
			err = check_member(check, type, &member[i]);
		if (err)
			return err;
	}
	return 0;
}

static int follow_section(struct check *check, const struct btf_type *type)
{
	const struct btf_var_secinfo *var = btf_var_secinfos(type);

	for (u32 i = 0; i < btf_vlen(type); i++) {
		const struct btf_type *target = btf_type(check->btf, var[i].type);
		u32 id, size;
		int err;

		if (!target || btf_kind(target) != BTF_KIND_VAR)
			return check_fail_var(check, type, &var[i], "Not a VAR kind member");
		err = follow_unless_done(check, var[i].type);
		if (err)
			return err;
		id = target->type;
		if (!check_sized(check, &id, &size))
			return check_fail_var(check, type, &var[i], "Invalid type");
		if (var[i].size < size)
			return check_fail_var(check, type, &var[i], "Invalid size");
	}
	return 0;
}

static int follow_func(struct check *check, const struct btf_type *type, u32 id)
{
	const struct btf_type *proto = btf_type(check->btf, type->type);
	const struct btf_param *param;

	if (!proto || btf_kind(proto) != BTF_KIND_FUNC_PROTO)
		return check_fail_type(check, type, -EINVAL, "Invalid type_id");
	param = btf_params(proto);
	for (u32 i = 0; i < btf_vlen(proto); i++)
		if (!param[i].name_off && param[i].type)
			return check_fail_type(check, type, -EINVAL, "Invalid arg#%u", i + 1);
	check->resolved[id] = type->type;
	return 0;
}

static int follow_decl_tag(struct check *check, const struct btf_type *type, u32 id)
{
	const struct btf_type *target = btf_type(check->btf, type->type);
	s32 component = ((const struct btf_decl_tag *)btf_extra(type))->component_idx;
	u32 count = 0;
	int err;

	if (!kind_has(target, KIND_TAGGABLE))
		return check_fail_type(check, type, -EINVAL, "Invalid type_id");
	err = follow_unless_done(check, type->type);
	if (err)
		return err;
	if (kind_is_composite(target))
		count = btf_vlen(target);
	else if (btf_kind(target) == BTF_KIND_FUNC)
		count = btf_vlen(btf_type(check->btf, target->type));
	if (component != -1 && (u32)component >= count)
		return check_fail_type(check, type, -EINVAL, "Invalid component_idx");
	check->resolved[id] = type->type;
	return 0;
}

static int follow_kind(struct check *check, const struct btf_type *type, u32 id)
{
	switch (btf_kind(type)) {
	case BTF_KIND_ARRAY: return follow_array(check, type, id);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: return follow_composite(check, type);
	case BTF_KIND_DATASEC: return follow_section(check, type);
	case BTF_KIND_FUNC: return follow_func(check, type, id);
	case BTF_KIND_DECL_TAG: return follow_decl_tag(check, type, id);
	default: return follow_reference(check, type, id);
	}
}

static int follow(struct check *check, u32 id)
{
	const struct btf_type *type = btf_type(check->btf, id);
	u32 outer = check->type_id;
	int err;

	if (check->depth == CHECK_DEPTH_MAX)
		return -E2BIG;
	if (check->visits[id] != VISIT_NONE)
		return -EEXIST;
	check->visits[id] = VISIT_UNDER_WAY;
	if (check->walk == WALK_UNDECIDED && btf_kind(type) == BTF_KIND_PTR)
		check->walk = WALK_POINTER;
	else if (check->walk == WALK_UNDECIDED &&
		 (kind_is_composite(type) || btf_kind(type) == BTF_KIND_ARRAY))
		check->walk = WALK_AGGREGATE;
	check->type_id = id;
	check->depth++;
	err = follow_kind(check, type, id);
	check->depth--;
	check->type_id = outer;
	if (!err)
		check->visits[id] = VISIT_DONE;
	return err;
}

/* What a reference must have led to when the walk is over. */
static bool is_resolved(const struct check *check, const struct btf_type *type, u32 id)
{
	const struct btf_type *target = btf_type(check->btf, check->resolved[id]);

	if (!kind_has(type, KIND_MODIFIER) && btf_kind(type) != BTF_KIND_PTR &&
	    btf_kind(type) != BTF_KIND_VAR)
		return true;
	return target && !kind_has(target, KIND_MODIFIER) && btf_kind(target) != BTF_KIND_VAR &&
	       btf_kind(target) != BTF_KIND_DATASEC;
}

static int walk_from(struct check *check, u32 id)
{
	const struct btf_type *type = btf_type(check->btf, id);
	int err;

	if (!kind_has(type, KIND_FOLLOWED) || check->visits[id] == VISIT_DONE)
		return 0;
	check->walk = WALK_UNDECIDED;
	err = follow(check, id);
	check->type_id = id;
	if (err == -E2BIG)
		return check_fail_type(check, type, err, "Exceeded max resolving depth:%u",
				       CHECK_DEPTH_MAX);
	if (err == -EEXIST)
		return check_fail_type(check, type, err, "Loop detected");
	if (!err && !is_resolved(check, type, id))
		return check_fail_type(check, type, -EINVAL, "Invalid resolve state");
	return err;
}

static bool may_be_passed(const struct check *check, u32 id)
{
	const struct btf_type *type = btf_type(check->btf, id);

	return type && !kind_has(type, KIND_SOURCE);
}

static int check_param(struct check *check, const struct btf_type *type, u32 index)
{
	const struct btf_param *param = &btf_params(type)[index];
	u32 id = param->type, proto_id = check->type_id, size;
	int err;

	if (!may_be_passed(check, id) ||
	    (param->name_off && (!name_in_range(check, param->name_off) ||
				 !name_is_identifier(check, param->name_off))))
		return check_fail_type(check, type, -EINVAL, "Invalid arg#%u", index + 1);
	err = walk_from(check, id);
	check->type_id = proto_id;
	if (err)
		return err;
	if (!check_sized(check, &id, &size))
		return check_fail_type(check, type, -EINVAL, "Invalid arg#%u", index + 1);
	return 0;
}

static int check_func_proto(struct check *check, const struct btf_type *type)
{
	const struct btf_param *param = btf_params(type);
	u32 id = type->type, proto_id = check->type_id, count = btf_vlen(type), size;
	int err = 0;

	if (id) {
		if (!may_be_passed(check, id))
			return check_fail_type(check, type, -EINVAL, "Invalid return type");
		err = walk_from(check, id);
		check->type_id = proto_id;
		if (err)
			return err;
		if (!check_sized(check, &id, &size))
			return check_fail_type(check, type, -EINVAL, "Invalid return type");
	}
	if (count && !param[count - 1].type) {
		if (param[count - 1].name_off)
			return check_fail_type(check, type, -EINVAL, "Invalid arg#%u", count);
		count--;
	}
	for (u32 i = 0; !err && i < count; i++)
		err = check_param(check, type, i);
	return err;
}

int check_graph(struct check *check)
{
	int err = 0;

	check->in_graph = true;
	for (u32 id = 1; !err && id <= btf_type_count(check->btf); id++) {
		const struct btf_type *type = btf_type(check->btf, id);

		check->type_id = id;
		err = walk_from(check, id);
		check->type_id = id;
		if (!err && btf_kind(type) == BTF_KIND_FUNC_PROTO)
			err = check_func_proto(check, type);
	}
	return err;
}

/* Type tags come before all other modifiers. Chains that were looked at end the search. */
static int check_chain(struct check *check, u32 start)
{
	const struct btf_type *type = btf_type(check->btf, start);
	bool in_tags = btf_kind(type) == BTF_KIND_TYPE_TAG;
	u32 id = start;

	for (u32 length = 0; kind_has(type, KIND_MODIFIER); length++) {
		bool is_tag = btf_kind(type) == BTF_KIND_TYPE_TAG;

		if (length == CHECK_DEPTH_MAX)
			return check_fail(check, -ELOOP, "Max chain length or cycle detected");
		if (is_tag && !in_tags)
			return check_fail(check, -EINVAL, "Type tags don't precede modifiers");
		in_tags = is_tag;
		if (id < start)
			break;
		id = type->type;
		type = btf_type(check->btf, id);
		if (!type)
			return check_fail(check, -EINVAL, "Invalid type_id");
	}
	return 0;
}

int check_modifier_chains(struct check *check)
{
	int err = 0;

	for (u32 id = 1; !err && id <= btf_type_count(check->btf); id++)
		err = check_chain(check, id);
	return err;
}
