/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The type of a buffer's records is the map's value type where the object declares one, else
 * the struct that has the map's name; records without a type are shown as hex.
 */
#include "cli/events.h"
#include "btf/btf.h"
#include "cli/leaf.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS	    50
#define PERF_PAGES  64
#define SOURCES_MAX 64

struct source {
	struct events *events;
	const char *name;
	u32 type;		  /* of the records; 0: unknown */
	struct perf_buffer *perf; /* NULL: a ring buffer */
};

struct events {
	struct session *session;
	struct btf_view *types;
	struct ring_buffer *rings;
	struct source sources[SOURCES_MAX];
	u32 source_count;
	pthread_t thread;
	atomic_bool stop;
};

static u32 record_type(const struct btf_view *types, const struct bpf_map *map)
{
	u32 declared = bpf_map__btf_value_type_id(map);

	if (!types)
		return 0;
	return declared ?: btf_find(types, bpf_map__name(map), BTF_KIND_STRUCT);
}

static void print_hex(struct output *output, const u8 *data, size_t size)
{
	struct strbuf text;

	strbuf_init(&text);
	for (size_t i = 0; i < size; i++)
		strbuf_addf(&text, i ? " %02x" : "%02x", data[i]);
	output_bare(output, "data", strbuf_text(&text));
	strbuf_done(&text);
}

/* "name value" for each member, addresses as such; what has no such members as a C initialiser.
 */
static void print_members(struct output *output, const struct source *source, const u8 *data,
			  size_t size)
{
	const struct btf_view *types = source->events->types;
	struct leaf leaves[LEAVES_MAX];
	u32 count = leaves_of(types, source->type, leaves);
	char cell[CELL_MAX];
	struct strbuf text;

	for (u32 i = 0; i < count; i++) {
		leaf_print(types, &leaves[i], data, cell);
		output_string(output, leaves[i].name, cell);
	}
	if (count)
		return;
	strbuf_init(&text);
	btf_print_line(types, source->type, data, size, &text);
	output_bare(output, "value", strbuf_text(&text));
	strbuf_done(&text);
}

static void print_typed(struct output *output, const struct source *source, const void *data,
			size_t size)
{
	if (output->is_json)
		btf_json_value(source->events->types, source->type, data, size, &output->json,
			       "value");
	else
		print_members(output, source, data, size);
}

static int print_record(void *cookie, void *data, size_t size)
{
	struct source *source = cookie;
	struct output *output = &source->events->session->line->output;

	output_begin(output, "record");
	output_bare(output, "map", source->name);
	if (source->type && btf_size(source->events->types, source->type) <= (s64)size)
		print_typed(output, source, data, size);
	else
		print_hex(output, data, size);
	output_end(output);
	return 0;
}

static void print_sample(void *cookie, int cpu, void *data, u32 size)
{
	print_record(cookie, data, size);
}

static void print_lost(void *cookie, int cpu, __u64 count)
{
	struct source *source = cookie;
	struct output *output = &source->events->session->line->output;

	output_begin(output, "lost");
	output_bare(output, "map", source->name);
	output_number(output, "lost", count);
	output_end(output);
}

static int add_ring(struct events *events, struct source *source, int fd)
{
	if (!events->rings) {
		events->rings = ring_buffer__new(fd, print_record, source, NULL);
		return events->rings ? 0 : -errno;
	}
	return ring_buffer__add(events->rings, fd, print_record, source);
}

static int add_source(struct events *events, struct bpf_map *map)
{
	struct source *source = &events->sources[events->source_count];
	int code;

	if (events->source_count == SOURCES_MAX)
		return 0;
	*source = (struct source){
		.events = events,
		.name = bpf_map__name(map),
		.type = record_type(events->types, map),
	};
	events->source_count++;
	if (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF) {
		code = add_ring(events, source, bpf_map__fd(map));
	} else {
		source->perf = perf_buffer__new(bpf_map__fd(map), PERF_PAGES, print_sample,
						print_lost, source, NULL);
		code = source->perf ? 0 : -errno;
	}
	return code ? usage_error("%s: its records cannot be read: %s", source->name,
				  strerror(-code))
		    : 0;
}

static void consume(struct events *events, int timeout_ms)
{
	if (events->rings)
		ring_buffer__poll(events->rings, timeout_ms);
	for (u32 i = 0; i < events->source_count; i++)
		if (events->sources[i].perf)
			perf_buffer__poll(events->sources[i].perf,
					  events->rings ? 0 : timeout_ms);
}

static void *read_events(void *cookie)
{
	struct events *events = cookie;

	while (!atomic_load(&events->stop))
		consume(events, POLL_MS);
	consume(events, 0);
	return NULL;
}

static void events_free(struct events *events)
{
	for (u32 i = 0; i < events->source_count; i++)
		perf_buffer__free(events->sources[i].perf);
	ring_buffer__free(events->rings);
	btf_view_free(events->types);
	free(events);
}

int events_start(struct session *session, struct events **out)
{
	struct events *events = calloc(1, sizeof(*events));
	struct bpf_map *map;
	int code = 0;

	*out = NULL;
	if (!events)
		return usage_error("out of memory");
	events->session = session;
	events->types = session_types(session);
	bpf_object__for_each_map (map, session->object)
		if (!code && (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF ||
			      bpf_map__type(map) == BPF_MAP_TYPE_PERF_EVENT_ARRAY))
			code = add_source(events, map);
	if (code || !events->source_count) {
		events_free(events);
		return code;
	}
	if (pthread_create(&events->thread, NULL, read_events, events)) {
		events_free(events);
		return usage_error("no thread to read events with");
	}
	*out = events;
	return 0;
}

void events_stop(struct events *events)
{
	if (!events)
		return;
	atomic_store(&events->stop, true);
	pthread_join(events->thread, NULL);
	events_free(events);
}
