/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The forwarding: a table of {packet in, what leaves by which port, what is counted}, programs
 * of routes, neighbours that are asked, and packets from hell, of which all are counted. What
 * Linux does as a router in the same place is compared in tests/cli/router.py.
 */
#include "net/checksum.h"
#include "tests/net/out_file.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <skep/attach.h>
#include <skep/forward.h>
#include <skep/route.h>
#include <sys/socket.h>

#define FRAME_MAX 4096

static char in_path[] = "/tmp/skep-forward-in-XXXXXX";
static char back_path[] = "/tmp/skep-forward-back-XXXXXX";
static int lan, wan;

static const char rows_of_all[] = "address 10.0.1.1/24 dev port1\n"
				  "address 10.0.2.1/24 dev port2\n"
				  "address fd00:1::1/64 dev port1\n"
				  "address fd00:2::1/64 dev port2\n"
				  "neighbour 10.0.1.2 dev port1 lladdr 02:00:00:00:00:02\n"
				  "neighbour 10.0.2.2 dev port2 lladdr 02:00:00:00:00:22\n"
				  "neighbour fd00:1::2 dev port1 lladdr 02:00:00:00:00:02\n"
				  "neighbour fd00:2::2 dev port2 lladdr 02:00:00:00:00:22\n"
				  "10.3.0.0/16 via 10.0.2.2 dev port2\n"
				  "10.4.0.0/16 via fd00:2::2 dev port2\n"
				  "blackhole 10.5.0.0/16\n"
				  "unreachable 10.6.0.0/16\n"
				  "prohibit 10.7.0.0/16\n"
				  "10.8.0.0/16 via 10.0.2.2 dev port2 mtu 600\n"
				  "10.9.0.0/16 dev 60\n"
				  "fd03::/32 via fd00:2::2 dev port2\n"
				  "prohibit fd07::/32\n"
				  "fd08::/32 via fd00:2::2 dev port2 mtu 1280\n";

static int make_files(void **state)
{
	int in = mkstemp(in_path), back = mkstemp(back_path);

	return in < 0 || back < 0 || close(in) || close(back);
}

static int remove_files(void **state)
{
	return unlink(in_path) | unlink(back_path);
}

/* --- packets --- */
struct want {
	const char *name;
	u32 count;	/* enum skep_forward_count */
	int port;	/* where something leaves: 1 the way it came, 2 forwarded; 0: nothing */
	int type, code; /* of ICMP; -1: it is the packet itself */
};

struct packet_in {
	const char *from, *to;
	u32 ttl, length; /* of the IP packet */
	u8 protocol;
	u8 type; /* the first byte behind the header */
	bool may_be_cut;
	bool is_broken; /* its checksum */
	u8 station;	/* the last byte of the Ethernet address it is for */
	u8 tos;		/* IPv4; 0: 8 */
	bool to_all;	/* stations of the link */
};

static void put_sum(u8 *at, u16 sum)
{
	memcpy(at, &sum, sizeof(sum));
}

static void make_transport(u8 *at, u32 length, const struct packet_in *in, u32 pseudo)
{
	at[0] = in->type;
	for (u32 i = 8; i < length; i++)
		at[i] = i;
	if (in->protocol == IPPROTO_ICMP || in->protocol == IPPROTO_ICMPV6)
		put_sum(at + 2, sum_fold(sum_add(pseudo, at, length)));
}

static void make_ipv4(u8 *ip, const struct packet_in *in)
{
	ip[0] = 0x45;
	ip[1] = in->tos ?: 8;
	ip[2] = in->length >> 8;
	ip[3] = in->length;
	ip[6] = in->may_be_cut ? 0 : 0x40;
	ip[8] = in->ttl;
	ip[9] = in->protocol;
	inet_pton(AF_INET, in->from, ip + 12);
	inet_pton(AF_INET, in->to, ip + 16);
	put_sum(ip + 10, sum_fold(sum_add(in->is_broken, ip, 20)));
	make_transport(ip + 20, in->length - 20, in, 0);
}

static void make_ipv6(u8 *ip, const struct packet_in *in)
{
	const u32 length = in->length - 40;

	ip[0] = 0x60;
	ip[4] = length >> 8;
	ip[5] = length;
	ip[6] = in->protocol;
	ip[7] = in->ttl;
	inet_pton(AF_INET6, in->from, ip + 8);
	inet_pton(AF_INET6, in->to, ip + 24);
	make_transport(ip + 40, length, in,
		       sum_pseudo(ip + 8, 32, length, IPPROTO_ICMPV6) + in->is_broken);
}

