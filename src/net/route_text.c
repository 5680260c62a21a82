/* SPDX-License-Identifier: BSD-2-Clause */
/* Routes as text, one row a line, in the words of ip(8); include/skep/route.h describes it. */
#include "base/error.h"
#include "net/route_read.h"
#include "net/route_word.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECTED_IPV6	   256 /* the metric of the network of an address */
#define DEVICE_MTU_DEFAULT 1500

/* --- devices, addresses, neighbours --- */
static int read_forwarding(struct route_reader *reader, struct route_device *device)
{
	const char *word = route_word(reader);
	const bool ipv4 = word && (!strcmp(word, "on") || !strcmp(word, "inet"));
	const bool ipv6 = word && (!strcmp(word, "on") || !strcmp(word, "inet6"));

	if (!ipv4 && !ipv6 && (!word || strcmp(word, "off")))
		return route_refuse(reader, word, "on, off, inet or inet6");
	device->forwards_ipv4 = ipv4;
	device->forwards_ipv6 = ipv6;
	return 0;
}

static int read_device_word(struct route_reader *reader, const char *word, void *row)
{
	struct route_device *device = row;

	if (!strcmp(word, "mtu"))
		return route_read_number(reader, &device->mtu);
	if (!strcmp(word, "name"))
		return route_read_name(reader, device->name, sizeof(device->name));
	if (!strcmp(word, "address"))
		return route_read_mac(reader, device->mac);
	if (!strcmp(word, "forwarding"))
		return read_forwarding(reader, device);
	if (strcmp(word, "down"))
		return route_refuse(reader, word, "name, mtu, address, forwarding or down");
	device->is_up = false;
	return 0;
}

static int read_neighbour_word(struct route_reader *reader, const char *word, void *row)
{
	struct route_neighbour *neighbour = row;

	if (!strcmp(word, "dev"))
		return route_read_device(reader, &neighbour->device);
	if (!strcmp(word, "lladdr"))
		return route_read_mac(reader, neighbour->mac);
	return route_refuse(reader, word, "dev or lladdr");
}

/* --- rules --- */
static int read_mark(struct route_reader *reader, struct route_rule *rule)
{
	char *word = route_word(reader), *slash = word ? strchr(word, '/') : NULL;

	rule->mark_mask = UINT32_MAX;
	if (slash)
		*slash = '\0';
	if (!route_parse_number(word, &rule->mark) ||
	    (slash && !route_parse_number(slash + 1, &rule->mark_mask)))
		return route_refuse(reader, word, "MARK[/MASK]");
	return 0;
}

static int read_rule_action(struct route_reader *reader, const char *word,
			    struct route_rule *rule)
{
	static const struct {
		const char *name;
		u8 action;
	} names[] = {{"blackhole", FR_ACT_BLACKHOLE},
		     {"unreachable", FR_ACT_UNREACHABLE},
		     {"prohibit", FR_ACT_PROHIBIT}};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(word, names[i].name))
			continue;
		rule->action = names[i].action;
		return 0;
	}
	return route_refuse(
		reader, word,
		"from, to, fwmark, iif, oif, tos, lookup, blackhole, unreachable or "
		"prohibit");
}

static int read_tos(struct route_reader *reader, u8 *out)
{
	u32 number = 0;
	int ret = route_read_number(reader, &number);

	if (!ret && number > UINT8_MAX)
		ret = route_refuse(reader, "a larger number", "a type of service below 256");
	if (!ret)
		*out = number;
	return ret;
}

static int read_rule_word(struct route_reader *reader, const char *word, void *row)
{
	struct route_rule *rule = row;

	if (!strcmp(word, "from"))
		return route_read_prefix(reader, &rule->from);
	if (!strcmp(word, "to"))
		return route_read_prefix(reader, &rule->to);
	if (!strcmp(word, "fwmark"))
		return read_mark(reader, rule);
	if (!strcmp(word, "iif"))
		return route_read_device(reader, &rule->input);
	if (!strcmp(word, "oif"))
		return route_read_device(reader, &rule->output);
	if (!strcmp(word, "tos"))
		return read_tos(reader, &rule->tos);
	if (!strcmp(word, "lookup") || !strcmp(word, "table")) {
		rule->action = FR_ACT_TO_TBL;
		return route_read_table(reader, &rule->table);
	}
	return read_rule_action(reader, word, rule);
}

/* --- routes --- */
static int read_mtu(struct route_reader *reader, struct route *route)
{
	const char *word = route_word(reader);

	route->is_mtu_locked = word && !strcmp(word, "lock");
	if (route->is_mtu_locked)
		word = route_word(reader);
	return route_parse_number(word, &route->mtu)
		       ? 0
		       : route_refuse(reader, word, "[lock] BYTES");
}

/* What `ip route` prints and a look-up does not need: with the number of words that follow. */
static bool skip_word(struct route_reader *reader, const char *word)
{
	static const char *const pairs[] = {"proto", "scope", "pref"};

	for (u32 i = 0; i < ARRAY_SIZE(pairs); i++)
		if (!strcmp(word, pairs[i]))
			return route_word(reader);
	return !strcmp(word, "onlink") || !strcmp(word, "linkdown");
}

