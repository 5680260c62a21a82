/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs as byte code, loaded by libbpf and run by BPF_PROG_TEST_RUN. libbpf reaches bpf(2)
 * through syscall(), which the linker turns into the function here (--wrap=syscall): with an
 * engine set it is skep's, else the kernel's.
 */
#include "bench.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <skep/skep.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* A run of a packet's benchmark may not take longer: BPF_PROG_TEST_RUN counts in 32 bits. */
#define REPEAT_MAX 1000000000U
/* Nor one that writes to a buffer, which is emptied then. */
#define REPEAT_BUFFER 3000U

struct object {
	struct instance instance;
	const struct packet *packet;
	struct skep_engine *engine; /* NULL: the kernel */
	struct bpf_object *bpf;
	int program[PROGRAMS]; /* -1: none */
};

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

static int test_run(struct object *object, int fd, u32 repeat, u32 *result)
{
	u8 out[2 * PACKET_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = object->packet->data,
		    .data_size_in = object->packet->size, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = (int)repeat);
	int err;

	current = object->engine;
	err = bpf_prog_test_run_opts(fd, &opts);
	current = NULL;
	*result = opts.retval;
	return err;
}

static int object_run(struct instance *instance, enum program program, u64 count, u32 *result)
{
	struct object *object = container_of(instance, struct object, instance);
	const u32 most = instance->buffer ? REPEAT_BUFFER : REPEAT_MAX;
	int fd = object->program[program], err = 0;

	*result = 0;
	if (fd < 0)
		return 0;
	while (count && !err) {
		u32 repeat = min(count, (u64)most);

		err = test_run(object, fd, repeat, result);
		count -= repeat;
		if (instance->buffer && program != PROGRAM_STREAM)
			buffer_empty(instance->buffer);
	}
	return err;
}

static void object_close(struct instance *instance)
{
	struct object *object = container_of(instance, struct object, instance);

	current = object->engine;
	buffer_close(instance->buffer);
	bpf_object__close(object->bpf);
	current = NULL;
	if (object->engine)
		skep_engine_free(object->engine);
	free(object);
}

static int program_fd(struct bpf_object *bpf, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(bpf, name);

	return program ? bpf_program__fd(program) : -1;
}

/* With `current` set. */
static int load(struct object *object, const char *path, char reason[REASON_SIZE])
{
	static const char *const names[PROGRAMS] = {"prog", "setup", "pair", "stream"};
	int err;

	object->bpf = bpf_object__open_file(path, NULL);
	if (!object->bpf) {
		snprintf(reason, REASON_SIZE, "%s: %s", path, strerror(errno));
		return -errno;
	}
	err = bpf_object__load(object->bpf);
	if (err) {
		snprintf(reason, REASON_SIZE, "load: %s%s%s", strerror(-err),
			 object->engine ? ": " : "",
			 object->engine ? skep_engine_error(object->engine)->text : "");
		return err;
	}
	for (u32 i = 0; i < PROGRAMS; i++)
		object->program[i] = program_fd(object->bpf, names[i]);
	err = buffer_open(object->bpf, object->engine, &object->instance.buffer);
	if (err)
		snprintf(reason, REASON_SIZE, "buffer: %s", strerror(-err));
	return err;
}

static struct skep_engine *open_engine(enum mode mode)
{
	const struct skep_engine_opts opts = {
		.sz = sizeof(opts),
		.fuel = mode == MODE_fuel ? UINT64_MAX : 0,
		.jit = mode == MODE_interpreted ? SKEP_JIT_OFF : SKEP_JIT_DEFAULT,
	};

	return skep_engine_new(&opts, NULL);
}

struct instance *object_open(const struct benchmark *benchmark, enum mode mode,
			     const char *folder, char reason[REASON_SIZE])
{
	struct object *object = calloc(1, sizeof(*object));
	char path[512];
	int err;

	if (!object)
		abort();
	object->instance = (struct instance){object_run, object_close, NULL};
	object->packet = &benchmark->packet;
	if (modes[mode].kind == MODE_SKEP)
		object->engine = open_engine(mode);
	snprintf(path, sizeof(path), "%s/%s.bpf.o", folder, benchmark->name);
	current = object->engine;
	err = load(object, path, reason);
	current = NULL;
	if (!err)
		return &object->instance;
	object_close(&object->instance);
	return NULL;
}
