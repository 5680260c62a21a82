/* SPDX-License-Identifier: BSD-2-Clause */
#include "draw.h"
#include "../sampler/text.h"
#include "screen.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GRAPH_ROWS  4
#define LABEL_WIDTH 22 /* of graphs and of rows with one */
#define BAR_WIDTH   20
#define PORTS_SHOWN 4
#define FLOWS_LEAST 3 /* rows of flows that there is always room for */
#define END_WIDTH_4 22
#define END_WIDTH_6 44
#define WIDE	    130 /* columns from which on long addresses have room */

static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
static const char *const plain_blocks[] = {" ", ".", ".", ":", ":", "=", "=", "#", "#"};

/* Of a flow's numbers, from where they begin; in the order of enum draw_sort. */
static const int number_columns[SORTS] = {0, 10, 21, 31};

/* --- histories --- */

static double per_second(const struct view *view, u64 count)
{
	const u64 one_of = max(view->one_of, (u64)1);

	return view->tick_ns ? (double)count * (double)one_of * 1e9 / (double)view->tick_ns : 0;
}

static void push(struct draw_history *history, double value)
{
	memmove(history->values, history->values + 1, sizeof(history->values) - sizeof(double));
	history->values[DRAW_HISTORY - 1] = value;
}

static double bits(const struct view *view, const struct view_traffic *traffic)
{
	return 8 * per_second(view, traffic->tick_bytes);
}

void draw_take(struct drawing *drawing, const struct view *view)
{
	push(&drawing->bits, bits(view, &view->total));
	push(&drawing->packets, per_second(view, view->total.tick_packets));
	for (u32 i = 0; i < VIEW_PROTOCOLS; i++)
		push(&drawing->protocols[i], bits(view, &view->protocols[i].traffic));
	for (u32 i = 0; i < VIEW_PORTS; i++)
		push(&drawing->ports[i], bits(view, &view->ports[i].traffic));
	if (!drawing->is_paused)
		drawing->view = *view;
}

/* --- graphs --- */

static double highest(const struct draw_history *history, u32 width)
{
	double most = 0;

	for (u32 i = DRAW_HISTORY - width; i < DRAW_HISTORY; i++)
		most = max(most, history->values[i]);
	return most;
}

/* As many rows as wanted, each eight steps high. */
static void draw_graph(int row, int column, int width, int rows,
		       const struct draw_history *history)
{
	const u32 shown = (u32)min(max(width, 1), DRAW_HISTORY);
	const double most = highest(history, shown);
	const char *const *steps = screen_has_blocks() ? blocks : plain_blocks;
	struct strbuf text;

	strbuf_init(&text);
	for (int line = 0; line < rows; line++) {
		const int below = 8 * (rows - 1 - line);

		strbuf_clear(&text);
		for (u32 i = DRAW_HISTORY - shown; i < DRAW_HISTORY; i++) {
			const double value = history->values[i];
			const int steps_high = most > 0 ? (int)(value / most * 8 * rows) : 0;
			const int height = max(steps_high, value > 0 ? 1 : 0) - below;

			strbuf_adds(&text, steps[min(max(height, 0), 8)]);
		}
		screen_put(row + line, column, STYLE_GRAPH, strbuf_text(&text));
	}
	strbuf_done(&text);
}

static void draw_bar(int row, int column, double share)
{
	const int eighths = (int)(share * 8 * BAR_WIDTH + 0.5);
	const bool has_blocks = screen_has_blocks();
	struct strbuf text;

	strbuf_init(&text);
	for (int i = 0; i < eighths / 8; i++)
		strbuf_adds(&text, has_blocks ? blocks[8] : "#");
	if (has_blocks)
		strbuf_adds(&text, parts[eighths % 8]);
	screen_put(row, column, STYLE_GRAPH, strbuf_text(&text));
	strbuf_done(&text);
}

/* --- sums --- */

