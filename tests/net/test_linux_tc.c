/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tc programs on packets: in Linux at interfaces of a network of the test's own, in skep at
 * ports. What programs read of their context, what their verdicts do, and the bytes that leave
 * are the same.
 */
#include "net/capture.h"
#include "tests/sys/programs.h"

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <skep/attach.h>
#include <skep/route.h>
#include <sys/socket.h>

#define FRAMES_MAX 48
#define FRAME_MAX  256

struct frames {
	u32 count;
	u32 lengths[FRAMES_MAX];
	u8 bytes[FRAMES_MAX][FRAME_MAX];
};

/*
 * Frames go in at the first interface, and are seen leaving by the second. Linux: each is the
 * one end of a veth pair, of whose other ends `in` sends and `out` receives; `flush` is a pair
 * beside them.
 */
struct network {
	struct world *world;
	u32 ifindex[2];
	int in, out, flush_in, flush_out;
	char in_path[40], out_path[40];
	int links[16];
	u32 link_count;
	struct bpf_tc_hook hooks[16];
	struct bpf_tc_opts filters[16];
	u32 filter_count;
};

static const char *const commands[] = {
	"ip link set lo up",
	"ip link add in type veth peer name port0 address 02:00:00:00:00:01",
	"ip link add out type veth peer name port1 address 02:00:00:00:00:02",
	"ip link add flush type veth peer name hsulf",
	("for i in in port0 out port1 flush hsulf; do"
	 " ip link set $i addrgenmode none promisc on up || exit 1; done"),
};

static int open_socket(const char *name)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_ALL),
				      .sll_ifindex = (int)if_nametoindex(name)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1;

	assert_true(fd >= 0 && address.sll_ifindex);
	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
	setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void open_interfaces(struct network *network)
{
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		assert_int_equal(system(commands[i]), 0);
	network->ifindex[0] = if_nametoindex("port0");
	network->ifindex[1] = if_nametoindex("port1");
	network->in = open_socket("in");
	network->out = open_socket("out");
	network->flush_in = open_socket("flush");
	network->flush_out = open_socket("hsulf");
}

static void close_interfaces(struct network *network)
{
	close(network->in);
	close(network->out);
	close(network->flush_in);
	close(network->flush_out);
	assert_int_equal(system("ip link del in && ip link del out && ip link del flush"), 0);
}

static void network_open(struct world *world, struct network *network)
{
	*network = (struct network){.world = world};
	if (!world->engine) {
		open_interfaces(network);
		return;
	}
	strcpy(network->in_path, "/tmp/skep-tc-in-XXXXXX");
	strcpy(network->out_path, "/tmp/skep-tc-out-XXXXXX");
	close(mkstemp(network->in_path));
	close(mkstemp(network->out_path));
}

static void network_close(struct network *network)
{
	if (!network->world->engine) {
		close_interfaces(network);
		return;
	}
	unlink(network->in_path);
	unlink(network->out_path);
}

/* --- skep: a capture in, a capture out --- */

static void write_frames(const struct network *network, const struct frames *frames)
{
	struct capture_writer writer;

	assert_int_equal(capture_create(&writer, network->in_path, NULL), 0);
	for (u32 i = 0; i < frames->count; i++)
		assert_int_equal(capture_write(&writer, frames->bytes[i], frames->lengths[i],
					       frames->lengths[i], 0),
				 0);
	assert_int_equal(capture_finish(&writer), 0);
}

static void open_ports(struct network *network, const struct frames *frames)
{
	static const char routes[] = "device 1 name port0 address 02:00:00:00:00:01\n"
				     "device 2 name port1 address 02:00:00:00:00:02\n";
	char spec[64];

	write_frames(network, frames);
	snprintf(spec, sizeof(spec), "pcap:%s", network->in_path);
	network->ifindex[0] = (u32)skep_port_open(network->world->engine, spec, NULL);
	snprintf(spec, sizeof(spec), "gen:count=1,out=%s", network->out_path);
	network->ifindex[1] = (u32)skep_port_open(network->world->engine, spec, NULL);
	assert_int_equal(network->ifindex[0], 1);
	assert_int_equal(network->ifindex[1], 2);
	assert_int_equal(skep_routes_set(network->world->engine, routes, strlen(routes), NULL),
			 0);
}

