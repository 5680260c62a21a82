/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper/sequence.h"
#include "helper/body.h"

#include <errno.h>
#include <stdlib.h>

#define ARGS_MAX   12  /* Linux's MAX_BPRINTF_VARARGS */
#define LINE_BYTES 512 /* tried first */

int sequence_write(struct sequence *seq, const char *bytes, size_t size)
{
	const size_t used = seq->text.length - seq->start;

	seq->is_full = seq->is_full || size >= SEQUENCE_ROOM - used;
	if (!seq->is_full)
		strbuf_add(&seq->text, bytes, size);
	return seq->is_full ? -EOVERFLOW : 0;
}

static long print(struct sequence *seq, const char *format, u32 format_size, const u64 *args,
		  u32 arg_cnt)
{
	char line[LINE_BYTES], *text = line;
	long length = format_print(line, sizeof(line), format, format_size, args, arg_cnt);

	if (length >= (long)sizeof(line)) {
		text = malloc((size_t)length + 1);
		if (!text)
			return -ENOMEM;
		length = format_print(text, (size_t)length + 1, format, format_size, args,
				      arg_cnt);
	}
	if (length >= 0)
		length = sequence_write(seq, text, (size_t)length);
	if (text != line)
		free(text);
	return length;
}

HELPER_BODY(seq_printf)
{
	const u32 size = r5;

	if (size % sizeof(u64) || size > ARGS_MAX * sizeof(u64) || (size && !r4))
		return -EINVAL;
	return print(sequence_of(u64_to_ptr(r1)), u64_to_ptr(r2), (u32)r3, u64_to_ptr(r4),
		     size / sizeof(u64));
}

HELPER_BODY(seq_write)
{
	return sequence_write(sequence_of(u64_to_ptr(r1)), u64_to_ptr(r2), (u32)r3);
}
