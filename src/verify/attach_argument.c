/* SPDX-License-Identifier: BSD-2-Clause */
/* Contexts that are arguments: what each is by the prototype of what the program attaches to.
 */
#include "verify/attach.h"

#include "catalog/host.h"
#include "catalog/lsm.h"
#include "catalog/struct_ops.h"
#include "catalog/tracing.h"
#include "verify/trace.h"

#include <linux/btf.h>
#include <string.h>

#define ARGUMENT_BYTES	   8
#define ARGUMENT_BYTES_MAX (12 * ARGUMENT_BYTES)

/* --- types --- */

static const char *kind_text(const struct btf_type *type)
{
	static const char *const text[] = {
#define KIND(name, its_text, fixed, each, flags) [BTF_KIND_##name] = its_text,
#include "btf/kinds.def"
#undef KIND
	};

	return btf_kind(type) < ARRAY_SIZE(text) && text[btf_kind(type)] ? text[btf_kind(type)]
									 : "UNKNOWN";
}

static bool is_struct(const struct btf_type *type)
{
	return btf_kind(type) == BTF_KIND_STRUCT || btf_kind(type) == BTF_KIND_UNION;
}

/* In one register: any kind of integer up to 8 bytes. */
static bool is_small_int(const struct btf_type *type)
{
	return btf_kind(type) == BTF_KIND_INT && type->size && type->size <= ARGUMENT_BYTES &&
	       !(type->size & (type->size - 1));
}

static bool is_number(const struct btf_type *type)
{
	return is_small_int(type) || btf_kind(type) == BTF_KIND_ENUM ||
	       btf_kind(type) == BTF_KIND_ENUM64 || is_struct(type);
}

/* NULL: void. */
static const struct btf_type *resolved(const struct btf_view *btf, u32 id)
{
	u32 found = btf_resolve(btf, id);

	return found ? btf_type(btf, found) : NULL;
}

/* Structures that are passed by value take as many words as they need. */
static u32 bytes_of(const struct btf_view *btf, u32 id)
{
	const struct btf_type *type = resolved(btf, id);

	if (!type)
		return 0;
	if (btf_kind(type) == BTF_KIND_PTR)
		return ARGUMENT_BYTES;
	return (type->size + ARGUMENT_BYTES - 1) / ARGUMENT_BYTES * ARGUMENT_BYTES;
}

/* Which argument is at the offset; the number of arguments is the result; more: nothing. */
static u32 argument_at(const struct attach *attach, u32 off)
{
	const struct btf_param *params = btf_params(attach->proto);
	u32 count = btf_vlen(attach->proto), end = 0;

	for (u32 i = 0; i < count; i++) {
		end += bytes_of(attach->btf, params[i].type);
		if (off < end)
			return i;
	}
	end += bytes_of(attach->btf, attach->proto->type);
	return off < end ? count : count + 1;
}

/* --- trust --- */

static bool is_trusted(const struct walk *walk)
{
	switch ((u32)walk->input->type) {
	case BPF_PROG_TYPE_TRACING:
		return walk->attach.host_hook || walk->input->attach_type == BPF_TRACE_RAW_TP ||
		       walk->input->attach_type == BPF_TRACE_ITER;
	case BPF_PROG_TYPE_LSM: return !(lsm_hook_flags(walk->attach.name) & LSM_UNTRUSTED);
	default: return true; /* struct_ops */
	}
}

static bool ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text), tail = strlen(suffix);

	return length >= tail && !strcmp(text + length - tail, suffix);
}

/* The argument's name, where its prototype is that of a function. */
static bool is_named(const struct btf_view *btf, const struct btf_type *proto, u32 index,
		     const char *suffix)
{
	return proto && index < btf_vlen(proto) &&
	       ends_with(btf_string(btf, btf_params(proto)[index].name_off), suffix);
}

static bool may_be_null(const struct walk *walk, u32 index)
{
	const struct attach *attach = &walk->attach;

	if (is_named(attach->btf, attach->proto, index + attach->skipped, "__nullable") ||
	    is_named(attach->btf, attach->stub, index, "__nullable"))
		return true;
	return walk->input->attach_type == BPF_TRACE_RAW_TP &&
	       walk->input->type == BPF_PROG_TYPE_TRACING &&
	       tracepoint_arg_may_be_null(attach->name, index);
}

