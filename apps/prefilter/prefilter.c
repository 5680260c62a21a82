/* SPDX-License-Identifier: BSD-2-Clause */
/* The pre-stack filter's control part: what is declared becomes a table of ports and one of
 * addresses, on the side that is not in use. */
#include "prefilter.h"

#include "cli/app.h"
#include "cli/output.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VXLAN_PORT  4789
#define GENEVE_PORT 6081

struct prefilter_config {
	struct prefilter_setup setup;
	u8 ports[PORTS];
	struct config_address addresses[ADDRESSES_MAX];
	u32 address_count;
};

/* What the run keeps: the addresses of each side, which the next configuration there removes.
 */
struct prefilter {
	struct config_address addresses[2][ADDRESSES_MAX];
	u32 address_count[2];
};

/* --- statements --- */

#define CONFIG(id, ...) static int prefilter_read_##id(void *state, struct config *config);
#include "prefilter.def"
#undef CONFIG

static const struct config_row rows[] = {
#define CONFIG(id, word, usage, help) {word, usage, help, prefilter_read_##id},
#include "prefilter.def"
#undef CONFIG
};

static int read_ports(struct prefilter_config *prefilter, struct config *config, u8 bit)
{
	struct config_range ranges[CONFIG_RANGES_MAX];
	u32 count;
	int code = config_ports(config, ranges, &count);

	for (u32 i = 0; i < count && !code; i++)
		for (u32 port = ranges[i].low; port <= ranges[i].high; port++)
			prefilter->ports[port] |= bit;
	return code;
}

static int read_protocol(struct prefilter_config *prefilter, struct config *config)
{
	static const struct {
		const char *name;
		u8 number;
	} known[] = {
		{"icmp", IPPROTO_ICMP},
		{"icmp6", IPPROTO_ICMPV6},
		{"sctp", IPPROTO_SCTP},
		{"esp", IPPROTO_ESP},
	};
	u64 number = 0;

	for (u32 i = 0; i < ARRAY_SIZE(known) && !number; i++)
		if (config_is(config, known[i].name))
			number = known[i].number;
	if (!number) {
		const int code = config_number(
			config, "protocol (tcp, udp, icmp, icmp6, sctp, esp)", 1, 255, &number);

		if (code)
			return code;
	}
	if (number == IPPROTO_TCP || number == IPPROTO_UDP)
		return config_error(config,
				    "expected ports: accept tcp PORTS, accept udp PORTS");
	prefilter->setup.protocols[number / 32] |= 1u << number % 32;
	return 0;
}

static int prefilter_read_accept(void *state, struct config *config)
{
	if (config_is(config, "tcp"))
		return read_ports(state, config, PORT_TCP);
	if (config_is(config, "udp"))
		return read_ports(state, config, PORT_UDP);
	return read_protocol(state, config);
}

static int prefilter_read_answers(void *state, struct config *config)
{
	static const char *const protocols[] = {"tcp", "udp"};
	u32 protocol;
	int code = config_choice(config, protocols, ARRAY_SIZE(protocols), &protocol);

	return code
		       ?: read_ports(state, config,
				     protocol ? PORT_UDP_ANSWERS : PORT_TCP_ANSWERS);
}

static int prefilter_read_address(void *state, struct config *config)
{
	struct prefilter_config *prefilter = state;

	if (prefilter->address_count == ADDRESSES_MAX)
		return config_error(config, "more than %d addresses", ADDRESSES_MAX);
	prefilter->setup.has_addresses = true;
	return config_prefix(config, false, &prefilter->addresses[prefilter->address_count++]);
}

static int prefilter_read_decapsulate(void *state, struct config *config)
{
	static const char *const names[] = {"ipip", "gre", "vxlan", "geneve"};
	struct prefilter_setup *setup = &((struct prefilter_config *)state)->setup;
	u64 port = 0;
	u32 tunnel;
	int code = config_choice(config, names, ARRAY_SIZE(names), &tunnel);

	if (code)
		return code;
	tunnel += TUNNEL_IPIP;
	if (tunnel >= TUNNEL_VXLAN)
		port = tunnel == TUNNEL_VXLAN ? VXLAN_PORT : GENEVE_PORT;
	if (port && config_has_more(config))
		code = config_number(config, "port", 1, UINT16_MAX, &port);
	setup->tunnels |= 1u << tunnel;
	setup->tunnel_port[tunnel] = htons((u16)port);
	return code;
}