static void draw_title(const struct drawing *drawing, int columns)
{
	const struct view *view = &drawing->view;
	const time_t seconds = (time_t)(view->time_ns / 1000000000);
	char text[128], clock[16] = "", number[TEXT_NUMBER_MAX];
	struct tm local;

	localtime_r(&seconds, &local);
	if (seconds)
		strftime(clock, sizeof(clock), "%H:%M:%S", &local);
	screen_put(0, 1, STYLE_BOLD, "skep monitor");
	screen_put(0, 15, STYLE_ACCENT, drawing->title);
	snprintf(text, sizeof(text), "%s flows   %s",
		 text_number((double)view->flow_count, number), clock);
	screen_put(0, max(columns - (int)strlen(text) - 1, 0), STYLE_PLAIN, text);
	if (drawing->is_paused || drawing->is_stale)
		screen_put(0, max(columns / 2 - 4, 0), STYLE_ALARM,
			   drawing->is_paused ? " PAUSED " : " NO NEWS FROM THE SAMPLER ");
}

static int draw_rates(const struct drawing *drawing, int row, int columns)
{
	const struct view *view = &drawing->view;
	char number[TEXT_NUMBER_MAX], text[64];
	const int width = columns - LABEL_WIDTH - 1;

	snprintf(text, sizeof(text), "%8sbit/s", text_number(bits(view, &view->total), number));
	screen_put(row, 1, STYLE_BOLD, text);
	snprintf(text, sizeof(text), "%8s at most",
		 text_number(highest(&drawing->bits, DRAW_HISTORY), number));
	screen_put(row + 1, 1, STYLE_DIM, text);
	snprintf(text, sizeof(text), "%8sB in all",
		 text_number((double)view->total.bytes, number));
	screen_put(row + 2, 1, STYLE_DIM, text);
	draw_graph(row, LABEL_WIDTH, width, GRAPH_ROWS, &drawing->bits);
	row += GRAPH_ROWS;
	snprintf(text, sizeof(text), "%8spackets/s",
		 text_number(per_second(view, view->total.tick_packets), number));
	screen_put(row, 1, STYLE_BOLD, text);
	draw_graph(row, LABEL_WIDTH, width, 1, &drawing->packets);
	return row + 2;
}

/* A protocol or port: its share as a bar, its rates, and how they went. */
static void draw_share(const struct drawing *drawing, int row, int columns, const char *name,
		       const struct view_traffic *traffic, const struct draw_history *history)
{
	const struct view *view = &drawing->view;
	const u64 all = view->total.tick_bytes;
	const double share = all ? (double)traffic->tick_bytes / (double)all : 0;
	char number[TEXT_NUMBER_MAX], text[64];

	screen_put(row, 1, STYLE_ACCENT, name);
	draw_bar(row, 12, share);
	snprintf(text, sizeof(text), "%5.1f%%", 100 * share);
	screen_put(row, 33, STYLE_PLAIN, text);
	screen_put(row, 42, STYLE_PLAIN, text_number(bits(view, traffic), number));
	screen_put(row, 52, STYLE_PLAIN,
		   text_number(per_second(view, traffic->tick_packets), number));
	screen_put(row, 62, STYLE_PLAIN, text_number((double)traffic->bytes, number));
	draw_graph(row, 72, columns - 73, 1, history);
}

static int draw_shares(const struct drawing *drawing, int row, int columns, int least_below)
{
	static const char *const heads[] = {"PROTOCOL   SHARE", "PORT       SHARE"};
	const struct view *view = &drawing->view;
	int rows, unused;
	char name[24];

	screen_size(&rows, &unused);
	for (int is_port = 0; is_port < 2; is_port++) {
		screen_put(row, 1, STYLE_HEAD, heads[is_port]);
		screen_put(row++, 42, STYLE_HEAD, "BIT/S     PACKETS/S BYTES");
		for (u32 i = 0; i < VIEW_PROTOCOLS && row < rows - least_below; i++) {
			if (is_port && view->ports[i].ifindex && i < PORTS_SHOWN) {
				draw_share(drawing, row++, columns, view->ports[i].name,
					   &view->ports[i].traffic, &drawing->ports[i]);
			} else if (!is_port && view->protocols[i].is_used) {
				draw_share(
					drawing, row++, columns,
					i == VIEW_PROTOCOLS - 1
						? "others"
						: text_protocol((u8)view->protocols[i].protocol,
								name),
					&view->protocols[i].traffic, &drawing->protocols[i]);
			}
		}
		row++;
	}
	return row;
}

