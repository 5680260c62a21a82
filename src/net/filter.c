/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/filter.h"

#include <stdlib.h>
#include <string.h>

/* So many bytes ahead memory is asked for: the processor itself stops at each page. */
#define PREFETCH 2048

void filter_begin(struct filter *filter, const struct run_env *env, struct runner *runner,
		  const struct prog *prog)
{
	filter->skb = (struct skb_ctx){};
	filter->runner = runner;
	filter->keeps_all = !prog;
	filter->enter = NULL;
	filter->exec = runner->exec;
	run_begin(&filter->run, env);
	if (!prog)
		return;
	runner_start(runner, prog, &filter->run);
	filter->run.ctx = &filter->skb;
	if (runner->leaves_no_trace)
		filter->enter = runner->enter;
}

void filter_end(struct filter *filter)
{
	run_end(&filter->run);
}

static struct skep_packet packet_of(const struct capture_packet *packet)
{
	return (struct skep_packet){
		.data = packet->data,
		.length = packet->length,
		.original_length = packet->original_length,
		.link_type = packet->link_type,
		.time_ns = packet->time_ns,
	};
}

/*
 * The packets of a pcap file of this machine's byte order, as long as nothing is unusual about
 * their records: of those that the filter does not keep, no more is read than it and the walk
 * need.
 */
static u32 filter_plain(struct filter *filter, struct capture_reader *reader,
			struct skep_packet *out, u32 room, u64 *seen)
{
	struct capture_packet packet;
	u64 looked_at = 0;
	u32 kept = 0;

	while (looked_at < room) {
		const u8 *data = capture_plain_packet(reader, &packet.length);

		if (!data)
			break;
		__builtin_prefetch(data + PREFETCH);
		packet.original_length = capture_plain_original(data);
		if (filter_keeps(filter, data, packet.length, packet.original_length)) {
			if (out) {
				capture_plain_details(reader, data, &packet);
				out[kept] = packet_of(&packet);
			}
			kept++;
		}
		looked_at++;
		reader->at = (size_t)(data - reader->bytes) + packet.length;
	}
	reader->packets += looked_at;
	*seen += looked_at;
	return kept;
}

s64 filter_capture(struct filter *filter, struct capture_reader *reader,
		   struct skep_packet *out, u32 room, u64 *seen, struct skep_error *err)
{
	struct capture_packet packet;
	u32 kept = 0;
	int got = 1;

	*seen = 0;
	if (capture_is_plain(reader))
		kept = filter_plain(filter, reader, out, room, seen);
	while (*seen < room && (got = capture_next(reader, &packet, err)) > 0) {
		if (filter_keeps(filter, packet.data, packet.length, packet.original_length)) {
			if (out)
				out[kept] = packet_of(&packet);
			kept++;
		}
		++*seen;
	}
	/* What came before a broken place is delivered first; the next call finds it again. */
	return got < 0 && !*seen ? (s64)got : (s64)kept;
}

void listener_free(struct listener *listener)
{
	if (listener && listener->prog)
		object_put(&listener->prog->object);
	free(listener);
}

void listener_hear(const struct listener *listener, const struct run_env *env,
		   struct runner *runner, const struct frame *frames, int count)
{
	struct skep_packet packets[FRAME_BATCH];
	struct filter filter;
	u32 kept = 0;

	filter_begin(&filter, env, runner, listener->prog);
	for (int i = 0; i < count; i++) {
		const struct frame *frame = &frames[i];

		if (!filter_keeps(&filter, frame->data, frame->length, frame->original_length))
			continue;
		packets[kept++] = (struct skep_packet){
			.data = frame->data,
			.length = frame->length,
			.original_length = frame->original_length,
			.link_type = LINK_TYPE_ETHERNET,
			.time_ns = frame->known & FRAME_TIME ? frame->time_ns : 0,
		};
	}
	filter_end(&filter);
	if (kept)
		listener->function(listener->cookie, packets, kept);
}
