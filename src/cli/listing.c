/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/listing.h"
#include "cli/leaf.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCREEN_WIDTH 80
#define BAR_MAX	     24
#define BAR_LEAST    8	/* shorter ones say nothing */
#define HEX_SHOWN    16 /* bytes of a value without a type that are shown */

bool listing_can_show(const struct bpf_map *map)
{
	switch ((u32)bpf_map__type(map)) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_PROG_ARRAY: return true;
	default: return false;
	}
}

static bool is_per_cpu(u32 type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

/* What the values of such a map are ids of; NULL: they are plain. */
static const char *held_by(u32 type)
{
	if (type == BPF_MAP_TYPE_PROG_ARRAY)
		return "prog_id";
	if (type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS)
		return "inner_map_id";
	return NULL;
}

static size_t value_bytes(const struct listing *listing)
{
	return listing->cpus ? round_up(listing->value_size, 8) * listing->cpus
			     : listing->value_size;
}

static bool listing_add(struct listing *listing, const void *key, int fd)
{
	struct listing_entry *entry, *larger;

	if (listing->count == listing->room) {
		larger = realloc(listing->entries, (listing->room * 2 + 64) * sizeof(*larger));
		if (!larger)
			return false;
		listing->entries = larger;
		listing->room = listing->room * 2 + 64;
	}
	entry = &listing->entries[listing->count];
	entry->key = malloc(listing->key_size + value_bytes(listing));
	if (!entry->key)
		return false;
	entry->value = entry->key + listing->key_size;
	memcpy(entry->key, key, listing->key_size);
	/* Gone since its key was read: not an entry any more. */
	if (bpf_map_lookup_elem(fd, key, entry->value))
		free(entry->key);
	else
		listing->count++;
	return true;
}

static int listing_fill(struct listing *listing, int fd)
{
	void *key = calloc(1, listing->key_size), *next = calloc(1, listing->key_size),
	     *before = NULL;
	int code = key && next ? 0 : -ENOMEM;

	while (!code && !bpf_map_get_next_key(fd, before, next)) {
		if (!listing_add(listing, next, fd))
			code = -ENOMEM;
		memcpy(key, next, listing->key_size);
		before = key;
	}
	free(key);
	free(next);
	return code;
}

/* All but the entries. */
static int listing_init(struct listing *out, int fd)
{
	struct bpf_map_info info = {};
	u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	out->type = libbpf_bpf_map_type_str(info.type) ?: "unknown";
	out->key_size = info.key_size;
	out->value_size = info.value_size;
	out->cpus = is_per_cpu(info.type) ? libbpf_num_possible_cpus() : 0;
	out->holds = held_by(info.type);
	return 0;
}

static void listing_of_map(struct listing *out, const struct bpf_map *map,
			   const struct btf_view *types)
{
	*out = (struct listing){
		.name = bpf_map__name(map),
		.types = types,
		.key_type = bpf_map__btf_key_type_id(map),
		.value_type = bpf_map__btf_value_type_id(map),
	};
}

int listing_read_map(struct listing *out, const struct bpf_map *map,
		     const struct btf_view *types)
{
	int code;

	listing_of_map(out, map, types);
	code = listing_init(out, bpf_map__fd(map));
	if (!code)
		code = listing_fill(out, bpf_map__fd(map));
	if (code)
		listing_done(out);
	return code;
}

int listing_read_key(struct listing *out, const struct bpf_map *map,
		     const struct btf_view *types, const void *key)
{
	int code;

	listing_of_map(out, map, types);
	code = listing_init(out, bpf_map__fd(map));
	if (!code && !listing_add(out, key, bpf_map__fd(map)))
		code = -ENOMEM;
	if (!code && !out->count)
		code = -ENOENT;
	if (code)
		listing_done(out);
	return code;
}

void listing_done(struct listing *listing)
{
	for (u32 i = 0; i < listing->count; i++)
		free(listing->entries[i].key);
	free(listing->entries);
	*listing = (struct listing){};
}

/* --- text --- */

struct columns {
	const struct listing *listing;
	struct leaf key[LEAVES_MAX], value[LEAVES_MAX];
	u32 key_count, value_count; /* 0: one column of hex */
	s32 measure;		    /* the value column that is drawn; -1: none */
	int width[2 * LEAVES_MAX];
	u32 bar_width; /* what the screen leaves */
};

/* The leaf over all CPUs: counters are summed. */
static u64 total_of(const struct listing *listing, const struct leaf *leaf, const u8 *value)
{
	u64 sum = 0;

	if (!listing->cpus)
		return leaf_number(leaf, value);
	for (u32 cpu = 0; cpu < listing->cpus; cpu++)
		sum += leaf_number(leaf, value + cpu * round_up(listing->value_size, 8));
	return sum;
}

static void hex_cell(const u8 *data, u32 size, char out[CELL_MAX])
{
	u32 shown = min(size, (u32)HEX_SHOWN);

	*out = '\0';
	for (u32 i = 0; i < shown; i++)
		snprintf(out + i * 3 - !!i, CELL_MAX - i * 3, i ? " %02x" : "%02x", data[i]);
	if (shown < size)
		strcat(out, " ...");
}

static void cell(const struct columns *columns, const struct listing_entry *entry, u32 column,
		 char out[CELL_MAX])
{
	const struct listing *listing = columns->listing;
	u32 keys = max(columns->key_count, 1u);
	const struct leaf *leaf;

	if (column < keys) {
		if (columns->key_count)
			leaf_print(listing->types, &columns->key[column], entry->key, out);
		else
			hex_cell(entry->key, listing->key_size, out);
		return;
	}
	leaf = &columns->value[column - keys];
	if (listing->holds)
		snprintf(out, CELL_MAX, "%u", *(const u32 *)entry->value);
	else if (!columns->value_count)
		hex_cell(entry->value, listing->value_size, out);
	else if (leaf->is_number)
		leaf_print_number(listing->types, leaf, total_of(listing, leaf, entry->value),
				  out);
	else
		leaf_print(listing->types, leaf, entry->value, out);
}

static const char *column_name(const struct columns *columns, u32 column)
{
	u32 keys = max(columns->key_count, 1u);

	if (column < keys)
		return columns->key_count && columns->key[column].name[0]
			       ? columns->key[column].name
			       : "key";
	if (columns->listing->holds)
		return columns->listing->holds;
	return columns->value_count && columns->value[column - keys].name[0]
		       ? columns->value[column - keys].name
		       : "value";
}

static u32 column_count(const struct columns *columns)
{
	return max(columns->key_count, 1u) + max(columns->value_count, 1u);
}

/* What is worth a bar: a value that is one number, or the first 64-bit member. */
static bool is_counter(const struct columns *columns, u32 column)
{
	const struct leaf *leaf = &columns->value[column];

	return leaf->is_number && (columns->value_count == 1 || leaf->size == 8);
}

static void find_columns(struct columns *columns, const struct listing *listing)
{
	*columns = (struct columns){.listing = listing, .measure = -1};
	if (listing->types && listing->key_type)
		columns->key_count = leaves_of(listing->types, listing->key_type, columns->key);
	if (listing->types && listing->value_type)
		columns->value_count =
			leaves_of(listing->types, listing->value_type, columns->value);
	for (u32 i = 0; columns->measure < 0 && i < columns->value_count; i++)
		if (is_counter(columns, i))
			columns->measure = i;
}

/* Text columns are filled to the left, numbers to the right. */
static bool is_number_column(const struct columns *columns, u32 column)
{
	u32 keys = max(columns->key_count, 1u);

	return column >= keys && columns->value_count &&
	       columns->value[column - keys].is_number;
}

static void find_widths(struct columns *columns, u32 shown)
{
	char text[CELL_MAX];

	for (u32 column = 0; column < column_count(columns); column++) {
		columns->width[column] = strlen(column_name(columns, column));
		for (u32 i = 0; i < shown; i++) {
			cell(columns, &columns->listing->entries[i], column, text);
			columns->width[column] = max(columns->width[column], (int)strlen(text));
		}
	}
}

static void find_bar_width(struct columns *columns)
{
	u32 used = 2;

	for (u32 column = 0; column < column_count(columns); column++)
		used += 2 + columns->width[column];
	columns->bar_width = used < SCREEN_WIDTH ? min(SCREEN_WIDTH - used, (u32)BAR_MAX) : 0;
	if (columns->bar_width < BAR_LEAST)
		columns->measure = -1;
}

static void print_bar(struct strbuf *out, u64 value, u64 largest, u32 width)
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	u64 length = largest ? (u64)((double)value / largest * width * 8 + 0.5) : 0;

	strbuf_adds(out, "  ");
	for (u64 i = 0; i < length / 8; i++)
		strbuf_adds(out, "█");
	strbuf_adds(out, eighths[length % 8]);
}

