/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data of sockets in maps goes through programs: the same traffic in Linux and in skep, where
 * src/relay drives the sockets. All sockets are the test's own, on the loopback device. Run
 * with the preload library, the same compares what that does with what the library does.
 */
#include "tests/sys/programs.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <skep/socket.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define WAIT_MS 20000

/* --- bpf(2) --- */

static int make(struct world *world, u32 type)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = 4, .value_size = 4, .max_entries = 8};

	return bpf(world, BPF_MAP_CREATE, &attr);
}

static int update(struct world *world, int map, u32 key, int fd, u64 flags)
{
	union bpf_attr attr = {.map_fd = map,
			       .key = ptr_to_u64(&key),
			       .value = ptr_to_u64(&fd),
			       .flags = flags};

	return bpf(world, BPF_MAP_UPDATE_ELEM, &attr);
}

static int delete (struct world *world, int map, u32 key)
{
	union bpf_attr attr = {.map_fd = map, .key = ptr_to_u64(&key)};

	return bpf(world, BPF_MAP_DELETE_ELEM, &attr);
}

static int array_value(struct world *world, int map, u32 key)
{
	u32 value = 0;
	union bpf_attr attr = {
		.map_fd = map, .key = ptr_to_u64(&key), .value = ptr_to_u64(&value)};

	return bpf(world, BPF_MAP_LOOKUP_ELEM, &attr) ?: (int)value;
}

static int attach_with(struct world *world, int prog, int map, u32 type, u32 flags)
{
	union bpf_attr attr = {.target_fd = map,
			       .attach_bpf_fd = prog,
			       .attach_type = type,
			       .attach_flags = flags};

	return bpf(world, BPF_PROG_ATTACH, &attr);
}

static int attach(struct world *world, int prog, int map, u32 type)
{
	return attach_with(world, prog, map, type, 0);
}

static int detach(struct world *world, int prog, int map, u32 type)
{
	union bpf_attr attr = {.target_fd = map, .attach_bpf_fd = prog, .attach_type = type};

	return bpf(world, BPF_PROG_DETACH, &attr);
}

static int skb_prog(struct world *world, const char *text, const int *maps)
{
	const int prog = load_text(world, BPF_PROG_TYPE_SK_SKB, text, maps);

	assert_true(prog >= 0);
	return prog;
}

static int msg_prog(struct world *world, const char *text, const int *maps)
{
	const struct program_kind kind = {.type = BPF_PROG_TYPE_SK_MSG,
					  .attach_type = BPF_SK_MSG_VERDICT};
	const int prog = load_kind(world, kind, text, maps);

	assert_true(prog >= 0);
	return prog;
}

/* --- sockets --- */

struct ends {
	int a, b;
};

static struct ends open_tcp_at(int family)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 address6 = {.sin6_family = AF_INET6,
					.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	void *at = family == AF_INET ? (void *)&address : (void *)&address6;
	socklen_t size = family == AF_INET ? sizeof(address) : sizeof(address6);
	int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct ends ends = {.a = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};

	assert_int_equal(bind(listener, at, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, at, &size), 0);
	assert_int_equal(connect(ends.a, at, size), 0);
	ends.b = accept(listener, NULL, NULL);
	assert_true(ends.b >= 0);
	close(listener);
	return ends;
}

static struct ends open_tcp(void)
{
	return open_tcp_at(AF_INET);
}

static struct ends open_udp(void)
{
	struct sockaddr_in address[2];
	struct ends ends;
	int *fds[] = {&ends.a, &ends.b};

	for (u32 i = 0; i < 2; i++) {
		socklen_t size = sizeof(address[i]);

		address[i] = (struct sockaddr_in){.sin_family = AF_INET,
						  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		*fds[i] = socket(AF_INET, SOCK_DGRAM, 0);
		assert_int_equal(bind(*fds[i], (void *)&address[i], size), 0);
		assert_int_equal(getsockname(*fds[i], (void *)&address[i], &size), 0);
	}
	assert_int_equal(connect(ends.a, (void *)&address[1], sizeof(address[1])), 0);
	assert_int_equal(connect(ends.b, (void *)&address[0], sizeof(address[0])), 0);
	return ends;
}

static struct ends open_unix(int kind)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, kind, 0, fds), 0);
	return (struct ends){fds[0], fds[1]};
}

static void close_ends(struct ends ends)
{
	close(ends.a);
	close(ends.b);
}

/* By one after the other of the calls that there are for it. */
static long long send_somehow(int fd, const struct msghdr *message)
{
	const struct iovec *iov = message->msg_iov;
	struct mmsghdr messages = {.msg_hdr = *message};
	static u32 call;

	switch (call++ % 6) {
	case 0: return write(fd, iov->iov_base, iov->iov_len);
	case 1: return writev(fd, iov, 1);
	case 2: return send(fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
	case 3: return sendto(fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL, NULL, 0);
	case 4: return sendmsg(fd, message, MSG_NOSIGNAL);
	default:
		return sendmmsg(fd, &messages, 1, MSG_NOSIGNAL) == 1 ? (ssize_t)messages.msg_len
								     : -1;
	}
}

static long long say_bytes(struct world *world, int fd, const void *data, size_t length)
{
	struct iovec iov = {(void *)data, length};
	const struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	long long ret;

	if (world->engine)
		return skep_socket_sendmsg(world->engine, fd, &message, MSG_NOSIGNAL);
	ret = send_somehow(fd, &message);
	return ret < 0 ? -errno : ret;
}

static void say(struct world *world, int fd, const char *text)
{
	note(world, say_bytes(world, fd, text, strlen(text)), "send %s", text);
}

static bool waits_for(int fd, short events)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};

	return poll(&poll_fd, 1, WAIT_MS) > 0;
}

