/* SPDX-License-Identifier: BSD-2-Clause */
/* Small blobs that each break one rule: what the view says, and that the live kernel agrees. */
#include "btf/btf.h"
#include "kernel.h"
#include "tests/unit.h"

#include <stdlib.h>

#define ENOTSUPP 524

static const char strings[] = "\0int\0a\0b\0.data\0b d\0\x01";
enum { NONE = 0, NAME_INT = 1, A = 5, B = 7, SECTION = 9, WITH_SPACE = 15, UNPRINTABLE = 19 };
#define OUTSIDE		       1000

#define KIND(kind)	       BTF_KIND_##kind << 24
#define KINDN(kind, vlen)      (BTF_KIND_##kind << 24 | (vlen))
#define FLAGGED(kind, vlen)    (1u << 31 | BTF_KIND_##kind << 24 | (vlen))
#define BITFIELD(bits, offset) ((bits) << 24 | (offset))
#define INT_ENCODED(e, off, n) ((e) << 24 | (off) << 16 | (n))
#define WORDS(...)	       (const u32[]){__VA_ARGS__}, sizeof((const u32[]){__VA_ARGS__})

/* Type 1 is `int`; the words are those of type 2 and on. */
#define INT_TYPE NAME_INT, KIND(INT), 4, INT_ENCODED(BTF_INT_SIGNED, 0, 32)