/* The port that is only sent to makes a frame of its own, which its XDP program drops. */
static void move_frames(struct network *network)
{
	static const struct skep_attach_opts opts = {.sz = sizeof(opts)};
	int prog = load_text(network->world, BPF_PROG_TYPE_XDP, "r0 = 1\nexit", NULL);
	int link = skep_attach(network->world->engine, (int)network->ifindex[1], prog, &opts);

	assert_true(link >= 0);
	assert_int_equal(skep_ports_run(network->world->engine, NULL, NULL), 0);
	close(link);
	close(prog);
}

static void keep(struct frames *out, const u8 *bytes, u32 length)
{
	assert_true(out->count < FRAMES_MAX && length <= FRAME_MAX);
	memcpy(out->bytes[out->count], bytes, length);
	out->lengths[out->count++] = length;
}

static void read_frames(const struct network *network, struct frames *out)
{
	struct capture_packet packet;
	struct capture_reader reader;

	assert_int_equal(capture_open(&reader, network->out_path, NULL), 0);
	while (capture_next(&reader, &packet, NULL) == 1)
		keep(out, packet.data, packet.length);
	capture_close(&reader);
}

/* --- Linux: sockets --- */

/* All that was sent before, however far it came by then, has gone on by one step: interfaces of
 * one CPU share a queue. */
static void flush_queues(struct network *network)
{
	static const u8 frame[60] = {[12] = 0x88, 0xb5, 0x42};
	u8 got[FRAME_MAX];

	for (u32 round = 0; round < 4; round++) {
		assert_int_equal(send(network->flush_in, frame, sizeof(frame), 0),
				 sizeof(frame));
		do
			assert_true(recv(network->flush_out, got, sizeof(got), 0) > 0);
		while (got[12] != 0x88 || got[13] != 0xb5 || got[14] != 0x42);
	}
}

