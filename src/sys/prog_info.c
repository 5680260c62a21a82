/* SPDX-License-Identifier: BSD-2-Clause */
#include "hook/extension_link.h"
#include "map/map.h"
#include "run/native.h"
#include "run/tag.h"
#include "sys/info.h"
#include "sys/offload.h"
#include "sys/prog_details.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Map operands as Linux shows them: by id. */
static void show_maps(const struct verified *verified, struct bpf_insn *insns)
{
	for (u32 i = 0; i + 1 < verified->insn_cnt; i++) {
		const struct map_desc *map = insn_fact_map(&verified->facts[i]);
		u8 kind = insns[i].src_reg;

		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW) || !map)
			continue;
		if (kind == BPF_PSEUDO_MAP_FD || kind == BPF_PSEUDO_MAP_IDX)
			insns[i].src_reg = BPF_PSEUDO_MAP_FD;
		else
			insns[i].src_reg = BPF_PSEUDO_MAP_VALUE;
		insns[i].imm = (s32)map_of_desc(map)->object.id;
	}
}

static int write_insns(const struct prog *prog, const struct bpf_prog_info *asked)
{
	const struct verified *verified = prog->verified;
	size_t size = verified->insn_cnt * sizeof(struct bpf_insn);
	struct bpf_insn *insns;
	int ret;

	if (!asked->xlated_prog_len)
		return 0;
	insns = malloc(size);
	if (!insns)
		return -ENOMEM;
	memcpy(insns, verified->insns, size);
	show_maps(verified, insns);
	ret = user_write(asked->xlated_prog_insns, insns, min(size, asked->xlated_prog_len));
	free(insns);
	return ret;
}

static int write_map_ids(struct call *call, const struct prog *prog,
			 const struct bpf_prog_info *asked, u32 *count)
{
	u32 *ids, n;
	int ret;

	pthread_mutex_lock(&call->engine->lock);
	n = prog->map_cnt;
	ids = calloc(n + 1, sizeof(*ids));
	for (u32 i = 0; ids && i < n; i++)
		ids[i] = prog->maps[i]->object.id;
	pthread_mutex_unlock(&call->engine->lock);
	if (!ids)
		return -ENOMEM;
	ret = info_write_array(asked->map_ids, asked->nr_map_ids, ids, n, sizeof(*ids));
	free(ids);
	*count = n;
	return ret;
}

/* The tags of subprograms are those of their own instructions. */
static int write_tags(const struct prog *prog, const struct bpf_prog_info *asked)
{
	const struct verified *verified = prog->verified;
	u8 tag[BPF_TAG_SIZE];
	int ret = 0;

	for (u32 i = 0; i < min(verified->subprog_cnt, asked->nr_prog_tags) && !ret; i++) {
		const struct subprog *subprog = &verified->subprogs[i];

		program_tag(verified->insns + subprog->start, subprog->end - subprog->start,
			    tag);
		ret = user_write(asked->prog_tags + i * sizeof(tag), tag, sizeof(tag));
	}
	return ret;
}

/* --- machine code: its bytes, and of each subprogram the address and the length --- */

static int write_entries(const struct prog *prog, const struct native *native,
			 const struct bpf_prog_info *asked)
{
	const u32 count = prog->verified->subprog_cnt;
	int ret = 0;

	for (u32 i = 0; i < min(count, asked->nr_jited_ksyms) && !ret; i++) {
		u64 address = ptr_to_u64(native->entry[i]);

		ret = user_write(asked->jited_ksyms + i * sizeof(u64), &address,
				 sizeof(address));
	}
	for (u32 i = 0; i < min(count, asked->nr_jited_func_lens) && !ret; i++) {
		u32 length = native_length(native, i, count);

		ret = user_write(asked->jited_func_lens + i * sizeof(u32), &length,
				 sizeof(length));
	}
	return ret;
}

static int write_native(const struct prog *prog, const struct native *native,
			const struct bpf_prog_info *asked)
{
	int ret;

	if (!native)
		return 0;
	ret = user_write(asked->jited_prog_insns, native->entry[0],
			 min(native_bytes(native), asked->jited_prog_len));
	return ret ? ret : write_entries(prog, native, asked);
}