static const struct {
	int want;
	const char *text; /* end of the log; NULL: accepted */
	const u32 *words;
	size_t size;
} rows[] = {
	/* integers */
	{0, NULL, WORDS(A, KIND(INT), 8, 64)},
	{0, NULL, WORDS(NONE, KIND(INT), 1, INT_ENCODED(BTF_INT_BOOL, 0, 8))},
	{0, NULL, WORDS(A, KIND(INT), 16, 128)},
	{-EINVAL, "vlen != 0", WORDS(A, KINDN(INT, 1), 4, 32)},
	{-EINVAL, "Invalid btf_info kind_flag", WORDS(A, FLAGGED(INT, 0), 4, 32)},
	{-EINVAL, "Invalid int_data:10000020", WORDS(A, KIND(INT), 4, 0x10000020)},
	{-EINVAL, "nr_bits exceeds 128", WORDS(A, KIND(INT), 32, 129)},
	{-EINVAL, "nr_bits exceeds type_size", WORDS(A, KIND(INT), 4, 33)},
	{-ENOTSUPP, "Unsupported encoding", WORDS(A, KIND(INT), 4, INT_ENCODED(3, 0, 32))},
	{-EINVAL, "meta_left:0 meta_needed:4", WORDS(A, KIND(INT), 4)},
	/* what every type has */
	{-EINVAL, "Invalid btf_info:2010000", WORDS(NONE, 0x02010000, 1)},
	{-EINVAL, "Invalid kind:0", WORDS(A, 0, 4)},
	{-EINVAL, "Invalid kind:20", WORDS(A, 20 << 24, 4)},
	{-EINVAL, "Invalid name_offset:1000", WORDS(OUTSIDE, KIND(PTR), 1)},
	{-EINVAL, "[2] meta_left:8 meta_needed:12", WORDS(A, KIND(PTR))},
	/* references */
	{0, NULL, WORDS(NONE, KIND(PTR), 0)},
	{0, NULL, WORDS(A, KIND(TYPEDEF), 1)},
	{0, NULL, WORDS(NONE, KIND(CONST), 0)},
	{0, NULL, WORDS(NONE, KIND(VOLATILE), 1, NONE, KIND(RESTRICT), 2)},
	{0, NULL, WORDS(A, FLAGGED(TYPE_TAG, 0), 1)},
	{-EINVAL, "Invalid name", WORDS(A, KIND(PTR), 1)},
	{-EINVAL, "Invalid name", WORDS(NONE, KIND(TYPEDEF), 1)},
	{-EINVAL, "Invalid name", WORDS(WITH_SPACE, KIND(TYPEDEF), 1)},
	{-EINVAL, "Invalid name", WORDS(NONE, KIND(TYPE_TAG), 1)},
	{-EINVAL, "Invalid type_id", WORDS(NONE, KIND(PTR), BTF_MAX_TYPE + 1)},
	{-EINVAL, "Invalid type_id", WORDS(NONE, KIND(PTR), 3)},
	{-EINVAL, "Invalid btf_info kind_flag", WORDS(NONE, FLAGGED(PTR, 0), 1)},
	{-EEXIST, "Loop detected", WORDS(NONE, KIND(PTR), 2)},
	{-EEXIST, "Loop detected", WORDS(NONE, KIND(CONST), 3, NONE, KIND(VOLATILE), 2)},
	{-EINVAL, "Type tags don't precede modifiers",
	 WORDS(NONE, KIND(CONST), 3, A, KIND(TYPE_TAG), 1)},
	/* arrays */
	{0, NULL, WORDS(NONE, KIND(ARRAY), 0, 1, 1, 4)},
	{-EINVAL, "Invalid name", WORDS(A, KIND(ARRAY), 0, 1, 1, 4)},
	{-EINVAL, "size != 0", WORDS(NONE, KIND(ARRAY), 4, 1, 1, 4)},
	{-EINVAL, "Invalid elem", WORDS(NONE, KIND(ARRAY), 0, 0, 1, 4)},
	{-EINVAL, "Invalid index", WORDS(NONE, KIND(ARRAY), 0, 1, 0, 4)},
	{-EINVAL, "Invalid index", WORDS(NONE, KIND(ARRAY), 0, 1, 3, 4, NONE, KIND(PTR), 1)},
	{-EINVAL, "Invalid elem", WORDS(NONE, KIND(ARRAY), 0, 3, 1, 4, A, KIND(FWD), 0)},
	{-EINVAL, "Array size overflows U32_MAX", WORDS(NONE, KIND(ARRAY), 0, 1, 1, 1u << 30)},
	{-EEXIST, "Loop detected", WORDS(NONE, KIND(ARRAY), 0, 2, 1, 4)},
	/* structures and unions */
	{0, NULL, WORDS(A, KINDN(STRUCT, 2), 8, A, 1, 0, B, 1, 32)},
	{0, NULL, WORDS(NONE, KINDN(UNION, 2), 4, A, 1, 0, NONE, 1, 0)},
	{0, NULL, WORDS(A, FLAGGED(STRUCT, 2), 4, A, 1, BITFIELD(3, 0), B, 1, BITFIELD(5, 3))},
	{-EINVAL, "Invalid name", WORDS(WITH_SPACE, KINDN(STRUCT, 0), 0)},
	{-EINVAL, "Invalid member name_offset:1000",
	 WORDS(A, KINDN(STRUCT, 1), 4, OUTSIDE, 1, 0)},
	{-EINVAL, "Invalid name", WORDS(A, KINDN(STRUCT, 1), 4, WITH_SPACE, 1, 0)},
	{-EINVAL, "Invalid type_id", WORDS(A, KINDN(STRUCT, 1), 4, A, 0, 0)},
	{-EINVAL, "Invalid member bits_offset", WORDS(A, KINDN(UNION, 1), 8, A, 1, 32)},
	{-EINVAL, "Invalid member bits_offset",
	 WORDS(A, KINDN(STRUCT, 2), 8, A, 1, 32, B, 1, 0)},
	{-EINVAL, "Member bits_offset exceeds its struct size",
	 WORDS(A, KINDN(STRUCT, 1), 4, A, 1, 40)},
	{-EINVAL, "Member exceeds struct_size", WORDS(A, KINDN(STRUCT, 1), 4, A, 1, 8)},
	{-EINVAL, "Invalid member", WORDS(A, KINDN(STRUCT, 1), 8, A, 3, 0, B, KIND(FWD), 0)},
	{-EINVAL, "Member is not byte aligned",
	 WORDS(A, KINDN(STRUCT, 1), 16, A, 3, 1, NONE, KIND(PTR), 0)},
	{-EINVAL, "Invalid member bitfield_size",
	 WORDS(A, FLAGGED(STRUCT, 1), 16, A, 3, BITFIELD(3, 0), NONE, KIND(PTR), 0)},
	{-EINVAL, "Invalid member bitfield_size",
	 WORDS(A, FLAGGED(STRUCT, 1), 8, A, 1, BITFIELD(33, 0))},
	{-EINVAL, "Invalid member offset",
	 WORDS(A, FLAGGED(STRUCT, 1), 8, A, 1, BITFIELD(0, 4))},
	{-EEXIST, "Loop detected", WORDS(A, KINDN(STRUCT, 1), 4, A, 2, 0)},
	{0, NULL, WORDS(A, KINDN(STRUCT, 1), 8, A, 3, 0, NONE, KIND(PTR), 2)},
	/* enumerations */
	{0, NULL, WORDS(A, KINDN(ENUM, 1), 4, B, 7)},
	{0, NULL, WORDS(A, FLAGGED(ENUM64, 1), 8, B, 7, 1)},
	{-EINVAL, "Unexpected size", WORDS(A, KINDN(ENUM, 1), 3, B, 7)},
	{-EINVAL, "Invalid name", WORDS(WITH_SPACE, KINDN(ENUM, 1), 4, B, 7)},
	{-EINVAL, "Invalid name", WORDS(A, KINDN(ENUM, 1), 4, NONE, 7)},
	{-EINVAL, "\tInvalid name_offset:1000", WORDS(A, KINDN(ENUM, 1), 4, OUTSIDE, 7)},
	/* forward declarations, floats */
	{0, NULL, WORDS(A, FLAGGED(FWD, 0), 0)},
	{-EINVAL, "type != 0", WORDS(A, KIND(FWD), 1)},
	{-EINVAL, "Invalid name", WORDS(NONE, KIND(FWD), 0)},
	{0, NULL, WORDS(A, KIND(FLOAT), 8)},
	{-EINVAL, "Invalid type_size", WORDS(A, KIND(FLOAT), 10)},
	{-EINVAL, "Member is not properly aligned",
	 WORDS(A, KINDN(STRUCT, 1), 16, A, 3, 32, B, KIND(FLOAT), 8)},
	/* functions */
	{0, NULL, WORDS(NONE, KINDN(FUNC_PROTO, 2), 1, A, 1, B, 1, A, KINDN(FUNC, 1), 2)},
	{0, NULL, WORDS(NONE, KINDN(FUNC_PROTO, 2), 0, A, 1, NONE, 0)},
	{-EINVAL, "Invalid name", WORDS(A, KIND(FUNC_PROTO), 0)},
	{-EINVAL, "Invalid return type", WORDS(NONE, KIND(FUNC_PROTO), 9)},
	{-EINVAL, "Invalid arg#1", WORDS(NONE, KINDN(FUNC_PROTO, 1), 0, WITH_SPACE, 1)},
	{-EINVAL, "Invalid arg#1", WORDS(NONE, KINDN(FUNC_PROTO, 1), 0, A, 0)},
	{-EINVAL, "Invalid arg#1", WORDS(NONE, KINDN(FUNC_PROTO, 1), 0, A, 3, B, KIND(FWD), 0)},
	{-EINVAL, "Invalid arg#1",
	 WORDS(NONE, KINDN(FUNC_PROTO, 1), 0, NONE, 1, A, KIND(FUNC), 2)},
	{-EINVAL, "Invalid func linkage", WORDS(A, KINDN(FUNC, 2), 1)},
	{-EINVAL, "Invalid type_id", WORDS(A, KIND(FUNC), 1)},
	/* variables and sections */
	{0, NULL, WORDS(A, KIND(VAR), 1, 1, SECTION, KINDN(DATASEC, 1), 4, 2, 0, 4)},
	{-EINVAL, "Linkage not supported", WORDS(A, KIND(VAR), 1, 2)},
	{-EINVAL, "Invalid type_id", WORDS(A, KIND(VAR), 0, 1)},
	{-EINVAL, "size == 0", WORDS(SECTION, KIND(DATASEC), 0)},
	{-EINVAL, "Invalid name", WORDS(UNPRINTABLE, KIND(DATASEC), 4)},
	{0, NULL, WORDS(WITH_SPACE, KIND(DATASEC), 4)},
	{-EINVAL, "Not a VAR kind member", WORDS(SECTION, KINDN(DATASEC, 1), 4, 1, 0, 4)},
	{-EINVAL, "Invalid offset", WORDS(SECTION, KINDN(DATASEC, 1), 4, 1, 4, 4)},
	{-EINVAL, "Invalid size", WORDS(SECTION, KINDN(DATASEC, 1), 4, 1, 0, 5)},
	{-EINVAL, "Invalid offset+size", WORDS(SECTION, KINDN(DATASEC, 1), 8, 1, 6, 4)},
	{-EINVAL, "Invalid size",
	 WORDS(A, KIND(VAR), 1, 1, SECTION, KINDN(DATASEC, 1), 4, 2, 0, 2)},
	/* declaration tags */
	{0, NULL, WORDS(A, KIND(DECL_TAG), 3, 0, A, KINDN(STRUCT, 1), 4, A, 1, 0)},
	{-EINVAL, "Invalid value", WORDS(NONE, KIND(DECL_TAG), 3, 0)},
	{-EINVAL, "Invalid type_id", WORDS(A, KIND(DECL_TAG), 1, -1)},
	{-EINVAL, "Invalid component_idx", WORDS(A, KIND(DECL_TAG), 3, -2)},
	{-EINVAL, "Invalid component_idx",
	 WORDS(A, KIND(DECL_TAG), 3, 1, A, KINDN(STRUCT, 1), 4, A, 1, 0)},
};

