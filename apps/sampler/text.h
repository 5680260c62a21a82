/* SPDX-License-Identifier: BSD-2-Clause */
/* A flow as people write it. */
#ifndef SAMPLER_TEXT_H
#define SAMPLER_TEXT_H

#include "sampler.h"

#include "base/strbuf.h"

#define TEXT_END_MAX 56 /* of an address and a port */

/* "tcp", or the number of a protocol without a name here. `text` has room for 8 characters. */
const char *text_protocol(u8 protocol, char *text);
/* ADDRESS:PORT, [ADDRESS]:PORT, or the address alone when the protocol has no ports. */
void text_end(const struct sampler_key *key, bool is_source, char text[TEXT_END_MAX]);
/* PROTOCOL END > END */
void text_flow(const struct sampler_key *key, struct strbuf *out);

#define TEXT_NUMBER_MAX 16

/* Three digits and k, M, G or T: "1.24 G". Returns `text`. */
const char *text_number(double value, char text[TEXT_NUMBER_MAX]);

#endif