/* A frame with the tag that was taken out of it. */
static bool receive(int fd, struct frames *out)
{
	u8 bytes[FRAME_MAX], control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct iovec vector = {bytes, sizeof(bytes) - 4};
	struct msghdr message = {.msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	const struct tpacket_auxdata *aux;

	if (length < 0)
		return false;
	/* The host's own: it joins multicast groups of its IPv6 addresses. */
	if (bytes[0] == 0x33 && bytes[1] == 0x33)
		return true;
	assert_true(header && header->cmsg_type == PACKET_AUXDATA);
	aux = (const void *)CMSG_DATA(header);
	if (aux->tp_status & TP_STATUS_VLAN_VALID) {
		const u16 tag[2] = {htons(aux->tp_vlan_tpid), htons(aux->tp_vlan_tci)};

		memmove(bytes + 16, bytes + 12, (size_t)length - 12);
		memcpy(bytes + 12, tag, sizeof(tag));
		length += 4;
	}
	keep(out, bytes, (u32)length);
	return true;
}

static void send_frames(struct network *network, const struct frames *frames,
			struct frames *out)
{
	for (u32 i = 0; i < frames->count; i++) {
		assert_int_equal(send(network->in, frames->bytes[i], frames->lengths[i], 0),
				 frames->lengths[i]);
		flush_queues(network);
		while (receive(network->out, out))
			;
	}
}

/* --- both --- */

enum direction { INGRESS, EGRESS };

static void attach_tcx(struct network *network, u32 at, enum direction direction, int prog)
{
	union bpf_attr attr = {.link_create = {.prog_fd = (u32)prog,
					       .target_ifindex = network->ifindex[at],
					       .attach_type = direction == INGRESS
								      ? BPF_TCX_INGRESS
								      : BPF_TCX_EGRESS}};
	int link = bpf(network->world, BPF_LINK_CREATE, &attr);

	assert_true(link >= 0);
	network->links[network->link_count++] = link;
}

static void attach_filter(struct network *network, u32 at, enum direction direction, int prog)
{
	const struct skep_attach_opts opts = {
		.sz = sizeof(opts),
		.place = direction == INGRESS ? SKEP_HOOK_TC_INGRESS : SKEP_HOOK_TC_EGRESS,
		.priority = 1 + network->filter_count};
	struct bpf_tc_hook *hook = &network->hooks[network->filter_count];
	struct bpf_tc_opts *filter = &network->filters[network->filter_count++];
	int link;

	if (network->world->engine) {
		link = skep_attach(network->world->engine, (int)network->ifindex[at], prog,
				   &opts);
		assert_true(link >= 0);
		network->links[network->link_count++] = link;
		return;
	}
	*hook = (struct bpf_tc_hook){.sz = sizeof(*hook),
				     .ifindex = (int)network->ifindex[at],
				     .attach_point = direction == INGRESS ? BPF_TC_INGRESS
									  : BPF_TC_EGRESS};
	*filter = (struct bpf_tc_opts){
		.sz = sizeof(*filter), .prog_fd = prog, .priority = network->filter_count};
	bpf_tc_hook_create(hook);
	assert_int_equal(bpf_tc_attach(hook, filter), 0);
}

static void detach_all(struct network *network)
{
	for (u32 i = 0; i < network->link_count; i++)
		close(network->links[i]);
	for (u32 i = 0; i < network->filter_count && !network->world->engine; i++) {
		struct bpf_tc_hook *hook = &network->hooks[i];

		hook->attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
		bpf_tc_hook_destroy(hook);
	}
	network->link_count = network->filter_count = 0;
}

/* Attaches through the callback, lets the frames through, gives back what left. */
static void run(struct network *network, const struct frames *frames, struct frames *out,
		void (*attach)(struct network *network, void *cookie), void *cookie)
{
	out->count = 0;
	if (network->world->engine)
		open_ports(network, frames);
	attach(network, cookie);
	if (network->world->engine)
		move_frames(network);
	else
		send_frames(network, frames, out);
	detach_all(network);
	if (!network->world->engine)
		return;
	for (u32 i = 0; i < 2; i++)
		skep_port_close(network->world->engine, (int)network->ifindex[i]);
	read_frames(network, out);
}

static void note_frames(struct world *world, const struct frames *frames, const char *what)
{
	note(world, frames->count, "%s: frames", what);
	for (u32 i = 0; i < frames->count; i++) {
		note(world, frames->lengths[i], "%s: length %u", what, i);
		for (u32 at = 0; at < frames->lengths[i]; at += 8) {
			u64 word = 0;

			memcpy(&word, frames->bytes[i] + at, min(8u, frames->lengths[i] - at));
			note(world, (long long)word, "%s: frame %u at %u", what, i, at);
		}
	}
}

static int load_tc(struct world *world, const char *text, const int *maps)
{
	const int fd = load_text(world, BPF_PROG_TYPE_SCHED_CLS, text, maps);

	if (fd < 0)
		fail_msg("%s: %d", text, fd);
	return fd;
}

/* --- frames --- */

static u8 *add_frame(struct frames *frames, const char *hex)
{
	u8 *bytes = frames->bytes[frames->count];
	u32 length = 0;

	for (; *hex; hex++) {
		unsigned byte;

		if (*hex == ' ')
			continue;
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		bytes[length++] = (u8)byte;
		hex++;
	}
	frames->lengths[frames->count++] = length;
	return bytes;
}

#define TO_US "020000000001 020000000009 "
#define IPV4 \
	"4500002e00010000401100000a0000010a000002 03e807d0001a0000 000102030405060708090a0b0c0d0e0f1011"
#define IPV6 \
	"6000000000083a40 fd000000000000000000000000000001 fd000000000000000000000000000002 8000000000000000"

static const char *const samples[] = {
	TO_US "0800" IPV4,
	TO_US "86dd" IPV6,
	"020000000077 020000000009 0800" IPV4,
	"ffffffffffff 020000000009 0800" IPV4,
	"01005e000001 020000000009 0800" IPV4,
	TO_US "0806 0001080006040001020000000009 0a000001 000000000000 0a000002",
	TO_US "88b5 00112233445566778899",
	TO_US "0026 4242030000000000000000000000000000000000",
	TO_US "0026 ffff000000000000000000000000000000000000",
	TO_US "8100 0007 0800" IPV4,
	TO_US "8100 e123 86dd" IPV6,
	TO_US "8100 0000 0800" IPV4,
	TO_US "88a8 0005 8100 0006 0800" IPV4,
	TO_US "8100 0005 8100 0006 0800" IPV4,
	TO_US "8100 0005 0026 ffff000000000000000000000000000000000000",
	TO_US "0800",
	TO_US "0800 45",
};

/* The last ones: without a network header. */
#define SHORT_SAMPLES 2

static void all_samples(struct frames *out)
{
	out->count = 0;
	for (u32 i = 0; i < ARRAY_SIZE(samples); i++)
		add_frame(out, samples[i]);
}

/* --- the context --- */

#define RECORD	40 /* words of a record */
#define RECORDS FRAMES_MAX

static const struct {
	const char *name;
	u32 offset, size;
} fields[] = {
#define READ(member)                                            \
	{                                                       \
#member, offsetof(struct __sk_buff, member),    \
			sizeof(((struct __sk_buff *)0)->member) \
	}
	READ(len),	  READ(pkt_type),     READ(mark),     READ(queue_mapping),
	READ(protocol),	  READ(vlan_present), READ(vlan_tci), READ(vlan_proto),
	READ(priority),	  READ(tc_index),     READ(cb[0]),    READ(cb[1]),
	READ(cb[2]),	  READ(cb[3]),	      READ(cb[4]),    READ(hash),
	READ(tc_classid), READ(napi_id),      READ(wire_len), READ(gso_segs),
	READ(gso_size),	  READ(hwtstamp),
#undef READ
};
/* Behind these: ifindex and ingress_ifindex as roles, data_meta == data, 16 bytes of the
 * packet. */

/* Writes a record for each packet, and returns the verdict. Maps: 0 a counter, 1 records. */
static int load_recorder(struct world *world, const int *maps, const char *before, int verdict)
{
	char text[4096];
	int length = 0;

#define ADD(...) length += snprintf(text + length, sizeof(text) - (size_t)length, __VA_ARGS__)
	ADD("r6 = r1\n%s", before);
	ADD("*(u32 *)(r10 - 4) = 0\nr2 = r10\nr2 += -4\nr1 = map_fd 0 ll\ncall 1\n"
	    "if r0 != 0 goto +2\nr0 = %d\nexit\nr1 = *(u64 *)(r0 + 0)\nr2 = r1\nr2 += 1\n"
	    "*(u64 *)(r0 + 0) = r2\n*(u32 *)(r10 - 4) = r1\nr2 = r10\nr2 += -4\n"
	    "r1 = map_fd 1 ll\ncall 1\nif r0 != 0 goto +2\nr0 = %d\nexit\nr7 = r0\n",
	    verdict, verdict);
	for (u32 i = 0; i < ARRAY_SIZE(fields); i++)
		ADD("r2 = *(%s *)(r6 + %u)\n*(u64 *)(r7 + %u) = r2\n",
		    fields[i].size == 8 ? "u64" : "u32", fields[i].offset, 8 * i);
	ADD("r2 = *(u32 *)(r6 + %zu)\n*(u64 *)(r7 + 256) = r2\n",
	    offsetof(struct __sk_buff, ifindex));
	ADD("r2 = *(u32 *)(r6 + %zu)\n*(u64 *)(r7 + 264) = r2\n",
	    offsetof(struct __sk_buff, ingress_ifindex));
	ADD("r2 = *(u32 *)(r6 + %zu)\nr3 = *(u32 *)(r6 + %zu)\nr3 -= r2\n*(u64 *)(r7 + 272) = r3\n",
	    offsetof(struct __sk_buff, data_meta), offsetof(struct __sk_buff, data));
	ADD("r1 = r6\nr2 = 0\nr3 = r7\nr3 += 280\nr4 = 24\ncall 26\nr0 = %d\nexit", verdict);
#undef ADD
	return load_tc(world, text, maps);
}

static int make_array(struct world *world, u32 size, u32 entries)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = 4,
			       .value_size = size,
			       .max_entries = entries};
	int map = bpf(world, BPF_MAP_CREATE, &attr);

	assert_true(map >= 0);
	return map;
}

