/* SPDX-License-Identifier: BSD-2-Clause */
/* kfuncs.def against the running kernel: who may call what, and what the flags claim. */
#include "catalog/helper.h"
#include "catalog/kfunc.h"
#include "catalog/linux_need.h"
#include "tests/catalog/linux_btf.h"
#include "tests/unit.h"

#include <stdio.h>

static struct btf_view *kernel;
static struct linux_kind kinds[40];
static u32 kind_count;
static char log_text[1 << 16];

static int open_kernel(void **state)
{
	kernel = linux_is_oracle() ? linux_btf_open() : NULL;
	kind_count = kernel ? linux_kinds(kernel, kinds) : 0;
	return 0;
}

static int close_kernel(void **state)
{
	btf_view_free(kernel);
	return 0;
}

static struct bpf_insn move(u8 reg, s32 value)
{
	return (struct bpf_insn){
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = reg, .imm = value};
}

static struct bpf_insn copy(u8 to, u8 from)
{
	return (struct bpf_insn){
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from};
}

static struct bpf_insn call(u32 function)
{
	return (struct bpf_insn){
		.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = function};
}

static const struct bpf_insn leave = {.code = BPF_JMP | BPF_EXIT};

/* Loads a call with zeros as arguments; the verifier's log is in log_text. */
static int load_call(const struct linux_kind *kind, u32 function)
{
	const struct bpf_insn insns[] = {move(1, 0), move(2, 0),     move(3, 0), move(4, 0),
					 move(5, 0), call(function), move(0, 0), leave};

	return linux_load_kind(kind, insns, ARRAY_SIZE(insns), 1, log_text, sizeof(log_text));
}

static bool linux_lets_call(const struct linux_kind *kind, u32 function)
{
	load_call(kind, function);
	return !strstr(log_text, "is not allowed");
}

/* The function that a declaration tag says programs may call, 0: the type is no such tag. */
static u32 tagged_kfunc(u32 id)
{
	const struct btf_type *type = btf_type(kernel, id);

	if (btf_kind(type) != BTF_KIND_DECL_TAG ||
	    strcmp(btf_string(kernel, type->name_off), "bpf_kfunc"))
		return 0;
	return type->type;
}

/* The kernel function of this name, 0: this kernel lets nobody call one. */
static u32 find_kfunc(const char *name)
{
	u32 function = btf_find(kernel, name, BTF_KIND_FUNC);

	for (u32 id = 1; function && id <= btf_type_count(kernel); id++)
		if (tagged_kfunc(id) == function)
			return function;
	return 0;
}

/* Device-bound functions are refused before it is asked who calls them. */
static bool can_ask_who_calls(const struct kfunc_row *row)
{
	return !row || !(row->flags & KF_DEVICE_BOUND);
}

static void callers_are_those_of_linux(void **state)
{
	u32 differences = 0, seen = 0;

	if (!kernel)
		skip();
	for (u32 id = 1; id <= btf_type_count(kernel); id++) {
		u32 function = tagged_kfunc(id);
		const char *name = btf_type_name(kernel, function);
		const struct kfunc_row *row = function ? kfunc_row_by_name(name) : NULL;

		if (!function || !can_ask_who_calls(row))
			continue;
		seen++;
		for (u32 i = 0; i < kind_count; i++) {
			bool got = row &&
				   kfunc_is_allowed(row, kinds[i].type, kinds[i].attach_type);
			bool want = linux_lets_call(&kinds[i], function);

			if (got == want)
				continue;
			print_message("# %s in type %u, attach type %u: Linux %s it\n", name,
				      kinds[i].type, kinds[i].attach_type,
				      want ? "allows" : "refuses");
			differences++;
		}
	}
	assert_int_equal(differences, 0);
	assert_in_range(seen, 150, 1000);
}

/* A kind that may call it and is not sleepable, NULL: none that can be loaded here. */
static const struct linux_kind *caller_of(const struct kfunc_row *row)
{
	for (u32 i = 0; i < kind_count; i++)
		if (!kinds[i].sleepable &&
		    kfunc_is_allowed(row, kinds[i].type, kinds[i].attach_type))
			return &kinds[i];
	return NULL;
}

