/* SPDX-License-Identifier: BSD-2-Clause */
/* Capture files, good and broken. The files are built here, byte by byte, in both byte orders.
 */
#include "base/strbuf.h"
#include "net/capture.h"
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/skep-capture-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	return fd < 0 || close(fd);
}

static int remove_file(void **state)
{
	return unlink(path);
}

static void write_file(const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
}

static void put16(struct strbuf *out, bool swapped, u16 value)
{
	value = swapped ? __builtin_bswap16(value) : value;
	strbuf_add(out, (char *)&value, sizeof(value));
}

static void put32(struct strbuf *out, bool swapped, u32 value)
{
	value = swapped ? __builtin_bswap32(value) : value;
	strbuf_add(out, (char *)&value, sizeof(value));
}

static void put_pcap(struct strbuf *out, bool swapped, u32 magic, u32 fraction)
{
	const u32 header[] = {magic, 0, 0, 0, 65535, 1};

	for (u32 i = 0; i < 6; i++)
		if (i == 1) {
			put16(out, swapped, 2);
			put16(out, swapped, 4);
		} else {
			put32(out, swapped, header[i]);
		}
	for (u32 packet = 0; packet < 2; packet++) {
		put32(out, swapped, 1000 + packet);
		put32(out, swapped, fraction);
		put32(out, swapped, 6);
		put32(out, swapped, 60);
		strbuf_add(out, "abcdef", 6);
	}
}

static void put_block(struct strbuf *out, bool swapped, u32 type, const struct strbuf *body)
{
	put32(out, swapped, type);
	put32(out, swapped, 12 + body->length);
	strbuf_add(out, strbuf_text(body), body->length);
	put32(out, swapped, 12 + body->length);
}

/* A section, an interface with a resolution of 10^-9 s, an enhanced and a simple packet. */
static void put_ng(struct strbuf *out, bool swapped)
{
	struct strbuf body;

	strbuf_init(&body);
	put32(&body, swapped, 0x1a2b3c4d);
	put16(&body, swapped, 1);
	put16(&body, swapped, 0);
	put32(&body, swapped, ~0u);
	put32(&body, swapped, ~0u);
	put_block(out, swapped, 0x0a0d0d0a, &body);
	strbuf_clear(&body);
	put16(&body, swapped, 1);
	put16(&body, swapped, 0);
	put32(&body, swapped, 65535);
	put16(&body, swapped, 9);
	put16(&body, swapped, 1);
	strbuf_add(&body, "\x09\0\0\0", 4);
	put32(&body, swapped, 0);
	put_block(out, swapped, 1, &body);
	strbuf_clear(&body);
	put32(&body, swapped, 0);
	put32(&body, swapped, 1000500000000ull >> 32);
	put32(&body, swapped, (u32)1000500000000ull);
	put32(&body, swapped, 6);
	put32(&body, swapped, 60);
	strbuf_add(&body, "abcdef\0\0", 8);
	put_block(out, swapped, 6, &body);
	strbuf_clear(&body);
	put32(&body, swapped, 6);
	strbuf_add(&body, "abcdef\0\0", 8);
	put_block(out, swapped, 3, &body);
	strbuf_done(&body);
}

static const struct format {
	const char *name;
	u32 magic, fraction; /* magic 0: pcapng */
	bool swapped;
	u64 first_ns;
} formats[] = {
	{"pcap us", 0xa1b2c3d4, 500000, false, 1000500000000},
	{"pcap ns", 0xa1b23c4d, 500000, false, 1000000500000},
	{"pcap us swapped", 0xa1b2c3d4, 500000, true, 1000500000000},
	{"pcap ns swapped", 0xa1b23c4d, 500000, true, 1000000500000},
	{"pcapng", 0, 0, false, 1000500000000},
	{"pcapng swapped", 0, 0, true, 1000500000000},
};

static void put_format(struct strbuf *out, const struct format *format)
{
	if (format->magic)
		put_pcap(out, format->swapped, format->magic, format->fraction);
	else
		put_ng(out, format->swapped);
}

