/* SPDX-License-Identifier: BSD-2-Clause */
/* The public face of ports: each function hands its work to the engine's struct net. */
#include "net/net.h"
#include "sys/engine.h"

#include <errno.h>
#include <skep/port.h>

/* The caller's record, or the thread's own; both are filled by what follows. */
static struct skep_error *start(struct skep_engine *engine, struct skep_error *err)
{
	struct skep_error *own = engine_error_start(engine);

	error_clear(err);
	return err ?: own;
}

int skep_port_open(struct skep_engine *engine, const char *spec, struct skep_error *err)
{
	return net_port_open(engine->net, spec, start(engine, err));
}

int skep_port_close(struct skep_engine *engine, int ifindex)
{
	start(engine, NULL);
	return ifindex > 0 ? net_port_close(engine->net, ifindex) : -ENODEV;
}

int skep_port_stats(struct skep_engine *engine, int ifindex, struct skep_port_stats *out)
{
	start(engine, NULL);
	return ifindex > 0 ? net_port_stats(engine->net, ifindex, out) : -ENODEV;
}

int skep_ports_run(struct skep_engine *engine, const struct skep_ports_run_opts *opts,
		   struct skep_error *err)
{
	return net_run(engine->net, opts, start(engine, err));
}

void skep_ports_stop(struct skep_engine *engine)
{
	net_stop(engine->net);
}
