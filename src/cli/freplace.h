/* SPDX-License-Identifier: BSD-2-Clause */
/* The second object of a session with programs of freplace sections. */
#ifndef SKEP_CLI_FREPLACE_H
#define SKEP_CLI_FREPLACE_H

#include "cli/image.h"

#include <bpf/libbpf.h>

#define FREPLACE_MAX 64

struct session;

/* All zeros: there is none. */
struct freplace {
	char *path;	/* owned */
	char *compiled; /* the object made of a .bpf.c; deleted at close */
	struct image image;
	struct bpf_object *object;
	struct bpf_link *links[FREPLACE_MAX];
	u32 link_cnt;
};

/* All return 0 or an exit code after a message. --attach-prog is given: the session's object,
 * which is open, gets the program it is for. */
int freplace_open_target(struct session *session);
/* What is to be loaded has its program. */
int freplace_prove_target(struct session *session);
/* --replace is given, and the session's object loaded: the other one replaces functions of it.
 */
int freplace_attach(struct session *session);
void freplace_close(struct freplace *other);

#endif
