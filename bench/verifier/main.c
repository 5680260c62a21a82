/* SPDX-License-Identifier: BSD-2-Clause */
#include "verifier.h"

#include "base/json.h"
#include <bpf/libbpf.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const world_name[WORLDS] = {"linux", "skep"};

struct options {
	u32 rounds;
	const char *only, *json_path;
	bool has_linux;
};

struct table {
	struct options options;
	struct strbuf text;
	struct json json;
	double speed_logarithms, time_logarithms; /* sums of those of skep to linux */
	u32 ratio_cnt;
};

/* --- one program --- */

/* What an earlier round left is freed while a later one is measured: the peak is the largest. */
static void keep_best(struct measure *best, const struct measure *now, bool is_first)
{
	u64 peak = is_first ? now->peak : max(best->peak, now->peak);

	if (is_first || now->ms < best->ms)
		*best = *now;
	best->peak = peak;
}

static void measure(const struct program *program, const struct options *options,
		    struct measure best[WORLDS])
{
	for (u32 round = 0; round < options->rounds; round++)
		for (enum world world = 0; world < WORLDS; world++) {
			struct measure now;

			if (!program->is_there[world])
				continue;
			world_load(world, &program->attr[world], &now);
			keep_best(&best[world], &now, !round);
		}
}

/* Processed instructions in a microsecond. */
static double speed(const struct measure *measure)
{
	return measure->ms > 0 ? (double)measure->processed / measure->ms / 1000 : NAN;
}

/* --- the table --- */

static void print_head(void)
{
	printf("%-40s %7s | %9s %9s %7s | %9s %9s %7s %7s | %6s %6s\n", "", "", "linux", "ms",
	       "M/s", "skep", "ms", "M/s", "MB", "speed", "time");
	printf("%-40s %7s | %9s %9s %7s | %9s %9s %7s %7s | %6s %6s\n", "program", "insns",
	       "processed", "", "", "processed", "", "", "", "ratio", "ratio");
}

static void print_world(const struct program *program, enum world world,
			const struct measure *best)
{
	if (!program->is_there[world])
		printf(" | %9s %9s %7s", "-", "-", "-");
	else
		printf(" | %9llu %9.3f %7.2f", best->processed, best->ms, speed(best));
	if (world == WORLD_SKEP)
		printf(" %7.2f", (double)best->peak / 1e6);
}

static void print_ratios(struct table *table, const struct measure best[WORLDS])
{
	double by_speed = speed(&best[WORLD_SKEP]) / speed(&best[WORLD_LINUX]);
	double by_time = best[WORLD_LINUX].ms / best[WORLD_SKEP].ms;

	if (isnormal(by_speed) && isnormal(by_time)) {
		printf(" | %6.2f %6.2f", by_speed, by_time);
		table->speed_logarithms += log(by_speed);
		table->time_logarithms += log(by_time);
		table->ratio_cnt++;
	} else {
		printf(" | %6s %6s", "-", "-");
	}
}

static void print_row(struct table *table, const struct program *program,
		      const struct measure best[WORLDS])
{
	printf("%-40s %7u", program->name, program->attr[WORLD_SKEP].insn_cnt);
	for (enum world world = 0; world < WORLDS; world++)
		print_world(program, world, &best[world]);
	print_ratios(table, best);
	for (enum world world = 0; world < WORLDS; world++)
		if (best[world].code)
			printf("  %s: %s", world_name[world], best[world].reason);
	printf("\n");
	fflush(stdout);
}

static void json_row(struct json *json, const struct program *program,
		     const struct measure best[WORLDS])
{
	json_object(json, NULL);
	json_string(json, "name", program->name);
	json_uint(json, "insns", program->attr[WORLD_SKEP].insn_cnt);
	for (enum world world = 0; world < WORLDS; world++) {
		if (!program->is_there[world])
			continue;
		json_object(json, world_name[world]);
		json_bool(json, "accepted", !best[world].code);
		json_uint(json, "processed", best[world].processed);
		json_double(json, "ms", best[world].ms);
		if (world == WORLD_SKEP)
			json_uint(json, "peak_bytes", best[world].peak);
		if (best[world].code)
			json_string(json, "reason", best[world].reason);
		json_object_end(json);
	}
	json_object_end(json);
}

static bool is_chosen(const struct table *table, const char *name)
{
	return !table->options.only || strstr(name, table->options.only);
}

static void run_program(struct table *table, struct program *program)
{
	struct measure best[WORLDS] = {};

	if (!table->options.has_linux)
		program->is_there[WORLD_LINUX] = false;
	measure(program, &table->options, best);
	print_row(table, program, best);
	json_row(&table->json, program, best);
}

static int finish(struct table *table)
{
	FILE *file;

	if (table->ratio_cnt)
		printf("geometric mean: speed ratio %.2f, time ratio %.2f\n",
		       exp(table->speed_logarithms / table->ratio_cnt),
		       exp(table->time_logarithms / table->ratio_cnt));
	json_array_end(&table->json);
	if (!table->options.json_path)
		return 0;
	file = fopen(table->options.json_path, "we");
	if (!file || fprintf(file, "%s\n", strbuf_text(&table->text)) < 0 || fclose(file)) {
		fprintf(stderr, "%s: %s\n", table->options.json_path, strerror(errno));
		return 2;
	}
	return 0;
}

/* --- options --- */

static bool read_options(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {{"rounds", required_argument, NULL, 'r'},
					      {"only", required_argument, NULL, 'o'},
					      {"json", required_argument, NULL, 'j'},
					      {"no-linux", no_argument, NULL, 'n'},
					      {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'r': options->rounds = (u32)strtoul(optarg, NULL, 10); break;
		case 'o': options->only = optarg; break;
		case 'j': options->json_path = optarg; break;
		case 'n': options->has_linux = false; break;
		default: return false;
		}
	}
	return options->rounds > 0;
}

static int print_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

int main(int argc, char **argv)
{
	struct table table = {.options = {.rounds = 5, .has_linux = true}};

	if (!read_options(&table.options, argc, argv)) {
		fprintf(stderr, "usage: verifier [--rounds N] [--only TEXT] [--json FILE] "
				"[--no-linux] [OBJECT...]\n");
		return 2;
	}
	libbpf_set_print(print_nothing);
	if (!world_open(WORLD_SKEP))
		return 2;
	table.options.has_linux &= world_open(WORLD_LINUX);
	strbuf_init(&table.text);
	json_init(&table.json, &table.text, true);
	json_array(&table.json, NULL);
	print_head();
	for (u32 i = 0; optind == argc && i < generator_cnt; i++)
		if (is_chosen(&table, generators[i].name))
			run_program(&table, generate_program(&generators[i]));
	for (int i = optind; i < argc; i++)
		for (struct program *at = capture_programs(argv[i]); at; at = at->next)
			if (is_chosen(&table, at->name))
				run_program(&table, at);
	return finish(&table);
}
