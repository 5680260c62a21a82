/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Internet checksums (RFC 1071): sums of 16-bit words in ones' complement, held in 32 bits
 * until they are folded. 0 and 0xffff are the same number, but not the same bytes: every step
 * is done in Linux's order, so that the bytes are Linux's too.
 */
#include "helper/body.h"
#include "helper/skb.h"

#include <errno.h>
#include <string.h>

#define OFFSET_MAX 0xffff
#define MANGLED_0  0xffff /* how UDP writes the checksum 0 */
#define LEVEL_MAX  3	  /* Linux's SKB_MAX_CSUM_LEVEL */
#define L4_FLAGS                                                                     \
	(BPF_F_MARK_MANGLED_0 | BPF_F_MARK_ENFORCE | BPF_F_PSEUDO_HDR | BPF_F_IPV6 | \
	 BPF_F_HDR_FIELD_MASK)

static u32 sum_add(u32 a, u32 b)
{
	u32 sum = a + b;

	return sum + (sum < b);
}

static u32 sum_sub(u32 a, u32 b)
{
	return sum_add(a, ~b);
}

/* 16 bits of a sum. */
static u16 sum_shorten(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return sum + (sum >> 16);
}

static u16 sum_fold(u32 sum)
{
	return ~sum_shorten(sum);
}

static u32 sum_bytes(const u8 *bytes, u32 size, u32 sum)
{
	u64 wide = sum;

	for (u32 i = 0; i < size; i += sizeof(u32)) {
		u32 word = 0;

		memcpy(&word, bytes + i, min(size - i, (u32)sizeof(word)));
		wide += word;
	}
	wide = (wide & 0xffffffff) + (wide >> 32);
	return wide + (wide >> 32);
}

HELPER_BODY(csum_diff)
{
	const u32 from_size = r2, to_size = r4;
	u32 sum = r5;

	if (from_size && to_size)
		sum = sum_sub(sum_bytes(u64_to_ptr(r3), to_size, sum),
			      sum_bytes(u64_to_ptr(r1), from_size, 0));
	else if (to_size)
		sum = sum_bytes(u64_to_ptr(r3), to_size, sum);
	else if (from_size)
		sum = ~sum_bytes(u64_to_ptr(r1), from_size, ~sum);
	return sum_shorten(sum);
}

/* The checksum at `offset`: 0 or a negative errno. */
static int find_checksum(const struct skb_ctx *skb, u32 offset)
{
	if (offset > OFFSET_MAX || offset & 1)
		return -EFAULT;
	return skb_has(skb, offset, sizeof(u16)) ? 0 : -EFAULT;
}

static u16 replace_difference(u16 checksum, u32 difference)
{
	return sum_fold(sum_add(difference, ~(u32)checksum));
}

static u16 replace_word(u16 checksum, u32 from, u32 to)
{
	return sum_fold(sum_add(sum_sub(~(u32)checksum, from), to));
}

static u16 add16(u16 a, u16 b)
{
	u16 sum = a + b;

	return sum + (sum < b);
}

static u16 replace_half(u16 checksum, u16 from, u16 to)
{
	return ~add16(add16(~checksum, ~from), to);
}

HELPER_BODY(l3_csum_replace)
{
	struct skb_ctx *skb = u64_to_ptr(r1);
	const u32 offset = r2;
	u16 checksum;

	if (r5 & ~(u64)BPF_F_HDR_FIELD_MASK)
		return -EINVAL;
	if (find_checksum(skb, offset))
		return -EFAULT;
	memcpy(&checksum, skb->data + offset, sizeof(checksum));
	if (r5 == 0 && r3 == 0)
		checksum = replace_difference(checksum, r4);
	else if (r5 == sizeof(u16))
		checksum = replace_half(checksum, r3, r4);
	else if (r5 == sizeof(u32))
		checksum = replace_word(checksum, r3, r4);
	else
		return -EINVAL;
	memcpy(skb->data + offset, &checksum, sizeof(checksum));
	return 0;
}

HELPER_BODY(l4_csum_replace)
{
	struct skb_ctx *skb = u64_to_ptr(r1);
	const u64 field = r5 & BPF_F_HDR_FIELD_MASK;
	const u32 offset = r2;
	u16 checksum;

	if (r5 & ~(u64)L4_FLAGS)
		return -EINVAL;
	if (find_checksum(skb, offset))
		return -EFAULT;
	memcpy(&checksum, skb->data + offset, sizeof(checksum));
	if (!checksum && (r5 & BPF_F_MARK_MANGLED_0) && !(r5 & BPF_F_MARK_ENFORCE))
		return 0; /* UDP without a checksum */
	if (field == 0 && r3 == 0)
		checksum = replace_difference(checksum, r4);
	else if (field == sizeof(u16))
		checksum = replace_word(checksum, (u16)r3, (u16)r4);
	else if (field == sizeof(u32))
		checksum = replace_word(checksum, r3, r4);
	else
		return -EINVAL;
	if (!checksum && (r5 & BPF_F_MARK_MANGLED_0))
		checksum = MANGLED_0;
	memcpy(skb->data + offset, &checksum, sizeof(checksum));
	return 0;
}

/* For packets that carry a sum over all their bytes: none here do. */
HELPER_BODY(csum_update)
{
	return -ENOTSUPP;
}

static void verified_one_more(struct skb_ctx *skb)
{
	if (!skb->is_checksum_good)
		skb->checksum_level = 0;
	else if (skb->checksum_level < LEVEL_MAX)
		skb->checksum_level++;
	skb->is_checksum_good = true;
}

static void verified_one_less(struct skb_ctx *skb)
{
	if (skb->is_checksum_good && skb->checksum_level)
		skb->checksum_level--;
	else
		skb->is_checksum_good = false;
}

HELPER_BODY(csum_level)
{
	struct skb_ctx *skb = u64_to_ptr(r1);

	switch (r2) {
	case BPF_CSUM_LEVEL_QUERY: return skb->is_checksum_good ? skb->checksum_level : -EACCES;
	case BPF_CSUM_LEVEL_INC: verified_one_more(skb); return 0;
	case BPF_CSUM_LEVEL_DEC: verified_one_less(skb); return 0;
	case BPF_CSUM_LEVEL_RESET:
		skb->is_checksum_good = false;
		skb->checksum_level = 0;
		return 0;
	default: return -EINVAL;
	}
}
