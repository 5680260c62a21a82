/* SPDX-License-Identifier: BSD-2-Clause */
#include "export.h"
#include "ipfix.h"

#include "base/os.h"
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define UDP_MESSAGE    1400 /* fits into a packet with either family's header */
#define STREAM_MESSAGE 32768
#define CONNECT_MS     2000
#define SEND_MS	       200
#define AGAIN_NS       5000000000ull
#define GOOD_STREAK    4 /* sent one after the other: the collector is back */
#define SEND_BUFFER    (4 << 20)

struct export
{
	struct export_choice choice; /* a copy; its path is owned */
	char name[96];
	struct ipfix *ipfix;
	u64 domain;
	int fd;	  /* below 0: not connected, or given up */
	u64 size; /* FILE: bytes that are whole messages */
	u64 next_templates_ns, next_try_ns;
	u32 good; /* messages sent one after the other */
	bool is_down;
	struct export_traffic begun; /* in the message that has begun */
	struct export_traffic sent, lost;
};

static void add_traffic(struct export_traffic *sum, const struct export_traffic *more)
{
	sum->flows += more->flows;
	sum->packets += more->packets;
	sum->bytes += more->bytes;
}

/* --- ways out; each 0 or a negative errno --- */

/* One message each time for a reason that lasts. */
static void say_down(struct export *export, int err)
{
	if (!export->is_down)
		usage_error("%s: %s; flow records are lost %s", export->name, strerror(-err),
			    export->choice.kind == EXPORT_FILE ? "from now on"
							       : "until it works again");
	export->is_down = true;
	export->good = 0;
}

static void say_up(struct export *export)
{
	if (export->is_down)
		fprintf(stderr, "%s: works again\n", export->name);
	export->is_down = false;
}

static void disconnect(struct export *export)
{
	if (export->fd >= 0)
		close(export->fd);
	export->fd = -1;
	export->next_try_ns = os_time_ns(CLOCK_MONOTONIC) + AGAIN_NS;
}

/* The file keeps whole messages. */
static int write_file(struct export *export, const u8 *message, size_t size)
{
	const ssize_t got = write(export->fd, message, size);
	const int err = got < 0 ? -errno : -ENOSPC;

	if (got == (ssize_t)size) {
		export->size += size;
		return 0;
	}
	/* What is told is why it was not written, whether or not the cut succeeds. */
	return ftruncate(export->fd, (off_t) export->size) ? err : err;
}

static int send_rest(int fd, const u8 *bytes, size_t size)
{
	while (size) {
		const ssize_t got = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		struct pollfd room = {.fd = fd, .events = POLLOUT};

		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (got < 0 && poll(&room, 1, SEND_MS) <= 0)
			return -ETIMEDOUT;
		bytes += max(got, (ssize_t)0);
		size -= (size_t)max(got, (ssize_t)0);
	}
	return 0;
}