/* Until so many bytes are there, or no more come. */
static size_t hear_bytes(int fd, u8 *data, size_t length)
{
	size_t at = 0;

	while (at < length && waits_for(fd, POLLIN)) {
		const ssize_t ret = recv(fd, data + at, length - at, 0);

		if (ret <= 0)
			break;
		at += (size_t)ret;
	}
	return at;
}

/* Notes whether exactly this text comes next. */
static void hear(struct world *world, int fd, const char *text)
{
	char heard[256] = "", start[31] = "";
	const size_t length = strlen(text);

	memcpy(start, text, min(length, sizeof(start) - 1));
	hear_bytes(fd, (u8 *)heard, length);
	note(world, strcmp(heard, text) ? -1 : 1, "hear %s, not another", start);
	if (strcmp(heard, text))
		print_message("# %s: heard '%s' instead of '%s'\n",
			      world->engine ? "skep" : "Linux", heard, text);
}

static void hear_packet(struct world *world, int fd, const char *text)
{
	char heard[256] = "";
	const ssize_t length =
		waits_for(fd, POLLIN) ? recv(fd, heard, sizeof(heard) - 1, 0) : -ETIMEDOUT;

	note(world, length, "bytes of packet %s", text);
	note(world, !strcmp(heard, text), "packet %s", text);
}

static void hear_end(struct world *world, int fd)
{
	u8 byte;

	note(world, waits_for(fd, POLLIN) ? recv(fd, &byte, 1, 0) : -ETIMEDOUT, "end");
}

/* helpers, by their numbers */
#define SK_REDIRECT_MAP	  "52"
#define SK_REDIRECT_HASH  "72"
#define MSG_REDIRECT_MAP  "60"
#define MSG_REDIRECT_HASH "71"
#define MSG_APPLY_BYTES	  "61"
#define MSG_CORK_BYTES	  "62"
#define MSG_PULL_DATA	  "63"
#define MSG_PUSH_DATA	  "90"
#define MSG_POP_DATA	  "91"

/* --- who may be attached where --- */

#define PASS_ALL "r0 = 1\nexit"

static void attaching(struct world *world)
{
	static const u32 attach_types[] = {BPF_SK_SKB_STREAM_PARSER, BPF_SK_SKB_STREAM_VERDICT,
					   BPF_SK_SKB_VERDICT, BPF_SK_MSG_VERDICT};
	const int skb = skb_prog(world, PASS_ALL, NULL),
		  other = skb_prog(world, PASS_ALL, NULL);
	const int msg = msg_prog(world, PASS_ALL, NULL);
	const int maps[] = {make(world, BPF_MAP_TYPE_SOCKMAP),
			    make(world, BPF_MAP_TYPE_SOCKHASH), make(world, BPF_MAP_TYPE_ARRAY),
			    -1, skb};

	for (u32 m = 0; m < ARRAY_SIZE(maps); m++) {
		for (u32 t = 0; t < ARRAY_SIZE(attach_types); t++) {
			const u32 type = attach_types[t];

			note(world, detach(world, skb, maps[m], type), "detach first %u %u", m,
			     t);
			note(world, attach_with(world, skb, maps[m], type, 1), "flags %u %u", m,
			     t);
			note(world, attach(world, -1, maps[m], type), "no program %u %u", m, t);
			note(world, attach(world, skb, maps[m], type), "skb %u %u", m, t);
			note(world, attach(world, other, maps[m], type), "other %u %u", m, t);
			note(world, attach(world, msg, maps[m], type), "msg %u %u", m, t);
			note(world, detach(world, skb, maps[m], type), "detach skb %u %u", m,
			     t);
			note(world, detach(world, msg, maps[m], type), "detach msg %u %u", m,
			     t);
			note(world, detach(world, 0, maps[m], type), "detach none %u %u", m, t);
		}
		for (u32 t = 0; t < ARRAY_SIZE(attach_types); t++) {
			note(world, detach(world, other, maps[m], attach_types[t]), "end %u %u",
			     m, t);
			note(world, attach(world, other, maps[m], attach_types[t]),
			     "again %u %u", m, t);
		}
	}
	for (u32 m = 0; m < 2; m++)
		close(maps[m]);
	close(maps[2]);
	close(skb);
	close(other);
	close(msg);
}