static void sleepable_ones_are_those_of_linux(void **state)
{
	if (!kernel)
		skip();
	for (u32 i = 0; i < kfunc_count(); i++) {
		const struct kfunc_row *row = kfunc_row(i);
		u32 function = find_kfunc(row->name);
		const struct linux_kind *kind = caller_of(row);
		bool want;

		if (!function || !kind || !can_ask_who_calls(row))
			continue;
		load_call(kind, function);
		want = strstr(log_text, "must be sleepable");
		if (!!(row->flags & KF_SLEEPABLE) != want)
			fail_msg("%s: Linux wants %ssleepable program", row->name,
				 want ? "a " : "no ");
	}
}

/* The structure that parameter `index` points to, 0: it points to none. */
static u32 pointed_structure(u32 function, u32 index, const char **name)
{
	const struct btf_type *proto = btf_type(kernel, btf_type(kernel, function)->type);
	u32 id;

	if (index >= btf_vlen(proto))
		return 0;
	id = linux_pointed(kernel, btf_params(proto)[index].type);
	*name = btf_type_name(kernel, id);
	return id;
}

static const struct linux_kind *any_caller_of(const struct kfunc_row *row)
{
	for (u32 i = 0; i < kind_count; i++)
		if ((kinds[i].sleepable || !(row->flags & KF_SLEEPABLE)) &&
		    kfunc_is_allowed(row, kinds[i].type, kinds[i].attach_type))
			return &kinds[i];
	return NULL;
}

/* Calls with an untrusted pointer to the right structure as the first argument. */
static void load_call_untrusted(const struct linux_kind *kind, u32 function, u32 structure)
{
	const struct bpf_insn insns[] = {
		move(1, 0),
		move(2, structure),
		call(find_kfunc("bpf_rdonly_cast")),
		copy(1, 0),
		move(2, 0),
		move(3, 0),
		move(4, 0),
		move(5, 0),
		call(function),
		move(0, 0),
		leave,
	};

	linux_load_kind(kind, insns, ARRAY_SIZE(insns), 1, log_text, sizeof(log_text));
}

static void pointers_are_trusted_as_on_linux(void **state)
{
	u32 seen = 0;

	if (!kernel)
		skip();
	for (u32 i = 0; i < kfunc_count(); i++) {
		const struct kfunc_row *row = kfunc_row(i);
		u32 function = find_kfunc(row->name), structure;
		const struct linux_kind *kind = any_caller_of(row);
		bool wants_rcu, wants_trusted;
		const char *name;

		if (!function || !kind || !can_ask_who_calls(row))
			continue;
		structure = pointed_structure(function, 0, &name);
		if (!structure)
			continue;
		load_call_untrusted(kind, function, structure);
		wants_rcu = strstr(log_text, "R1 must be a rcu pointer");
		wants_trusted = strstr(log_text, "R1 must be referenced or trusted");
		if (!wants_rcu && !wants_trusted)
			continue; /* a context, or something on the stack */
		seen++;
		if (!!(row->flags & KF_RCU) != wants_rcu)
			fail_msg("%s: Linux wants a %s pointer", row->name,
				 wants_rcu ? "rcu" : "trusted");
	}
	assert_in_range(seen, 50, 1000);
}

/* Functions that give an object for nothing. */
static const struct source {
	const char *structure, *function;
} sources[] = {
	{"task_struct", "bpf_task_from_pid"},  {"cgroup", "bpf_cgroup_from_id"},
	{"bpf_cpumask", "bpf_cpumask_create"}, {"cpumask", "bpf_cpumask_create"},
	{"bpf_key", "bpf_lookup_system_key"},
};

static u32 source_of(const char *structure)
{
	for (u32 i = 0; i < ARRAY_SIZE(sources); i++)
		if (!strcmp(sources[i].structure, structure))
			return find_kfunc(sources[i].function);
	return 0;
}

static bool is_scalar_or_ignored(const struct btf_param *param)
{
	const struct btf_type *type = btf_type(kernel, btf_resolve(kernel, param->type));
	const char *name = btf_string(kernel, param->name_off);
	size_t length = strlen(name);

	return btf_kind(type) != BTF_KIND_PTR ||
	       (length > 5 && !strcmp(name + length - 5, "__ign"));
}