static u32 make_frame(u8 *frame, const struct packet_in *in)
{
	const bool is_ipv6 = strchr(in->to, ':');
	const u8 link[14] = {
		2, 's', 'k', 'e', 'p', in->station ?: 1,      2,
		0, 0,	0,   0,	  2,   is_ipv6 ? 0x86 : 0x08, is_ipv6 ? 0xdd : 0x00};

	memset(frame, 0, FRAME_MAX);
	memcpy(frame, link, sizeof(link));
	if (in->to_all)
		memset(frame, 0xff, 6);
	if (is_ipv6)
		make_ipv6(frame + 14, in);
	else
		make_ipv4(frame + 14, in);
	return max(14 + in->length, 60u);
}

static void write_capture(const u8 *bytes, u32 length)
{
	struct capture_writer writer;

	assert_int_equal(capture_create(&writer, in_path, NULL), 0);
	assert_int_equal(capture_write(&writer, bytes, length, length, 1), 0);
	assert_int_equal(capture_finish(&writer), 0);
}

/* The first packet of the file; 0: there is none. */
static u32 read_first(const char *path, u8 *out, u32 *count)
{
	struct capture_packet packet;
	struct capture_reader reader;
	u32 length = 0;

	*count = 0;
	assert_int_equal(capture_open(&reader, path, NULL), 0);
	while (capture_next(&reader, &packet, NULL) == 1) {
		if (!(*count)++)
			memcpy(out, packet.data, length = min(packet.length, (u32)FRAME_MAX));
	}
	capture_close(&reader);
	return length;
}

/* --- a router of two ports: what comes in is the file's --- */
static void open_router(const char *rows)
{
	static const struct skep_attach_opts opts = {.sz = sizeof(opts)};
	const int drops = load_text(&world, BPF_PROG_TYPE_XDP, "r0 = 1\nexit", NULL);
	char spec[128];
	struct skep_error err;

	snprintf(spec, sizeof(spec), "pcap:%s:%s", in_path, back_path);
	lan = open_port(spec);
	snprintf(spec, sizeof(spec), "gen:count=1,out=%s", out_path);
	wan = open_port(spec);
	assert_true(skep_attach(world.engine, wan, drops, &opts) >= 0);
	assert_int_equal(skep_forward(world.engine, true), 0);
	if (skep_routes_set(world.engine, rows, strlen(rows), &err))
		fail_msg("%s", err.text);
	close(drops);
}

static void counts_of(int port, uint64_t *counts)
{
	assert_int_equal(skep_forward_counts(world.engine, port, counts, SKEP_FORWARD_COUNTS),
			 0);
}

/* What came in is the sum of what became of it. */
static void check_sum(int port)
{
	uint64_t counts[SKEP_FORWARD_COUNTS], sum = 0;

	counts_of(port, counts);
	for (u32 i = 0; i < SKEP_FORWARD_COUNTS; i++)
		sum += skep_forward_is_end(i) ? counts[i] : 0;
	assert_int_equal(sum, counts[SKEP_FORWARD_PACKETS]);
}

static void close_router(void)
{
	check_sum(lan);
	assert_int_equal(skep_forward(world.engine, false), 0);
	skep_port_close(world.engine, lan);
	skep_port_close(world.engine, wan);
}

static void move(void)
{
	assert_int_equal(skep_ports_run(world.engine, NULL, NULL), 0);
}

