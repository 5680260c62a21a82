/* SPDX-License-Identifier: BSD-2-Clause */
/* helpers.def: against the running kernel (who may call what) and libbpf's prototypes. */
#include "catalog/helper.h"
#include "catalog/prog.h"
#include "tests/catalog/linux_btf.h"
#include "tests/unit.h"

#include <linux/capability.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>

#define LAST_HELPER 211

static void every_helper_has_a_row(void **state)
{
	assert_int_equal(helper_last_id(), LAST_HELPER);
	assert_null(helper_row(0));
	assert_null(helper_row(LAST_HELPER + 1));
	assert_null(helper_row_by_name("no_such_helper"));
	for (u32 id = 1; id <= LAST_HELPER; id++) {
		const struct helper_row *row = helper_row(id);

		assert_non_null(row);
		assert_int_equal(row->id, id);
		assert_ptr_equal(helper_row_by_name(row->name), row);
		assert_int_not_equal(row->progs, 0);
	}
}

/* A size follows its memory, a key or value follows a map, and so on. */
static void arguments_fit_together(void **state)
{
	for (u32 id = 1; id <= LAST_HELPER; id++) {
		const struct helper_row *row = helper_row(id);
		bool has_map = false, ended = false;

		for (u32 i = 0; i < HELPER_ARGS; i++) {
			u32 kind = row->arg[i].kind;
			bool is_size = kind == ARG_CONST_SIZE || kind == ARG_CONST_SIZE_OR_ZERO;
			bool after_memory = i > 0 && row->arg[i - 1].kind == ARG_MEM;

			if (is_size != after_memory)
				fail_msg("%s: argument %u: memory and size", row->name, i + 1);
			if ((kind == ARG_MAP_KEY || kind == ARG_MAP_VALUE) && !has_map)
				fail_msg("%s: argument %u: no map before it", row->name, i + 1);
			if (ended && kind != ARG_NONE)
				fail_msg("%s: argument %u after the last", row->name, i + 1);
			assert_int_equal(kind == ARG_FIXED_MEM, row->arg[i].size != 0);
			has_map |= kind == ARG_CONST_MAP_PTR;
			ended |= kind == ARG_NONE;
		}
	}
}

static u32 row_arity(const struct helper_row *row)
{
	u32 arity = 0;

	while (arity < HELPER_ARGS && row->arg[arity].kind != ARG_NONE)
		arity++;
	return arity;
}

/* Number of parameters in "static R (*bpf_NAME)(PARAMETERS) = (void *) ID;", -1: variadic. */
static int prototype_arity(const char *parameters)
{
	int commas = 0;

	if (!strncmp(parameters, "void)", 5))
		return 0;
	for (; *parameters != ')'; parameters++) {
		if (!strncmp(parameters, "...", 3))
			return -1;
		commas += *parameters == ',';
	}
	return commas + 1;
}

/* Where Linux checks fewer arguments than the prototype names. */
static bool has_own_arity(u32 id)
{
	return id == BPF_FUNC_get_cgroup_classid || /* of the current task: the context is
						       unused */
	       id == BPF_FUNC_get_branch_snapshot;  /* flags may be anything */
}

static void names_and_arities_are_those_of_libbpf(void **state)
{
	FILE *header = fopen("/usr/include/bpf/bpf_helper_defs.h", "r");
	char line[1024], name[64];
	u32 seen = 0;

	if (!header)
		skip();
	while (fgets(line, sizeof(line), header)) {
		char *declaration = strstr(line, "(*bpf_"), *number = strstr(line, "(void *) ");
		const struct helper_row *row;
		int arity;

		if (strncmp(line, "static ", 7) || !declaration || !number)
			continue;
		row = helper_row(atoi(number + strlen("(void *) ")));
		if (!row)
			break; /* a libbpf newer than the table */
		assert_int_equal(sscanf(declaration, "(*bpf_%63[a-z0-9_])(", name), 1);
		assert_string_equal(row->name, name);
		arity = prototype_arity(strstr(declaration, ")(") + 2);
		if (arity >= 0 && !has_own_arity(row->id) && arity != (int)row_arity(row))
			fail_msg("%s: %u arguments, libbpf %d", name, row_arity(row), arity);
		seen++;
	}
	fclose(header);
	assert_in_range(seen, 150, LAST_HELPER);
}

