/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends that speak another version, or do not keep to the protocol: each message cut at each
 * byte and with each byte changed, and answers that are none. */
#include "device/channel.h"
#include "tests/device/devices.h"

#include <pthread.h>
#include <sys/socket.h>

/* One request with what follows its head. */
struct message {
	const char *name;
	u32 type;
	size_t size;
	u8 bytes[96];
};

static struct message message_of(const char *name, u32 type, const void *head, size_t head_size,
				 const void *more, size_t more_size)
{
	struct message message = {.name = name, .type = type, .size = head_size + more_size};

	memcpy(message.bytes, head, head_size);
	if (more_size)
		memcpy(message.bytes + head_size, more, more_size);
	return message;
}

enum {
#define MESSAGE(name, ...) ROW_##name,
#include "device/messages.def"
#undef MESSAGE
	MESSAGES,
};

/* One of each kind, all good when map 1 and program 2 are there. */
static u32 all_messages(struct message *out)
{
	static const u32 one = 1, element[3] = {1, 2, 3};
	static const struct {
		u32 maps[1];
		struct bpf_insn insns[2] __attribute__((packed));
	} body = {{1},
		  {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1},
		   {.code = BPF_JMP | BPF_EXIT}}};
	u32 count = 0;

#define ADD(name, more, size, ...)                                                            \
	out[count++] = message_of(#name, DEVICE_##name, &(struct device_##name){__VA_ARGS__}, \
				  sizeof(struct device_##name), more, size)
	ADD(hello, NULL, 0, DEVICE_MAGIC, DEVICE_VERSION);
	ADD(map_create, NULL, 0, BPF_MAP_TYPE_ARRAY, 4, 8, 4);
	ADD(prog_load, &body, sizeof(body), BPF_PROG_TYPE_XDP, .is_gpl = 1, .map_count = 1,
	    .insn_count = 2);
	ADD(map_lookup, &one, 4, 1);
	ADD(map_update, element, sizeof(element), 1);
	ADD(map_delete, &one, 4, 1);
	ADD(map_next_key, &one, 4, 1);
	ADD(attach, NULL, 0, 2);
	ADD(prog_stats, NULL, 0, 2);
	ADD(port_stats, NULL, 0, {});
	ADD(detach, NULL, 0, 2);
	ADD(free, NULL, 0, 2);
#undef ADD
	return count;
}

static int connect_to(const struct pair *pair)
{
	struct skep_error err = {};
	const struct timeval time = {.tv_sec = 60};
	int fd = channel_connect(pair->address, &err);

	if (fd < 0)
		fail_msg("%s", err.text);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	return fd;
}

static int send_bytes(int fd, u32 length, u32 type, const void *bytes, size_t size)
{
	const struct device_frame frame = {length, type};
	u8 all[sizeof(frame) + sizeof(((struct message *)0)->bytes)];

	memcpy(all, &frame, sizeof(frame));
	memcpy(all + sizeof(frame), bytes, size);
	return send(fd, all, sizeof(frame) + size, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* The code of an answer; 1: the channel has ended. */
static int read_answer(int fd)
{
	struct device_frame frame;
	struct device_result result;
	u8 rest[DEVICE_NAME_SIZE];
	size_t left;

	if (channel_receive(fd, &frame, sizeof(frame)))
		return 1;
	assert_int_equal(frame.type, DEVICE_ANSWER);
	assert_true(frame.length >= sizeof(result) && frame.length <= DEVICE_ANSWER_MAX);
	assert_int_equal(channel_receive(fd, &result, sizeof(result)), 0);
	for (left = frame.length - sizeof(result); left; left -= min(left, sizeof(rest)))
		assert_int_equal(channel_receive(fd, rest, min(left, sizeof(rest))), 0);
	return result.code;
}

/* What comes before the message: 0 on a channel that just began. */
static void greet(int fd, const struct message *messages, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		assert_int_equal(send_bytes(fd, (u32)messages[i].size, messages[i].type,
					    messages[i].bytes, messages[i].size),
				 0);
		assert_int_equal(read_answer(fd), 0);
	}
}

static void all_is_well(const struct pair *pair)
{
	struct message messages[MESSAGES];
	int fd = connect_to(pair);

	all_messages(messages);
	greet(fd, messages, 3);
	close(fd);
}

static void messages_are_good_as_they_are(void **state)
{
	struct message messages[MESSAGES];
	static const int want[MESSAGES] = {[5] = -EINVAL}; /* elements of arrays stay */
	struct pair pair = {};
	int fd;

	device_begin(&pair, "gen:count=10", NULL);
	fd = connect_to(&pair);
	assert_int_equal(all_messages(messages), MESSAGES);
	for (u32 i = 0; i < MESSAGES; i++) {
		int got;

		send_bytes(fd, (u32)messages[i].size, messages[i].type, messages[i].bytes,
			   messages[i].size);
		got = messages[i].type == DEVICE_free ? 0 : read_answer(fd);
		if (got != want[i])
			fail_msg("%s: %d", messages[i].name, got);
	}
	close(fd);
	device_end(&pair);
}

/* Cut: the channel ends within the message, or the message says that it is shorter. */
static void cut_messages(const struct pair *pair, const struct message *messages, u32 at)
{
	const struct message *message = &messages[at];

	for (size_t size = 0; size < message->size; size++) {
		int fd = connect_to(pair);

		greet(fd, messages, min(at, 3u));
		send_bytes(fd, (u32)message->size, message->type, message->bytes, size);
		shutdown(fd, SHUT_WR);
		assert_int_equal(read_answer(fd), 1);
		close(fd);
		fd = connect_to(pair);
		greet(fd, messages, min(at, 3u));
		send_bytes(fd, (u32)size, message->type, message->bytes, size);
		shutdown(fd, SHUT_WR);
		assert_true(read_answer(fd) != 0 || message->type == DEVICE_map_next_key);
		close(fd);
	}
}

static void messages_are_cut(void **state)
{
	struct message messages[MESSAGES];
	struct pair pair = {};

	device_begin(&pair, "gen:count=10", NULL);
	for (u32 i = 0, count = all_messages(messages); i < count; i++)
		cut_messages(&pair, messages, i);
	all_is_well(&pair);
	device_end(&pair);
}

/* Whatever the device answers, it goes on. */
static void bytes_are_changed(void **state)
{
	static const u8 changes[] = {0x01, 0x80, 0xff};
	struct message messages[MESSAGES];
	struct pair pair = {};
	u32 count = all_messages(messages);

	device_begin(&pair, "gen:count=10", NULL);
	for (u32 i = 0; i < count * ARRAY_SIZE(changes); i++) {
		struct message message = messages[i % count];
		const u32 before = min(i % count, 3u);

		for (size_t at = 0; at < message.size; at++) {
			int fd = connect_to(&pair);

			greet(fd, messages, before);
			message.bytes[at] ^= changes[i / count];
			send_bytes(fd, (u32)message.size, message.type, message.bytes,
				   message.size);
			message.bytes[at] ^= changes[i / count];
			shutdown(fd, SHUT_WR);
			while (read_answer(fd) != 1)
				;
			close(fd);
		}
	}
	all_is_well(&pair);
	device_end(&pair);
}

static void frames_are_none(void **state)
{
	static const struct {
		u32 length, type;
		int want;
	} rows[] = {
		{0, 0, -EPROTO},
		{8, 99, -EPROTO},
		{8, 0xffffffff, -EPROTO},
		{0xffffffff, DEVICE_hello, -EPROTO},
		{9, DEVICE_hello, -EPROTO},
		{0xffffffff, DEVICE_prog_load, -EPROTO},
		{8, DEVICE_port_stats, -EPROTO}, /* before it said hello */
	};
	struct pair pair = {};

	device_begin(&pair, "gen:count=10", NULL);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd = connect_to(&pair), got;

		send_bytes(fd, rows[i].length, rows[i].type, (u8[8]){}, 8);
		got = read_answer(fd);
		if (got != rows[i].want || read_answer(fd) != 1)
			fail_msg("row %u: %d", i, got);
		close(fd);
	}
	all_is_well(&pair);
	device_end(&pair);
}

/* Handles of others, descriptors of the device's process, kernel functions. */
static void instructions_name_only_what_is_the_hosts(void **state)
{
	static const struct bpf_insn wide_end = {};
	static const struct bpf_insn rows[] = {
		{.code = BPF_LD | BPF_IMM | BPF_DW,
		 .dst_reg = 1,
		 .src_reg = BPF_PSEUDO_MAP_FD,
		 .imm = 4},
		{.code = BPF_LD | BPF_IMM | BPF_DW,
		 .dst_reg = 1,
		 .src_reg = BPF_PSEUDO_MAP_IDX,
		 .imm = 1},
		{.code = BPF_LD | BPF_IMM | BPF_DW,
		 .dst_reg = 1,
		 .src_reg = BPF_PSEUDO_MAP_IDX,
		 .imm = -1},
		{.code = BPF_LD | BPF_IMM | BPF_DW,
		 .dst_reg = 1,
		 .src_reg = BPF_PSEUDO_BTF_ID,
		 .imm = 1},
		{.code = BPF_LD | BPF_IMM | BPF_DW,
		 .dst_reg = 1,
		 .src_reg = BPF_PSEUDO_MAP_IDX_VALUE},
		{.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = 1},
	};
	struct message messages[MESSAGES];
	struct pair pair = {};

	all_messages(messages);
	device_begin(&pair, "gen:count=10", NULL);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct device_prog_load head = {
			.type = BPF_PROG_TYPE_XDP, .map_count = 1, .insn_count = 2};
		u8 body[20] = {1};
		struct message message;
		int fd = connect_to(&pair), got;

		memcpy(body + 4, &rows[i], 8);
		memcpy(body + 12, &wide_end, 8);
		message = message_of("prog_load", DEVICE_prog_load, &head, sizeof(head), body,
				     sizeof(body));
		greet(fd, messages, 2);
		send_bytes(fd, (u32)message.size, message.type, message.bytes, message.size);
		got = read_answer(fd);
		if (got != -EINVAL)
			fail_msg("row %u: %d", i, got);
		close(fd);
	}
	device_end(&pair);
}