static void queries(struct world *world)
{
	const int skb = skb_prog(world, PASS_ALL, NULL);
	const int map = make(world, BPF_MAP_TYPE_SOCKMAP);

	for (u32 round = 0; round < 2; round++) {
		for (u32 count = 0; count < 3; count++) {
			u32 ids[3] = {0};
			union bpf_attr attr = {.query = {.target_fd = map,
							 .attach_type = BPF_SK_SKB_VERDICT,
							 .prog_ids = ptr_to_u64(ids),
							 .prog_cnt = count}};

			note(world, bpf(world, BPF_PROG_QUERY, &attr), "query %u", count);
			note(world, attr.query.prog_cnt, "count %u", count);
			note(world, ids[0] != 0, "id %u", count);
			attr.query.query_flags = BPF_F_QUERY_EFFECTIVE;
			note(world, bpf(world, BPF_PROG_QUERY, &attr), "effective %u", count);
		}
		note(world, attach(world, skb, map, BPF_SK_SKB_VERDICT), "attach");
	}
	close(map);
	close(skb);
}

/* A socket has one program of each kind, from whichever map. */
static void sharing(struct world *world)
{
	const int skb = skb_prog(world, PASS_ALL, NULL), msg = msg_prog(world, PASS_ALL, NULL);
	static const u32 kinds[] = {BPF_SK_SKB_STREAM_PARSER, BPF_SK_SKB_STREAM_VERDICT,
				    BPF_SK_SKB_VERDICT, BPF_SK_MSG_VERDICT};

	for (u32 first = 0; first < ARRAY_SIZE(kinds); first++)
		for (u32 second = 0; second < ARRAY_SIZE(kinds); second++) {
			const struct ends tcp = open_tcp();
			const int one = make(world, BPF_MAP_TYPE_SOCKMAP);
			const int two = make(world, BPF_MAP_TYPE_SOCKHASH);

			attach(world, kinds[first] == BPF_SK_MSG_VERDICT ? msg : skb, one,
			       kinds[first]);
			attach(world, kinds[second] == BPF_SK_MSG_VERDICT ? msg : skb, two,
			       kinds[second]);
			note(world, update(world, one, 0, tcp.a, 0), "one %u %u", first,
			     second);
			note(world, update(world, one, 0, tcp.a, 0), "one again %u %u", first,
			     second);
			note(world, update(world, one, 1, tcp.a, BPF_EXIST), "one exist %u %u",
			     first, second);
			note(world, update(world, two, 0, tcp.a, 0), "two %u %u", first,
			     second);
			note(world, delete (world, one, 0), "delete %u %u", first, second);
			note(world, update(world, two, 0, tcp.a, 0), "two after %u %u", first,
			     second);
			note(world, update(world, two, 1, tcp.a, BPF_EXIST), "two exist %u %u",
			     first, second);
			close(one);
			close(two);
			close_ends(tcp);
		}
	close(skb);
	close(msg);
}

/* --- verdicts on what comes --- */

/* Map 0 counts what the program was asked for; r6 is the context. */
#define COUNT                                                                             \
	"r6 = r1\nr1 = 0\n*(u32 *)(r10 - 4) = r1\nr2 = r10\nr2 += -4\nr1 = map_fd 0 ll\n" \
	"call 1\nif r0 == 0 goto +2\nr1 = 1\nlock *(u32 *)(r0 + 0) += r1\n"
/* Two bytes in reach, or r0 = 1. */
#define PULL "r1 = r6\nr2 = 2\ncall 39\nif r0 == 0 goto +2\nr0 = 1\nexit\n"
/* r5 is the first byte of the packet. */
#define FIRST_BYTE                                                                        \
	PULL "r0 = 1\nr2 = *(u32 *)(r6 + 76)\nr3 = *(u32 *)(r6 + 80)\nr4 = r2\nr4 += 1\n" \
	     "if r4 <= r3 goto +1\nexit\nr5 = *(u8 *)(r2 + 0)\n"
/* Drops what begins with 'd'. */
#define DROP_D COUNT FIRST_BYTE "if r5 != 100 goto +1\nr0 = 0\nexit"

static int counter(struct world *world)
{
	return make(world, BPF_MAP_TYPE_ARRAY);
}

/* What is sent now does not come together with what was sent before. */
static void wait_count(struct world *world, int map, int count)
{
	for (u32 i = 0; i < 20000 && array_value(world, map, 0) < count; i++)
		usleep(1000);
	note(world, array_value(world, map, 0), "asked %d times", count);
}

static void verdicts_on(struct world *world, struct ends ends, u32 type, bool is_stream)
{
	const int count = counter(world);
	const int prog = skb_prog(world, DROP_D, &count);
	const int map = make(world, BPF_MAP_TYPE_SOCKMAP);
	void (*const hears)(struct world * world, int fd, const char *text) =
		is_stream ? hear : hear_packet;

	note(world, attach(world, prog, map, type), "attach");
	note(world, update(world, map, 0, ends.b, 0), "update");
	say(world, ends.a, "passes");
	hears(world, ends.b, "passes");
	say(world, ends.a, "drops");
	wait_count(world, count, 2);
	say(world, ends.a, "more");
	hears(world, ends.b, "more");
	say(world, ends.b, "answer");
	hears(world, ends.a, "answer");
	note(world, delete (world, map, 0), "delete");
	say(world, ends.a, "does not drop");
	hears(world, ends.b, "does not drop");
	close_ends(ends);
	close(map);
	close(prog);
	close(count);
}

