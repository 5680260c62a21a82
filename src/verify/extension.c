/* SPDX-License-Identifier: BSD-2-Clause */
/* The checks in Linux's order, which decides the message. */
#include "verify/extension.h"

#include "btf/btf.h"
#include "verify/attach.h"
#include "verify/btf_info.h"
#include "verify/prototype.h"

#include <errno.h>
#include <string.h>

/* One side of the comparison. */
struct side {
	const struct btf_view *btf;
	u32 func;
	const char *name;
	const struct btf_type *proto;
};

struct match {
	const struct report *to;
	const struct prog_row *row; /* of the target's type */
	struct side own, replaced;
};

static struct side side_of(const struct btf_view *btf, u32 func)
{
	return (struct side){.btf = btf,
			     .func = func,
			     .name = btf_type_name(btf, func),
			     .proto = btf_type(btf, btf_type(btf, func)->type)};
}

/* NULL: void. */
static const struct btf_type *resolved(const struct btf_view *btf, u32 id)
{
	u32 found = btf_resolve(btf, id);

	return found ? btf_type(btf, found) : NULL;
}

static u32 info_of(const struct btf_type *type)
{
	return type ? type->info : 0;
}

static const char *kind_text(const struct btf_type *type)
{
	return btf_kind_text(type ? btf_kind(type) : BTF_KIND_UNKN);
}

static bool is_struct(const struct btf_type *type)
{
	return type && (btf_kind(type) == BTF_KIND_STRUCT || btf_kind(type) == BTF_KIND_UNION);
}

static bool is_number(const struct btf_type *type)
{
	return type && (btf_kind(type) == BTF_KIND_INT || btf_kind(type) == BTF_KIND_ENUM ||
			btf_kind(type) == BTF_KIND_ENUM64);
}

static bool has_size(const struct btf_type *type)
{
	return is_number(type) || is_struct(type) ||
	       (type &&
		(btf_kind(type) == BTF_KIND_FLOAT || btf_kind(type) == BTF_KIND_DATASEC));
}

static u32 param_type(const struct side *side, u32 index)
{
	return btf_params(side->proto)[index].type;
}

/* --- what Linux does not compare --- */

/* The structure itself must be there, not just what stands for a context or an object. */
static bool is_memory(const struct match *match, u32 index, u32 tags)
{
	u32 pointer = btf_resolve(match->own.btf, param_type(&match->own, index));

	return !(tags & ~(u32)TAG_NONNULL) &&
	       !param_is_context(match->row, match->own.btf, pointer);
}

/* Callers gave what the replaced function promised: the extension must not rely upon more. */
static int match_promise(const struct match *match, u32 index, const struct btf_type *own,
			 const struct btf_type *replaced)
{
	const struct side *sides[] = {&match->own, &match->replaced};
	u32 tags[2] = {0};

	for (u32 i = 0; i < 2; i++)
		param_tags(sides[i]->btf, sides[i]->func, index, &tags[i]);
	if (tags[0] != tags[1] && (tags[0] || tags[1] != TAG_NONNULL))
		return report(match->to, 0, extension_tags, index, match->own.name,
			      match->replaced.name);
	if (btf_kind(own) != btf_kind(replaced))
		return report(match->to, 0, extension_arg_kind, index, match->own.name,
			      kind_text(own), match->replaced.name, kind_text(replaced));
	if (is_memory(match, index, tags[0]) && own->size != replaced->size)
		return report(match->to, 0, extension_arg_size, index, match->own.name,
			      own->size, match->replaced.name, replaced->size);
	return 0;
}

/* --- prototypes --- */

static int match_pointed(const struct match *match, u32 index, u32 own_id, u32 replaced_id)
{
	const struct btf_view *own_btf = match->own.btf, *btf = match->replaced.btf;
	const struct btf_type *own = resolved(own_btf, own_id);
	const struct btf_type *replaced = resolved(btf, replaced_id);
	const char *own_name, *name;

	if (!is_struct(own))
		return report(match->to, 0, extension_arg_context, index, match->own.name);
	if (!is_struct(replaced))
		return report(match->to, 0, extension_arg_context, index, match->replaced.name);
	own_name = btf_string(own_btf, own->name_off);
	name = btf_string(btf, replaced->name_off);
	if (strcmp(own_name, name))
		return report(match->to, 0, extension_arg_struct, index, match->own.name,
			      own_name, match->replaced.name, name);
	return match_promise(match, index, own, replaced);
}

static int match_param(const struct match *match, u32 index)
{
	const struct btf_type *own = resolved(match->own.btf, param_type(&match->own, index));
	const struct btf_type *replaced =
		resolved(match->replaced.btf, param_type(&match->replaced, index));

	if (info_of(own) != info_of(replaced))
		return report(match->to, 0, extension_arg_kind, index, match->own.name,
			      kind_text(own), match->replaced.name, kind_text(replaced));
	if (has_size(own) && own->size != replaced->size)
		return report(match->to, 0, extension_arg_size, index, match->own.name,
			      own->size, match->replaced.name, replaced->size);
	if (is_number(own))
		return 0;
	if (!own || btf_kind(own) != BTF_KIND_PTR)
		return report(match->to, 0, extension_arg_unknown, index, match->own.name);
	return match_pointed(match, index, own->type, replaced->type);
}

static int match_result(const struct match *match)
{
	const struct btf_type *own = resolved(match->own.btf, match->own.proto->type);
	const struct btf_type *replaced =
		resolved(match->replaced.btf, match->replaced.proto->type);

	if (info_of(own) == info_of(replaced))
		return 0;
	return report(match->to, 0, extension_result, kind_text(own), match->own.name,
		      kind_text(replaced), match->replaced.name);
}

