/* SPDX-License-Identifier: BSD-2-Clause */
#include "verifier.h"

#include <errno.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOG_SIZE 65536

static struct skep_engine *engine;

bool world_open(enum world world)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = 4,
			       .value_size = 4,
			       .max_entries = 1};
	struct skep_engine_opts opts = {.sz = sizeof(opts), .verify_only = true};
	int fd;

	if (world == WORLD_SKEP) {
		engine = skep_engine_new(&opts, NULL);
		return engine;
	}
	fd = world_bpf(world, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

long __real_syscall(long number, ...);

int world_bpf(enum world world, int cmd, union bpf_attr *attr, u32 size)
{
	long result;

	if (world == WORLD_SKEP)
		return skep_bpf(engine, cmd, attr, size);
	result = __real_syscall(SYS_bpf, cmd, attr, size);
	return result < 0 ? -errno : (int)result;
}

static u64 number_after(const char *log, const char *words)
{
	const char *found = strstr(log, words);

	return found ? strtoull(found + strlen(words), NULL, 10) : 0;
}

/* The line of the log before the statistics. */
static void copy_reason(char *log, char out[REASON_SIZE])
{
	char *stats = strstr(log, "verification time"), *line;

	if (!stats)
		stats = log + strlen(log);
	while (stats > log && stats[-1] == '\n')
		*--stats = 0;
	*stats = 0;
	line = strrchr(log, '\n');
	snprintf(out, REASON_SIZE, "%s", line ? line + 1 : log);
}

void world_load(enum world world, const union bpf_attr *attr, struct measure *out)
{
	static char log[LOG_SIZE];
	union bpf_attr own = *attr;
	int fd;

	log[0] = 0;
	own.log_level = 4;
	own.log_buf = ptr_to_u64(log);
	own.log_size = sizeof(log);
	heap_start();
	fd = world_bpf(world, BPF_PROG_LOAD, &own, sizeof(own));
	*out = (struct measure){.code = min(fd, 0), .peak = heap_peak()};
	if (fd >= 0)
		close(fd);
	out->processed = number_after(log, "processed ");
	out->ms = (double)number_after(log, "verification time ") / 1000;
	if (fd >= 0)
		return;
	copy_reason(log, out->reason);
	if (!out->reason[0])
		snprintf(out->reason, REASON_SIZE, "%s", strerror(-fd));
}