static const struct {
	struct want want;
	struct packet_in in;
} table[] = {
	{{"forwarded", SKEP_FORWARD_FORWARDED, 2, -1},
	 {"10.0.1.2", "10.0.2.2", 64, 100, IPPROTO_UDP}},
	{{"to a gateway", SKEP_FORWARD_FORWARDED, 2, -1},
	 {"10.0.1.2", "10.3.1.1", 2, 1500, IPPROTO_TCP}},
	{{"to a gateway of IPv6", SKEP_FORWARD_FORWARDED, 2, -1},
	 {"10.0.1.2", "10.4.1.1", 2, 100, IPPROTO_TCP}},
	{{"no route", SKEP_FORWARD_NO_ROUTE, 1, 3, 0},
	 {"10.0.1.2", "192.0.2.1", 64, 100, IPPROTO_UDP}},
	{{"unreachable", SKEP_FORWARD_UNREACHABLE, 1, 3, 1},
	 {"10.0.1.2", "10.6.2.1", 64, 100, IPPROTO_UDP}},
	{{"prohibited", SKEP_FORWARD_PROHIBITED, 1, 3, 13},
	 {"10.0.1.2", "10.7.2.1", 64, 1000, IPPROTO_UDP}},
	{{"blackhole", SKEP_FORWARD_BLACKHOLE, 0}, {"10.0.1.2", "10.5.2.1", 64, 100, 17}},
	{{"no such device", SKEP_FORWARD_NO_PORT, 1, 3, 1},
	 {"10.0.1.2", "10.9.2.1", 64, 100, 17}},
	{{"ttl", SKEP_FORWARD_TTL, 1, 11, 0}, {"10.0.1.2", "10.0.2.2", 1, 100, IPPROTO_UDP}},
	{{"too big", SKEP_FORWARD_TOO_BIG, 1, 3, 4}, {"10.0.1.2", "10.8.0.1", 64, 601, 17}},
	{{"cut", SKEP_FORWARD_FORWARDED, 2, -1},
	 {"10.0.1.2", "10.8.0.1", 64, 1500, 17, 0, true}},
	{{"checksum", SKEP_FORWARD_BAD_CHECKSUM, 0},
	 {"10.0.1.2", "10.0.2.2", 64, 100, 17, .is_broken = true}},
	{{"echo", SKEP_FORWARD_LOCAL, 1, 0, 0}, {"10.0.1.2", "10.0.1.1", 64, 100, 1, 8}},
	{{"echo to the other side", SKEP_FORWARD_LOCAL, 1, 0, 0},
	 {"10.0.1.2", "10.0.2.1", 1, 100, 1, 8}},
	{{"an answer", SKEP_FORWARD_LOCAL, 0}, {"10.0.1.2", "10.0.1.1", 64, 100, 1, 0}},
	{{"a port", SKEP_FORWARD_REFUSED, 1, 3, 3}, {"10.0.1.2", "10.0.1.1", 64, 100, 17}},
	{{"a protocol", SKEP_FORWARD_REFUSED, 1, 3, 2}, {"10.0.1.2", "10.0.1.1", 64, 100, 99}},
	{{"TCP", SKEP_FORWARD_REFUSED, 0}, {"10.0.1.2", "10.0.1.1", 64, 100, 6}},
	{{"an error is not told of", SKEP_FORWARD_TTL, 0},
	 {"10.0.1.2", "10.0.2.2", 1, 100, 1, 3}},
	{{"a question is", SKEP_FORWARD_TTL, 1, 11, 0}, {"10.0.1.2", "10.0.2.2", 1, 100, 1, 8}},
	{{"from nowhere", SKEP_FORWARD_MARTIAN_SOURCE, 0},
	 {"127.0.0.1", "10.0.2.2", 64, 100, 17}},
	{{"from ourselves", SKEP_FORWARD_MARTIAN_SOURCE, 0},
	 {"10.0.2.1", "10.0.2.2", 64, 100, 17}},
	{{"to nowhere", SKEP_FORWARD_MARTIAN_DESTINATION, 0},
	 {"10.0.1.2", "127.0.0.1", 64, 100, 17}},
	{{"to class E", SKEP_FORWARD_MARTIAN_DESTINATION, 0},
	 {"10.0.1.2", "250.0.0.1", 64, 100, 17}},
	{{"to all", SKEP_FORWARD_BROADCAST, 0}, {"10.0.1.2", "255.255.255.255", 64, 100, 17}},
	{{"to a network", SKEP_FORWARD_BROADCAST, 0}, {"10.0.1.2", "10.0.2.255", 64, 100, 17}},
	{{"to a group", SKEP_FORWARD_MULTICAST, 0}, {"10.0.1.2", "224.1.2.3", 64, 100, 17}},
	{{"to another station", SKEP_FORWARD_OTHER_HOST, 0},
	 {"10.0.1.2", "10.0.2.2", 64, 100, 17, .station = 7}},
	{{"IPv6", SKEP_FORWARD_FORWARDED, 2, -1}, {"fd00:1::2", "fd00:2::2", 64, 100, 17}},
	{{"IPv6 to a gateway", SKEP_FORWARD_FORWARDED, 2, -1},
	 {"fd00:1::2", "fd03::1", 2, 1500, 6}},
	{{"IPv6, others' discovery", SKEP_FORWARD_FORWARDED, 2, -1},
	 {"fd00:1::2", "fd00:2::2", 255, 72, 58, 135}},
	{{"to a station by all", SKEP_FORWARD_BROADCAST, 0},
	 {"10.0.1.2", "10.0.2.2", 64, 100, 17, .to_all = true}},
	{{"IPv6, no route", SKEP_FORWARD_NO_ROUTE, 1, 1, 0},
	 {"fd00:1::2", "2001:db8::1", 64, 100, 17}},
	{{"IPv6, prohibited", SKEP_FORWARD_PROHIBITED, 1, 1, 1},
	 {"fd00:1::2", "fd07::1", 64, 1500, 17}},
	{{"IPv6, hop limit", SKEP_FORWARD_TTL, 1, 3, 0},
	 {"fd00:1::2", "fd00:2::2", 1, 100, 17}},
	{{"IPv6, too big", SKEP_FORWARD_TOO_BIG, 1, 2, 0},
	 {"fd00:1::2", "fd08::1", 9, 1281, 17}},
	{{"IPv6, echo", SKEP_FORWARD_LOCAL, 1, 129, 0},
	 {"fd00:1::2", "fd00:1::1", 64, 100, 58, 128}},
	{{"IPv6, a port", SKEP_FORWARD_REFUSED, 1, 1, 4},
	 {"fd00:1::2", "fd00:1::1", 64, 100, 17}},
	{{"IPv6, a protocol", SKEP_FORWARD_REFUSED, 1, 4, 1},
	 {"fd00:1::2", "fd00:1::1", 64, 100, 99}},
	{{"IPv6, to a group", SKEP_FORWARD_MULTICAST, 0},
	 {"fd00:1::2", "ff05::1", 64, 100, 17}},
	{{"IPv6, of the link", SKEP_FORWARD_LINK_LOCAL, 0},
	 {"fe80::2", "fe80::7", 64, 100, 17}},
	{{"IPv6, ::1", SKEP_FORWARD_MARTIAN_DESTINATION, 0}, {"fd00:1::2", "::1", 64, 100, 17}},
	{{"IPv6, echo broken", SKEP_FORWARD_BAD_CHECKSUM, 0},
	 {"fd00:1::2", "fd00:1::1", 64, 100, 58, 128, .is_broken = true}},
};

