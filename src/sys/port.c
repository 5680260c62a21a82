/* SPDX-License-Identifier: BSD-2-Clause */
/* The public face of ports: each function hands its work to the engine's struct net. */
#include "net/port.h"
#include "net/net.h"
#include "sys/engine.h"
#include "sys/offload.h"

#include <errno.h>
#include <skep/port.h>

/*
 * The thread's record, and the caller's when there is one, become the call's own. Not before
 * its end: a tick may call the engine, too.
 */
static int finish(struct skep_engine *engine, const struct skep_error *own,
		  struct skep_error *err, int ret)
{
	*engine_error_start(engine) = *own;
	if (err)
		*err = *own;
	return ret;
}

/* The same for calls that fail only for want of the port, or because it is in use. */
static int finish_lookup(struct skep_engine *engine, int ifindex, int ret)
{
	struct skep_error own;

	error_clear(&own);
	if (ret)
		error_set(&own, SKEP_STAGE_PORT, ret,
			  ret == -EBUSY ? "port %d: packets are being moved" : "no port %d",
			  ifindex);
	return finish(engine, &own, NULL, ret);
}

int skep_port_open(struct skep_engine *engine, const char *spec, struct skep_error *err)
{
	struct skep_error own;

	error_clear(&own);
	return finish(engine, &own, err, net_port_open(engine->net, spec, &own));
}

int skep_port_close(struct skep_engine *engine, int ifindex)
{
	return finish_lookup(engine, ifindex,
			     ifindex > 0 ? net_port_close(engine->net, ifindex) : -ENODEV);
}

int skep_port_stats(struct skep_engine *engine, int ifindex, struct skep_port_stats *out)
{
	if (ifindex > 0)
		offload_refresh(engine, (u32)ifindex);
	return finish_lookup(engine, ifindex,
			     ifindex > 0 ? net_port_stats(engine->net, ifindex, out) : -ENODEV);
}

int skep_ports_run(struct skep_engine *engine, const struct skep_ports_run_opts *opts,
		   struct skep_error *err)
{
	struct skep_error own;

	error_clear(&own);
	return finish(engine, &own, err, net_run(engine->net, opts, &own));
}

void skep_ports_stop(struct skep_engine *engine)
{
	net_stop(engine->net);
}
int skep_port_kind(unsigned int n, struct skep_port_kind *out)
{
	return port_kind(n, out);
}
