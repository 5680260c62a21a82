/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture as a port: packets come from IN, flat out; what passes or leaves goes to OUT. */
#include "base/error.h"
#include "net/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

_Static_assert(CAPTURE_PACKET_MAX <= FRAME_DATA_MAX, "a frame holds any record of a capture");

struct pcap_port {
	char *in_path, *out_path; /* out_path NULL: nothing is kept */
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

/* Splits "IN[:OUT]". */
static struct pcap_port *pcap_parse(const char *args, struct skep_error *err)
{
	struct pcap_port *pcap = calloc(1, sizeof(*pcap));
	size_t length = strcspn(args, ":");

	if (!pcap)
		return NULL;
	pcap->writer.fd = -1;
	pcap->in_path = strndup(args, length);
	if (args[length] && args[length + 1])
		pcap->out_path = strdup(args + length + 1);
	if (length && pcap->in_path &&
	    !(pcap->out_path && is_same_file(pcap->in_path, pcap->out_path)))
		return pcap;
	error_set(err, SKEP_STAGE_PORT, -EINVAL,
		  length ? "pcap:%s: IN and OUT are the same file"
			 : "pcap:%s: expected pcap:IN[:OUT]",
		  args);
	pcap_free(pcap);
	return NULL;
}

static int pcap_open(struct port *port, const char *args, struct skep_error *err)
{
	struct pcap_port *pcap;
	int code;

	error_set(err, SKEP_STAGE_PORT, -ENOMEM, "out of memory");
	pcap = pcap_parse(args, err);
	if (!pcap)
		return err ? err->code : -EINVAL;
	code = capture_open(&pcap->reader, pcap->in_path, err);
	if (!code && pcap->out_path) {
		code = capture_create(&pcap->writer, pcap->out_path, err);
		if (code)
			capture_close(&pcap->reader);
	}
	if (code) {
		pcap_free(pcap);
		return code;
	}
	port->state = pcap;
	return 0;
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

static void pcap_fill(struct frame *frame, const struct capture_packet *packet)
{
	frame_fill(frame, packet->data, packet->length);
	frame->original_length = packet->original_length;
	frame->time_ns = packet->time_ns;
	frame->known = FRAME_TIME;
}

static int pcap_receive(struct port_queue *queue, struct frame *frames, int count,
			struct skep_error *err)
{
	struct pcap_port *pcap = queue->port->state;
	struct capture_packet packet;
	int filled = 0, got = 0;

	while (filled < count && (got = capture_next(&pcap->reader, &packet, err)) > 0) {
		got = pcap_check_link(pcap, &packet, err);
		if (got)
			break;
		if (packet.length < packet.original_length)
			counter_add(&queue->rx.truncated, 1);
		pcap_fill(&frames[filled++], &packet);
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