static void check_icmp(const struct want *want, const u8 *frame, u32 length)
{
	const u8 *ip = frame + 14;
	const bool is_ipv6 = frame[12] == 0x86;
	const u32 header = is_ipv6 ? 40 : 20, bytes = length - 14 - header;
	const u32 pseudo = is_ipv6 ? sum_pseudo(ip + 8, 32, bytes, IPPROTO_ICMPV6) : 0;

	if (ip[header] != want->type || ip[header + 1] != want->code)
		fail_msg("%s: type %u, code %u", want->name, ip[header], ip[header + 1]);
	if (sum_fold(sum_add(pseudo, ip + header, bytes)) ||
	    (!is_ipv6 && sum_fold(sum_add(0, ip, 20))))
		fail_msg("%s: wrong checksum", want->name);
	if (ip[is_ipv6 ? 7 : 8] != 64 || memcmp(frame, "\2\0\0\0\0\2", 6) != 0)
		fail_msg("%s: wrong header", want->name);
}

/* The packet as it came, but for one hop and the addresses of the link. */
static void check_forwarded(const struct want *want, const struct packet_in *in,
			    const u8 *frame, u32 length, u32 pieces)
{
	u8 was[FRAME_MAX];
	const u32 bytes = make_frame(was, in);
	const bool is_ipv6 = was[12] == 0x86;

	if (memcmp(frame, "\2\0\0\0\0\x22\2skep\2", 12) != 0 ||
	    frame[14 + (is_ipv6 ? 7 : 8)] != in->ttl - 1)
		fail_msg("%s: wrong header", want->name);
	if (!is_ipv6 && sum_fold(sum_add(0, frame + 14, 20)))
		fail_msg("%s: wrong checksum", want->name);
	if (pieces == 1 && (length != 14 + in->length ||
			    memcmp(frame + 34, was + 34, min(length, bytes) - 34) != 0))
		fail_msg("%s: changed", want->name);
}

static void packets_go_where_they_should(void **state)
{
	u8 frame[FRAME_MAX];
	uint64_t counts[SKEP_FORWARD_COUNTS];

	for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
		const struct want *want = &table[i].want;
		u32 back, out, length;

		write_capture(frame, make_frame(frame, &table[i].in));
		open_router(rows_of_all);
		move();
		counts_of(lan, counts);
		if (counts[SKEP_FORWARD_PACKETS] != 1 || counts[want->count] != 1)
			fail_msg("%s: is not counted as %s", want->name,
				 skep_forward_name(want->count));
		close_router();
		length = read_first(out_path, frame, &out);
		if (want->port == 2)
			check_forwarded(want, &table[i].in, frame, length, out);
		length = read_first(back_path, frame, &back);
		if (!back != (want->port != 1) || !out != (want->port != 2))
			fail_msg("%s: %u went back, %u went on", want->name, back, out);
		if (want->port == 1)
			check_icmp(want, frame, length);
	}
}