/* --- flows --- */

static enum draw_sort sorted_by;

static double sort_value(const struct view_flow *flow)
{
	switch (sorted_by) {
	case SORT_BITS: return (double)flow->traffic.tick_bytes;
	case SORT_PACKETS: return (double)flow->traffic.tick_packets;
	case SORT_BYTES: return (double)flow->traffic.bytes;
	case SORT_AGE:
	case SORTS: break;
	}
	return (double)flow->age_ns;
}

static int compare_flows(const void *a, const void *b)
{
	const double first = sort_value(a), second = sort_value(b);

	return first < second ? 1 : first > second ? -1 : 0;
}

static bool is_wanted(const struct drawing *drawing, const struct view_flow *flow)
{
	struct strbuf text;
	bool wanted;

	if (!drawing->filter[0])
		return true;
	strbuf_init(&text);
	text_flow(&flow->key, &text);
	wanted = strstr(strbuf_text(&text), drawing->filter);
	strbuf_done(&text);
	return wanted;
}

/* Those that are wanted, in order; how many. */
static u32 choose_flows(struct drawing *drawing, struct view_flow *out)
{
	u32 count = 0;

	for (u32 i = 0; i < drawing->view.top_count; i++)
		if (is_wanted(drawing, &drawing->view.top[i]))
			out[count++] = drawing->view.top[i];
	sorted_by = drawing->sort;
	qsort(out, count, sizeof(*out), compare_flows);
	for (u32 i = 0; drawing->is_reversed && i < count / 2; i++) {
		const struct view_flow moved = out[i];

		out[i] = out[count - 1 - i];
		out[count - 1 - i] = moved;
	}
	return count;
}

static const char *cut(const char *text, int width, char *out, size_t size)
{
	snprintf(out, size, "%.*s", width, text);
	return out;
}

static void draw_flow(const struct drawing *drawing, int row, int end_width,
		      const struct view_flow *flow)
{
	const int column = 8 + 2 * (end_width + 1);
	const struct view *view = &drawing->view;
	char source[TEXT_END_MAX], destination[TEXT_END_MAX], number[TEXT_NUMBER_MAX];
	char text[TEXT_END_MAX];
	const enum screen_style style = flow->traffic.tick_packets ? STYLE_PLAIN : STYLE_DIM;

	text_end(&flow->key, true, source);
	text_end(&flow->key, false, destination);
	screen_put(row, 1, STYLE_ACCENT, text_protocol(flow->key.protocol, number));
	screen_put(row, 8, style, cut(source, end_width, text, sizeof(text)));
	screen_put(row, 9 + end_width, style, cut(destination, end_width, text, sizeof(text)));
	screen_put(row, column, STYLE_BOLD, text_number(bits(view, &flow->traffic), number));
	screen_put(row, column + number_columns[SORT_PACKETS], style,
		   text_number(per_second(view, flow->traffic.tick_packets), number));
	screen_put(row, column + number_columns[SORT_BYTES], style,
		   text_number((double)flow->traffic.bytes, number));
	snprintf(text, sizeof(text), "%llus", flow->age_ns / 1000000000);
	screen_put(row, column + number_columns[SORT_AGE], style, text);
}

