/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What programs attach to by BTF, and the objects that they are given, on a made-up kernel
 * (kernel.bpf.c): what the running one does not let programs attach to, or has no types for.
 * The others are in tests/objects.
 */
#include "tests/btf/sample.h"
#include "base/error.h"
#include "isa/isa.h"
#include "tests/unit.h"
#include "verify/reason.h"
#include "verify/verify.h"

#include <skep/skep.h>
#include <stdlib.h>
#include <string.h>

#define LOAD_TASK "r1 = *(u64 *)(r1 + 0)\n"
#define LOAD_THING LOAD_TASK "r1 = *(u64 *)(r1 + 0)\n"
#define DONE "r0 = 0\nexit\n"

enum { TRACING = BPF_PROG_TYPE_TRACING, LSM = BPF_PROG_TYPE_LSM, OPS = BPF_PROG_TYPE_STRUCT_OPS };

static const struct row {
	const char *target; /* "": attach_btf_id 0; NULL: one that is no type */
	u32 kind;	    /* of the target */
	u32 type, attach_type, flags;
	const char *text;
	const char *reason; /* NULL: accepted */
	bool not_gpl;
	const char *symbol; /* that "btf_id 0" means */
} rows[] = {
	/* sleepable programs */
	{"", 0, BPF_PROG_TYPE_SYSCALL, 0, 0, DONE, "syscall_must_sleep"},
	{"", 0, BPF_PROG_TYPE_XDP, BPF_XDP, VERIFY_SLEEPABLE, DONE, "cannot_sleep"},
	{"btf_trace_sample", BTF_KIND_TYPEDEF, TRACING, BPF_TRACE_RAW_TP, VERIFY_SLEEPABLE, DONE,
	 "cannot_sleep"},

	/* tracepoints */
	{"btf_trace_sample", BTF_KIND_TYPEDEF, TRACING, BPF_TRACE_RAW_TP, 0, DONE},
	{"btf_trace_sample", BTF_KIND_TYPEDEF, TRACING, BPF_TRACE_RAW_TP, 0,
	 "r0 = *(u32 *)(r1 + 8)\nexit\n"},
	{"btf_trace_sample", BTF_KIND_TYPEDEF, TRACING, BPF_TRACE_RAW_TP, 0,
	 "r0 = *(u64 *)(r1 + 16)\nexit\n", "argument_missing"},
	{"btf_trace_sample", BTF_KIND_TYPEDEF, TRACING, BPF_TRACE_RAW_TP, 0,
	 "r0 = *(u32 *)(r1 + 0)\nexit\n", "argument_size"},
	{"btf_trace_sample", BTF_KIND_TYPEDEF, TRACING, BPF_TRACE_RAW_TP, 0,
	 "r0 = *(u32 *)(r1 + 12)\nexit\n", "argument_offset"},
	{"", 0, TRACING, BPF_TRACE_RAW_TP, 0, DONE, "attach_missing"},
	{NULL, 0, TRACING, BPF_TRACE_RAW_TP, 0, DONE, "attach_no_type"},
	{"task_struct", BTF_KIND_STRUCT, TRACING, BPF_TRACE_RAW_TP, 0, DONE, "attach_no_typedef"},
	{"not_a_trace", BTF_KIND_TYPEDEF, TRACING, BPF_TRACE_RAW_TP, 0, DONE,
	 "attach_wrong_name"},
	{"btf_trace_wrong", BTF_KIND_TYPEDEF, TRACING, BPF_TRACE_RAW_TP, 0, DONE,
	 "attach_unknown"},

	/* iterators */
	{"bpf_iter_task", BTF_KIND_FUNC, TRACING, BPF_TRACE_ITER, 0, DONE},
	{"bpf_iter_task", BTF_KIND_FUNC, TRACING, BPF_TRACE_ITER, VERIFY_SLEEPABLE, DONE},
	{"bpf_iter_nothing", BTF_KIND_FUNC, TRACING, BPF_TRACE_ITER, 0, DONE, "attach_unknown"},
	{"task_struct", BTF_KIND_STRUCT, TRACING, BPF_TRACE_ITER, 0, DONE, "attach_no_function"},
	{"bpf_iter_task", BTF_KIND_FUNC, TRACING, BPF_TRACE_ITER, 0, "r0 = 2\nexit\n",
	 "result_range"},

	/* functions: arguments are not trusted; some results may be read, some changed */
	{"sample_function", BTF_KIND_FUNC, TRACING, BPF_TRACE_FENTRY, 0, DONE},
	{"sample_function", BTF_KIND_FUNC, TRACING, BPF_TRACE_FENTRY, VERIFY_SLEEPABLE, DONE,
	 "attach_no_sleep"},
	{"sample_function", BTF_KIND_FUNC, TRACING, BPF_TRACE_FENTRY, 0, "r0 = 1\nexit\n",
	 "result_range"},
	{"sample_function", BTF_KIND_FUNC, TRACING, BPF_TRACE_FENTRY, 0,
	 "r0 = *(u64 *)(r1 + 8)\nr0 = *(u64 *)(r1 + 24)\n" DONE},
	{"sample_function", BTF_KIND_FUNC, TRACING, BPF_TRACE_FENTRY, 0,
	 "r0 = *(u64 *)(r1 + 32)\n" DONE, "argument_no_struct"},
	{"sample_function", BTF_KIND_FUNC, TRACING, BPF_TRACE_FENTRY, 0,
	 "r0 = *(u64 *)(r1 + 40)\n" DONE, "argument_missing"},
	{"sample_function", BTF_KIND_FUNC, TRACING, BPF_TRACE_FEXIT, 0,
	 "r0 = *(u64 *)(r1 + 40)\n" DONE},
	{"sample_wide", BTF_KIND_FUNC, TRACING, BPF_TRACE_FENTRY, 0,
	 "r0 = *(u64 *)(r1 + 0)\n" DONE, "argument_type"},
	{"sample_function", BTF_KIND_FUNC, TRACING, BPF_MODIFY_RETURN, 0, DONE,
	 "attach_not_modifiable"},
	{"bpf_modify_return_test", BTF_KIND_FUNC, TRACING, BPF_MODIFY_RETURN, 0,
	 "r0 = *(u32 *)(r1 + 16)\nexit\n"},
	{"should_failslab", BTF_KIND_FUNC, TRACING, BPF_MODIFY_RETURN, 0,
	 "r0 = *(u64 *)(r1 + 0)\n" DONE, "result_not_modifiable"},
	{"migrate_disable", BTF_KIND_FUNC, TRACING, BPF_TRACE_FENTRY, 0, DONE, "attach_denied"},
	{"do_exit", BTF_KIND_FUNC, TRACING, BPF_TRACE_FENTRY, 0, DONE},
	{"do_exit", BTF_KIND_FUNC, TRACING, BPF_TRACE_FEXIT, 0, DONE, "attach_no_return"},

	/* security hooks */
	{"bpf_lsm_file_open", BTF_KIND_FUNC, LSM, BPF_LSM_MAC, 0, DONE},
	{"bpf_lsm_file_open", BTF_KIND_FUNC, LSM, BPF_LSM_MAC, 0, DONE, "lsm_gpl", true},
	{"bpf_lsm_file_open", BTF_KIND_FUNC, LSM, BPF_LSM_MAC, VERIFY_SLEEPABLE, DONE},
	{"bpf_lsm_file_open", BTF_KIND_FUNC, LSM, BPF_LSM_MAC, 0, "r0 = -4095\nexit\n"},
	{"bpf_lsm_file_open", BTF_KIND_FUNC, LSM, BPF_LSM_MAC, 0, "r0 = 1\nexit\n",
	 "result_range"},
	{"bpf_lsm_inode_xattr_skipcap", BTF_KIND_FUNC, LSM, BPF_LSM_MAC, 0, "r0 = 1\nexit\n"},
	{"bpf_lsm_inode_xattr_skipcap", BTF_KIND_FUNC, LSM, BPF_LSM_MAC, 0, "r0 = -1\nexit\n",
	 "result_range"},
	{"bpf_lsm_task_free", BTF_KIND_FUNC, LSM, BPF_LSM_MAC, 0, "exit\n"},
	{"bpf_lsm_task_free", BTF_KIND_FUNC, LSM, BPF_LSM_MAC, VERIFY_SLEEPABLE, "exit\n",
	 "attach_no_sleep"},
	{"bpf_lsm_vm_enough_memory", BTF_KIND_FUNC, LSM, BPF_LSM_MAC, 0, DONE,
	 "attach_disabled_hook"},
	{"bpf_lsm_file_open", BTF_KIND_FUNC, LSM, BPF_LSM_CGROUP, 0, "r0 = 2\nexit\n",
	 "result_range"},
	{"sample_function", BTF_KIND_FUNC, LSM, BPF_LSM_MAC, 0, DONE, "attach_wrong_name"},

	/* members of structures of functions */
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 0, 0, "r0 = 5\nexit\n"},
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 0, 0, LOAD_TASK "r0 = *(u32 *)(r1 + 0)\nexit\n",
	 "bad_pointer"},
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 1, 0, LOAD_TASK "r0 = *(u32 *)(r1 + 0)\nexit\n"},
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 1, 0,
	 LOAD_TASK "r0 = 1\n*(u32 *)(r1 + 0) = r0\nexit\n"},
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 1, VERIFY_SLEEPABLE, DONE, "ops_sleepable"},
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 1, 0, "call 5\n" DONE, "helper_not_for_type"},
	{"Qdisc_ops", BTF_KIND_STRUCT, OPS, 0, 0, DONE, "ops_unknown"},
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 2, VERIFY_SLEEPABLE, DONE},
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 2, 0, "r0 = 1\nexit\n", "result_range"},
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 3, 0, "exit\n"},
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 4, 0, "r0 = *(u64 *)(r1 + 0)\nexit\n"},
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 4, 0, DONE, "unreleased"},
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 4, 0, "r2 = 0\nr3 = 0\ncall 12\n" DONE,
	 "ops_tail_call"},
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 5, 0, DONE, "ops_no_function"},
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 6, 0, DONE, "ops_index"},
	{"bpf_dummy_ops", BTF_KIND_STRUCT, OPS, 0, 0, DONE, "ops_gpl", true},
	{"task_struct", BTF_KIND_STRUCT, OPS, 0, 0, DONE, "ops_unknown"},

	/* pointers with tags, unions, arrays, bits */
