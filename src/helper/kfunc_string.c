/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings that nobody vouches for. -ERANGE: the address cannot be a string's; -EFAULT: it ends
 * in memory that is not there; -E2BIG: it is longer than Linux looks; -ENOENT: not found.
 */
#include "base/os.h"
#include "helper/body.h"

#include <errno.h>

#define LENGTH_MAX 65536 /* Linux's XATTR_SIZE_MAX */
#define CHUNK	   64

struct text {
	u64 address;
	u64 first; /* index of chunk[0] */
	u32 have;
	u8 chunk[CHUNK];
};

static struct text text_at(u64 address)
{
	return (struct text){.address = address};
}

/* What Linux does not even try: a null pointer, or bits that no address has. */
static bool is_no_text(u64 address)
{
	return address < os_page_size() || (u64)((s64)(address << 16) >> 16) != address;
}

/* The chunk ends with its page, so that what is behind need not be there. */
static bool text_fill(struct text *text, u64 index)
{
	const size_t page = os_page_size();
	const u64 address = text->address + index;

	text->first = index;
	text->have = min((size_t)CHUNK, page - address % page);
	if (!fault_safe_read(text->chunk, text->have, address))
		return true;
	text->have = 0;
	return false;
}

/* The character at `index`; false: there is no memory. */
static bool text_get(struct text *text, u64 index, u8 *out)
{
	if (index - text->first >= text->have && !text_fill(text, index))
		return false;
	*out = text->chunk[index - text->first];
	return true;
}

/* --- comparing --- */

/* As the kernel's table of characters has it: Latin-1. */
static u8 lower(u8 c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ? c + ('a' - 'A')
									       : c;
}

static s64 compare(u64 a, u64 b, bool ignores_case)
{
	struct text first = text_at(a), second = text_at(b);
	u8 c, d;

	if (is_no_text(a) || is_no_text(b))
		return -ERANGE;
	for (u64 i = 0; i < LENGTH_MAX; i++) {
		if (!text_get(&first, i, &c) || !text_get(&second, i, &d))
			return -EFAULT;
		if (ignores_case) {
			c = lower(c);
			d = lower(d);
		}
		if (c != d)
			return c < d ? -1 : 1;
		if (!c)
			return 0;
	}
	return -E2BIG;
}

KFUNC_BODY(bpf_strcmp)
{
	return compare(r1, r2, false);
}

KFUNC_BODY(bpf_strcasecmp)
{
	return compare(r1, r2, true);
}

/* --- one character --- */

/* The first `wanted` among `count` characters. `or_end`: or the string's end. */
static s64 find(u64 address, u64 count, s32 wanted, bool or_end)
{
	struct text text = text_at(address);
	u8 c;

	if (is_no_text(address))
		return -ERANGE;
	for (u64 i = 0; i < count && i < LENGTH_MAX; i++) {
		if (!text_get(&text, i, &c))
			return -EFAULT;
		if (c == wanted || (!c && or_end))
			return i;
		if (!c)
			return -ENOENT;
	}
	return count < LENGTH_MAX ? -ENOENT : -E2BIG;
}

KFUNC_BODY(bpf_strchr)
{
	return find(r1, LENGTH_MAX, (u8)r2, false);
}

KFUNC_BODY(bpf_strchrnul)
{
	return find(r1, LENGTH_MAX, (u8)r2, true);
}

KFUNC_BODY(bpf_strnchr)
{
	return find(r1, r2, (u8)r3, false);
}

KFUNC_BODY(bpf_strrchr)
{
	struct text text = text_at(r1);
	s64 last = -ENOENT;
	u8 c;

	if (is_no_text(r1))
		return -ERANGE;
	for (u64 i = 0; i < LENGTH_MAX; i++) {
		if (!text_get(&text, i, &c))
			return -EFAULT;
		if (c == (s32)r2)
			last = i;
		if (!c)
			return last;
	}
	return -E2BIG;
}

/* --- lengths --- */
static s64 length_of(u64 address, u64 count)
{
	const s64 end = find(address, count, '\0', true);

	return end == -ENOENT ? (s64)count : end;
}

KFUNC_BODY(bpf_strlen)
{
	return length_of(r1, LENGTH_MAX);
}

KFUNC_BODY(bpf_strnlen)
{
	return length_of(r1, r2);
}

/* How many characters at the start are in the set (`wanted`), or are not. */
static s64 span(u64 address, u64 set, bool wanted)
{
	struct text text = text_at(address), members = text_at(set);
	u8 c, d;

	if (is_no_text(address) || is_no_text(set))
		return -ERANGE;
	for (u64 i = 0; i < LENGTH_MAX; i++) {
		u64 j = 0;

		if (!text_get(&text, i, &c))
			return -EFAULT;
		if (!c)
			return i;
		do {
			if (j == LENGTH_MAX)
				return -E2BIG;
			if (!text_get(&members, j++, &d))
				return -EFAULT;
		} while (d && d != c);
		if ((d != '\0') != wanted)
			return i;
	}
	return -E2BIG;
}

KFUNC_BODY(bpf_strspn)
{
	return span(r1, r2, true);
}

KFUNC_BODY(bpf_strcspn)
{
	return span(r1, r2, false);
}

/* --- a string in another --- */

/* Whether `part` stands at `at`: 1, 0, or why nothing further can be found. */
static s64 stands_at(struct text *text, u64 at, struct text *part, u64 length)
{
	u8 c, d;

	for (u64 j = 0; j < LENGTH_MAX; j++) {
		if (!text_get(part, j, &d))
			return -EFAULT;
		if (!d)
			return 1;
		if (at + j == length)
			return -ENOENT;
		if (!text_get(text, at + j, &c))
			return -EFAULT;
		if (!c)
			return -ENOENT;
		if (c != d)
			return 0;
	}
	return -E2BIG;
}

static s64 find_text(u64 address, u64 wanted, u64 length)
{
	struct text text = text_at(address), part = text_at(wanted);

	if (is_no_text(address) || is_no_text(wanted))
		return -ERANGE;
	for (u64 i = 0; i < LENGTH_MAX; i++) {
		const s64 got = stands_at(&text, i, &part, length);

		if (got)
			return got > 0 ? (s64)i : got;
	}
	return -E2BIG;
}

KFUNC_BODY(bpf_strstr)
{
	return find_text(r1, r2, LENGTH_MAX);
}

KFUNC_BODY(bpf_strnstr)
{
	return find_text(r1, r2, r3);
}
