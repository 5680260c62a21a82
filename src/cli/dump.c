/* SPDX-License-Identifier: BSD-2-Clause */
/* `skep dump`: which packets of a capture or port match an expression, shown, counted, written.
 */
#include "cli/dissect.h"
#include "cli/expression.h"
#include "cli/move.h"

#include <errno.h>
#include <pthread.h>
#include <skep/capture.h>
#include <skep/port.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINK_ETHERNET 1
#define ROOM	      1024
#define ROOM_COUNTED  (1 << 20) /* packets between two looks at signals */
#define PRINTED_MAX   (64 << 10)

struct dump {
	struct session session;
	struct attachments attachments;
	int filter; /* program; -1: all match */
	u64 limit;  /* matches; 0: none */
	u64 matches;
	bool only_counts;
	bool has_begun;			    /* there is something to tell */
	struct skep_capture_writer *writer; /* NULL: packets are shown */
	int failed;			    /* the errno of the writer */
	struct strbuf text;		    /* not printed yet */
	/* Of the second in which packets are: mostly the same for many. */
	time_t second;
	char clock[16];
	pthread_mutex_t lock; /* a port has several queues */
};

static bool is_given(const struct dump *dump, enum option_id id)
{
	return option_given(dump->session.line, id);
}

/* --- showing --- */

static void flush(struct dump *dump)
{
	fwrite(strbuf_text(&dump->text), 1, dump->text.length, stdout);
	strbuf_clear(&dump->text);
}

static void add_time(struct dump *dump, u64 time_ns)
{
	const time_t second = (time_t)(time_ns / 1000000000);
	struct tm local;

	if (second != dump->second || !dump->clock[0]) {
		localtime_r(&second, &local);
		strftime(dump->clock, sizeof(dump->clock), "%H:%M:%S", &local);
		dump->second = second;
	}
	strbuf_addf(&dump->text, "%s.%06llu ", dump->clock, time_ns / 1000 % 1000000);
}

static void add_line(struct dump *dump, const struct skep_packet *packet)
{
	struct dissection dissection = {
		.out = &dump->text,
		.with_link = is_given(dump, OPTION_link_level),
		.is_verbose = is_given(dump, OPTION_verbose),
	};

	dissect_packet(&dissection, packet);
}

static void show_json(struct dump *dump, const struct skep_packet *packet)
{
	struct output *output = &dump->session.line->output;

	add_line(dump, packet);
	output_begin(output, "packet");
	output_number(output, "time_ns", packet->time_ns);
	output_number(output, "length", packet->original_length);
	output_number(output, "captured", packet->length);
	output_string(output, "text", strbuf_text(&dump->text));
	output_end(output);
	strbuf_clear(&dump->text);
}

static void show_text(struct dump *dump, const struct skep_packet *packet)
{
	const u32 link = dissect_link_bytes(packet);
	const bool with_text = is_given(dump, OPTION_text);

	if (!is_given(dump, OPTION_no_time))
		add_time(dump, packet->time_ns);
	add_line(dump, packet);
	if (with_text || is_given(dump, OPTION_hex))
		dissect_bytes(&dump->text, packet->data + link, packet->length - link,
			      with_text);
	strbuf_addc(&dump->text, '\n');
	if (dump->text.length > PRINTED_MAX)
		flush(dump);
}

/* --- packets that match --- */

static bool is_over(const struct dump *dump)
{
	return dump->failed || (dump->limit && dump->matches >= dump->limit);
}

static void take(struct dump *dump, const struct skep_packet *packet)
{
	dump->matches++;
	if (dump->writer)
		dump->failed = skep_capture_write(dump->writer, packet);
	else if (dump->only_counts)
		return;
	else if (dump->session.line->output.is_json)
		show_json(dump, packet);
	else
		show_text(dump, packet);
}

static int read_packets(struct dump *dump, struct skep_capture *capture)
{
	const bool is_quick = dump->only_counts && !dump->writer && !dump->limit;
	struct skep_packet *packets = calloc(ROOM, sizeof(*packets));
	struct skep_error err = {};
	uint64_t seen = 1;
	s64 got = packets ? 0 : -ENOMEM;

	dump->has_begun = true;
	while (got >= 0 && seen && !is_over(dump) && !move_is_interrupted()) {
		got = skep_capture_filter(capture, dump->session.engine, dump->filter,
					  is_quick ? NULL : packets,
					  is_quick ? ROOM_COUNTED : ROOM, &seen, &err);
		if (is_quick)
			dump->matches += (u64)max(got, 0ll);
		for (s64 i = 0; !is_quick && i < got && !is_over(dump); i++)
			take(dump, &packets[i]);
	}
	free(packets);
	return got < 0 ? usage_error("%s", err.text[0] ? err.text : strerror((int)-got)) : 0;
}

static void hear(void *cookie, const struct skep_packet *packets, u32 count)
{
	struct dump *dump = cookie;

	pthread_mutex_lock(&dump->lock);
	for (u32 i = 0; i < count && !is_over(dump); i++)
		take(dump, &packets[i]);
	if (is_over(dump))
		skep_ports_stop(dump->session.engine);
	flush(dump);
	fflush(stdout);
	pthread_mutex_unlock(&dump->lock);
}

