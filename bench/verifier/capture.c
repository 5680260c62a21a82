/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libbpf makes the maps and the types of an object in each world, and would load its programs:
 * those calls are kept and answered with a descriptor that stands for nothing.
 */
#include "verifier.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static struct capture {
	bool is_active;
	enum world world;
	const char *path;
	struct bpf_object *object;
	struct program *programs;
} capture;

long __wrap_syscall(long number, ...);
long __real_syscall(long number, ...);

static u64 copy(u64 address, size_t size)
{
	void *own = address ? malloc(size) : NULL;

	return own ? ptr_to_u64(memcpy(own, u64_to_ptr(address), size)) : 0;
}

/* The call with memory of its own. */
static void copy_attr(const union bpf_attr *attr, u32 size, union bpf_attr *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out, attr, min((size_t)size, sizeof(*out)));
	out->insns = copy(out->insns, out->insn_cnt * sizeof(struct bpf_insn));
	out->license = ptr_to_u64(strdup(u64_to_ptr(out->license)));
	out->func_info =
		copy(out->func_info, (size_t)out->func_info_cnt * out->func_info_rec_size);
	out->line_info =
		copy(out->line_info, (size_t)out->line_info_cnt * out->line_info_rec_size);
}

/* libbpf's own tries at what there is are not the object's. */
static const char *program_of_object(const union bpf_attr *attr)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, capture.object) {
		const char *name = bpf_program__name(program);

		if (!strncmp(name, attr->prog_name, BPF_OBJ_NAME_LEN - 1))
			return name;
	}
	return NULL;
}

static struct program *find_or_add(const char *name)
{
	const char *file = strrchr(capture.path, '/');
	struct program **link = &capture.programs;
	char full[sizeof((*link)->name)];

	snprintf(full, sizeof(full), "%.40s:%s", file ? file + 1 : capture.path, name);
	while (*link && strcmp((*link)->name, full))
		link = &(*link)->next;
	if (!*link) {
		*link = calloc(1, sizeof(**link));
		if (!*link)
			abort();
		memcpy((*link)->name, full, sizeof(full));
	}
	return *link;
}

static bool keep(const union bpf_attr *attr, u32 size)
{
	const char *name = program_of_object(attr);
	struct program *program;

	if (!name)
		return false;
	program = find_or_add(name);
	if (!program->is_there[capture.world])
		copy_attr(attr, size, &program->attr[capture.world]);
	program->is_there[capture.world] = true;
	return true;
}

long __wrap_syscall(long number, ...)
{
	union bpf_attr *attr;
	va_list args;
	long a[6];
	int result;

	va_start(args, number);
	for (u32 i = 0; i < ARRAY_SIZE(a); i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number != SYS_bpf || !capture.is_active)
		return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	attr = u64_to_ptr((u64)a[1]);
	if (a[0] == BPF_PROG_LOAD && keep(attr, (u32)a[2]))
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	result = world_bpf(capture.world, (int)a[0], attr, (u32)a[2]);
	/* Slots of program arrays cannot be filled with what was not loaded. */
	if (result >= 0 || a[0] == BPF_MAP_UPDATE_ELEM)
		return max(result, 0);
	errno = -result;
	return -1;
}

static void capture_world(enum world world)
{
	struct bpf_program *program;

	capture.world = world;
	capture.object = bpf_object__open_file(capture.path, NULL);
	if (!capture.object) {
		fprintf(stderr, "%s: %s\n", capture.path, strerror(errno));
		return;
	}
	bpf_object__for_each_program (program, capture.object)
		bpf_program__set_autoload(program, true);
	capture.is_active = true;
	if (bpf_object__load(capture.object))
		fprintf(stderr, "%s: %s: %s\n", capture.path,
			world == WORLD_SKEP ? "skep" : "linux", strerror(errno));
	capture.is_active = false; /* the object stays open: its maps are the programs' */
}

struct program *capture_programs(const char *path)
{
	capture.path = path;
	capture.programs = NULL;
	for (enum world world = 0; world < WORLDS; world++)
		capture_world(world);
	return capture.programs;
}
