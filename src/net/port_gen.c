/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The generator as a port. Which flow sends the next packet follows Zipf's law through Walker's
 * alias method: one random number, one comparison. A share of the packets may be floods: new
 * random sources against one server.
 */
#include "base/error.h"
#include "net/gen.h"
#include "net/keep.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define VICTIM 0xc0a80001u

/* Choose `flow` with probability `keep` / 2^32, else `other`. */
struct alias {
	u32 keep, other;
};

struct gen_port {
	struct gen_spec spec;
	struct alias *aliases; /* spec.flows */
	u64 random, sent;
	struct capture_writer writer;
	bool keeps;
};

/* Walker's tables: each column is filled up to the mean by one column that is above it. */
static void alias_fill(struct alias *aliases, double *weight, u32 *queue, u32 count)
{
	u32 low = 0, high = count;

	for (u32 i = 0; i < count; i++)
		queue[weight[i] < 1 ? low++ : --high] = i;
	while (low > 0 && high < count) {
		u32 small = queue[--low], large = queue[high];

		aliases[small] = (struct alias){(u32)(weight[small] * 4294967295.0), large};
		weight[large] -= 1 - weight[small];
		if (weight[large] < 1) {
			queue[low++] = large;
			high++;
		}
	}
	for (; high < count; high++)
		aliases[queue[high]] = (struct alias){~0u, queue[high]};
	while (low > 0) {
		low--;
		aliases[queue[low]] = (struct alias){~0u, queue[low]};
	}
}

static int alias_build(struct gen_port *gen)
{
	u32 count = gen->spec.flows, *queue = calloc(count, sizeof(*queue));
	double *weight = calloc(count, sizeof(*weight)), sum = 0;

	gen->aliases = calloc(count, sizeof(*gen->aliases));
	if (queue && weight && gen->aliases) {
		for (u32 i = 0; i < count; i++)
			sum += weight[i] = pow(i + 1, -gen->spec.zipf);
		for (u32 i = 0; i < count; i++)
			weight[i] *= count / sum;
		alias_fill(gen->aliases, weight, queue, count);
	}
	free(queue);
	free(weight);
	return queue && weight && gen->aliases ? 0 : -ENOMEM;
}

static void gen_free(struct gen_port *gen)
{
	capture_finish(&gen->writer);
	free(gen->aliases);
	free(gen);
}

static int gen_start(struct gen_port *gen, const char *args, struct skep_error *err)
{
	int code = gen_parse(args, &gen->spec, err);

	if (code)
		return code;
	gen->random = gen->spec.seed;
	if (alias_build(gen))
		return error_set(err, SKEP_STAGE_PORT, -ENOMEM,
				 "gen: out of memory for %llu flows", gen->spec.flows);
	gen->keeps = gen->spec.out[0];
	return gen->keeps ? capture_create(&gen->writer, gen->spec.out, err) : 0;
}

static int gen_open(struct port *port, const char *args, struct skep_error *err)
{
	struct gen_port *gen = calloc(1, sizeof(*gen));
	int code;

	if (!gen)
		return error_set(err, SKEP_STAGE_PORT, -ENOMEM, "out of memory");
	gen->writer.fd = -1;
	code = gen_start(gen, args, err);
	if (code)
		gen_free(gen);
	else
		port->state = gen;
	return code;
}

static u64 choose_flow(struct gen_port *gen)
{
	u64 random = gen_random(&gen->random);
	u64 column = ((random >> 32) * gen->spec.flows) >> 32;

	return (u32)random <= gen->aliases[column].keep ? column : gen->aliases[column].other;
}

static u32 choose_size(struct gen_port *gen, const struct gen_flow *flow)
{
	u32 size = gen->spec.size_low;

	if (gen->spec.size_high > gen->spec.size_low)
		size += gen_random(&gen->random) %
			(gen->spec.size_high - gen->spec.size_low + 1);
	return max(size, gen_packet_smallest(flow));
}

static struct gen_flow flood_flow(struct gen_port *gen, u8 protocol)
{
	u64 random = gen_random(&gen->random);

	return (struct gen_flow){
		.protocol = protocol,
		.source = random >> 32,
		.destination = VICTIM,
		.source_port = random,
		.destination_port = protocol == IPPROTO_TCP ? 80 : 53,
	};
}

static void gen_frame(struct gen_port *gen, struct frame *frame)
{
	u64 dice = gen_random(&gen->random) % 100;
	bool is_syn = dice < gen->spec.syn_flood;
	struct gen_flow flow;

	if (is_syn)
		flow = flood_flow(gen, IPPROTO_TCP);
	else if (dice < gen->spec.syn_flood + gen->spec.udp_flood)
		flow = flood_flow(gen, IPPROTO_UDP);
	else
		flow = gen_flow_make(&gen->spec, choose_flow(gen));
	frame->data = frame->memory + PACKET_HEADROOM;
	frame->length = frame->original_length = choose_size(gen, &flow);
	frame->metadata = 0;
	frame->known = FRAME_TIME | FRAME_HASH;
	frame->hash = gen_flow_hash(&flow);
	frame->time_ns =
		(u64)((unsigned __int128)gen->sent * 1000000000 / gen->spec.packets_per_second);
	gen_packet_build(&flow, frame->length, gen->sent, is_syn, frame->data);
	gen->sent++;
}

static int gen_receive(struct port_queue *queue, struct frame *frames, int count,
		       struct skep_error *err)
{
	struct gen_port *gen = queue->port->state;
	int filled = 0;

	while (filled < count && (!gen->spec.count || gen->sent < gen->spec.count))
		gen_frame(gen, &frames[filled++]);
	return filled ?: -ENODATA;
}

static int gen_send(struct port_queue *queue, struct frame *const *frames, int count)
{
	struct gen_port *gen = queue->port->state;

	return gen->keeps ? keep_frames(queue, &gen->writer, frames, count) : count;
}

static int gen_finish(struct port *port)
{
	struct gen_port *gen = port->state;

	return gen->keeps ? keep_finish(&port->queues[0], &gen->writer) : 0;
}

static void gen_close(struct port *port)
{
	gen_free(port->state);
}

const struct port_ops port_gen = {
	.name = "gen",
	.abilities = PORT_RECEIVES | PORT_SENDS | PORT_KEEPS_PASSED | PORT_KNOWS_TIME |
		     PORT_KNOWS_HASH,
	.open = gen_open,
	.receive = gen_receive,
	.send = gen_send,
	.finish = gen_finish,
	.close = gen_close,
};