static void fill_native(const struct prog *prog, const struct native *native,
			const struct bpf_prog_info *asked, struct bpf_prog_info *info)
{
	info->jited_prog_insns = asked->jited_prog_insns;
	info->jited_ksyms = asked->jited_ksyms;
	info->jited_func_lens = asked->jited_func_lens;
	if (!native)
		return;
	info->jited_prog_len = native_bytes(native);
	info->nr_jited_ksyms = info->nr_jited_func_lens = prog->verified->subprog_cnt;
}

static void fill_counts(const struct prog *prog, struct bpf_prog_info *info)
{
	const struct verified *verified = prog->verified;

	info->xlated_prog_len = verified->insn_cnt * sizeof(struct bpf_insn);
	info->verified_insns = verified->stats.insns_processed;
	info->run_time_ns = atomic_load_explicit(&prog->run_time_ns, memory_order_relaxed);
	info->run_cnt = atomic_load_explicit(&prog->run_cnt, memory_order_relaxed);
	info->nr_func_info = prog_details(prog)->func_info_cnt;
	info->nr_line_info = prog_details(prog)->line_info_cnt;
	info->func_info_rec_size = sizeof(struct bpf_func_info);
	info->line_info_rec_size = sizeof(struct bpf_line_info);
	/* As a program without subprograms in the kernel. */
	info->nr_prog_tags = verified->subprog_cnt > 1 ? verified->subprog_cnt : 1;
}

/* The types that attach_btf_id is of: those of the program whose function is replaced. */
static u32 target_btf_id(struct prog *prog)
{
	struct prog *target = extension_target(prog);
	u32 id = target && target->btf ? target->btf->id : 0;

	if (target)
		object_put(&target->object);
	return id;
}

static void fill_identity(struct prog *prog, struct bpf_prog_info *info)
{
	info->type = prog->type;
	info->ifindex = prog->bound_ifindex;
	info->id = prog->object.id;
	info->load_time = prog->load_time;
	info->created_by_uid = prog->uid;
	info->gpl_compatible = prog->gpl;
	info->btf_id = prog->btf ? prog->btf->id : 0;
	info->attach_btf_id = prog->attach_btf_id;
	info->attach_btf_obj_id = target_btf_id(prog);
	memcpy(info->tag, prog->tag, sizeof(info->tag));
	memcpy(info->name, prog->name, sizeof(info->name));
}

static int write_arrays(struct call *call, const struct prog *prog, const struct native *native,
			const struct bpf_prog_info *asked, u32 *map_count)
{
	const struct prog_details *details = prog_details(prog);
	int ret = write_map_ids(call, prog, asked, map_count);

	if (!ret)
		ret = write_insns(prog, asked);
	if (!ret)
		ret = write_tags(prog, asked);
	if (!ret)
		ret = write_native(prog, native, asked);
	if (!ret)
		ret = info_write_array(asked->func_info, asked->nr_func_info,
				       details->func_info, details->func_info_cnt,
				       sizeof(*details->func_info));
	if (!ret)
		ret = info_write_array(asked->line_info, asked->nr_line_info,
				       details->line_info, details->line_info_cnt,
				       sizeof(*details->line_info));
	return ret;
}

int prog_info(struct call *call, struct prog *prog)
{
	struct bpf_prog_info asked, info = {0};
	const struct native *native;
	u32 length;
	int ret = offload_check(call, prog->offload)
			  ?: info_read(call, &asked, sizeof(asked), &length);

	if (ret)
		return ret;
	if ((asked.nr_func_info && asked.func_info_rec_size != sizeof(struct bpf_func_info)) ||
	    (asked.nr_line_info && asked.line_info_rec_size != sizeof(struct bpf_line_info)))
		return call_fail(call, -EINVAL, "record sizes of func_info or line_info");
	rcu_read_lock();
	/* Acquire: partner of the exchange in compile.c. */
	native = atomic_load_explicit(&prog->native, memory_order_acquire);
	ret = write_arrays(call, prog, native, &asked, &info.nr_map_ids);
	fill_native(prog, native, &asked, &info);
	rcu_read_unlock();
	if (ret)
		return call_fail(call, ret, "an array of the info cannot be written");
	fill_identity(prog, &info);
	fill_counts(prog, &info);
	ret = prog->offload ? offload_prog_info(call, prog, &info) : 0;
	if (ret)
		return ret;
	/* Where arrays went stays as the caller gave it. */
	info.map_ids = asked.map_ids;
	info.xlated_prog_insns = asked.xlated_prog_insns;
	info.prog_tags = asked.prog_tags;
	info.func_info = asked.func_info;
	info.line_info = asked.line_info;
	return info_write(call, &info, length);
}
