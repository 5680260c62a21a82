/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capture files. The reader maps a pcap or pcapng file (both byte orders, any time resolution)
 * and walks it without copying; the writer makes pcap files, or pcapng where the name ends so,
 * with nanosecond times. The file is untrusted.
 */
#ifndef SKEP_NET_CAPTURE_H
#define SKEP_NET_CAPTURE_H

#include "base/types.h"
#include <skep/error.h>
#include <string.h>

#define LINK_TYPE_ETHERNET     1
#define CAPTURE_INTERFACES_MAX 256 /* of a file, all sections together */
/* More than any link carries; a larger record is a broken file. */
#define CAPTURE_PACKET_MAX (256 * 1024)

struct capture_interface {
	u32 link_type;
	u64 ticks_per_second;
	s64 offset_seconds;
	/* Of pcapng, in the mapped file, not terminated; NULL: it has none. */
	const char *name;
	u32 name_length;
};

/* What pcapng says of a packet beside its bytes, valid until the reader is closed. */
struct capture_note {
	const struct capture_interface *interface;
	const char *comment; /* not terminated; NULL: there is none */
	u32 comment_length;
};

struct capture_reader {
	const char *path; /* the caller's, for messages */
	const u8 *bytes;  /* the mapped file */
	size_t size, at;
	bool is_ng, is_swapped, is_mapped;
	u64 packets;			      /* read so far */
	u32 interface_count, first_interface; /* of all, and of this section */
	size_t first_packet;		      /* where to begin again */
	struct capture_interface interfaces[CAPTURE_INTERFACES_MAX];
};

struct capture_packet {
	const u8 *data; /* in the mapped file, valid until close */
	u32 length, original_length;
	u64 time_ns;
	u32 link_type;
	struct capture_note note;
};

int capture_open(struct capture_reader *reader, const char *path, struct skep_error *err);
/* The same for a capture in memory, which the caller keeps until close; `path` is its name. */
int capture_open_bytes(struct capture_reader *reader, const char *path, const u8 *bytes,
		       size_t size, struct skep_error *err);
void capture_close(struct capture_reader *reader);
/* Begins again with the first packet; notes of before stay valid. */
void capture_rewind(struct capture_reader *reader);
/* 1: a packet; 0: the end; negative errno: broken here, `err` says where (every packet before
 * it was delivered). */
int capture_next(struct capture_reader *reader, struct capture_packet *out,
		 struct skep_error *err);

/* --- a quick walk --- */

/* pcap of this machine's byte order, whose records stand as they are read. */
static inline bool capture_is_plain(const struct capture_reader *reader)
{
	return !reader->is_ng && !reader->is_swapped;
}

struct capture_record {
	u32 seconds, fraction, length, original_length;
};

/* The next packet of a plain capture; NULL: it ends, or something is wrong: capture_next() says
 * what. The caller moves reader->at behind it. */
static inline const u8 *capture_plain_packet(const struct capture_reader *reader, u32 *length)
{
	const size_t left = reader->size - reader->at;
	struct capture_record record;

	if (unlikely(left < sizeof(record)))
		return NULL;
	memcpy(&record, reader->bytes + reader->at, sizeof(record));
	if (unlikely(record.length > left - sizeof(record) ||
		     record.length > CAPTURE_PACKET_MAX))
		return NULL;
	*length = record.length;
	return reader->bytes + reader->at + sizeof(record);
}

/* Of the packet at `data`: on the wire; and all that capture_next() says. */
static inline u32 capture_plain_original(const u8 *data)
{
	struct capture_record record;

	memcpy(&record, data - sizeof(record), sizeof(record));
	return record.original_length;
}

void capture_plain_details(const struct capture_reader *reader, const u8 *data,
			   struct capture_packet *out);

/*
 * Whole records gather in a buffer and leave in one write; when the disk is full the file is
 * cut back to the last whole record, so that it stays a valid capture.
 */
struct capture_writer {
	const char *path; /* the caller's */
	int fd;
	int failed; /* the errno that ended writing; 0 */
	u8 *buffer;
	size_t used;
	u64 written; /* bytes of the file that are whole */
	/* Taken, but lost when writing ended. The reader of these resets them. */
	u64 lost_packets, lost_bytes;
	bool is_ng;
	u32 link_type; /* of packets without a note */
	/* The interfaces that the file describes so far; NULL: what had no note. */
	const struct capture_interface *interfaces[CAPTURE_INTERFACES_MAX];
	u32 interface_count;
};

int capture_create(struct capture_writer *writer, const char *path, struct skep_error *err);
/* The same of another link type than Ethernet. */
int capture_create_of(struct capture_writer *writer, const char *path, u32 link_type,
		      struct skep_error *err);
/* 0 or a negative errno (-ENOSPC, ...), from then on always the same. */
int capture_write(struct capture_writer *writer, const u8 *data, u32 length,
		  u32 original_length, u64 time_ns);
/* The same with what pcapng keeps of the note (NULL: none); pcap keeps nothing of it. */
int capture_write_noted(struct capture_writer *writer, const u8 *data, u32 length,
			u32 original_length, u64 time_ns, const struct capture_note *note);
int capture_flush(struct capture_writer *writer);
/* Flushes and closes. */
int capture_finish(struct capture_writer *writer);

#endif
