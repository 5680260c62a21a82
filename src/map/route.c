/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table is a map of longest prefixes (lpm.c). Its value is a group: the routes of one prefix,
 * the smallest metric first. A group knows the next shorter prefix, for queries that none of
 * its routes fits.
 */
#include "map/route.h"
#include "map/map.h"
#include "map/neighbours.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NO_GROUP UINT32_MAX
#define NO_HOP	 UINT32_MAX

struct group {
	u32 first, count; /* of the sorted routes */
	u32 shorter;	  /* NO_GROUP: there is none */
	u32 hop;	  /* a number, twice, and whether there is a gateway; NO_HOP */
};

struct table {
	u32 id;
	u8 family;
	struct map *map; /* owned: prefix to u32, a group */
};

struct tables {
	struct route_set set;	 /* all sorted; owned */
	struct table *tables;	 /* owned */
	struct group *groups;	 /* owned */
	struct table **of_rules; /* where each rule looks, NULL: nowhere; owned */
	u64 first_hop;
	u32 table_cnt, group_cnt;
	bool is_plain; /* it depends on the destination alone which route is found */
	struct rcu_head rcu;
};

struct routes {
	struct tables *current; /* RCU-protected */
	struct neighbours neighbours;
	atomic_ullong hops; /* numbers that are taken */
};

/* The key of an LPM map. */
struct prefix_key {
	u32 length;
	u8 bytes[16];
};

/* --- rows --- */
void *route_rows_add(struct route_rows *rows, size_t size)
{
	void *row;

	if (rows->count == rows->room) {
		const u32 room = rows->room ? 2 * rows->room : 16;
		void *more = realloc(rows->rows, room * size);

		if (!more)
			return NULL;
		rows->rows = more;
		rows->room = room;
	}
	row = (u8 *)rows->rows + rows->count++ * size;
	memset(row, 0, size);
	return row;
}

static void forget_programs(struct route_set *set)
{
	struct route *routes = set->routes.rows;

	for (u32 i = 0; i < set->routes.count; i++)
		for (u32 lwt = 0; lwt < ROUTE_LWTS; lwt++) {
			object_put(routes[i].lwt[lwt]);
			routes[i].lwt[lwt] = NULL;
		}
}

void route_set_done(struct route_set *set)
{
	forget_programs(set);
	free(set->devices.rows);
	free(set->addresses.rows);
	free(set->neighbours.rows);
	free(set->routes.rows);
	free(set->rules.rows);
	*set = (struct route_set){0};
}

static bool has_rules(const struct route_set *set, u8 family)
{
	const struct route_rule *rules = set->rules.rows;

	for (u32 i = 0; i < set->rules.count; i++)
		if (rules[i].family == family)
			return true;
	return false;
}

int route_set_default_rules(struct route_set *set)
{
	static const struct route_rule defaults[] = {
		{.family = AF_INET, .table = ROUTE_TABLE_LOCAL},
		{.family = AF_INET, .priority = 32766, .table = ROUTE_TABLE_MAIN},
		{.family = AF_INET, .priority = 32767, .table = ROUTE_TABLE_DEFAULT},
		{.family = AF_INET6, .table = ROUTE_TABLE_LOCAL},
		{.family = AF_INET6, .priority = 32766, .table = ROUTE_TABLE_MAIN},
	};
	const bool given[] = {has_rules(set, AF_INET), has_rules(set, AF_INET6)};

	for (u32 i = 0; i < ARRAY_SIZE(defaults); i++) {
		struct route_rule *rule;

		if (given[defaults[i].family == AF_INET6])
			continue;
		rule = route_add(set, rules, struct route_rule);
		if (!rule)
			return -ENOMEM;
		*rule = defaults[i];
		rule->action = FR_ACT_TO_TBL;
	}
	return 0;
}

u32 route_common_bits(const u8 *a, const u8 *b, u32 limit)
{
	u32 bits = 0;

	while (bits + 8 <= limit && a[bits / 8] == b[bits / 8])
		bits += 8;
	while (bits < limit && !((a[bits / 8] ^ b[bits / 8]) & 0x80 >> bits % 8))
		bits++;
	return bits;
}

void route_prefix_cut(struct route_prefix *prefix)
{
	for (u32 bit = prefix->length; bit < 128; bit++)
		prefix->ip.bytes[bit / 8] &= ~(0x80 >> bit % 8);
}

/* --- order --- */
#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