static void verdicts(struct world *world)
{
	verdicts_on(world, open_tcp(), BPF_SK_SKB_STREAM_VERDICT, true);
	verdicts_on(world, open_tcp(), BPF_SK_SKB_VERDICT, true);
	verdicts_on(world, open_tcp_at(AF_INET6), BPF_SK_SKB_VERDICT, true);
	verdicts_on(world, open_udp(), BPF_SK_SKB_VERDICT, false);
	verdicts_on(world, open_unix(SOCK_STREAM), BPF_SK_SKB_VERDICT, true);
	verdicts_on(world, open_unix(SOCK_DGRAM), BPF_SK_SKB_VERDICT, false);
}

/* --- messages in a stream --- */

/* The first byte, less '0', is the message's length. */
#define PARSER "r6 = r1\n" FIRST_BYTE "r5 += -48\nr0 = r5\nexit"
/* Drops what has a 'd' behind the length. */
#define DROP_SECOND_D                                                                        \
	COUNT PULL                                                                           \
		"r0 = 1\nr2 = *(u32 *)(r6 + 76)\nr3 = *(u32 *)(r6 + 80)\nr4 = r2\nr4 += 2\n" \
		"if r4 <= r3 goto +1\nexit\nr5 = *(u8 *)(r2 + 1)\nif r5 != 100 goto +1\n"    \
		"r0 = 0\nexit"

static void parsers(struct world *world)
{
	const struct ends tcp = open_tcp();
	const int count = counter(world), map = make(world, BPF_MAP_TYPE_SOCKMAP);
	const int parser = skb_prog(world, PARSER, NULL);
	const int verdict = skb_prog(world, DROP_SECOND_D, &count);

	note(world, attach(world, parser, map, BPF_SK_SKB_STREAM_PARSER), "parser");
	note(world, attach(world, verdict, map, BPF_SK_SKB_STREAM_VERDICT), "verdict");
	note(world, update(world, map, 0, tcp.b, 0), "update");
	/* Linux shows a message from where the segment begins that it is in: each begins one.
	 */
	say(world, tcp.a, "3ab");
	hear(world, tcp.b, "3ab");
	say(world, tcp.a, "4def");
	wait_count(world, count, 2);
	say(world, tcp.a, "5gh");
	say(world, tcp.a, "ij");
	hear(world, tcp.b, "5ghij");
	say(world, tcp.a, "3d");
	say(world, tcp.a, "x");
	wait_count(world, count, 4);
	say(world, tcp.a, "2y");
	hear(world, tcp.b, "2y");
	close_ends(tcp);
	close(map);
	close(parser);
	close(verdict);
	close(count);
}

/* --- to other sockets --- */

/* Where what begins with '0' to '3' goes: map 1, that key, with the flags of the row. */
#define REDIRECT_TO(helper, flags)                                                              \
	COUNT FIRST_BYTE                                                                        \
		"r5 += -48\nif r5 > 3 goto +6\nr1 = r6\nr2 = map_fd 1 ll\nr3 = r5\nr4 = " flags \
		"\ncall " helper "\nexit"
#define REDIRECT_TO_KEY(helper, flags)                                                        \
	COUNT FIRST_BYTE "r5 += -48\nif r5 > 3 goto +8\n*(u32 *)(r10 - 4) = r5\nr1 = r6\n"    \
			 "r2 = map_fd 1 ll\nr3 = r10\nr3 += -4\nr4 = " flags "\ncall " helper \
			 "\nexit"

static void redirects_with(struct world *world, const char *text, u32 map_type, bool to_ingress)
{
	const struct ends from = open_tcp(), to = open_tcp(), third = open_tcp();
	const int maps[] = {counter(world), make(world, map_type)};
	const int map = make(world, BPF_MAP_TYPE_SOCKMAP);
	const int prog = skb_prog(world, text, maps);
	const int heard_at = to_ingress ? to.a : to.b;

	note(world, attach(world, prog, map, BPF_SK_SKB_STREAM_VERDICT), "attach");
	note(world, update(world, map, 0, from.b, 0), "update");
	note(world, update(world, maps[1], 1, to.a, 0), "to");
	note(world, update(world, maps[1], 2, from.b, 0), "self");
	say(world, from.a, "1 there");
	hear(world, heard_at, "1 there");
	say(world, from.a, "stays");
	hear(world, from.b, "stays");
	say(world, from.a, "3 nowhere");
	wait_count(world, maps[0], 3);
	say(world, from.a, "2 self");
	hear(world, to_ingress ? from.b : from.a, "2 self");
	wait_count(world, maps[0], 4);
	note(world, update(world, maps[1], 1, third.a, 0), "another");
	say(world, from.a, "1 elsewhere");
	hear(world, to_ingress ? third.a : third.b, "1 elsewhere");
	say(world, to.b, "as usual");
	hear(world, to.a, "as usual");
	close_ends(from);
	close_ends(to);
	close_ends(third);
	close(map);
	close(maps[0]);
	close(maps[1]);
	close(prog);
}

static void redirects(struct world *world)
{
	redirects_with(world, REDIRECT_TO(SK_REDIRECT_MAP, "0"), BPF_MAP_TYPE_SOCKMAP, false);
	redirects_with(world, REDIRECT_TO(SK_REDIRECT_MAP, "1"), BPF_MAP_TYPE_SOCKMAP, true);
	redirects_with(world, REDIRECT_TO_KEY(SK_REDIRECT_HASH, "0"), BPF_MAP_TYPE_SOCKHASH,
		       false);
	redirects_with(world, REDIRECT_TO_KEY(SK_REDIRECT_HASH, "1"), BPF_MAP_TYPE_SOCKHASH,
		       true);
}

