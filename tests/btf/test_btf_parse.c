/* SPDX-License-Identifier: BSD-2-Clause */
#include "btf/parse.h"
#include "tests/btf/sample.h"
#include "tests/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct btf_view *types;

static int load_types(void **state)
{
	u32 size = 0;
	u8 *blob = sample_btf(SAMPLES "values.elf", &size);
	int code = btf_view_new(blob, size, &types, NULL, NULL);

	free(blob);
	return code;
}

static int free_types(void **state)
{
	btf_view_free(types);
	return 0;
}

static u32 type_of(const char *variable)
{
	u32 id = btf_find(types, variable, BTF_KIND_VAR);

	assert_int_not_equal(id, 0);
	return btf_type(types, id)->type;
}

static void print_bytes(const u8 *bytes, s64 size, char *out)
{
	for (s64 i = 0; i < size; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
}

static void written_values_become_bytes(void **state)
{
	static const struct {
		const char *variable, *text, *want; /* want: hex, or what the error says */
	} rows[] = {
		{"byte", "255", "ff"},
		{"byte", "256", "fits 1 byte"},
		{"byte", "-128", "80"},
		{"byte", "'a'", "61"},
		{"number", "0x12345678", "78563412"},
		{"number", " -1", "ffffffff"},
		{"number", "4294967296", "fits 4 bytes"},
		{"number", "", "expected a number"},
		{"number", "12x", "expected a number"},
		{"large", "18446744073709551615", "ffffffffffffffff"},
		{"large", "18446744073709551616", "expected a number"},
		{"truth", "true", "01"},
		{"port", "80", "0050"},
		{"address", "10.0.0.1", "0a000001"},
		{"address", "1", "00000001"},
		{"color", "GREEN", "07000000"},
		{"color", "3", "03000000"},
		{"color", "BLUE", "expected an enumerator"},
		{"pair", "{1, 2}", "0100000002000000"},
		{"pair", "{.b = 2}", "0000000002000000"},
		{"pair", "{.b = 2, .a = 1}", "0100000002000000"},
		{"pair", "{}", "0000000000000000"},
		{"pair", "{1, 2, 3}", "no member is left"},
		{"pair", "{.c = 2}", "the name of a member"},
		{"pair", "{1 2}", "',' or '}'"},
		{"pair", "1", "'{'"},
		{"deep", "{{{1, 2}, {.b = 3}}, GREEN, \"abc\"}",
		 "010000000200000000000000030000000700000061626300"
		 "00000000"},
		{"deep", "{.text = \"abcde\"}", "fits the array"},
		{"deep", "{.bits = 1}", "not a bit-field"},
		{"deep", "{.pairs = {{}, {}, {}}}", "the array is full"},
		{"in6", "2001:db8::1", "20010db8000000000000000000000001"},
		{"mac", "02:00:00:0a:0b:0c", "0200000a0b0c"},
		{"mac", "{1,2,3}", "010203000000"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 type = type_of(rows[i].variable);
		const char *text = rows[i].text;
		struct skep_error err = {};
		char got[512] = "";
		u8 bytes[128];

		if (!btf_parse_value(types, type, &text, bytes, sizeof(bytes), &err))
			print_bytes(bytes, btf_size(types, type), got);
		if (err.code ? !strstr(err.text, rows[i].want) : strcmp(got, rows[i].want))
			fail_msg("%s = %s: %s%s, want %s", rows[i].variable, rows[i].text, got,
				 err.text, rows[i].want);
	}
}

static void what_follows_is_left_to_the_caller(void **state)
{
	const char *text = "{1, 2}]=7";
	u8 bytes[8];

	assert_int_equal(btf_parse_value(types, type_of("pair"), &text, bytes, 8, NULL), 0);
	assert_string_equal(text, "]=7");
	text = "1";
	assert_int_equal(btf_parse_value(types, type_of("number"), &text, bytes, 2, NULL),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_values_become_bytes),
		cmocka_unit_test(what_follows_is_left_to_the_caller),
	};

	return cmocka_run_group_tests(tests, load_types, free_types);
}