static int by_ifindex(const void *a, const void *b)
{
	const struct route_device *x = a, *y = b;

	return ORDER(x->ifindex, y->ifindex);
}

static int by_device(const void *a, const void *b)
{
	const struct route_neighbour *x = a, *y = b;

	return x->device != y->device ? ORDER(x->device, y->device)
				      : memcmp(&x->ip, &y->ip, sizeof(x->ip));
}

static int by_priority(const void *a, const void *b)
{
	const struct route_rule *x = a, *y = b;

	return ORDER(x->priority, y->priority);
}

static int by_prefix(const struct route *x, const struct route *y)
{
	if (x->to.ip.family != y->to.ip.family)
		return ORDER(x->to.ip.family, y->to.ip.family);
	if (x->table != y->table)
		return ORDER(x->table, y->table);
	if (x->to.length != y->to.length)
		return ORDER(x->to.length, y->to.length);
	return memcmp(x->to.ip.bytes, y->to.ip.bytes, sizeof(x->to.ip.bytes));
}

/* Shorter prefixes come first; of one prefix a type of service, then the smaller metric. */
static int by_use(const void *a, const void *b)
{
	const struct route *x = a, *y = b;
	const int order = by_prefix(x, y);

	if (order)
		return order;
	return x->tos != y->tos ? ORDER(y->tos, x->tos) : ORDER(x->metric, y->metric);
}

static void sort_rows(struct route_rows *rows, size_t size,
		      int (*order)(const void *, const void *))
{
	if (rows->count)
		qsort(rows->rows, rows->count, size, order);
}

static void sort_set(struct route_set *set)
{
	sort_rows(&set->devices, sizeof(struct route_device), by_ifindex);
	sort_rows(&set->neighbours, sizeof(struct route_neighbour), by_device);
	sort_rows(&set->rules, sizeof(struct route_rule), by_priority);
	sort_rows(&set->routes, sizeof(struct route), by_use);
}

/* --- tables --- */
static void tables_free(struct tables *tables)
{
	for (u32 i = 0; i < tables->table_cnt; i++)
		object_put(&tables->tables[i].map->object);
	route_set_done(&tables->set);
	free(tables->tables);
	free(tables->groups);
	free(tables->of_rules);
	free(tables);
}

static void tables_free_later(struct rcu_head *head)
{
	tables_free(container_of(head, struct tables, rcu));
}

static struct prefix_key key_of(const struct route_ip *ip, u32 length)
{
	struct prefix_key key = {.length = length};

	memcpy(key.bytes, ip->bytes, sizeof(key.bytes));
	return key;
}

/* In a read-side section. */
static u32 group_of(const struct table *table, const struct route_ip *ip, u32 length)
{
	const struct prefix_key key = key_of(ip, length);
	const u32 *group = map_lookup(table->map, &key, SLOT_NONE);

	return group ? *group : NO_GROUP;
}

static int table_open(struct tables *tables, const struct route *route)
{
	struct table *table = &tables->tables[tables->table_cnt];
	const struct map_desc desc = {
		.type = BPF_MAP_TYPE_LPM_TRIE,
		.key_size = sizeof(u32) + route_ip_bits(route->to.ip.family) / 8,
		.value_size = sizeof(u32),
		.max_entries = tables->set.routes.count,
		.flags = BPF_F_NO_PREALLOC,
	};
	int ret = map_new(&desc, NULL, 1, &table->map, NULL);

	if (ret)
		return ret;
	table->id = route->table;
	table->family = route->to.ip.family;
	tables->table_cnt++;
	return 0;
}

/* All shorter prefixes of the table are there already. */
static int group_add(struct tables *tables, u32 number, const struct route *route)
{
	struct table *table = &tables->tables[tables->table_cnt - 1];
	const struct prefix_key key = key_of(&route->to.ip, route->to.length);

	rcu_read_lock();
	tables->groups[number].shorter =
		route->to.length ? group_of(table, &route->to.ip, route->to.length - 1)
				 : NO_GROUP;
	rcu_read_unlock();
	return map_user_update(table->map, &key, &number, BPF_ANY);
}

static bool is_same_table(const struct route *a, const struct route *b)
{
	return a->table == b->table && a->to.ip.family == b->to.ip.family;
}

