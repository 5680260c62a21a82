/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/special.h"

#include "verify/helpers.h"

#define SPIN_LOCK_BYTES 4
#define TIMER_BYTES	16
#define WORKQUEUE_BYTES 16

static bool overlaps(const struct access *access, s32 field, u32 bytes)
{
	return field >= 0 && access->low < (s64)field + bytes &&
	       field < access->high + (s64)access->size;
}

int special_prove_untouched(struct walk *walk, const struct map_desc *map)
{
	const struct access *access = &walk->access;

	if (overlaps(access, map->fields.spin_lock, SPIN_LOCK_BYTES))
		return reject(walk, special_field, "bpf_spin_lock");
	if (overlaps(access, map->fields.timer, TIMER_BYTES))
		return reject(walk, special_field, "bpf_timer");
	if (overlaps(access, map->fields.workqueue, WORKQUEUE_BYTES))
		return reject(walk, special_field, "bpf_wq");
	if (map->fields.has_kptr)
		return reject(walk, kptr_unsupported, map->name);
	return 0;
}

/* Programs that may run anywhere, even while the lock that they want is held. */
static bool is_tracing(enum bpf_prog_type type)
{
	return type == BPF_PROG_TYPE_KPROBE || type == BPF_PROG_TYPE_TRACEPOINT ||
	       type == BPF_PROG_TYPE_PERF_EVENT || type == BPF_PROG_TYPE_RAW_TRACEPOINT ||
	       type == BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE;
}

int special_prove_map(struct walk *walk, const struct map_desc *map)
{
	if (map->fields.spin_lock >= 0) {
		if (walk->input->type == BPF_PROG_TYPE_SOCKET_FILTER)
			return reject(walk, socket_filter_lock);
		if (is_tracing(walk->input->type))
			return reject(walk, tracing_field, "bpf_spin_lock");
	}
	if (map->fields.timer >= 0 && is_tracing(walk->input->type))
		return reject(walk, tracing_field, "bpf_timer");
	if (map->fields.workqueue >= 0 && is_tracing(walk->input->type))
		return reject(walk, tracing_field, "bpf_wq");
	return 0;
}

/* --- arguments of helpers --- */

/* The argument points to the value's field of this name, which is at `field`. */
static int prove_field(struct walk *walk, u32 regno, const char *name, s32 field)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	const struct map_desc *map = reg->map;
	s64 off = (s64)reg->number.bits.value + reg->off;

	if (!scalar_is_const(&reg->number))
		return reject(walk, field_variable_offset, regno, name);
	if (!map->btf)
		return reject(walk, field_without_btf, map->name, name);
	if (field < 0)
		return reject(walk, field_missing, map->name, name);
	if (off != field)
		return reject(walk, field_offset, off, name, field);
	return 0;
}

int special_prove_lock(struct walk *walk, u32 regno, u32 helper)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	struct state *state = &walk->state;
	int ret = prove_field(walk, regno, "bpf_spin_lock", reg->map->fields.spin_lock);

	if (ret)
		return ret;
	if (helper == BPF_FUNC_spin_lock)
		return 0; /* under another lock no helper is called */
	if (!state->lock_map)
		return reject(walk, unlock_without_lock);
	if (state->lock_map != reg->map || state->lock_id != reg->id)
		return reject(walk, unlock_other);
	return 0;
}

void special_transfer_lock(struct walk *walk, u32 helper)
{
	const struct reg_state *reg = walk_reg(walk, BPF_REG_1);

	walk->state.lock_map = helper == BPF_FUNC_spin_lock ? reg->map : NULL;
	walk->state.lock_id = helper == BPF_FUNC_spin_lock ? reg->id : 0;
}

int special_prove_timer(struct walk *walk, u32 regno)
{
	return prove_field(walk, regno, "bpf_timer", walk_reg(walk, regno)->map->fields.timer);
}
