/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include "base/json.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 8
/* Set-ups of at least so many runs are shown. */
#define SETUPS_SHOWN 200000

/* The sum of the logarithms of the ratios to native code, per mode. */
struct group {
	char name[16];
	double logarithms[MODES];
	u32 count[MODES];
};

struct report {
	bool wanted[MODES];
	const char *json_path; /* NULL: none */
	struct strbuf text;
	struct json json;
	struct group groups[GROUPS_MAX];
	u32 group_count;
};

static bool is_native(u32 mode)
{
	return modes[mode].kind == MODE_NATIVE;
}

/* Whether the mode has a column that says how much faster it is than Linux. */
static bool is_ours(const bool wanted[MODES], u32 mode)
{
	return wanted[mode] && wanted[MODE_linux] &&
	       (modes[mode].kind == MODE_OPERATIONS || modes[mode].kind == MODE_SKEP);
}

static double linux_ratio(const struct row *row, u32 mode)
{
	if (!row->instance[mode] || !row->instance[MODE_linux])
		return NAN;
	return row->median[MODE_linux] / row->median[mode];
}

/* The better of the native compilers; NAN when there is neither. */
static double native_time(const struct row *row)
{
	double best = NAN;

	for (u32 mode = 0; mode < MODES; mode++)
		if (is_native(mode) && row->instance[mode])
			best = fmin(best, row->median[mode]);
	return best;
}

struct report *report_new(const bool wanted[MODES], u32 rounds, const char *json_path)
{
	struct report *report = calloc(1, sizeof(*report));

	if (!report)
		abort();
	memcpy(report->wanted, wanted, sizeof(report->wanted));
	report->json_path = json_path;
	strbuf_init(&report->text);
	json_init(&report->json, &report->text, true);
	json_object(&report->json, NULL);
	json_uint(&report->json, "rounds", rounds);
	json_array(&report->json, "benchmarks");
	printf("%-8s %-18s %10s", "group", "benchmark", "native ns");
	for (u32 mode = 0; mode < MODES; mode++)
		if (wanted[mode])
			printf(" %16s", modes[mode].name);
	for (u32 mode = 0; mode < MODES; mode++)
		if (is_ours(wanted, mode))
			printf(" %5s/%-5s", modes[MODE_linux].name, modes[mode].name);
	printf("\n");
	return report;
}

/* Rows that measure nothing but the frame are not in the means. */
static bool is_frame(const struct benchmark *benchmark)
{
	return !strcmp(benchmark->name, "empty") || !strcmp(benchmark->name, "flowgen") ||
	       !strncmp(benchmark->name, "loop_", 5);
}

static struct group *group_of(struct report *report, const char *name)
{
	for (u32 i = 0; i < report->group_count; i++)
		if (!strcmp(report->groups[i].name, name))
			return &report->groups[i];
	if (report->group_count == GROUPS_MAX)
		return NULL;
	snprintf(report->groups[report->group_count].name, sizeof(report->groups[0].name), "%s",
		 name);
	return &report->groups[report->group_count++];
}

static void add_to_group(struct report *report, const struct row *row, double native)
{
	struct group *group = group_of(report, row->benchmark.group);

	if (!group || isnan(native) || is_frame(&row->benchmark))
		return;
	for (u32 mode = 0; mode < MODES; mode++) {
		if (!row->instance[mode])
			continue;
		group->logarithms[mode] += log(row->median[mode] / native);
		group->count[mode]++;
	}
}

static void print_cell(const struct row *row, u32 mode, double native)
{
	if (!row->instance[mode])
		printf(" %16s", "-");
	else if (isnan(native))
		printf(" %7.4g %8s", row->median[mode], "");
	else
		printf(" %7.4g (%6.2f)", row->median[mode], row->median[mode] / native);
}

static void print_ratio(double ratio)
{
	if (isnan(ratio))
		printf(" %11s", "-");
	else
		printf(" %11.2f", ratio);
}

/* How long the set-up took and how much memory for each of its runs (a map's entry). */
static void print_setup(const struct row *row)
{
	double runs = (double)row->benchmark.setups;

	printf("  set-up:");
	for (u32 mode = 0; mode < MODES; mode++) {
		if (!row->instance[mode])
			continue;
		printf(" %s %.2f s", modes[mode].name, row->setup_seconds[mode]);
		if (modes[mode].kind == MODE_OPERATIONS)
			printf(" (%.0f bytes)", row->setup_bytes[mode] / runs);
	}
}