/* From streams to packets and back. */
static void kinds(struct world *world)
{
	struct ends (*const opens[])(void) = {open_tcp, open_udp};

	for (u32 f = 0; f < 2; f++)
		for (u32 t = 0; t < 4; t++)
			for (u32 ingress = 0; ingress < 2; ingress++) {
				const struct ends from = opens[f]();
				const struct ends to =
					t < 2 ? opens[t]()
					      : open_unix(t == 2 ? SOCK_STREAM : SOCK_DGRAM);
				const int maps[] = {counter(world),
						    make(world, BPF_MAP_TYPE_SOCKMAP)};
				const int map = make(world, BPF_MAP_TYPE_SOCKMAP);
				const int prog =
					skb_prog(world,
						 ingress ? REDIRECT_TO(SK_REDIRECT_MAP, "1")
							 : REDIRECT_TO(SK_REDIRECT_MAP, "0"),
						 maps);

				attach(world, prog, map, BPF_SK_SKB_VERDICT);
				update(world, map, 0, from.b, 0);
				note(world, update(world, maps[1], 1, to.a, 0), "to %u", t);
				say(world, from.a, "1 there");
				hear(world, ingress ? to.a : to.b, "1 there");
				close_ends(from);
				close_ends(to);
				close(map);
				close(maps[0]);
				close(maps[1]);
				close(prog);
			}
}

/* --- what is sent --- */

/* As FIRST_BYTE, for messages. */
#define FIRST_OF_MESSAGE                                                           \
	"r0 = 1\nr2 = *(u64 *)(r6 + 0)\nr3 = *(u64 *)(r6 + 8)\nr4 = r2\nr4 += 1\n" \
	"if r4 <= r3 goto +1\nexit\nr5 = *(u8 *)(r2 + 0)\n"
#define MESSAGE_REDIRECT(helper, flags)                                                    \
	COUNT FIRST_OF_MESSAGE "r5 += -48\nif r5 > 3 goto +6\nr1 = r6\nr2 = map_fd 1 ll\n" \
			       "r3 = r5\nr4 = " flags "\ncall " helper "\nexit"
#define MESSAGE_REDIRECT_KEY(helper, flags)                                       \
	COUNT FIRST_OF_MESSAGE                                                    \
		"r5 += -48\nif r5 > 3 goto +8\n*(u32 *)(r10 - 4) = r5\nr1 = r6\n" \
		"r2 = map_fd 1 ll\nr3 = r10\nr3 += -4\nr4 = " flags "\ncall " helper "\nexit"

static void messages_with(struct world *world, const char *text, u32 map_type, bool to_ingress)
{
	const struct ends from = open_tcp(), to = open_tcp();
	const int maps[] = {counter(world), make(world, map_type)};
	const int map = make(world, BPF_MAP_TYPE_SOCKMAP);
	const int prog = msg_prog(world, text, maps);

	note(world, attach(world, prog, map, BPF_SK_MSG_VERDICT), "attach");
	note(world, update(world, map, 0, from.a, 0), "update");
	note(world, update(world, maps[1], 1, to.a, 0), "to");
	say(world, from.a, "passes");
	hear(world, from.b, "passes");
	say(world, from.a, "1 there");
	hear(world, to_ingress ? to.a : to.b, "1 there");
	say(world, from.a, "3 nowhere");
	say(world, from.a, "not asked about any more");
	say(world, from.b, "answer");
	hear(world, from.a, "answer");
	note(world, array_value(world, maps[0], 0), "times");
	note(world, delete (world, map, 0), "delete");
	say(world, from.a, "1 to nobody");
	hear(world, from.b, "1 to nobody");
	close_ends(from);
	close_ends(to);
	close(map);
	close(maps[0]);
	close(maps[1]);
	close(prog);
}

static void messages(struct world *world)
{
	messages_with(world, MESSAGE_REDIRECT(MSG_REDIRECT_MAP, "0"), BPF_MAP_TYPE_SOCKMAP,
		      false);
	messages_with(world, MESSAGE_REDIRECT(MSG_REDIRECT_MAP, "1"), BPF_MAP_TYPE_SOCKMAP,
		      true);
	messages_with(world, MESSAGE_REDIRECT_KEY(MSG_REDIRECT_HASH, "0"),
		      BPF_MAP_TYPE_SOCKHASH, false);
	messages_with(world, MESSAGE_REDIRECT_KEY(MSG_REDIRECT_HASH, "1"),
		      BPF_MAP_TYPE_SOCKHASH, true);
}

