/* SPDX-License-Identifier: BSD-2-Clause */
/* Where bpf_redirect() and bpf_redirect_map() send frames, and the programs at the entries of
 * the maps that they name. */
#ifndef SKEP_NET_REDIRECT_H
#define SKEP_NET_REDIRECT_H

#include "net/xdp.h"

/* A cpumap's program may redirect again, to another cpumap's entry. After so many the frame is
 * dropped. */
#define REDIRECTS_MAX 8

struct cpu_frame;

/* Carries out run->redirect for a frame that `from` received; the frame is not needed any more.
 * What fails is an exception of the port. */
void redirect_frame(const struct xdp_path *path, struct run_context *run, struct port *from,
		    struct frame *frame);

/* What other workers redirected to this one: the entries' programs run, and the frames go on
 * behind the ports that received them. At most FRAME_BATCH; they may be freed afterwards. */
void redirect_receive(const struct xdp_path *path, struct cpu_frame *const *frames, u32 count);

#endif
