/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol between a host and a device that runs programs: a request, then its answer, one
 * at a time. Each is a struct device_frame and as many bytes as it says: a request has the head
 * of its message and what follows that; an answer has the result, and behind it what was asked
 * for, or, when it failed, two terminated texts: what was wrong and what to do. "free" has no
 * answer.
 *
 * Numbers are little-endian, as the byte code is, and so are both machines. All members are
 * aligned without holes.
 */
#ifndef SKEP_DEVICE_MESSAGE_H
#define SKEP_DEVICE_MESSAGE_H

#include "base/types.h"

#define DEVICE_MAGIC	 0x70656b73u /* "skep" */
#define DEVICE_VERSION	 1u
#define DEVICE_KEY_MAX	 512u
#define DEVICE_VALUE_MAX (4u << 20)
#define DEVICE_INSNS_MAX 1000000u
#define DEVICE_MAPS_MAX	 64u
#define DEVICE_NAME_SIZE 16u
#define DEVICE_VERDICTS	 5u
/* A value, or two texts; more is no answer. */
#define DEVICE_ANSWER_MAX (DEVICE_VALUE_MAX + 64u)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "both ends are little-endian");

enum device_message {
	DEVICE_ANSWER = 0,
#define MESSAGE(name, number, more) DEVICE_##name = number,
#include "device/messages.def"
#undef MESSAGE
};

struct device_frame {
	u32 length; /* of what follows */
	u32 type;   /* enum device_message */
};

struct device_result {
	s32 code; /* 0 or a negative errno of Linux */
	u32 zero;
};

/* --- heads of requests --- */
struct device_hello {
	u32 magic, version;
};

struct device_map_create {
	u32 type, key_size, value_size, max_entries, flags, zero;
	char name[DEVICE_NAME_SIZE];
};

struct device_map_lookup { /* key */
	u32 map, zero;
	u64 flags;
};

struct device_map_update { /* key, value */
	u32 map, zero;
	u64 flags;
};

struct device_map_delete { /* key */
	u32 map, zero;
};

struct device_map_next_key { /* key; nothing: the first is asked for */
	u32 map, zero;
};

struct device_prog_load { /* the maps' numbers, then the instructions, whose maps are by index
			   */
	u32 type, attach_type, flags, is_gpl, map_count, insn_count;
	char name[DEVICE_NAME_SIZE];
};

struct device_prog_stats {
	u32 prog, zero;
};

struct device_attach { /* `replaces` 0: nothing may be there */
	u32 prog, replaces;
};

struct device_detach {
	u32 prog, zero;
};

struct device_port_stats {
	u32 zero[2];
};

struct device_free { /* a map or a program */
	u32 handle, zero;
};

/* --- what is answered: a struct device_result and this --- */
struct device_about {
	u32 magic, version;
	char machine[DEVICE_NAME_SIZE];
	char port[128];
};

struct device_made { /* of map_create, prog_load */
	u32 handle;
	u32 code_size; /* of the machine code of a program; 0: it is interpreted */
};

struct device_prog_counts {
	u64 packets, bytes, run_ns;
};

struct device_port_counts {
	u64 in_packets, in_bytes, out_packets, out_bytes;
	u64 verdict_packets[DEVICE_VERDICTS], verdict_bytes[DEVICE_VERDICTS];
	u64 redirect_failed, out_failed, truncated, run_ns, lost;
	u32 at_end, queues;
};

#endif