/* What programs do to messages: each row sends its texts, and hears another. */
static void changes(struct world *world)
{
#define CALL(arguments, helper) COUNT "r1 = r6\n" arguments "call " helper "\n"
	static const struct {
		const char *name, *text, *says[4], *hears;
	} rows[] = {
		{"apply 3 of 6",
		 CALL("r2 = 3\n", MSG_APPLY_BYTES) "r0 = 1\nexit",
		 {"abcdef"},
		 "abcdef"},
		{"apply 4, in parts",
		 CALL("r2 = 4\n", MSG_APPLY_BYTES) "r0 = 1\nexit",
		 {"ab", "cd", "ef", "gh"},
		 "abcdefgh"},
		{"apply 3, drop",
		 CALL("r2 = 3\n", MSG_APPLY_BYTES) FIRST_OF_MESSAGE
		 "if r5 != 100 goto +1\nr0 = 0\nexit",
		 {"abcdef", "ghi"},
		 "abc"},
		{"cork 6",
		 CALL("r2 = 6\n", MSG_CORK_BYTES) "r0 = 1\nexit",
		 {"ab", "cd", "efgh"},
		 "abcdefgh"},
		{"pull",
		 CALL("r2 = 2\nr3 = 4\nr4 = 0\n",
		      MSG_PULL_DATA) "r1 = 1\nif r0 != 0 goto +8\nr2 = *(u64 "
				     "*)(r6 + 0)\nr3 = *(u64 *)(r6 + 8)\nr4 = r2\nr4 += 1\nif r4 > r3 goto +3\n"
				     "r5 = *(u8 *)(r2 + 0)\nif r5 == 99 goto +1\nr1 = 0\nr0 = r1\nexit",
		 {"abcdef", "abxdef"},
		 "abcdef"},
		{"pull too much",
		 CALL("r2 = 2\nr3 = 40\nr4 = 0\n",
		      MSG_PULL_DATA) "if r0 == -22 goto +2\nr0 = 0\nexit\nr0 = "
				     "1\nexit",
		 {"abcdef"},
		 "abcdef"},
		{"push in front",
		 CALL("r2 = 0\nr3 = 2\nr4 = 0\n",
		      MSG_PUSH_DATA) "r0 = 1\nr2 = *(u64 *)(r6 + 0)\nr3 = *(u64 "
				     "*)(r6 + 8)\nr4 = r2\nr4 += 2\nif r4 > r3 goto +3\nr5 = 88\n*(u8 *)(r2 + 0) = "
				     "r5\n*(u8 *)(r2 + 1) = r5\nexit",
		 {"abc", "d"},
		 "XXabcXXd"},
		{"pop in the middle",
		 CALL("r2 = 1\nr3 = 2\nr4 = 0\n", MSG_POP_DATA) "r0 = 1\nexit",
		 {"abcd", "efgh"},
		 "adeh"},
		{"pop too much",
		 CALL("r2 = 1\nr3 = 9\nr4 = 0\n",
		      MSG_POP_DATA) "if r0 == -22 goto +2\nr0 = 0\nexit\nr0 = "
				    "1\nexit",
		 {"abcd"},
		 "abcd"},
		{"write",
		 COUNT FIRST_OF_MESSAGE "r5 = 88\n*(u8 *)(r2 + 0) = r5\nexit",
		 {"abcd", "ef"},
		 "XbcdXf"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct ends tcp = open_tcp();
		const int count = counter(world), map = make(world, BPF_MAP_TYPE_SOCKMAP);
		const int prog = msg_prog(world, rows[i].text, &count);

		attach(world, prog, map, BPF_SK_MSG_VERDICT);
		note(world, update(world, map, 0, tcp.a, 0), "update %s", rows[i].name);
		for (u32 s = 0; s < 4 && rows[i].says[s]; s++)
			say(world, tcp.a, rows[i].says[s]);
		hear(world, tcp.b, rows[i].hears);
		note(world, array_value(world, count, 0), "times %s", rows[i].name);
		close_ends(tcp);
		close(map);
		close(count);
		close(prog);
	}
}

/* --- what programs are told --- */

/* Stores fields of the context into map 0, by index. */
#define FIELD(index, offset)                                                                 \
	"r7 = *(u32 *)(r6 + " #offset ")\nr1 = " #index "\n*(u32 *)(r10 - 4) = r1\n"         \
	"*(u32 *)(r10 - 8) = r7\nr1 = map_fd 0 ll\nr2 = r10\nr2 += -4\nr3 = r10\nr3 += -8\n" \
	"r4 = 0\ncall 2\n"

static void note_contexts(struct world *world, int map, struct ends tcp)
{
	struct sockaddr_in own, peer;
	socklen_t size = sizeof(own);
	/* The socket that the program was run for may be a relay's end now. */
	const int fd = world->engine ? skep_socket_fd(world->engine, tcp.b) : tcp.b;

	note(world, getsockname(fd, (void *)&own, &size), "name");
	size = sizeof(peer);
	note(world, getpeername(fd, (void *)&peer, &size), "peer");
	note(world, array_value(world, map, 0), "family");
	note(world, array_value(world, map, 1) == (int)peer.sin_addr.s_addr, "remote_ip4");
	note(world, array_value(world, map, 2) == (int)own.sin_addr.s_addr, "local_ip4");
	note(world, array_value(world, map, 3) == (int)htonl(ntohs(peer.sin_port)),
	     "remote_port");
	note(world, array_value(world, map, 4) == ntohs(own.sin_port), "local_port");
	note(world, array_value(world, map, 5), "length");
	note(world, array_value(world, map, 6), "another");
}

static void contexts(struct world *world)
{
	struct ends tcp = open_tcp();
	const int fields = counter(world), map = make(world, BPF_MAP_TYPE_SOCKMAP);
	const int skb =
		skb_prog(world,
			 "r6 = r1\n" FIELD(0, 88) FIELD(1, 92) FIELD(2, 96) FIELD(3, 132)
				 FIELD(4, 136) FIELD(5, 0) FIELD(6, 16) "r0 = 1\nexit",
			 &fields);
	const int msg = msg_prog(world,
				 "r6 = r1\n" FIELD(0, 16) FIELD(1, 20) FIELD(2, 24) FIELD(3, 60)
					 FIELD(4, 64) FIELD(5, 68) "r0 = 1\nexit",
				 &fields);

	attach(world, skb, map, BPF_SK_SKB_VERDICT);
	attach(world, msg, map, BPF_SK_MSG_VERDICT);
	note(world, update(world, map, 0, tcp.b, 0), "update");
	say(world, tcp.a, "skb");
	hear(world, tcp.b, "skb");
	note_contexts(world, fields, tcp);
	say(world, tcp.b, "message");
	hear(world, tcp.a, "message");
	note_contexts(world, fields, tcp);
	close_ends(tcp);
	close(fields);
	close(map);
	close(skb);
	close(msg);
}

/* --- ends --- */

static int passing_map(struct world *world)
{
	const int count = counter(world), map = make(world, BPF_MAP_TYPE_SOCKMAP);
	const int prog = skb_prog(world, DROP_D, &count);

	attach(world, prog, map, BPF_SK_SKB_VERDICT);
	close(prog);
	close(count);
	return map;
}

static void ends_of_streams(struct world *world)
{
	const int map = passing_map(world);
	struct ends tcp = open_tcp();

	update(world, map, 0, tcp.b, 0);
	say(world, tcp.a, "last");
	close(tcp.a);
	hear(world, tcp.b, "last");
	hear_end(world, tcp.b);
	close(tcp.b);

	tcp = open_tcp();
	update(world, map, 0, tcp.b, 0);
	say(world, tcp.b, "last of ours");
	close(tcp.b);
	hear(world, tcp.a, "last of ours");
	hear_end(world, tcp.a);
	close(tcp.a);

	tcp = open_tcp();
	update(world, map, 0, tcp.b, 0);
	note(world, shutdown(tcp.b, SHUT_WR), "shutdown");
	hear_end(world, tcp.a);
	say(world, tcp.a, "still heard");
	hear(world, tcp.b, "still heard");
	close_ends(tcp);
	close(map);
}

/* A copy of the descriptor is the socket, too, and the last one closes it. */
static void copies(struct world *world)
{
	const int map = passing_map(world);
	struct ends tcp = open_tcp();
	const int before = dup(tcp.b);
	int after;

	update(world, map, 0, tcp.b, 0);
	after = dup(tcp.b);
	say(world, tcp.a, "one");
	hear(world, before, "one");
	say(world, tcp.a, "two");
	hear(world, after, "two");
	close(tcp.b);
	close(before);
	say(world, after, "still there");
	hear(world, tcp.a, "still there");
	close(after);
	hear_end(world, tcp.a);
	close(tcp.a);
	close(map);
}

/* What waits for the socket since before it came into the map. */
static void watched(struct world *world)
{
	const int map = passing_map(world), epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 42}, out = {0};
	struct ends tcp = open_tcp();

	note(world, epoll_ctl(epoll, EPOLL_CTL_ADD, tcp.b, &event), "watch");
	update(world, map, 0, tcp.b, 0);
	note(world, epoll_wait(epoll, &out, 1, 0), "nothing yet");
	say(world, tcp.a, "comes");
	note(world, epoll_wait(epoll, &out, 1, WAIT_MS), "something");
	note(world, out.data.u64, "data");
	note(world, out.events, "events");
	hear(world, tcp.b, "comes");
	note(world, epoll_ctl(epoll, EPOLL_CTL_DEL, tcp.b, NULL), "watch no more");
	note(world, fcntl(tcp.b, F_SETFL, O_NONBLOCK), "does not block");
	note(world, recv(tcp.b, &out, 1, 0) < 0 ? -errno : 0, "nothing there");
	close_ends(tcp);
	close(epoll);
	close(map);
}