static void make_maps(struct world *world, int *maps)
{
	maps[0] = make_array(world, 8, 1);
	maps[1] = make_array(world, RECORD * 8, RECORDS);
}

static void read_entry(struct world *world, int map, u32 key, void *value)
{
	union bpf_attr attr = {
		.map_fd = map, .key = ptr_to_u64(&key), .value = ptr_to_u64(value)};

	assert_int_equal(bpf(world, BPF_MAP_LOOKUP_ELEM, &attr), 0);
}

static int role(const struct network *network, u64 ifindex)
{
	return ifindex == network->ifindex[0]	? 100
	       : ifindex == network->ifindex[1] ? 101
						: (int)ifindex;
}

/* Notes the records and closes the maps. */
static void note_records(struct network *network, int *maps, const char *what)
{
	u64 count, record[RECORD];

	read_entry(network->world, maps[0], 0, &count);
	note(network->world, (long long)count, "%s: packets", what);
	for (u32 i = 0; i < count; i++) {
		read_entry(network->world, maps[1], i, record);
		for (u32 field = 0; field < ARRAY_SIZE(fields); field++)
			note(network->world, (long long)record[field], "%s %u: %s", what, i,
			     fields[field].name);
		note(network->world, role(network, record[32]), "%s %u: ifindex", what, i);
		note(network->world, role(network, record[33]), "%s %u: ingress_ifindex", what,
		     i);
		for (u32 word = 34; word < 38; word++)
			note(network->world, (long long)record[word], "%s %u: word %u", what, i,
			     word);
	}
	close(maps[0]);
	close(maps[1]);
}