/* --- devices that are none --- */

struct fake {
	int listening;
	const void *answer;
	size_t size;
};

static void *fake_thread(void *cookie)
{
	struct fake *fake = cookie;
	int fd = accept(fake->listening, NULL, NULL);
	u8 hello[sizeof(struct device_frame) + sizeof(struct device_hello)];

	channel_receive(fd, hello, sizeof(hello));
	if (send(fd, fake->answer, fake->size, MSG_NOSIGNAL) < 0)
		perror("send");
	shutdown(fd, SHUT_WR);
	channel_receive(fd, hello, 1);
	close(fd);
	return NULL;
}

/* What opening such a device comes to. */
static int open_fake(struct skep_engine *engine, const void *answer, size_t size,
		     struct skep_error *err)
{
	char address[ADDRESS], spec[ADDRESS + 16];
	struct fake fake = {.answer = answer, .size = size};
	pthread_t thread;
	int got;

	snprintf(address, sizeof(address), "unix:/tmp/skep-fake-%d", getpid());
	snprintf(spec, sizeof(spec), "device:%s", address);
	fake.listening = channel_listen(address, NULL);
	assert_true(fake.listening >= 0);
	assert_int_equal(pthread_create(&thread, NULL, fake_thread, &fake), 0);
	got = skep_port_open(engine, spec, err);
	pthread_join(thread, NULL);
	close(fake.listening);
	channel_forget(address);
	return got;
}