/* What Linux says of a program that calls the helper with zeros. */
static int load_call(const struct linux_kind *kind, u32 id, char *log, u32 log_size)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 4},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 5},
		{.code = BPF_JMP | BPF_CALL, .imm = id},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return linux_load_kind(kind, insns, ARRAY_SIZE(insns), 1, log, log_size);
}

static bool linux_lets_call(const struct linux_kind *kind, u32 id)
{
	static char log[16384];

	if (!load_call(kind, id, log, sizeof(log)))
		return true;
	return !strstr(log, "cannot use helper") && !strstr(log, "invalid func") &&
	       !strstr(log, "unknown func") && !strstr(log, "call is not allowed in probe") &&
	       !strstr(log, "call might sleep");
}

/* Only iterators over some sockets have it: which is the verifier's to know. */
static bool depends_on_target(const struct linux_kind *kind, u32 id)
{
	return kind->type == BPF_PROG_TYPE_TRACING && kind->attach_type == BPF_TRACE_ITER &&
	       (id == BPF_FUNC_setsockopt || id == BPF_FUNC_getsockopt);
}

static u32 compare_callers(const struct linux_kind *kind, u32 rights)
{
	u32 differences = 0;

	for (u32 id = 1; id <= LAST_HELPER; id++) {
		const struct helper_row *row = helper_row_for(id, kind->type) ?: helper_row(id);
		bool got = helper_is_allowed(row, kind->type, kind->attach_type,
					     kind->sleepable, rights);
		bool want = linux_lets_call(kind, id);

		if (got == want || (got && linux_may_lack_helper(id)) ||
		    depends_on_target(kind, id))
			continue;
		print_message("# %s in type %u, attach type %u: Linux %s it\n", row->name,
			      kind->type, kind->attach_type, want ? "allows" : "refuses");
		differences++;
	}
	return differences;
}

static void callers_are_those_of_linux(void **state)
{
	u32 differences = 0;

	if (!linux_is_oracle())
		skip();
	for (u32 type = 1; type <= 32; type++)
		for (u32 attach = 0; attach <= 57; attach++) {
			const struct linux_kind kind = {type, attach, 0,
							type == BPF_PROG_TYPE_SYSCALL};
			bool by_attach = prog_check_attach_type(type, 55) ||
					 type == BPF_PROG_TYPE_KPROBE;

			if (linux_can_load_plainly(type) &&
			    !prog_check_attach_type(type, attach) && (!attach || by_attach))
				differences += compare_callers(&kind, SKEP_RIGHTS_ALL);
		}
	assert_int_equal(differences, 0);
}

/* The helpers that a probe may call which sleeps. */
static void sleeping_callers_are_those_of_linux(void **state)
{
	const struct linux_kind kind = {BPF_PROG_TYPE_KPROBE, 0, 0, true};

	if (!linux_is_oracle())
		skip();
	assert_int_equal(compare_callers(&kind, SKEP_RIGHTS_ALL), 0);
}

static u32 compare_licences(const struct linux_kind *kind)
{
	static char log[16384];
	u32 differences = 0;

	for (u32 id = 1; id <= LAST_HELPER; id++) {
		const struct helper_row *row = helper_row_for(id, kind->type) ?: helper_row(id);
		const bool got = row->flags & HELPER_GPL;

		if (!linux_lets_call(&(struct linux_kind){kind->type, kind->attach_type, 0,
							  kind->sleepable},
				     id))
			continue;
		load_call(kind, id, log, sizeof(log));
		if (got == !!strstr(log, "GPL-restricted"))
			continue;
		print_message("# %s in type %u: Linux %s a GPL-compatible licence\n", row->name,
			      kind->type, got ? "needs no" : "needs");
		differences++;
	}
	return differences;
}

static void licences_are_those_of_linux(void **state)
{
	u32 differences = 0;

	if (!linux_is_oracle())
		skip();
	for (u32 type = 1; type <= 32; type++) {
		struct linux_kind kind = {type, 0, 0, type == BPF_PROG_TYPE_SYSCALL, true};

		while (prog_check_attach_type(type, kind.attach_type))
			kind.attach_type++;
		if (linux_can_load_plainly(type))
			differences += compare_licences(&kind);
	}
	assert_int_equal(differences, 0);
}

