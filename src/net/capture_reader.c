/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap: a 24-byte header, then records of a 16-byte header and data. pcapng: a sequence of
 * blocks {type, length, body, length}; a section header sets the byte order and forgets the
 * interfaces. Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */
#include "base/error.h"
#include "net/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PCAP_MAGIC_US	 0xa1b2c3d4
#define PCAP_MAGIC_NS	 0xa1b23c4d
#define PCAP_HEADER	 24
#define PCAP_RECORD	 16
#define NG_SECTION	 0x0a0d0d0a
#define NG_BYTE_ORDER	 0x1a2b3c4d
#define NG_INTERFACE	 1
#define NG_OLD_PACKET	 2
#define NG_SIMPLE_PACKET 3
#define NG_PACKET	 6
#define NG_OPT_END	 0
#define NG_OPT_COMMENT	 1
#define NG_OPT_NAME	 2
#define NG_OPT_TSRESOL	 9
#define NG_OPT_TSOFFSET	 14
#define NS_PER_SECOND	 1000000000ull

static u32 read32(const struct capture_reader *reader, size_t at)
{
	u32 value;

	memcpy(&value, reader->bytes + at, sizeof(value));
	return reader->is_swapped ? __builtin_bswap32(value) : value;
}

static u16 read16(const struct capture_reader *reader, size_t at)
{
	u16 value;

	memcpy(&value, reader->bytes + at, sizeof(value));
	return reader->is_swapped ? __builtin_bswap16(value) : value;
}

static size_t bytes_left(const struct capture_reader *reader)
{
	return reader->size - reader->at;
}

static int broken(const struct capture_reader *reader, struct skep_error *err, const char *what)
{
	error_set(err, SKEP_STAGE_PORT, -EBADMSG, "%s: packet %llu at byte %zu: %s",
		  reader->path, reader->packets + 1, reader->at, what);
	return -EBADMSG;
}

static u64 ticks_to_ns(u64 ticks, u64 per_second)
{
	if (per_second == NS_PER_SECOND)
		return ticks;
	return ticks / per_second * NS_PER_SECOND +
	       (u64)((unsigned __int128)(ticks % per_second) * NS_PER_SECOND / per_second);
}

static int check_lengths(const struct capture_reader *reader, u32 length, size_t room,
			 struct skep_error *err)
{
	char text[128];

	if (length > CAPTURE_PACKET_MAX)
		snprintf(text, sizeof(text), "length %u, expected at most %u", length,
			 CAPTURE_PACKET_MAX);
	else if (length > room)
		snprintf(text, sizeof(text), "length %u, but only %zu bytes are left", length,
			 room);
	else
		return 0;
	return broken(reader, err, text);
}

/* --- pcap --- */

static int pcap_begin(struct capture_reader *reader, u32 magic, struct skep_error *err)
{
	bool is_ns = magic == PCAP_MAGIC_NS || magic == __builtin_bswap32(PCAP_MAGIC_NS);

	reader->is_swapped = magic != PCAP_MAGIC_US && magic != PCAP_MAGIC_NS;
	if (reader->size < PCAP_HEADER)
		return error_set(err, SKEP_STAGE_PORT, -EBADMSG,
				 "%s: the file has %zu bytes, a pcap header has %d",
				 reader->path, reader->size, PCAP_HEADER);
	if (read16(reader, 4) != 2)
		return error_set(err, SKEP_STAGE_PORT, -EBADMSG,
				 "%s: pcap version %u.%u, expected 2.4", reader->path,
				 read16(reader, 4), read16(reader, 6));
	reader->interface_count = 1;
	reader->interfaces[0] = (struct capture_interface){
		.link_type = read32(reader, 20) & 0xffff,
		.ticks_per_second = is_ns ? NS_PER_SECOND : 1000000,
	};
	reader->at = reader->first_packet = PCAP_HEADER;
	return 0;
}

static int pcap_next(struct capture_reader *reader, struct capture_packet *out,
		     struct skep_error *err)
{
	const struct capture_interface *interface = &reader->interfaces[0];
	size_t at = reader->at;
	u32 length;
	int code;

	if (!bytes_left(reader))
		return 0;
	if (bytes_left(reader) < PCAP_RECORD)
		return broken(reader, err, "the file ends inside a record header");
	length = read32(reader, at + 8);
	code = check_lengths(reader, length, bytes_left(reader) - PCAP_RECORD, err);
	if (code)
		return code;
	*out = (struct capture_packet){
		.data = reader->bytes + at + PCAP_RECORD,
		.length = length,
		.original_length = read32(reader, at + 12),
		.time_ns = read32(reader, at) * NS_PER_SECOND +
			   ticks_to_ns(read32(reader, at + 4), interface->ticks_per_second),
		.link_type = interface->link_type,
		.note.interface = interface,
	};
	reader->at += PCAP_RECORD + length;
	reader->packets++;
	return 1;
}

