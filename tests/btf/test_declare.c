/* SPDX-License-Identifier: BSD-2-Clause */
/* C declarations to types: the layout against the compiler's own, prototypes, and what is
 * wrong. */
#include "btf/declare.h"
#include "tests/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BOTH(...)   \
	__VA_ARGS__ \
	static const char text[] = #__VA_ARGS__;

/* clang-format off */
BOTH(
	enum color { RED, GREEN = 5, BLUE, LAST = -1 };
	typedef unsigned long word_t;
	struct inner { char c; long l; short s; };
	union either { char bytes[13]; u32 number; struct inner inner; };
	struct bits { u8 a : 3; u8 b : 6; u32 c : 20; u32 : 0; u64 d : 33; s16 e; };
	struct outer {
		char c;
		struct inner inner[3];
		union { u16 x; struct { char y; u64 z; }; };
		int (*call)(struct outer *self, const char *name);
		enum color color;
		word_t words[2][3];
		_Bool flag;
		const volatile unsigned char tail;
	};
)
/* clang-format on */

static struct btf_view *view_of(const char *declarations)
{
	struct btf_builder builder;
	struct skep_error err = {0};
	struct btf_view *view = NULL;
	size_t size;
	void *data;

	btf_builder_init(&builder, NULL);
	if (btf_declare(&builder, declarations, &err))
		fail_msg("%s", err.text);
	data = btf_builder_whole(&builder, &size);
	assert_non_null(data);
	if (btf_view_new(data, size, &view, NULL, &err))
		fail_msg("%s", err.text);
	free(data);
	btf_builder_done(&builder);
	return view;
}

static const struct btf_type *find(const struct btf_view *view, const char *name, u32 kind)
{
	u32 id = btf_find(view, name, kind);

	if (!id)
		fail_msg("no %s", name);
	return btf_type(view, id);
}

static u32 bit_offset(const struct btf_view *view, const char *type, const char *member)
{
	const struct btf_type *found = find(view, type, BTF_KIND_STRUCT);

	for (u32 i = 0; i < btf_vlen(found); i++)
		if (!strcmp(btf_string(view, btf_members(found)[i].name_off), member))
			return btf_member_bit_offset(found, &btf_members(found)[i]);
	fail_msg("no %s.%s", type, member);
	return 0;
}

