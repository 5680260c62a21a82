/* SPDX-License-Identifier: BSD-2-Clause */
/* A device and its host, both engines of this process, and calls of the host's. */
#ifndef SKEP_TESTS_DEVICE_DEVICES_H
#define SKEP_TESTS_DEVICE_DEVICES_H

#include "tests/sys/programs.h"

#include <linux/if_link.h>
#include <skep/attach.h>
#include <skep/device.h>
#include <stdlib.h>
#include <unistd.h>

#define DROP	 "r0 = 1\nexit"
#define ADDRESS	 96
#define PATIENCE 3000 /* times 10 ms */

struct pair {
	struct world host;	    /* first: what bpf() takes */
	struct skep_engine *engine; /* the device's */
	struct skep_device *device;
	char address[ADDRESS];
	int port; /* the host's, of the device */
};

static inline void device_begin(struct pair *pair, const char *port, const char *without)
{
	static int count;
	struct skep_device_opts opts = {
		.sz = sizeof(opts), .listen = pair->address, .without = without};
	struct skep_error err = {};

	pair->engine = skep_engine_new(NULL, NULL);
	assert_non_null(pair->engine);
	if (!pair->address[0])
		snprintf(pair->address, ADDRESS, "unix:/tmp/skep-device-%d-%d", getpid(),
			 count++);
	opts.ifindex = skep_port_open(pair->engine, port, &err);
	if (opts.ifindex < 0)
		fail_msg("%s", err.text);
	pair->device = skep_device_start(pair->engine, &opts, &err);
	if (!pair->device)
		fail_msg("%s", err.text);
}

static inline void device_end(struct pair *pair)
{
	assert_int_equal(skep_device_stop(pair->device, NULL), 0);
	skep_engine_free(pair->engine);
	pair->device = NULL;
	pair->engine = NULL;
}

static inline int open_device(struct skep_engine *engine, const char *address)
{
	char spec[ADDRESS + 16];
	struct skep_error err = {};
	int port;

	snprintf(spec, sizeof(spec), "device:%s", address);
	port = skep_port_open(engine, spec, &err);
	if (port < 0)
		fail_msg("%s", err.text);
	return port;
}

static inline void pair_begin(struct pair *pair, const char *port, const char *without)
{
	device_begin(pair, port, without);
	pair->host.engine = skep_engine_new(NULL, NULL);
	assert_non_null(pair->host.engine);
	pair->port = open_device(pair->host.engine, pair->address);
}

static inline void pair_end(struct pair *pair)
{
	skep_engine_free(pair->host.engine);
	device_end(pair);
}

static inline int make_map(struct world *host, u32 type, u32 value_size, u32 flags, int port)
{
	union bpf_attr attr = {.map_type = type,
			       .key_size = 4,
			       .value_size = value_size,
			       .max_entries = 8,
			       .map_flags = flags,
			       .map_ifindex = (u32)port};

	return bpf(host, BPF_MAP_CREATE, &attr);
}

static inline int load_for(struct world *host, const char *text, int map, u32 type, u32 flags,
			   int port)
{
	struct bpf_insn *insns;
	union bpf_attr attr = {.prog_type = type,
			       .license = ptr_to_u64("GPL"),
			       .prog_flags = flags,
			       .prog_name = "at_device",
			       .prog_ifindex = (u32)port};
	struct skep_error error;
	int fd;

	if (insns_assemble(text, &insns, &attr.insn_cnt, &error))
		fail_msg("%s", error.text);
	for (u32 i = 0; i < attr.insn_cnt; i++)
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW))
			insns[i++].imm = map;
	attr.insns = ptr_to_u64(insns);
	fd = bpf(host, BPF_PROG_LOAD, &attr);
	free(insns);
	return fd;
}

static inline int link_with(struct world *host, int prog, int port, u32 flags)
{
	union bpf_attr attr = {.link_create = {.prog_fd = (u32)prog,
					       .target_ifindex = (u32)port,
					       .attach_type = BPF_XDP,
					       .flags = flags}};

	return bpf(host, BPF_LINK_CREATE, &attr);
}

static inline int lookup(struct world *host, int map, u32 key, u64 *value)
{
	union bpf_attr attr = {
		.map_fd = (u32)map, .key = ptr_to_u64(&key), .value = ptr_to_u64(value)};

	return bpf(host, BPF_MAP_LOOKUP_ELEM, &attr);
}

static inline int update(struct world *host, int map, u32 key, u64 value, u64 flags)
{
	union bpf_attr attr = {.map_fd = (u32)map,
			       .key = ptr_to_u64(&key),
			       .value = ptr_to_u64(&value),
			       .flags = flags};

	return bpf(host, BPF_MAP_UPDATE_ELEM, &attr);
}

static inline struct skep_port_stats stats_of(struct skep_engine *engine, int port)
{
	struct skep_port_stats stats = {.sz = sizeof(stats)};

	assert_int_equal(skep_port_stats(engine, port, &stats), 0);
	return stats;
}

#endif