/* --- neighbours --- */
static void neighbours_are_asked(void **state)
{
	static const struct packet_in rows[] = {{"10.0.1.2", "10.0.2.9", 64, 100, 17},
						{"fd00:1::2", "fd00:2::9", 64, 100, 17}};
	uint64_t counts[SKEP_FORWARD_COUNTS];
	u8 frame[FRAME_MAX];
	u32 count;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		write_capture(frame, make_frame(frame, &rows[i]));
		open_router(rows_of_all);
		move();
		counts_of(lan, counts);
		/* the run ended before an answer came */
		assert_int_equal(counts[SKEP_FORWARD_NO_NEIGHBOUR], 1);
		close_router();
		read_first(out_path, frame, &count);
		assert_int_equal(count, 1);
		if (i) {
			assert_memory_equal(frame, "\x33\x33\xff\0\0\x09\2skep\2\x86\xdd", 14);
			assert_int_equal(frame[54], 135);
		} else {
			assert_memory_equal(
				frame,
				"\xff\xff\xff\xff\xff\xff\2skep\2\x08\x06\0\1\x08\0"
				"\6\4\0\1\2skep\2\x0a\0\2\1\0\0\0\0\0\0\x0a\0\2\x09",
				42);
		}
	}
}

/* Asks for our address, and is known then. */
static void arp_is_answered(void **state)
{
	static const u8 request[60] =
		"\xff\xff\xff\xff\xff\xff\2\0\0\0\0\x77\x08\x06\0\1\x08\0"
		"\6\4\0\1\2\0\0\0\0\x77\x0a\0\1\x77\0\0\0\0\0\0\x0a\0\1\1";
	u8 frame[FRAME_MAX];
	u32 count;

	write_capture(request, sizeof(request));
	open_router(rows_of_all);
	move();
	close_router();
	read_first(back_path, frame, &count);
	assert_int_equal(count, 1);
	assert_memory_equal(frame,
			    "\2\0\0\0\0\x77\2skep\1\x08\x06\0\1\x08\0\6\4\0\2\2skep\1\x0a\0\1\1"
			    "\2\0\0\0\0\x77\x0a\0\1\x77",
			    42);
}

/* --- programs of routes --- */
struct lwt_row {
	const char *name, *place;
	u32 type;
	const char *program;
	u32 count;	  /* how it ends */
	u32 length;	  /* of what leaves */
	const u8 *begins; /* behind the header of the link */
};

/* An IPv4 header of the stack in front: 10.0.1.1 to 10.3.9.9, IPIP, without its checksum. */
#define ENCAP(result)                                                                          \
	"r6 = r1\nr2 = 0x78000045\n*(u32 *)(r10 - 24) = r2\nr2 = 0\n*(u32 *)(r10 - 20) = r2\n" \
	"r2 = 0x440\n*(u32 *)(r10 - 16) = r2\nr2 = 0x0101000a\n*(u32 *)(r10 - 12) = r2\n"      \
	"r2 = 0x0909030a\n*(u32 *)(r10 - 8) = r2\nr2 = 2\nr3 = r10\nr3 += -24\nr4 = 20\n"      \
	"call 73\nif r0 != 0 goto +2\nr0 = " result "\nexit\nr0 = 2\nexit"

