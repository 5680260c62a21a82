/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the programs of an object run: ports of the engine, or hooks of the kernel. */
#ifndef SKEP_CLI_ATTACH_H
#define SKEP_CLI_ATTACH_H

#include "cli/session.h"

#define ATTACHED_MAX 64

/* A tc filter of ours; other filters of the interface stay. */
struct tc_filter {
	u32 ifindex, handle, priority;
	enum bpf_tc_attach_point point;
	bool made_hook; /* there was none before */
};

struct attachments {
	struct bpf_link *links[ATTACHED_MAX];
	u32 link_count;
	int fds[4 * ATTACHED_MAX]; /* of links in the engine */
	u32 fd_count;
	int ports[ATTACHED_MAX]; /* ifindexes in the engine */
	u32 port_count;
	struct tc_filter filters[ATTACHED_MAX];
	u32 filter_count;
};

/* The ports of --on, for the skep target. 0 or an exit code after a message; always detach. */
int open_ports(struct session *session, struct attachments *out);
/* Before it is loaded: an object that asks what a port knows of its packets is for that port,
 * one that is to be offloaded with its maps for that device. */
int bind_to_port(struct session *session, const struct attachments *attachments);
/* Attaches what the objects have: there, or to what Linux has. */
int attach_all(struct session *sessions, u32 count, struct attachments *out);
void detach_all(struct session *session, struct attachments *attachments);

/* --- shared by the targets --- */
typedef int attach_function(struct session *session, struct attachments *out, const char *spec);

/* XDP_FLAGS_* of --xdp-mode; 0: none is named. */
int xdp_mode(const char *text, u32 *flags);

/* --- offload.c --- */

/* Whether programs run at the device behind the port, which is so unless --xdp-mode says
 * otherwise. */
bool offload_is_meant(const struct session *session, const struct attachments *attachments);
/* Before it is loaded: programs and maps are for the device. 0 or an exit code after a message.
 */
int offload_bind(struct session *session, const struct attachments *attachments);

/* Where the list's first port ends: at a comma, or NULL. */
char *port_end(char *list);
/* Each of --on. */
int each_port(struct session *session, struct attachments *out, attach_function *attach);
/* The skep target's way. */
int attach_at_ports(struct session *sessions, u32 count, struct attachments *out);

#endif
