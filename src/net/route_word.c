/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/route_word.h"
#include "base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/ether.h>
#include <stdlib.h>
#include <string.h>

char *route_word(struct route_reader *reader)
{
	return strtok_r(NULL, " \t\r", &reader->rest);
}

int route_refuse(struct route_reader *reader, const char *found, const char *expected)
{
	return error_set(reader->err, SKEP_STAGE_PORT, -EINVAL,
			 "routes, line %u: '%s': expected %s", reader->number,
			 found ? found : "end of line", expected);
}

int route_no_memory(struct route_reader *reader)
{
	return error_set(reader->err, SKEP_STAGE_PORT, -ENOMEM, "no memory for the routes");
}

bool route_parse_number(const char *text, u32 *out)
{
	unsigned long long number;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	number = strtoull(text, &end, 0);
	if (*end || number > UINT32_MAX)
		return false;
	*out = number;
	return true;
}

int route_read_number(struct route_reader *reader, u32 *out)
{
	const char *word = route_word(reader);

	return route_parse_number(word, out) ? 0 : route_refuse(reader, word, "a number");
}

static bool parse_ip(const char *text, struct route_ip *out)
{
	struct route_ip ip = {.family = text && strchr(text, ':') ? AF_INET6 : AF_INET};

	if (!text || inet_pton(ip.family, text, ip.bytes) != 1)
		return false;
	*out = ip;
	return true;
}

int route_read_ip(struct route_reader *reader, struct route_ip *out)
{
	const char *word = route_word(reader);

	if (word && (!strcmp(word, "inet6") || !strcmp(word, "inet")))
		word = route_word(reader);
	return parse_ip(word, out) ? 0 : route_refuse(reader, word, "an address");
}

bool route_parse_prefix(char *text, struct route_prefix *out)
{
	char *slash = text ? strchr(text, '/') : NULL;
	struct route_prefix prefix;
	u32 length;

	if (slash)
		*slash = '\0';
	if (!parse_ip(text, &prefix.ip))
		return false;
	length = route_ip_bits(prefix.ip.family);
	if (slash && (!route_parse_number(slash + 1, &length) ||
		      length > route_ip_bits(prefix.ip.family)))
		return false;
	prefix.length = length;
	*out = prefix;
	return true;
}

int route_read_prefix(struct route_reader *reader, struct route_prefix *out)
{
	char *word = route_word(reader);

	if (word && !strcmp(word, "all"))
		return 0;
	if (!route_parse_prefix(word, out))
		return route_refuse(reader, word, "ADDRESS[/BITS]");
	route_prefix_cut(out);
	return 0;
}

int route_read_mac(struct route_reader *reader, u8 *out)
{
	const char *word = route_word(reader);
	struct ether_addr mac;

	if (!word || !ether_aton_r(word, &mac))
		return route_refuse(reader, word, "an address like 02:00:00:00:00:01");
	memcpy(out, &mac, ETH_ALEN);
	return 0;
}

/* A number, or the name of a device of an earlier line. */
int route_read_device(struct route_reader *reader, u32 *out)
{
	const struct route_device *devices = reader->set->devices.rows;
	const char *word = route_word(reader);

	if (route_parse_number(word, out))
		return 0;
	for (u32 i = 0; word && i < reader->set->devices.count; i++) {
		if (strcmp(devices[i].name, word))
			continue;
		*out = devices[i].ifindex;
		return 0;
	}
	return route_refuse(reader, word,
			    "a device's number, or its name given by 'device N name'");
}

int route_read_table(struct route_reader *reader, u32 *out)
{
	static const struct {
		const char *name;
		u32 id;
	} names[] = {{"local", ROUTE_TABLE_LOCAL},
		     {"main", ROUTE_TABLE_MAIN},
		     {"default", ROUTE_TABLE_DEFAULT}};
	const char *word = route_word(reader);

	for (u32 i = 0; word && i < ARRAY_SIZE(names); i++) {
		if (strcmp(word, names[i].name))
			continue;
		*out = names[i].id;
		return 0;
	}
	return route_parse_number(word, out) ? 0 : route_refuse(reader, word, "a table");
}

int route_read_name(struct route_reader *reader, char *out, size_t size)
{
	const char *word = route_word(reader);

	if (!word || strlen(word) >= size)
		return route_refuse(reader, word, "a name of at most 15 bytes");
	strcpy(out, word);
	return 0;
}