#define THROUGH(text) \
	"btf_trace_sample", BTF_KIND_TYPEDEF, TRACING, BPF_TRACE_RAW_TP, 0, LOAD_THING text DONE
	{THROUGH("r1 = *(u64 *)(r1 + 8)\nr1 = *(u32 *)(r1 + 0)\n"), "object_user"},
	{THROUGH("r1 = *(u64 *)(r1 + 16)\nr1 = *(u32 *)(r1 + 0)\n"), "object_percpu"},
	{THROUGH("r1 = *(u64 *)(r1 + 24)\nr1 = *(u32 *)(r1 + 0)\n"), "bad_pointer"},
	{THROUGH("r1 = *(u64 *)(r1 + 24)\nif r1 == 0 goto +1\nr1 = *(u32 *)(r1 + 0)\n")},
	{THROUGH("r1 = *(u64 *)(r1 + 32)\nr1 = *(u32 *)(r1 + 0)\n")},
	{THROUGH("r1 = *(u64 *)(r1 + 40)\nr1 = *(u32 *)(r1 + 0)\n")},
	{THROUGH("r1 = *(u64 *)(r1 + 52)\n")},
	{THROUGH("r1 = *(u64 *)(r1 + 68)\n"), "member_range"},
	{THROUGH("r1 = *(u64 *)(r1 + 96)\nr1 = *(u32 *)(r1 + 0)\n")},
	{THROUGH("r1 = *(u32 *)(r1 + 100)\n"), "member_pointer"},
	{THROUGH("r1 = *(u32 *)(r1 + 120)\n")},
	{THROUGH("r1 = *(u8 *)(r1 + 121)\n"), "member_missing"},
	{THROUGH("r1 = *(u64 *)(r1 + 128)\nr2 = *(u64 *)(r1 - 4096)\n")},
	{THROUGH("r1 = *(u8 *)(r1 + 200)\n"), "object_range"},
	{THROUGH("r1 = *(u64 *)(r1 + 0)\nr1 = *(u8 *)(r1 + 0)\n"), "bad_pointer"},
	{THROUGH("r2 = *(u8 *)(r1 + 0)\nr1 += r2\nr1 = *(u8 *)(r1 + 0)\n"), "object_variable"},
	{THROUGH("r2 = *(u8 *)(r1 - 1)\n"), "object_negative"},
	{THROUGH("*(u64 *)(r1 + 0) = r1\n"), "object_read_only"},
	{THROUGH("call 175\n"), "arg_btf_type"},
	{THROUGH(""), "object_gpl", true},

	/* the kernel's own variables */
