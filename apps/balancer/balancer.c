/* SPDX-License-Identifier: BSD-2-Clause */
/* The balancer's configuration, and what it shows. */
#include "service.h"

#include "cli/output.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUE_PORT	6080
#define MTU		1500
#define MTU_MIN		1280
#define MTU_MAX		9500
#define CONNECTIONS	1000000
#define CONNECTIONS_MAX (1u << 28)
#define WEIGHT_MAX	1000
#define TIME_MAX_MS	3600000
#define WORK_NS		50000000

#define CONFIG(id, ...) static int balancer_read_##id(void *state, struct config *config);
#include "balancer.def"
#undef CONFIG

static const struct config_row rows[] = {
#define CONFIG(id, word, usage, help) {word, usage, help, balancer_read_##id},
#include "balancer.def"
#undef CONFIG
};

static void balancer_init(void *state)
{
	struct balancer_config *balancer = state;

	balancer->setup.mtu = MTU;
	balancer->setup.gue_port = htons(GUE_PORT);
	balancer->connections = CONNECTIONS;
	balancer->timing = (struct timing){1000, 500, 3, 2};
}

/* --- virtual addresses and backends --- */

static int read_vip_words(struct config *config, struct vip *vip)
{
	static const char *const protocols[] = {"tcp", "udp"};
	u64 port = 0;
	u32 protocol;
	int code = config_host(config, &vip->address);

	code = code ?: config_choice(config, protocols, ARRAY_SIZE(protocols), &protocol);
	if (!code && !config_is(config, "any"))
		code = config_number(config, "port", 1, UINT16_MAX, &port);
	if (code)
		return code;
	vip->protocol = protocol ? IPPROTO_UDP : IPPROTO_TCP;
	vip->port = (u16)port;
	vip->is_quic = config_is(config, "quic");
	vip->line = config->line;
	return vip->is_quic && !protocol ? config_error(config, "quic needs udp") : 0;
}

static int balancer_read_vip(void *state, struct config *config)
{
	struct balancer_config *balancer = state;
	struct vip *vip = &balancer->vips[balancer->vip_count];
	int code;

	if (balancer->vip_count == VIPS_MAX)
		return config_error(config, "more than %d virtual addresses", VIPS_MAX);
	*vip = (struct vip){.first = balancer->backend_count};
	code = read_vip_words(config, vip);
	for (u32 i = 0; !code && i < balancer->vip_count; i++) {
		const struct vip *other = &balancer->vips[i];

		if (config_same_address(&other->address, &vip->address) &&
		    other->protocol == vip->protocol && other->port == vip->port)
			code = config_error(config, "this virtual address is in line %u, too",
					    other->line);
	}
	balancer->vip_count += !code;
	return code;
}

/* The one that the statement belongs to; NULL after a message. */
static struct vip *last_vip(struct balancer_config *balancer, struct config *config)
{
	if (balancer->vip_count)
		return &balancer->vips[balancer->vip_count - 1];
	config_error(config, "expected a line 'vip ADDRESS tcp|udp PORT' above");
	return NULL;
}

static int read_backend_words(struct config *config, struct backend *backend)
{
	u64 number;
	int code = config_host(config, &backend->address);

	while (!code && config_has_more(config)) {
		if (config_is(config, "weight")) {
			code = config_number(config, "weight", 0, WEIGHT_MAX, &number);
			backend->weight = (u32)number;
		} else if (config_is(config, "quic-id")) {
			code = config_number(config, "quic-id", 0, UINT16_MAX, &number);
			backend->quic_id = (u32)number;
		} else if (config_is(config, "drain")) {
			backend->drains = true;
		} else {
			break;
		}
	}
	return code;
}

static int check_backend(const struct balancer_config *balancer, const struct vip *vip,
			 const struct backend *backend, const struct config *config)
{
	if (backend->quic_id != QUIC_ID_NONE && !vip->is_quic)
		return config_error(config, "quic-id needs 'quic' behind the virtual address");
	for (u32 i = vip->first; i < balancer->backend_count; i++) {
		const struct backend *other = &balancer->backends[i];

		if (config_same_address(&other->address, &backend->address))
			return config_error(config, "this backend is there already");
		if (other->quic_id == backend->quic_id && other->quic_id != QUIC_ID_NONE)
			return config_error(config, "quic-id %u is another backend's",
					    backend->quic_id);
	}
	return 0;
}

static int balancer_read_backend(void *state, struct config *config)
{
	struct balancer_config *balancer = state;
	struct vip *vip = last_vip(balancer, config);
	struct backend backend = {.weight = 1, .quic_id = QUIC_ID_NONE};
	int code;

	if (!vip)
		return EXIT_NO_VERDICT;
	if (balancer->backend_count == MEMBERS_MAX / 2)
		return config_error(config, "more than %d backends", MEMBERS_MAX / 2);
	code = read_backend_words(config, &backend);
	code = code ?: check_backend(balancer, vip, &backend, config);
	if (code)
		return code;
	backend.vip = balancer->vip_count - 1;
	balancer->backends[balancer->backend_count++] = backend;
	vip->count++;
	return 0;
}

