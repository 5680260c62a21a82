/* SPDX-License-Identifier: BSD-2-Clause */
/* Context access: every place, size and kind of access, compared with the running kernel. */
#include "catalog/ctx.h"
#include "catalog/linux_need.h"
#include "catalog/prog.h"
#include "tests/catalog/linux_btf.h"
#include "tests/unit.h"

#include <stdio.h>

enum access { ACCESS_LOAD, ACCESS_STORE_IMMEDIATE, ACCESS_STORE_REGISTER, ACCESS_KINDS };

static const u8 size_codes[] = {BPF_B, BPF_H, BPF_W, BPF_DW};

static struct bpf_insn access_insn(enum access access, u8 size_code, s32 offset, u8 pointer)
{
	struct bpf_insn insn = {.off = offset};

	if (access == ACCESS_LOAD) {
		insn.code = BPF_LDX | BPF_MEM | size_code;
		insn.dst_reg = BPF_REG_2;
		insn.src_reg = pointer;
	} else {
		insn.code = (access == ACCESS_STORE_REGISTER ? BPF_STX : BPF_ST) | BPF_MEM |
			    size_code;
		insn.dst_reg = pointer;
		insn.src_reg = access == ACCESS_STORE_REGISTER ? BPF_REG_2 : 0;
	}
	return insn;
}

static bool linux_allows(u32 type, u32 attach, enum access access, u8 size_code, s32 offset)
{
	struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2},
		access_insn(access, size_code, offset, BPF_REG_1),
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return linux_load(type, attach, insns, ARRAY_SIZE(insns), NULL, 0) == 0;
}

static u32 compare_offsets(u32 type, u32 attach, s32 first, s32 last)
{
	u32 differences = 0;

	for (s32 offset = first; offset < last; offset++)
		for (u32 access = 0; access < ACCESS_KINDS; access++)
			for (u32 log2 = 0; log2 < 4; log2++) {
				bool got = ctx_field_find(type, attach, offset, 1u << log2,
							  access != ACCESS_LOAD);
				bool want = linux_allows(type, attach, access, size_codes[log2],
							 offset);

				if (got != want) {
					print_message("# type %u attach %u offset %d size %u "
						      "access %u: Linux %s it\n",
						      type, attach, offset, 1u << log2, access,
						      want ? "takes" : "refuses");
					differences++;
				}
			}
	return differences;
}

/* Attach types that change what a context has. */
static bool has_own_rules(u32 type, u32 attach)
{
	switch (type) {
	case BPF_PROG_TYPE_CGROUP_SOCK:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
	case BPF_PROG_TYPE_CGROUP_SOCKOPT: return true;
	case BPF_PROG_TYPE_XDP:
		return attach == 0 || attach == BPF_XDP_DEVMAP || attach == BPF_XDP_CPUMAP;
	default: return attach == 0 || prog_check_attach_type(type, 0);
	}
}

static void accesses_are_allowed_as_on_linux(void **state)
{
	u32 differences = 0;

	if (!linux_is_oracle())
		skip();
	for (u32 type = 1; type <= 32; type++)
		for (u32 attach = 0; attach <= 57; attach++) {
			/* Linux lets tracepoint programs read before their record: not copied
			 */
			s32 first = type == BPF_PROG_TYPE_TRACEPOINT ? 0 : -4;
			u32 size = prog_row(type)->ctx_size ?: 100;

			if (linux_can_load_plainly(type) &&
			    !prog_check_attach_type(type, attach) &&
			    has_own_rules(type, attach))
				differences += compare_offsets(type, attach, first, size + 8);
		}
	assert_int_equal(differences, 0);
}

/* How the kernel's log writes what a field holds. */
static const char *const value_texts[] = {
	[CTX_SCALAR] = "scalar(",
	[CTX_PACKET] = "pkt(",
	[CTX_PACKET_META] = "pkt_meta(",
	[CTX_PACKET_END] = "pkt_end()",
	[CTX_FLOW_KEYS] = "flow_keys()",
	[CTX_SOCK_COMMON_OR_NULL] = "sock_common_or_null(",
	[CTX_SOCK_OR_NULL] = "sock_or_null(",
	[CTX_SOCKET] = "sock()",
	[CTX_BUFFER] = "tp_buffer()",
	[CTX_BTF_POINTER] = "trusted_ptr_",
};

