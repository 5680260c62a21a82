/* SPDX-License-Identifier: BSD-2-Clause */
#include "lines.h"
#include "../sampler/text.h"

#include <stdio.h>

/* Per second, of all packets. */
static u64 rate(const struct view *view, u64 count)
{
	const double one_of = (double)max(view->one_of, (u64)1);

	return view->tick_ns ? (u64)((double)count * one_of * 1e9 / (double)view->tick_ns + 0.5)
			     : 0;
}

/* --- JSON --- */

static void put_traffic(struct output *output, const struct view *view,
			const struct view_traffic *traffic)
{
	output_number(output, "bits_per_second", 8 * rate(view, traffic->tick_bytes));
	output_number(output, "packets_per_second", rate(view, traffic->tick_packets));
	output_number(output, "packets", traffic->packets);
	output_number(output, "bytes", traffic->bytes);
	output_end(output);
}

static void put_flow(struct output *output, const struct view *view,
		     const struct view_flow *flow)
{
	char source[TEXT_END_MAX], destination[TEXT_END_MAX], protocol[TEXT_NUMBER_MAX];

	text_end(&flow->key, true, source);
	text_end(&flow->key, false, destination);
	output_begin(output, "flow");
	output_string(output, "protocol", text_protocol(flow->key.protocol, protocol));
	output_string(output, "source", source);
	output_string(output, "destination", destination);
	output_number(output, "port", flow->key.ingress);
	output_number(output, "tcp_flags", flow->tcp_flags);
	output_number(output, "age_ms", flow->age_ns / 1000000);
	put_traffic(output, view, &flow->traffic);
}

static const char *protocol_name(const struct view *view, u32 i, char *text)
{
	return i == VIEW_PROTOCOLS - 1 ? "others"
				       : text_protocol((u8)view->protocols[i].protocol, text);
}

static void show_json(struct output *output, const struct view *view, u64 top)
{
	char name[TEXT_NUMBER_MAX];

	output_begin(output, "total");
	output_number(output, "time_ms", view->time_ns / 1000000);
	output_number(output, "flows", view->flow_count);
	output_number(output, "one_of", view->one_of);
	put_traffic(output, view, &view->total);
	for (u32 i = 0; i < VIEW_PROTOCOLS; i++) {
		if (!view->protocols[i].is_used)
			continue;
		output_begin(output, "protocol");
		output_string(output, "protocol", protocol_name(view, i, name));
		put_traffic(output, view, &view->protocols[i].traffic);
	}
	for (u32 i = 0; i < VIEW_PORTS && view->ports[i].ifindex; i++) {
		output_begin(output, "ingress");
		output_number(output, "port", view->ports[i].ifindex);
		output_string(output, "name", view->ports[i].name);
		put_traffic(output, view, &view->ports[i].traffic);
	}
	for (u32 i = 0; i < view->top_count && (!top || i < top); i++)
		put_flow(output, view, &view->top[i]);
}

/* --- text --- */

static void print_traffic(const struct view *view, const char *name,
			  const struct view_traffic *traffic)
{
	char bits[TEXT_NUMBER_MAX], packets[TEXT_NUMBER_MAX], bytes[TEXT_NUMBER_MAX];

	printf("%s  %8sbit/s  %8spackets/s  %8sB\n", name,
	       text_number(8.0 * (double)rate(view, traffic->tick_bytes), bits),
	       text_number((double)rate(view, traffic->tick_packets), packets),
	       text_number((double)traffic->bytes, bytes));
}

static void show_text(const struct view *view, u64 top)
{
	char name[160], short_name[TEXT_NUMBER_MAX];
	char source[TEXT_END_MAX], destination[TEXT_END_MAX];

	snprintf(name, sizeof(name), "%-6llu flows      ", view->flow_count);
	print_traffic(view, name, &view->total);
	for (u32 i = 0; i < VIEW_PROTOCOLS; i++) {
		if (!view->protocols[i].is_used)
			continue;
		snprintf(name, sizeof(name), "  %-17s", protocol_name(view, i, short_name));
		print_traffic(view, name, &view->protocols[i].traffic);
	}
	for (u32 i = 0; i < VIEW_PORTS && view->ports[i].ifindex; i++) {
		snprintf(name, sizeof(name), "  port %-12s", view->ports[i].name);
		print_traffic(view, name, &view->ports[i].traffic);
	}
	for (u32 i = 0; i < view->top_count && (!top || i < top); i++) {
		const struct view_flow *flow = &view->top[i];

		text_end(&flow->key, true, source);
		text_end(&flow->key, false, destination);
		snprintf(name, sizeof(name), "    %-5s %-21s > %-21s",
			 text_protocol(flow->key.protocol, short_name), source, destination);
		print_traffic(view, name, &flow->traffic);
	}
	putchar('\n');
	fflush(stdout);
}

void lines_show(struct output *output, const struct view *view, u64 top)
{
	if (output->is_json)
		show_json(output, view, top);
	else
		show_text(view, top);
}
