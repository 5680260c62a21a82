/* SPDX-License-Identifier: BSD-2-Clause */
/* The live picture of a view: rates as graphs, protocols, ports, and the flows that have most.
 */
#ifndef MONITOR_DRAW_H
#define MONITOR_DRAW_H

#include "../sampler/view.h"

#define DRAW_HISTORY 256 /* ticks that graphs can go back */
#define DRAW_FILTER  48

enum draw_sort { SORT_BITS, SORT_PACKETS, SORT_BYTES, SORT_AGE, SORTS };

struct draw_history {
	double values[DRAW_HISTORY]; /* per second; the last one is the latest */
};

struct drawing {
	const char *title; /* the caller's */
	struct view view;  /* that is shown: the latest, or of when it was paused */
	bool is_paused, is_reversed, is_filtering, is_stale;
	enum draw_sort sort;
	char filter[DRAW_FILTER]; /* what a flow's text must have */
	u32 first;		  /* flows that are scrolled away */
	struct draw_history bits, packets;
	struct draw_history protocols[VIEW_PROTOCOLS], ports[VIEW_PORTS];
};

/* A tick's view: graphs go on, and it is shown unless paused. */
void draw_take(struct drawing *drawing, const struct view *view);
void draw(struct drawing *drawing);
/* False: the user wants an end. */
bool draw_key(struct drawing *drawing, int key);

#endif