static u32 compare_values(u32 type, u32 attach, u32 size)
{
	static char log[8192];
	const struct linux_kind kind = {type, attach, 0, type == BPF_PROG_TYPE_SYSCALL};
	u32 seen = 0;

	for (u32 offset = 0; offset < size; offset++)
		for (u32 log2 = 0; log2 < 4; log2++) {
			const struct ctx_field *field =
				ctx_field_find(type, attach, offset, 1u << log2, false);
			const struct bpf_insn insns[] = {
				access_insn(ACCESS_LOAD, size_codes[log2], offset, BPF_REG_1),
				{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
				{.code = BPF_JMP | BPF_EXIT},
			};
			const char *state;

			if (!field || linux_load_kind(&kind, insns, ARRAY_SIZE(insns), 2, log,
						      sizeof(log)))
				continue;
			state = linux_last_state(log, "R2=");
			seen++;
			if (strncmp(state, value_texts[field->value],
				    strlen(value_texts[field->value])))
				fail_msg("type %u, attach type %u, offset %u: %s, not %s", type,
					 attach, offset, state, value_texts[field->value]);
		}
	return seen;
}

static void fields_hold_what_they_hold_on_linux(void **state)
{
	u32 seen = 0;

	if (!linux_is_oracle())
		skip();
	for (u32 type = 1; type <= 32; type++)
		for (u32 attach = 0; attach <= 57; attach++)
			if (linux_can_load_plainly(type) &&
			    !prog_check_attach_type(type, attach) &&
			    has_own_rules(type, attach))
				seen += compare_values(type, attach,
						       prog_row(type)->ctx_size ?: 100);
	assert_in_range(seen, 1000, 100000);
}

/* Areas too long for the walk above: their ends. */
static void long_areas_end_as_on_linux(void **state)
{
	if (!linux_is_oracle())
		skip();
	assert_int_equal(compare_offsets(BPF_PROG_TYPE_TRACEPOINT, 0, 8180, 8200), 0);
	assert_int_equal(compare_offsets(BPF_PROG_TYPE_SYSCALL, 0, 32750, 32760), 0);
}

/* What a program must do to hold an object of the view in r0 and know that it is not NULL. */
static const struct object_case {
	u32 view, type, attach;
	u32 size;
	struct bpf_insn way[8];
} object_cases[] = {
	{CTX_VIEW_SOCK_COMMON,
	 BPF_PROG_TYPE_SOCKET_FILTER,
	 0,
	 sizeof(struct bpf_sock),
	 {{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 0, .src_reg = 1, .off = 168}}},
	{CTX_VIEW_SOCKET,
	 BPF_PROG_TYPE_SK_MSG,
	 0,
	 sizeof(struct bpf_sock),
	 {{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 0, .src_reg = 1, .off = 72}}},
	{CTX_VIEW_TCP_SOCK,
	 BPF_PROG_TYPE_CGROUP_SKB,
	 0,
	 sizeof(struct bpf_tcp_sock),
	 {{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 1, .src_reg = 1, .off = 168},
	  {.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 1, .off = 2},
	  {.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
	  {.code = BPF_JMP | BPF_EXIT},
	  {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tcp_sock}}},
	{CTX_VIEW_FLOW_KEYS,
	 BPF_PROG_TYPE_FLOW_DISSECTOR,
	 0,
	 sizeof(struct bpf_flow_keys),
	 {{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 0, .src_reg = 1, .off = 144}}},
};

static bool linux_allows_object(const struct object_case *object, enum access access,
				u8 size_code, s32 offset)
{
	struct bpf_insn insns[16];
	u32 count = 0;

	while (object->way[count].code) {
		insns[count] = object->way[count];
		count++;
	}
	insns[count++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2};
	insns[count++] = (struct bpf_insn){.code = BPF_JMP | BPF_JEQ | BPF_K, .off = 1};
	insns[count++] = access_insn(access, size_code, offset, BPF_REG_0);
	insns[count++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1};
	insns[count++] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	return linux_load(object->type, object->attach, insns, count, NULL, 0) == 0;
}

static void objects_are_accessed_as_on_linux(void **state)
{
	if (!linux_is_oracle())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(object_cases); i++)
		for (s32 offset = -4; offset < (s32)object_cases[i].size + 8; offset++)
			for (u32 access = 0; access < ACCESS_KINDS; access++)
				for (u32 log2 = 0; log2 < 4; log2++) {
					bool got = ctx_object_field_find(object_cases[i].view,
									 offset, 1u << log2,
									 access != ACCESS_LOAD);
					bool want =
						linux_allows_object(&object_cases[i], access,
								    size_codes[log2], offset);

					if (got != want)
						fail_msg("object %u offset %d size %u access "
							 "%u: Linux %s it",
							 i, offset, 1u << log2, access,
							 want ? "takes" : "refuses");
				}
}

static void values_and_own_places(void **state)
{
	const struct ctx_field *field;

	field = ctx_field_find(BPF_PROG_TYPE_XDP, 0, 4, 4, false);
	assert_int_equal(field->value, CTX_PACKET_END);
	assert_int_equal(field->own_offset, offsetof(struct xdp_ctx, data_end));
	assert_int_equal(field->own_size, 8);
	assert_true(field->flags & CTX_CONVERTED);

	field = ctx_field_find(BPF_PROG_TYPE_SCHED_CLS, 0, 52, 2, false);
	assert_string_equal(field->name, "cb[1]");
	assert_int_equal(field->own_offset, offsetof(struct skb_ctx, cb[1]));

	field = ctx_field_find(BPF_PROG_TYPE_NETFILTER, BPF_NETFILTER, 8, 8, false);
	assert_int_equal(field->value, CTX_BTF_POINTER);
	assert_string_equal(field->btf_type, "sk_buff");

	assert_non_null(ctx_field_find(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, 88, 8, false));
	assert_null(ctx_field_find(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, 92, 4, false));
	assert_null(ctx_field_find(BPF_PROG_TYPE_LIRC_MODE2, 0, 0, 8, false));
	assert_non_null(ctx_object_field_find(CTX_VIEW_XDP_SOCK, 0, 4, false));
}

static void fields_have_a_version(void **state)
{
	static const struct {
		u32 type, offset, size;
		const char *since;
	} cases[] = {
		{BPF_PROG_TYPE_SCHED_CLS, offsetof(struct __sk_buff, len), 4, NULL},
		{BPF_PROG_TYPE_SCHED_CLS, offsetof(struct __sk_buff, cb[4]), 4, "4.2"},
		{BPF_PROG_TYPE_SCHED_CLS, offsetof(struct __sk_buff, sk), 8, "5.1"},
		{BPF_PROG_TYPE_XDP, offsetof(struct xdp_md, rx_queue_index), 4, "4.16"},
		{BPF_PROG_TYPE_SOCK_OPS, offsetof(struct bpf_sock_ops, op), 4, NULL},
		{BPF_PROG_TYPE_SOCK_OPS, 216, 8, "6.2"},
		{BPF_PROG_TYPE_SK_MSG, offsetof(struct sk_msg_md, size), 4, "5.0"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct ctx_field *field =
			ctx_field_find(cases[i].type, 0, cases[i].offset, cases[i].size, false);
		const char *since = ctx_field_since(field);

		if (strcmp(since ?: "", cases[i].since ?: ""))
			fail_msg("row %u: %s", i, since ?: "as old as the context");
		if (since)
			assert_true(linux_version_compare(since,
							  prog_row(cases[i].type)->since) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accesses_are_allowed_as_on_linux),
		cmocka_unit_test(fields_hold_what_they_hold_on_linux),
		cmocka_unit_test(long_areas_end_as_on_linux),
		cmocka_unit_test(objects_are_accessed_as_on_linux),
		cmocka_unit_test(values_and_own_places),
		cmocka_unit_test(fields_have_a_version),
	};

	return cmocka_run_group_tests_name("catalog.ctx", tests, NULL, NULL);
}
