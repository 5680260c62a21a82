/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/gen.h"
#include "tests/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static void reads_specs(void **state)
{
	static const struct {
		const char *args, *error; /* error NULL: good */
	} rows[] = {
		{"", NULL},
		{"flows=10,count=5,seed=7,size=60-1500,zipf=0.9,proto=udp,ipv6=50,vlan=10",
		 NULL},
		{"synflood=50,udpflood=50", NULL},
		{"synflood=60,udpflood=50", "more than 100 percent"},
		{"flows=0", "a number from 1"},
		{"flows=-1", "a number from 1"},
		{"flows=1x", "a number from 1"},
		{"flows", "KEY=VALUE"},
		{"size=59", "from 60 to 9014"},
		{"size=100-64", "from 60 to 9014"},
		{"zipf=nan", "an exponent"},
		{"proto=sctp", "tcp, udp, icmp or mix"},
		{"bees=7", "unknown key 'bees'"},
		{"out=", "a file name"},
		{"count=99999999999999999999", "a number from 0"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gen_spec spec;
		struct skep_error err = {};
		int code = gen_parse(rows[i].args, &spec, &err);

		if (!rows[i].error ? code : code != -EINVAL || !strstr(err.text, rows[i].error))
			fail_msg("'%s': %d %s", rows[i].args, code, err.text);
	}
}

static u16 sum16(u32 sum, const u8 *bytes, u32 length)
{
	for (u32 i = 0; i < length; i++)
		sum += i % 2 ? bytes[i] : bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* The sum over header and pseudo header that holds a right checksum is 0xffff. */
static bool has_right_checksums(const struct gen_flow *flow, const u8 *packet, u32 size)
{
	const u8 *ip = packet + (flow->has_vlan ? 18 : 14);
	const u8 *transport = ip + (flow->is_ipv6 ? 40 : 20);
	u32 length = size - (transport - packet), pseudo = 0;

	if (!flow->is_ipv6 && sum16(0, ip, 20) != 0xffff)
		return false;
	if (flow->is_ipv6)
		pseudo = sum16(length + ip[6], ip + 8, 32);
	else if (flow->protocol != IPPROTO_ICMP)
		pseudo = sum16(length + ip[9], ip + 12, 8);
	return sum16(pseudo, transport, length) == 0xffff;
}

static void packets_have_right_checksums(void **state)
{
	struct gen_spec spec = {.seed = 3, .ipv6 = 50, .vlan = 50, .protocol = GEN_MIX};
	static u8 packet[GEN_SIZE_MAX];
	u32 seen[256] = {};

	for (u32 i = 0; i < 5000; i++) {
		struct gen_flow flow = gen_flow_make(&spec, i);
		u32 size = max(gen_packet_smallest(&flow), 60 + i % 1455);

		gen_packet_build(&flow, size, i, i % 2, packet);
		if (!has_right_checksums(&flow, packet, size))
			fail_msg("flow %u, %u bytes", i, size);
		seen[flow.protocol]++;
	}
	assert_in_range(seen[IPPROTO_TCP], 3200, 3800);
	assert_in_range(seen[IPPROTO_UDP], 1100, 1600);
	assert_in_range(seen[IPPROTO_ICMP], 50, 250);
}

static void flows_differ_and_repeat(void **state)
{
	struct gen_spec spec = {.seed = 3, .protocol = GEN_TCP}, other = {.seed = 4};
	struct gen_flow first = gen_flow_make(&spec, 1), again = gen_flow_make(&spec, 1);

	assert_int_equal(first.source_port, again.source_port);
	assert_int_equal(first.source, again.source);
	assert_int_not_equal(first.source, gen_flow_make(&spec, 2).source);
	assert_int_not_equal(first.source_port, gen_flow_make(&other, 1).source_port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_specs),
		cmocka_unit_test(packets_have_right_checksums),
		cmocka_unit_test(flows_differ_and_repeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