static int tables_fill(struct tables *tables)
{
	const struct route *routes = tables->set.routes.rows;
	u32 group = 0;
	int ret = 0;

	for (u32 i = 0; i < tables->set.routes.count && !ret; i++) {
		if (!i || !is_same_table(&routes[i - 1], &routes[i]))
			ret = table_open(tables, &routes[i]);
		if (ret)
			break;
		if (i && !by_prefix(&routes[i - 1], &routes[i])) {
			tables->groups[group - 1].count++;
			continue;
		}
		tables->groups[group] = (struct group){.first = i, .count = 1};
		ret = group_add(tables, group++, &routes[i]);
	}
	tables->group_cnt = group;
	return ret;
}

static struct table *find_table(const struct tables *tables, u8 family, u32 id)
{
	for (u32 i = 0; i < tables->table_cnt; i++)
		if (tables->tables[i].id == id && tables->tables[i].family == family)
			return &tables->tables[i];
	return NULL;
}

static void find_tables_of_rules(struct tables *tables)
{
	const struct route_rule *rules = tables->set.rules.rows;

	for (u32 i = 0; i < tables->set.rules.count; i++)
		if (rules[i].action == FR_ACT_TO_TBL)
			tables->of_rules[i] =
				find_table(tables, rules[i].family, rules[i].table);
}

/* --- next hops --- */

/* Packets to all of the group's addresses go on in the same way. */
static bool has_one_way(const struct group *group, const struct route *routes)
{
	const struct route *route = &routes[group->first];

	return route->type == RTN_UNICAST && !route->is_tunnel &&
	       (group->count == 1 || route->to.ip.family == AF_INET);
}

static int by_hop(const void *a, const void *b, void *cookie)
{
	const struct tables *tables = cookie;
	const struct route *routes = tables->set.routes.rows;
	const struct route *x = &routes[tables->groups[*(const u32 *)a].first];
	const struct route *y = &routes[tables->groups[*(const u32 *)b].first];

	if (x->to.ip.family != y->to.ip.family)
		return ORDER(x->to.ip.family, y->to.ip.family);
	if (x->device != y->device)
		return ORDER(x->device, y->device);
	return x->mtu != y->mtu ? ORDER(x->mtu, y->mtu)
				: memcmp(&x->via, &y->via, sizeof(x->via));
}

static int number_hops(struct tables *tables)
{
	const struct route *routes = tables->set.routes.rows;
	u32 *order = calloc(tables->group_cnt + 1, sizeof(*order)), count = 0, hop = 0;

	if (!order)
		return -ENOMEM;
	for (u32 i = 0; i < tables->group_cnt; i++) {
		tables->groups[i].hop = NO_HOP;
		if (has_one_way(&tables->groups[i], routes))
			order[count++] = i;
	}
	qsort_r(order, count, sizeof(*order), by_hop, tables);
	for (u32 i = 0; i < count; i++) {
		struct group *group = &tables->groups[order[i]];

		hop += i && by_hop(&order[i - 1], &order[i], tables);
		group->hop = hop << 1 | !!routes[group->first].via.family;
	}
	free(order);
	return 0;
}

/* Nothing is asked of a packet but where it goes. */
static bool is_plain(const struct route_set *set)
{
	const struct route_rule *rules = set->rules.rows;
	const struct route *routes = set->routes.rows;
	bool plain = true;

	for (u32 i = 0; i < set->rules.count; i++)
		plain &= !rules[i].from.length && !rules[i].mark_mask && !rules[i].input &&
			 !rules[i].output && !rules[i].tos;
	for (u32 i = 0; i < set->routes.count; i++)
		plain &= !routes[i].tos;
	return plain;
}

static int tables_new(struct routes *routes, struct route_set *set, struct tables **out)
{
	const u32 count = set->routes.count + 1;
	struct tables *tables = calloc(1, sizeof(*tables));
	int ret = -ENOMEM;

	if (!tables) {
		route_set_done(set);
		return ret;
	}
	tables->set = *set;
	*set = (struct route_set){0};
	tables->tables = calloc(count, sizeof(*tables->tables));
	tables->groups = calloc(count, sizeof(*tables->groups));
	tables->of_rules = calloc(tables->set.rules.count + 1, sizeof(*tables->of_rules));
	tables->first_hop = atomic_fetch_add(&routes->hops, 2ull * count);
	sort_set(&tables->set);
	tables->is_plain = is_plain(&tables->set);
	if (tables->tables && tables->groups && tables->of_rules)
		ret = tables_fill(tables);
	ret = ret ?: number_hops(tables);
	if (ret) {
		tables_free(tables);
		return ret;
	}
	find_tables_of_rules(tables);
	*out = tables;
	return 0;
}

