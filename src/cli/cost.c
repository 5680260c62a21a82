/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cost.h"

#include "cli/excerpt.h"
#include "cli/explanation.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PLACE_SIZE 512

/* --- sums --- */

struct sums {
	u64 processed, states, peak_states, time_us;
};

static void print_sums(const struct sums *sums, struct output *output)
{
	if (output->is_json) {
		output_number(output, "processed", sums->processed);
		output_number(output, "states", sums->states);
		output_number(output, "peak_states", sums->peak_states);
		output_number(output, "time_us", sums->time_us);
		return;
	}
	output_line(output);
	output_number(output, "processed", sums->processed);
	output_number(output, "states", sums->states);
	output_number(output, "at most at a time", sums->peak_states);
	output_number_bare(output, "", sums->time_us, "us");
}

/* --- tables --- */

/* "firewall.bpf.c:33  if (...)" */
static const char *line_words(const struct skep_cost *cost, char *out)
{
	const struct skep_source *source = &cost->source;
	const char *text = source->text ?: "";

	while (isspace((unsigned char)*text))
		text++;
	snprintf(out, PLACE_SIZE, "%s:%u  %s", relative_name(source->file), source->line, text);
	return out;
}

static const char *function_words(const struct skep_cost *cost, char *out)
{
	if (cost->name)
		snprintf(out, PLACE_SIZE, "%s", cost->name);
	else
		snprintf(out, PLACE_SIZE, "the function at instruction %u", cost->insn);
	return out;
}

static void print_row(const struct skep_cost *cost, u64 total, struct output *output)
{
	char place[PLACE_SIZE], row[PLACE_SIZE + 64];

	snprintf(row, sizeof(row), "%11llu %3llu%% %8llu %6u  %s",
		 (unsigned long long)cost->processed,
		 (unsigned long long)(total ? cost->processed * 100 / total : 0),
		 (unsigned long long)cost->states, cost->insns,
		 cost->source.file ? line_words(cost, place) : function_words(cost, place));
	output_line(output);
	output_bare(output, "", row);
}

static void row_json(const struct skep_cost *cost, struct json *json)
{
	json_object(json, NULL);
	if (cost->name)
		json_string(json, "name", cost->name);
	source_print_json(&cost->source, "source", json);
	json_uint(json, "insn", cost->insn);
	json_uint(json, "insns", cost->insns);
	json_uint(json, "processed", cost->processed);
	json_uint(json, "states", cost->states);
	json_object_end(json);
}

static void print_table(const struct skep_cost *const *costs, u64 count, u64 total,
			const char *what, struct output *output)
{
	char head[64];

	if (output->is_json) {
		json_array(&output->json, what);
		for (u64 i = 0; i < count; i++)
			row_json(costs[i], &output->json);
		json_array_end(&output->json);
		return;
	}
	if (!count)
		return;
	snprintf(head, sizeof(head), "%11s %4s %8s %6s  %s", "processed", "", "states", "insns",
		 what);
	output_line(output);
	output_bare(output, "", head);
	for (u64 i = 0; i < count; i++)
		print_row(costs[i], total, output);
}

static u64 shown(u32 count, u64 top)
{
	return top && top < count ? top : count;
}

void cost_print(const struct skep_explanation *explanation, u64 top, struct output *output)
{
	const struct sums sums = {
		.processed = explanation->processed,
		.states = explanation->states,
		.peak_states = explanation->peak_states,
		.time_us = explanation->time_ns / 1000,
	};

	print_sums(&sums, output);
	print_table(explanation->functions, shown(explanation->function_count, top),
		    explanation->processed, "functions", output);
	print_table(explanation->lines, shown(explanation->line_count, top),
		    explanation->processed, "lines", output);
}

/* --- Linux's log --- */

static u64 number_behind(const char *line, const char *end, const char *word)
{
	const char *at = memmem(line, (size_t)(end - line), word, strlen(word));
	unsigned long long value = 0;

	if (at)
		sscanf(at + strlen(word), " %llu", &value);
	return value;
}

/* The statistics line of the last log of this program. */
static const char *find_statistics(const char *log, const char *program)
{
	char begin[PLACE_SIZE];
	const char *at = NULL;

	snprintf(begin, sizeof(begin), "'%s': -- BEGIN PROG LOAD LOG --", program);
	for (const char *next = strstr(log, begin); next; next = strstr(next + 1, begin))
		at = next;
	return at ? strstr(at, "\nprocessed ") : NULL;
}

bool cost_print_log(const char *libbpf_log, const char *program, struct output *output)
{
	const char *at = find_statistics(libbpf_log, program), *end, *log = at;
	struct sums sums = {0};

	if (!at++)
		return false;
	end = strchr(at, '\n') ?: at + strlen(at);
	sums.processed = number_behind(at, end, "processed");
	sums.states = number_behind(at, end, "total_states");
	sums.peak_states = number_behind(at, end, "peak_states");
	while (log > libbpf_log && strncmp(log, "-- BEGIN", 8))
		log--;
	sums.time_us = number_behind(log, at, "verification time");
	print_sums(&sums, output);
	return true;
}
