/* SPDX-License-Identifier: BSD-2-Clause */
/* The public face of the engine's routes. */
#include "map/route.h"
#include "net/net.h"
#include "net/route_read.h"
#include "sys/engine.h"

#include <errno.h>
#include <skep/route.h>
#include <string.h>

/* Puts what was read in place of what there was. */
static int replace(struct skep_engine *engine, struct route_set *set, int ret,
		   struct skep_error *out)
{
	struct skep_error *err = engine_error_start(engine);

	if (ret) {
		*err = *out;
		route_set_done(set);
	} else {
		ret = routes_replace(engine->env.routes, set);
		if (ret)
			error_set(err, SKEP_STAGE_PORT, ret, "no memory for the routes");
	}
	*out = *err;
	return ret;
}

/* The one that was loaded last. */
static struct object *find_program(void *cookie, const char *name, enum route_lwt place)
{
	static const enum bpf_prog_type types[] = {BPF_PROG_TYPE_LWT_IN, BPF_PROG_TYPE_LWT_OUT,
						   BPF_PROG_TYPE_LWT_XMIT};
	struct object *found = NULL;

	for (u32 id = object_next_id(cookie, OBJECT_PROG, 0); id;
	     id = object_next_id(cookie, OBJECT_PROG, id)) {
		struct object *object = object_by_id(cookie, OBJECT_PROG, id);
		const struct prog *prog =
			object ? container_of(object, struct prog, object) : NULL;
		const bool fits = prog && prog->type == types[place] &&
				  !strncmp(prog->name, name, sizeof(prog->name) - 1);

		object_put(fits ? found : object);
		found = fits ? object : found;
	}
	return found;
}

int skep_routes_set(struct skep_engine *engine, const char *text, size_t length,
		    struct skep_error *err)
{
	const struct route_programs programs = {find_program, engine};
	struct route_set set = {0};
	struct skep_error own;
	int ret;

	error_clear(&own);
	ret = net_add_devices(engine->net, &set)
		      ? error_set(&own, SKEP_STAGE_PORT, -ENOMEM, "no memory for the routes")
		      : route_read_text(&set, text, length, &programs, &own);
	ret = replace(engine, &set, ret, &own);
	if (err)
		*err = own;
	return ret;
}

static u32 port_of(void *cookie, const char *name)
{
	struct skep_engine *engine = cookie;

	return net_port_of_interface(engine->net, name);
}

int skep_routes_copy_host(struct skep_engine *engine, struct skep_error *err)
{
	struct route_set set = {0};
	struct skep_error own;
	int ret;

	error_clear(&own);
	ret = route_read_host(&set, &own);
	if (!ret && route_number_by_ports(&set, port_of, engine))
		ret = error_set(&own, SKEP_STAGE_PORT, -ENOMEM, "no memory for the routes");
	ret = replace(engine, &set, ret, &own);
	if (err)
		*err = own;
	return ret;
}