static int balancer_read_check(void *state, struct config *config)
{
	static const char *const kinds[] = {"tcp", "http"};
	struct vip *vip = last_vip(state, config);
	const char *path = "/";
	u64 port;
	int code;

	if (!vip)
		return EXIT_NO_VERDICT;
	port = vip->port;
	code = config_choice(config, kinds, ARRAY_SIZE(kinds), &vip->check.kind);
	vip->check.kind += CHECK_TCP;
	if (!code && config_is(config, "port"))
		code = config_number(config, "port", 1, UINT16_MAX, &port);
	if (!code && vip->check.kind == CHECK_HTTP && config_is(config, "path"))
		path = config_word(config, "a path");
	if (code || !path)
		return EXIT_NO_VERDICT;
	if (!port)
		return config_error(config, "expected 'port N': the virtual address has any");
	if (*path != '/' || strlen(path) > CHECK_PATH_MAX)
		return config_error(config, "'%s' is no path of at most %d bytes such as /up",
				    path, CHECK_PATH_MAX);
	vip->check.port = (u16)port;
	strcpy(vip->check.path, path);
	return 0;
}

static int balancer_read_check_timing(void *state, struct config *config)
{
	struct timing *timing = &((struct balancer_config *)state)->timing;
	const struct {
		const char *word;
		u64 least, most, *out;
	} words[] = {
		{"every", 50, TIME_MAX_MS, &timing->every_ms},
		{"timeout", 1, TIME_MAX_MS, &timing->timeout_ms},
		{"fall", 1, 1000, &timing->fall},
		{"rise", 1, 1000, &timing->rise},
	};
	int code = 0;

	for (u32 i = 0; i < ARRAY_SIZE(words) && !code; i++)
		if (config_is(config, words[i].word))
			code = config_number(config, words[i].word, words[i].least,
					     words[i].most, words[i].out);
	return code;
}

/* --- how packets go on --- */

static int balancer_read_source(void *state, struct config *config)
{
	struct balancer_config *balancer = state;
	struct balancer_setup *setup = &balancer->setup;
	struct config_address address;
	u8 hashed[16];
	int code = config_prefix(config, false, &address);

	if (code)
		return code;
	for (int i = 0; i < 16; i++) {
		const int bits = (int)address.length - 8 * i;

		hashed[i] = bits >= 8 ? 0 : bits <= 0 ? 0xff : (u8)(0xff >> bits);
	}
	balancer->has_source[address.family == 6] = true;
	if (address.family == 4) {
		memcpy(&setup->source4, address.bytes, sizeof(setup->source4));
		memcpy(&setup->source4_hashed, hashed, sizeof(setup->source4_hashed));
	} else {
		memcpy(setup->source6, address.bytes, sizeof(setup->source6));
		memcpy(setup->source6_hashed, hashed, sizeof(setup->source6_hashed));
	}
	return 0;
}

static int balancer_read_encapsulation(void *state, struct config *config)
{
	static const char *const kinds[] = {"ipip", "gue"};
	struct balancer_setup *setup = &((struct balancer_config *)state)->setup;
	u64 port = GUE_PORT;
	int code = config_choice(config, kinds, ARRAY_SIZE(kinds), &setup->is_gue);

	if (!code && setup->is_gue && config_has_more(config))
		code = config_number(config, "port", 1, UINT16_MAX, &port);
	if (!code)
		setup->gue_port = htons((u16)port);
	return code;
}

static int balancer_read_next_hop(void *state, struct config *config)
{
	struct balancer_setup *setup = &((struct balancer_config *)state)->setup;
	u8 *mac = setup->mac;
	const char *word;
	int end = 0;

	if (config_is(config, "sender"))
		setup->next_hop = NEXT_HOP_SENDER;
	else if (config_is(config, "route"))
		setup->next_hop = NEXT_HOP_FIB;
	else {
		word = config_word(config, "sender, route or an Ethernet address");
		if (!word)
			return EXIT_NO_VERDICT;
		if (sscanf(word, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1],
			   &mac[2], &mac[3], &mac[4], &mac[5], &end) != 6 ||
		    word[end])
			return config_error(config,
					    "'%s', expected sender, route or an Ethernet "
					    "address such as 02:00:00:00:00:01",
					    word);
		setup->next_hop = NEXT_HOP_MAC;
	}
	return 0;
}

static int balancer_read_mtu(void *state, struct config *config)
{
	struct balancer_config *balancer = state;
	u64 mtu;
	int code = config_number(config, "mtu", MTU_MIN, MTU_MAX, &mtu);

	if (!code)
		balancer->setup.mtu = (u32)mtu;
	return code;
}

static int balancer_read_connections(void *state, struct config *config)
{
	struct balancer_config *balancer = state;
	u64 count;
	int code = config_number(config, "connections", 1024, CONNECTIONS_MAX, &count);

	if (!code)
		balancer->connections = (u32)count;
	return code;
}