struct routes *routes_new(void)
{
	struct routes *routes = calloc(1, sizeof(*routes));
	struct route_set set = {0};

	if (!routes)
		return NULL;
	neighbours_init(&routes->neighbours);
	atomic_init(&routes->hops, 2); /* 0 and 1 are none */
	if (route_set_default_rules(&set))
		route_set_done(&set);
	else if (!tables_new(routes, &set, &routes->current))
		return routes;
	neighbours_done(&routes->neighbours);
	free(routes);
	return NULL;
}

void routes_free(struct routes *routes)
{
	if (!routes)
		return;
	tables_free(routes->current);
	neighbours_done(&routes->neighbours);
	free(routes);
}

void routes_forget_programs(struct routes *routes)
{
	forget_programs(&routes->current->set);
}

int routes_replace(struct routes *routes, struct route_set *set)
{
	struct tables *old, *tables;
	int ret = tables_new(routes, set, &tables);

	if (ret)
		return ret;
	old = rcu_xchg_pointer(&routes->current, tables);
	neighbours_outdate(&routes->neighbours);
	call_rcu(&old->rcu, tables_free_later);
	return 0;
}

/* --- questions --- */
static bool has_prefix(const struct route_prefix *prefix, const struct route_ip *ip)
{
	return route_common_bits(prefix->ip.bytes, ip->bytes, prefix->length) == prefix->length;
}

static bool rule_fits(const struct route_rule *rule, const struct route_query *query)
{
	return rule->family == query->to.family && has_prefix(&rule->to, &query->to) &&
	       (!rule->from.length ||
		(query->from.family && has_prefix(&rule->from, &query->from))) &&
	       !((rule->mark ^ query->mark) & rule->mark_mask) &&
	       (!rule->input || rule->input == query->input) &&
	       (!rule->output || rule->output == query->output) &&
	       (!rule->tos || rule->tos == query->tos);
}

/* IPv4 wants the device that was asked for; IPv6 prefers it among equals. */
static const struct route *choose(const struct route *routes, u32 count,
				  const struct route_query *query)
{
	const u32 wanted = query->output ?: query->input;
	const struct route *best = NULL;

	for (const struct route *route = routes; route < routes + count; route++) {
		const bool is_wanted = route->device == wanted;

		if (route->tos && route->tos != query->tos)
			continue;
		if (query->to.family == AF_INET && query->output && route->device && !is_wanted)
			continue;
		if (!best || (query->to.family == AF_INET6 && is_wanted &&
			      route->metric == best->metric && best->device != wanted))
			best = route;
	}
	return best;
}

static const struct route *find_in_table(const struct tables *tables, const struct table *table,
					 const struct route_query *query)
{
	const struct route *routes = tables->set.routes.rows, *found = NULL;
	u32 group = NO_GROUP;

	if (table)
		group = group_of(table, &query->to, route_ip_bits(query->to.family));
	while (!found && group != NO_GROUP) {
		const struct group *g = &tables->groups[group];

		found = choose(routes + g->first, g->count, query);
		group = g->shorter;
	}
	return found && found->type != RTN_THROW ? found : NULL;
}

/* What a rule says that looks nowhere; 0: the next one decides. */
static int rule_error(const struct route_rule *rule)
{
	switch (rule->action) {
	case FR_ACT_BLACKHOLE: return -EINVAL;
	case FR_ACT_UNREACHABLE: return -ENETUNREACH;
	case FR_ACT_PROHIBIT: return -EACCES;
	default: return 0;
	}
}

static int find_by_rules(const struct tables *tables, const struct route_query *query,
			 const struct route **out)
{
	const struct route_rule *rules = tables->set.rules.rows;

	for (u32 i = 0; i < tables->set.rules.count; i++) {
		const struct route *route;

		if (!rule_fits(&rules[i], query))
			continue;
		if (rule_error(&rules[i]))
			return rule_error(&rules[i]);
		route = find_in_table(tables, tables->of_rules[i], query);
		if (!route)
			continue;
		*out = route;
		return 0;
	}
	return -ENETUNREACH;
}

int routes_find(struct routes *routes, const struct route_query *query,
		const struct route **out)
{
	const struct tables *tables = rcu_dereference(routes->current);
	const struct route *route;

	if (!query->in_table)
		return find_by_rules(tables, query, out);
	route = find_in_table(tables, find_table(tables, query->to.family, query->table),
			      query);
	if (!route)
		return -ENETUNREACH;
	*out = route;
	return 0;
}

