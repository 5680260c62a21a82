/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flows as IPFIX messages (RFC 7011), made by libfixbuf, which is only needed by whoever
 * exports. One of these is one transport session: its templates and sequence numbers.
 */
#ifndef SAMPLER_IPFIX_H
#define SAMPLER_IPFIX_H

#include "flow.h"

struct ipfix;

/* A whole message, with all that was put before the call that sends it. */
typedef void ipfix_send(void *cookie, const u8 *message, size_t size);

/* What the receiver is told about the sampler, beside flows. */
struct ipfix_facts {
	u64 one_of; /* so many packets one was metered; 1: all */
	u64 sent_flows, lost_flows, lost_packets, lost_bytes;
};

/* What a record says of a flow that is told. */
struct ipfix_record {
	const struct sampler_key *key;
	u64 packets, bytes, start_ms, end_ms;
	u16 tcp_flags;
	u8 reason; /* enum flow_end */
};

/* 0 or an exit code after a message. `message_max`: bytes of a message. */
int ipfix_new(u32 domain, u16 message_max, ipfix_send *send, void *cookie, struct ipfix **out);
void ipfix_free(struct ipfix *ipfix);

/* These return 0 or a negative errno. The templates go ahead of all; over UDP again and again.
 * The facts follow them. */
int ipfix_put_templates(struct ipfix *ipfix);
int ipfix_put_facts(struct ipfix *ipfix, const struct ipfix_facts *facts);
int ipfix_put(struct ipfix *ipfix, const struct ipfix_record *record);
/* Sends the message that has begun. */
int ipfix_flush(struct ipfix *ipfix);

#endif