static void draw_flows_head(const struct drawing *drawing, int row, int end_width)
{
	static const char *const names[SORTS] = {"BIT/S", "PACKETS/S", "BYTES", "AGE"};
	const char *mark = screen_has_blocks() ? (drawing->is_reversed ? "▲" : "▼")
					       : (drawing->is_reversed ? "^" : "v");
	const int column = 8 + 2 * (end_width + 1);
	char text[32];

	screen_put(row, 1, STYLE_HEAD, "FLOW");
	screen_put(row, 8, STYLE_HEAD, "SOURCE");
	screen_put(row, 9 + end_width, STYLE_HEAD, "DESTINATION");
	for (int i = 0; i < SORTS; i++) {
		snprintf(text, sizeof(text), "%s%s", names[i],
			 drawing->sort == (enum draw_sort)i ? mark : "");
		screen_put(row, column + number_columns[i],
			   drawing->sort == (enum draw_sort)i ? STYLE_ACCENT : STYLE_HEAD,
			   text);
	}
}

static void draw_flows(struct drawing *drawing, int row, int rows, int columns)
{
	static struct view_flow flows[VIEW_FLOWS];
	const int end_width = columns >= WIDE ? END_WIDTH_6 : END_WIDTH_4;
	const u32 count = choose_flows(drawing, flows);

	drawing->first = min(drawing->first, count ? count - 1 : 0);
	draw_flows_head(drawing, row++, end_width);
	for (u32 i = drawing->first; i < count && row < rows - 1; i++)
		draw_flow(drawing, row++, end_width, &flows[i]);
}

static void draw_keys(const struct drawing *drawing, int row)
{
	char text[DRAW_FILTER + 32];

	if (drawing->is_filtering || drawing->filter[0]) {
		snprintf(text, sizeof(text), "filter: %s%s", drawing->filter,
			 drawing->is_filtering ? "_" : "");
		screen_put(row, 1, STYLE_ACCENT, text);
		screen_put(row, 12 + (int)strlen(drawing->filter), STYLE_DIM,
			   drawing->is_filtering ? "Enter takes it, Esc clears it"
						 : "/ changes it, Esc clears it");
		return;
	}
	screen_put(row, 1, STYLE_DIM,
		   "q quit  p pause  s sort  r reverse  / filter  j k scroll  Esc clear");
}

void draw(struct drawing *drawing)
{
	int rows, columns, row;

	screen_size(&rows, &columns);
	screen_begin();
	draw_title(drawing, columns);
	row = draw_rates(drawing, 2, columns);
	row = draw_shares(drawing, row, columns, FLOWS_LEAST + 3);
	draw_flows(drawing, min(row, max(rows - FLOWS_LEAST - 2, 1)), rows, columns);
	draw_keys(drawing, rows - 1);
	screen_end();
}

/* --- keys --- */

static void edit_filter(struct drawing *drawing, int key)
{
	const size_t length = strlen(drawing->filter);

	if (key == '\n' || key == '\r')
		drawing->is_filtering = false;
	else if (key == SCREEN_KEY_ERASE && length)
		drawing->filter[length - 1] = '\0';
	else if (isprint(key) && length < DRAW_FILTER - 1)
		drawing->filter[length] = (char)key;
}

bool draw_key(struct drawing *drawing, int key)
{
	if (key == SCREEN_KEY_ESCAPE) {
		memset(drawing->filter, 0, sizeof(drawing->filter));
		drawing->is_filtering = false;
		drawing->first = 0;
	} else if (drawing->is_filtering) {
		edit_filter(drawing, key);
	} else if (key == 'p' || key == ' ') {
		drawing->is_paused = !drawing->is_paused;
	} else if (key == 's') {
		drawing->sort = (drawing->sort + 1) % SORTS;
	} else if (key == 'r') {
		drawing->is_reversed = !drawing->is_reversed;
	} else if (key == '/') {
		drawing->is_filtering = true;
	} else if (key == 'j') {
		drawing->first++;
	} else if (key == 'k') {
		drawing->first -= drawing->first > 0;
	}
	return drawing->is_filtering || key != 'q';
}