static u16 tag_flags(const struct btf_view *btf, const struct btf_type *pointer)
{
	const struct btf_type *tag = pointer->type ? btf_type(btf, pointer->type) : NULL;
	const char *text;

	if (!tag || btf_kind(tag) != BTF_KIND_TYPE_TAG || btf_kind_flag(tag))
		return 0;
	text = btf_string(btf, tag->name_off);
	return !strcmp(text, "user") ? REG_USER : !strcmp(text, "percpu") ? REG_PERCPU : 0;
}

/* --- pointers --- */

/* The id of the reference that the argument is; 0: none. */
static u32 ref_id(const struct attach *attach, u32 index)
{
	u64 before = attach->refs & ((1ull << index) - 1);

	return attach->refs >> index & 1 ? attach->ref_id + (u32)__builtin_popcountll(before)
					 : 0;
}

static bool is_held(const struct walk *walk, u32 id)
{
	const struct resources *held = &walk->state.resources;

	for (u32 i = 0; i < held->count; i++)
		if (held->all[i].kind == RESOURCE_REFERENCE && held->all[i].id == id)
			return true;
	return false;
}

static u16 iterator_flags(u32 argument)
{
	u16 flags = 0;

	if (argument & ITERATOR_OR_NULL)
		flags |= REG_MAY_BE_NULL;
	if (argument & ITERATOR_TRUSTED)
		flags |= REG_TRUSTED;
	if (argument & ITERATOR_READ_ONLY)
		flags |= REG_READ_ONLY;
	return flags;
}

static u16 pointer_flags(const struct walk *walk, u32 index)
{
	const char *name = walk->attach.name;
	u16 flags = is_trusted(walk) ? REG_TRUSTED : 0;

	if (walk->input->type == BPF_PROG_TYPE_TRACING &&
	    walk->input->attach_type == BPF_TRACE_ITER) {
		u32 argument = iterator_arg(name + strlen("bpf_iter_"), index);

		return argument ? iterator_flags(argument) : flags;
	}
	return may_be_null(walk, index) ? flags | REG_MAY_BE_NULL : flags;
}

/* A key or a value of the map that is iterated over. */
static bool is_buffer(const struct walk *walk, u32 index)
{
	const char *name = walk->attach.name;

	return walk->input->type == BPF_PROG_TYPE_TRACING &&
	       walk->input->attach_type == BPF_TRACE_ITER &&
	       iterator_arg(name + strlen("bpf_iter_"), index) & ITERATOR_BUFFER;
}

/* The structure that the pointer leads to, as programs of this kind see it. */
static u32 visible_type(const struct walk *walk, u32 id)
{
	const struct attach *attach = &walk->attach;
	const char *name = btf_type_name(attach->btf, id), *seen;

	if (!attach->ops)
		return id;
	seen = struct_ops_argument(attach->ops, name);
	return seen == name ? id : btf_find(attach->btf, seen, BTF_KIND_STRUCT);
}

static int prove_object(struct walk *walk, const struct btf_type *pointer, u32 index)
{
	const struct attach *attach = &walk->attach;
	u32 ref = ref_id(attach, index);
	struct loaded *loaded = &walk->access.loaded;
	u32 id = btf_resolve(attach->btf, pointer->type);
	const struct btf_type *type = btf_type(attach->btf, id);

	if (!is_struct(type))
		return reject(walk, argument_no_struct, attach->name, index, kind_text(type));
	trace_note(walk, "func '%s' arg%u has btf_id %u type %s '%s'", attach->name, index, id,
		   kind_text(type), btf_type_name(attach->btf, id));
	*loaded = (struct loaded){
		.kind = REG_BTF,
		.flags = pointer_flags(walk, index) | tag_flags(attach->btf, pointer),
		.btf = attach->btf,
		.type_id = visible_type(walk, id),
		.ref_id = ref,
	};
	if (ref && !is_held(walk, ref))
		return reject(walk, argument_released, (s32)walk->access.low);
	return 0;
}