#define OF(text) "", 0, BPF_PROG_TYPE_SCHED_CLS, 0, 0, "r1 = btf_id 0 ll\n" text DONE
	{OF("r0 = *(u32 *)(r1 + 0)\n"), NULL, false, "number"},
	{OF("r0 = *(u64 *)(r1 + 0)\n"), "memory_range", false, "number"},
	{OF("*(u32 *)(r1 + 0) = 1\n"), "read_only_object", false, "number"},
	{OF("r0 = *(u64 *)(r1 + 0)\n"), NULL, false, "thing"},
	{OF("*(u64 *)(r1 + 0) = 1\n"), "object_read_only", false, "thing"},
	{OF("r0 = *(u32 *)(r1 + 0)\n"), "object_percpu", false, "per_cpu_object"},
	{OF("call 154\nr0 = *(u32 *)(r0 + 0)\n"), NULL, false, "per_cpu_object"},
	{OF("call 154\n*(u32 *)(r0 + 0) = 1\n"), "object_read_only", false, "per_cpu_object"},
	{OF("r2 = 1\ncall 153\nr0 = *(u32 *)(r0 + 0)\n"), "bad_pointer", false,
	 "per_cpu_object"},
	{OF("r2 = 1\ncall 153\nif r0 == 0 goto +1\nr0 = *(u32 *)(r0 + 0)\n"), NULL, false,
	 "per_cpu_object"},
	{OF("call 154\nr0 = *(u32 *)(r0 + 0)\n"), NULL, false, "per_cpu_number"},
	{OF("call 154\nr0 = *(u64 *)(r0 + 0)\n"), "memory_range", false, "per_cpu_number"},
	{OF("call 154\n*(u32 *)(r0 + 0) = 1\n"), "read_only_object", false, "per_cpu_number"},
	{OF("call 154\n"), "arg_kind", false, "thing"},
	{OF("r0 = *(u8 *)(r1 + 0)\n"), "memory_range", false, "do_exit"},
	{OF(""), "variable_kind", false, "task_struct"},
	{OF(""), "variable_kind"},
	{"", 0, BPF_PROG_TYPE_SCHED_CLS, 0, 0, "r1 = btf_id 1000000 ll\n" DONE,
	 "variable_missing"},
};