static void print_row(struct strbuf *out, const struct columns *columns,
		      const struct listing_entry *entry, u64 largest)
{
	char text[CELL_MAX];

	for (u32 column = 0; column < column_count(columns); column++) {
		if (entry)
			cell(columns, entry, column, text);
		else
			snprintf(text, sizeof(text), "%s", column_name(columns, column));
		strbuf_addf(out, is_number_column(columns, column) ? "  %*s" : "  %-*s",
			    columns->width[column], text);
	}
	if (entry && columns->measure >= 0)
		print_bar(out,
			  total_of(columns->listing, &columns->value[columns->measure],
				   entry->value),
			  largest, columns->bar_width);
	while (out->length && out->text[out->length - 1] == ' ')
		strbuf_truncate(out, out->length - 1);
	strbuf_addc(out, '\n');
}

static int compare_entries(const void *a, const void *b, void *cookie)
{
	const struct columns *columns = cookie;
	const struct listing_entry *first = a, *second = b;
	const struct leaf *leaf = &columns->value[columns->measure];
	u64 left = total_of(columns->listing, leaf, first->value);
	u64 right = total_of(columns->listing, leaf, second->value);

	return left < right   ? 1
	       : left > right ? -1
			      : memcmp(first->key, second->key, columns->listing->key_size);
}

