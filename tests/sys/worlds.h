/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux and skep, asked the same: a scenario is a function that makes calls of bpf(2) and notes
 * what they answer; it runs once in each world, and the notes must be the same.
 */
#ifndef SKEP_TESTS_SYS_WORLDS_H
#define SKEP_TESTS_SYS_WORLDS_H

#include "catalog/uapi.h"
#include "tests/linux.h"
#include "tests/unit.h"
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>

#define NOTES_MAX 20000

struct note {
	char what[80];
	long long value;
};

struct world {
	struct skep_engine *engine; /* NULL: Linux */
	struct note *notes;
	unsigned int count;
};

/* The result, or a negative errno. */
static inline int bpf_size(struct world *world, int cmd, void *attr, unsigned int size)
{
	long ret;

	if (world->engine)
		return skep_bpf(world->engine, cmd, attr, size);
	ret = syscall(SYS_bpf, cmd, attr, size);
	return ret < 0 ? -errno : (int)ret;
}

static inline int bpf(struct world *world, int cmd, union bpf_attr *attr)
{
	return bpf_size(world, cmd, attr, sizeof(*attr));
}

__attribute__((format(printf, 3, 4))) static inline void
note(struct world *world, long long value, const char *format, ...)
{
	struct note *at = &world->notes[world->count];
	va_list args;

	assert_true(world->count < NOTES_MAX);
	world->count++;
	at->value = value;
	va_start(args, format);
	vsnprintf(at->what, sizeof(at->what), format, args);
	va_end(args);
}

/* A descriptor's number does not matter, only whether there is one. */
static inline void note_fd(struct world *world, int fd, const char *what)
{
	note(world, fd < 0 ? fd : 1, "%s", what);
	if (fd >= 0)
		close(fd);
}

static inline void worlds_compare_with(void (*scenario)(struct world *world),
				       const struct skep_engine_opts *opts)
{
	struct world linux_world = {.notes = calloc(NOTES_MAX, sizeof(struct note))};
	struct world skep_world = {.notes = calloc(NOTES_MAX, sizeof(struct note)),
				   .engine = skep_engine_new(opts, NULL)};
	unsigned int differences = 0;

	assert_non_null(skep_world.engine);
	scenario(&linux_world);
	scenario(&skep_world);
	for (unsigned int i = 0; i < linux_world.count && i < skep_world.count; i++)
		if (linux_world.notes[i].value != skep_world.notes[i].value) {
			print_error("%s: Linux %lld, skep %lld\n", linux_world.notes[i].what,
				    linux_world.notes[i].value, skep_world.notes[i].value);
			differences++;
		}
	assert_int_equal(linux_world.count, skep_world.count);
	skep_engine_free(skep_world.engine);
	free(linux_world.notes);
	free(skep_world.notes);
	assert_int_equal(differences, 0);
}

static inline void worlds_compare(void (*scenario)(struct world *world))
{
	worlds_compare_with(scenario, NULL);
}

/* The test of a scenario, test_NAME(); skipped where the kernel lacks what it needs. */
#define SCENARIO_IF(name, has_more)                  \
	static void test_##name(void **state)        \
	{                                            \
		if (!linux_has_isa() || !(has_more)) \
			skip();                      \
		worlds_compare(name);                \
	}
#define SCENARIO(name) SCENARIO_IF(name, true)

#endif
