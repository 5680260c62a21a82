/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs, loaded by libbpf into an engine (--wrap=syscall). */
#include "datapath.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <skep/port.h>
#include <skep/skep.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

extern const char *bench_object;

static _Thread_local struct skep_engine *current;

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
	va_list args;
	long a[6];
	int result;

	va_start(args, number);
	for (u32 i = 0; i < ARRAY_SIZE(a); i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number != SYS_bpf || !current)
		return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	result = skep_bpf(current, (int)a[0], u64_to_ptr((u64)a[1]), (unsigned int)a[2]);
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

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
	snprintf(why, 256, "%s", err.text);
	current = engine;
	code = *port < 0 ? *port : attach(program, *port, why);
	current = NULL;
	if (!code)
		return engine;
	skep_engine_free(engine);
	return NULL;
}
