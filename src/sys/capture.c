/* SPDX-License-Identifier: BSD-2-Clause */
/* The public face of captures: a reader or writer of src/net with the filters of an engine. */
#include "net/filter.h"
#include "net/net.h"
#include "sys/engine.h"

#include <errno.h>
#include <skep/capture.h>
#include <stdlib.h>
#include <string.h>

struct skep_capture {
	struct capture_reader reader;
	struct runner *runner;
	u32 link_type;
	char path[];
};

/* That of the first packet: pcapng says it nowhere else. */
static u32 first_link_type(struct capture_reader *reader)
{
	struct capture_packet packet;
	struct skep_error err;
	const u32 link_type = capture_next(reader, &packet, &err) > 0 ? packet.link_type : 0;

	capture_rewind(reader);
	reader->packets = 0;
	return link_type;
}

struct skep_capture *skep_capture_open(const char *path, struct skep_error *err)
{
	struct skep_capture *capture = malloc(sizeof(*capture) + strlen(path) + 1);

	error_clear(err);
	if (capture)
		capture->runner = runner_new();
	if (!capture || !capture->runner) {
		error_set(err, SKEP_STAGE_PORT, -ENOMEM, "%s: out of memory", path);
		free(capture);
		return NULL;
	}
	strcpy(capture->path, path);
	if (capture_open(&capture->reader, capture->path, err)) {
		runner_free(capture->runner);
		free(capture);
		return NULL;
	}
	capture->link_type = first_link_type(&capture->reader);
	return capture;
}

void skep_capture_close(struct skep_capture *capture)
{
	if (!capture)
		return;
	capture_close(&capture->reader);
	runner_free(capture->runner);
	free(capture);
}

uint32_t skep_capture_link_type(const struct skep_capture *capture)
{
	return capture->link_type;
}

/* A reference to the filter; NULL when `prog_fd` is below 0, or with *ret set. */
static struct prog *find_filter(struct skep_engine *engine, int prog_fd, int *ret,
				struct skep_error *err)
{
	struct object *object;
	struct prog *prog;

	*ret = 0;
	if (prog_fd < 0)
		return NULL;
	object = descriptor_object(engine, prog_fd, OBJECT_PROG, NULL, ret);
	if (!object) {
		*ret = error_set(err, SKEP_STAGE_CALL, -EBADF, "descriptor %d is no program",
				 prog_fd);
		return NULL;
	}
	prog = container_of(object, struct prog, object);
	if ((prog->type == BPF_PROG_TYPE_SOCKET_FILTER ||
	     prog->type == BPF_PROG_TYPE_SCHED_CLS) &&
	    prog->code)
		return prog;
	object_put(object);
	*ret = error_set(err, SKEP_STAGE_CALL, -EBADF,
			 "descriptor %d: expected a socket filter or a tc program that can run",
			 prog_fd);
	return NULL;
}

int64_t skep_capture_filter(struct skep_capture *capture, struct skep_engine *engine,
			    int prog_fd, struct skep_packet *out, uint32_t room, uint64_t *seen,
			    struct skep_error *err)
{
	struct filter filter;
	struct prog *prog;
	u64 looked_at;
	s64 kept;
	int ret;

	error_clear(err);
	prog = find_filter(engine, prog_fd, &ret, err);
	if (ret)
		return ret;
	filter_begin(&filter, &engine->env, capture->runner, prog);
	kept = filter_capture(&filter, &capture->reader, out, room, &looked_at, err);
	filter_end(&filter);
	*seen = looked_at;
	if (prog)
		object_put(&prog->object);
	return kept;
}

struct skep_capture_writer {
	struct capture_writer writer;
	char path[];
};

struct skep_capture_writer *skep_capture_create(const char *path, uint32_t link_type,
						struct skep_error *err)
{
	struct skep_capture_writer *writer = malloc(sizeof(*writer) + strlen(path) + 1);

	error_clear(err);
	if (!writer) {
		error_set(err, SKEP_STAGE_PORT, -ENOMEM, "%s: out of memory", path);
		return NULL;
	}
	strcpy(writer->path, path);
	if (!capture_create_of(&writer->writer, writer->path, link_type, err))
		return writer;
	free(writer);
	return NULL;
}

int skep_capture_write(struct skep_capture_writer *writer, const struct skep_packet *packet)
{
	return capture_write(&writer->writer, packet->data, packet->length,
			     packet->original_length, packet->time_ns);
}

int skep_capture_write_comment(struct skep_capture_writer *writer,
			       const struct skep_packet *packet, const char *comment)
{
	const struct capture_note note = {
		.comment = comment,
		.comment_length = (u32)strlen(comment),
	};

	return capture_write_noted(&writer->writer, packet->data, packet->length,
				   packet->original_length, packet->time_ns, &note);
}

int skep_capture_flush(struct skep_capture_writer *writer)
{
	return capture_flush(&writer->writer);
}

uint64_t skep_capture_lost(const struct skep_capture_writer *writer)
{
	return writer->writer.lost_packets;
}

int skep_capture_finish(struct skep_capture_writer *writer)
{
	const int ret = capture_finish(&writer->writer);

	free(writer);
	return ret;
}

int skep_port_listen(struct skep_engine *engine, int ifindex, int prog_fd,
		     skep_packet_function *function, void *cookie)
{
	struct skep_error *err = engine_error_start(engine);
	struct prog *prog;
	int ret;

	prog = find_filter(engine, prog_fd, &ret, err);
	if (!ret)
		ret = net_port_listen(engine->net, (u32)max(ifindex, 0),
				      &(struct listener){prog, function, cookie});
	if (ret && prog)
		object_put(&prog->object);
	if (ret && !err->code)
		error_set(err, SKEP_STAGE_PORT, ret,
			  ret == -EBUSY ? "port %d: packets are being moved" : "no port %d",
			  ifindex);
	return ret;
}
