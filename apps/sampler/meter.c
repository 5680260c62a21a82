/* SPDX-License-Identifier: BSD-2-Clause */
#include "meter.h"

#include "base/os.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <skep/port.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH	    4096
#define GRACE_NS    2000000 /* within it, programs that have begun come to their end */
#define OTHER_PLACE (VIEW_PROTOCOLS - 1)

int meter_prepare(struct app_run *run, u32 flows)
{
	return app_size_map(run, "flows_a", flows) ?: app_size_map(run, "flows_b", flows);
}

int meter_start(struct app_run *run, struct meter *meter, u32 flows, flow_tell *tell,
		void *cookie)
{
	meter->keys = malloc(BATCH * sizeof(*meter->keys));
	meter->counted = malloc(BATCH * sizeof(*meter->counted));
	if (!meter->keys || !meter->counted || flows_init(&meter->flows, flows, tell, cookie))
		return usage_error("flows %u: out of memory", flows);
	meter->tables[0] = app_map(run, "flows_a");
	meter->tables[1] = app_map(run, "flows_b");
	meter->ticked_ns = os_time_ns(CLOCK_MONOTONIC);
	return 0;
}

void meter_done(struct meter *meter)
{
	flows_done(&meter->flows);
	free(meter->keys);
	free(meter->counted);
}

/* --- a side --- */

static void add_traffic(struct view_traffic *sum, u64 packets, u64 bytes)
{
	sum->packets += packets;
	sum->bytes += bytes;
	sum->tick_packets += packets;
	sum->tick_bytes += bytes;
}

/* As Linux names it, or as it was opened. */
static void name_port(const struct app_run *run, struct view_port *port)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};
	char name[IF_NAMESIZE] = "";

	if (run->session.on_linux)
		if_indextoname(port->ifindex, name);
	else
		skep_port_stats(run->session.engine, (int)port->ifindex, &stats);
	snprintf(port->name, sizeof(port->name), "%.*s", VIEW_NAME_MAX - 1,
		 stats.spec[0] ? stats.spec : name);
}

static struct view_traffic *port_traffic(const struct app_run *run, struct meter *meter,
					 u32 ifindex)
{
	struct view_port *ports = meter->view.ports;
	u32 i = 0;

	while (i < VIEW_PORTS - 1 && ports[i].ifindex && ports[i].ifindex != ifindex)
		i++;
	if (!ports[i].ifindex) {
		ports[i].ifindex = ifindex;
		name_port(run, &ports[i]);
	}
	return &ports[i].traffic;
}

/* A protocol keeps the place that it got first. */
static struct view_traffic *protocol_traffic(struct meter *meter, u8 protocol)
{
	struct view_protocol *protocols = meter->view.protocols;
	u32 i = 0;

	while (i < OTHER_PLACE && protocols[i].is_used && protocols[i].protocol != protocol)
		i++;
	if (!protocols[i].is_used)
		protocols[i] = (struct view_protocol){.protocol = protocol, .is_used = 1};
	return &protocols[i].traffic;
}

static void take_flow(const struct app_run *run, struct meter *meter,
		      const struct sampler_key *key, const struct sampler_flow *counted,
		      u64 now_ns)
{
	flows_add(&meter->flows, key, counted, now_ns);
	add_traffic(&meter->view.total, counted->packets, counted->bytes);
	add_traffic(protocol_traffic(meter, key->protocol), counted->packets, counted->bytes);
	add_traffic(port_traffic(run, meter, key->ingress), counted->packets, counted->bytes);
}

/* Everything in the table; the sum of it. */
static struct sampler_traffic empty_table(const struct app_run *run, struct meter *meter,
					  int table, u64 now_ns)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	struct sampler_traffic sum = {};
	u32 place, count, *from = NULL;
	int err;

	do {
		count = BATCH;
		err = bpf_map_lookup_and_delete_batch(table, from, &place, meter->keys,
						      meter->counted, &count, &opts);
		if (err && err != -ENOENT)
			break;
		from = &place;
		for (u32 i = 0; i < count; i++) {
			take_flow(run, meter, &meter->keys[i], &meter->counted[i], now_ns);
			sum.packets += meter->counted[i].packets;
			sum.bytes += meter->counted[i].bytes;
		}
	} while (!err);
	return sum;
}

/* What was counted in the table and is not there was pushed out by other flows. */
static void empty_side(struct app_run *run, struct meter *meter, u32 side, u64 now_ns)
{
	struct sampler_traffic metered,
		there = empty_table(run, meter, meter->tables[side], now_ns);

	app_read_counter(run, COUNT_METERED + side, (u64 *)&metered, 2);
	add_traffic(&meter->view.evicted,
		    metered.packets - meter->metered[side].packets - there.packets,
		    metered.bytes - meter->metered[side].bytes - there.bytes);
	meter->metered[side] = metered;
}

/* --- the view --- */

static void begin_tick(struct view_traffic *traffic)
{
	traffic->tick_packets = traffic->tick_bytes = 0;
}

