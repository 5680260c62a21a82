/* SPDX-License-Identifier: BSD-2-Clause */
/* Members of the kernel's structures: what may be written, and what is trusted, as on Linux. */
#include "catalog/kernel_field.h"
#include "catalog/tracing.h"
#include "tests/catalog/linux_btf.h"
#include "tests/unit.h"

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

static u32 find_structure(const char *name)
{
	return btf_find(kernel, name, BTF_KIND_STRUCT);
}

/* A kind of program that gets an object as its first argument. */
struct owner {
	struct linux_kind kind;
	const char *struct_ops;
	u32 structure;
};

static bool linux_takes_write(const struct owner *owner, u32 offset, u32 size)
{
	static const u8 size_codes[] = {[1] = BPF_B, [2] = BPF_H, [4] = BPF_W, [8] = BPF_DW};
	const struct bpf_insn insns[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 2, .src_reg = 1},
		{.code = BPF_ST | BPF_MEM | size_codes[size], .dst_reg = 2, .off = offset},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return !linux_load_kind(&owner->kind, insns, ARRAY_SIZE(insns), 0, NULL, 0);
}

static void compare_writes(const struct owner *owner)
{
	u32 length = btf_type(kernel, owner->structure)->size, writable = 0, end;

	for (u32 offset = 0; offset < length + 8; offset++)
		for (u32 size = 1; size <= 8; size *= 2) {
			bool want = linux_takes_write(owner, offset, size);
			bool got = kernel_field_write(kernel, owner->structure,
						      owner->kind.type, owner->struct_ops,
						      offset, size, &end) == FIELD_WRITABLE;

			if (got != want)
				fail_msg("%s at %u, %u bytes: Linux %s it",
					 btf_type_name(kernel, owner->structure), offset, size,
					 want ? "takes" : "refuses");
			writable += want;
		}
	assert_int_not_equal(writable, 0);
}

static void writes_are_allowed_as_on_linux(void **state)
{
	struct owner congestion = {.struct_ops = "tcp_congestion_ops"};
	struct owner dummy = {.struct_ops = "bpf_dummy_ops"};

	if (!kernel)
		skip();
	congestion.structure = find_structure("tcp_sock");
	congestion.kind = (struct linux_kind){BPF_PROG_TYPE_STRUCT_OPS, 0,
					      find_structure("tcp_congestion_ops"), false};
	compare_writes(&congestion);
	dummy.structure = find_structure("bpf_dummy_ops_state");
	/* member 1: test_2, whose state is never NULL */
	dummy.kind = (struct linux_kind){BPF_PROG_TYPE_STRUCT_OPS, 1,
					 find_structure("bpf_dummy_ops"), false};
	if (dummy.structure && dummy.kind.btf_id)
		compare_writes(&dummy);
}

static void refusals_say_why(void **state)
{
	u32 end = 0, tcp_sock, sock;

	if (!kernel)
		skip();
	tcp_sock = find_structure("tcp_sock");
	sock = find_structure("sock");
	assert_int_equal(kernel_field_write(kernel, sock, BPF_PROG_TYPE_STRUCT_OPS,
					    "tcp_congestion_ops", 0, 4, &end),
			 FIELD_READ_ONLY_STRUCTURE);
	assert_int_equal(kernel_field_write(kernel, tcp_sock, BPF_PROG_TYPE_STRUCT_OPS,
					    "tcp_congestion_ops", 1, 4, &end),
			 FIELD_READ_ONLY_MEMBER);
	assert_int_equal(
		kernel_field_write(kernel, tcp_sock, BPF_PROG_TYPE_TRACING, NULL, 0, 4, &end),
		FIELD_READ_ONLY_STRUCTURE);
	assert_int_equal(kernel_field_write(kernel, find_structure("nf_conn"),
					    BPF_PROG_TYPE_XDP, NULL, 0, 4, &end),
			 FIELD_READ_ONLY_MEMBER);
}

