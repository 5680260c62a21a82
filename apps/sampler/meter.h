/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the program's two tables into the flow cache, a tick at a time: the table that is not in
 * use is emptied, then the tables change places.
 */
#ifndef SAMPLER_METER_H
#define SAMPLER_METER_H

#include "flow.h"
#include "view.h"

#include "cli/app.h"

struct meter {
	struct flows flows;
	struct flow_timeouts timeouts;
	struct sampler_setup setup;	   /* in force */
	int tables[2];			   /* descriptors */
	struct sampler_traffic metered[2]; /* that each side had when it was emptied */
	struct sampler_traffic evicted;	   /* counted, but pushed out of the tables */
	struct sampler_key *keys;	   /* of a batch */
	struct sampler_flow *counted;
	u64 ticked_ns;
	struct view view; /* of the last tick */
};

/* Before the object is loaded: room for so many flows. 0 or an exit code. */
int meter_prepare(struct app_run *run, u32 flows);
/* 0 or an exit code after a message. */
int meter_start(struct app_run *run, struct meter *meter, u32 flows, flow_tell *tell,
		void *cookie);
/* Both tables with this setup from now on. */
void meter_use(struct app_run *run, struct meter *meter, const struct sampler_setup *setup);
void meter_tick(struct app_run *run, struct meter *meter);
/* No more packets come: takes and tells all. */
void meter_end(struct app_run *run, struct meter *meter);
void meter_done(struct meter *meter);

#endif
