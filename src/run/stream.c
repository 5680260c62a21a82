/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/stream.h"

#include "base/user.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_BYTES 100000 /* Linux's BPF_STREAM_MAX_CAPACITY: fewer than so many wait */
#define STREAMS	     2

struct stream {
	char *text; /* owned; NULL: nothing was written yet */
	u32 length;
};

struct prog_streams {
	pthread_mutex_t lock; /* a leaf */
	struct stream of[STREAMS];
};

int prog_streams_new(struct prog *prog)
{
	prog->streams = calloc(1, sizeof(*prog->streams));
	if (!prog->streams)
		return -ENOMEM;
	pthread_mutex_init(&prog->streams->lock, NULL);
	return 0;
}

void prog_streams_free(struct prog *prog)
{
	if (!prog->streams)
		return;
	for (u32 i = 0; i < STREAMS; i++)
		free(prog->streams->of[i].text);
	pthread_mutex_destroy(&prog->streams->lock);
	free(prog->streams);
}

static struct stream *find(const struct prog *prog, u32 id)
{
	return id == BPF_STDOUT || id == BPF_STDERR ? &prog->streams->of[id - BPF_STDOUT]
						    : NULL;
}

/* With the lock held. */
static int append(struct stream *stream, const char *text, size_t length)
{
	if (stream->length + length >= STREAM_BYTES)
		return -ENOSPC;
	if (!stream->text)
		stream->text = malloc(STREAM_BYTES);
	if (!stream->text)
		return -ENOMEM;
	memcpy(stream->text + stream->length, text, length);
	stream->length += (u32)length;
	return 0;
}

int prog_stream_write(const struct prog *prog, u32 id, const char *text, size_t length)
{
	struct stream *stream = find(prog, id);
	int ret;

	if (!stream)
		return -ENOENT;
	pthread_mutex_lock(&prog->streams->lock);
	ret = append(stream, text, length);
	pthread_mutex_unlock(&prog->streams->lock);
	return ret;
}

/* With the lock held. */
static int take(struct stream *stream, u64 to, u32 length)
{
	length = min(length, stream->length);
	if (length && user_write(to, stream->text, length))
		return -EFAULT;
	stream->length -= length;
	if (length)
		memmove(stream->text, stream->text + length, stream->length);
	return (int)length;
}

int prog_stream_read(const struct prog *prog, u32 id, u64 to, u32 length)
{
	struct stream *stream = find(prog, id);
	int ret;

	if (!stream)
		return -ENOENT;
	pthread_mutex_lock(&prog->streams->lock);
	ret = take(stream, to, length);
	pthread_mutex_unlock(&prog->streams->lock);
	return ret;
}
