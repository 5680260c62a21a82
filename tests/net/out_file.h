/* SPDX-License-Identifier: BSD-2-Clause */
/* An engine whose ports write what leaves them into a file, and what is in it. */
#ifndef SKEP_TESTS_NET_OUT_FILE_H
#define SKEP_TESTS_NET_OUT_FILE_H

#include "net/capture.h"
#include "tests/sys/programs.h"

#include <skep/port.h>

static struct world world;
static char out_path[32];

static inline int open_world(void **state)
{
	int fd;

	strcpy(out_path, "/tmp/skep-out-XXXXXX");
	fd = mkstemp(out_path);
	world.engine = skep_engine_new(NULL, NULL);
	return !world.engine || fd < 0 || close(fd);
}

static inline int close_world(void **state)
{
	skep_engine_free(world.engine);
	return unlink(out_path);
}

static inline int open_port(const char *spec)
{
	int port = skep_port_open(world.engine, spec, NULL);

	assert_true(port > 0);
	return port;
}

/* Of this length, that left. */
static inline u64 packets_out(u32 length)
{
	struct capture_packet packet;
	struct capture_reader reader;
	u64 count = 0;

	assert_int_equal(capture_open(&reader, out_path, NULL), 0);
	while (capture_next(&reader, &packet, NULL) == 1)
		count += packet.length == length;
	capture_close(&reader);
	return count;
}

#endif