/* --- much of it, with a reader that is slower --- */

#define MUCH (8u << 20)

struct writer {
	struct world *world;
	int fd;
};

static void *write_much(void *argument)
{
	const struct writer *writer = argument;
	static u8 data[70000];

	for (size_t at = 0; at < MUCH;) {
		const size_t length = min(sizeof(data), MUCH - at);
		const long long ret = say_bytes(writer->world, writer->fd, data, length);

		if (ret <= 0)
			break;
		at += (size_t)ret;
	}
	return NULL;
}

static size_t read_much(int fd)
{
	static u8 data[10000];
	size_t at = 0;

	while (at < MUCH) {
		const size_t length = hear_bytes(fd, data, min(sizeof(data), MUCH - at));

		at += length;
		if (!length)
			break;
	}
	return at;
}

static void much_with(struct world *world, const char *skb_text, const char *msg_text,
		      bool to_ingress)
{
	const struct ends from = open_tcp(), to = open_tcp();
	const int maps[] = {counter(world), make(world, BPF_MAP_TYPE_SOCKMAP)};
	const int map = make(world, BPF_MAP_TYPE_SOCKMAP);
	const int prog =
		skb_text ? skb_prog(world, skb_text, maps) : msg_prog(world, msg_text, maps);
	struct writer writer = {.world = world, .fd = from.a};
	pthread_t thread;

	attach(world, prog, map, skb_text ? BPF_SK_SKB_VERDICT : BPF_SK_MSG_VERDICT);
	update(world, map, 0, skb_text ? from.b : from.a, 0);
	update(world, maps[1], 0, to.a, 0);
	assert_int_equal(pthread_create(&thread, NULL, write_much, &writer), 0);
	note(world, read_much(to_ingress ? to.a : to.b), "all of it");
	pthread_join(thread, NULL);
	close_ends(from);
	close_ends(to);
	close(map);
	close(maps[0]);
	close(maps[1]);
	close(prog);
}