static void reads_every_format(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(formats); i++) {
		struct capture_packet packet = {};
		struct capture_reader reader;
		struct skep_error err;
		struct strbuf file;

		strbuf_init(&file);
		put_format(&file, &formats[i]);
		write_file(file.text, file.length);
		if (capture_open(&reader, path, &err) ||
		    capture_next(&reader, &packet, &err) != 1 ||
		    packet.time_ns != formats[i].first_ns || packet.length != 6 ||
		    packet.link_type != 1 || memcmp(packet.data, "abcdef", 6) ||
		    packet.original_length < 6 || capture_next(&reader, &packet, &err) != 1 ||
		    capture_next(&reader, &packet, &err) != 0)
			fail_msg("%s: %s (time %llu)", formats[i].name, err.text,
				 packet.time_ns);
		capture_close(&reader);
		strbuf_done(&file);
	}
}

/* Every prefix of a good file: the whole packets in it, then the end or one clear error. */
static void a_cut_file_gives_its_whole_packets(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(formats); i++) {
		struct strbuf file;

		strbuf_init(&file);
		put_format(&file, &formats[i]);
		for (size_t size = 0; size < file.length; size++) {
			struct capture_reader reader;
			struct capture_packet packet;
			struct skep_error err = {};
			int got;

			write_file(file.text, size);
			got = capture_open(&reader, path, &err);
			while (!got && (got = capture_next(&reader, &packet, &err)) == 1)
				got = 0;
			if (got < 0 && (err.code != got || !strstr(err.text, path)))
				fail_msg("%s cut to %zu: no message", formats[i].name, size);
			if (reader.packets > 2)
				fail_msg("%s cut to %zu: too many", formats[i].name, size);
			capture_close(&reader);
		}
		strbuf_done(&file);
	}
}

/* Every single byte turned around: no crash, an end in finite time. */
static void a_damaged_file_does_no_harm(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(formats); i++) {
		struct strbuf file;

		strbuf_init(&file);
		put_format(&file, &formats[i]);
		for (size_t at = 0; at < file.length; at++) {
			struct capture_reader reader;
			struct capture_packet packet;
			struct skep_error err;

			file.text[at] ^= 0xff;
			write_file(file.text, file.length);
			if (!capture_open(&reader, path, &err)) {
				while (capture_next(&reader, &packet, &err) == 1)
					for (u32 byte = 0; byte < packet.length; byte++)
						(void)*(const volatile u8 *)&packet.data[byte];
				assert_true(reader.packets <= 3);
				capture_close(&reader);
			}
			file.text[at] ^= 0xff;
		}
		strbuf_done(&file);
	}
}

static void says_what_is_not_a_capture(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *text;
	} rows[] = {
		{"", 0, "expected the magic number"},
		{"\x7f"
		 "ELF\x02\x01",
		 6, "starts with 7f454c46"},
		{"\xd4\xc3\xb2\xa1\x02\0", 6, "a pcap header has 24"},
		{"\xd4\xc3\xb2\xa1\x09\0\x04\0________________", 24, "pcap version 9.4"},
	};
	struct capture_reader reader;
	struct skep_error err;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		write_file(rows[i].bytes, rows[i].size);
		assert_int_equal(capture_open(&reader, path, &err), -EBADMSG);
		if (!strstr(err.text, rows[i].text))
			fail_msg("row %u: %s", i, err.text);
	}
	assert_int_equal(capture_open(&reader, "/nonexistent", &err), -ENOENT);
	assert_int_equal(capture_open(&reader, "/dev/null", &err), -EINVAL);
	assert_non_null(strstr(err.text, "not a regular file"));
}