static void begin_view(struct view *view)
{
	begin_tick(&view->total);
	begin_tick(&view->evicted);
	for (u32 i = 0; i < VIEW_PROTOCOLS; i++)
		begin_tick(&view->protocols[i].traffic);
	for (u32 i = 0; i < VIEW_PORTS; i++)
		begin_tick(&view->ports[i].traffic);
}

static struct view_traffic traffic_of(const struct meter *meter, const struct flow *flow)
{
	const bool is_now = flow->tick == meter->flows.tick;

	return (struct view_traffic){flow->packets, flow->bytes,
				     is_now ? flow->tick_packets : 0,
				     is_now ? flow->tick_bytes : 0};
}

static bool has_less(const struct view_traffic *a, const struct view_traffic *b)
{
	return a->tick_bytes != b->tick_bytes ? a->tick_bytes < b->tick_bytes
					      : a->bytes < b->bytes;
}

/* The one with least is on top of the heap, and makes room. */
static void sift_down(struct view_flow *heap, u32 count)
{
	u32 i = 0, least;

	for (;; i = least) {
		struct view_flow moved = heap[i];

		least = i;
		for (u32 child = 2 * i + 1; child <= 2 * i + 2 && child < count; child++)
			if (has_less(&heap[child].traffic, &heap[least].traffic))
				least = child;
		if (least == i)
			return;
		heap[i] = heap[least];
		heap[least] = moved;
	}
}

static void sift_up(struct view_flow *heap, u32 i)
{
	while (i && has_less(&heap[i].traffic, &heap[(i - 1) / 2].traffic)) {
		const struct view_flow moved = heap[i];

		heap[i] = heap[(i - 1) / 2];
		heap[(i - 1) / 2] = moved;
		i = (i - 1) / 2;
	}
}

static void offer(struct meter *meter, const struct flow *flow, u64 now_ns)
{
	struct view *view = &meter->view;
	const struct view_flow shown = {
		.key = flow->key,
		.tcp_flags = (u32)flow->new.tcp_flags,
		.traffic = traffic_of(meter, flow),
		.age_ns = now_ns - min(flow->began_ns, now_ns),
	};

	if (view->top_count < VIEW_FLOWS) {
		view->top[view->top_count++] = shown;
		sift_up(view->top, view->top_count - 1);
	} else if (has_less(&view->top[0].traffic, &shown.traffic)) {
		view->top[0] = shown;
		sift_down(view->top, VIEW_FLOWS);
	}
}

static int compare_flows(const void *a, const void *b)
{
	const struct view_flow *first = a, *second = b;

	if (has_less(&first->traffic, &second->traffic))
		return 1;
	return has_less(&second->traffic, &first->traffic) ? -1 : 0;
}

static void end_view(struct app_run *run, struct meter *meter, u64 now_ns)
{
	struct view *view = &meter->view;

	view->sequence = meter->flows.tick;
	view->time_ns = os_time_ns(CLOCK_REALTIME);
	view->tick_ns = now_ns - meter->ticked_ns;
	view->flow_count = meter->flows.count;
	view->top_count = 0;
	for (u32 i = 0; i < meter->flows.reach; i++)
		if (meter->flows.flows[i].is_used)
			offer(meter, &meter->flows.flows[i], now_ns);
	qsort(view->top, view->top_count, sizeof(*view->top), compare_flows);
	for (u32 i = 0; i < COUNTERS; i++)
		app_read_counter(run, i, (u64 *)&view->counters[i], 2);
	meter->ticked_ns = now_ns;
}

/* --- ticks --- */

static void turn(struct app_run *run, struct meter *meter)
{
	app_turn(run, &meter->setup, sizeof(meter->setup));
}

void meter_use(struct app_run *run, struct meter *meter, const struct sampler_setup *setup)
{
	empty_side(run, meter, app_next_side(run), os_time_ns(CLOCK_MONOTONIC));
	meter->setup = *setup;
	turn(run, meter);
}

void meter_tick(struct app_run *run, struct meter *meter)
{
	const u64 now_ns = os_time_ns(CLOCK_MONOTONIC);

	flows_begin_tick(&meter->flows);
	begin_view(&meter->view);
	empty_side(run, meter, app_next_side(run), now_ns);
	turn(run, meter);
	end_view(run, meter, now_ns);
	flows_expire(&meter->flows, &meter->timeouts, now_ns);
}

void meter_end(struct app_run *run, struct meter *meter)
{
	const struct timespec grace = {.tv_nsec = GRACE_NS};
	const u64 now_ns = os_time_ns(CLOCK_MONOTONIC);

	nanosleep(&grace, NULL);
	flows_begin_tick(&meter->flows);
	begin_view(&meter->view);
	for (u32 i = 0; i < 2; i++) {
		empty_side(run, meter, app_next_side(run), now_ns);
		turn(run, meter);
	}
	end_view(run, meter, now_ns);
	flows_end(&meter->flows);
}