static void callers_by_btf_are_those_of_linux(void **state)
{
	struct btf_view *kernel = linux_is_oracle() ? linux_btf_open() : NULL;
	struct linux_kind kinds[40];
	u32 differences = 0, count;

	if (!kernel)
		skip();
	count = linux_kinds(kernel, kinds);
	for (u32 i = 0; i < count; i++)
		if (kinds[i].btf_id)
			differences += compare_callers(&kinds[i], SKEP_RIGHTS_ALL);
	btf_view_free(kernel);
	assert_int_equal(differences, 0);
}

/* The capabilities that count at the moment; true when the kernel took them. */
static bool set_effective(u64 capabilities)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return false;
	data[0].effective = data[0].permitted & (u32)capabilities;
	data[1].effective = data[1].permitted & (u32)(capabilities >> 32);
	return !syscall(SYS_capset, &header, data);
}

static void rights_are_those_of_linux(void **state)
{
	static const u64 bpf = 1ull << CAP_BPF | 1ull << CAP_NET_ADMIN;
	const u32 rights = SKEP_RIGHT_BPF | SKEP_RIGHT_NET_ADMIN;
	u32 differences = 0, seen = 0;

	if (!linux_is_oracle() || !set_effective(bpf))
		skip();
	for (u32 type = 1; type <= 32; type++) {
		struct linux_kind kind = {type, 0, 0, type == BPF_PROG_TYPE_SYSCALL};

		while (prog_check_attach_type(type, kind.attach_type))
			kind.attach_type++;
		if (!linux_can_load_plainly(type) || (prog_row(type)->rights & ~rights))
			continue;
		differences += compare_callers(&kind, rights);
		seen++;
	}
	set_effective(~0ull);
	assert_int_equal(differences, 0);
	assert_in_range(seen, 15, 32);
}

static void rights_sleep_and_variants(void **state)
{
	const struct helper_row *row = helper_row(BPF_FUNC_probe_read_kernel);

	assert_false(helper_is_allowed(row, BPF_PROG_TYPE_XDP, 0, false, SKEP_RIGHT_BPF));
	assert_true(helper_is_allowed(row, BPF_PROG_TYPE_XDP, 0, false,
				      SKEP_RIGHT_BPF | SKEP_RIGHT_PERFMON));
	row = helper_row(BPF_FUNC_map_lookup_elem);
	assert_true(helper_is_allowed(row, BPF_PROG_TYPE_SOCKET_FILTER, 0, false, 0));
	row = helper_row(BPF_FUNC_copy_from_user);
	assert_false(helper_is_allowed(row, BPF_PROG_TYPE_SYSCALL, 0, false, SKEP_RIGHTS_ALL));
	assert_true(helper_is_allowed(row, BPF_PROG_TYPE_SYSCALL, 0, true, SKEP_RIGHTS_ALL));

	row = helper_row_for(BPF_FUNC_get_socket_cookie, BPF_PROG_TYPE_XDP);
	assert_null(row);
	row = helper_row_for(BPF_FUNC_get_socket_cookie, BPF_PROG_TYPE_SCHED_CLS);
	assert_int_equal(row->arg[0].kind, ARG_CTX);
	row = helper_row_for(BPF_FUNC_get_socket_cookie, BPF_PROG_TYPE_SYSCALL);
	assert_int_equal(row->arg[0].kind, ARG_BTF_ID_SOCK_COMMON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_helper_has_a_row),
		cmocka_unit_test(arguments_fit_together),
		cmocka_unit_test(names_and_arities_are_those_of_libbpf),
		cmocka_unit_test(callers_are_those_of_linux),
		cmocka_unit_test(sleeping_callers_are_those_of_linux),
		cmocka_unit_test(licences_are_those_of_linux),
		cmocka_unit_test(callers_by_btf_are_those_of_linux),
		cmocka_unit_test(rights_are_those_of_linux),
		cmocka_unit_test(rights_sleep_and_variants),
	};

	return cmocka_run_group_tests_name("catalog.helper", tests, NULL, NULL);
}
