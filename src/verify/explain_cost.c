/* SPDX-License-Identifier: BSD-2-Clause */
/* What a walk cost, by source line and by function. */
#include "verify/explain.h"

#include "isa/isa.h"
#include "verify/line.h"

#include <stdlib.h>
#include <string.h>

static bool is_second_half(const struct walk *walk, u32 at)
{
	return at && insn_is_wide(&walk->insns[at - 1]) && !walk->insns[at].code;
}

static void add_insn(const struct explain *explain, u32 at, struct skep_cost *cost)
{
	const struct walk *walk = explain->walk;

	cost->insns += !is_second_half(walk, at);
	cost->processed += walk->watch->processed[at];
	cost->states += walk->watch->states[at];
}

static int by_cost(const void *a, const void *b)
{
	const struct skep_cost *left = *(const struct skep_cost *const *)a;
	const struct skep_cost *right = *(const struct skep_cost *const *)b;

	if (left->processed != right->processed)
		return left->processed < right->processed ? 1 : -1;
	return left->insn < right->insn ? -1 : left->insn > right->insn;
}

/* --- by line --- */

static int by_place(const void *a, const void *b)
{
	const struct skep_cost *left = a, *right = b;
	int order = strcmp(left->source.file, right->source.file);

	if (order)
		return order;
	if (left->source.line != right->source.line)
		return left->source.line < right->source.line ? -1 : 1;
	return left->insn < right->insn ? -1 : left->insn > right->insn;
}

/* Stretches of the same line become one; their number. */
static u32 merge_lines(struct skep_cost *costs, u32 count)
{
	u32 kept = 0;

	for (u32 i = 0; i < count; i++) {
		struct skep_cost *last = kept ? &costs[kept - 1] : NULL;

		if (!last || last->source.line != costs[i].source.line ||
		    strcmp(last->source.file, costs[i].source.file)) {
			costs[kept++] = costs[i];
			continue;
		}
		last->insns += costs[i].insns;
		last->processed += costs[i].processed;
		last->states += costs[i].states;
	}
	return kept;
}

/* One for each stretch of instructions with the same line; the names are still BTF's. */
static u32 collect_lines(struct explain *explain, struct skep_cost *costs)
{
	const struct walk *walk = explain->walk;
	struct line_stretch stretch = {0};
	struct source_line line;
	u32 count = 0;

	for (u32 at = 0; at < walk->insn_cnt; at++) {
		if (at >= stretch.end) {
			if (!line_stretch(walk->input, at, &stretch) ||
			    !line_find(walk->input, at, &line))
				continue;
			costs[count++] = (struct skep_cost){
				.insn = at, .source = {.file = line.file, .line = line.number}};
		}
		if (count)
			add_insn(explain, at, &costs[count - 1]);
	}
	return count;
}

static const struct skep_cost **sorted(struct explain *explain, struct skep_cost *costs,
				       u32 count)
{
	struct arena *arena = &explain->out->arena;
	const struct skep_cost **list = arena_array(arena, count + 1, sizeof(*list));
	struct skep_cost *copy =
		count ? arena_copy(arena, costs, count * sizeof(*costs)) : NULL;

	if (!list || (count && !copy))
		return NULL;
	for (u32 i = 0; i < count; i++)
		list[i] = &copy[i];
	qsort(list, count, sizeof(*list), by_cost);
	return list;
}

static void cost_of_lines(struct explain *explain)
{
	struct walk *walk = explain->walk;
	u32 records = walk->input->line_info_cnt, count;
	struct skep_cost *costs =
		arena_array(&walk->scratch, (size_t)records + 1, sizeof(*costs));

	if (!costs || !records)
		return;
	count = collect_lines(explain, costs);
	qsort(costs, count, sizeof(*costs), by_place);
	count = merge_lines(costs, count);
	for (u32 i = 0; i < count; i++)
		costs[i].source = explain_source(explain, costs[i].insn);
	explain->out->face.lines = sorted(explain, costs, count);
	explain->out->face.line_count = explain->out->face.lines ? count : 0;
}

/* --- by function --- */

static void cost_of_functions(struct explain *explain)
{
	struct walk *walk = explain->walk;
	u32 count = walk->cfg.subprog_cnt;
	struct skep_cost *costs = arena_array(&walk->scratch, count + 1, sizeof(*costs));

	if (!costs)
		return;
	for (u32 i = 0; i < count; i++) {
		const struct subprog *subprog = &walk->cfg.subprogs[i];

		costs[i].insn = subprog->start;
		if (subprog->name)
			costs[i].name = arena_string(&explain->out->arena, subprog->name);
		for (u32 at = subprog->start; at < subprog->end; at++)
			add_insn(explain, at, &costs[i]);
	}
	explain->out->face.functions = sorted(explain, costs, count);
	explain->out->face.function_count = explain->out->face.functions ? count : 0;
}

void explain_cost(struct explain *explain)
{
	const struct verify_stats *stats = &explain->walk->stats;
	struct skep_explanation *face = &explain->out->face;

	face->processed = stats->insns_processed;
	face->states = stats->total_states;
	face->peak_states = stats->peak_states;
	face->time_ns = stats->time_ns;
	if (!explain->walk->watch || !explain->walk->insns)
		return;
	cost_of_lines(explain);
	cost_of_functions(explain);
}
