/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet in memory that its programs may write. Whose memory it is depends on the kind of
 * port: the worker's, into which the port copied, or the port's own (PORT_OWN_MEMORY); either
 * way it stays until the port's release().
 */
#ifndef SKEP_NET_FRAME_H
#define SKEP_NET_FRAME_H

#include "base/types.h"
#include "catalog/ctx.h"

#define FRAME_BATCH 64
/* Behind the headroom: as long as the longest record of a capture (net/capture.h). */
#define FRAME_DATA_MAX (256 * 1024)

/* What the port knows of a frame beside its bytes: struct frame.known. */
enum frame_known {
	FRAME_TIME = 1,	 /* time_ns */
	FRAME_HASH = 2,	 /* hash */
	FRAME_VLAN = 4,	 /* vlan_proto, vlan_tci: of a tag that is not in the bytes any more */
	FRAME_NOTE = 16, /* note */
	/* What goes with a frame to another process. */
	FRAME_ALL = FRAME_TIME | FRAME_HASH | FRAME_VLAN,
};

struct capture_note;

struct frame {
	u8 *memory; /* at least PACKET_HEADROOM bytes in front of `data` as it came in */
	u8 *end;    /* of the memory */
	u8 *data;
	u32 length;
	u32 metadata;		  /* so many bytes in front of `data` are a program's */
	u32 original_length;	  /* on the wire, when the capture cut it; else == length */
	u32 known;		  /* FRAME_* */
	u64 time_ns;		  /* since 1970 */
	u32 hash;		  /* of the flow */
	u16 vlan_proto, vlan_tci; /* host order */
	const struct capture_note
		*note; /* NOTE: of the capture it comes from; until release() */
};

/* A copy of the bytes in memory of its own (`memory`, the caller's to free), with headroom and
 * so much room behind it. False: out of memory. */
bool frame_copy(struct frame *frame, const u8 *data, u32 length, u32 tailroom);

#endif