static bool is_global(const struct side *side)
{
	return btf_vlen(btf_type(side->btf, side->func)) == BTF_FUNC_GLOBAL;
}

static int match_functions(const struct match *match)
{
	const struct side *own = &match->own, *replaced = &match->replaced;
	u32 own_cnt = btf_vlen(own->proto), count = btf_vlen(replaced->proto);
	int ret;

	if (!is_global(own))
		return report(match->to, 0, extension_not_global, own->name);
	if (!is_global(replaced))
		return report(match->to, 0, extension_not_global, replaced->name);
	if (own_cnt != count)
		return report(match->to, 0, extension_arg_count, own->name, own_cnt,
			      replaced->name, count);
	ret = match_result(match);
	for (u32 i = 0; !ret && i < count; i++)
		ret = match_param(match, i);
	return ret;
}

/* --- the target --- */

/* The program itself is called by who attaches it, with its context and nothing else. */
static bool takes_context(const struct prog_row *row, const struct side *side)
{
	u32 tags = 0, pointer = btf_vlen(side->proto) == 1
					? btf_resolve(side->btf, param_type(side, 0))
					: 0;

	if (!pointer || btf_kind(btf_type(side->btf, pointer)) != BTF_KIND_PTR ||
	    !is_number(resolved(side->btf, side->proto->type)))
		return false;
	return param_is_context(row, side->btf, pointer) ||
	       (!param_tags(side->btf, side->func, 0, &tags) && tags == TAG_CONTEXT);
}

static bool find_subprog(const struct verify_target *target, u32 btf_id, u32 *out)
{
	for (u32 i = 0; i < target->func_info_cnt; i++) {
		if (target->func_info[i].type_id != btf_id)
			continue;
		*out = i;
		return true;
	}
	return false;
}

static bool is_fentry_or_fexit(const struct verified *verified)
{
	return verified->type == BPF_PROG_TYPE_TRACING &&
	       (verified->attach_type == BPF_TRACE_FENTRY ||
		verified->attach_type == BPF_TRACE_FEXIT);
}

static int check_replaceable(const struct match *match, const struct extension *extension,
			     const struct verify_target *target, u32 index)
{
	const struct subprog *subprog = &target->verified->subprogs[index];
	const struct report *to = match->to;

	if (subprog->is_exception_callback)
		return report(to, 0, extension_exception);
	/* What a helper calls back is called with what it was verified with, not by its types.
	 */
	if (subprog->is_callback || (!index && !takes_context(match->row, &match->replaced)))
		return report(to, 0, extension_static);
	if (extension->changes_packet && !subprog->changes_packet)
		return report(to, 0, extension_changes_packet);
	if (extension->sleeps && !subprog->sleeps)
		return report(to, 0, extension_sleeps);
	if (target->verified->is_extension)
		return report(to, 0, extension_recursive);
	if (is_fentry_or_fexit(target->verified))
		return report(to, 0, extension_of_tracing);
	return 0;
}

static int check_id(const struct report *to, const struct btf_view *btf, u32 btf_id)
{
	if (!btf_id)
		return report(to, 0, attach_missing);
	if (!btf)
		return report(to, 0, attach_without_btf);
	if (!btf_type(btf, btf_id))
		return report(to, 0, attach_no_type, btf_id);
	return 0;
}

int extension_check(const struct report *to, const struct extension *extension,
		    const struct verify_target *target, u32 btf_id, u32 *out)
{
	struct match match = {.to = to, .row = prog_row(target->verified->type)};
	u32 index = 0;
	int ret = check_id(to, target->btf, btf_id);

	if (ret)
		return ret;
	if (!find_subprog(target, btf_id, &index))
		return report(to, 0, extension_no_function, btf_type_name(target->btf, btf_id));
	match.replaced = side_of(target->btf, btf_id);
	ret = check_replaceable(&match, extension, target, index);
	if (ret)
		return ret;
	if (!extension->func)
		return report(to, 0, extension_without_btf);
	match.own = side_of(extension->btf, extension->func);
	ret = match_functions(&match);
	if (!ret)
		*out = index;
	return ret;
}

/* --- verification --- */

static int check_without_target(struct walk *walk, const struct report *to)
{
	int ret = check_id(to, walk_kernel(walk), walk->input->attach_btf_id);

	return ret ? ret : report(to, 0, extension_of_kernel);
}

int extension_resolve(struct walk *walk)
{
	const struct report to = {walk->log, walk->err};
	const struct verify_input *input = walk->input;
	const struct verify_target *target = input->target;
	const struct extension extension = {
		.btf = input->btf,
		.func = btf_info_func(input, 0),
		.changes_packet = walk->cfg.subprogs[0].changes_packet,
		.sleeps = walk->cfg.subprogs[0].sleeps,
	};
	u32 index;
	int ret =
		target ? extension_check(&to, &extension, target, input->attach_btf_id, &index)
		       : check_without_target(walk, &to);

	if (ret)
		return ret;
	walk->as_target = *input;
	walk->as_target.type = target->verified->type;
	walk->as_target.attach_type = target->verified->attach_type;
	walk->as_target.attach_btf_id = target->attach_btf_id;
	walk->input = &walk->as_target;
	walk->row = prog_row(walk->input->type);
	walk->out->type = walk->input->type;
	walk->out->is_extension = true;
	return attach_find(walk);
}