/* How many times the time of absl::flat_hash_map. */
static void print_to_absl(const struct row *row)
{
	printf("  of absl:");
	for (u32 mode = 0; mode < MODES; mode++)
		if (row->instance[mode] &&
		    (modes[mode].kind == MODE_OPERATIONS || modes[mode].kind == MODE_SKEP))
			printf(" %s %.2f", modes[mode].name,
			       row->median[mode] / row->median[MODE_absl]);
}

static void print_row(const struct report *report, const struct row *row, double native)
{
	printf("%-8s %-18s ", row->benchmark.group, row->benchmark.name);
	if (isnan(native))
		printf("%10s", "-");
	else
		printf("%10.4g", native);
	for (u32 mode = 0; mode < MODES; mode++) {
		if (!report->wanted[mode])
			continue;
		print_cell(row, mode, native);
	}
	for (u32 mode = 0; mode < MODES; mode++)
		if (is_ours(report->wanted, mode))
			print_ratio(linux_ratio(row, mode));
	if (row->instance[MODE_absl])
		print_to_absl(row);
	if (row->benchmark.setups >= SETUPS_SHOWN)
		print_setup(row);
	for (u32 mode = 0; mode < MODES; mode++)
		if (row->reason[mode][0])
			printf("  %s: %s", modes[mode].name, row->reason[mode]);
	printf("\n");
	fflush(stdout);
}

static void json_row(struct json *json, const struct row *row, double native)
{
	json_object(json, NULL);
	json_string(json, "group", row->benchmark.group);
	json_string(json, "name", row->benchmark.name);
	for (u32 mode = 0; mode < MODES; mode++) {
		if (!row->instance[mode] && !row->reason[mode][0])
			continue;
		json_object(json, modes[mode].name);
		if (row->instance[mode]) {
			json_double(json, "ns", row->median[mode]);
			json_double(json, "deviation", row->deviation[mode]);
			json_double(json, "setup_seconds", row->setup_seconds[mode]);
			if (!isnan(native))
				json_double(json, "to_native", row->median[mode] / native);
			if (mode != MODE_linux && row->instance[MODE_linux])
				json_double(json, "faster_than_linux", linux_ratio(row, mode));
		} else {
			json_string(json, "reason", row->reason[mode]);
		}
		json_object_end(json);
	}
	json_object_end(json);
}

void report_row(struct report *report, const struct row *row)
{
	double native = native_time(row);

	print_row(report, row, native);
	json_row(&report->json, row, native);
	add_to_group(report, row, native);
}

void report_figures(struct report *report, const struct row *row, const char *unit)
{
	struct json *json = &report->json;

	printf("%-8s %-18s %10s", row->benchmark.group, row->benchmark.name, "");
	json_object(json, NULL);
	json_string(json, "group", row->benchmark.group);
	json_string(json, "name", row->benchmark.name);
	json_string(json, "unit", unit);
	for (u32 mode = 0; mode < MODES; mode++) {
		if (!report->wanted[mode])
			continue;
		if (row->instance[mode]) {
			printf(" %7.2f %8s", row->median[mode], "");
			json_double(json, modes[mode].name, row->median[mode]);
		} else {
			printf(" %16s", "-");
		}
	}
	json_object_end(json);
	printf("  %s\n", unit);
	fflush(stdout);
}

static void report_group(struct report *report, const struct group *group)
{
	printf("geomean  %-18s %10s", group->name, "");
	json_object(&report->json, group->name);
	for (u32 mode = 0; mode < MODES; mode++) {
		double mean = exp(group->logarithms[mode] / group->count[mode]);

		if (!report->wanted[mode])
			continue;
		if (!group->count[mode]) {
			printf(" %16s", "-");
			continue;
		}
		printf(" %16.2f", mean);
		json_double(&report->json, modes[mode].name, mean);
	}
	json_object_end(&report->json);
	printf("\n");
}

static int write_json(const struct report *report)
{
	FILE *file = fopen(report->json_path, "we");
	int err = 0;

	if (!file)
		return -errno;
	if (fprintf(file, "%s\n", strbuf_text(&report->text)) < 0)
		err = -EIO;
	if (fclose(file))
		err = -errno;
	return err;
}

int report_end(struct report *report)
{
	int err = 0;

	json_array_end(&report->json);
	json_object(&report->json, "to_native");
	for (u32 i = 0; i < report->group_count; i++)
		report_group(report, &report->groups[i]);
	json_object_end(&report->json);
	json_object_end(&report->json);
	if (report->json_path)
		err = report->text.failed ? -ENOMEM : write_json(report);
	strbuf_done(&report->text);
	free(report);
	return err;
}
