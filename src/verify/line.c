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

bool line_find(const struct verify_input *input, u32 insn, struct source_line *out)
{
	u32 low = 0, high = has_records(input) ? input->line_info_cnt : 0;
	struct bpf_line_info record;
	const char *text;

	/* The last record that begins at or before the instruction: they are sorted. */
	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (record_at(input, middle).insn_off <= insn)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return false;
	record = record_at(input, low - 1);
	text = btf_string(input->btf, record.line_off);
	while (isspace((unsigned char)*text))
		text++;
	*out = (struct source_line){
		.file = btf_string(input->btf, record.file_name_off),
		.text = text,
		.number = BPF_LINE_INFO_LINE_NUM(record.line_col),
	};
	return true;
}

void line_locate(const struct verify_input *input, struct skep_error *err)
{
	struct source_line line;

	if (err->insn >= 0 && line_find(input, err->insn, &line) && *line.file)
		error_where(err, "%s:%u: %s", line.file, line.number, line.text);
}