static int balancer_check(void *state, const char *path)
{
	const struct balancer_config *balancer = state;
	char text[CONFIG_ADDRESS_TEXT];

	if (!balancer->vip_count)
		return usage_error("%s: expected a line 'vip ADDRESS tcp|udp PORT'", path);
	for (u32 i = 0; i < balancer->vip_count; i++)
		if (!balancer->vips[i].count)
			return usage_error("%s:%u: expected lines 'backend ADDRESS' below",
					   path, balancer->vips[i].line);
	for (u32 i = 0; i < balancer->backend_count; i++) {
		const struct config_address *address = &balancer->backends[i].address;

		if (!balancer->has_source[address->family == 6])
			return usage_error("%s: backend %s needs a line 'source ADDRESS' of "
					   "IPv%u",
					   path, config_address_text(address, text),
					   address->family);
	}
	return 0;
}

/* --- what was counted --- */

static const char *const fixed_names[COUNT_FIXED] = {
	[COUNT_OTHER] = "not for a virtual address",
	[COUNT_MALFORMED] = "malformed",
	[COUNT_FRAGMENT] = "fragments",
	[COUNT_NO_BACKEND] = "without a backend",
	[COUNT_TOO_BIG] = "too big",
	[COUNT_ECHO] = "echo requests answered",
	[COUNT_NO_ROUTE] = "without a route or neighbour",
};

static struct balancer_traffic read_counter(const struct app_run *run, u32 counter)
{
	u64 words[3];

	app_read_counter(run, counter, words, ARRAY_SIZE(words));
	return (struct balancer_traffic){words[0], words[1], words[2]};
}

static void show_traffic(struct output *output, const struct balancer_traffic *traffic)
{
	output_number(output, "packets", traffic->packets);
	output_number(output, "bytes", traffic->bytes);
	output_number(output, "connections", traffic->flows);
}

static void show_fixed(struct app_run *run, u32 counter)
{
	struct output *output = &run->session.line->output;
	const struct balancer_traffic traffic = read_counter(run, counter);

	if (!traffic.packets && !output->is_json)
		return;
	output_begin(output, "counter");
	output_number(output, "packets", traffic.packets);
	output_number(output, "bytes", traffic.bytes);
	output_bare(output, "what", fixed_names[counter]);
	output_end(output);
}

static void show_backend(struct app_run *run, u32 place)
{
	struct output *output = &run->session.line->output;
	const struct balancer_config *config = run->config;
	const struct balancer *balancer = run->own;
	const struct backend *backend = &config->backends[place];
	const u32 number = balancer->member_numbers[place];
	const struct balancer_traffic traffic = read_counter(run, COUNT_FIXED + number);
	char text[CONFIG_ADDRESS_TEXT];

	output_begin(output, "backend");
	output_bare(output, "address", config_address_text(&backend->address, text));
	output_bare(output, "state",
		    balancer->members[number].is_down ? "down"
		    : backend->drains		      ? "drains"
						      : "up");
	show_traffic(output, &traffic);
	output_end(output);
}

static void show_vip(struct app_run *run, const struct vip *vip)
{
	struct output *output = &run->session.line->output;
	const struct balancer *balancer = run->own;
	struct balancer_traffic sum = {};
	char text[CONFIG_ADDRESS_TEXT];

	for (u32 i = vip->first; i < vip->first + vip->count; i++) {
		const struct balancer_traffic traffic =
			read_counter(run, COUNT_FIXED + balancer->member_numbers[i]);

		sum.packets += traffic.packets;
		sum.bytes += traffic.bytes;
		sum.flows += traffic.flows;
	}
	output_begin(output, "vip");
	output_bare(output, "address", config_address_text(&vip->address, text));
	output_bare(output, "protocol", vip->protocol == IPPROTO_TCP ? "tcp" : "udp");
	if (vip->port)
		output_number_bare(output, "port", vip->port, "");
	else
		output_bare(output, "port", "any");
	show_traffic(output, &sum);
	output_end(output);
	for (u32 i = vip->first; i < vip->first + vip->count; i++)
		show_backend(run, i);
}

static void balancer_show(struct app_run *run)
{
	const struct balancer_config *config = run->config;

	for (u32 i = 0; i < config->vip_count; i++)
		show_vip(run, &config->vips[i]);
	for (u32 i = 0; i < COUNT_FIXED; i++)
		show_fixed(run, i);
}

const struct app app_balancer = {
	.rows = rows,
	.row_count = ARRAY_SIZE(rows),
	.needs_config = true,
	.config_size = sizeof(struct balancer_config),
	.own_size = sizeof(struct balancer),
	.config_init = balancer_init,
	.config_check = balancer_check,
	.prepare = service_prepare,
	.apply = service_apply,
	.work_ns = WORK_NS,
	.work = health_work,
	.show = balancer_show,
	.done = health_done,
};