static u8 blob[4096];

static u32 make_blob(const u32 *words, size_t size)
{
	static const u32 first[] = {INT_TYPE};
	struct btf_header header = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(header),
		.type_len = sizeof(first) + size,
		.str_off = sizeof(first) + size,
		.str_len = sizeof(strings),
	};
	u8 *at = blob;

	at = (u8 *)memcpy(at, &header, sizeof(header)) + sizeof(header);
	at = (u8 *)memcpy(at, first, sizeof(first)) + sizeof(first);
	if (size)
		memcpy(at, words, size);
	at += size;
	at = (u8 *)memcpy(at, strings, sizeof(strings)) + sizeof(strings);
	return at - blob;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	while (length && text[length - 1] == '\n')
		length--;
	return length >= end_length && !strncmp(text + length - end_length, end, end_length);
}

static bool row_holds(size_t i, bool ask_kernel)
{
	u32 size = make_blob(rows[i].words, rows[i].size);
	struct btf_view *view = NULL;
	struct strbuf log = {};
	struct skep_error err = {};
	static char kernel_log[65536];
	int got = btf_view_new(blob, size, &view, &log, &err);
	bool holds =
		got == rows[i].want && (!got || ends_with(strbuf_text(&log), rows[i].text));

	if (got && (err.code != got || !err.text[0]))
		holds = false;
	if (!holds)
		print_message("row %zu: want %d %s, got %d\n%s\n", i, rows[i].want,
			      rows[i].text, got, strbuf_text(&log));
	if (ask_kernel) {
		int want = kernel_btf_load(blob, size, kernel_log, sizeof(kernel_log));

		if (want != got || strcmp(kernel_log, strbuf_text(&log))) {
			print_message("row %zu: kernel %d\n%s\n", i, want, kernel_log);
			holds = false;
		}
	}
	btf_view_free(view);
	strbuf_done(&log);
	return holds;
}

