/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/btf_info.h"

#include "btf/btf.h"
#include "verify/report.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define RECORD_MAX  252 /* bytes */
#define RECORD_STEP 4

struct check {
	const struct verify_input *input;
	struct report report;
};

static struct check check_new(const struct verify_input *input, struct skep_error *err)
{
	return (struct check){input, {input->log, err}};
}

static bool is_record_size(u32 size, size_t least)
{
	return size >= least && size <= RECORD_MAX && size % RECORD_STEP == 0;
}

/* Records may be longer than what is known of them, if the rest is zero. */
static bool tail_is_zero(const u8 *record, size_t known, u32 size)
{
	for (size_t i = known; i < size; i++) {
		if (record[i])
			return false;
	}
	return true;
}

static struct bpf_func_info func_record(const struct verify_input *input, u32 index)
{
	struct bpf_func_info record;

	memcpy(&record,
	       (const u8 *)input->func_info + (size_t)index * input->func_info_rec_size,
	       sizeof(record));
	return record;
}

u32 btf_info_start(const struct verify_input *input, u32 subprog)
{
	return func_record(input, subprog).insn_off;
}

u32 btf_info_func(const struct verify_input *input, u32 subprog)
{
	return subprog < input->func_info_cnt ? func_record(input, subprog).type_id : 0;
}

static struct bpf_line_info line_record(const struct verify_input *input, u32 index)
{
	struct bpf_line_info record;

	memcpy(&record,
	       (const u8 *)input->line_info + (size_t)index * input->line_info_rec_size,
	       sizeof(record));
	return record;
}

/* --- func_info --- */

static int check_func_place(const struct check *check, u32 index)
{
	u32 insn = func_record(check->input, index).insn_off, previous;

	if (index == 0) {
		if (insn)
			return report(&check->report, 0, func_info_first, insn);
		return 0;
	}
	previous = func_record(check->input, index - 1).insn_off;
	if (insn <= previous)
		return report(&check->report, insn, func_info_order, insn, previous);
	return 0;
}

static int check_func_record(const struct check *check, u32 index)
{
	const struct verify_input *input = check->input;
	const u8 *raw =
		(const u8 *)input->func_info + (size_t)index * input->func_info_rec_size;
	struct bpf_func_info record = func_record(input, index);
	const struct btf_type *type = btf_type(input->btf, record.type_id);
	int ret;

	if (!tail_is_zero(raw, sizeof(record), input->func_info_rec_size))
		return report(&check->report, -1, func_info_tail);
	ret = check_func_place(check, index);
	if (ret)
		return ret;
	if (!type || btf_kind(type) != BTF_KIND_FUNC)
		return report(&check->report, record.insn_off, func_info_type, record.type_id);
	return 0;
}

int btf_info_check_records(const struct verify_input *input, struct skep_error *err)
{
	struct check check = check_new(input, err);

	if (!input->func_info_cnt)
		return 0;
	if (!is_record_size(input->func_info_rec_size, sizeof(struct bpf_func_info)))
		return report(&check.report, -1, func_info_size, input->func_info_rec_size);
	if (!input->btf)
		return report(&check.report, -1, func_info_without_btf);
	for (u32 i = 0; i < input->func_info_cnt; i++) {
		int ret = check_func_record(&check, i);

		if (ret)
			return ret;
	}
	return 0;
}

static bool is_small_int(const struct btf_type *type)
{
	const u32 *encoding = btf_extra(type);

	return btf_kind(type) == BTF_KIND_INT && type->size <= sizeof(u64) &&
	       is_power_of_two(type->size) && !BTF_INT_OFFSET(*encoding) &&
	       BTF_INT_BITS(*encoding) == 8 * type->size;
}

/* LD_ABS and tail calls may end a function by themselves: it must return a number. */
static bool returns_number(const struct btf_view *btf, const struct btf_type *func)
{
	const struct btf_type *proto = btf_type(btf, func->type);
	const struct btf_type *result = btf_type(btf, btf_resolve(btf, proto->type));

	return result && (is_small_int(result) || btf_kind(result) == BTF_KIND_ENUM ||
			  btf_kind(result) == BTF_KIND_ENUM64);
}

