/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs, loaded by libbpf into an engine. */
#include "datapath.h"

#include "shim/wrap.h"
#include <bpf/libbpf.h>
#include <errno.h>
#include <skep/port.h>
#include <skep/skep.h>
#include <stdio.h>
#include <string.h>

/* The link keeps the program, and lives as long as the engine. */
static int attach(const char *program, int port, char why[256])
{
	struct bpf_object *object = bpf_object__open(bench_object);
	struct bpf_program *found;

	if (!object || bpf_object__load(object)) {
		snprintf(why, 256, "%s: %s", bench_object, strerror(errno));
		return -errno;
	}
	found = bpf_object__find_program_by_name(object, program);
	if (!found || !bpf_program__attach_xdp(found, port)) {
		snprintf(why, 256, "%s: %s", program, strerror(errno));
		return -errno;
	}
	return 0;
}

struct skep_engine *bench_engine(const char *program, const char *spec, int *port,
				 char why[256])
{
	struct skep_engine *engine = skep_engine_new(NULL, NULL);
	struct skep_error err = {};
	int code;

	if (!engine)
		return NULL;
	*port = skep_port_open(engine, spec, &err);
	if (*port < 0)
		snprintf(why, 256, "%s", err.text);
	wrap_use_engine(engine);
	code = *port < 0 ? *port : attach(program, *port, why);
	wrap_use_linux();
	if (!code)
		return engine;
	skep_engine_free(engine);
	return NULL;
}