static int read_pass_or_drop(struct config *config, u32 *out)
{
	static const char *const verdicts[] = {"pass", "drop"};

	return config_choice(config, verdicts, ARRAY_SIZE(verdicts), out);
}

static int prefilter_read_fragments(void *state, struct config *config)
{
	return read_pass_or_drop(config,
				 &((struct prefilter_config *)state)->setup.drops_fragments);
}

static int prefilter_read_other(void *state, struct config *config)
{
	return read_pass_or_drop(config,
				 &((struct prefilter_config *)state)->setup.drops_other);
}

/* --- into the maps --- */

static struct prefilter_address address_key(u32 side, const struct config_address *address)
{
	struct prefilter_address key = {
		.length = 8u + address->length,
		.side_and_family = (u8)(side << 4 | address->family),
	};

	memcpy(key.address, address->bytes, sizeof(key.address));
	return key;
}

static int put_addresses(struct app_run *run, u32 side, const struct prefilter_config *config)
{
	struct prefilter *prefilter = run->own;
	const int map = app_map(run, "addresses");
	const u8 one = 1;
	int err = 0;

	for (u32 i = 0; i < prefilter->address_count[side]; i++) {
		const struct prefilter_address key =
			address_key(side, &prefilter->addresses[side][i]);

		bpf_map_delete_elem(map, &key);
	}
	prefilter->address_count[side] = config->address_count;
	memcpy(prefilter->addresses[side], config->addresses, sizeof(config->addresses));
	for (u32 i = 0; i < config->address_count && !err; i++) {
		const struct prefilter_address key = address_key(side, &config->addresses[i]);

		err = bpf_map_update_elem(map, &key, &one, BPF_ANY);
	}
	return err;
}

static int prefilter_apply(struct app_run *run, const void *config)
{
	const struct prefilter_config *new = config;
	const u32 side = app_next_side(run);
	int err = put_addresses(run, side, new);

	err = err ?: app_fill_array(app_map(run, "ports"), side * PORTS, new->ports, PORTS);
	if (err)
		return usage_error("%s: tables cannot be made: %s", run->config_path,
				   strerror(-err));
	app_turn(run, &new->setup, sizeof(new->setup));
	return 0;
}

/* --- what was counted --- */

static const char *const counter_names[COUNTERS] = {
	[COUNT_ACCEPTED] = "accepted",
	[COUNT_ANSWER] = "answers",
	[COUNT_FRAGMENT] = "fragments",
	[COUNT_OTHER] = "not IP",
	[COUNT_DECAPSULATED] = "out of tunnels",
	[COUNT_SHORT] = "dropped: shorter than they say",
	[COUNT_IP_HEADER] = "dropped: impossible IP header",
	[COUNT_CHECKSUM] = "dropped: wrong IP checksum",
	[COUNT_ADDRESS] = "dropped: impossible address",
	[COUNT_TCP] = "dropped: impossible TCP header",
	[COUNT_UDP] = "dropped: impossible UDP header",
	[COUNT_FRAGMENT_SHAPE] = "dropped: impossible fragment",
	[COUNT_FRAGMENT_OVERLAP] = "dropped: overlapping fragments",
	[COUNT_FRAGMENT_ORPHAN] = "dropped: fragments without a first one",
	[COUNT_TUNNEL] = "dropped: impossible tunnel header",
	[COUNT_NOT_OURS] = "dropped: to other addresses",
	[COUNT_NOT_DECLARED] = "dropped: not declared",
};

static void prefilter_show(struct app_run *run)
{
	struct output *output = &run->session.line->output;

	for (u32 i = 0; i < COUNTERS; i++) {
		u64 traffic[2]; /* packets, bytes */

		app_read_counter(run, i, traffic, ARRAY_SIZE(traffic));
		if (!traffic[0] && !output->is_json)
			continue;
		output_begin(output, "counter");
		output_number(output, "packets", traffic[0]);
		output_number(output, "bytes", traffic[1]);
		output_bare(output, "what", counter_names[i]);
		output_end(output);
	}
}

const struct app app_prefilter = {
	.rows = rows,
	.row_count = ARRAY_SIZE(rows),
	.needs_config = true,
	.config_size = sizeof(struct prefilter_config),
	.own_size = sizeof(struct prefilter),
	.apply = prefilter_apply,
	.show = prefilter_show,
};
