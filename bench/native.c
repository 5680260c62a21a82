/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs compiled for this machine. They see struct xdp_md with its 32-bit addresses, so the
 * packet lies below 4 GiB. Runs are read-side sections, as the maps of skep want it. */
#include "bench.h"

#include "base/rcu.h"
#include "catalog/uapi.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HEADROOM   256
#define LOW_MEMORY 8192

typedef int native_program(struct xdp_md *context);

struct native {
	struct instance instance;
	const struct packet *packet;
	void *library;
	native_program *program[PROGRAMS];
};

/* Where x86-64 has a flag for memory below 4 GiB, others have an address that is asked for. */
#ifdef MAP_32BIT
#define LOW_ADDRESS NULL
#else
#define MAP_32BIT   MAP_FIXED_NOREPLACE
#define LOW_ADDRESS ((void *)0x20000000)
#endif

/* The one packet of the process, below 4 GiB. */
static struct xdp_md *low_context(u8 **data)
{
	static u8 *memory;

	if (!memory) {
		memory = mmap(LOW_ADDRESS, LOW_MEMORY, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		if (memory == MAP_FAILED)
			abort();
	}
	*data = memory + LOW_MEMORY / 2 + HEADROOM;
	return (struct xdp_md *)memory;
}

static int native_run(struct instance *instance, enum program which, u64 count, u32 *result)
{
	struct native *native = container_of(instance, struct native, instance);
	native_program *program = native->program[which];
	u8 *data;
	struct xdp_md *context = low_context(&data);
	u32 value = 0;

	memcpy(data, native->packet->data, native->packet->size);
	context->data = context->data_meta = (u32)(uintptr_t)data;
	context->data_end = context->data + native->packet->size;
	rcu_read_lock();
	while (program && count--)
		value = (u32)program(context);
	rcu_read_unlock();
	*result = value;
	return 0;
}

static void native_close(struct instance *instance)
{
	struct native *native = container_of(instance, struct native, instance);

	dlclose(native->library);
	free(native);
}

struct instance *native_open(const struct benchmark *benchmark, enum mode mode,
			     const char *folder, char reason[REASON_SIZE])
{
	char path[512];
	struct native *native;
	void *library;

	snprintf(path, sizeof(path), "%s/%s.%s.so", folder, benchmark->name, modes[mode].name);
	library = dlopen(path, RTLD_NOW);
	if (!library) {
		snprintf(reason, REASON_SIZE, "%s", dlerror());
		return NULL;
	}
	native = calloc(1, sizeof(*native));
	if (!native)
		abort();
	*native = (struct native){
		.instance = {native_run, native_close},
		.packet = &benchmark->packet,
		.library = library,
		.program = {[PROGRAM_MAIN] = (native_program *)dlsym(library, "prog"),
			    [PROGRAM_SETUP] = (native_program *)dlsym(library, "setup")},
	};
	return &native->instance;
}
