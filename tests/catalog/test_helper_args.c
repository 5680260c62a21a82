/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What helpers want and give, as on the running kernel: each argument in turn is one that
 * cannot be right, and the kernel says what it expected instead.
 */
#include "catalog/prog.h"
#include "tests/catalog/linux_btf.h"
#include "tests/catalog/linux_call.h"
#include "tests/unit.h"

#include <skep/skep.h>
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

#define MEMORY "fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_"

/* What the kernel expects in place of a number, NULL: a number is right. */
static const char *expected(u32 arg_kind)
{
	switch (arg_kind) {
	case ARG_CONST_MAP_PTR: return "map_ptr";
	case ARG_MAP_KEY:
	case ARG_MAP_VALUE:
	case ARG_MEM:
	case ARG_FIXED_MEM: return MEMORY;
	case ARG_CTX: return "ctx";
	case ARG_SPIN_LOCK: return "map_value, ptr_";
	case ARG_TIMER:
	case ARG_CONST_STR: return "map_value";
	case ARG_SOCK_COMMON: return "sock_common, sock, tcp_sock, xdp_sock";
	case ARG_SOCKET: return "sock";
	case ARG_BTF_ID: return "ptr_, trusted_ptr_, rcu_ptr_";
	case ARG_BTF_ID_SOCK_COMMON:
		return "sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_";
	case ARG_PERCPU_BTF_ID: return "percpu_ptr_, percpu_rcu_ptr_, percpu_trusted_ptr_";
	case ARG_RINGBUF_MEM: return "ringbuf_mem";
	case ARG_FUNC: return "func";
	case ARG_STACK: return "fp";
	case ARG_KPTR: return "map_value, ptr_";
	case ARG_DYNPTR: return "fp, dynptr_ptr";
	default: return NULL;
	}
}

/* The call with a number as argument `odd`; false: an argument before it cannot be made. */
static bool load_with_number(const struct linux_kind *kind, const struct helper_row *helper,
			     u32 odd)
{
	struct bpf_insn insns[64];
	int map = linux_map_for(helper->id);
	u32 count = call_prologue(insns);

	for (u32 i = 0; i < HELPER_ARGS && helper->arg[i].kind != ARG_NONE; i++) {
		u32 added = 0;

		if (i != odd)
			added = call_argument(&helper->arg[i], i + 1, map, insns + count);
		if (i < odd && !added)
			return false;
		count += added ?: call_copy(i + 1, 8, insns + count);
	}
	count += call_epilogue(helper->id, insns + count);
	linux_load_kind(kind, insns, count, 1, log_text, sizeof(log_text));
	return true;
}

static bool kind_may_call(const struct linux_kind *kind, u32 id)
{
	const struct helper_row *row = helper_row(id);

	return row && !linux_may_lack_helper(id) &&
	       helper_is_allowed(row, kind->type, kind->attach_type, kind->sleepable,
				 SKEP_RIGHTS_ALL);
}

/* Compares one argument; whether the kernel said something of it. */
static bool compare_argument(const struct linux_kind *kind, const struct helper_row *helper,
			     u32 index)
{
	const char *want = expected(helper->arg[index].kind);
	char line[160], said[32];

	if (!load_with_number(kind, helper, index))
		return false;
	snprintf(said, sizeof(said), "R%u type=scalar expected=", index + 1);
	if (!want && strstr(log_text, said))
		fail_msg("%s, argument %u is no number: %s", helper->name, index + 1, log_text);
	if (!want || !strstr(log_text, said))
		return false;
	snprintf(line, sizeof(line), "%s%s\n", said, want);
	if (!strstr(log_text, line))
		fail_msg("%s, argument %u is no %s: %s", helper->name, index + 1, want,
			 log_text);
	return true;
}

static void arguments_are_those_of_linux(void **state)
{
	u32 seen = 0;

	if (!kernel)
		skip();
	for (u32 i = 0; i < kind_count; i++)
		for (u32 id = 1; id <= helper_last_id(); id++) {
			const struct helper_row *helper = helper_row_for(id, kinds[i].type);

			if (!kind_may_call(&kinds[i], id))
				continue;
			for (u32 arg = 0; arg < HELPER_ARGS; arg++)
				if (helper->arg[arg].kind != ARG_NONE)
					seen += compare_argument(&kinds[i], helper, arg);
		}
	assert_in_range(seen, 1000, 100000);
}

