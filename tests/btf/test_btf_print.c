/* SPDX-License-Identifier: BSD-2-Clause */
/* The printers against libbpf and bpftool, which print the same bytes with the same BTF. */
#include "base/json.h"
#include "btf/btf.h"
#include "kernel.h"
#include "libbpf_dump.h"
#include "mutate.h"
#include "sample.h"
#include "tests/unit.h"

#include <stdio.h>

#define VALUES 200

static u8 *blob;
static u32 blob_size;
static struct btf_view *view;

static int setup(void **state)
{
	struct strbuf log = {};

	blob = sample_btf(SAMPLES "sample.elf", &blob_size);
	assert_non_null(blob);
	assert_int_equal(btf_view_new(blob, blob_size, &view, &log, NULL), 0);
	strbuf_done(&log);
	return 0;
}

static int teardown(void **state)
{
	btf_view_free(view);
	free(blob);
	return 0;
}

/* Bytes of value `seed` of a type: about half of them 0, booleans 0 or 1. */
static void fill_value(u8 *data, size_t size, u64 seed)
{
	u64 random = seed * 0x9e3779b97f4a7c15 + 1;

	memset(data, 0, size);
	for (size_t i = 0; i < size; i += 4)
		if (mutate_random(&random) % 3)
			for (size_t j = i; j < i + 4 && j < size; j++)
				data[j] = mutate_random(&random) >> 32;
	if (seed % 2)
		for (size_t i = 0; i < size; i++)
			data[i] = data[i] % 3 ? 0 : 'a' + data[i] % 26;
}

static size_t offset_of(u32 id, const char *name)
{
	const struct btf_type *type = btf_type(view, id);
	const struct btf_member *member = btf_members(type);

	for (u32 i = 0; i < btf_vlen(type); i++)
		if (!strcmp(btf_string(view, member[i].name_off), name))
			return btf_member_bit_offset(type, &member[i]) / 8;
	fail_msg("no member %s", name);
	return 0;
}

/* libbpf 1.1 takes a nested structure for zero when its first member is, and leaves out bit
 * fields of an enumeration. */
static void suit_libbpf(u32 id, const char *name, u8 *data)
{
	u8 *bits = data;

	if (!strcmp(name, "shown")) {
		data[offset_of(id, "truth")] &= 1;
		data[offset_of(id, "")] |= 1;
		data[offset_of(id, "pairs")] |= 1;
		bits = data + offset_of(id, "bits");
		bits[0] |= 1;
	} else if (strcmp(name, "bits")) {
		return;
	}
	bits[2] &= 0x0f;
	bits[3] &= 0xf0;
}

static void types_and_values_print_as_libbpf_does(void **state)
{
	static const char *const types[] = {"shown", "node", "bits"};
	u8 data[512];

	for (size_t i = 0; i < ARRAY_SIZE(types) * VALUES; i++) {
		u32 id = btf_find(view, types[i % ARRAY_SIZE(types)], BTF_KIND_STRUCT);
		struct strbuf text = {};
		size_t size = btf_size(view, id);
		char *want;

		fill_value(data, size, i);
		suit_libbpf(id, types[i % ARRAY_SIZE(types)], data);
		want = libbpf_dump(blob, blob_size, id, data, size);
		btf_print_value(view, id, data, size, &text);
		assert_string_equal(strbuf_text(&text), want);
		strbuf_done(&text);
		free(want);
	}
}

static void short_and_odd_values_are_harmless(void **state)
{
	u8 data[512] = {};

	for (u32 id = 0; id <= btf_type_count(view) + 1; id++) {
		for (size_t size = 0; size <= sizeof(data); size += 37) {
			struct strbuf text = {};
			struct json json;

			btf_print_value(view, id, data, size, &text);
			btf_print_line(view, id, data, size, &text);
			json_init(&json, &text, false);
			btf_json_value(view, id, data, size, &json, NULL);
			assert_false(text.failed);
			strbuf_done(&text);
		}
	}
}

