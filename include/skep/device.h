/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device: an engine that runs XDP programs for hosts, other processes, which load them
 * through a channel (Linux's offload: prog_ifindex, map_ifindex, XDP_FLAGS_HW_MODE). `skep
 * device` is one. A host opens it as a port: "device:ADDRESS" for skep_port_open(). Whoever can
 * connect can load programs and sees only what it made itself.
 */
#ifndef SKEP_DEVICE_H
#define SKEP_DEVICE_H

#include <skep/skep.h>

#ifdef __cplusplus
extern "C" {
#endif

struct skep_device;

struct skep_device_opts {
	size_t sz;
	const char *listen; /* "unix:PATH" or "tcp:HOST:PORT" */
	int ifindex;	    /* the engine's port at which hosts attach their programs */
	/* Names of helpers ("bpf_ktime_get_ns") and map types ("hash") that it is not to have,
	 * with commas between them, as hardware has not all of them. NULL: it has what skep
	 * has. */
	const char *without;
};

/*
 * Listens, and serves hosts on threads of its own. When the first program is attached packets
 * begin to move through all ports of the engine, until these are exhausted or
 * skep_device_stop() is called. The engine stays the caller's, and ends after the device. NULL
 * on failure, with `err` (may be NULL) filled in: -EINVAL (the options), -ENODEV (no such
 * port), -ENOMEM, that of the socket.
 */
SKEP_API struct skep_device *skep_device_start(struct skep_engine *engine,
					       const struct skep_device_opts *opts,
					       struct skep_error *err);

/*
 * Ends all channels and the movement of packets, detaches programs and frees the device; NULL:
 * nothing. 0, or the negative errno with which moving packets failed, `err` (may be NULL)
 * filled in. Not from a signal handler.
 */
SKEP_API int skep_device_stop(struct skep_device *device, struct skep_error *err);

#ifdef __cplusplus
}
#endif
#endif