static const char *const lwt_names[] = {"in", "out", "xmit"};

static int read_lwt(struct route_reader *reader, struct route *route, enum route_lwt place)
{
	const struct route_programs *programs = reader->programs;
	const char *word = route_word(reader);
	char text[64];

	object_put(route->lwt[place]);
	route->lwt[place] = word ? programs->find(programs->cookie, word, place) : NULL;
	if (route->lwt[place])
		return 0;
	snprintf(text, sizeof(text), "the name of a loaded program of type lwt_%s",
		 lwt_names[place]);
	return route_refuse(reader, word, text);
}

/* encap bpf [in PROGRAM] [out PROGRAM] [xmit PROGRAM] [headroom BYTES] */
static int read_encap_word(struct route_reader *reader, const char *word, struct route *route)
{
	u32 ignored;

	if (!strcmp(word, "encap")) {
		route->is_tunnel = true;
		return 0;
	}
	if (!strcmp(word, "bpf"))
		return 0;
	if (!strcmp(word, "headroom"))
		return route_read_number(reader, &ignored);
	for (u32 i = 0; i < ROUTE_LWTS; i++)
		if (!strcmp(word, lwt_names[i]))
			return read_lwt(reader, route, i);
	return route_refuse(reader, word, "via, dev, src, metric, table, mtu, tos or encap");
}

static int read_route_word(struct route_reader *reader, const char *word, void *row)
{
	struct route *route = row;

	if (!strcmp(word, "via"))
		return route_read_ip(reader, &route->via);
	if (!strcmp(word, "dev"))
		return route_read_device(reader, &route->device);
	if (!strcmp(word, "src"))
		return route_read_ip(reader, &route->source);
	if (!strcmp(word, "metric"))
		return route_read_number(reader, &route->metric);
	if (!strcmp(word, "table"))
		return route_read_table(reader, &route->table);
	if (!strcmp(word, "mtu"))
		return read_mtu(reader, route);
	if (!strcmp(word, "tos"))
		return read_tos(reader, &route->tos);
	return skip_word(reader, word) ? 0 : read_encap_word(reader, word, route);
}

static u8 route_type(const char *word)
{
	static const struct {
		const char *name;
		u8 type;
	} names[] = {{"unicast", RTN_UNICAST},
		     {"local", RTN_LOCAL},
		     {"broadcast", RTN_BROADCAST},
		     {"anycast", RTN_ANYCAST},
		     {"multicast", RTN_MULTICAST},
		     {"blackhole", RTN_BLACKHOLE},
		     {"unreachable", RTN_UNREACHABLE},
		     {"prohibit", RTN_PROHIBIT},
		     {"throw", RTN_THROW}};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(word, names[i].name))
			return names[i].type;
	return RTN_UNSPEC;
}

typedef int word_reader(struct route_reader *reader, const char *word, void *row);

static int read_words(struct route_reader *reader, word_reader *read, void *row)
{
	const char *word;
	int ret = 0;

	while (!ret && (word = route_word(reader)))
		ret = read(reader, word, row);
	return ret;
}

/* "default" is of IPv6 when its gateway is. */
static int read_route(struct route_reader *reader, char *word)
{
	struct route *route = route_add(reader->set, routes, struct route);
	bool is_default;
	int ret;

	if (!route)
		return route_no_memory(reader);
	if (word && !strcmp(word, "route"))
		word = route_word(reader);
	route->type = word ? route_type(word) : RTN_UNSPEC;
	if (route->type)
		word = route_word(reader);
	else
		route->type = RTN_UNICAST;
	route->table = route->type == RTN_LOCAL || route->type == RTN_BROADCAST
			       ? ROUTE_TABLE_LOCAL
			       : ROUTE_TABLE_MAIN;
	is_default = word && !strcmp(word, "default");
	if (!is_default && !route_parse_prefix(word, &route->to))
		return route_refuse(
			reader, word,
			"[TYPE] PREFIX, [TYPE] default, device, address, neighbour or rule");
	ret = read_words(reader, read_route_word, route);
	if (is_default)
		route->to.ip.family = route->via.family ?: AF_INET;
	route_prefix_cut(&route->to);
	if (!ret && route->type == RTN_UNICAST && !route->device)
		ret = route_refuse(reader, NULL, "dev DEVICE");
	return ret;
}

/* A port's row is there already, with what is known of it. */
static struct route_device *device_row(struct route_set *set, u32 ifindex)
{
	struct route_device *device = set->devices.rows;

	for (u32 i = 0; i < set->devices.count; i++)
		if (device[i].ifindex == ifindex)
			return &device[i];
	device = route_add(set, devices, struct route_device);
	if (device)
		*device = (struct route_device){.ifindex = ifindex,
						.mtu = DEVICE_MTU_DEFAULT,
						.header = ETH_HLEN,
						.is_up = true,
						.forwards_ipv4 = true,
						.forwards_ipv6 = true};
	return device;
}

