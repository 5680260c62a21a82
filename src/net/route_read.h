/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the engine's routes (map/route.h) come from. */
#ifndef SKEP_NET_ROUTE_READ_H
#define SKEP_NET_ROUTE_READ_H

#include "map/route.h"
#include <skep/error.h>

/* Who knows the programs that routes name. */
struct route_programs {
	/* A reference to the program of this name for the place; NULL: there is none. */
	struct object *(*find)(void *cookie, const char *name, enum route_lwt place);
	void *cookie;
};

/* Rows of a text (skep/route.h) are added to the set, and rules where it has none. */
int route_read_text(struct route_set *set, const char *text, size_t length,
		    const struct route_programs *programs, struct skep_error *err);
/* The same of the calling thread's network namespace, by netlink. */
int route_read_host(struct route_set *set, struct skep_error *err);

/* Devices whose interface is a port's get the port's number (port_of(), 0: none); when there are
 * such, the others get numbers that no port has. 0 or -ENOMEM. */
int route_number_by_ports(struct route_set *set, u32 (*port_of)(void *cookie, const char *name),
			  void *cookie);

/* A local address brings its own routes. 0 or -ENOMEM. */
int route_add_local(struct route_set *set, const struct route_address *address);

#endif
