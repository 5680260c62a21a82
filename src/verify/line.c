/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/line.h"

#include "base/error.h"
#include "btf/btf.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

static struct bpf_line_info record_at(const struct verify_input *input, u32 index)
{
	const u8 *records = input->line_info;
	struct bpf_line_info record;

	memcpy(&record, records + (size_t)index * input->line_info_rec_size, sizeof(record));
	return record;
}

static bool has_records(const struct verify_input *input)
{
	return input->btf && input->line_info && input->line_info_cnt &&
	       input->line_info_cnt <= INT_MAX / sizeof(struct bpf_line_info) &&
	       input->line_info_rec_size >= sizeof(struct bpf_line_info);
}

/* How many records begin at or before the instruction: they are sorted. */
static u32 records_up_to(const struct verify_input *input, u32 insn)
{
	u32 low = 0, high = has_records(input) ? input->line_info_cnt : 0;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (record_at(input, middle).insn_off <= insn)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool line_find(const struct verify_input *input, u32 insn, struct source_line *out)
{
	u32 count = records_up_to(input, insn);
	struct bpf_line_info record;
	const char *whole, *text;

	if (!count)
		return false;
	record = record_at(input, count - 1);
	whole = text = btf_string(input->btf, record.line_off);
	while (isspace((unsigned char)*text))
		text++;
	*out = (struct source_line){
		.file = btf_string(input->btf, record.file_name_off),
		.whole = whole,
		.text = text,
		.number = BPF_LINE_INFO_LINE_NUM(record.line_col),
		.column = BPF_LINE_INFO_LINE_COL(record.line_col),
	};
	return true;
}

bool line_stretch(const struct verify_input *input, u32 insn, struct line_stretch *out)
{
	u32 count = records_up_to(input, insn);

	if (!count)
		return false;
	out->end = count < input->line_info_cnt ? record_at(input, count).insn_off
						: input->insn_cnt;
	return true;
}

void line_locate(const struct verify_input *input, struct skep_error *err)
{
	struct source_line line;

	if (err->insn >= 0 && line_find(input, err->insn, &line) && *line.file)
		error_where(err, "%s:%u: %s", line.file, line.number, line.text);
}
