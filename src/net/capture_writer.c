/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"
#include "net/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER (CAPTURE_PACKET_MAX * 2) /* at least CAPTURE_PACKET_MAX and a record header */

struct pcap_header {
	u32 magic;
	u16 major, minor;
	s32 zone;
	u32 accuracy, snap_length, link_type;
};

struct pcap_record {
	u32 seconds, nanoseconds, length, original_length;
};

int capture_create(struct capture_writer *writer, const char *path, struct skep_error *err)
{
	const struct pcap_header header = {
		.magic = 0xa1b23c4d,
		.major = 2,
		.minor = 4,
		.snap_length = CAPTURE_PACKET_MAX,
		.link_type = LINK_TYPE_ETHERNET,
	};

	*writer = (struct capture_writer){.path = path, .buffer = malloc(BUFFER)};
	writer->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (writer->fd < 0 || !writer->buffer) {
		int code = writer->fd < 0 ? -errno : -ENOMEM;

		capture_finish(writer);
		return error_set(err, SKEP_STAGE_PORT, code, "%s: cannot be written: %s", path,
				 strerror(-code));
	}
	memcpy(writer->buffer, &header, sizeof(header));
	writer->used = sizeof(header);
	return 0;
}

/* Walks the buffer's records; those that end within `limit` are whole, the others lost. The
 * bytes of the whole ones. */
static size_t count_records(struct capture_writer *writer, size_t limit)
{
	size_t at = writer->written ? 0 : sizeof(struct pcap_header);
	size_t whole = at <= limit ? at : 0;
	struct pcap_record record;

	for (; at < writer->used; at += sizeof(record) + record.length) {
		memcpy(&record, writer->buffer + at, sizeof(record));
		if (at + sizeof(record) + record.length <= limit) {
			whole = at + sizeof(record) + record.length;
			continue;
		}
		writer->lost_packets++;
		writer->lost_bytes += record.length;
	}
	return whole;
}

static int give_up(struct capture_writer *writer, int code, size_t done)
{
	writer->written += count_records(writer, done);
	writer->failed = code;
	/* What is reported is the error that ended writing, whether or not the cut succeeds. */
	return ftruncate(writer->fd, writer->written) ? code : code;
}

int capture_flush(struct capture_writer *writer)
{
	size_t done = 0;
	ssize_t got;

	if (writer->failed || writer->fd < 0)
		return writer->failed;
	while (done < writer->used) {
		got = write(writer->fd, writer->buffer + done, writer->used - done);
		if (got < 0 && errno != EINTR)
			return give_up(writer, -errno, done);
		done += max(got, (ssize_t)0);
	}
	writer->written += writer->used;
	writer->used = 0;
	return 0;
}

int capture_write(struct capture_writer *writer, const u8 *data, u32 length,
		  u32 original_length, u64 time_ns)
{
	const struct pcap_record record = {
		.seconds = time_ns / 1000000000,
		.nanoseconds = time_ns % 1000000000,
		.length = length,
		.original_length = max(length, original_length),
	};
	int code = 0;

	if (length > CAPTURE_PACKET_MAX)
		return -EMSGSIZE;
	if (writer->used + sizeof(record) + length > BUFFER)
		code = capture_flush(writer);
	if (code || writer->failed)
		return writer->failed;
	memcpy(writer->buffer + writer->used, &record, sizeof(record));
	memcpy(writer->buffer + writer->used + sizeof(record), data, length);
	writer->used += sizeof(record) + length;
	return 0;
}

int capture_finish(struct capture_writer *writer)
{
	int code = capture_flush(writer);

	if (writer->fd >= 0 && close(writer->fd) && !code)
		code = -errno;
	free(writer->buffer);
	writer->buffer = NULL;
	writer->fd = -1;
	return code;
}
