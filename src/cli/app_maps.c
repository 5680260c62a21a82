/* SPDX-License-Identifier: BSD-2-Clause */
/* What control parts do with the maps and globals of their objects. */
#include "cli/app.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct bpf_map *find_map(const struct app_run *run, const char *name)
{
	return bpf_object__find_map_by_name(run->session.object, name);
}

int app_map(const struct app_run *run, const char *name)
{
	return bpf_map__fd(find_map(run, name));
}

int app_size_map(struct app_run *run, const char *name, u32 entries)
{
	const int err = bpf_map__set_max_entries(find_map(run, name), entries);

	return err ? usage_error("%s: cannot have %u entries: %s", name, entries,
				 strerror(-err))
		   : 0;
}

int app_fill(int fd, const void *keys, const void *values, u32 count)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	u32 done = count;

	return count ? bpf_map_update_batch(fd, keys, values, &done, &opts) : 0;
}

int app_fill_array(int fd, u32 first, const void *values, u32 count)
{
	u32 *keys = malloc(count * sizeof(*keys));
	int err = keys ? 0 : -ENOMEM;

	for (u32 i = 0; keys && i < count; i++)
		keys[i] = first + i;
	err = err ?: app_fill(fd, keys, values, count);
	free(keys);
	return err;
}

void *app_global(struct app_run *run, const char *name, size_t size)
{
	return session_global(&run->session, name, size);
}

/* --- counters --- */

void app_read_counter(const struct app_run *run, u32 counter, u64 *out, u32 words)
{
	const int cpus = libbpf_num_possible_cpus();
	u64 *each = calloc((size_t)cpus * words, sizeof(*each));

	memset(out, 0, words * sizeof(*out));
	if (each && !bpf_map_lookup_elem(app_map(run, "counters"), &counter, each))
		for (u32 i = 0; i < cpus * words; i++)
			out[i % words] += each[i];
	free(each);
}

int app_clear_counter(const struct app_run *run, u32 counter, u32 words)
{
	u64 *zero = calloc((size_t)libbpf_num_possible_cpus() * words, sizeof(*zero));
	const int err = zero ? bpf_map_update_elem(app_map(run, "counters"), &counter, zero, 0)
			     : -ENOMEM;

	free(zero);
	return err;
}

/* --- two sides --- */

u32 app_next_side(const struct app_run *run)
{
	return (run->generation + 1) & 1;
}

void app_turn(struct app_run *run, const void *setup, size_t size)
{
	volatile u32 *generation = app_global(run, "generation", sizeof(u32));
	u8 *setups = app_global(run, "setups", 2 * size);

	memcpy(setups + app_next_side(run) * size, setup, size);
	/* Release: who sees the generation sees what belongs to it. */
	__atomic_store_n(generation, ++run->generation, __ATOMIC_RELEASE);
}
