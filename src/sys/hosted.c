/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/hosted.h"

#include "base/error.h"
#include "btf/declare.h"
#include "helper/run_context.h"
#include "sys/btf_object.h"
#include "sys/engine.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 55 /* of a module, as Linux has it */
#define ARGS_MAX       5

/* What one engine's extension is made with. */
struct making {
	struct skep_engine *engine;
	const struct skep_extension *from;
	struct hosted *out;
	const struct btf_view *kernel; /* the kernel's types and the host's */
	struct skep_error *err;
};

#define refuse(making, ...) error_set((making)->err, SKEP_STAGE_CALL, -EINVAL, __VA_ARGS__)

/* --- prototypes --- */

/* The prototype of a function of the host; NULL: it declares none of this name. */
static const struct btf_type *prototype(const struct making *making, const char *name, u32 *id)
{
	const struct btf_type *type;

	*id = btf_find(making->kernel, name, BTF_KIND_FUNC);
	if (!host_has_type(&making->out->host, *id))
		return NULL;
	type = btf_type(making->kernel, *id);
	return btf_type(making->kernel, type->type);
}

static const struct btf_type *resolved(const struct making *making, u32 id)
{
	return btf_type(making->kernel, btf_resolve(making->kernel, id));
}

static bool is_number(const struct btf_type *type)
{
	return btf_kind(type) == BTF_KIND_INT || btf_kind(type) == BTF_KIND_ENUM ||
	       btf_kind(type) == BTF_KIND_ENUM64;
}

static bool is_structure(const struct btf_type *type)
{
	return btf_kind(type) == BTF_KIND_STRUCT || btf_kind(type) == BTF_KIND_UNION;
}

/* What a pointer points to; NULL: it is none, or points to anything. */
static const struct btf_type *target_of(const struct making *making, u32 id)
{
	const struct btf_type *type = resolved(making, id);

	if (btf_kind(type) != BTF_KIND_PTR || !btf_resolve(making->kernel, type->type))
		return NULL;
	return resolved(making, type->type);
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length >= tail && !strcmp(name + length - tail, suffix);
}