static int prove_pointer(struct walk *walk, const struct btf_type *pointer, u32 index, u32 size)
{
	const struct attach *attach = &walk->attach;
	const struct btf_type *target = resolved(attach->btf, pointer->type);

	if (size != ARGUMENT_BYTES)
		return reject(walk, argument_size, attach->name, size);
	if (is_buffer(walk, index)) {
		walk->access.loaded = (struct loaded){.kind = REG_BUFFER,
						      .flags = pointer_flags(walk, index)};
		return 0;
	}
	/* Pointers to bytes and to anything are addresses, nothing more. */
	if (!target || btf_kind(target) == BTF_KIND_INT)
		return 0;
	return prove_object(walk, pointer, index);
}

/* --- results --- */

/* Where the result may be read, too: its type. */
static int result_type(struct walk *walk, u32 index, u32 *type_id)
{
	const struct attach *attach = &walk->attach;
	const struct btf_type *type = resolved(attach->btf, attach->proto->type);

	*type_id = attach->proto->type;
	switch ((u32)walk->input->attach_type) {
	case BPF_LSM_MAC:
	case BPF_LSM_CGROUP:
	case BPF_TRACE_FEXIT: return 0;
	case BPF_MODIFY_RETURN:
		if (type && is_small_int(type))
			return 0;
		return reject(walk, result_not_modifiable, type ? kind_text(type) : "UNKNOWN");
	default: return reject(walk, argument_missing, attach->name, index + 1);
	}
}

static struct ret_range lsm_range(const struct walk *walk)
{
	bool is_bool = lsm_hook_flags(walk->attach.name) & LSM_BOOL;

	return (struct ret_range){
		.low = is_bool ? 0 : -ERRNO_MAX, .high = is_bool, .checked = true};
}

struct ret_range attach_ret_range(const struct walk *walk)
{
	const struct attach *attach = &walk->attach;
	struct ret_range any = {0};

	if (attach->host_hook && attach->host_hook->has_result)
		return (struct ret_range){.low = attach->host_hook->min,
					  .high = attach->host_hook->max,
					  .checked = true};
	if (walk->input->type == BPF_PROG_TYPE_STRUCT_OPS) {
		const struct btf_type *type = resolved(attach->btf, attach->proto->type);

		if (type && btf_kind(type) == BTF_KIND_PTR) /* NULL, when it is no object */
			return (struct ret_range){.checked = true, .is64 = true};
		return any;
	}
	if (walk->input->type != BPF_PROG_TYPE_LSM)
		return prog_ret_range(walk->input->type, walk->input->attach_type);
	if (walk->input->attach_type != BPF_LSM_CGROUP)
		return attach->proto->type ? lsm_range(walk) : any;
	return (struct ret_range){
		.low = !attach->proto->type, .high = 1, .checked = true, .is64 = true};
}

/* --- */

int attach_prove_argument(struct walk *walk, s64 off, u32 size)
{
	const struct attach *attach = &walk->attach;
	const struct btf_type *type;
	u32 index, count, type_id;
	int ret;

	walk->access.loaded = (struct loaded){.kind = REG_SCALAR};
	if (off < 0 || off >= ARGUMENT_BYTES_MAX || off % size)
		return reject(walk, ctx_access, (s32)off, size);
	if (off % ARGUMENT_BYTES)
		return reject(walk, argument_offset, attach->name, (s32)off);
	index = argument_at(attach, (u32)off);
	count = btf_vlen(attach->proto) - attach->skipped;
	if (index > count)
		return reject(walk, argument_missing, attach->name, index + 1);
	type_id = index < count ? btf_params(attach->proto)[index + attach->skipped].type : 0;
	ret = index < count ? 0 : result_type(walk, index, &type_id);
	if (ret)
		return ret;
	type = resolved(attach->btf, type_id);
	if (type && is_number(type))
		return 0;
	if (!type || btf_kind(type) != BTF_KIND_PTR)
		return reject(walk, argument_type, attach->name, index,
			      type ? btf_string(attach->btf, type->name_off) : "(anon)",
			      type ? kind_text(type) : "UNKNOWN");
	return prove_pointer(walk, type, index, size);
}
