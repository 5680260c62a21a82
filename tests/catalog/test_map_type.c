/* SPDX-License-Identifier: BSD-2-Clause */
/* maps.def: flags of creation, and which helpers take which maps, as on the running kernel. */
#include "catalog/helper.h"
#include "catalog/map_type.h"
#include "catalog/prog.h"
#include "tests/catalog/linux_call.h"
#include "tests/unit.h"

#include <skep/skep.h>

#define LAST_MAP_TYPE 33

static void every_type_has_a_row(void **state)
{
	assert_int_equal(map_type_last(), LAST_MAP_TYPE);
	assert_null(map_type_row(0));
	assert_null(map_type_row(LAST_MAP_TYPE + 1));
	assert_null(map_type_row_by_name("none"));
	for (u32 type = 1; type <= LAST_MAP_TYPE; type++) {
		const struct map_type_row *row = map_type_row(type);

		assert_non_null(row);
		assert_int_equal(row->type, type);
		assert_ptr_equal(map_type_row_by_name(row->name), row);
		assert_int_equal(row->required_flags & ~row->flags, 0);
		for (u32 i = 0; i < MAP_TYPE_HELPERS && row->helpers[i]; i++)
			assert_non_null(helper_row(row->helpers[i]));
	}
}

static bool linux_takes_flags(u32 type, u32 flags)
{
	int fd = linux_make_map(type, flags);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void flags_are_those_of_linux(void **state)
{
	if (!linux_is_oracle())
		skip();
	for (u32 type = 1; type <= LAST_MAP_TYPE; type++) {
		const struct map_type_row *row = map_type_row(type);

		if (type == BPF_MAP_TYPE_STRUCT_OPS)
			continue; /* needs the kernel's types */
		assert_true(linux_takes_flags(type, row->required_flags));
		if (row->required_flags)
			assert_false(linux_takes_flags(type, 0));
		for (u32 bit = 0; bit < 20; bit++) {
			u32 flag = 1u << bit;
			bool want;

			/* build ids change the sizes; a link wants struct_ops */
			if (flag == BPF_F_STACK_BUILD_ID || (row->required_flags & flag))
				continue;
			want = linux_takes_flags(type, row->required_flags | flag);
			if (!!(row->flags & flag) != want)
				fail_msg("%s: flag %#x: Linux %s it", row->name, flag,
					 want ? "takes" : "refuses");
		}
	}
}

static u32 caller_of(const struct helper_row *helper)
{
	for (u32 type = 1; type <= 32; type++)
		if (linux_can_load_plainly(type) &&
		    helper_row_for(helper->id, type) == helper &&
		    helper_is_allowed(helper, type, 0, true, SKEP_RIGHTS_ALL) &&
		    !prog_check_attach_type(type, 0))
			return type;
	return 0;
}

static bool takes_a_map(const struct helper_row *helper)
{
	for (u32 i = 0; i < HELPER_ARGS; i++)
		if (helper->arg[i].kind == ARG_CONST_MAP_PTR)
			return true;
	return false;
}

static void helpers_take_the_maps_of_linux(void **state)
{
	static char log[16384];
	struct bpf_insn insns[64];
	u32 pairs = 0;

	if (!linux_is_oracle())
		skip();
	for (u32 type = 1; type <= LAST_MAP_TYPE; type++) {
		int map = type == BPF_MAP_TYPE_STRUCT_OPS
				  ? -1
				  : linux_make_map(type, map_type_row(type)->required_flags);

		for (u32 id = 1; map >= 0 && id <= helper_last_id(); id++) {
			const struct helper_row *helper = helper_row(id);
			u32 caller = caller_of(helper), count;
			int result;

			if (!takes_a_map(helper) || !caller)
				continue;
			count = build_call(helper, map, insns);
			if (!count)
				continue;
			result = linux_load(caller, 0, insns, count, log, sizeof(log));
			if (result && !strstr(log, "cannot pass map_type"))
				continue; /* something else is wrong with the call */
			pairs++;
			if (map_type_may_use_helper(type, id) != !result)
				fail_msg("%s with %s: Linux %s it", helper->name,
					 map_type_row(type)->name,
					 result ? "refuses" : "takes");
		}
		close(map);
	}
	assert_in_range(pairs, 100, 5000);
}

static void sleepable_programs_use_the_maps_of_linux(void **state)
{
	static char log[4096];
	static const struct linux_kind kind = {BPF_PROG_TYPE_SYSCALL, 0, 0, true};

	if (!linux_is_oracle())
		skip();
	for (u32 type = 1; type <= LAST_MAP_TYPE; type++) {
		int map = type == BPF_MAP_TYPE_STRUCT_OPS
				  ? -1
				  : linux_make_map(type, map_type_row(type)->required_flags);
		const struct bpf_insn insns[] = {
			{.code = BPF_LD | BPF_IMM | BPF_DW,
			 .dst_reg = 1,
			 .src_reg = BPF_PSEUDO_MAP_FD,
			 .imm = map},
			{},
			{.code = BPF_ALU64 | BPF_MOV | BPF_K},
			{.code = BPF_JMP | BPF_EXIT},
		};

		if (map < 0)
			continue;
		linux_load_kind(&kind, insns, ARRAY_SIZE(insns), 1, log, sizeof(log));
		if (map_type_row(type)->for_sleepable ==
		    !!strstr(log, "Sleepable programs can only use"))
			fail_msg("%s: %s", map_type_row(type)->name, log);
		close(map);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_a_row),
		cmocka_unit_test(flags_are_those_of_linux),
		cmocka_unit_test(helpers_take_the_maps_of_linux),
		cmocka_unit_test(sleepable_programs_use_the_maps_of_linux),
	};

	return cmocka_run_group_tests_name("catalog.map_type", tests, NULL, NULL);
}