static void attach_at_ingress(struct network *network, void *prog)
{
	attach_tcx(network, 0, INGRESS, *(int *)prog);
}

static void the_context(struct world *world)
{
	struct network network;
	struct frames in, out;
	int maps[2], prog;

	network_open(world, &network);
	all_samples(&in);
	make_maps(world, maps);
	prog = load_recorder(world, maps, "", 2);
	run(&network, &in, &out, attach_at_ingress, &prog);
	note_records(&network, maps, "ingress");
	close(prog);
	network_close(&network);
}

/* --- redirects, and what programs made of packets before --- */

struct redirects {
	int progs[4]; /* ingress of the first, ingress and egress of the second; 0: none */
};

static void attach_redirects(struct network *network, void *cookie)
{
	const struct redirects *redirects = cookie;

	attach_tcx(network, 0, INGRESS, redirects->progs[0]);
	if (redirects->progs[1])
		attach_tcx(network, 1, INGRESS, redirects->progs[1]);
	if (redirects->progs[2])
		attach_tcx(network, 1, EGRESS, redirects->progs[2]);
}

/* Each changes the packet; r6 is the context. */
static const char *const changes[] = {
	"",
	/* mark, priority, cb, tc_index, tc_classid */
	("r2 = 7\n*(u32 *)(r6 + 8) = r2\n*(u32 *)(r6 + 32) = r2\n*(u32 *)(r6 + 48) = r2\n"
	 "*(u32 *)(r6 + 44) = r2\n*(u32 *)(r6 + 72) = r2\n"),
	/* a VLAN tag is put on, put on twice, taken off */
	"r1 = r6\nr2 = 0x81\nr3 = 0x123\ncall 18\n",
	"r1 = r6\nr2 = 0x81\nr3 = 0x123\ncall 18\nr1 = r6\nr2 = 0xa888\nr3 = 0x456\ncall 18\n",
	"r1 = r6\ncall 19\n",
	/* longer in front, longer behind, shorter behind, but not in Linux's idea of headers */
	"r1 = r6\nr2 = 14\nr3 = 0\ncall 43\n",
	"r1 = r6\nr2 = 80\nr3 = 0\ncall 38\n",
	"r1 = r6\nr2 = 56\nr3 = 0\ncall 38\n",
	/* room behind the link layer's header */
	"r1 = r6\nr2 = 20\nr3 = 1\nr4 = 0\ncall 50\n",
	"r1 = r6\nr2 = -8\nr3 = 1\nr4 = 0\ncall 50\n",
	/* another type, another protocol */
	"r1 = r6\nr2 = 0\ncall 32\n",
	"r1 = r6\nr2 = 0xdd86\nr3 = 0\ncall 31\n",
};

static int load_redirect(struct world *world, const char *change, const char *call)
{
	char text[1024];

	snprintf(text, sizeof(text), "r6 = r1\n%s%sexit", change, call);
	return load_tc(world, text, NULL);
}

/* What arrives at the other interface's egress and leaves it, and for `flags` 1 at its ingress.
 */