static void each_rule_is_kept(void **state)
{
	int wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		wrong += !row_holds(i, false);
	assert_int_equal(wrong, 0);
}

static void each_rule_is_the_kernels(void **state)
{
	int wrong = 0;

	if (!kernel_has_btf())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		wrong += !row_holds(i, true);
	assert_int_equal(wrong, 0);
}

/* --- headers: 24 bytes as words, a valid blob behind them --- */

static const struct {
	int want;
	u32 offset, value; /* of a word in the blob */
	u32 size;	   /* 0: the whole blob */
} headers[] = {
	{-EINVAL, 0, 0x1eb9e, 0},      /* magic */
	{-ENOTSUPP, 0, 0x2eb9f, 0},    /* version */
	{-ENOTSUPP, 0, 0x0101eb9f, 0}, /* flags */
	{-EINVAL, 4, 0, 0},	       /* header length */
	{-EINVAL, 4, 100000, 0},
	{-EINVAL, 4, 20, 0},
	{-E2BIG, 4, 28, 0},  /* more header than is known, and not zero */
	{-EINVAL, 8, 4, 0},  /* type offset */
	{-EINVAL, 12, 0, 0}, /* type length */
	{-EINVAL, 12, 12, 0},
	{-EINVAL, 16, 0, 0}, /* string offset */
	{-EINVAL, 20, 1, 0}, /* string length */
	{-EINVAL, 20, 0, 0},
	{-EINVAL, 0, 0x1eb9f, 7}, /* cut */
	{-EINVAL, 0, 0x1eb9f, 8},
	{-EINVAL, 0, 0x1eb9f, 24},
	{-EINVAL, 0, 0x1eb9f, 30},
};