static int check_early_end(const struct check *check, const struct subprog *subprog,
			   const struct btf_type *func)
{
	const char *what = subprog->has_ld_abs ? "LD_ABS" : "tail_call";

	if (!subprog->has_ld_abs && !subprog->has_tail_call)
		return 0;
	if (!func)
		return report(&check->report, subprog->start, early_end_without_btf, what);
	if (!returns_number(check->input->btf, func))
		return report(&check->report, subprog->start, early_end_result, what);
	return 0;
}

static int check_func(const struct check *check, struct cfg *cfg, u32 index,
		      struct arena *arena)
{
	struct bpf_func_info record = func_record(check->input, index);
	const struct btf_view *btf = check->input->btf;
	const struct btf_type *func = btf_type(btf, record.type_id);
	struct subprog *subprog = &cfg->subprogs[index];

	if (subprog->start != record.insn_off)
		return report(&check->report, record.insn_off, func_info_layout);
	subprog->name = arena_string(arena, btf_type_name(btf, record.type_id));
	if (!subprog->name)
		return -ENOMEM;
	subprog->is_global = btf_vlen(func) == BTF_FUNC_GLOBAL;
	return index ? check_early_end(check, subprog, func) : 0;
}

static int check_funcs(const struct check *check, struct cfg *cfg, struct arena *arena)
{
	bool has_types = check->input->func_info_cnt;

	if (has_types && check->input->func_info_cnt != cfg->subprog_cnt)
		return report(&check->report, -1, func_info_count);
	for (u32 i = 0; i < cfg->subprog_cnt; i++) {
		int ret = 0;

		if (has_types)
			ret = check_func(check, cfg, i, arena);
		else if (i)
			ret = check_early_end(check, &cfg->subprogs[i], NULL);
		if (ret)
			return ret;
	}
	return 0;
}

/* --- line_info --- */

static bool is_string_offset(const struct btf_view *btf, u32 offset)
{
	struct btf_header header;
	size_t size;

	memcpy(&header, btf_view_data(btf, &size), sizeof(header));
	return offset < header.str_len;
}

static int check_line_record(const struct check *check, const struct cfg *cfg, u32 index)
{
	const struct verify_input *input = check->input;
	const u8 *raw =
		(const u8 *)input->line_info + (size_t)index * input->line_info_rec_size;
	struct bpf_line_info record = line_record(input, index);
	u32 previous = index ? line_record(input, index - 1).insn_off : 0;

	if (!tail_is_zero(raw, sizeof(record), input->line_info_rec_size))
		return report(&check->report, -1, line_info_tail);
	if ((index && record.insn_off <= previous) || record.insn_off >= cfg->insn_cnt)
		return report(&check->report, record.insn_off, line_info_order, index,
			      record.insn_off, previous, cfg->insn_cnt);
	if (!cfg->insns[record.insn_off].code)
		return report(&check->report, record.insn_off, line_info_code, index);
	if (!is_string_offset(input->btf, record.line_off) ||
	    !is_string_offset(input->btf, record.file_name_off))
		return report(&check->report, record.insn_off, line_info_string, index);
	return 0;
}

static int check_line_records(const struct check *check, const struct cfg *cfg)
{
	u32 count = check->input->line_info_cnt, found = 0;

	for (u32 i = 0; i < count; i++) {
		u32 insn = line_record(check->input, i).insn_off;
		int ret = check_line_record(check, cfg, i);

		if (ret)
			return ret;
		if (found == cfg->subprog_cnt || cfg->subprogs[found].start > insn)
			continue;
		if (cfg->subprogs[found].start < insn)
			return report(&check->report, insn, line_info_missing, found);
		found++;
	}
	if (found != cfg->subprog_cnt)
		return report(&check->report, -1, line_info_count, cfg->subprog_cnt - found,
			      found);
	return 0;
}

static int check_lines(const struct check *check, const struct cfg *cfg)
{
	const struct verify_input *input = check->input;

	if (!input->line_info_cnt)
		return 0;
	if (input->line_info_cnt > INT_MAX / sizeof(struct bpf_line_info) || !input->btf ||
	    !is_record_size(input->line_info_rec_size, sizeof(struct bpf_line_info)))
		return report(&check->report, -1, line_info_size, input->line_info_rec_size);
	return check_line_records(check, cfg);
}

int btf_info_check_subprogs(const struct verify_input *input, struct cfg *cfg,
			    struct arena *arena, struct skep_error *err)
{
	struct check check = check_new(input, err);
	int ret = check_funcs(&check, cfg, arena);

	return ret ? ret : check_lines(&check, cfg);
}