static void redirect_all(struct network *network, const char *change, u32 flags, u32 number)
{
	struct world *world = network->world;
	struct redirects redirects = {};
	struct frames in, out;
	char call[80], what[32];
	int maps[2];

	snprintf(what, sizeof(what), "change %u, %s", number, flags ? "ingress" : "egress");
	snprintf(call, sizeof(call), "r1 = %u\nr2 = %u\ncall 23\n",
		 world->engine ? 2 : network->ifindex[1], flags);
	all_samples(&in);
	make_maps(world, maps);
	redirects.progs[0] = load_redirect(world, change, call);
	redirects.progs[1] = flags ? load_recorder(world, maps, "", 2) : 0;
	redirects.progs[2] = flags ? 0 : load_recorder(world, maps, "", 0);
	run(network, &in, &out, attach_redirects, &redirects);
	note_records(network, maps, what);
	note_frames(world, &out, what);
	for (u32 i = 0; i < 3; i++)
		if (redirects.progs[i])
			close(redirects.progs[i]);
}

static void redirects(struct world *world)
{
	struct network network;

	network_open(world, &network);
	for (u32 i = 0; i < ARRAY_SIZE(changes); i++) {
		redirect_all(&network, changes[i], 0, i);
		redirect_all(&network, changes[i], 1, i);
	}
	network_close(&network);
}

static void clones(struct world *world)
{
	struct network network;
	struct redirects redirects = {};
	struct frames in, out;
	char call[128];
	int maps[2];

	network_open(world, &network);
	for (u32 i = 0; i < 3; i++) {
		snprintf(call, sizeof(call),
			 "r1 = r6\nr2 = %u\nr3 = 0\ncall 13\nr1 = %u\nr2 = 0\ncall 23\n",
			 world->engine ? 2 : network.ifindex[1],
			 world->engine ? 2 : network.ifindex[1]);
		all_samples(&in);
		make_maps(world, maps);
		redirects.progs[0] = load_redirect(world, changes[i], call);
		redirects.progs[2] = load_recorder(world, maps, "", 0);
		run(&network, &in, &out, attach_redirects, &redirects);
		note_records(&network, maps, "clones");
		note_frames(world, &out, "clones");
		close(redirects.progs[0]);
		close(redirects.progs[2]);
	}
	network_close(&network);
}

/* --- the next hop's addresses --- */
static const char *const neighbours[] = {
	"ip address add 10.0.0.9/24 dev port1",
	"ip -6 address add fd00::9/64 dev port1 nodad",
	"ip neighbour add 10.0.0.2 dev port1 lladdr 02:00:00:00:00:77 nud permanent",
	"ip neighbour add 10.0.0.3 dev port1 lladdr 02:00:00:00:00:78 nud permanent",
	"ip -6 neighbour add fd00::2 dev port1 lladdr 02:00:00:00:00:79 nud permanent",
};

static const char neighbour_text[] = "device 1 name port0 address 02:00:00:00:00:01\n"
				     "device 2 name port1 address 02:00:00:00:00:02\n"
				     "address 10.0.0.9/24 dev port1\n"
				     "address fd00::9/64 dev port1\n"
				     "neighbour 10.0.0.2 dev port1 lladdr 02:00:00:00:00:77\n"
				     "neighbour 10.0.0.3 dev port1 lladdr 02:00:00:00:00:78\n"
				     "neighbour fd00::2 dev port1 lladdr 02:00:00:00:00:79\n";

static void attach_with_neighbours(struct network *network, void *prog)
{
	if (network->world->engine)
		assert_int_equal(skep_routes_set(network->world->engine, neighbour_text,
						 strlen(neighbour_text), NULL),
				 0);
	attach_at_ingress(network, prog);
}