static void headers_are_checked(void **state)
{
	bool ask_kernel = kernel_has_btf();

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		u32 size = make_blob(NULL, 0);
		struct btf_view *view = NULL;
		int got;

		memcpy(blob + headers[i].offset, &headers[i].value, 4);
		size = headers[i].size ? headers[i].size : size;
		got = btf_view_new(blob, size, &view, NULL, NULL);
		btf_view_free(view);
		if (got != headers[i].want)
			fail_msg("header %zu: want %d, got %d", i, headers[i].want, got);
		if (ask_kernel)
			assert_int_equal(kernel_btf_load(blob, size, NULL, 0), got);
	}
	assert_int_equal(btf_view_new(blob, (16 << 20) + 1, NULL, NULL, NULL), -E2BIG);
}

/* --- questions to a view --- */

static struct btf_view *view_of(const u32 *words, size_t size)
{
	struct btf_view *view = NULL;

	assert_int_equal(btf_view_new(blob, make_blob(words, size), &view, NULL, NULL), 0);
	return view;
}

static void sizes_follow_references(void **state)
{
	static const s64 want[] = {-EINVAL, 4, 4, 48, 0, 8, 4, 12, -EINVAL};
	struct btf_view *view = view_of(WORDS(A, KIND(TYPEDEF), 1,		/* 2 */
					      NONE, KIND(ARRAY), 0, 7, 1, 4,	/* 3: 4 of 12 */
					      NONE, KIND(ARRAY), 0, 3, 1, 0,	/* 4: none */
					      NONE, KIND(PTR), 0,		/* 5 */
					      A, KIND(VAR), 2, 1,		/* 6 */
					      A, KINDN(STRUCT, 1), 12, A, 1, 0, /* 7 */
					      B, KIND(FWD), 0));		/* 8 */

	for (u32 id = 0; id < ARRAY_SIZE(want); id++)
		assert_int_equal(btf_size(view, id), want[id]);
	assert_int_equal(btf_type_count(view), 8);
	assert_int_equal(btf_size(view, 9), -EINVAL);
	assert_null(btf_type(view, 9));
	assert_int_equal(btf_resolve(view, 2), 1);
	assert_int_equal(btf_find(view, "a", BTF_KIND_STRUCT), 7);
	assert_int_equal(btf_find(view, "b", BTF_KIND_STRUCT), 0);
	assert_string_equal(btf_type_name(view, 8), "b");
	assert_string_equal(btf_string(view, OUTSIDE), "");
	btf_view_free(view);
}

static void tags_are_found(void **state)
{
	struct btf_view *view = view_of(WORDS(A, KIND(DECL_TAG), 3, -1,		 /* 2 */
					      A, KINDN(STRUCT, 1), 4, A, 1, 0)); /* 3 */

	assert_true(btf_has_tag(view, 3, "a"));
	assert_false(btf_has_tag(view, 3, "b"));
	assert_false(btf_has_tag(view, 2, "a"));
	btf_view_free(view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_is_kept),
		cmocka_unit_test(each_rule_is_the_kernels),
		cmocka_unit_test(headers_are_checked),
		cmocka_unit_test(sizes_follow_references),
		cmocka_unit_test(tags_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
