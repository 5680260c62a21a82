/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture as a port: packets come from IN, flat out or when their times say, once or again
 * and again; what passes or leaves goes to OUT.
 */
#include "base/error.h"
#include "base/os.h"
#include "net/keep.h"
#include "net/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

_Static_assert(CAPTURE_PACKET_MAX <= FRAME_DATA_MAX, "a frame holds any record of a capture");

struct pcap_port {
	char *in_path, *out_path; /* out_path NULL: nothing is kept */
	u64 loops;		  /* how often IN is read; 0: without end */
	u64 is_paced;
	u64 rounds;		       /* that IN was read to its end */
	struct capture_packet pending; /* read, but not yet due */
	bool is_pending;
	/* Of a packet at `from_ns` on the capture's clock, on CLOCK_MONOTONIC; 0: none yet. */
	u64 start_ns, from_ns;
	struct capture_note notes[FRAME_BATCH];
	struct capture_reader reader;
	struct capture_writer writer;
};

static void pcap_free(struct pcap_port *pcap)
{
	free(pcap->in_path);
	free(pcap->out_path);
	free(pcap);
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat first, second;

	return !stat(a, &first) && !stat(b, &second) && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

/* Where the words behind the paths begin, NULL: there are none. A comma that no word of ours
 * follows is a path's. */
static char *find_words(char *args)
{
	static const char *const words[] = {",loop", ",pace"};
	char *first = NULL;

	for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
		char *at = strstr(args, words[i]);

		while (at && !strchr(",=", at[strlen(words[i])]))
			at = strstr(at + 1, words[i]);
		if (at && (!first || at < first))
			first = at;
	}
	return first;
}

static int parse_words(struct pcap_port *pcap, char *text, struct skep_error *err)
{
	const struct port_word words[] = {
		{"loop", 0, ~0ull, &pcap->loops},
		{"pace", 1, 1, &pcap->is_paced},
	};
	char *at = find_words(text);
	int code;

	pcap->loops = 1;
	if (!at)
		return 0;
	code = words_parse("pcap", at, words, ARRAY_SIZE(words), err);
	*at = '\0';
	return code;
}

/* Splits "IN[:OUT]", of which the words are gone. */
static int split(struct pcap_port *pcap, const char *args, struct skep_error *err)
{
	size_t length = strcspn(args, ":");

	pcap->in_path = strndup(args, length);
	if (args[length] && args[length + 1])
		pcap->out_path = strdup(args + length + 1);
	if (!length)
		return error_set(err, SKEP_STAGE_PORT, -EINVAL,
				 "pcap:%s: expected pcap:IN[:OUT]", args);
	if (!pcap->in_path || (args[length] && args[length + 1] && !pcap->out_path))
		return -ENOMEM;
	if (pcap->out_path && is_same_file(pcap->in_path, pcap->out_path))
		return error_set(err, SKEP_STAGE_PORT, -EINVAL,
				 "pcap:%s: IN and OUT are the same file", args);
	return 0;
}

static int open_files(struct pcap_port *pcap, struct skep_error *err)
{
	int code = capture_open(&pcap->reader, pcap->in_path, err);

	if (code || !pcap->out_path)
		return code;
	code = capture_create(&pcap->writer, pcap->out_path, err);
	if (code)
		capture_close(&pcap->reader);
	return code;
}

static int pcap_open(struct port *port, const char *args, struct skep_error *err)
{
	struct pcap_port *pcap = calloc(1, sizeof(*pcap));
	char *text = strdup(args);
	int code = -ENOMEM;

	if (pcap && text) {
		pcap->writer.fd = -1;
		code = parse_words(pcap, text, err) ?: split(pcap, text, err) ?: open_files(pcap, err);
	}
	if (code == -ENOMEM)
		error_set(err, SKEP_STAGE_PORT, code, "out of memory");
	free(text);
	if (code && pcap)
		pcap_free(pcap);
	port->state = pcap;
	return code;
}