void capture_plain_details(const struct capture_reader *reader, const u8 *data,
			   struct capture_packet *out)
{
	const struct capture_interface *interface = &reader->interfaces[0];
	struct capture_record record;

	memcpy(&record, data - sizeof(record), sizeof(record));
	*out = (struct capture_packet){
		.data = data,
		.length = record.length,
		.original_length = record.original_length,
		.time_ns = record.seconds * NS_PER_SECOND +
			   ticks_to_ns(record.fraction, interface->ticks_per_second),
		.link_type = interface->link_type,
		.note.interface = interface,
	};
}

/* --- pcapng --- */

/* if_tsresol: 10^-n, or 2^-n with the high bit. 0: cannot be held in 64 bits. */
static u64 ng_resolution(u8 value)
{
	u64 ticks = 1;

	if (value & 0x80)
		return (value & 0x7f) < 64 ? 1ull << (value & 0x7f) : 0;
	for (; value && ticks; value--)
		if (__builtin_mul_overflow(ticks, 10, &ticks))
			ticks = 0;
	return ticks;
}

struct ng_option {
	u16 code, length;
	size_t at; /* of the value */
};

/* The option at *at, which moves behind it; false: there are no more. */
static bool ng_next_option(const struct capture_reader *reader, size_t *at, size_t end,
			   struct ng_option *out)
{
	if (*at + 4 > end)
		return false;
	*out = (struct ng_option){
		.code = read16(reader, *at), .length = read16(reader, *at + 2), .at = *at + 4};
	*at += 4 + round_up(out->length, 4);
	return out->code != NG_OPT_END && out->at + out->length <= end;
}

static void ng_interface_option(struct capture_reader *reader, const struct ng_option *option,
				struct capture_interface *out)
{
	const size_t at = option->at;

	if (option->code == NG_OPT_NAME) {
		out->name = (const char *)reader->bytes + at;
		out->name_length = option->length;
	}
	if (option->code == NG_OPT_TSRESOL && option->length >= 1)
		out->ticks_per_second = ng_resolution(reader->bytes[at]);
	if (option->code == NG_OPT_TSOFFSET && option->length >= 8)
		out->offset_seconds =
			(s64)(reader->is_swapped
				      ? (u64)read32(reader, at) << 32 | read32(reader, at + 4)
				      : (u64)read32(reader, at + 4) << 32 | read32(reader, at));
}

static int ng_interface(struct capture_reader *reader, size_t end, struct skep_error *err)
{
	struct capture_interface *interface = &reader->interfaces[reader->interface_count];
	size_t at = reader->at + 16;
	struct ng_option option;

	if (end < at)
		return broken(reader, err, "an interface block of less than 20 bytes");
	if (reader->interface_count == CAPTURE_INTERFACES_MAX)
		return broken(reader, err, "more than 256 interfaces");
	*interface = (struct capture_interface){.link_type = read16(reader, reader->at + 8),
						.ticks_per_second = 1000000};
	while (ng_next_option(reader, &at, end, &option))
		ng_interface_option(reader, &option, interface);
	if (!interface->ticks_per_second)
		return broken(reader, err,
			      "an interface whose time resolution is beyond 64 bits");
	reader->interface_count++;
	return 0;
}

/* The first comment among the options of a packet. */
static void ng_comment(const struct capture_reader *reader, size_t at, size_t end,
		       struct capture_note *note)
{
	struct ng_option option;

	while (!note->comment && ng_next_option(reader, &at, end, &option))
		if (option.code == NG_OPT_COMMENT) {
			note->comment = (const char *)reader->bytes + option.at;
			note->comment_length = option.length;
		}
}

static int ng_packet(struct capture_reader *reader, u32 type, size_t end,
		     struct capture_packet *out, struct skep_error *err)
{
	bool is_simple = type == NG_SIMPLE_PACKET;
	size_t at = reader->at + 8, data = at + (is_simple ? 4 : 20);
	const struct capture_interface *interface;
	u32 number, length;
	int code;

	if (end < data)
		return broken(reader, err, "a packet block too short for its header");
	number = is_simple ? 0 : type == NG_PACKET ? read32(reader, at) : read16(reader, at);
	if (number >= reader->interface_count - reader->first_interface)
		return broken(reader, err, "a packet of an interface that was not described");
	interface = &reader->interfaces[reader->first_interface + number];
	length = is_simple ? min(read32(reader, at), (u32)(end - data))
			   : read32(reader, at + 12);
	code = check_lengths(reader, length, end - data, err);
	if (code)
		return code;
	*out = (struct capture_packet){
		.data = reader->bytes + data,
		.length = length,
		.original_length = read32(reader, is_simple ? at : at + 16),
		.link_type = interface->link_type,
		.note.interface = interface,
	};
	if (!is_simple)
		out->time_ns =
			ticks_to_ns((u64)read32(reader, at + 4) << 32 | read32(reader, at + 8),
				    interface->ticks_per_second) +
			interface->offset_seconds * NS_PER_SECOND;
	if (!is_simple)
		ng_comment(reader, data + round_up(length, 4), end, &out->note);
	reader->packets++;
	return 1;
}