static int send_message(struct export *export, const u8 *message, size_t size)
{
	if (export->fd < 0)
		return -ENOTCONN;
	if (export->choice.kind == EXPORT_FILE)
		return write_file(export, message, size);
	if (export->choice.kind == EXPORT_TCP)
		return send_rest(export->fd, message, size);
	return send(export->fd, message, size, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* libfixbuf's: a message is whole. */
static void take_message(void *cookie, const u8 *message, size_t size)
{
	struct export *export = cookie;
	const int err = send_message(export, message, size);

	add_traffic(err ? &export->lost : &export->sent, &export->begun);
	export->begun = (struct export_traffic){};
	if (err && err != -ENOTCONN)
		say_down(export, err);
	if (err && export->choice.kind != EXPORT_UDP)
		disconnect(export);
	if (!err && ++export->good >= GOOD_STREAK)
		say_up(export);
}

/* --- opening --- */

/* A connected socket, or one that will be within a moment. */
static int connect_socket(const struct export_choice *choice, int *out)
{
	const bool is_tcp = choice->kind == EXPORT_TCP;
	const int type = is_tcp ? SOCK_STREAM | SOCK_NONBLOCK : SOCK_DGRAM | SOCK_NONBLOCK;
	const int room = SEND_BUFFER;
	struct sockaddr_storage address;
	const socklen_t size = config_socket_address(&choice->address, choice->port, &address);
	const int fd = socket(address.ss_family, type | SOCK_CLOEXEC, 0);
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	socklen_t error_size = sizeof(int);
	int err = fd < 0 ? errno : 0;

	if (!err)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (!err && connect(fd, (struct sockaddr *)&address, size))
		err = errno;
	if (err == EINPROGRESS) {
		err = poll(&ready, 1, CONNECT_MS) > 0 ? 0 : ETIMEDOUT;
		if (!err)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &error_size);
	}
	if (err && fd >= 0)
		close(fd);
	*out = err ? -1 : fd;
	return -err;
}

static int open_fd(struct export *export)
{
	if (export->choice.kind != EXPORT_FILE)
		return connect_socket(&export->choice, &export->fd);
	export->fd = open(export->choice.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return export->fd < 0 ? -errno : 0;
}

static void put_templates(struct export *export, const struct export_settings *settings,
			  u64 now_ns)
{
	const struct ipfix_facts facts = {
		.one_of = settings->one_of,
		.sent_flows = export->sent.flows,
		.lost_flows = export->lost.flows,
		.lost_packets = export->lost.packets,
		.lost_bytes = export->lost.bytes,
	};

	if (export->next_templates_ns == 0 || export->choice.kind == EXPORT_UDP)
		ipfix_put_templates(export->ipfix);
	ipfix_put_facts(export->ipfix, &facts);
	ipfix_flush(export->ipfix);
	export->next_templates_ns = now_ns + settings->templates_ns;
}

/* A session of its own for each connection. */
static int begin_session(struct export *export, const struct export_settings *settings)
{
	const bool is_udp = export->choice.kind == EXPORT_UDP;
	struct ipfix *ipfix;
	const int code = ipfix_new((u32) export->domain, is_udp ? UDP_MESSAGE : STREAM_MESSAGE,
				   take_message, export, &ipfix);

	if (code)
		return code;
	ipfix_free(export->ipfix);
	export->ipfix = ipfix;
	export->next_templates_ns = 0;
	put_templates(export, settings, os_time_ns(CLOCK_MONOTONIC));
	return 0;
}

static void name_export(struct export *export)
{
	static const char *const kinds[] = {"udp", "tcp"};
	char address[CONFIG_ADDRESS_TEXT];

	if (export->choice.kind == EXPORT_FILE)
		snprintf(export->name, sizeof(export->name), "%s", export->choice.path);
	else
		snprintf(export->name, sizeof(export->name), "collector %s %s port %u",
			 kinds[export->choice.kind],
			 config_address_text(&export->choice.address, address),
			 export->choice.port);
}

static void free_export(struct export *export)
{
	if (!export)
		return;
	if (export->fd >= 0)
		close(export->fd);
	ipfix_free(export->ipfix);
	free(export->choice.path);
	free(export);
}

/* A file that cannot be made is a mistake; a collector may come later. */
static int open_export(const struct export_choice *choice,
		       const struct export_settings *settings, struct export **out)
{
	struct export *export = calloc(1, sizeof(*export));
	int err, code;

	if (!export)
		return usage_error("out of memory");
	export->choice = *choice;
	export->choice.path = choice->path ? strdup(choice->path) : NULL;
	export->domain = settings->domain;
	export->fd = -1;
	name_export(export);
	err = open_fd(export);
	if (err && choice->kind == EXPORT_FILE) {
		code = usage_error("%s: %s", choice->path, strerror(-err));
	} else {
		if (err)
			say_down(export, err);
		code = begin_session(export, settings);
	}
	if (code)
		free_export(export);
	else
		*out = export;
	return code;
}

/* --- all of them --- */

static bool is_same(const struct export_choice *a, const struct export_choice *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == EXPORT_FILE)
		return !strcmp(a->path, b->path);
	return a->port == b->port && config_same_address(&a->address, &b->address);
}

/* Takes the one that goes on out of the old ones; NULL: there is none. */
static struct export *take_same(struct exports *old, const struct export_settings *settings,
				u32 i)
{
	for (u32 j = 0; j < old->count; j++) {
		struct export *export = old->exports[j];

		if (export && export->domain == settings->domain &&
		    is_same(&export->choice, &settings->choices[i])) {
			old->exports[j] = NULL;
			return export;
		}
	}
	return NULL;
}

int exports_use(struct exports *exports, const struct export_settings *settings)
{
	struct export *fresh[EXPORTS_MAX] = {};
	struct exports old = *exports;
	int code = 0;

	for (u32 i = 0; i < settings->count && !code; i++) {
		fresh[i] = take_same(&old, settings, i);
		if (!fresh[i])
			code = open_export(&settings->choices[i], settings, &fresh[i]);
	}
	/* Those that went on go back to their places when the configuration is not taken. */
	for (u32 i = 0; code && i < settings->count; i++) {
		bool was_old = false;

		for (u32 j = 0; j < exports->count; j++)
			was_old |= fresh[i] == exports->exports[j];
		if (!was_old)
			free_export(fresh[i]);
	}
	if (code)
		return code;
	for (u32 i = 0; i < old.count; i++) {
		if (old.exports[i])
			ipfix_flush(old.exports[i]->ipfix);
		free_export(old.exports[i]);
	}
	memcpy(exports->exports, fresh, sizeof(fresh));
	exports->count = settings->count;
	exports->settings = settings;
	while (!exports->random)
		if (getrandom(&exports->random, sizeof(exports->random), 0) < 0)
			exports->random = os_time_ns(CLOCK_MONOTONIC);
	return 0;
}

/* xorshift64: from 0 to below 1 */
static double chance(struct exports *exports)
{
	exports->random ^= exports->random << 13;
	exports->random ^= exports->random >> 7;
	exports->random ^= exports->random << 17;
	return (double)(exports->random >> 11) / 9007199254740992.0;
}

/*
 * Size-dependent selection (Duffield, Lund, Thorup: threshold sampling; RFC 7014 calls it
 * probabilistic flow selection that is not uniform): a flow of fewer bytes than the threshold
 * is selected with the probability bytes/threshold and stands for the threshold, so that the
 * expected sums are the true ones.
 */
static bool select_flow(struct exports *exports, struct ipfix_record *record)
{
	const u64 threshold = exports->settings->threshold;
	double packets;

	if (record->bytes >= threshold)
		return true;
	if (chance(exports) * (double)threshold >= (double)record->bytes)
		return false;
	packets = (double)record->packets * (double)threshold / (double)record->bytes;
	record->packets = (u64)packets;
	record->packets += chance(exports) < packets - (double)record->packets;
	record->bytes = threshold;
	return true;
}

static u64 milliseconds(const struct exports *exports, u64 time_ns)
{
	return (time_ns + (u64)exports->wall_ns) / 1000000;
}

void exports_tell(struct exports *exports, const struct flow *flow, enum flow_end reason)
{
	const struct export_traffic counted = {1, flow->new.packets, flow->new.bytes};
	struct ipfix_record record = {
		.key = &flow->key,
		.packets = counted.packets,
		.bytes = counted.bytes,
		.start_ms = milliseconds(exports, flow->new.first_ns),
		.end_ms = milliseconds(exports, flow->new.last_ns),
		.tcp_flags = (u16)flow->new.tcp_flags,
		.reason = (u8)reason,
	};
	const bool is_selected = select_flow(exports, &record);
	const struct export_traffic stands_for = {1, record.packets, record.bytes};

	add_traffic(is_selected ? &exports->told : &exports->not_selected, &counted);
	for (u32 i = 0; is_selected && i < exports->count; i++) {
		struct export *export = exports->exports[i];
		const bool is_lost = ipfix_put(export->ipfix, &record);

		add_traffic(is_lost ? &export->lost : &export->begun, &stands_for);
	}
}

static void try_again(struct export *export, const struct export_settings *settings, u64 now_ns)
{
	const int err = open_fd(export);

	export->next_try_ns = now_ns + AGAIN_NS;
	if (err)
		return;
	say_up(export);
	begin_session(export, settings);
}

void exports_work(struct exports *exports, u64 now_ns)
{
	exports->wall_ns = (s64)os_time_ns(CLOCK_REALTIME) - (s64)now_ns;
	for (u32 i = 0; i < exports->count; i++) {
		struct export *export = exports->exports[i];

		ipfix_flush(export->ipfix);
		if (export->fd < 0 && export->choice.kind != EXPORT_FILE &&
		    now_ns >= export->next_try_ns)
			try_again(export, exports->settings, now_ns);
		else if (export->fd >= 0 && now_ns >= export->next_templates_ns)
			put_templates(export, exports->settings, now_ns);
	}
}

void exports_end(struct exports *exports)
{
	for (u32 i = 0; i < exports->count; i++) {
		ipfix_flush(exports->exports[i]->ipfix);
		put_templates(exports->exports[i], exports->settings,
			      os_time_ns(CLOCK_MONOTONIC));
	}
}

void exports_done(struct exports *exports)
{
	for (u32 i = 0; i < exports->count; i++)
		free_export(exports->exports[i]);
	exports->count = 0;
}

const char *export_name(const struct exports *exports, u32 n)
{
	return exports->exports[n]->name;
}

void export_counts(const struct exports *exports, u32 n, struct export_traffic *sent,
		   struct export_traffic *lost)
{
	*sent = exports->exports[n]->sent;
	*lost = exports->exports[n]->lost;
}
