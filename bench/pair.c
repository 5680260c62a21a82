/* SPDX-License-Identifier: BSD-2-Clause */
/* What two threads do at once. Each is on a processor of its own, and its processor time
 * counts, so that other processes disturb little; records from one thread to another are
 * counted by wall-clock time. */
#include "bench.h"

#include "base/os.h"
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct worker {
	struct instance *instance;
	pthread_barrier_t *start;
	enum program program;
	u64 count;
	int cpu;
	double ns; /* processor time of one run */
};

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	u32 ignored;
	u64 start;

	stay_on(worker->cpu);
	pthread_barrier_wait(worker->start);
	start = cpu_time_ns();
	if (worker->instance->run(worker->instance, worker->program, worker->count, &ignored))
		abort();
	worker->ns = (double)(cpu_time_ns() - start) / (double)worker->count;
	return NULL;
}

static void run_workers(struct worker *workers, u32 count)
{
	pthread_barrier_t start;
	pthread_t threads[2];

	pthread_barrier_init(&start, NULL, count);
	for (u32 i = 0; i < count; i++) {
		workers[i].start = &start;
		if (pthread_create(&threads[i], NULL, work, &workers[i]))
			abort();
	}
	for (u32 i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
}

static double ns_of_run(struct instance *instance, enum program program, u64 count)
{
	struct worker one = {.instance = instance, .program = program, .count = count};

	run_workers(&one, 1);
	return one.ns;
}

/* How many times the work of one thread two did. */
static double scaling(struct instance *instance, u64 count)
{
	struct worker two[2] = {
		{.instance = instance, .program = PROGRAM_PAIR, .count = count},
		{.instance = instance, .program = PROGRAM_PAIR, .count = count, .cpu = 1},
	};
	double one = ns_of_run(instance, PROGRAM_PAIR, count);

	run_workers(two, 2);
	return 4 * one / (two[0].ns + two[1].ns);
}

struct reader {
	struct buffer *buffer;
	atomic_bool end;
	u64 records;
};

static void *read_all(void *argument)
{
	struct reader *reader = argument;

	stay_on(1);
	reader->records = buffer_read(reader->buffer, &reader->end);
	return NULL;
}

/* Millions of records that came through in a second. */
static double stream(struct instance *instance, u64 count)
{
	struct reader reader = {.buffer = instance->buffer};
	u64 start = os_time_ns(CLOCK_MONOTONIC);
	pthread_t thread;

	if (pthread_create(&thread, NULL, read_all, &reader))
		abort();
	ns_of_run(instance, PROGRAM_STREAM, count);
	atomic_store(&reader.end, true);
	pthread_join(thread, NULL);
	return (double)reader.records * 1e3 / (double)(os_time_ns(CLOCK_MONOTONIC) - start);
}

static const struct figure {
	const char *group, *unit;
	enum program program;
	double (*measure)(struct instance *instance, u64 count);
} figures[] = {
	{"pair", "times one slot", PROGRAM_PAIR, scaling},
	{"stream", "M records/s", PROGRAM_STREAM, stream},
};

static const struct figure *figure_of(const char *group)
{
	for (u32 i = 0; i < ARRAY_SIZE(figures); i++)
		if (!strcmp(figures[i].group, group))
			return &figures[i];
	return NULL;
}

const char *pair_unit(const char *group)
{
	const struct figure *figure = figure_of(group);

	return figure ? figure->unit : NULL;
}

void pair_measure(struct row *row, u32 rounds, double seconds)
{
	const struct figure *figure = figure_of(row->benchmark.group);
	const u64 few = 3000;

	for (u32 mode = 0; mode < MODES; mode++)
		if (row->instance[mode])
			row->count[mode] =
				(u64)(seconds * 1e9 /
				      ns_of_run(row->instance[mode], figure->program, few)) +
				1;
	for (u32 round = 0; round < rounds; round++)
		for (u32 mode = 0; mode < MODES; mode++)
			if (row->instance[mode])
				row->time[mode][round] =
					figure->measure(row->instance[mode], row->count[mode]);
	for (u32 mode = 0; mode < MODES; mode++)
		if (row->instance[mode])
			row->median[mode] = median_of(row->time[mode], rounds);
}
