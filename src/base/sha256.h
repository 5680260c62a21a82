/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 (FIPS 180-4), for the tags of programs. */
#ifndef SKEP_BASE_SHA256_H
#define SKEP_BASE_SHA256_H

#include "base/types.h"

#define SHA256_SIZE  32

#define SHA256_BLOCK 64

struct sha256 {
	u32 hash[8];
	u8 block[SHA256_BLOCK]; /* the bytes that do not fill one yet */
	u64 size;		/* of all that was added */
};

void sha256_init(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *data, size_t size);
/* The hash of what was added; `sha` is used up. */
void sha256_end(struct sha256 *sha, u8 out[SHA256_SIZE]);

/* --- blocks: as every machine can, and with instructions made for it (sha256_x86.c) --- */

extern const u32 sha256_constants[64];

void sha256_blocks(u32 hash[8], const u8 *blocks, size_t count);
bool sha256_x86_is_there(void);
void sha256_x86_blocks(u32 hash[8], const u8 *blocks, size_t count);

#endif
