/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures through a filter: pcap and pcapng files are read where they lie, without copying,
 * and a filter of an engine says which packets matter: a BPF_PROG_TYPE_SOCKET_FILTER, or a
 * BPF_PROG_TYPE_SCHED_CLS that does not write packets, those for which it gives anything but 0.
 * The same filter can listen at a port. The length that it sees is that on the wire; what the
 * capture cut off cannot be loaded.
 */
#ifndef SKEP_CAPTURE_H
#define SKEP_CAPTURE_H

#include <skep/skep.h>

#ifdef __cplusplus
extern "C" {
#endif

struct skep_capture;
struct skep_capture_writer;

struct skep_packet {
	const uint8_t *data; /* valid until the capture is closed, or the function returns */
	uint32_t length, original_length; /* captured, on the wire */
	uint32_t link_type;		  /* as pcap numbers them; 1: Ethernet */
	uint64_t time_ns;		  /* since 1970 */
};

/* NULL on failure, with `err` (may be NULL) filled in. The caller closes it; NULL: nothing. */
SKEP_API struct skep_capture *skep_capture_open(const char *path, struct skep_error *err);
SKEP_API void skep_capture_close(struct skep_capture *capture);
/* Of its packets; 0: there is none. */
SKEP_API uint32_t skep_capture_link_type(const struct skep_capture *capture);

/*
 * Looks at the next packets of the capture, at most `room`: *seen says how many (0: there are
 * no more). Returns how many of them the filter `prog_fd` keeps (below 0: there is none, all),
 * which are in `out` (NULL: they are only counted); or a negative errno: -EBADF (no such
 * filter), -EBADMSG (the capture is broken here; the packets before it were delivered).
 */
SKEP_API int64_t skep_capture_filter(struct skep_capture *capture, struct skep_engine *engine,
				     int prog_fd, struct skep_packet *out, uint32_t room,
				     uint64_t *seen, struct skep_error *err);

/* A new file, pcapng when its name ends so, else pcap with nanoseconds. NULL on failure. */
SKEP_API struct skep_capture_writer *skep_capture_create(const char *path, uint32_t link_type,
							 struct skep_error *err);
/* 0 or a negative errno, from then on always the same. */
SKEP_API int skep_capture_write(struct skep_capture_writer *writer,
				const struct skep_packet *packet);
/* The same with a comment, which pcapng keeps and pcap does not. */
SKEP_API int skep_capture_write_comment(struct skep_capture_writer *writer,
					const struct skep_packet *packet, const char *comment);
/* What was taken so far is in the file. 0 or a negative errno, as of skep_capture_write(). */
SKEP_API int skep_capture_flush(struct skep_capture_writer *writer);
/* Packets that were taken, but are not in the file since writing failed. */
SKEP_API uint64_t skep_capture_lost(const struct skep_capture_writer *writer);
/* All is written and the file closed; also after a failure, when it is cut back to the last
 * packet that is whole. 0 or the negative errno that ended writing. */
SKEP_API int skep_capture_finish(struct skep_capture_writer *writer);

/*
 * From now on `function` gets the packets that come in by the port and that the filter keeps
 * (`prog_fd` below 0: all), before any other program sees them; called by the threads that run
 * ports, several at a time when the port has several queues. NULL: no more. 0 or a negative
 * errno: -ENODEV, -EBADF, -EBUSY (during skep_ports_run()).
 */
typedef void skep_packet_function(void *cookie, const struct skep_packet *packets,
				  uint32_t count);
SKEP_API int skep_port_listen(struct skep_engine *engine, int ifindex, int prog_fd,
			      skep_packet_function *function, void *cookie);

#ifdef __cplusplus
}
#endif
#endif