static void versions_differ(void **state)
{
	static const struct {
		struct device_frame frame;
		struct device_result result;
		struct device_about about;
	} newer = {{sizeof(newer) - sizeof(newer.frame), DEVICE_ANSWER},
		   {},
		   {.magic = DEVICE_MAGIC, .version = 9}};
	struct skep_engine *engine = skep_engine_new(NULL, NULL);
	struct skep_error err = {};
	struct pair pair = {};
	int fd;

	assert_int_equal(open_fake(engine, &newer, sizeof(newer), &err), -EPROTONOSUPPORT);
	assert_non_null(strstr(err.text, "it speaks version 9 of the protocol, this skep 1"));
	skep_engine_free(engine);
	device_begin(&pair, "gen:count=10", NULL);
	fd = connect_to(&pair);
	send_bytes(fd, 8, DEVICE_hello, (u32[]){DEVICE_MAGIC, 9}, 8);
	assert_int_equal(read_answer(fd), -EPROTONOSUPPORT);
	assert_int_equal(read_answer(fd), 1);
	close(fd);
	device_end(&pair);
}

/* A good answer to hello, cut at each byte, and others that are none. */
static void answers_are_none(void **state)
{
	static const struct {
		struct device_frame frame;
		struct device_result result;
		struct device_about about;
	} good = {{sizeof(good) - sizeof(good.frame), DEVICE_ANSWER},
		  {},
		  {.magic = DEVICE_MAGIC, .version = DEVICE_VERSION}};
	static const u32 others[][6] = {
		{8, 7, 0, 0},		 /* no answer */
		{4, 0, 0, 0},		 /* shorter than its result */
		{8, 0, 5, 0},		 /* a result that is no errno */
		{8, 0, -5000, 0},	 /* another */
		{0xffffffff, 0, 0, 0},	 /* longer than what was asked for */
		{0xffffffff, 0, -22, 0}, /* texts without an end */
		{16, 0, -22, 0, 0x41414141, 0x41414141},
		{8, 0, -22, 0},
	};
	struct skep_engine *engine = skep_engine_new(NULL, NULL);
	struct skep_error err = {};

	for (size_t size = 0; size <= sizeof(good); size += 3)
		assert_true(open_fake(engine, &good, size, &err) < 0);
	for (u32 i = 0; i < ARRAY_SIZE(others); i++) {
		assert_true(open_fake(engine, others[i], sizeof(others[i]), &err) < 0);
		assert_int_not_equal(err.text[0], '\0');
	}
	skep_engine_free(engine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_good_as_they_are),
		cmocka_unit_test(messages_are_cut),
		cmocka_unit_test(bytes_are_changed),
		cmocka_unit_test(frames_are_none),
		cmocka_unit_test(instructions_name_only_what_is_the_hosts),
		cmocka_unit_test(versions_differ),
		cmocka_unit_test(answers_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