static int read_device_line(struct route_reader *reader)
{
	struct route_device *device;
	u32 ifindex;
	int ret = route_read_number(reader, &ifindex);

	if (ret)
		return ret;
	device = device_row(reader->set, ifindex);
	return device ? read_words(reader, read_device_word, device) : route_no_memory(reader);
}

/* The last address of the network is everybody's. */
static int add_broadcast(struct route_set *set, const struct route_address *address)
{
	struct route *route = route_add(set, routes, struct route);

	if (!route)
		return -ENOMEM;
	*route = (struct route){.to = {address->prefix.ip, 32},
				.source = address->prefix.ip,
				.table = ROUTE_TABLE_LOCAL,
				.device = address->device,
				.type = RTN_BROADCAST};
	for (u32 bit = address->prefix.length; bit < 32; bit++)
		route->to.ip.bytes[bit / 8] |= 0x80 >> bit % 8;
	return 0;
}

int route_add_local(struct route_set *set, const struct route_address *address)
{
	const struct route_prefix *prefix = &address->prefix;
	const u32 bits = route_ip_bits(prefix->ip.family);
	struct route *own = route_add(set, routes, struct route), *network;

	if (!own)
		return -ENOMEM;
	*own = (struct route){.to = {prefix->ip, bits},
			      .table = ROUTE_TABLE_LOCAL,
			      .device = address->device,
			      .type = RTN_LOCAL};
	if (prefix->length == bits)
		return 0;
	if (prefix->ip.family == AF_INET && prefix->length < 31 && add_broadcast(set, address))
		return -ENOMEM;
	network = route_add(set, routes, struct route);
	if (!network)
		return -ENOMEM;
	*network = (struct route){.to = *prefix,
				  .source = prefix->ip,
				  .table = ROUTE_TABLE_MAIN,
				  .device = address->device,
				  .type = RTN_UNICAST};
	if (prefix->ip.family == AF_INET6) {
		network->metric = CONNECTED_IPV6;
		network->source = (struct route_ip){0};
	}
	route_prefix_cut(&network->to);
	return 0;
}

static int read_address_line(struct route_reader *reader)
{
	struct route_address *address = route_add(reader->set, addresses, struct route_address);
	char *word = route_word(reader);
	int ret;

	if (!address)
		return route_no_memory(reader);
	if (!route_parse_prefix(word, &address->prefix))
		return route_refuse(reader, word, "ADDRESS/BITS");
	word = route_word(reader);
	if (!word || strcmp(word, "dev"))
		return route_refuse(reader, word, "dev DEVICE");
	ret = route_read_device(reader, &address->device);
	if (!ret && (word = route_word(reader)))
		ret = route_refuse(reader, word, "end of line");
	if (!ret && route_add_local(reader->set, address))
		ret = route_no_memory(reader);
	return ret;
}

static int read_neighbour_line(struct route_reader *reader)
{
	struct route_neighbour *neighbour =
		route_add(reader->set, neighbours, struct route_neighbour);
	int ret;

	if (!neighbour)
		return route_no_memory(reader);
	ret = route_read_ip(reader, &neighbour->ip);
	ret = ret ?: read_words(reader, read_neighbour_word, neighbour);
	if (!ret && !neighbour->device)
		ret = route_refuse(reader, NULL, "dev DEVICE");
	return ret;
}

static int read_rule_line(struct route_reader *reader)
{
	struct route_rule *rule = route_add(reader->set, rules, struct route_rule);
	int ret;

	if (!rule)
		return route_no_memory(reader);
	ret = route_read_number(reader, &rule->priority);
	ret = ret ?: read_words(reader, read_rule_word, rule);
	rule->family = rule->from.ip.family ?: rule->to.ip.family ?: AF_INET;
	if (!ret && !rule->action)
		ret = route_refuse(reader, NULL,
				   "lookup TABLE, blackhole, unreachable or prohibit");
	return ret;
}

static int read_line(struct route_reader *reader)
{
	char *word = strtok_r(reader->line, " \t\r", &reader->rest);

	if (!word || *word == '#')
		return 0;
	if (!strcmp(word, "device"))
		return read_device_line(reader);
	if (!strcmp(word, "address"))
		return read_address_line(reader);
	if (!strcmp(word, "neighbour"))
		return read_neighbour_line(reader);
	if (!strcmp(word, "rule"))
		return read_rule_line(reader);
	return read_route(reader, word);
}

int route_read_text(struct route_set *set, const char *text, size_t length,
		    const struct route_programs *programs, struct skep_error *err)
{
	struct route_reader reader = {.set = set, .programs = programs, .err = err};
	const char *end = text + length;
	int ret = 0;

	while (text < end && !ret) {
		const char *stop = memchr(text, '\n', end - text) ?: end;

		reader.number++;
		if (stop - text >= LINE_MAX_BYTES)
			return route_refuse(&reader, "a longer line", "at most 511 bytes");
		memcpy(reader.line, text, stop - text);
		reader.line[stop - text] = '\0';
		ret = read_line(&reader);
		text = stop + 1;
	}
	if (!ret && route_set_default_rules(set))
		ret = route_no_memory(&reader);
	return ret;
}