static void what_was_written_is_read_again(void **state)
{
	struct capture_packet packet;
	struct capture_reader reader;
	struct capture_writer writer;
	static u8 data[70000];
	struct skep_error err;

	assert_int_equal(capture_create(&writer, path, &err), 0);
	for (u32 i = 0; i < 100; i++) {
		memset(data, i, sizeof(data));
		assert_int_equal(
			capture_write(&writer, data, i * 700, i * 700 + 1, i * 1000000007ull),
			0);
	}
	assert_int_equal(capture_write(&writer, data, CAPTURE_PACKET_MAX + 1, 0, 0), -EMSGSIZE);
	assert_int_equal(capture_finish(&writer), 0);
	assert_int_equal(capture_open(&reader, path, &err), 0);
	for (u32 i = 0; i < 100; i++) {
		assert_int_equal(capture_next(&reader, &packet, &err), 1);
		assert_int_equal(packet.length, i * 700);
		assert_int_equal(packet.original_length, i * 700 + 1);
		assert_int_equal(packet.time_ns, i * 1000000007ull);
		if (i)
			assert_int_equal(packet.data[i * 700 - 1], i);
	}
	assert_int_equal(capture_next(&reader, &packet, &err), 0);
	capture_close(&reader);
}

/* pcapng keeps the interfaces, by name, and the comments; read again they are the same. */
static void notes_are_written_and_read_again(void **state)
{
	static const struct capture_interface interfaces[] = {
		{.link_type = 1, .name = "lan", .name_length = 3}, {.link_type = 1}};
	static const struct {
		u32 interface;
		const char *comment;
	} rows[] = {{0, "first bee"}, {1, NULL}, {0, NULL}, {1, "x"}, {0, "four"}};
	char name[] = "/tmp/skep-capture-XXXXXX.pcapng";
	struct capture_writer writer;
	struct capture_reader reader;
	struct capture_packet packet;
	struct skep_error err;

	close(mkstemps(name, 7));
	assert_int_equal(capture_create(&writer, name, &err), 0);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct capture_note note = {
			.interface = &interfaces[rows[i].interface],
			.comment = rows[i].comment,
			.comment_length = rows[i].comment ? strlen(rows[i].comment) : 0,
		};

		assert_int_equal(capture_write_noted(&writer, (const u8 *)"abcdefg", 3 + i, 60,
						     i * 1000000007ull, &note),
				 0);
	}
	assert_int_equal(capture_finish(&writer), 0);
	assert_int_equal(capture_open(&reader, name, &err), 0);
	for (u32 round = 0; round < 2; round++, capture_rewind(&reader)) {
		for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
			const char *comment = rows[i].comment ?: "";

			if (capture_next(&reader, &packet, &err) != 1)
				fail_msg("packet %u: %s", i, err.text);
			assert_int_equal(packet.length, 3 + i);
			assert_int_equal(packet.original_length, 60);
			assert_int_equal(packet.time_ns, i * 1000000007ull);
			assert_int_equal(packet.note.interface->name_length,
					 rows[i].interface ? 0 : 3);
			assert_int_equal(packet.note.comment_length, strlen(comment));
			assert_memory_equal(packet.note.comment ?: "", comment,
					    packet.note.comment_length);
		}
		assert_int_equal(capture_next(&reader, &packet, &err), 0);
		assert_int_equal(reader.interface_count, 2);
	}
	capture_close(&reader);
	unlink(name);
}

/* A disk that is full: /dev/full refuses every write. */
static void a_full_disk_is_reported_and_stays_reported(void **state)
{
	struct capture_writer writer;
	struct skep_error err;
	u8 data[1000] = {};

	assert_int_equal(capture_create(&writer, "/dev/full", &err), 0);
	assert_int_equal(capture_write(&writer, data, sizeof(data), 0, 0), 0);
	assert_int_equal(capture_flush(&writer), -ENOSPC);
	assert_int_equal(capture_write(&writer, data, sizeof(data), 0, 0), -ENOSPC);
	assert_int_equal(writer.lost_packets, 1);
	assert_int_equal(writer.lost_bytes, sizeof(data));
	assert_int_equal(capture_finish(&writer), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_format),
		cmocka_unit_test(a_cut_file_gives_its_whole_packets),
		cmocka_unit_test(a_damaged_file_does_no_harm),
		cmocka_unit_test(says_what_is_not_a_capture),
		cmocka_unit_test(what_was_written_is_read_again),
		cmocka_unit_test(notes_are_written_and_read_again),
		cmocka_unit_test(a_full_disk_is_reported_and_stays_reported),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