/* A tracepoint and its argument that is a structure and never NULL. */
struct place {
	u32 tracepoint, arg;
};

static bool find_place(u32 structure, struct place *out)
{
	for (u32 id = 1; id <= btf_type_count(kernel); id++) {
		const char *name = btf_type_name(kernel, id);
		const struct btf_type *type = btf_type(kernel, id), *proto;

		if (btf_kind(type) != BTF_KIND_TYPEDEF || strncmp(name, "btf_trace_", 10))
			continue;
		proto = btf_type(kernel, btf_type(kernel, type->type)->type);
		for (u32 i = 1; i < btf_vlen(proto); i++)
			if (linux_pointed(kernel, btf_params(proto)[i].type) == structure &&
			    !tracepoint_arg_may_be_null(name + 10, i - 1)) {
				*out = (struct place){id, i - 1};
				return true;
			}
	}
	return false;
}

/* What the kernel says of the pointer at `offset` of the object, NULL: nothing. */
static const char *linux_member_state(const struct place *place, u32 offset)
{
	const struct linux_kind kind = {BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP,
					place->tracepoint, false};
	const struct bpf_insn insns[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_DW,
		 .dst_reg = 3,
		 .src_reg = 1,
		 .off = 8 * place->arg},
		{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 2, .src_reg = 3, .off = offset},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};

	if (linux_load_kind(&kind, insns, ARRAY_SIZE(insns), 2, log_text, sizeof(log_text)))
		return NULL;
	return linux_last_state(log_text, "R2=");
}

static bool is_as_linux_says(enum field_trust trust, const char *state)
{
	bool or_null = strstr(state, "or_null_");
	bool trusted = !strncmp(state, "trusted_", 8), rcu = !strncmp(state, "rcu_", 4);

	switch (trust) {
	case FIELD_TRUSTED: return trusted && !or_null;
	case FIELD_TRUSTED_OR_NULL: return trusted && or_null;
	case FIELD_RCU: return rcu && !or_null;
	case FIELD_RCU_OR_NULL: return rcu && or_null;
	case FIELD_PLAIN: /* or with a type tag in BTF, which says RCU and maybe NULL */
	default: return !trusted && (!rcu || or_null);
	}
}

static u32 compare_trust(u32 structure, const struct place *place)
{
	const struct btf_type *type = btf_type(kernel, structure);
	u32 listed = 0;

	for (u32 i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *member = &btf_members(type)[i];
		const char *name = btf_string(kernel, member->name_off), *want;
		enum field_trust got = kernel_field_trust(kernel, structure, name);

		if (!linux_pointed(kernel, member->type))
			continue;
		want = linux_member_state(place, btf_member_bit_offset(type, member) / 8);
		if (!want)
			continue;
		if (!is_as_linux_says(got, want))
			fail_msg("%s.%s: %s, not %u", btf_type_name(kernel, structure), name,
				 want, got);
		listed += got != FIELD_PLAIN;
	}
	return listed;
}

/* The structure that a list belongs to: its name is the list's up to "__safe_". */
static u32 listed_structure(u32 id)
{
	const char *name = btf_type_name(kernel, id), *end = strstr(name, "__safe_");
	char structure[64] = "";

	if (!end || end - name >= sizeof(structure))
		return 0;
	memcpy(structure, name, end - name);
	return find_structure(structure);
}

static void pointers_are_trusted_as_on_linux(void **state)
{
	u32 listed = 0;

	if (!kernel)
		skip();
	for (u32 id = 1; id <= btf_type_count(kernel); id++) {
		u32 structure = listed_structure(id);
		struct place place;

		if (structure && find_place(structure, &place))
			listed += compare_trust(structure, &place);
	}
	assert_in_range(listed, 5, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_are_allowed_as_on_linux),
		cmocka_unit_test(refusals_say_why),
		cmocka_unit_test(pointers_are_trusted_as_on_linux),
	};

	return cmocka_run_group_tests_name("catalog.kernel_field", tests, open_kernel,
					   close_kernel);
}
