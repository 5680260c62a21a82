/* SPDX-License-Identifier: BSD-2-Clause */
/* Special fields of the structures of objects.bpf.c. */
#include "btf/fields.h"
#include "sample.h"
#include "tests/unit.h"

#include <errno.h>

static struct btf_view *view;

static int setup(void **state)
{
	u32 size = 0;
	u8 *blob = sample_btf(SAMPLES "objects.elf", &size);

	assert_non_null(blob);
	assert_int_equal(btf_view_new(blob, size, &view, NULL, NULL), 0);
	free(blob);
	return 0;
}

static int teardown(void **state)
{
	btf_view_free(view);
	return 0;
}

#define ALL  ((1u << BTF_FIELD_KINDS) - 1)
#define LOCK BTF_FIELD_BIT(BTF_FIELD_SPIN_LOCK)

static const struct {
	const char *name; /* of a structure */
	u32 kinds;
	int want;
	u32 count;
	struct {
		u32 kind, offset;
	} field[BTF_FIELDS_MAX];
} rows[] = {
	{"own", ALL, 0, 0, {}},
	{"leaf",
	 ALL,
	 0,
	 3,
	 {{BTF_FIELD_LIST_NODE, 0}, {BTF_FIELD_RB_NODE, 24}, {BTF_FIELD_REFCOUNT, 56}}},
	{"inner",
	 ALL,
	 0,
	 3,
	 {{BTF_FIELD_LIST_NODE, 0}, {BTF_FIELD_KPTR, 24}, {BTF_FIELD_SPIN_LOCK, 32}}},
	{"value",
	 ALL,
	 0,
	 8,
	 {{BTF_FIELD_SPIN_LOCK, 0},
	  {BTF_FIELD_TIMER, 8},
	  {BTF_FIELD_WORKQUEUE, 24},
	  {BTF_FIELD_LIST_HEAD, 40},
	  {BTF_FIELD_RB_ROOT, 56},
	  {BTF_FIELD_KPTR_UNTRUSTED, 72},
	  {BTF_FIELD_KPTR, 80},
	  {BTF_FIELD_KPTR, 88}}},
	{"value", LOCK, 0, 1, {{BTF_FIELD_SPIN_LOCK, 0}}},
	{"value", ALL & ~LOCK, -EINVAL, 0, {}}, /* a list needs a lock */
	{"plain_value", ALL, 0, 2, {{BTF_FIELD_TIMER, 8}, {BTF_FIELD_KPTR_PERCPU, 24}}},
	{"two_levels", LOCK, 0, 1, {{BTF_FIELD_SPIN_LOCK, 0}}},
};

static void fields_are_found(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 id = btf_find(view, rows[i].name, BTF_KIND_STRUCT);
		struct btf_fields fields = {};
		int got = btf_find_fields(view, id, rows[i].kinds, &fields);

		if (got != rows[i].want || fields.count != rows[i].count)
			fail_msg("row %zu: %d, %u fields", i, got, fields.count);
		for (u32 j = 0; j < fields.count; j++)
			if (fields.field[j].kind != rows[i].field[j].kind ||
			    fields.field[j].offset != rows[i].field[j].offset)
				fail_msg("row %zu, field %u: kind %u at %u", i, j,
					 fields.field[j].kind, fields.field[j].offset);
	}
}

static void lists_and_trees_know_their_content(void **state)
{
	struct btf_fields fields;
	const struct btf_field *list, *tree;

	assert_int_equal(
		btf_find_fields(view, btf_find(view, "value", BTF_KIND_STRUCT), ALL, &fields),
		0);
	list = btf_field_of_kind(&fields, BTF_FIELD_LIST_HEAD);
	tree = btf_field_of_kind(&fields, BTF_FIELD_RB_ROOT);
	assert_string_equal(btf_type_name(view, list->type_id), "leaf");
	assert_int_equal(list->node_offset, 0);
	assert_int_equal(tree->node_offset, 24);
	assert_null(btf_field_of_kind(&fields, BTF_FIELD_REFCOUNT));
}

static void sections_are_values_too(void **state)
{
	u32 id = btf_find(view, ".bss", BTF_KIND_DATASEC);
	struct btf_fields fields;

	assert_int_equal(btf_find_fields(view, id, BTF_FIELD_BIT(BTF_FIELD_REFCOUNT), &fields),
			 0);
	assert_int_equal(fields.count, 1);
	/* Each structure of the section has its lock; one is the limit in one variable only. */
	assert_int_equal(btf_find_fields(view, id, LOCK, &fields), 0);
	assert_int_equal(fields.count, 3);
	assert_int_equal(btf_find_fields(view, 0, LOCK, &fields), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_found),
		cmocka_unit_test(lists_and_trees_know_their_content),
		cmocka_unit_test(sections_are_values_too),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