/* Arrays keep their order, everything else has the largest first. */
static bool is_array(const struct listing *listing)
{
	return strstr(listing->type, "array") != NULL;
}

static void print_text(struct listing *listing, struct strbuf *out, u32 top)
{
	u32 shown = top ? min(top, listing->count) : listing->count;
	struct columns columns;
	u64 largest = 0;

	strbuf_addf(out, "%s  (%s, %u %s%s)\n", listing->name, listing->type, listing->count,
		    listing->count == 1 ? "entry" : "entries",
		    listing->cpus ? ", summed over CPUs" : "");
	if (!listing->count)
		return;
	find_columns(&columns, listing);
	if (columns.measure >= 0 && !is_array(listing))
		qsort_r(listing->entries, listing->count, sizeof(*listing->entries),
			compare_entries, &columns);
	find_widths(&columns, shown);
	find_bar_width(&columns);
	for (u32 i = 0; columns.measure >= 0 && i < shown; i++)
		largest = max(largest, total_of(listing, &columns.value[columns.measure],
						listing->entries[i].value));
	print_row(out, &columns, NULL, 0);
	for (u32 i = 0; i < shown; i++)
		print_row(out, &columns, &listing->entries[i], largest);
	if (shown < listing->count)
		strbuf_addf(out, "  ... and %u more (--top 0 shows all)\n",
			    listing->count - shown);
}

/* --- JSON --- */

static void json_hex(struct json *json, const char *name, const u8 *data, u32 size)
{
	char text[8];

	json_array(json, name);
	for (u32 i = 0; i < size; i++) {
		snprintf(text, sizeof(text), "0x%02x", data[i]);
		json_string(json, NULL, text);
	}
	json_array_end(json);
}

static void json_typed(const struct listing *listing, struct json *json, const char *name,
		       u32 type, const u8 *data, u32 size)
{
	if (listing->types && type)
		btf_json_value(listing->types, type, data, size, json, name);
	else
		json_hex(json, name, data, size);
}

static void json_values(const struct listing *listing, struct json *json, u32 type,
			const u8 *value)
{
	json_array(json, "values");
	for (u32 cpu = 0; cpu < listing->cpus; cpu++) {
		json_object(json, NULL);
		json_uint(json, "cpu", cpu);
		json_typed(listing, json, "value", type,
			   value + cpu * round_up(listing->value_size, 8), listing->value_size);
		json_object_end(json);
	}
	json_array_end(json);
}

/* Key and value by their types, or as bytes. */
static void json_entry(const struct listing *listing, struct json *json,
		       const struct listing_entry *entry, bool is_typed)
{
	u32 key_type = is_typed ? listing->key_type : 0;
	u32 value_type = is_typed ? listing->value_type : 0;

	json_typed(listing, json, "key", key_type, entry->key, listing->key_size);
	if (listing->cpus)
		json_values(listing, json, value_type, entry->value);
	else
		json_typed(listing, json, "value", value_type, entry->value,
			   listing->value_size);
}

static void print_json(const struct listing *listing, struct json *json)
{
	json_string(json, "name", listing->name);
	json_string(json, "type", listing->type);
	json_array(json, "entries");
	for (u32 i = 0; i < listing->count; i++) {
		json_object(json, NULL);
		json_entry(listing, json, &listing->entries[i], true);
		json_object_end(json);
	}
	json_array_end(json);
}

void listing_json_entry(const struct listing *listing, const struct listing_entry *entry,
			struct json *json)
{
	json_object(json, NULL);
	json_entry(listing, json, entry, false);
	if (listing->types && listing->value_type) {
		json_object(json, "formatted");
		json_entry(listing, json, entry, true);
		json_object_end(json);
	}
	json_object_end(json);
}

void listing_print(struct listing *listing, struct output *output, u32 top)
{
	struct strbuf text;

	if (output->is_json) {
		print_json(listing, &output->json);
		return;
	}
	strbuf_init(&text);
	print_text(listing, &text, top);
	output_text(output, "map", strbuf_text(&text));
	strbuf_done(&text);
}
