/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"
#include "net/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER (CAPTURE_PACKET_MAX * 2) /* at least CAPTURE_PACKET_MAX and OVERHEAD */

struct pcap_header {
	u32 magic;
	u16 major, minor;
	s32 zone;
	u32 accuracy, snap_length, link_type;
};

struct pcap_record {
	u32 seconds, nanoseconds, length, original_length;
};

/* pcapng: a section header; of an interface and a packet, what stands before options and data.
 */
struct ng_section {
	u32 type, length, order;
	u16 major, minor;
	u64 section_length;
	u32 length_again;
} __attribute__((packed));

struct ng_interface {
	u32 type, length;
	u16 link_type, reserved;
	u32 snap_length;
	u16 resolution_code, resolution_length;
	u32 resolution; /* in its first byte: 10^-9 */
};

struct ng_packet {
	u32 type, length, interface, time_high, time_low, captured, original_length;
};

struct ng_option {
	u16 code, length;
};

#define NG_NANOSECONDS 9
#define NG_NOTE_MAX    65535 /* an option's length has 16 bits */
#define NG_SECTION     0x0a0d0d0a
#define NG_BYTE_ORDER  0x1a2b3c4d
#define NG_INTERFACE   1
#define NG_PACKET      6
#define NG_OPT_COMMENT 1
#define NG_OPT_NAME    2
#define NG_OPT_TSRESOL 9

static void put(struct capture_writer *writer, const void *bytes, size_t length)
{
	memcpy(writer->buffer + writer->used, bytes, length);
	writer->used += length;
}

/* With zeros up to a multiple of four. */
static void put_padded(struct capture_writer *writer, const void *bytes, u32 length)
{
	static const u8 zeros[4];

	put(writer, bytes, length);
	put(writer, zeros, round_up(length, 4) - length);
}

/* An option, and the one that ends a list; nothing for an empty one. */
static u32 option_bytes(u32 length)
{
	return length ? 4 + round_up(length, 4) + 4 : 0;
}

static void put_option(struct capture_writer *writer, u16 code, const char *value, u32 length)
{
	const struct ng_option option = {code, length}, end = {};

	if (!length)
		return;
	put(writer, &option, sizeof(option));
	put_padded(writer, value, length);
	put(writer, &end, sizeof(end));
}

static void begin_ng(struct capture_writer *writer)
{
	const struct ng_section section = {
		.type = NG_SECTION,
		.length = sizeof(section),
		.order = NG_BYTE_ORDER,
		.major = 1,
		.section_length = ~0ull,
		.length_again = sizeof(section),
	};

	put(writer, &section, sizeof(section));
}

static void begin_pcap(struct capture_writer *writer, u32 link_type)
{
	const struct pcap_header header = {
		.magic = 0xa1b23c4d,
		.major = 2,
		.minor = 4,
		.snap_length = CAPTURE_PACKET_MAX,
		.link_type = link_type,
	};

	put(writer, &header, sizeof(header));
}

static bool ends_with(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && !strcmp(text + strlen(text) - strlen(end), end);
}

int capture_create_of(struct capture_writer *writer, const char *path, u32 link_type,
		      struct skep_error *err)
{
	*writer = (struct capture_writer){
		.path = path, .link_type = link_type, .buffer = malloc(BUFFER)};
	writer->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (writer->fd < 0 || !writer->buffer) {
		int code = writer->fd < 0 ? -errno : -ENOMEM;

		capture_finish(writer);
		return error_set(err, SKEP_STAGE_PORT, code, "%s: cannot be written: %s", path,
				 strerror(-code));
	}
	writer->is_ng = ends_with(path, ".pcapng");
	if (writer->is_ng)
		begin_ng(writer);
	else
		begin_pcap(writer, link_type);
	return 0;
}

int capture_create(struct capture_writer *writer, const char *path, struct skep_error *err)
{
	return capture_create_of(writer, path, LINK_TYPE_ETHERNET, err);
}

/* The bytes of the record or block at `at`, and of the packet in it; -1: there is none. */
static size_t record_bytes(const struct capture_writer *writer, size_t at, s64 *packet)
{
	struct pcap_record record;
	struct ng_packet block;

	if (!writer->is_ng) {
		memcpy(&record, writer->buffer + at, sizeof(record));
		*packet = record.length;
		return sizeof(record) + record.length;
	}
	memcpy(&block, writer->buffer + at, min(sizeof(block), writer->used - at));
	*packet = block.type == NG_PACKET ? (s64)block.captured : -1;
	return block.length;
}