/* A call with good arguments. 0: an argument cannot be made here. */
static u32 build_call(u32 function, struct bpf_insn *out)
{
	const struct btf_type *proto = btf_type(kernel, btf_type(kernel, function)->type);
	u32 count = 0, arity = btf_vlen(proto);
	const char *name;

	for (u32 i = 0; i < arity; i++) {
		if (pointed_structure(function, i, &name) && source_of(name)) {
			out[count++] = move(1, 0);
			out[count++] = call(source_of(name));
			out[count++] =
				(struct bpf_insn){.code = BPF_JMP | BPF_JNE | BPF_K, .off = 2};
			out[count++] = move(0, 0);
			out[count++] = leave;
			out[count++] = copy(6 + i, 0);
		} else if (is_scalar_or_ignored(&btf_params(proto)[i])) {
			out[count++] = move(6 + i, 0);
		} else {
			return 0;
		}
	}
	for (u32 i = 0; i < arity; i++)
		out[count++] = copy(1 + i, 6 + i);
	out[count++] = call(function);
	out[count++] = move(0, 0);
	out[count++] = leave;
	return count;
}

/* What the log says of r0 after the last such call, NULL: it was refused. */
static char *state_after_call(const char *function)
{
	char pattern[80], *found, *state = NULL;

	snprintf(pattern, sizeof(pattern), "call %s#", function);
	for (found = log_text; (found = strstr(found, pattern)); found++) {
		char *result = strstr(found, "R0=");

		if (result && result < strchr(found, '\n'))
			state = result;
	}
	if (state)
		*strchrnul(state, ' ') = '\0';
	return state;
}

static bool returns_pointer(u32 function)
{
	const struct btf_type *proto = btf_type(kernel, btf_type(kernel, function)->type);
	const struct btf_type *type = btf_type(kernel, btf_resolve(kernel, proto->type));

	return type && btf_kind(type) == BTF_KIND_PTR;
}

static void results_are_those_of_linux(void **state)
{
	struct bpf_insn insns[64];
	u32 seen = 0;

	if (!kernel)
		skip();
	for (u32 i = 0; i < kfunc_count(); i++) {
		const struct kfunc_row *row = kfunc_row(i);
		u32 function = find_kfunc(row->name), count;
		const struct linux_kind *kind = any_caller_of(row);
		char *result;

		if (!function || !kind || !returns_pointer(function))
			continue;
		count = build_call(function, insns);
		if (!count)
			continue;
		linux_load_kind(kind, insns, count, 2, log_text, sizeof(log_text));
		result = state_after_call(row->name);
		if (!result)
			continue;
		seen++;
		if (!!(row->flags & KF_RET_NULL) != !!strstr(result, "or_null_") ||
		    !!(row->flags & KF_ACQUIRE) != !!strstr(result, "ref_obj_id="))
			fail_msg("%s: %s", row->name, result);
	}
	assert_in_range(seen, 10, 1000);
}

static void rows_are_complete(void **state)
{
	assert_null(kfunc_row(kfunc_count()));
	assert_null(kfunc_row_by_name("no_such_function"));
	for (u32 i = 0; i < kfunc_count(); i++) {
		const struct kfunc_row *row = kfunc_row(i);

		assert_ptr_equal(kfunc_row_by_name(row->name), row);
		assert_int_not_equal(row->progs, 0);
		assert_true(linux_version_compare(row->since, "5.13") >= 0);
	}
}

static void attach_types_decide(void **state)
{
	const struct kfunc_row *row = kfunc_row_by_name("bpf_sock_destroy");

	assert_true(kfunc_is_allowed(row, BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER));
	assert_false(kfunc_is_allowed(row, BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY));
	row = kfunc_row_by_name("bpf_get_file_xattr");
	assert_true(kfunc_is_allowed(row, BPF_PROG_TYPE_LSM, BPF_LSM_MAC));
	assert_false(kfunc_is_allowed(row, BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_complete),
		cmocka_unit_test(attach_types_decide),
		cmocka_unit_test(callers_are_those_of_linux),
		cmocka_unit_test(sleepable_ones_are_those_of_linux),
		cmocka_unit_test(pointers_are_trusted_as_on_linux),
		cmocka_unit_test(results_are_those_of_linux),
	};

	return cmocka_run_group_tests_name("catalog.kfunc", tests, open_kernel, close_kernel);
}
