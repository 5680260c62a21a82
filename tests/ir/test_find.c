/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Look-ups that machine code does itself: every kind of hash map, keys of many sizes, that are
 * there and that are not, in the packet and put together on the stack in stores of all widths.
 */
#include "tests/sys/engine_programs.h"

#include <skep/inspect.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES	 700
#define KEYS	 (2 * ENTRIES)
#define KEY_MAX	 64
#define SLOTS_MAX 256
#define ABSENT	 0xabcd

static const u32 types[] = {BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_LRU_HASH,
			    BPF_MAP_TYPE_LRU_PERCPU_HASH};
static const u32 key_sizes[] = {2, 3, 4, 6, 8, 9, 12, 16, 20, 36, 40, 48};
/* How many bytes stores write in turn; 0: the key stays in the packet. */
static const char *const patterns[] = {"", "8", "4", "1", "24", "4211", "2148"};

static void make_key(u32 number, u32 size, u8 *out)
{
	const u32 mixed = number * 2654435761u;

	for (u32 i = 0; i < KEY_MAX; i++)
		out[i] = i < size ? (u8)(i < 4 ? mixed >> 8 * i : number * i >> 3) : 0xee;
	if (size == 2)
		memcpy(out, &number, 2);
}

static int make_map(struct skep_engine *engine, u32 type, u32 key_size)
{
	union bpf_attr attr = {.map_type = type,
			       .key_size = key_size,
			       .value_size = 8,
			       .max_entries = ENTRIES};
	int map = skep_bpf(engine, BPF_MAP_CREATE, &attr, sizeof(attr));

	assert_true(map >= 0);
	for (u32 i = 0; i < KEYS; i += 2) {
		u64 values[SLOTS_MAX];
		u8 key[KEY_MAX];

		make_key(i, key_size, key);
		for (u32 slot = 0; slot < SLOTS_MAX; slot++)
			values[slot] = i + 1;
		attr = (union bpf_attr){.map_fd = (u32)map,
					.key = ptr_to_u64(key),
					.value = ptr_to_u64(values)};
		assert_int_equal(skep_bpf(engine, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)), 0);
	}
	return map;
}

/* The key from the packet to the stack, in reverse order so that no store is another's last. */
static void copy_key(u32 key_size, const char *pattern, char *text, size_t room)
{
	const u32 space = (key_size + 7) / 8 * 8;
	size_t length = 0;

	for (u32 at = 0, i = 0, bytes; at < key_size; at += bytes, i++) {
		bytes = (u32)(pattern[i % strlen(pattern)] - '0');
		while (bytes > key_size - at || at % bytes)
			bytes /= 2;
		length += (size_t)snprintf(text + length, room - length,
					   "r1 = *(u%u *)(r6 + %u); *(u%u *)(r10 - %u) = r1;\n",
					   8 * bytes, at, 8 * bytes, space - at);
	}
	snprintf(text + length, room - length, "r2 = r10; r2 += -%u;\n", space);
}

static int load(struct skep_engine *engine, int map, u32 key_size, const char *pattern)
{
	char key[4096] = "r2 = r6;\n", text[8192];

	if (*pattern)
		copy_key(key_size, pattern, key, sizeof(key));
	snprintf(text, sizeof(text),
		 "r6 = *(u32 *)(r1 + 0); r2 = *(u32 *)(r1 + 4); r3 = r6; r3 += 64;\n"
		 "if r3 > r2 goto absent;\n"
		 "%s"
		 "r1 = map_fd %d ll; call 1;\n"
		 "if r0 == 0 goto absent;\n"
		 "r0 = *(u64 *)(r0 + 0); exit;\n"
		 "absent: r0 = %d; exit",
		 key, map, ABSENT);
	return engine_load(engine, text);
}

static void check(struct skep_engine *engine, int prog, u32 key_size, u32 number, const char *what)
{
	u8 packet[KEY_MAX];
	union bpf_attr attr = {.test = {.prog_fd = (u32)prog,
					.data_in = ptr_to_u64(packet),
					.data_size_in = sizeof(packet)}};
	const u32 want = number % 2 ? ABSENT : number + 1;

	make_key(number, key_size, packet);
	assert_int_equal(skep_bpf(engine, BPF_PROG_TEST_RUN, &attr, sizeof(attr)), 0);
	if (attr.test.retval != want)
		fail_msg("%s, key %u of %u bytes: %#x, not %#x", what, number, key_size,
			 attr.test.retval, want);
}

static void check_all(struct skep_engine *engine, u32 type, u32 key_size)
{
	const int map = make_map(engine, type, key_size);

	for (u32 p = 0; p < ARRAY_SIZE(patterns); p++) {
		const int prog = load(engine, map, key_size, patterns[p]);
		char what[64];

		snprintf(what, sizeof(what), "map type %u, stores '%s'", type, patterns[p]);
		for (u32 number = 0; number < KEYS; number++)
			check(engine, prog, key_size, number, what);
		close(prog);
	}
	close(map);
}

static void test_kinds(void **state)
{
	const struct skep_engine_opts opts = {.sz = sizeof(opts), .jit = SKEP_JIT_FULL};
	struct skep_engine *engine = skep_engine_new(&opts, NULL);

	assert_non_null(engine);
	for (u32 t = 0; t < ARRAY_SIZE(types); t++)
		for (u32 k = 0; k < ARRAY_SIZE(key_sizes); k++)
			check_all(engine, types[t], key_sizes[k]);
	skep_engine_free(engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds)};

	return cmocka_run_group_tests_name("find", tests, NULL, NULL);
}