static void programs_of_routes_run(void **state)
{
	static const struct lwt_row rows[] = {
		{"in, ok", "in", BPF_PROG_TYPE_LWT_IN, "r0 = 0\nexit", SKEP_FORWARD_FORWARDED,
		 114},
		{"in, drop", "in", BPF_PROG_TYPE_LWT_IN, "r0 = 2\nexit", SKEP_FORWARD_LWT_DROP,
		 0},
		{"in, unknown", "in", BPF_PROG_TYPE_LWT_IN, "r0 = 99\nexit",
		 SKEP_FORWARD_LWT_DROP, 0},
		{"out, drop", "out", BPF_PROG_TYPE_LWT_OUT, "r0 = 2\nexit",
		 SKEP_FORWARD_LWT_DROP, 0},
		{"xmit, drop", "xmit", BPF_PROG_TYPE_LWT_XMIT, "r0 = 2\nexit",
		 SKEP_FORWARD_LWT_DROP, 0},
		{"xmit, length", "xmit", BPF_PROG_TYPE_LWT_XMIT,
		 "r2 = *(u32 *)(r1 + 0)\nr0 = 0\nif r2 == 100 goto +1\nr0 = 2\nexit",
		 SKEP_FORWARD_FORWARDED, 114},
		{"xmit, encap", "xmit", BPF_PROG_TYPE_LWT_XMIT, ENCAP("128"),
		 SKEP_FORWARD_FORWARDED, 134},
		{"in, encap", "in", BPF_PROG_TYPE_LWT_IN, ENCAP("128"), SKEP_FORWARD_FORWARDED,
		 134},
		{"xmit, redirect to nowhere", "xmit", BPF_PROG_TYPE_LWT_XMIT,
		 "r1 = 60\nr2 = 0\ncall 23\nexit", SKEP_FORWARD_LWT_DROP, 0},
		{"xmit, redirect", "xmit", BPF_PROG_TYPE_LWT_XMIT,
		 "r6 = r1\nr2 = 14\nr3 = 0\ncall 43\nr1 = 2\nr2 = 0\ncall 23\nexit",
		 SKEP_FORWARD_LWT_REDIRECT, 114},
		{"xmit, in circles", "xmit", BPF_PROG_TYPE_LWT_XMIT, "r0 = 128\nexit",
		 SKEP_FORWARD_LOOP, 0},
	};
	const struct packet_in in = {"10.0.1.2", "10.10.0.1", 64, 100, 17};
	uint64_t counts[SKEP_FORWARD_COUNTS];
	u8 frame[FRAME_MAX];

	write_capture(frame, make_frame(frame, &in));
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct program_kind kind = {.type = rows[i].type, .name = "lwt"};
		const int prog = load_kind(&world, kind, rows[i].program, NULL);
		char text[2048];
		u32 count, length;

		assert_true(prog >= 0);
		snprintf(text, sizeof(text),
			 "%s10.10.0.0/16 via 10.0.2.2 encap bpf %s lwt dev port2\n",
			 rows_of_all, rows[i].place);
		open_router(text);
		close(prog);
		move();
		counts_of(lan, counts);
		if (counts[rows[i].count] != 1)
			fail_msg("%s: is not counted as %s", rows[i].name,
				 skep_forward_name(rows[i].count));
		close_router();
		length = read_first(out_path, frame, &count);
		if (length != rows[i].length)
			fail_msg("%s: %u bytes left", rows[i].name, length);
		if (length == 134)
			assert_true(!sum_fold(sum_add(0, frame + 14, 20)));
		assert_int_equal(skep_routes_set(world.engine, "", 0, NULL), 0);
	}
}

/* --- what went before --- */
#define RULES(rule) "rule 0 lookup local\n" rule "\nrule 10 lookup main\n"
#define USUAL                                       \
	{                                           \
		"10.0.1.2", "10.3.0.1", 64, 100, 17 \
	}

static void write_packets(const struct packet_in *const *packets, u32 count)
{
	struct capture_writer writer;
	u8 frame[FRAME_MAX];

	assert_int_equal(capture_create(&writer, in_path, NULL), 0);
	for (u32 i = 0; i < count; i++) {
		const u32 length = make_frame(frame, packets[i]);

		assert_int_equal(capture_write(&writer, frame, length, length, 1), 0);
	}
	assert_int_equal(capture_finish(&writer), 0);
}

/* Frames of 214 bytes get the mark 9. */
static void attach_marks(void)
{
	const struct skep_attach_opts opts = {.sz = sizeof(opts),
					      .place = SKEP_HOOK_TC_INGRESS};
	const int prog = load_text(&world, BPF_PROG_TYPE_SCHED_CLS,
				   "r2 = *(u32 *)(r1 + 0)\nr0 = 0\nif r2 != 214 goto +2\n"
				   "r2 = 9\n*(u32 *)(r1 + 8) = r2\nexit",
				   NULL);
	const int link = skep_attach(world.engine, lan, prog, &opts);

	assert_true(prog >= 0 && link >= 0);
	close(prog);
	close(link);
}

