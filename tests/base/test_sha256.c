/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 against the examples of FIPS 180-4, and its two ways against each other. */
#include "base/sha256.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static void hash_text(const u8 hash[SHA256_SIZE], char out[2 * SHA256_SIZE + 1])
{
	for (u32 i = 0; i < SHA256_SIZE; i++)
		sprintf(out + 2 * i, "%02x", hash[i]);
}

/* The text `times` over, `part` bytes at a time. */
static void hash_parts(const char *text, u32 times, size_t part, char out[2 * SHA256_SIZE + 1])
{
	u8 hash[SHA256_SIZE];
	struct sha256 sha;

	sha256_init(&sha);
	for (u32 i = 0; i < times; i++)
		for (size_t at = 0, size = strlen(text); at < size; at += part)
			sha256_add(&sha, text + at, min(part, size - at));
	sha256_end(&sha, hash);
	hash_text(hash, out);
}

static void test_examples(void **state)
{
	static const struct {
		const char *text;
		u32 times;
		const char *want;
	} rows[] = {
		{"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		 5000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
	};
	static const size_t parts[] = {1, 7, 63, 64, 65, 128, 1000};
	char text[2 * SHA256_SIZE + 1];

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		for (u32 k = 0; k < ARRAY_SIZE(parts); k++) {
			hash_parts(rows[i].text, rows[i].times, parts[k], text);
			assert_string_equal(text, rows[i].want);
		}
}

static void test_ways(void **state)
{
	u8 blocks[8 * SHA256_BLOCK];
	u32 one[8] = {1, 2, 3}, other[8] = {1, 2, 3}, number = 1;

	if (!sha256_x86_is_there())
		skip();
	for (u32 round = 0; round < 100; round++) {
		for (u32 i = 0; i < sizeof(blocks); i++)
			blocks[i] = (u8)((number = number * 1664525 + 1013904223) >> 24);
		sha256_blocks(one, blocks, 1 + round % 8);
		sha256_x86_blocks(other, blocks, 1 + round % 8);
		assert_memory_equal(one, other, sizeof(one));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