/* An interface's packets go on to the host, as they do under tcpdump. */
static int open_port(struct dump *dump, const char *name)
{
	struct skep_error err = {};
	char spec[128];
	int port;

	snprintf(spec, sizeof(spec), strchr(name, ':') ? "%s" : "packet:%s", name);
	port = skep_port_open(dump->session.engine, spec, &err);
	if (port < 0)
		return usage_error("%s", err.text);
	dump->attachments.ports[dump->attachments.port_count++] = port;
	return 0;
}

static int listen_to_port(struct dump *dump)
{
	struct move move = {
		.session = &dump->session,
		.attachments = &dump->attachments,
	};
	int code = move_options(dump->session.line, &move);

	move.count = 0;
	move.shows_progress = false;
	code = code ?: open_port(dump, dump->session.line->option[OPTION_from]);
	if (!code && skep_port_listen(dump->session.engine, dump->attachments.ports[0],
				      dump->filter, hear, dump))
		code = usage_error("%s", skep_engine_error(dump->session.engine)->text);
	if (code)
		return code;
	dump->has_begun = true;
	move_catch_signals(dump->session.engine);
	code = move_until_end(&move);
	move_ignore_engine();
	return code;
}

/* --- the command --- */

/* The direct form when there is one: the verifier may find it too long. */
static int load_expression(const struct expression *expression)
{
	int fd = -1;

	if (expression->direct)
		fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "dump", "Dual BSD/GPL",
				   expression->direct, expression->direct_count, NULL);
	return fd >= 0 ? fd
		       : bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "dump", "Dual BSD/GPL",
				       expression->insns, expression->count, NULL);
}

static int load_filter(struct dump *dump, u32 link_type)
{
	const struct command_line *line = dump->session.line;
	struct expression expression = {};
	struct strbuf text;
	int code = 0;

	strbuf_init(&text);
	for (int i = 0; i < line->argument_count; i++)
		strbuf_addf(&text, i ? " %s" : "%s", line->arguments[i]);
	if (text.length)
		code = expression_compile(strbuf_text(&text), link_type, &expression);
	if (!code && expression.insns) {
		dump->filter = load_expression(&expression);
		if (dump->filter < 0)
			code = usage_error("expression '%s': %s", strbuf_text(&text),
					   skep_engine_error(dump->session.engine)->text);
	}
	expression_free(&expression);
	strbuf_done(&text);
	return code;
}

static int create_file(struct dump *dump, u32 link_type)
{
	const char *path = dump->session.line->option[OPTION_write];
	struct skep_error err = {};

	if (!path)
		return 0;
	dump->writer = skep_capture_create(path, link_type, &err);
	return dump->writer ? 0 : usage_error("%s", err.text);
}

static int dump_file(struct dump *dump, const char *path)
{
	struct skep_error err = {};
	struct skep_capture *capture = skep_capture_open(path, &err);
	int code;

	if (!capture)
		return usage_error("%s", err.text);
	move_catch_signals(NULL);
	code = load_filter(dump, skep_capture_link_type(capture) ?: LINK_ETHERNET);
	code = code ?: create_file(dump, skep_capture_link_type(capture));
	code = code ?: read_packets(dump, capture);
	skep_capture_close(capture);
	return code;
}

static int dump_port(struct dump *dump)
{
	int code = load_filter(dump, LINK_ETHERNET);

	code = code ?: create_file(dump, LINK_ETHERNET);
	return code ?: listen_to_port(dump);
}

/* What was found so far is told, whatever ended it. */
static int finish(struct dump *dump, int code)
{
	const char *path = dump->session.line->option[OPTION_write];
	struct output *output = &dump->session.line->output;

	flush(dump);
	if (dump->writer) {
		const int err = skep_capture_finish(dump->writer);

		if (err)
			code = usage_error("%s: %s", path, strerror(-err));
	}
	if (dump->only_counts && dump->has_begun) {
		output_begin(output, "count");
		output_number_bare(output, "packets", dump->matches, " packets");
		output_end(output);
	}
	if (ferror(stdout) || fflush(stdout))
		code = usage_error("standard output: %s", strerror(errno));
	return code;
}

static int check_options(const struct command_line *line)
{
	if (option_given(line, OPTION_from) == option_given(line, OPTION_read))
		return usage_error("dump: expected -r FILE or -i PORT");
	return 0;
}

int cmd_dump(struct command_line *line)
{
	struct dump dump = {.filter = -1, .lock = PTHREAD_MUTEX_INITIALIZER};
	int code = check_options(line) ?: option_number(line, OPTION_matches, 0, &dump.limit);

	if (code)
		return code;
	strbuf_init(&dump.text);
	code = session_target(&dump.session, line);
	dump.only_counts = option_given(line, OPTION_only_count);
	if (!code) {
		code = option_given(line, OPTION_read)
			       ? dump_file(&dump, line->option[OPTION_read])
			       : dump_port(&dump);
		code = finish(&dump, code);
	}
	if (dump.filter >= 0)
		close(dump.filter);
	detach_all(&dump.session, &dump.attachments);
	session_close(&dump.session);
	strbuf_done(&dump.text);
	return code;
}