static void lines_are_for_people(void **state)
{
	u32 id = btf_find(view, "shown", BTF_KIND_STRUCT);
	struct strbuf text = {};
	u8 data[512] = {};

	memcpy(data + offset_of(id, "text"), "bee\"", 4);
	data[offset_of(id, "color")] = 7;
	data[offset_of(id, "bits")] = 7;
	data[offset_of(id, "pairs")] = 0xff;
	btf_print_line(view, id, data, btf_size(view, id), &text);
	assert_string_equal(
		strbuf_text(&text),
		"{.bits = {.sign = -1, .wide = 0, .color = RED, .flag = 0, .longest = 0}, "
		".color = GREEN, .big = 0, .huge = 0, .truth = 0, .pointer = 0x0, "
		".matrix = {{0, 0, 0}, {0, 0, 0}}, "
		".pairs = {{.low = 255, .high = 0}, {.low = 0, .high = 0}}, "
		"{.word = 0, .half = {0, 0}}, .total = 0, .change = 0, "
		".bytes = {0, 0, 0, 0, 0, 0}, .text = \"bee\\\"\", .letters = {0, 0, 0, 0}}");
	strbuf_done(&text);
}

/* --- bpftool --- */

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* A kernel array of one value of the type; its id in *id. The fd, or -1. */
static int make_map(u32 value_type, u32 *id)
{
	union bpf_attr attr = {.btf = ptr_to_u64(blob), .btf_size = blob_size};
	struct bpf_map_info info = {};
	int btf_fd = bpf(BPF_BTF_LOAD, &attr), fd;

	if (btf_fd < 0)
		return -1;
	attr = (union bpf_attr){
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = btf_size(view, value_type),
		.max_entries = 1,
		.btf_fd = btf_fd,
		.btf_key_type_id = btf_find(view, "int", BTF_KIND_INT),
		.btf_value_type_id = value_type,
	};
	fd = bpf(BPF_MAP_CREATE, &attr);
	close(btf_fd);
	if (fd < 0)
		return -1;
	attr = (union bpf_attr){.info.bpf_fd = fd,
				.info.info_len = sizeof(info),
				.info.info = ptr_to_u64(&info)};
	bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	*id = info.id;
	return fd;
}

/* The value in `bpftool -j map dump`, terminated; points into `output`. */
static char *bpftool_value(u32 map_id, char *output, size_t size)
{
	static const char before[] = "\"formatted\":{\"key\":0,\"value\":";
	char command[64], *value;
	size_t length;
	FILE *pipe;

	snprintf(command, sizeof(command), "bpftool -j map dump id %u 2>/dev/null", map_id);
	pipe = popen(command, "r");
	length = pipe ? fread(output, 1, size - 1, pipe) : 0;
	output[length] = '\0';
	if (!pipe || pclose(pipe))
		return NULL;
	value = strstr(output, before);
	if (!value)
		return NULL;
	value += strlen(before);
	value[strcspn(value, "\n")] = '\0';
	value[strlen(value) - strlen("}}]")] = '\0';
	return value;
}

static void json_is_bpftools(void **state)
{
	u32 id = btf_find(view, "shown", BTF_KIND_STRUCT), map_id = 0, key = 0;
	int fd = make_map(id, &map_id);
	size_t size = btf_size(view, id);
	char output[16384];
	u8 data[512];

	if (fd < 0 || system("bpftool version >/dev/null 2>&1"))
		skip();
	for (u64 seed = 0; seed < 12; seed++) {
		union bpf_attr attr = {
			.map_fd = fd, .key = ptr_to_u64(&key), .value = ptr_to_u64(data)};
		struct strbuf text = {};
		struct json json;
		char *want;

		fill_value(data, size, seed);
		data[offset_of(id, "truth")] &= 1;
		assert_int_equal(bpf(BPF_MAP_UPDATE_ELEM, &attr), 0);
		want = bpftool_value(map_id, output, sizeof(output));
		assert_non_null(want);
		json_init(&json, &text, false);
		btf_json_value(view, id, data, size, &json, NULL);
		assert_string_equal(strbuf_text(&text), want);
		strbuf_done(&text);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_and_values_print_as_libbpf_does),
		cmocka_unit_test(short_and_odd_values_are_harmless),
		cmocka_unit_test(lines_are_for_people),
		cmocka_unit_test(json_is_bpftools),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
