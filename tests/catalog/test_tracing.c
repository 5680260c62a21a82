/* SPDX-License-Identifier: BSD-2-Clause */
/* Tracepoints, iterators and traced functions: the tables against the running kernel. */
#include "catalog/linux_need.h"
#include "catalog/tracing.h"
#include "tests/catalog/linux_btf.h"
#include "tests/unit.h"

#include <errno.h>

static struct btf_view *kernel;
static char log_text[1 << 15];

static int open_kernel(void **state)
{
	kernel = linux_is_oracle() ? linux_btf_open() : NULL;
	return 0;
}

static int close_kernel(void **state)
{
	btf_view_free(kernel);
	return 0;
}

/* What the kernel says that argument `arg` is, NULL: programs cannot load it. */
static const char *linux_argument(u32 attach_type, u32 btf_id, u32 arg)
{
	const struct linux_kind kind = {BPF_PROG_TYPE_TRACING, attach_type, btf_id, false};
	const struct bpf_insn insns[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_DW,
		 .dst_reg = 2,
		 .src_reg = 1,
		 .off = 8 * arg},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};

	if (linux_load_kind(&kind, insns, ARRAY_SIZE(insns), 2, log_text, sizeof(log_text)))
		return NULL;
	return linux_last_state(log_text, "R2=");
}

/* A tracepoint's type is btf_trace_NAME, a pointer to void (void *, arguments...). */
static const struct btf_type *tracepoint_proto(u32 id)
{
	const struct btf_type *type = btf_type(kernel, id);

	if (btf_kind(type) != BTF_KIND_TYPEDEF ||
	    strncmp(btf_type_name(kernel, id), "btf_trace_", strlen("btf_trace_")))
		return NULL;
	type = btf_type(kernel, type->type);
	return btf_type(kernel, type->type);
}

static u32 compare_tracepoint(u32 id, const struct btf_type *proto)
{
	const char *name = btf_type_name(kernel, id) + strlen("btf_trace_");
	u32 seen = 0;

	for (u32 arg = 0; arg + 1 < btf_vlen(proto); arg++) {
		bool got = tracepoint_arg_may_be_null(name, arg);
		const char *want;

		if (!linux_pointed(kernel, btf_params(proto)[arg + 1].type))
			continue;
		want = linux_argument(BPF_TRACE_RAW_TP, id, arg);
		if (!want)
			continue;
		seen++;
		if (got != !!strstr(want, "_or_null_"))
			fail_msg("%s, argument %u: %s", name, arg, want);
	}
	return seen;
}

static void tracepoints_give_null_as_on_linux(void **state)
{
	u32 seen = 0;

	if (!kernel)
		skip();
	for (u32 id = 1; id <= btf_type_count(kernel); id++) {
		const struct btf_type *proto = tracepoint_proto(id);

		if (proto)
			seen += compare_tracepoint(id, proto);
	}
	assert_in_range(seen, 500, 100000);
}

/* An iterator's function is bpf_iter_NAME(struct bpf_iter_meta *, objects...). */
static const struct btf_type *iterator_proto(u32 id)
{
	const struct btf_type *type = btf_type(kernel, id);
	u32 meta;

	if (btf_kind(type) != BTF_KIND_FUNC ||
	    strncmp(btf_type_name(kernel, id), "bpf_iter_", strlen("bpf_iter_")))
		return NULL;
	type = btf_type(kernel, type->type);
	if (btf_vlen(type) < 2)
		return NULL;
	meta = linux_pointed(kernel, btf_params(type)->type);
	return meta && !strcmp(btf_type_name(kernel, meta), "bpf_iter_meta") ? type : NULL;
}

static u32 linux_iterator_flags(const char *state)
{
	return (strstr(state, "or_null_") ? ITERATOR_OR_NULL : 0) |
	       (!strncmp(state, "trusted_", strlen("trusted_")) ? ITERATOR_TRUSTED : 0);
}

static void iterators_give_what_linux_gives(void **state)
{
	u32 seen = 0;

	if (!kernel)
		skip();
	for (u32 id = 1; id <= btf_type_count(kernel); id++) {
		const struct btf_type *proto = iterator_proto(id);
		const char *target = btf_type_name(kernel, id) + strlen("bpf_iter_");

		for (u32 arg = 0; proto && arg < btf_vlen(proto); arg++) {
			const char *want;

			if (!linux_pointed(kernel, btf_params(proto)[arg].type))
				continue;
			want = linux_argument(BPF_TRACE_ITER, id, arg);
			if (!want)
				continue; /* no target, or one that the host refuses */
			seen++;
			assert_non_null(iterator_since(target));
			if (iterator_arg(target, arg) != linux_iterator_flags(want))
				fail_msg("%s, argument %u: %s", target, arg, want);
		}
	}
	assert_in_range(seen, 20, 100);
}

static void iterators_have_a_version(void **state)
{
	assert_string_equal(iterator_since("bpf_map_elem"), "5.9");
	assert_null(iterator_since("no_such_target"));
	assert_int_equal(iterator_arg("sockmap", 0), ITERATOR_TRUSTED);
	assert_int_equal(iterator_arg("sockmap", 2),
			 ITERATOR_OR_NULL | ITERATOR_BUFFER | ITERATOR_READ_ONLY);
}

static void functions_have_their_rules(void **state)
{
	static const struct {
		const char *name;
		u32 flags;
	} cases[] = {
		{"tcp_connect", FUNCTION_SK_STORAGE},
		{"do_exit", FUNCTION_SK_STORAGE | FUNCTION_NO_RETURN},
		{"migrate_disable", FUNCTION_SK_STORAGE | FUNCTION_NO_TRACING},
		{"vfs_getattr", FUNCTION_SK_STORAGE | FUNCTION_D_PATH},
		{"security_file_open",
		 FUNCTION_SK_STORAGE | FUNCTION_D_PATH | FUNCTION_MODIFIABLE},
		{"__x64_sys_read",
		 FUNCTION_SK_STORAGE | FUNCTION_MODIFIABLE | FUNCTION_MAY_SLEEP},
		{"bpf_fentry_test1",
		 FUNCTION_SK_STORAGE | FUNCTION_MODIFIABLE | FUNCTION_MAY_SLEEP},
		{"bpf_sk_storage_free", 0},
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		if (function_flags(cases[i].name) != cases[i].flags)
			fail_msg("%s: %#x", cases[i].name, function_flags(cases[i].name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tracepoints_give_null_as_on_linux),
		cmocka_unit_test(iterators_give_what_linux_gives),
		cmocka_unit_test(iterators_have_a_version),
		cmocka_unit_test(functions_have_their_rules),
	};

	return cmocka_run_group_tests_name("catalog.tracing", tests, open_kernel, close_kernel);
}
