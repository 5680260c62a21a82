/* SPDX-License-Identifier: BSD-2-Clause */
/* A message that a socket is to send, as programs of type sk_msg have it: in one piece. */
#ifndef SKEP_HELPER_MESSAGE_H
#define SKEP_HELPER_MESSAGE_H

#include "base/types.h"
#include "catalog/uapi.h"

/* What bpf_msg_push_data() may add. */
#define MESSAGE_ROOM 4096u

struct message_ctx {
	struct sk_msg_md md; /* first: what r1 points to */
	u8 *data, *end;	     /* the message */
	u8 *limit;	     /* where its memory ends */
	u32 apply_bytes;     /* that the verdict is for; 0: this message */
	u32 cork_bytes; /* that have to be there before the program is asked again; 0: none */
};

/* All of it is in direct reach. */
static inline void message_show(struct message_ctx *message)
{
	message->md.data = message->data;
	message->md.data_end = message->end;
	message->md.size = (u32)(message->end - message->data);
}

#endif