static int pcap_check_link(const struct pcap_port *pcap, const struct capture_packet *packet,
			   struct skep_error *err)
{
	if (packet->link_type == LINK_TYPE_ETHERNET)
		return 0;
	error_set(err, SKEP_STAGE_PORT, -EPROTONOSUPPORT,
		  "%s: packet %llu: link type %u, ports carry Ethernet (link type 1)",
		  pcap->in_path, pcap->reader.packets, packet->link_type);
	error_hint(err, "capture on an Ethernet interface, not on 'any'");
	return -EPROTONOSUPPORT;
}

static void pcap_fill(struct pcap_port *pcap, struct frame *frame, u32 number)
{
	const struct capture_packet *packet = &pcap->pending;

	frame_fill(frame, packet->data, packet->length);
	frame->original_length = packet->original_length;
	frame->time_ns = packet->time_ns;
	frame->known = FRAME_TIME;
	if (!pcap->reader.is_ng)
		return;
	frame->known |= FRAME_NOTE;
	frame->note = &pcap->notes[number];
	pcap->notes[number] = packet->note;
}

/* The next packet into `pending`: 1, 0 at the end of the last round, or a negative errno. */
static int pcap_next(struct pcap_port *pcap, struct skep_error *err)
{
	int got;

	if (pcap->loops && pcap->rounds == pcap->loops)
		return 0;
	got = capture_next(&pcap->reader, &pcap->pending, err);
	/* A file without packets does not get any by being read again. */
	while (!got && pcap->reader.packets && ++pcap->rounds != pcap->loops) {
		capture_rewind(&pcap->reader);
		pcap->start_ns = 0;
		got = capture_next(&pcap->reader, &pcap->pending, err);
	}
	if (got > 0)
		got = pcap_check_link(pcap, &pcap->pending, err) ?: 1;
	pcap->is_pending = got > 0;
	return got;
}

/* Whether the pending packet's time has come; times that go back are due at once. */
static bool is_due(struct pcap_port *pcap, struct port_queue *queue)
{
	const u64 time = pcap->pending.time_ns, now = os_time_ns(CLOCK_MONOTONIC);

	if (!pcap->start_ns) {
		pcap->start_ns = now;
		pcap->from_ns = time;
	}
	queue->due_ns = pcap->start_ns + (time > pcap->from_ns ? time - pcap->from_ns : 0);
	return queue->due_ns <= now;
}

static int pcap_receive(struct port_queue *queue, struct frame *frames, int count,
			struct skep_error *err)
{
	struct pcap_port *pcap = queue->port->state;
	int filled = 0, got = 1;

	while (filled < count && (pcap->is_pending || (got = pcap_next(pcap, err)) > 0)) {
		if (pcap->is_paced && !is_due(pcap, queue))
			return filled;
		if (pcap->pending.length < pcap->pending.original_length)
			counter_add(&queue->rx.truncated, 1);
		pcap_fill(pcap, &frames[filled], filled);
		pcap->is_pending = false;
		filled++;
	}
	/* What came before a broken place is delivered first; the next call finds it again. */
	if (filled)
		return filled;
	return got < 0 ? got : -ENODATA;
}

static int pcap_send(struct port_queue *queue, struct frame *const *frames, int count)
{
	struct pcap_port *pcap = queue->port->state;

	return pcap->out_path ? keep_frames(queue, &pcap->writer, frames, count) : count;
}

static int pcap_finish(struct port *port)
{
	struct pcap_port *pcap = port->state;

	return pcap->out_path ? keep_finish(&port->queues[0], &pcap->writer) : 0;
}

static void pcap_close(struct port *port)
{
	struct pcap_port *pcap = port->state;

	capture_close(&pcap->reader);
	capture_finish(&pcap->writer);
	pcap_free(pcap);
}

const struct port_ops port_pcap = {
	.name = "pcap",
	.abilities = PORT_RECEIVES | PORT_SENDS | PORT_KEEPS_PASSED | PORT_KNOWS_TIME,
	.open = pcap_open,
	.receive = pcap_receive,
	.send = pcap_send,
	.finish = pcap_finish,
	.close = pcap_close,
};
