/* SPDX-License-Identifier: BSD-2-Clause */
/* AF_XDP in a build without libxdp's headers. */
#include "base/error.h"
#include "net/port.h"

#include <errno.h>

static int xdp_usable(struct skep_error *err)
{
	error_set(err, SKEP_STAGE_PORT, -ENOSYS, "xdp: skep was built without libxdp");
	error_hint(err, "install libxdp-dev and build again");
	return -ENOSYS;
}

static int xdp_open(struct port *port, const char *args, struct skep_error *err)
{
	return xdp_usable(err);
}

const struct port_ops port_xdp = {.name = "xdp", .usable = xdp_usable, .open = xdp_open};