/* Packets that differ from the usual ones in what their way may depend on. */
static void the_usual_way_is_not_everybodys(void **state)
{
	static const struct {
		const char *name, *rows;
		struct packet_in usual, other;
		u32 count; /* of the other */
	} rows[] = {
		{"a source's rule",
		 RULES("rule 5 from 10.0.1.3 blackhole"),
		 USUAL,
		 {"10.0.1.3", "10.3.0.1", 64, 100, 17},
		 SKEP_FORWARD_BLACKHOLE},
		{"a mark's rule",
		 RULES("rule 5 fwmark 9 blackhole"),
		 USUAL,
		 {"10.0.1.2", "10.3.0.1", 64, 200, 17},
		 SKEP_FORWARD_BLACKHOLE},
		{"a mark and no rule",
		 "",
		 USUAL,
		 {"10.0.1.2", "10.5.0.1", 64, 200, 17},
		 SKEP_FORWARD_BLACKHOLE},
		{"a rule of a service",
		 RULES("rule 5 tos 16 prohibit"),
		 USUAL,
		 {"10.0.1.2", "10.3.0.1", 64, 100, 17, .tos = 16},
		 SKEP_FORWARD_PROHIBITED},
		{"a route of a service",
		 "blackhole 10.3.0.0/16 tos 16\n",
		 USUAL,
		 {"10.0.1.2", "10.3.0.1", 64, 100, 17, .tos = 16},
		 SKEP_FORWARD_BLACKHOLE},
		{"a destination's rule",
		 RULES("rule 5 to 10.3.7.0/24 unreachable"),
		 USUAL,
		 {"10.0.1.2", "10.3.7.1", 64, 100, 17},
		 SKEP_FORWARD_NO_ROUTE},
		{"a longer prefix",
		 "prohibit 10.3.7.0/24\n",
		 USUAL,
		 {"10.0.1.2", "10.3.7.1", 64, 100, 17},
		 SKEP_FORWARD_PROHIBITED},
		{"a route that throws back",
		 "throw 10.3.7.0/24\n",
		 USUAL,
		 {"10.0.1.2", "10.3.7.1", 64, 100, 17},
		 SKEP_FORWARD_NO_ROUTE},
		{"our own source",
		 "",
		 USUAL,
		 {"10.0.2.1", "10.3.0.1", 64, 100, 17},
		 SKEP_FORWARD_MARTIAN_SOURCE},
		{"the last hop",
		 "",
		 USUAL,
		 {"10.0.1.2", "10.3.0.1", 1, 100, 17},
		 SKEP_FORWARD_TTL},
		{"a route's MTU",
		 "",
		 USUAL,
		 {"10.0.1.2", "10.8.0.1", 64, 700, 17},
		 SKEP_FORWARD_TOO_BIG},
		{"all stations",
		 "",
		 USUAL,
		 {"10.0.1.2", "10.3.0.1", 64, 100, 17, .to_all = true},
		 SKEP_FORWARD_BROADCAST},
		{"a source of the link",
		 "",
		 {"fd00:1::2", "fd03::1", 64, 100, 17},
		 {"fe80::2", "fd03::1", 64, 100, 17},
		 SKEP_FORWARD_LINK_LOCAL},
		{"a neighbour beside",
		 "",
		 {"10.0.1.2", "10.0.2.2", 64, 100, 17},
		 {"10.0.1.2", "10.0.2.9", 64, 100, 17},
		 SKEP_FORWARD_NO_NEIGHBOUR},
	};
	uint64_t counts[SKEP_FORWARD_COUNTS];

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct packet_in *usual = &rows[i].usual, *other = &rows[i].other;
		const struct packet_in *packets[] = {usual, usual, other, usual, other, usual};
		char text[2048];

		write_packets(packets, ARRAY_SIZE(packets));
		snprintf(text, sizeof(text), "%s%s", rows_of_all, rows[i].rows);
		open_router(text);
		attach_marks();
		move();
		counts_of(lan, counts);
		if (counts[SKEP_FORWARD_FORWARDED] != 4 || counts[rows[i].count] != 2)
			fail_msg("%s: %llu forwarded, %llu %s", rows[i].name,
				 (unsigned long long)counts[SKEP_FORWARD_FORWARDED],
				 (unsigned long long)counts[rows[i].count],
				 skep_forward_name(rows[i].count));
		close_router();
	}
	assert_int_equal(skep_routes_set(world.engine, "", 0, NULL), 0);
}

/* Between two batches: what was forwarded until then. */
static int take_route_away(void *cookie)
{
	uint64_t counts[SKEP_FORWARD_COUNTS], *forwarded = cookie;
	char text[2048];

	counts_of(lan, counts);
	if (*forwarded || !counts[SKEP_FORWARD_FORWARDED])
		return 0;
	*forwarded = counts[SKEP_FORWARD_FORWARDED];
	snprintf(text, sizeof(text), "%sblackhole 10.3.0.0/24\n", rows_of_all);
	return skep_routes_set(world.engine, text, strlen(text), NULL);
}

static void changes_are_seen_at_once(void **state)
{
	static const struct packet_in usual = USUAL, other = {"10.0.1.2", "10.3.0.7", 64, 100};
	uint64_t counts[SKEP_FORWARD_COUNTS], forwarded = 0;
	struct skep_ports_run_opts opts = {.sz = sizeof(opts),
					   .interval_ns = 1,
					   .tick = take_route_away,
					   .cookie = &forwarded};
	const struct packet_in *packets[512];

	for (u32 i = 0; i < ARRAY_SIZE(packets); i++)
		packets[i] = i % 2 ? &usual : &other;
	write_packets(packets, ARRAY_SIZE(packets));
	open_router(rows_of_all);
	assert_int_equal(skep_ports_run(world.engine, &opts, NULL), 0);
	counts_of(lan, counts);
	assert_true(forwarded > 0 && forwarded < ARRAY_SIZE(packets));
	assert_int_equal(counts[SKEP_FORWARD_FORWARDED], forwarded);
	assert_int_equal(counts[SKEP_FORWARD_BLACKHOLE], ARRAY_SIZE(packets) - forwarded);
	close_router();
	assert_int_equal(skep_routes_set(world.engine, "", 0, NULL), 0);
}