static struct btf_view *kernel;

static const struct btf_view *kernel_btf(void *cookie)
{
	return kernel;
}

static u32 target_id(const struct row *row)
{
	if (!row->target)
		return btf_type_count(kernel) + 1;
	return *row->target ? btf_find(kernel, row->target, row->kind) : 0;
}

static u32 symbol_id(const char *name)
{
	u32 id = btf_find(kernel, name, BTF_KIND_VAR);

	id = id ?: btf_find(kernel, name, BTF_KIND_FUNC);
	return id ?: btf_find(kernel, name, BTF_KIND_STRUCT);
}

static int verify_row(const struct row *row, struct skep_error *err)
{
	struct verify_input input = {
		.type = row->type,
		.attach_type = row->attach_type,
		.flags = row->flags,
		.rights = SKEP_RIGHTS_ALL,
		.gpl = !row->not_gpl,
		.kernel_btf = kernel_btf,
		.attach_btf_id = target_id(row),
	};
	struct verified *verified = NULL;
	struct bpf_insn *insns;
	int ret = insns_assemble(row->text, &insns, &input.insn_cnt, err);

	if (ret) {
		print_error("%s\n does not assemble: %s\n", row->text, err->text);
		return ret;
	}
	if (row->symbol)
		insns[0].imm = (s32)symbol_id(row->symbol);
	input.insns = insns;
	ret = verify_program(&input, &verified, err);
	verified_free(verified);
	free(insns);
	return ret;
}

static bool is_as_wanted(const struct row *row, int ret, const struct skep_error *err)
{
	if (!row->reason)
		return !ret;
	return ret && err->reason && !strcmp(err->reason, row->reason);
}

static void programs_attach_by_type(void **state)
{
	struct skep_error err;
	u32 failures = 0, size = 0;
	u8 *blob = sample_btf(SAMPLES "kernel.elf", &size);

	assert_non_null(blob);
	assert_int_equal(btf_view_new(blob, size, &kernel, NULL, &err), 0);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		int ret = verify_row(&rows[i], &err);

		if (is_as_wanted(&rows[i], ret, &err))
			continue;
		print_error("row %u: %s\n%s want %s, got %d %s: %s\n", i,
			    rows[i].target ? rows[i].target : "no type", rows[i].text,
			    rows[i].reason ? rows[i].reason : "accept", ret,
			    err.reason ? err.reason : "", err.text);
		failures++;
	}
	btf_view_free(kernel);
	free(blob);
	assert_int_equal(failures, 0);
}

static void a_kernel_without_types_has_no_targets(void **state)
{
	const struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K},
					 {.code = BPF_JMP | BPF_EXIT}};
	struct verify_input input = {
		.insns = insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.type = BPF_PROG_TYPE_TRACING,
		.attach_type = BPF_TRACE_FENTRY,
		.rights = SKEP_RIGHTS_ALL,
		.attach_btf_id = 1,
	};
	struct verified *verified = NULL;
	struct skep_error err;

	assert_int_equal(verify_program(&input, &verified, &err), -EINVAL);
	assert_string_equal(err.reason, "attach_without_btf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_attach_by_type),
		cmocka_unit_test(a_kernel_without_types_has_no_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