static void test_layout(void **state)
{
	struct btf_view *view = view_of(text);
	struct bits bits = {.d = 1};
	u32 first = 0;

#define SIZE(kind, name) \
	assert_int_equal(find(view, #name, BTF_KIND_##kind)->size, sizeof(BTF_##kind name))
#define BTF_STRUCT struct
#define BTF_UNION  union
	SIZE(STRUCT, inner);
	SIZE(UNION, either);
	SIZE(STRUCT, bits);
	SIZE(STRUCT, outer);
#define OFFSET(member) \
	assert_int_equal(bit_offset(view, "outer", #member), 8 * offsetof(struct outer, member))
	OFFSET(inner);
	OFFSET(call);
	OFFSET(color);
	OFFSET(words);
	OFFSET(flag);
	OFFSET(tail);
	while (!(((const u8 *)&bits)[first / 8] >> first % 8 & 1))
		first++;
	assert_int_equal(bit_offset(view, "bits", "d"), first);
	assert_int_equal(bit_offset(view, "bits", "b"), 8);
	assert_int_equal(bit_offset(view, "bits", "e"), 8 * offsetof(struct bits, e));
	btf_view_free(view);
}

static void test_functions(void **state)
{
	struct btf_view *view =
		view_of("struct thing; /* opaque */\n"
			"extern struct thing *get(const char *name, u32 size__sz);\n"
			"// void none(void);\n"
			"void none(void), put(struct thing *it);\n");
	const struct btf_type *get = find(view, "get", BTF_KIND_FUNC);
	const struct btf_type *proto = btf_type(view, get->type);

	assert_int_equal(btf_vlen(proto), 2);
	assert_string_equal(btf_string(view, btf_params(proto)[1].name_off), "size__sz");
	assert_int_equal(btf_kind(btf_type(view, proto->type)), BTF_KIND_PTR);
	assert_string_equal(btf_type_name(view, btf_type(view, proto->type)->type), "thing");
	assert_int_equal(btf_vlen(btf_type(view, find(view, "none", BTF_KIND_FUNC)->type)), 0);
	assert_int_equal(btf_type(view, find(view, "put", BTF_KIND_FUNC)->type)->type, 0);
	btf_view_free(view);
}

/* Behind the types of another: those are referred to, and what is declared anew is another. */
static void test_base(void **state)
{
	struct btf_view *base = view_of("struct page { int flags; }; struct user { int id; };");
	struct btf_builder builder;
	struct btf_view *whole;
	struct skep_error err;
	size_t size;
	void *data;

	btf_builder_init(&builder, base);
	assert_int_equal(
		btf_declare(&builder,
			    "struct user; int own(struct user *user, struct page *page);",
			    &err),
		0);
	data = btf_builder_whole(&builder, &size);
	assert_int_equal(btf_view_new(data, size, &whole, NULL, &err), 0);
	free(data);
	data = btf_builder_additions(&builder, &size);
	assert_true(size < 200);
	free(data);
	assert_true(btf_builder_find_new(&builder, "user", BTF_KIND_STRUCT) >
		    btf_type_count(base));
	assert_int_equal(btf_builder_find_new(&builder, "page", BTF_KIND_STRUCT), 0);
	assert_int_equal(btf_declare(&builder, "struct page { int x; };", &err), -EINVAL);
	assert_non_null(strstr(err.text, "declare it first"));
	btf_builder_done(&builder);
	btf_view_free(whole);
	btf_view_free(base);
}

static void test_wrong(void **state)
{
	static const struct {
		const char *declarations, *want;
	} rows[] = {
		{"int x;", "'x' is not a function"},
		{"int f(int);", "the parameter's name was expected"},
		{"int f(what a);", "line 1: a type was expected at 'what'"},
		{"\n\nstruct s { int a }", "line 3: ';' was expected at '}'"},
		{"struct s { struct later inside; struct later; };", "name was expected"},
		{"struct s { void v; };", "'v' is of a type without a size"},
		{"struct s { int a : 33; };", "width of a bit field"},
		{"struct s { int a; }; struct s { int b; };", "'s' is defined twice"},
		{"int f(int a); int f(int a);", "'f' is declared twice"},
		{"enum e { A = 1 << 40 };", "a shift of at most 31"},
		{"enum e { A = 99999999999 };", "does not fit 32 bits"},
		{"struct s { char c[999999999]; };", "too large"},
		{"int f(int a", "',' was expected at 'the end'"},
		{"int f(int a, ...);", "a type was expected at '.'"},
		{"int ((f)(int a);", "a type was expected at '('"},
		{"struct a{struct b{struct c{struct d{struct e{struct f{struct g{struct h{"
		 "struct i{struct j{struct k{struct l{struct m{struct n{struct o{struct p{"
		 "struct q{int x;",
		 "less nesting"},
		{"int *(*(*(*(*(*(*(*(*(*(*(*(*(*(*(*(*(*(*(*f", "')' was expected"},
		{"long long long x;", "'long' is not a function"},
		{"__attribute__((x", "a type was expected"},
		{"int f(int a1, int a2, int a3, int a4, int a5, int a6, int a7, int a8, int a9, int b,"
		 "int c, int d, int e, int f, int g, int h, int i);",
		 "at most 16 parameters"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct btf_builder builder;
		struct skep_error err = {0};
		int ret;

		btf_builder_init(&builder, NULL);
		ret = btf_declare(&builder, rows[i].declarations, &err);
		if (ret != -EINVAL || !strstr(err.text, rows[i].want))
			fail_msg("%s: %d %s", rows[i].declarations, ret, err.text);
		btf_builder_done(&builder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