#define TO_0(helper, flags) "r2 = map_fd 1 ll\nr3 = 0\nr4 = " flags "\ncall " helper "\nexit"

static void much(struct world *world)
{
	much_with(world, TO_0(SK_REDIRECT_MAP, "0"), NULL, false);
	much_with(world, TO_0(SK_REDIRECT_MAP, "1"), NULL, true);
	much_with(world, NULL, TO_0(MSG_REDIRECT_MAP, "0"), false);
	much_with(world, NULL, TO_0(MSG_REDIRECT_MAP, "1"), true);
}

/* --- links --- */

static int link_to(struct world *world, int prog, int map, u32 type)
{
	union bpf_attr attr = {
		.link_create = {.prog_fd = prog, .target_fd = map, .attach_type = type}};

	return bpf(world, BPF_LINK_CREATE, &attr);
}

static void note_link(struct world *world, int link, int map, const char *what)
{
	struct bpf_link_info info = {};
	struct bpf_map_info about_map = {};
	union bpf_attr attr = {.info = {.bpf_fd = link,
					.info = ptr_to_u64(&info),
					.info_len = sizeof(info)}};

	note(world, bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr), "%s: info", what);
	attr.info.bpf_fd = map;
	attr.info.info = ptr_to_u64(&about_map);
	attr.info.info_len = sizeof(about_map);
	bpf(world, BPF_OBJ_GET_INFO_BY_FD, &attr);
	note(world, info.type, "%s: type", what);
	note(world, info.netns.netns_ino == about_map.id, "%s: its map", what);
	note(world, info.netns.attach_type, "%s: attach type", what);
}

static void links(struct world *world)
{
	const int progs[] = {skb_prog(world, PASS_ALL, NULL), skb_prog(world, PASS_ALL, NULL),
			     msg_prog(world, PASS_ALL, NULL)};
	const int map = make(world, BPF_MAP_TYPE_SOCKMAP),
		  array = make(world, BPF_MAP_TYPE_ARRAY);
	const u32 type = BPF_SK_SKB_STREAM_VERDICT;
	int link;

	note_fd(world, link_to(world, progs[0], array, type), "no map of sockets");
	note_fd(world, link_to(world, progs[2], map, type), "another type of program");
	note_fd(world, link_to(world, progs[0], -1, type), "no map");
	note(world, attach(world, progs[1], map, type), "without a link");
	link = link_to(world, progs[0], map, type);
	note(world, link >= 0, "over it");
	note_link(world, link, map, "link");
	note_fd(world, link_to(world, progs[1], map, type), "a second link");
	note_fd(world, link_to(world, progs[1], map, BPF_SK_SKB_VERDICT), "another verdict");
	note(world, attach(world, progs[1], map, type), "beside a link");
	note(world, detach(world, progs[0], map, type), "what has a link");
	for (u32 i = 0; i < 3; i++) {
		union bpf_attr attr = {.link_update = {.link_fd = link, .new_prog_fd = progs[i]}};

		note(world, bpf(world, BPF_LINK_UPDATE, &attr), "update to %u", i);
		attr.link_update.flags = BPF_F_REPLACE;
		attr.link_update.old_prog_fd = progs[0];
		note(world, bpf(world, BPF_LINK_UPDATE, &attr), "replace by %u", i);
	}
	for (u32 i = 0; i < 2; i++) {
		union bpf_attr attr = {.link_detach.link_fd = link};

		note(world, bpf(world, BPF_LINK_DETACH, &attr), "detach %u", i);
	}
	note_link(world, link, map, "detached");
	note(world, attach(world, progs[1], map, type), "in its place");
	close(link);
	for (u32 i = 0; i < 3; i++)
		close(progs[i]);
	close(map);
	close(array);
}

SCENARIO(attaching)
SCENARIO(links)
SCENARIO(queries)
SCENARIO(sharing)
SCENARIO(verdicts)
SCENARIO(parsers)
SCENARIO(redirects)
SCENARIO(kinds)
SCENARIO(messages)
SCENARIO(changes)
SCENARIO(contexts)
SCENARIO(ends_of_streams)
SCENARIO(copies)
SCENARIO(watched)
SCENARIO(much)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attaching),	cmocka_unit_test(test_queries),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_sharing),		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_parsers),		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_kinds),		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_changes),		cmocka_unit_test(test_contexts),
		cmocka_unit_test(test_ends_of_streams), cmocka_unit_test(test_copies),
		cmocka_unit_test(test_watched),		cmocka_unit_test(test_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