/* Calls with the current task in place of a kernel object of another type. */
static bool load_with_task(const struct linux_kind *kind, const struct helper_row *helper,
			   u32 odd)
{
	struct bpf_insn insns[64];
	int map = linux_map_for(helper->id);
	u32 count = call_prologue(insns);

	insns[count++] = (struct bpf_insn){.code = BPF_JMP | BPF_CALL,
					   .imm = BPF_FUNC_get_current_task_btf};
	count += call_copy(7, 0, insns + count);
	for (u32 i = 0; i < HELPER_ARGS && helper->arg[i].kind != ARG_NONE; i++) {
		u32 added = 0;

		if (i != odd)
			added = call_argument(&helper->arg[i], i + 1, map, insns + count);
		if (i < odd && !added)
			return false;
		count += added ?: call_copy(i + 1, 7, insns + count);
	}
	count += call_epilogue(helper->id, insns + count);
	linux_load_kind(kind, insns, count, 1, log_text, sizeof(log_text));
	return true;
}

static bool compare_object(const struct linux_kind *kind, const struct helper_row *helper,
			   u32 index)
{
	char line[160], said[64];

	if (!strcmp(helper->arg[index].btf_type ?: "task_struct", "task_struct") ||
	    !load_with_task(kind, helper, index))
		return false;
	snprintf(said, sizeof(said), "R%u is of type task_struct but ", index + 1);
	if (!strstr(log_text, said))
		return false;
	snprintf(line, sizeof(line), "%s%s is expected\n", said, helper->arg[index].btf_type);
	if (!strstr(log_text, line))
		fail_msg("%s, argument %u is no %s: %s", helper->name, index + 1,
			 helper->arg[index].btf_type, log_text);
	return true;
}

static void objects_are_those_of_linux(void **state)
{
	u32 seen = 0;

	if (!kernel)
		skip();
	for (u32 i = 0; i < kind_count; i++)
		for (u32 id = 1; id <= helper_last_id(); id++) {
			const struct helper_row *helper = helper_row_for(id, kinds[i].type);

			if (!kind_may_call(&kinds[i], id))
				continue;
			for (u32 arg = 0; arg < HELPER_ARGS; arg++)
				if (helper->arg[arg].kind == ARG_BTF_ID)
					seen += compare_object(&kinds[i], helper, arg);
		}
	assert_in_range(seen, 20, 1000);
}

static const struct linux_kind *caller_of(u32 id)
{
	for (u32 i = 0; i < kind_count; i++)
		if (kind_may_call(&kinds[i], id))
			return &kinds[i];
	return NULL;
}

/* A verdict on the call whose argument `odd` is `value` (and the next is 0). */
static bool load_with_value(const struct linux_kind *kind, const struct helper_row *helper,
			    u32 odd, const struct bpf_insn *value, u32 value_count)
{
	struct bpf_insn insns[64];
	int map = linux_map_for(helper->id);
	u32 count = call_prologue(insns);

	for (u32 i = 0; i < HELPER_ARGS && helper->arg[i].kind != ARG_NONE; i++) {
		if (i == odd) {
			memcpy(insns + count, value, value_count * sizeof(*value));
			count += value_count;
		} else {
			u32 added = call_argument(&helper->arg[i], i + 1, map, insns + count);

			if (!added)
				return false;
			count += added;
		}
	}
	count += call_epilogue(helper->id, insns + count);
	linux_load_kind(kind, insns, count, 1, log_text, sizeof(log_text));
	return true;
}

static void sizes_may_be_zero_as_on_linux(void **state)
{
	u32 seen = 0;

	if (!kernel)
		skip();
	for (u32 id = 1; id <= helper_last_id(); id++) {
		const struct linux_kind *kind = caller_of(id);
		const struct helper_row *helper = kind ? helper_row_for(id, kind->type) : NULL;

		for (u32 arg = 0; helper && arg < HELPER_ARGS; arg++) {
			bool strict = helper->arg[arg].kind == ARG_CONST_SIZE;
			struct bpf_insn zero;

			call_set(arg + 1, 0, &zero);
			if ((!strict && helper->arg[arg].kind != ARG_CONST_SIZE_OR_ZERO) ||
			    !load_with_value(kind, helper, arg, &zero, 1))
				continue;
			seen++;
			if (strict != !!strstr(log_text, "invalid zero-sized read"))
				fail_msg("%s, argument %u: %s", helper->name, arg + 1,
					 log_text);
		}
	}
	assert_in_range(seen, 30, 200);
}

static bool is_memory(u32 arg_kind)
{
	return arg_kind == ARG_MEM || arg_kind == ARG_FIXED_MEM || arg_kind == ARG_MAP_KEY ||
	       arg_kind == ARG_MAP_VALUE;
}