/* Arguments that only functions of the engine itself know what to do with. */
static bool is_internal(const struct making *making, const struct btf_param *parameter)
{
	static const char *const types[] = {
		"bpf_dynptr",	 "bpf_dynptr_kern", "bpf_list_head",
		"bpf_list_node", "bpf_rb_root",	    "bpf_rb_node",
		"bpf_wq",	 "bpf_task_work",   "bpf_res_spin_lock",
	};
	static const char *const suffixes[] = {"__prog", "__alloc", "__refcounted_kptr",
					       "__irq_flag", "__iter"};
	const char *name = btf_string(making->kernel, parameter->name_off);
	const struct btf_type *target = target_of(making, parameter->type);

	for (u32 i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (has_suffix(name, suffixes[i]))
			return true;
	for (u32 i = 0; target && i < ARRAY_SIZE(types); i++)
		if (!strcmp(btf_string(making->kernel, target->name_off), types[i]))
			return true;
	return target && btf_kind(target) == BTF_KIND_FUNC_PROTO;
}

static bool is_argument(const struct making *making, const struct btf_param *parameter)
{
	const struct btf_type *type = resolved(making, parameter->type);

	return (is_number(type) || btf_kind(type) == BTF_KIND_PTR) &&
	       !is_internal(making, parameter);
}

static int check_arguments(struct making *making, const char *name,
			   const struct btf_type *proto, u32 limit)
{
	if (btf_vlen(proto) > limit)
		return refuse(making,
			      "extension: %s() has %u arguments, at most %u are allowed", name,
			      btf_vlen(proto), limit);
	for (u32 i = 0; i < btf_vlen(proto); i++)
		if (!is_argument(making, &btf_params(proto)[i]))
			return refuse(
				making,
				"extension: %s(): '%s' is of a type that a host's "
				"function cannot have",
				name,
				btf_string(making->kernel, btf_params(proto)[i].name_off));
	return 0;
}

/* --- functions --- */

static bool takes_object(const struct making *making, const struct btf_type *proto)
{
	for (u32 i = 0; i < btf_vlen(proto); i++) {
		const struct btf_type *target = target_of(making, btf_params(proto)[i].type);

		if (target && is_structure(target))
			return true;
	}
	return false;
}

static int check_result(struct making *making, const struct skep_function *function,
			const struct btf_type *proto)
{
	const struct btf_type *type = resolved(making, proto->type);
	const struct btf_type *target = target_of(making, proto->type);
	const char *name = function->name;

	if (proto->type && !target && !is_number(type))
		return refuse(making,
			      "extension: %s() returns neither a number nor a pointer to a "
			      "type",
			      name);
	if (function->flags & SKEP_FN_ACQUIRE && !(target && is_structure(target)))
		return refuse(making, "extension: %s() acquires, and returns no structure",
			      name);
	if (function->flags & SKEP_FN_RET_NULL && !target)
		return refuse(making, "extension: %s() may return NULL, and returns no pointer",
			      name);
	if (function->flags & SKEP_FN_RELEASE && !takes_object(making, proto))
		return refuse(making, "extension: %s() releases, and takes no structure", name);
	return 0;
}

static int check_number(struct making *making, u32 index)
{
	const struct skep_function *functions = making->from->functions;
	const u32 id = functions[index].helper_id;

	if (!id)
		return 0;
	if (id < SKEP_HELPER_FIRST || id > INT32_MAX)
		return refuse(making, "extension: %s() has helper_id %u, which is Linux's",
			      functions[index].name, id);
	for (u32 i = 0; i < index; i++)
		if (functions[i].helper_id == id)
			return refuse(making, "extension: %s() and %s() have one helper_id, %u",
				      functions[i].name, functions[index].name, id);
	return 0;
}

static u16 row_flags(u32 flags)
{
	return (flags & SKEP_FN_ACQUIRE ? KF_ACQUIRE : 0) |
	       (flags & SKEP_FN_RELEASE ? KF_RELEASE : 0) |
	       (flags & SKEP_FN_RET_NULL ? KF_RET_NULL : 0) |
	       (flags & SKEP_FN_SLEEPABLE ? KF_SLEEPABLE : 0) |
	       (flags & SKEP_FN_ADMIN ? KF_DESTRUCTIVE : 0);
}

/* skep_run is what the public face calls a run_context. */
static helper_fn *body_of(const struct skep_function *function)
{
	return (helper_fn *)(void (*)(void))function->body;
}

static int add_function(struct making *making, u32 index, struct host_function *out)
{
	const struct skep_function *function = &making->from->functions[index];
	const struct btf_type *proto;
	int ret;

	if (!function->name || !function->body)
		return refuse(making, "extension: function %u has no name or no body", index);
	if (function->flags & ~(u32)SKEP_FN_FLAGS)
		return refuse(making, "extension: %s() has flags %#x that skep %s lacks",
			      function->name, function->flags, SKEP_VERSION);
	proto = prototype(making, function->name, &out->btf_id);
	if (!proto)
		return refuse(making,
			      "extension: %s() is not declared, or the kernel has a function "
			      "of this name",
			      function->name);
	ret = check_arguments(making, function->name, proto, ARGS_MAX);
	if (!ret)
		ret = check_result(making, function, proto);
	if (!ret)
		ret = check_number(making, index);
	out->helper_id = function->helper_id;
	out->row = (struct kfunc_row){
		.name = btf_type_name(making->kernel, out->btf_id),
		.since = "never",
		.progs = function->progs ?: ~0ull,
		.flags = row_flags(function->flags),
		.body = body_of(function),
	};
	return ret;
}

static int add_functions(struct making *making)
{
	const u32 count = making->from->function_cnt;
	struct host *host = &making->out->host;
	struct host_function *rows = arena_array(&making->out->arena, count + 1, sizeof(*rows));
	int ret = rows ? 0 : -ENOMEM;

	for (u32 i = 0; i < count && !ret; i++)
		ret = add_function(making, i, &rows[i]);
	host->functions = rows;
	host->function_cnt = ret ? 0 : count;
	return ret;
}

/* --- hooks --- */

static bool has_function(const struct host *host, u32 btf_id)
{
	return host_function_by_type(host, btf_id);
}

static bool returns_int(const struct making *making, const struct btf_type *proto)
{
	const struct btf_type *type = resolved(making, proto->type);

	return proto->type && btf_kind(type) == BTF_KIND_INT && type->size == sizeof(s32);
}

static int add_hook(struct making *making, u32 index, struct host_hook *out, u32 *args)
{
	const struct skep_hook *hook = &making->from->hooks[index];
	const struct btf_type *proto;

	if (!hook->name)
		return refuse(making, "extension: hook %u has no name", index);
	proto = prototype(making, hook->name, &out->btf_id);
	if (!proto || has_function(&making->out->host, out->btf_id))
		return refuse(making,
			      "extension: hook %s() is not declared, or a function with a "
			      "body, or the kernel has one of this name",
			      hook->name);
	if (proto->type && !returns_int(making, proto))
		return refuse(making, "extension: hook %s() returns neither int nor void",
			      hook->name);
	if (hook->min > hook->max || (!proto->type && (hook->min || hook->max)))
		return refuse(making, "extension: hook %s() may return %d to %d", hook->name,
			      hook->min, hook->max);
	*out = (struct host_hook){
		.name = btf_type_name(making->kernel, out->btf_id),
		.btf_id = out->btf_id,
		.min = hook->min,
		.max = hook->max,
		.has_result = proto->type,
	};
	*args = btf_vlen(proto);
	return check_arguments(making, hook->name, proto, SKEP_HOOK_ARGS);
}

static void init_point(struct making *making, const struct host_hook *row, u32 args,
		       struct skep_hook_point *out)
{
	out->engine = making->engine;
	out->row = row;
	out->arg_cnt = args;
	for (u32 i = 0; i < SKEP_HOOK_PROGS; i++) {
		hook_init(&out->places[i],
			  row->has_result ? BPF_MODIFY_RETURN : BPF_TRACE_FENTRY, 0);
		out->places[i].btf_id = row->btf_id;
	}
}

static int add_hooks(struct making *making)
{
	const u32 count = making->from->hook_cnt;
	struct hosted *out = making->out;
	struct host_hook *rows = arena_array(&out->arena, count + 1, sizeof(*rows));
	int ret = 0;
	u32 args = 0;

	out->points = calloc(count + 1, sizeof(*out->points));
	if (!rows || !out->points)
		return -ENOMEM;
	for (u32 i = 0; i < count && !ret; i++) {
		ret = add_hook(making, i, &rows[i], &args);
		if (!ret)
			init_point(making, &rows[i], args, &out->points[i]);
	}
	out->host.hooks = rows;
	out->host.hook_cnt = ret ? 0 : count;
	return ret;
}

/* --- map types --- */

static int check_map_type(struct making *making, u32 index)
{
	const struct skep_map_type *type = &making->from->map_types[index];

	if (!type->name || !type->create || !type->destroy)
		return refuse(making,
			      "extension: map type %u has no name, no create() or no destroy()",
			      type->type);
	if (type->type < SKEP_MAP_TYPE_FIRST)
		return refuse(making,
			      "extension: map type '%s' has number %u, which is Linux's",
			      type->name, type->type);
	for (u32 i = 0; i < index; i++)
		if (making->from->map_types[i].type == type->type)
			return refuse(making, "extension: two map types have number %u",
				      type->type);
	return 0;
}

static int add_map_types(struct making *making)
{
	const u32 count = making->from->map_type_cnt;
	struct skep_map_type *types =
		arena_array(&making->out->arena, count + 1, sizeof(*types));
	int ret = types ? 0 : -ENOMEM;

	for (u32 i = 0; i < count && !ret; i++) {
		ret = check_map_type(making, i);
		types[i] = making->from->map_types[i];
		types[i].name = arena_string(&making->out->arena, types[i].name ?: "");
		if (!types[i].name)
			ret = -ENOMEM;
	}
	making->out->host.map_types = types;
	making->out->host.map_type_cnt = ret ? 0 : count;
	return ret;
}

/* --- types --- */

static int check_name(struct making *making)
{
	const char *name = making->from->name;
	size_t length = name ? strlen(name) : 0;

	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			length = 0;
	if (length && length <= NAME_MAX_BYTES && strcmp(name, "vmlinux") != 0)
		return 0;
	return refuse(making, "extension: a name of 1 to %u letters, digits and '_' is missing",
		      NAME_MAX_BYTES);
}

/* As the kernel's build marks what programs may call. */
static void tag_functions(struct btf_builder *builder, const struct skep_extension *from)
{
	const struct btf_decl_tag whole = {.component_idx = -1};

	for (u32 i = 0; i < from->function_cnt; i++) {
		u32 id = from->functions[i].name
				 ? btf_builder_find_new(builder, from->functions[i].name,
							BTF_KIND_FUNC)
				 : 0;

		if (id)
			btf_builder_add(builder, BTF_KIND_DECL_TAG, "bpf_kfunc", 0, id, &whole,
					sizeof(whole));
	}
}

static int make_module(struct making *making, struct btf_builder *builder)
{
	size_t size;
	void *data = btf_builder_additions(builder, &size);
	struct btf_object *module =
		data ? btf_object_of_module(making->from->name, data, size) : NULL;

	if (!module) {
		free(data);
		return -ENOMEM;
	}
	making->out->module = &module->object;
	return object_publish(making->engine, &module->object);
}

static int declare(struct making *making, struct btf_builder *builder)
{
	int ret = btf_declare(builder, making->from->declarations ?: "", making->err);

	if (!ret)
		tag_functions(builder, making->from);
	if (!ret && builder->count)
		ret = kernel_btf_extend(&making->engine->kernel_btf, builder, making->err);
	if (!ret && builder->count)
		ret = make_module(making, builder);
	return ret;
}

static int add_types(struct making *making)
{
	struct kernel_btf *kernel = &making->engine->kernel_btf;
	struct btf_builder builder;
	int ret = check_name(making);

	if (ret)
		return ret;
	btf_builder_init(&builder, kernel_btf_view(kernel));
	making->out->host.first_type = builder.base_count + 1;
	ret = declare(making, &builder);
	btf_builder_done(&builder);
	making->kernel = kernel_btf_view(kernel);
	return ret;
}

/* --- the whole --- */

int hosted_init(struct skep_engine *engine, const struct skep_extension *from,
		struct skep_error *err)
{
	struct hosted *out = &engine->hosted;
	struct making making = {engine, from, out, NULL, err};
	int ret;

	arena_init(&out->arena);
	if (!from)
		return 0;
	if (from->sz < sizeof(*from))
		return refuse(&making, "extension: sz is %zu, %zu is needed", from->sz,
			      sizeof(*from));
	out->host.cookie = from->cookie;
	ret = add_types(&making);
	if (!ret && !making.kernel)
		ret = refuse(&making, "extension: there are no declarations");
	if (!ret)
		ret = add_functions(&making);
	if (!ret)
		ret = add_hooks(&making);
	return ret ? ret : add_map_types(&making);
}

void hosted_leave_hooks(struct hosted *hosted)
{
	for (u32 i = 0; i < hosted->host.hook_cnt; i++)
		for (u32 place = 0; place < SKEP_HOOK_PROGS; place++)
			hook_done(&hosted->points[i].places[place]);
}

void hosted_done(struct hosted *hosted)
{
	object_put(hosted->module);
	free(hosted->points);
	arena_done(&hosted->arena);
}

const struct host *hosted_host(const struct hosted *hosted)
{
	return hosted->host.first_type ? &hosted->host : NULL;
}

struct skep_hook_point *hosted_point(struct hosted *hosted, u32 btf_id)
{
	const struct host_hook *row = host_hook_by_type(&hosted->host, btf_id);

	return row ? &hosted->points[row - hosted->host.hooks] : NULL;
}