/* NO_GROUP: nothing is known of where to. */
static u32 find_plain_group(const struct tables *tables, u8 family, const u8 *to)
{
	const struct route_rule *rules = tables->set.rules.rows;
	struct prefix_key key = {.length = route_ip_bits(family)};

	memcpy(key.bytes, to, family == AF_INET ? 4 : 16);
	for (u32 i = 0; i < tables->set.rules.count; i++) {
		const struct route_rule *rule = &rules[i];
		const struct table *table = tables->of_rules[i];
		const u32 *group;

		if (rule->family != family ||
		    (rule->to.length && route_common_bits(rule->to.ip.bytes, to,
							  rule->to.length) < rule->to.length))
			continue;
		if (rule_error(rule))
			return NO_GROUP;
		group = table ? table->map->lookup(table->map, &key, SLOT_NONE) : NULL;
		if (group)
			return *group;
	}
	return NO_GROUP;
}

u64 routes_find_hop(struct routes *routes, u8 family, const u8 *to)
{
	const struct tables *tables = rcu_dereference(routes->current);
	u32 group, hop;

	if (!tables->is_plain)
		return 0;
	group = find_plain_group(tables, family, to);
	hop = group == NO_GROUP ? NO_HOP : tables->groups[group].hop;
	return hop == NO_HOP ? 0 : tables->first_hop + hop;
}

const struct route_device *routes_device(struct routes *routes, u32 ifindex)
{
	const struct route_rows *rows = &rcu_dereference(routes->current)->set.devices;
	const struct route_device key = {.ifindex = ifindex};

	return rows->count ? bsearch(&key, rows->rows, rows->count, sizeof(key), by_ifindex)
			   : NULL;
}

const struct route_neighbour *routes_permanent(struct routes *routes, u32 device,
					       const struct route_ip *ip)
{
	const struct route_rows *rows = &routes_set(routes)->neighbours;
	const struct route_neighbour key = {.ip = *ip, .device = device};

	return rows->count ? bsearch(&key, rows->rows, rows->count, sizeof(key), by_device)
			   : NULL;
}

bool routes_neighbour(struct routes *routes, u32 device, const struct route_ip *ip, u8 *mac)
{
	const struct route_neighbour *permanent = routes_permanent(routes, device, ip);
	const struct neighbour *found =
		permanent ? NULL : neighbours_find(&routes->neighbours, device, ip);
	const u64 address = found ? neighbour_address_of(found) : 0;

	if (permanent)
		memcpy(mac, permanent->mac, sizeof(permanent->mac));
	else if (neighbour_is_known(address))
		neighbour_mac(address, mac);
	return permanent || neighbour_is_known(address);
}

struct neighbours *routes_neighbours(struct routes *routes)
{
	return &routes->neighbours;
}

const struct route_set *routes_set(struct routes *routes)
{
	return &rcu_dereference(routes->current)->set;
}

bool routes_has_address(struct routes *routes, u32 device, const struct route_ip *ip)
{
	const struct route_rows *rows = &routes_set(routes)->addresses;
	const struct route_address *addresses = rows->rows;

	for (u32 i = 0; i < rows->count; i++)
		if ((!device || addresses[i].device == device) &&
		    !memcmp(&addresses[i].prefix.ip, ip, sizeof(*ip)))
			return true;
	return false;
}

/* IPv4: the first address whose network `to` is in, else the first. IPv6: the one whose network
 * has most in common with it, of equals the newest. */
const struct route_address *routes_source(struct routes *routes, u32 device,
					  const struct route_ip *to)
{
	const struct route_rows *rows = &rcu_dereference(routes->current)->set.addresses;
	const struct route_address *addresses = rows->rows, *best = NULL;
	u32 best_bits = 0;

	for (u32 i = 0; i < rows->count; i++) {
		const struct route_prefix *prefix = &addresses[i].prefix;
		u32 bits;

		if (addresses[i].device != device || prefix->ip.family != to->family)
			continue;
		bits = route_common_bits(prefix->ip.bytes, to->bytes, prefix->length);
		if (to->family == AF_INET)
			bits = bits == prefix->length;
		if (best && (bits < best_bits || (bits == best_bits && to->family == AF_INET)))
			continue;
		best = &addresses[i];
		best_bits = bits;
	}
	return best;
}