static int ng_section(struct capture_reader *reader, struct skep_error *err)
{
	u32 order;

	if (bytes_left(reader) < 28)
		return broken(reader, err, "the file ends inside a section header");
	memcpy(&order, reader->bytes + reader->at + 8, sizeof(order));
	if (order != NG_BYTE_ORDER && order != __builtin_bswap32(NG_BYTE_ORDER))
		return broken(reader, err, "a section header without its byte-order mark");
	reader->is_swapped = order != NG_BYTE_ORDER;
	reader->first_interface = reader->interface_count;
	return 0;
}

/* One block; 1 when it held a packet, 0 when not. */
static int ng_block(struct capture_reader *reader, struct capture_packet *out,
		    struct skep_error *err)
{
	size_t start = reader->at;
	u32 type, length;
	int got = 0;

	if (bytes_left(reader) < 12)
		return broken(reader, err, "the file ends inside a block header");
	type = read32(reader, start);
	if (type == NG_SECTION) {
		got = ng_section(reader, err);
		if (got)
			return got;
	}
	length = read32(reader, start + 4);
	if (length < 12 || length % 4 || length > bytes_left(reader))
		return broken(reader, err,
			      "a block whose length is wrong or beyond the file's end");
	if (type == NG_INTERFACE)
		got = ng_interface(reader, start + length - 4, err);
	else if (type == NG_PACKET || type == NG_SIMPLE_PACKET || type == NG_OLD_PACKET)
		got = ng_packet(reader, type, start + length - 4, out, err);
	if (got >= 0)
		reader->at = start + length;
	return got;
}

static int ng_next(struct capture_reader *reader, struct capture_packet *out,
		   struct skep_error *err)
{
	int got = 0;

	while (!got && bytes_left(reader))
		got = ng_block(reader, out, err);
	return got;
}

/* --- both --- */

static int map_file(struct capture_reader *reader, struct skep_error *err)
{
	int fd = open(reader->path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	void *bytes = NULL;

	if (fd < 0 || fstat(fd, &info)) {
		int code = -errno;

		if (fd >= 0)
			close(fd);
		return error_set(err, SKEP_STAGE_PORT, code, "%s: %s", reader->path,
				 strerror(-code));
	}
	if (S_ISREG(info.st_mode) && info.st_size)
		bytes = mmap(NULL, info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (!S_ISREG(info.st_mode))
		return error_set(err, SKEP_STAGE_PORT, -EINVAL,
				 "%s: not a regular file; a capture is mapped into memory",
				 reader->path);
	if (bytes == MAP_FAILED)
		return error_set(err, SKEP_STAGE_PORT, -ENOMEM, "%s: cannot be mapped",
				 reader->path);
	reader->bytes = bytes;
	reader->size = info.st_size;
	reader->is_mapped = bytes != NULL;
	if (bytes)
		madvise(bytes, info.st_size, MADV_SEQUENTIAL);
	return 0;
}

static int read_header(struct capture_reader *reader, struct skep_error *err)
{
	u32 magic = 0;

	if (reader->size >= sizeof(magic))
		memcpy(&magic, reader->bytes, sizeof(magic));
	switch (magic) {
	case PCAP_MAGIC_US:
	case PCAP_MAGIC_NS:
	case 0xd4c3b2a1:
	case 0x4d3cb2a1: return pcap_begin(reader, magic, err);
	case NG_SECTION: reader->is_ng = true; return 0;
	}
	return error_set(err, SKEP_STAGE_PORT, -EBADMSG,
			 "%s: starts with %08x, expected the magic number of pcap or pcapng",
			 reader->path, __builtin_bswap32(magic));
}

int capture_open(struct capture_reader *reader, const char *path, struct skep_error *err)
{
	int code;

	*reader = (struct capture_reader){.path = path};
	code = map_file(reader, err);
	if (code)
		return code;
	code = read_header(reader, err);
	if (code)
		capture_close(reader);
	return code;
}

int capture_open_bytes(struct capture_reader *reader, const char *path, const u8 *bytes,
		       size_t size, struct skep_error *err)
{
	*reader = (struct capture_reader){.path = path, .bytes = bytes, .size = size};
	return read_header(reader, err);
}

void capture_rewind(struct capture_reader *reader)
{
	reader->at = reader->first_packet;
	/* The file was walked before: its interfaces are found again in their places. */
	if (reader->is_ng)
		reader->interface_count = reader->first_interface = 0;
}

void capture_close(struct capture_reader *reader)
{
	if (reader->is_mapped)
		munmap((void *)reader->bytes, reader->size);
	*reader = (struct capture_reader){};
}

int capture_next(struct capture_reader *reader, struct capture_packet *out,
		 struct skep_error *err)
{
	return reader->is_ng ? ng_next(reader, out, err) : pcap_next(reader, out, err);
}