/* Walks the buffer's records; those that end within `limit` are whole, the others lost. The
 * bytes of the whole ones. */
static size_t count_records(struct capture_writer *writer, size_t limit)
{
	size_t at = writer->written || writer->is_ng ? 0 : sizeof(struct pcap_header);
	size_t whole = at <= limit ? at : 0, bytes;
	s64 packet;

	for (; at < writer->used; at += bytes) {
		bytes = record_bytes(writer, at, &packet);
		if (at + bytes <= limit) {
			whole = at + bytes;
			continue;
		}
		writer->lost_packets += packet >= 0;
		writer->lost_bytes += max(packet, 0ll);
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

static void write_pcap(struct capture_writer *writer, const u8 *data, u32 length,
		       u32 original_length, u64 time_ns)
{
	const struct pcap_record record = {
		.seconds = time_ns / 1000000000,
		.nanoseconds = time_ns % 1000000000,
		.length = length,
		.original_length = original_length,
	};

	put(writer, &record, sizeof(record));
	put(writer, data, length);
}

static void write_interface(struct capture_writer *writer,
			    const struct capture_interface *interface)
{
	const u32 name = interface ? min(interface->name_length, (u32)NG_NOTE_MAX) : 0;
	const u32 end = option_bytes(name) ? 0 : 4;
	const struct ng_interface block = {
		.type = NG_INTERFACE,
		.length = sizeof(block) + option_bytes(name) + end + 4,
		.link_type = (u16)writer->link_type,
		.snap_length = CAPTURE_PACKET_MAX,
		.resolution_code = NG_OPT_TSRESOL,
		.resolution_length = 1,
		.resolution = NG_NANOSECONDS,
	};
	const struct ng_option last = {};

	put(writer, &block, sizeof(block));
	put_option(writer, NG_OPT_NAME, name ? interface->name : NULL, name);
	put(writer, &last, end);
	put(writer, &block.length, sizeof(block.length));
}

/* Its number in the file, which describes it before its first packet. When there are too many,
 * the last one stands for the rest. */
static u32 number_of(struct capture_writer *writer, const struct capture_interface *interface)
{
	u32 i = 0;

	while (i < writer->interface_count && writer->interfaces[i] != interface)
		i++;
	if (i < writer->interface_count)
		return i;
	if (i == CAPTURE_INTERFACES_MAX)
		return i - 1;
	write_interface(writer, interface);
	writer->interfaces[i] = interface;
	return writer->interface_count++;
}

static void write_ng(struct capture_writer *writer, const u8 *data, u32 length,
		     u32 original_length, u64 time_ns, const struct capture_note *note)
{
	const u32 comment = note && note->comment ? note->comment_length : 0;
	const u32 number = number_of(writer, note ? note->interface : NULL);
	const struct ng_packet block = {
		.type = NG_PACKET,
		.length = sizeof(block) + round_up(length, 4) + option_bytes(comment) + 4,
		.interface = number,
		.time_high = time_ns >> 32,
		.time_low = (u32)time_ns,
		.captured = length,
		.original_length = original_length,
	};

	put(writer, &block, sizeof(block));
	put_padded(writer, data, length);
	put_option(writer, NG_OPT_COMMENT, comment ? note->comment : NULL, comment);
	put(writer, &block.length, sizeof(block.length));
}

/* The most that one packet takes in the buffer: two notes at their longest, and headers. */
#define OVERHEAD (2 * NG_NOTE_MAX + 256)

int capture_write_noted(struct capture_writer *writer, const u8 *data, u32 length,
			u32 original_length, u64 time_ns, const struct capture_note *note)
{
	int code = 0;

	if (length > CAPTURE_PACKET_MAX)
		return -EMSGSIZE;
	if (writer->used + length + OVERHEAD > BUFFER)
		code = capture_flush(writer);
	if (code || writer->failed)
		return writer->failed;
	original_length = max(length, original_length);
	if (writer->is_ng)
		write_ng(writer, data, length, original_length, time_ns, note);
	else
		write_pcap(writer, data, length, original_length, time_ns);
	return 0;
}

int capture_write(struct capture_writer *writer, const u8 *data, u32 length,
		  u32 original_length, u64 time_ns)
{
	return capture_write_noted(writer, data, length, original_length, time_ns, NULL);
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
