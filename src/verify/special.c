/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/special.h"

#include "verify/helpers.h"
#include "verify/own.h"

static bool overlaps(const struct access *access, const struct btf_field *field)
{
	return access->low < (s64)field->offset + field->size &&
	       field->offset < access->high + (s64)access->size;
}

int special_prove_untouched(struct walk *walk, const struct map_desc *map,
			    const struct extent *extent)
{
	for (u32 i = 0; i < map->fields.count; i++) {
		const struct btf_field *field = &map->fields.field[i];

		if (!overlaps(&walk->access, field))
			continue;
		if (BTF_FIELD_BIT(field->kind) & BTF_FIELDS_POINTERS)
			return kptr_prove_access(walk, extent, field);
		return reject(walk, special_field, btf_field_text(field->kind));
	}
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
	if (is_tracing(walk->input->type) && (map_desc_field(map, BTF_FIELD_LIST_HEAD) >= 0 ||
					      map_desc_field(map, BTF_FIELD_RB_ROOT) >= 0))
		return reject(walk, tracing_field, "bpf_{list_head,rb_root}");
	if (map_desc_field(map, BTF_FIELD_SPIN_LOCK) >= 0 ||
	    map_desc_field(map, BTF_FIELD_RES_SPIN_LOCK) >= 0) {
		if (walk->input->type == BPF_PROG_TYPE_SOCKET_FILTER)
			return reject(walk, socket_filter_lock);
		if (is_tracing(walk->input->type))
			return reject(walk, tracing_field, "bpf_spin_lock");
	}
	if (map_desc_field(map, BTF_FIELD_TIMER) >= 0 && is_tracing(walk->input->type))
		return reject(walk, tracing_field, "bpf_timer");
	if (map_desc_field(map, BTF_FIELD_WORKQUEUE) >= 0 && is_tracing(walk->input->type))
		return reject(walk, tracing_field, "bpf_wq");
	return 0;
}

/* --- arguments of helpers --- */

/* The argument points to the value's field of this kind. */
int special_prove_field(struct walk *walk, u32 regno, enum btf_field_kind kind)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	const struct map_desc *map = reg->map;
	const char *name = btf_field_text(kind);
	s32 field = map_desc_field(map, kind);
	s64 off = (s64)reg->number.bits.value + reg->off;

	walk->call.map = map;
	walk->call.map_uid = reg->map_uid;
	if (!scalar_is_const(&reg->number))
		return reject(walk, field_variable_offset, regno, name);
	if (!map->btf)
		return reject(walk, field_without_btf, map->name, name);
	if (field < 0)
		return reject(walk, field_missing, "map", map->name, name);
	if (off != field)
		return reject(walk, field_offset, off, name, field);
	return 0;
}

int special_prove_map_of_field(struct walk *walk, u32 regno, const char *what)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	struct call *call = &walk->call;

	if (call->map && (call->map != reg->map || call->map_uid != reg->map_uid))
		return reject(walk, field_of_other_map, what, (s32)call->map_uid,
			      (s32)reg->map_uid);
	call->map = reg->map;
	call->map_uid = reg->map_uid;
	return 0;
}