/* An array whose values programs may only read. */
static int read_only_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = STACK_BYTES,
		.max_entries = 1,
		.map_flags = BPF_F_RDONLY_PROG,
	};

	return linux_bpf(BPF_MAP_CREATE, &attr);
}

static void memory_is_written_as_on_linux(void **state)
{
	int map = kernel ? read_only_map() : -1;
	u32 seen = 0;

	if (map < 0)
		skip();
	for (u32 id = 1; id <= helper_last_id(); id++) {
		const struct linux_kind *kind = caller_of(id);
		const struct helper_row *helper = kind ? helper_row_for(id, kind->type) : NULL;

		for (u32 arg = 0; helper && arg < HELPER_ARGS; arg++) {
			const struct bpf_insn value[] = {
				{.code = BPF_LD | BPF_IMM | BPF_DW,
				 .dst_reg = arg + 1,
				 .src_reg = BPF_PSEUDO_MAP_VALUE,
				 .imm = map},
				{},
			};

			if (!is_memory(helper->arg[arg].kind) ||
			    !load_with_value(kind, helper, arg, value, 2))
				continue;
			seen++;
			if (!!(helper->arg[arg].flags & ARG_WRITE) !=
			    !!strstr(log_text, "write into map forbidden"))
				fail_msg("%s, argument %u: %s", helper->name, arg + 1,
					 log_text);
		}
	}
	close(map);
	assert_in_range(seen, 40, 200);
}

static void licences_are_asked_for_as_on_linux(void **state)
{
	if (!kernel)
		skip();
	for (u32 id = 1; id <= helper_last_id(); id++) {
		const struct linux_kind *kind = caller_of(id);
		const struct bpf_insn insns[] = {
			{.code = BPF_JMP | BPF_CALL, .imm = id},
			{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
			{.code = BPF_JMP | BPF_EXIT},
		};
		union bpf_attr attr = {};

		if (!kind || helper_row_for(id, kind->type) != helper_row(id))
			continue;
		attr.prog_type = kind->type;
		attr.expected_attach_type = kind->attach_type;
		attr.attach_btf_id = kind->btf_id;
		attr.prog_flags = kind->sleepable ? BPF_F_SLEEPABLE : 0;
		attr.insns = (uintptr_t)insns;
		attr.insn_cnt = ARRAY_SIZE(insns);
		attr.license = (uintptr_t) "MIT";
		attr.log_level = 1;
		attr.log_buf = (uintptr_t)log_text;
		attr.log_size = sizeof(log_text);
		log_text[0] = '\0';
		if (linux_bpf(BPF_PROG_LOAD, &attr) >= 0)
			continue;
		if (!!(helper_row(id)->flags & HELPER_GPL) !=
		    !!strstr(log_text, "cannot call GPL-restricted function"))
			fail_msg("%s: %s", helper_row(id)->name, log_text);
	}
}

static void results_are_those_of_linux(void **state)
{
	struct bpf_insn insns[64];
	u32 seen = 0;

	if (!kernel)
		skip();
	for (u32 id = 1; id <= helper_last_id(); id++) {
		const struct linux_kind *kind = caller_of(id);
		const struct helper_row *helper = kind ? helper_row_for(id, kind->type) : NULL;
		u32 count = helper ? build_call(helper, linux_map_for(id), insns) : 0;
		const char *result;

		if (!count)
			continue;
		/* what the call gave is looked at in r2 */
		call_copy(2, 0, insns + count - 2);
		linux_load_kind(kind, insns, count, 2, log_text, sizeof(log_text));
		result = linux_last_state(log_text, "R2=");
		if (!result || !strstr(log_text, "(bf) r2 = r0"))
			continue;
		seen++;
		if (!!(helper->flags & HELPER_RET_OR_NULL) != !!strstr(result, "or_null") ||
		    !!(helper->flags & HELPER_ACQUIRES) != !!strstr(result, "ref_obj_id"))
			fail_msg("%s: %s", helper->name, result);
	}
	assert_in_range(seen, 50, 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_are_those_of_linux),
		cmocka_unit_test(objects_are_those_of_linux),
		cmocka_unit_test(sizes_may_be_zero_as_on_linux),
		cmocka_unit_test(memory_is_written_as_on_linux),
		cmocka_unit_test(licences_are_asked_for_as_on_linux),
		cmocka_unit_test(results_are_those_of_linux),
	};

	return cmocka_run_group_tests_name("catalog.helper_args", tests, open_kernel,
					   close_kernel);
}
