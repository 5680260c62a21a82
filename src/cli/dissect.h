/* SPDX-License-Identifier: BSD-2-Clause */
/* A packet in one line, in tcpdump's manner. Packets are hostile: nothing beyond `end` is read.
 */
#ifndef SKEP_CLI_DISSECT_H
#define SKEP_CLI_DISSECT_H

#include "base/strbuf.h"
#include <skep/capture.h>

struct dissection {
	struct strbuf *out;
	bool with_link, is_verbose; /* -e, -v */
	const u8 *at, *end;	    /* what is not said yet; the captured bytes */
	u32 left;		    /* bytes from `at` on that the packet says it has */
};

/* Adds the line to `out`, without its newline. */
void dissect_packet(struct dissection *dissection, const struct skep_packet *packet);
/* Lines of hexadecimal digits, with `with_text` also as characters; each begins with a newline.
 */
void dissect_bytes(struct strbuf *out, const u8 *data, u32 length, bool with_text);
/* How many bytes the link's header has, with its VLAN tags. */
u32 dissect_link_bytes(const struct skep_packet *packet);

/* --- inside --- */

/* Whether there are so many bytes; if not, says that the protocol is cut off. */
bool dissect_has(struct dissection *dissection, u32 bytes, const char *protocol);
/* What IP carries. `source` and `destination` are texts; NULL: they were said before. */
void dissect_transport(struct dissection *dissection, u32 protocol, const char *source,
		       const char *destination);
void dissect_dns(struct dissection *dissection);

static inline u16 dissect_16(const u8 *at)
{
	return (u16)(at[0] << 8 | at[1]);
}

static inline u32 dissect_32(const u8 *at)
{
	return (u32)dissect_16(at) << 16 | dissect_16(at + 2);
}

void dissect_add_address4(struct strbuf *out, const u8 *address);
void dissect_add_address6(struct strbuf *out, const u8 *address);

#endif
