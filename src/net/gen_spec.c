/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"
#include "net/gen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct gen_spec defaults = {
	.flows = 1000,
	.count = 1000000,
	.seed = 1,
	.packets_per_second = 1000000,
	.size_low = 64,
	.size_high = 64,
	.zipf = 1.0,
	.protocol = GEN_MIX,
};

/* Keys whose value is one number. */
static const struct gen_key {
	const char *name;
	size_t offset;
	u64 low, high;
} keys[] = {
	{"flows", offsetof(struct gen_spec, flows), 1, GEN_FLOWS_MAX},
	{"count", offsetof(struct gen_spec, count), 0, ~0ull},
	{"seed", offsetof(struct gen_spec, seed), 1, ~0ull},
	{"pps", offsetof(struct gen_spec, packets_per_second), 1, 1000000000},
	{"ipv6", offsetof(struct gen_spec, ipv6), 0, 100},
	{"vlan", offsetof(struct gen_spec, vlan), 0, 100},
	{"synflood", offsetof(struct gen_spec, syn_flood), 0, 100},
	{"udpflood", offsetof(struct gen_spec, udp_flood), 0, 100},
};

static const char *const protocols[] = {"tcp", "udp", "icmp", "mix"};

static int bad_value(struct skep_error *err, const char *key, const char *value,
		     const char *expected)
{
	return error_set(err, SKEP_STAGE_PORT, -EINVAL, "gen: %s=%s: expected %s", key, value,
			 expected);
}

static bool parse_number(const char *text, u64 *out, const char **end)
{
	char *after;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoull(text, &after, 10);
	*end = after;
	return !errno;
}

static int set_number(struct gen_spec *spec, const struct gen_key *key, const char *value,
		      struct skep_error *err)
{
	char expected[80];
	const char *end;
	u64 number;

	if (parse_number(value, &number, &end) && !*end && number >= key->low &&
	    number <= key->high) {
		memcpy((char *)spec + key->offset, &number, sizeof(number));
		return 0;
	}
	snprintf(expected, sizeof(expected), "a number from %llu to %llu", key->low, key->high);
	return bad_value(err, key->name, value, expected);
}

static int set_size(struct gen_spec *spec, const char *value, struct skep_error *err)
{
	u64 low, high;
	const char *end;
	bool good = parse_number(value, &low, &end);

	high = low;
	if (good && *end == '-')
		good = parse_number(end + 1, &high, &end);
	if (!good || *end || low < GEN_SIZE_MIN || high > GEN_SIZE_MAX || low > high)
		return bad_value(err, "size", value, "BYTES or LOW-HIGH, from 60 to 9014");
	spec->size_low = low;
	spec->size_high = high;
	return 0;
}

static int set_zipf(struct gen_spec *spec, const char *value, struct skep_error *err)
{
	char *end;
	double number = strtod(value, &end);

	if (end == value || *end || !(number >= 0 && number <= 4))
		return bad_value(err, "zipf", value, "an exponent from 0 to 4");
	spec->zipf = number;
	return 0;
}

static int set_protocol(struct gen_spec *spec, const char *value, struct skep_error *err)
{
	for (u32 i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (strcmp(value, protocols[i]))
			continue;
		spec->protocol = i;
		return 0;
	}
	return bad_value(err, "proto", value, "tcp, udp, icmp or mix");
}

static int set_out(struct gen_spec *spec, const char *value, struct skep_error *err)
{
	if (!*value || strlen(value) >= sizeof(spec->out))
		return bad_value(err, "out", value, "a file name of 1 to 255 bytes");
	strcpy(spec->out, value);
	return 0;
}

static int set_key(struct gen_spec *spec, const char *key, const char *value,
		   struct skep_error *err)
{
	for (u32 i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(key, keys[i].name))
			return set_number(spec, &keys[i], value, err);
	if (!strcmp(key, "size"))
		return set_size(spec, value, err);
	if (!strcmp(key, "zipf"))
		return set_zipf(spec, value, err);
	if (!strcmp(key, "proto"))
		return set_protocol(spec, value, err);
	if (!strcmp(key, "out"))
		return set_out(spec, value, err);
	return error_set(err, SKEP_STAGE_PORT, -EINVAL,
			 "gen: unknown key '%s': expected flows, count, seed, pps, size, zipf, "
			 "proto, ipv6, vlan, synflood, udpflood or out",
			 key);
}

int gen_parse(const char *args, struct gen_spec *out, struct skep_error *err)
{
	struct gen_spec spec = defaults;
	char *text = strdup(args), *rest = text, *key, *value;
	int code = text ? 0 : -ENOMEM;

	while (!code && (key = strsep(&rest, ",")) != NULL) {
		if (!*key)
			continue;
		value = strchr(key, '=');
		if (value)
			*value++ = '\0';
		code = value ? set_key(&spec, key, value, err)
			     : bad_value(err, key, "", "KEY=VALUE");
	}
	free(text);
	if (!code && spec.syn_flood + spec.udp_flood > 100)
		code = error_set(
			err, SKEP_STAGE_PORT, -EINVAL,
			"gen: synflood and udpflood are together more than 100 percent");
	if (!code)
		*out = spec;
	return code;
}
