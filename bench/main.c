/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const struct mode_row modes[MODES] = {
#define MODE(name, kind, text) [MODE_##name] = {#name, text, kind},
#include "modes.def"
#undef MODE
};

struct options {
	const char *list, *folder, *json_path, *only;
	bool wanted[MODES];
	u32 rounds;
	double seconds; /* of one mode in one round */
	u64 runs;	/* of each mode, without a measure, for who counts instead; 0: measure */
	bool verbose;
};

u64 cpu_time_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (u64)time.tv_sec * 1000000000ULL + (u64)time.tv_nsec;
}

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

double median_of(const double *values, u32 count)
{
	double sorted[ROUNDS_MAX];

	memcpy(sorted, values, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_doubles);
	return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

/* TCP over IPv4 over Ethernet, 64 bytes, for the packet programs; for the others 1500 bytes of
 * noise with a repetition in it. */
static void make_packet(struct packet *packet, bool large)
{
	static const u8 headers[54] = {
		2,    0, 0,  0,	 0,    1,    2,	   0,	 0,  0,	 0, 2, 8,  0,
		0x45, 0, 0,  50, 0x12, 0x34, 0x40, 0,	 64, 6,	 0, 0, 10, 0,
		0,    1, 10, 1,	 0,    2,    0x30, 0x39, 0,  80, 0, 0, 0,  1,
		0,    0, 0,  2,	 0x50, 0x10, 0xff, 0xff, 0,  0,	 0, 0};
	u32 state = 0x12345678;

	for (u32 i = 0; i < PACKET_MAX; i++) {
		state = state * 1664525 + 1013904223;
		packet->data[i] = state >> 24;
	}
	memcpy(packet->data + 600, packet->data + 100, 400);
	packet->size = large ? 1500 : 64;
	if (!large)
		memcpy(packet->data, headers, sizeof(headers));
}

/* --- one benchmark --- */

/* Resident memory of the process, in bytes. */
static double memory_now(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long size, resident = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	fclose(file);
	return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static int set_up(struct row *row, enum mode mode)
{
	struct instance *instance = row->instance[mode];
	double before = memory_now();
	u64 start = cpu_time_ns();
	u32 ignored;
	int err = instance->run(instance, PROGRAM_SETUP, row->benchmark.setups, &ignored);

	row->setup_seconds[mode] = (double)(cpu_time_ns() - start) / 1e9;
	row->setup_bytes[mode] = memory_now() - before;
	return err;
}

static int prepare_mode(struct row *row, enum mode mode)
{
	struct instance *instance = row->instance[mode];
	int err = set_up(row, mode);

	for (u32 i = 0; i < RESULTS && !err; i++)
		err = instance->run(instance, PROGRAM_MAIN, 1, &row->results[mode][i]);
	if (err)
		snprintf(row->reason[mode], REASON_SIZE, "run: %s", strerror(-err));
	return err;
}

static bool has_mode(const struct benchmark *benchmark, enum mode_kind kind)
{
	switch (kind) {
	case MODE_NATIVE: return benchmark->has_native;
	case MODE_ABSL: return benchmark->has_absl;
	case MODE_OPERATIONS: return benchmark->has_operations;
	case MODE_LINUX:
	case MODE_SKEP: break;
	}
	return true;
}

static void open_mode(struct row *row, const struct options *options, enum mode mode)
{
	struct instance *instance =
		modes[mode].kind == MODE_LINUX || modes[mode].kind == MODE_SKEP
			? object_open(&row->benchmark, mode, options->folder, row->reason[mode])
			: native_open(&row->benchmark, mode, options->folder,
				      row->reason[mode]);

	row->instance[mode] = instance;
	if (instance && prepare_mode(row, mode)) {
		instance->close(instance);
		row->instance[mode] = NULL;
	}
}

/* A mode whose results are not those of the first mode measures something else. */
static bool results_agree(struct row *row)
{
	u32 first = 0;
	bool agree = true;

	while (first < MODES && !row->instance[first])
		first++;
	for (u32 mode = first; mode < MODES; mode++) {
		if (!row->instance[mode] ||
		    !memcmp(row->results[mode], row->results[first], sizeof(row->results[0])))
			continue;
		snprintf(row->reason[mode], REASON_SIZE, "DIFFERENT RESULT: %#x, %s says %#x",
			 row->results[mode][0], modes[first].name, row->results[first][0]);
		agree = false;
	}
	return agree;
}

/* ns per operation */
static double time_of(struct row *row, u32 mode, u64 count)
{
	struct instance *instance = row->instance[mode];
	u64 start = cpu_time_ns();
	u32 ignored;

	if (instance->run(instance, PROGRAM_MAIN, count, &ignored))
		return NAN;
	return (double)(cpu_time_ns() - start) / (double)count / row->benchmark.operations;
}

/* How many runs fill the time of one round. */
static void calibrate(struct row *row, u32 mode, double seconds)
{
	const double enough = 2e6; /* ns: what is long against the clock and the call */
	double operations = row->benchmark.operations, ns;
	u64 count = 2;

	do {
		count *= 4;
		ns = time_of(row, mode, count) * operations;
	} while (ns * (double)count < enough && count < 1U << 28);
	row->count[mode] = max((u64)(seconds * 1e9 / ns), 1ULL);
}

static void summarize(struct row *row, u32 mode, u32 rounds)
{
	double away[ROUNDS_MAX];

	row->median[mode] = median_of(row->time[mode], rounds);
	for (u32 i = 0; i < rounds; i++)
		away[i] = fabs(row->time[mode][i] - row->median[mode]);
	row->deviation[mode] = median_of(away, rounds) / row->median[mode];
}

static void measure(struct row *row, const struct options *options)
{
	for (u32 mode = 0; mode < MODES; mode++)
		if (row->instance[mode])
			calibrate(row, mode, options->seconds);
	for (u32 round = 0; round < options->rounds; round++)
		for (u32 mode = 0; mode < MODES; mode++)
			if (row->instance[mode])
				row->time[mode][round] = time_of(row, mode, row->count[mode]);
	for (u32 mode = 0; mode < MODES; mode++)
		if (row->instance[mode])
			summarize(row, mode, options->rounds);
}

static void only_run(struct row *row, u64 runs)
{
	u32 ignored;

	for (u32 mode = 0; mode < MODES; mode++)
		if (row->instance[mode])
			row->instance[mode]->run(row->instance[mode], PROGRAM_MAIN, runs, &ignored);
}

static bool run_benchmark(struct row *row, const struct options *options, struct report *report)
{
	bool agree;

	make_packet(&row->benchmark.packet, !strcmp(row->benchmark.group, "compute"));
	for (u32 mode = 0; mode < MODES; mode++)
		if (options->wanted[mode] && has_mode(&row->benchmark, modes[mode].kind))
			open_mode(row, options, mode);
	agree = results_agree(row);
	if (options->runs) {
		only_run(row, options->runs);
	} else if (pair_unit(row->benchmark.group)) {
		pair_measure(row, options->rounds, options->seconds);
		report_figures(report, row, pair_unit(row->benchmark.group));
	} else {
		measure(row, options);
		report_row(report, row);
	}
	for (u32 mode = 0; mode < MODES; mode++)
		if (row->instance[mode])
			row->instance[mode]->close(row->instance[mode]);
	return agree;
}

/* --- the list --- */

static bool is_chosen(const struct options *options, const struct benchmark *benchmark)
{
	if (options->only && options->only[0] == '=')
		return !strcmp(benchmark->name, options->only + 1);
	return !options->only || strstr(benchmark->name, options->only) ||
	       !strcmp(benchmark->group, options->only);
}

/* group name set-up-runs operations-per-run [no-native | byte-code] */
static bool read_benchmark(const char *line, struct benchmark *out)
{
	char flag[16] = "";

	if (line[0] == '#' || sscanf(line, "%15s %63s %llu %lf %15s", out->group, out->name,
				     &out->setups, &out->operations, flag) < 4)
		return false;
	out->has_native = !flag[0] && !pair_unit(out->group);
	out->has_absl =
		WITH_ABSL && !strcmp(out->group, "maps") && !strncmp(out->name, "hash", 4);
	out->has_operations = !strcmp(out->group, "maps") && strcmp(flag, "byte-code") != 0;
	return true;
}

/* How many rows disagreed, or a negative errno. */
static int run_list(const struct options *options, struct report *report)
{
	FILE *list = fopen(options->list, "re");
	char line[256];
	int wrong = 0;

	if (!list)
		return -errno;
	while (fgets(line, sizeof(line), list)) {
		struct row *row = calloc(1, sizeof(*row));

		if (!row)
			abort();
		if (read_benchmark(line, &row->benchmark) &&
		    is_chosen(options, &row->benchmark))
			wrong += !run_benchmark(row, options, report);
		free(row);
	}
	fclose(list);
	return wrong;
}

/* --- options --- */

static int usage(void)
{
	fprintf(stderr,
		"usage: bench --list FILE --objects FOLDER [--modes NAME,...] [--only TEXT]\n"
		"             [--rounds N] [--seconds S] [--runs N] [--json FILE] [--verbose]\n"
		"--only: a group, a part of the names, or =NAME\n"
		"--runs: so many of each, and nothing is measured\n"
		"modes:\n");
	for (u32 mode = 0; mode < MODES; mode++)
		fprintf(stderr, "  %-6s %s\n", modes[mode].name, modes[mode].text);
	return 2;
}

static bool choose_modes(struct options *options, char *names)
{
	memset(options->wanted, 0, sizeof(options->wanted));
	for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		u32 mode = 0;

		while (mode < MODES && strcmp(modes[mode].name, name))
			mode++;
		if (mode == MODES)
			return false;
		options->wanted[mode] = true;
	}
	return true;
}

static bool set_option(struct options *options, int option, char *value)
{
	switch (option) {
	case 'l': options->list = value; return true;
	case 'o': options->folder = value; return true;
	case 'j': options->json_path = value; return true;
	case 'y': options->only = value; return true;
	case 'm': return choose_modes(options, value);
	case 'r':
		options->rounds = (u32)strtoul(value, NULL, 10);
		return options->rounds > 0 && options->rounds <= ROUNDS_MAX;
	case 's': options->seconds = strtod(value, NULL); return options->seconds > 0;
	case 'n':
		options->runs = strtoull(value, NULL, 10);
		return options->runs > 0;
	case 'v': options->verbose = true; return true;
	default: return false;
	}
}

static bool read_options(struct options *options, int argc, char **argv)
{
	static const struct option known[] = {{"list", required_argument, NULL, 'l'},
					      {"objects", required_argument, NULL, 'o'},
					      {"json", required_argument, NULL, 'j'},
					      {"only", required_argument, NULL, 'y'},
					      {"modes", required_argument, NULL, 'm'},
					      {"rounds", required_argument, NULL, 'r'},
					      {"seconds", required_argument, NULL, 's'},
					      {"runs", required_argument, NULL, 'n'},
					      {"verbose", no_argument, NULL, 'v'},
					      {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		if (!set_option(options, option, optarg))
			return false;
	return optind == argc && options->list && options->folder;
}

static int print_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = {.rounds = 7, .seconds = 0.05};
	struct report *report;
	int wrong, err;

	for (u32 mode = 0; mode < MODES; mode++)
		options.wanted[mode] = true;
	if (!read_options(&options, argc, argv))
		return usage();
	if (!options.verbose)
		libbpf_set_print(print_nothing);
	report = report_new(options.wanted, options.rounds, options.json_path);
	wrong = run_list(&options, report);
	err = report_end(report);
	if (wrong < 0 || err) {
		fprintf(stderr, "bench: %s: %s\n", wrong < 0 ? options.list : options.json_path,
			strerror(wrong < 0 ? -wrong : -err));
		return 2;
	}
	return wrong > 0;
}
