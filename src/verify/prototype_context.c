/* SPDX-License-Identifier: BSD-2-Clause */
/* Which types stand for the context of a program, by its type. */
#include "verify/prototype.h"

#include "btf/btf.h"

#include <string.h>

#define TAG "struct "

/* Name of the context's structure; NULL: it has none of its own. */
static const char *context_struct(const struct prog_row *row)
{
	const char *name = row->ctx_name;

	return strncmp(name, TAG, strlen(TAG)) ? NULL : name + strlen(TAG);
}

static bool is_struct(const struct btf_type *type)
{
	return btf_kind(type) == BTF_KIND_STRUCT || btf_kind(type) == BTF_KIND_UNION;
}

/* The registers as user space knows them: a typedef that is looked at before it is resolved. */
static bool is_user_registers(const struct btf_view *btf, u32 id)
{
	const struct btf_type *type = btf_type(btf, id);

	while (type &&
	       (btf_kind(type) == BTF_KIND_CONST || btf_kind(type) == BTF_KIND_VOLATILE ||
		btf_kind(type) == BTF_KIND_RESTRICT || btf_kind(type) == BTF_KIND_TYPE_TAG))
		type = btf_type(btf, type->type);
	return type && btf_kind(type) == BTF_KIND_TYPEDEF &&
	       !strcmp(btf_string(btf, type->name_off), "bpf_user_pt_regs_t");
}

/* The kernel's own structure behind a context is taken for it, too. */
static bool is_behind(const char *context, const char *name)
{
	return (!strcmp(context, "__sk_buff") && !strcmp(name, "sk_buff")) ||
	       (!strcmp(context, "xdp_md") && !strcmp(name, "xdp_buff"));
}

bool param_is_context(const struct prog_row *row, const struct btf_view *btf, u32 type_id)
{
	u32 target = btf_type(btf, type_id)->type, resolved = btf_resolve(btf, target);
	const char *context = context_struct(row), *name;

	if (row->type == BPF_PROG_TYPE_KPROBE && is_user_registers(btf, target))
		return true;
	if (!context || !resolved || !is_struct(btf_type(btf, resolved)))
		return false;
	name = btf_type_name(btf, resolved);
	return !strcmp(context, name) || is_behind(context, name);
}

/* --- arguments with the tag --- */

/* How contexts are seen that are an array of numbers, and as which structures. */
static bool is_words(const struct btf_type *type)
{
	return btf_kind(type) == BTF_KIND_INT && type->size == sizeof(u64);
}

static bool is_tracing_context(enum bpf_attach_type attach, const struct btf_type *type,
			       const char *name)
{
	switch ((u32)attach) {
	case BPF_TRACE_RAW_TP:
		return is_words(type) ||
		       (is_struct(type) && !strcmp(name, "bpf_raw_tracepoint_args"));
	case BPF_TRACE_ITER:
		return is_struct(type) && !strncmp(name, "bpf_iter__", strlen("bpf_iter__"));
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN: return is_words(type);
	default: return false;
	}
}

/* Types that are a context beside the one that gives it its name. */
static bool is_other_context(const struct walk *walk, const struct btf_type *type,
			     const char *name)
{
	switch ((u32)walk->row->type) {
	case BPF_PROG_TYPE_KPROBE:
	case BPF_PROG_TYPE_PERF_EVENT: return is_struct(type) && !strcmp(name, "pt_regs");
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
	case BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE:
	case BPF_PROG_TYPE_LSM:
	case BPF_PROG_TYPE_STRUCT_OPS: return is_words(type);
	case BPF_PROG_TYPE_TRACING:
		return is_tracing_context(walk->input->attach_type, type, name);
	case BPF_PROG_TYPE_TRACEPOINT:
	case BPF_PROG_TYPE_SYSCALL:
	case BPF_PROG_TYPE_EXT: return true;
	default: return false;
	}
}

int param_check_context(struct walk *walk, u32 index, u32 type_id)
{
	const struct btf_view *btf = walk->input->btf;
	u32 target = btf_type(btf, type_id)->type, resolved = btf_resolve(btf, target);
	bool has_registers = walk->row->type == BPF_PROG_TYPE_KPROBE ||
			     walk->row->type == BPF_PROG_TYPE_PERF_EVENT;
	const char *context = context_struct(walk->row), *name = btf_type_name(btf, resolved);
	const struct btf_type *type = btf_type(btf, resolved);

	if (!resolved || (has_registers && is_user_registers(btf, target)))
		return 0;
	if (!*name)
		return reject(walk, param_without_name, index);
	if (is_other_context(walk, type, name))
		return 0;
	if (!context)
		return reject(walk, param_context_void, index);
	if (!is_struct(type) || strcmp(context, name))
		return reject(walk, param_context_struct, index, context);
	return 0;
}