/* --- bpf_fib_lookup() asks the same tables --- */
static void get_is_what_is_taken(void **state)
{
	static const struct {
		const char *to, *type;
		int device, code;
	} rows[] = {{"10.3.1.1", "unicast", 2, 0},   {"10.0.1.1", "local", 1, 0},
		    {"10.5.1.1", "blackhole", 0, 0}, {"10.0.2.255", "broadcast", 2, 0},
		    {"fd03::1", "unicast", 2, 0},    {"192.0.2.1", NULL, 0, -ENETUNREACH}};

	write_capture((const u8 *)"", 0);
	open_router(rows_of_all);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct skep_route_answer answer = {.sz = sizeof(answer)};
		const int family = strchr(rows[i].to, ':') ? AF_INET6 : AF_INET;
		u8 address[16];

		inet_pton(family, rows[i].to, address);
		assert_int_equal(skep_route_get(world.engine, family, address, &answer),
				 rows[i].code);
		if (rows[i].code)
			continue;
		assert_string_equal(answer.type, rows[i].type);
		assert_int_equal(answer.ifindex, rows[i].device);
	}
	assert_int_equal(skep_route_get(world.engine, 1, "", NULL), -EAFNOSUPPORT);
	close_router();
}

/* --- packets from hell --- */
static u32 next_random(u64 *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(*state >> 33);
}

static void hell_is_counted(void **state)
{
	static const struct packet_in kinds[] = {
		{"10.0.1.2", "10.0.2.2", 64, 200, 17},
		{"10.0.1.2", "10.0.1.1", 64, 200, 1, 8},
		{"10.0.1.2", "10.0.2.9", 1, 200, 17},
		{"fd00:1::2", "fd00:2::2", 64, 200, 6},
		{"fd00:1::2", "fd00:1::1", 255, 200, 58, 135},
		{"fd00:1::2", "fd08::1", 64, 1400, 58, 128},
		{"10.0.1.2", "10.8.0.1", 64, 1400, 17, 0, true},
		{"10.0.1.2", "10.10.0.1", 64, 200, 17}};
	const int prog = load_kind(
		&world, (struct program_kind){.type = BPF_PROG_TYPE_LWT_XMIT, .name = "lwt"},
		ENCAP("128"), NULL);
	struct capture_writer writer;
	uint64_t counts[SKEP_FORWARD_COUNTS], packets = 0;
	u8 frame[FRAME_MAX];
	u64 random = 7;
	char text[2048];

	assert_int_equal(capture_create(&writer, in_path, NULL), 0);
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		const u32 whole = make_frame(frame, &kinds[i]);

		for (u32 length = 0; length <= whole; length++, packets++)
			capture_write(&writer, frame, length, length, packets);
		for (u32 n = 0; n < 3000; n++, packets++) {
			make_frame(frame, &kinds[i]);
			for (u32 flips = next_random(&random) % 8 + 1; flips; flips--)
				frame[12 + next_random(&random) % 60] = next_random(&random);
			if (n % 2 && kinds[i].to[0] == '1') {
				put_sum(frame + 24, 0);
				put_sum(frame + 24,
					sum_fold(sum_add(0, frame + 14, (frame[14] & 15) * 4)));
			}
			capture_write(&writer, frame, whole, whole, packets);
		}
	}
	assert_int_equal(capture_finish(&writer), 0);
	snprintf(text, sizeof(text),
		 "%s10.10.0.0/16 via 10.0.2.2 encap bpf xmit lwt dev port2\n", rows_of_all);
	open_router(text);
	move();
	counts_of(lan, counts);
	assert_int_equal(counts[SKEP_FORWARD_PACKETS], packets);
	assert_true(counts[SKEP_FORWARD_FORWARDED] > 100);
	assert_true(counts[SKEP_FORWARD_LIMITED] > 100);
	close_router();
	assert_int_equal(skep_routes_set(world.engine, "", 0, NULL), 0);
	close(prog);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(packets_go_where_they_should),
		TEST(neighbours_are_asked),
		TEST(arp_is_answered),
		TEST(programs_of_routes_run),
		TEST(the_usual_way_is_not_everybodys),
		TEST(changes_are_seen_at_once),
		TEST(get_is_what_is_taken),
		TEST(hell_is_counted),
	};

	return cmocka_run_group_tests_name("net.forward", tests, make_files, remove_files);
}
