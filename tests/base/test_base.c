/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/arena.h"
#include "base/json.h"
#include "base/object.h"
#include "base/os.h"
#include "base/slot.h"
#include "tests/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void arena_gives_zeroed_aligned_memory(void **state)
{
	struct arena arena;

	arena_init(&arena);
	for (size_t size = 0; size < 10000; size += 77) {
		u8 *memory = arena_alloc(&arena, size);

		assert_non_null(memory);
		assert_int_equal((uintptr_t)memory % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(memory[i], 0);
		memset(memory, 0xff, size);
	}
	assert_null(arena_array(&arena, SIZE_MAX / 2, 16));
	assert_string_equal(arena_string(&arena, "bee"), "bee");
	assert_true(arena_adopt(&arena, malloc(100))); /* a leak is found by the sanitizer */
	arena_done(&arena);
}

static void strbuf_grows_and_keeps_its_limit(void **state)
{
	struct strbuf buf;

	strbuf_init(&buf);
	assert_string_equal(strbuf_text(&buf), "");
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&buf, "%d,", i % 10);
	assert_int_equal(buf.length, 2000);
	strbuf_addf(&buf, "%0*d", 5000, 7);
	assert_int_equal(buf.length, 7000);
	strbuf_truncate(&buf, 2);
	assert_string_equal(strbuf_text(&buf), "0,");
	buf.limit = 4;
	strbuf_adds(&buf, "abcdef");
	assert_string_equal(strbuf_text(&buf), "0,ab");
	assert_true(buf.failed);
	strbuf_done(&buf);
}

static void json_example(struct json *json)
{
	json_object(json, NULL);
	json_uint(json, "id", 7);
	json_array(json, "maps");
	json_int(json, NULL, -1);
	json_object(json, NULL);
	json_object_end(json);
	json_array_end(json);
	json_bytes(json, "name", "a\"\\\n\x01\xff\xc3\xa4", 8);
	json_bool(json, "ok", true);
	json_null(json, "none");
	json_double(json, "rate", 0.5);
	json_object_end(json);
}

static void json_writes_commas_escapes_and_indentation(void **state)
{
	struct strbuf buf;
	struct json json;

	strbuf_init(&buf);
	json_init(&json, &buf, false);
	json_example(&json);
	assert_string_equal(
		strbuf_text(&buf),
		"{\"id\":7,\"maps\":[-1,{}],\"name\":\"a\\\"\\\\\\n\\u0001\\u00ff\xc3\xa4\","
		"\"ok\":true,\"none\":null,\"rate\":0.5}");
	strbuf_clear(&buf);
	json_init(&json, &buf, true);
	json_array(&json, NULL);
	json_uint(&json, NULL, 1);
	json_uint(&json, NULL, 2);
	json_array_end(&json);
	assert_string_equal(strbuf_text(&buf), "[\n    1,\n    2\n]");
	strbuf_done(&buf);
}

static int released;

static void count_release(struct object *object)
{
	released++;
}

static void object_is_released_by_its_last_owner(void **state)
{
	struct object object;

	released = 0;
	object_init(&object, OBJECT_MAP, count_release);
	object_get(&object);
	object_put(&object);
	assert_int_equal(released, 0);
	object_put(&object);
	assert_int_equal(released, 1);
	assert_false(object_get_unless_zero(&object));
	object_put(NULL);
}

#define CONTENDERS 8
#define ROUNDS	   20000

struct contest {
	struct slots *slots;
	int owners[2];
	long total[2];
};

static void *contend(void *cookie)
{
	struct contest *contest = cookie;

	for (int i = 0; i < ROUNDS; i++) {
		u32 slot = slot_enter(contest->slots);

		if (slot_enter(contest->slots) != slot || contest->owners[slot]++)
			abort();
		contest->total[slot]++;
		contest->owners[slot]--;
		slot_leave(contest->slots);
		slot_leave(contest->slots);
	}
	return NULL;
}

static void slots_have_one_owner_at_a_time(void **state)
{
	struct contest contest = {.slots = slots_new(2)};
	pthread_t thread[CONTENDERS];

	assert_non_null(contest.slots);
	for (int i = 0; i < CONTENDERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, contend, &contest), 0);
	for (int i = 0; i < CONTENDERS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(contest.total[0] + contest.total[1], CONTENDERS * ROUNDS);
	slots_free(contest.slots);
	assert_null(slots_new(0));
	assert_null(slots_new(SLOTS_MAX + 1));
}

static void os_reads_whole_files_up_to_a_limit(void **state)
{
	size_t size;
	char *text;

	assert_int_equal(os_read_file("/proc/self/maps", 1 << 20, &text, &size), 0);
	assert_int_equal(strlen(text), size);
	free(text);
	assert_int_equal(os_read_file("/proc/self/maps", 10, &text, &size), -EFBIG);
	assert_int_equal(os_read_file("/nonexistent", 10, &text, &size), -ENOENT);
	assert_true(os_possible_cpus() >= 1);
}

/* The last bytes stay, however much is added and taken back. */
static void text_with_a_window(void **state)
{
	struct strbuf all, rolling;

	strbuf_init(&all);
	strbuf_init(&rolling);
	rolling.window = 50;
	for (unsigned int i = 0; i < 2000; i++) {
		strbuf_addf(&all, "%u,", i);
		strbuf_addf(&rolling, "%u,", i);
		if (i % 7 == 0) {
			strbuf_truncate(&all, all.length - 1);
			strbuf_truncate(&rolling, rolling.length - 1);
		}
		assert_int_equal(rolling.length, all.length);
		assert_true(rolling.length - rolling.dropped >= min(all.length, (size_t)49));
		assert_string_equal(strbuf_text(&rolling), all.text + rolling.dropped);
	}
	assert_true(rolling.capacity <= 256);
	strbuf_truncate(&rolling, 10);
	assert_int_equal(rolling.length, 10);
	assert_string_equal(strbuf_text(&rolling), "");
	strbuf_done(&all);
	strbuf_done(&rolling);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_with_a_window),
		cmocka_unit_test(arena_gives_zeroed_aligned_memory),
		cmocka_unit_test(strbuf_grows_and_keeps_its_limit),
		cmocka_unit_test(json_writes_commas_escapes_and_indentation),
		cmocka_unit_test(object_is_released_by_its_last_owner),
		cmocka_unit_test(slots_have_one_owner_at_a_time),
		cmocka_unit_test(os_reads_whole_files_up_to_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
