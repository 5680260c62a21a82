/* SPDX-License-Identifier: BSD-2-Clause */
/* struct_ops.def against the running kernel, and lsm_hooks.def. */
#include "catalog/lsm.h"
#include "catalog/struct_ops.h"
#include "tests/catalog/linux_btf.h"
#include "tests/unit.h"

#include <stdio.h>

#define PREFIX "bpf_struct_ops_"

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

/* The structure of functions of which bpf_struct_ops_NAME holds a value, 0: it is none. */
static u32 ops_of(u32 id)
{
	const struct btf_type *type = btf_type(kernel, id);
	const char *name = btf_type_name(kernel, id);

	if (btf_kind(type) != BTF_KIND_STRUCT || strncmp(name, PREFIX, strlen(PREFIX)) ||
	    btf_vlen(type) != 2 ||
	    strcmp(btf_string(kernel, btf_members(type)[1].name_off), "data"))
		return 0;
	return btf_find(kernel, name + strlen(PREFIX), BTF_KIND_STRUCT);
}

/* The prototype of a member that is a pointer to a function, else NULL. */
static const struct btf_type *member_proto(u32 type_id)
{
	const struct btf_type *type = btf_type(kernel, btf_resolve(kernel, type_id));

	if (!type || btf_kind(type) != BTF_KIND_PTR)
		return NULL;
	type = btf_type(kernel, btf_resolve(kernel, type->type));
	return type && btf_kind(type) == BTF_KIND_FUNC_PROTO ? type : NULL;
}

static bool linux_takes_member(u32 ops, u32 member, bool sleepable)
{
	const struct linux_kind kind = {BPF_PROG_TYPE_STRUCT_OPS, member, ops, sleepable};
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return !linux_load_kind(&kind, insns, ARRAY_SIZE(insns), 0, NULL, 0);
}

static void compare_argument(const struct struct_ops_row *row, u32 ops, u32 member, u32 arg,
			     u32 pointed)
{
	const struct linux_kind kind = {BPF_PROG_TYPE_STRUCT_OPS, member, ops, false};
	const struct bpf_insn insns[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_DW,
		 .dst_reg = 2,
		 .src_reg = 1,
		 .off = 8 * arg},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	char want[80];
	const char *got;

	snprintf(want, sizeof(want), "ptr_%s",
		 struct_ops_argument(row, btf_type_name(kernel, pointed)));
	assert_int_equal(
		linux_load_kind(&kind, insns, ARRAY_SIZE(insns), 2, log_text, sizeof(log_text)),
		0);
	got = linux_last_state(log_text, "R2=");
	if (!strstr(got, want) && !strstr(got, "or_null_"))
		fail_msg("%s, member %u, argument %u: %s", row->name, member, arg, got);
}

static void compare_member(const struct struct_ops_row *row, u32 ops, u32 index,
			   const struct btf_member *member)
{
	const struct btf_type *proto = member_proto(member->type);
	const char *name = btf_string(kernel, member->name_off);
	u32 flags = struct_ops_member_flags(row, name);
	bool supported = linux_takes_member(ops, index, false);

	if (supported != (proto && !(flags & STRUCT_OPS_UNSUPPORTED)))
		fail_msg("%s.%s: Linux %s it", row->name, name,
			 supported ? "takes" : "refuses");
	if (!supported)
		return;
	if (linux_takes_member(ops, index, true) != !!(flags & STRUCT_OPS_SLEEPABLE))
		fail_msg("%s.%s: sleepable", row->name, name);
	for (u32 arg = 0; arg < btf_vlen(proto); arg++) {
		u32 pointed = linux_pointed(kernel, btf_params(proto)[arg].type);

		if (pointed)
			compare_argument(row, ops, index, arg, pointed);
	}
}

static void members_are_those_of_linux(void **state)
{
	u32 seen = 0;

	if (!kernel)
		skip();
	for (u32 id = 1; id <= btf_type_count(kernel); id++) {
		u32 ops = ops_of(id);
		const struct struct_ops_row *row;

		if (!ops)
			continue;
		row = struct_ops_row(btf_type_name(kernel, ops));
		if (!row)
			fail_msg("%s has no row", btf_type_name(kernel, ops));
		for (u32 i = 0; i < btf_vlen(btf_type(kernel, ops)); i++)
			compare_member(row, ops, i, &btf_members(btf_type(kernel, ops))[i]);
		seen++;
	}
	assert_in_range(seen, 2, 20);
}

static void rows_are_found(void **state)
{
	const struct struct_ops_row *row = struct_ops_row("tcp_congestion_ops");

	assert_string_equal(row->since, "5.6");
	assert_string_equal(struct_ops_argument(row, "sock"), "tcp_sock");
	assert_string_equal(struct_ops_argument(row, "rate_sample"), "rate_sample");
	assert_true(struct_ops_member_flags(row, "release") & STRUCT_OPS_NO_SOCKOPT);
	assert_null(struct_ops_row("file_operations"));
}

static void lsm_hooks_have_their_flags(void **state)
{
	static const struct {
		const char *name;
		u32 flags;
	} cases[] = {
		{"bpf_lsm_file_open", LSM_SLEEPABLE},
		{"bpf_lsm_file_permission", 0},
		{"bpf_lsm_file_free_security", LSM_UNTRUSTED},
		{"bpf_lsm_inode_need_killpriv", LSM_SLEEPABLE | LSM_DISABLED},
		{"bpf_lsm_inode_xattr_skipcap", LSM_BOOL},
		{"bpf_lsm_sock_graft", LSM_SOCKOPT},
		{"bpf_lsm_verify_prog", LSM_NO_HOOK},
		{"vfs_read", LSM_NO_HOOK},
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		if (lsm_hook_flags(cases[i].name) != cases[i].flags)
			fail_msg("%s: %#x", cases[i].name, lsm_hook_flags(cases[i].name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_found),
		cmocka_unit_test(members_are_those_of_linux),
		cmocka_unit_test(lsm_hooks_have_their_flags),
	};

	return cmocka_run_group_tests_name("catalog.struct_ops", tests, open_kernel,
					   close_kernel);
}
