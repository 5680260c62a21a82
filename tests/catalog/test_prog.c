/* SPDX-License-Identifier: BSD-2-Clause */
/* Program and attach types: the tables against the running kernel. */
#include "catalog/helper.h"
#include "catalog/prog.h"
#include "tests/catalog/linux_btf.h"
#include "tests/unit.h"

#include <skep/skep.h>

#define ATTACH_TYPES_TRIED 64

static void every_type_has_a_row(void **state)
{
	assert_null(prog_row(0));
	for (u32 type = 1; type <= 32; type++) {
		const struct prog_row *row = prog_row(type);

		assert_non_null(row);
		assert_int_equal(row->type, type);
		assert_ptr_equal(prog_row_by_name(row->name), row);
		assert_int_not_equal(row->ctx_view, CTX_VIEW_NONE);
		assert_true(row->has_packet || !row->may_write_packet);
	}
	assert_null(prog_row(33));
	assert_null(prog_row_by_name("none"));
}

static void every_attach_type_has_a_row(void **state)
{
	for (u32 type = 0; type <= 57; type++) {
		const struct attach_row *row = attach_row(type);

		assert_non_null(row);
		assert_int_equal(row->type, type);
		assert_ptr_equal(attach_row_by_name(row->name), row);
		assert_int_not_equal(row->progs, 0);
	}
	assert_null(attach_row(58));
}

static void attach_types_are_checked_as_linux_does(void **state)
{
	if (!linux_is_oracle())
		skip();
	for (u32 type = 1; type < 40; type++) {
		if (prog_row(type) && !linux_can_load_plainly(type))
			continue;
		for (u32 attach = 0; attach < ATTACH_TYPES_TRIED; attach++) {
			int want = linux_load_smallest(type, attach);
			int got = prog_check_attach_type(type, attach);

			/* Linux refuses numbers that no kernel knows only for strict types */
			if (got != want)
				fail_msg("type %u, attach type %u: %d, Linux %d", type, attach,
					 got, want);
		}
	}
}

static bool linux_lets_return(const struct linux_kind *kind, s64 value)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_LD | BPF_IMM | BPF_DW, .imm = (s32)value},
		{.imm = value >> 32},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return !linux_load_kind(kind, insns, ARRAY_SIZE(insns), 0, NULL, 0);
}

static bool is_in_range(struct ret_range range, s64 value)
{
	if (!range.checked)
		return true;
	if (!range.is64)
		value = (s32)value;
	return range.low <= value && value <= range.high;
}

static void compare_returns(const struct linux_kind *kind)
{
	static const s64 values[] = {
		-4096, -1, 0, 1, 2, 3, 4, 255, 1ll << 32, (1ll << 32) + 1, -(1ll << 32)};
	struct ret_range range = prog_ret_range(kind->type, kind->attach_type);

	for (u32 i = 0; i < ARRAY_SIZE(values); i++)
		if (is_in_range(range, values[i]) != linux_lets_return(kind, values[i]))
			fail_msg("type %u, attach type %u, returns %lld", kind->type,
				 kind->attach_type, values[i]);
}

static void return_values_are_checked_as_linux_does(void **state)
{
	if (!linux_is_oracle())
		skip();
	for (u32 type = 1; type <= 32; type++)
		for (u32 attach = 0; attach <= 57; attach++) {
			const struct linux_kind kind = {type, attach, 0,
							type == BPF_PROG_TYPE_SYSCALL};

			if (linux_can_load_plainly(type) &&
			    !prog_check_attach_type(type, attach))
				compare_returns(&kind);
		}
}

static void return_values_by_btf_are_checked_as_linux_does(void **state)
{
	struct btf_view *kernel = linux_is_oracle() ? linux_btf_open() : NULL;
	struct linux_kind kinds[40];
	u32 count;

	if (!kernel)
		skip();
	count = linux_kinds(kernel, kinds);
	for (u32 i = 0; i < count; i++)
		if (kinds[i].btf_id)
			compare_returns(&kinds[i]);
	btf_view_free(kernel);
}

/* A load from an unknown direct pointer, and LD_ABS: which types may. */
static void packet_loads_are_allowed_as_on_linux(void **state)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 6, .src_reg = 1},
		{.code = BPF_LD | BPF_ABS | BPF_W},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};

	if (!linux_is_oracle())
		skip();
	for (u32 type = 1; type <= 32; type++) {
		u32 attach = 0;
		bool want;

		if (!linux_can_load_plainly(type))
			continue;
		while (prog_check_attach_type(type, attach))
			attach++;
		want = !linux_load(type, attach, insns, ARRAY_SIZE(insns), NULL, 0);
		if (prog_row(type)->has_ld_abs != want)
			fail_msg("type %u: LD_ABS", type);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_a_row),
		cmocka_unit_test(every_attach_type_has_a_row),
		cmocka_unit_test(attach_types_are_checked_as_linux_does),
		cmocka_unit_test(return_values_are_checked_as_linux_does),
		cmocka_unit_test(return_values_by_btf_are_checked_as_linux_does),
		cmocka_unit_test(packet_loads_are_allowed_as_on_linux),
	};

	return cmocka_run_group_tests_name("catalog.prog", tests, NULL, NULL);
}
