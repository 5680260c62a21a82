/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture.h"
#include "text.h"

#include "base/os.h"
#include "cli/command.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <skep/capture.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- a sample --- */

static void add_choice(const struct capture *capture, const struct sampler_sample *sample,
		       struct strbuf *out)
{
	const struct capture_choice *choice = capture->choice;

	if (choice->kind == CAPTURE_RANDOM)
		strbuf_addf(out, "random 1-in-%llu, stands for %llu packets", choice->n,
			    choice->n);
	else if (sample->length >= choice->n)
		strbuf_addf(out, "by size: %llu bytes or more", choice->n);
	else
		strbuf_addf(out, "by size: probability %u/%llu, stands for %llu bytes",
			    sample->length, choice->n, choice->n);
}

static void describe(const struct capture *capture, const struct sampler_sample *sample,
		     struct strbuf *out)
{
	if (sample->key.family) {
		text_flow(&sample->key, out);
		strbuf_adds(out, "; ");
	}
	if (sample->flow_packets)
		strbuf_addf(out, "packet %llu of this second; ", sample->flow_packets);
	add_choice(capture, sample, out);
}

/* What was taken and could not be written is lost. */
static void end_file(struct capture *capture)
{
	const int err = skep_capture_flush(capture->writer);
	const u64 lost = skep_capture_lost(capture->writer);

	skep_capture_finish(capture->writer);
	capture->writer = NULL;
	capture->written -= lost;
	capture->lost += lost;
	if (err)
		usage_error("%s: %s; samples are lost from now on", capture->path,
			    strerror(-err));
}

static int take(void *cookie, void *data, size_t size)
{
	struct capture *capture = cookie;
	const struct sampler_sample *sample = data;
	struct strbuf comment;
	const struct skep_packet packet = {
		.data = (const u8 *)data + sizeof(*sample),
		.length = sample->captured,
		.original_length = sample->length,
		.link_type = 1,
		.time_ns = sample->time_ns + (u64)capture->wall_ns,
	};
	int err;

	if (!capture->writer) {
		capture->lost++;
		return 0;
	}
	strbuf_init(&comment);
	describe(capture, sample, &comment);
	err = skep_capture_write_comment(capture->writer, &packet, strbuf_text(&comment));
	strbuf_done(&comment);
	capture->written += !err;
	capture->lost += err != 0;
	capture->is_dirty = true;
	if (err)
		end_file(capture);
	return 0;
}

/* --- the file --- */

int capture_start(struct capture *capture, int ring_fd)
{
	capture->ring = ring_buffer__new(ring_fd, take, capture, NULL);
	return capture->ring
		       ? 0
		       : usage_error("samples: the ring cannot be read: %s", strerror(errno));
}

int capture_open_file(const struct capture *capture, const struct capture_choice *choice,
		      struct skep_capture_writer **out)
{
	struct skep_error err = {};

	*out = NULL;
	if (!choice->path || (capture->writer && !strcmp(capture->path, choice->path)))
		return 0;
	*out = skep_capture_create(choice->path, 1, &err);
	return *out ? 0 : usage_error("%s", err.text);
}

void capture_use(struct capture *capture, const struct capture_choice *choice,
		 struct skep_capture_writer *writer)
{
	/* What was taken so far belongs to the file that is open. */
	if (capture->choice)
		capture_work(capture, false);
	if (capture->writer && (writer || !choice->path))
		end_file(capture);
	if (writer) {
		free(capture->path);
		capture->path = strdup(choice->path);
		capture->writer = writer;
	}
	capture->choice = choice;
}

void capture_work(struct capture *capture, bool flushes)
{
	capture->wall_ns = (s64)os_time_ns(CLOCK_REALTIME) - (s64)os_time_ns(CLOCK_MONOTONIC);
	ring_buffer__consume(capture->ring);
	if (!flushes || !capture->is_dirty || !capture->writer)
		return;
	capture->is_dirty = false;
	if (skep_capture_flush(capture->writer))
		end_file(capture);
}

void capture_done(struct capture *capture)
{
	if (capture->writer)
		end_file(capture);
	ring_buffer__free(capture->ring);
	free(capture->path);
}