static void next_hops(struct world *world)
{
	/* as the routes say; two of IPv4 by name, one that nobody knows, one of IPv6 */
	static const char *const hops[] = {
		"r2 = 0\nr3 = 0\n",
		"*(u32 *)(r10 - 24) = 2\n*(u32 *)(r10 - 20) = 0x0200000a\nr2 = r10\nr2 += -24\nr3 = 20\n",
		"*(u32 *)(r10 - 24) = 2\n*(u32 *)(r10 - 20) = 0x0300000a\nr2 = r10\nr2 += -24\nr3 = 20\n",
		("*(u32 *)(r10 - 24) = 10\n*(u32 *)(r10 - 20) = 0xfd\n*(u32 *)(r10 - 8) = 0x02000000\n"
		 "r2 = r10\nr2 += -24\nr3 = 20\n"),
	};
	struct network network;
	struct frames in, out;

	network_open(world, &network);
	for (u32 i = 0; i < ARRAY_SIZE(neighbours) && !world->engine; i++)
		assert_int_equal(system(neighbours[i]), 0);
	for (u32 i = 0; i < ARRAY_SIZE(hops); i++) {
		char text[400];
		int prog;

		snprintf(text, sizeof(text),
			 "r6 = r1\n*(u64 *)(r10 - 24) = 0\n*(u64 *)(r10 - 16) = 0\n"
			 "*(u64 *)(r10 - 8) = 0\n%sr1 = %u\nr4 = 0\ncall 152\nexit",
			 hops[i], world->engine ? 2 : network.ifindex[1]);
		all_samples(&in);
		in.count -= SHORT_SAMPLES; /* Linux reads addresses behind their ends */
		prog = load_tc(world, text, NULL);
		run(&network, &in, &out, attach_with_neighbours, &prog);
		note_frames(world, &out, "next hop");
		close(prog);
	}
	network_close(&network);
}

/* --- verdicts --- */

struct verdicts {
	int redirect; /* at the first's ingress: to the second's egress */
	int progs[2]; /* there, one behind the other */
	bool are_filters[2];
};

static void attach_verdicts(struct network *network, void *cookie)
{
	const struct verdicts *verdicts = cookie;

	attach_tcx(network, 0, INGRESS, verdicts->redirect);
	for (u32 i = 0; i < 2; i++)
		if (verdicts->are_filters[i])
			attach_filter(network, 1, EGRESS, verdicts->progs[i]);
		else
			attach_tcx(network, 1, EGRESS, verdicts->progs[i]);
}

static void try_verdicts(struct network *network, const s32 *results, u32 filters)
{
	struct world *world = network->world;
	struct verdicts verdicts = {.are_filters = {filters & 1, filters & 2}};
	struct frames in = {}, out;
	int maps[2];
	char call[80];
	u64 ran[2];

	snprintf(call, sizeof(call), "r1 = %u\nr2 = 0\ncall 23\n",
		 world->engine ? 2 : network->ifindex[1]);
	add_frame(&in, samples[0]);
	verdicts.redirect = load_redirect(world, "", call);
	for (u32 i = 0; i < 2; i++) {
		char text[300];

		maps[i] = make_array(world, 8, 1);
		snprintf(text, sizeof(text),
			 "*(u32 *)(r10 - 4) = 0\nr2 = r10\nr2 += -4\nr1 = map_fd 0 ll\ncall 1\n"
			 "if r0 == 0 goto +2\nr1 = 1\nlock *(u64 *)(r0 + 0) += r1\n"
			 "r0 = %d\nexit",
			 results[i]);
		verdicts.progs[i] = load_tc(world, text, &maps[i]);
	}
	run(network, &in, &out, attach_verdicts, &verdicts);
	for (u32 i = 0; i < 2; i++) {
		read_entry(world, maps[i], 0, &ran[i]);
		note(world, (long long)ran[i], "%d, %d filters %u: runs of %u", results[0],
		     results[1], filters, i);
		close(maps[i]);
		close(verdicts.progs[i]);
	}
	note(world, out.count, "%d, %d filters %u: left", results[0], results[1], filters);
	close(verdicts.redirect);
}

static void verdicts(struct world *world)
{
	static const s32 results[] = {-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12345, -7};
	struct network network;

	network_open(world, &network);
	for (u32 i = 0; i < ARRAY_SIZE(results); i++)
		for (u32 filters = 0; filters < 4; filters++) {
			if (filters == 1) /* filters run behind tcx in any case */
				continue;
			try_verdicts(&network, (s32[]){results[i], 2}, filters);
			try_verdicts(&network, (s32[]){-1, results[i]}, filters);
		}
	network_close(&network);
}

static bool is_alone(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	return !unshare(CLONE_NEWNET) && !sched_setaffinity(0, sizeof(one), &one);
}

SCENARIO_IF(the_context, is_alone())
SCENARIO_IF(redirects, is_alone())
SCENARIO_IF(clones, is_alone())
SCENARIO_IF(next_hops, is_alone())
SCENARIO_IF(verdicts, is_alone())

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_context), cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_clones),	    cmocka_unit_test(test_next_hops),
		cmocka_unit_test(test_verdicts),
	};

	libbpf_set_print(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
