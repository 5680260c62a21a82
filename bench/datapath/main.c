/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage: bench-datapath --object FILE [--rounds N] [--seconds S] [--only GROUP] [--json FILE]
 *
 * Rounds go over all cases in turn, so that a noisy moment meets all of them; medians are
 * shown.
 */
#include "datapath.h"

#include "base/json.h"
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *bench_object;

const u8 bench_packet[PACKET_BYTES] = {
	2,    0,    0,	  0,	0, 1,  2, 0, 0, 0,  0, 2, 8,	0,    0x45, 0,	 0,
	50,   0x12, 0x34, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1,	10,   1,    0,	 2,
	0x30, 0x39, 0,	  80,	0, 0,  0, 1, 0, 0,  0, 2, 0x50, 0x10, 0xff, 0xff};

bool bare_parse(const u8 *packet, u32 length)
{
	u16 protocol, port;

	if (length < 54)
		return false;
	memcpy(&protocol, packet + 12, 2);
	memcpy(&port, packet + 36, 2);
	return protocol == htons(0x0800) && packet[14] == 0x45 && packet[23] == 6 &&
	       port == htons(80);
}

static double seconds_of(int clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

double now_seconds(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

double cpu_seconds(void)
{
	return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

static struct row {
	const char *name, *group;
	double goal;
	const char *text;
	measure *run;
	double rates[ROUNDS_MAX]; /* millions of packets per second */
	u32 count;
	char why[256]; /* it has no rates */
	bool failed;
} rows[] = {
#define CASE(name, group, goal, text) {#name, group, goal, text, measure_##name},
#include "cases.def"
#undef CASE
};

static int compare(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static double median(struct row *row)
{
	qsort(row->rates, row->count, sizeof(*row->rates), compare);
	return row->count ? row->rates[row->count / 2] : 0;
}

static void run_once(struct row *row, double seconds)
{
	struct rate rate = {};
	int code;

	if (row->why[0])
		return;
	code = row->run(seconds, &rate, row->why);
	row->failed |= code == 1;
	if (!code)
		row->rates[row->count++] = rate.packets / rate.seconds / 1e6;
	else if (!row->why[0])
		strcpy(row->why, "failed");
}

static const struct row *limit_of(const struct row *row)
{
	const struct row *first = rows;

	while (strcmp(first->group, row->group))
		first++;
	return first;
}

static void show(struct row *row, struct json *json)
{
	const double rate = median(row), limit = median((struct row *)limit_of(row));

	json_object(json, NULL);
	json_string(json, "name", row->name);
	json_string(json, "text", row->text);
	printf("%-18s ", row->name);
	if (row->why[0]) {
		printf("not measured: %s\n", row->why);
		json_string(json, "not_measured", row->why);
	} else {
		printf("%8.2f Mpps  ", rate);
		json_double(json, "mpps", rate);
		if (limit_of(row) != row) {
			printf("%4.2f of the limit  ", rate / limit);
			json_double(json, "of_limit", rate / limit);
		}
		if (row->goal)
			printf(row->goal < 2 ? "goal %.2f of the limit" : "goal %.0f Mpps",
			       row->goal);
		printf("  %s\n", row->text);
	}
	json_object_end(json);
}

static int write_file(const char *path, const struct strbuf *text)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return 1;
	fprintf(file, "%s\n", strbuf_text(text));
	return fclose(file) != 0;
}

static int report(const char *json_path, u32 rounds)
{
	struct strbuf text;
	struct json json;
	int code = 0;

	strbuf_init(&text);
	json_init(&json, &text, true);
	json_object(&json, NULL);
	json_uint(&json, "rounds", rounds);
	json_array(&json, "cases");
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].count || rows[i].why[0])
			show(&rows[i], &json);
		code |= rows[i].failed;
	}
	json_array_end(&json);
	json_object_end(&json);
	if (json_path)
		code |= write_file(json_path, &text);
	strbuf_done(&text);
	return code;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"object", required_argument, NULL, 'o'},
						{"rounds", required_argument, NULL, 'r'},
						{"seconds", required_argument, NULL, 's'},
						{"only", required_argument, NULL, 'f'},
						{"json", required_argument, NULL, 'j'},
						{}};
	const char *json_path = NULL, *only = "";
	double seconds = 0.3;
	u32 rounds = 7;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) > 0)
		switch (option) {
		case 'o': bench_object = optarg; break;
		case 'r': rounds = max(min(atoi(optarg), ROUNDS_MAX), 1); break;
		case 's': seconds = atof(optarg); break;
		case 'f': only = optarg; break;
		case 'j': json_path = optarg; break;
		default: return 2;
		}
	if (!bench_object) {
		fprintf(stderr, "bench-datapath: --object FILE is missing\n");
		return 2;
	}
	for (u32 round = 0; round < rounds; round++)
		for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
			if (strstr(rows[i].group, only))
				run_once(&rows[i], seconds);
	return report(json_path, rounds);
}
