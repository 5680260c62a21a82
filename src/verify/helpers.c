/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of helper functions: whether the program may call it here, whether its arguments go
 * together, and what is known after it.
 */
#include "verify/helpers.h"

#include "catalog/format.h"
#include "catalog/host.h"
#include "catalog/map_type.h"
#include "verify/attach.h"
#include "verify/callback.h"
#include "verify/facts.h"
#include "verify/object.h"
#include "verify/own.h"
#include "verify/precision.h"
#include "verify/sections.h"
#include "verify/stack_object.h"

#include <string.h>

/* --- whether it may be called --- */

static bool is_allowed(const struct walk *walk, const struct helper_row *row)
{
	const struct verify_input *input = walk->input;

	/* At a host's hook the loader need not be one who may see all memory. */
	if (walk->attach.host_hook && !(input->rights & SKEP_RIGHT_PERFMON) &&
	    !(row->progs & PROG_BIT(BPF_PROG_TYPE_SOCKET_FILTER)))
		return false;
	return helper_is_allowed(row, input->type, input->attach_type, walk_may_sleep(walk),
				 input->rights);
}

/* In Linux's words since 6.11, and for the probes of libbpf before 1.5 in those before, too. */
static int reject_for_type(struct walk *walk, const char *name, u32 id)
{
	int ret = reject(walk, helper_not_for_type, name, (s32)id);

	if (walk->log)
		strbuf_addf(walk->log, "unknown func bpf_%s#%d\n", name, (s32)id);
	return ret;
}

/* No row for this type of program: a helper of others, or none at all. */
static int reject_unknown(struct walk *walk, u32 id)
{
	if (id == BPF_FUNC_unspec)
		return reject_for_type(walk, "unspec", id);
	if (helper_row(id))
		return reject_for_type(walk, helper_row(id)->name, id);
	return reject(walk, helper_unknown, "unknown", (s32)id);
}

int prove_helper(struct walk *walk, const struct requirement *need)
{
	const struct helper_row *row = need->helper;
	u32 id = (u32)walk_insn(walk)->imm;

	memset(&walk->call, 0, sizeof(walk->call));
	if (state_lock(&walk->state) && id != BPF_FUNC_spin_unlock)
		return reject(walk, call_under_lock);
	if (!row)
		return reject_unknown(walk, id);
	if (row->flags & HELPER_SLEEPS && !walk_may_sleep(walk))
		return reject(walk, helper_sleeps);
	if (!attach_allows_helper(walk, id))
		return reject(walk, helper_in_probe);
	if (!is_allowed(walk, row) || !attach_has_helper(walk, id))
		return reject_for_type(walk, row->name, id);
	if (row->flags & HELPER_GPL && !walk->input->gpl)
		return reject(walk, helper_gpl);
	return row->flags & HELPER_SLEEPS ? section_prove_helper_sleeps(walk, row->name, id)
					  : 0;
}

/* --- whether the arguments go together --- */

static bool writes_map(u32 id)
{
	return id == BPF_FUNC_map_update_elem || id == BPF_FUNC_map_delete_elem ||
	       id == BPF_FUNC_map_push_elem || id == BPF_FUNC_map_pop_elem;
}

/* Socket maps are changed only where no lock of the socket may be held. */
#define SOCKMAP_UPDATERS                                                                 \
	(PROG_BIT(BPF_PROG_TYPE_SOCKET_FILTER) | PROG_BIT(BPF_PROG_TYPE_SCHED_CLS) |     \
	 PROG_BIT(BPF_PROG_TYPE_SCHED_ACT) | PROG_BIT(BPF_PROG_TYPE_XDP) |               \
	 PROG_BIT(BPF_PROG_TYPE_SK_REUSEPORT) | PROG_BIT(BPF_PROG_TYPE_FLOW_DISSECTOR) | \
	 PROG_BIT(BPF_PROG_TYPE_SK_LOOKUP))

static bool may_update_sockmap(enum bpf_prog_type type, u32 id)
{
	if (type == BPF_PROG_TYPE_SOCK_OPS)
		return id == BPF_FUNC_map_delete_elem;
	return SOCKMAP_UPDATERS & PROG_BIT(type);
}

static int prove_map(struct walk *walk, const struct helper_row *row)
{
	const struct map_desc *map = walk->call.map;
	bool is_sockmap =
		map->type == BPF_MAP_TYPE_SOCKMAP || map->type == BPF_MAP_TYPE_SOCKHASH;

	if (row->id == BPF_FUNC_for_each_map_elem && !map_type_row(map->type)->has_for_each)
		return reject(walk, map_without_for_each);
	if (!map_type_may_use_helper(map->type, row->id))
		return reject(walk, map_helper, map->type, row->name, row->id);
	if (is_sockmap && writes_map(row->id) &&
	    !may_update_sockmap(walk->input->type, row->id))
		return reject(walk, map_helper, map->type, row->name, row->id);
	return 0;
}

static int prove_tail_call(struct walk *walk)
{
	int ret;

	if (walk->call.map->type != BPF_MAP_TYPE_PROG_ARRAY)
		return reject(walk, tail_call_map);
	ret = section_prove_left(walk, "tail_call", true);
	if (ret)
		return ret;
	walk->out->has_tail_call = true;
	walk->cfg.subprogs[state_top(&walk->state)->subprog].has_tail_call = true;
	return 0;
}

static int prove_local_storage(struct walk *walk)
{
	const struct reg_state *flags = walk_reg(walk, BPF_REG_2);

	if (!reg_is_const(flags) || flags->number.bits.value)
		return reject(walk, local_storage_flags);
	precision_need(walk, 1u << BPF_REG_2);
	return 0;
}

static int prove_dynptr_memory(struct walk *walk)
{
	const struct reg_state *memory = walk_reg(walk, BPF_REG_1);
	char kind[REG_KIND_TEXT];

	if (memory->kind == REG_MAP_VALUE)
		return 0;
	return reject(walk, dynptr_memory, reg_kind_text(memory, kind));
}

/* Only a trampoline and a probe know which function they are in. */
static int prove_function_ip(struct walk *walk)
{
	u32 type = walk->input->type;

	if (type == BPF_PROG_TYPE_TRACING)
		return attach_has_trampoline(walk) ? 0 : reject(walk, no_trampoline);
	return type == BPF_PROG_TYPE_KPROBE ? 0 : reject(walk, no_function_ip, (s32)type);
}

/* Of a size that is not constant the bits that are known count, as in Linux. */
static int prove_format(struct walk *walk)
{
	const struct reg_state *format = walk_reg(walk, BPF_REG_3);
	u64 size = walk_reg(walk, BPF_REG_5)->number.bits.value;
	u32 start = (u32)format->off + (u32)format->number.bits.value;
	const char *text = (const char *)format->map->values + start;

	if (size % sizeof(u64))
		return reject(walk, format_data_size, size);
	if (format_check(text, format->map->value_size - start, (u32)(size / sizeof(u64))))
		return reject(walk, format_invalid);
	return 0;
}

static int prove_special(struct walk *walk, u32 id)
{
	switch (id) {
	case BPF_FUNC_snprintf: return prove_format(walk);
	case BPF_FUNC_tail_call: return prove_tail_call(walk);
	case BPF_FUNC_get_local_storage: return prove_local_storage(walk);
	case BPF_FUNC_dynptr_from_mem: return prove_dynptr_memory(walk);
	case BPF_FUNC_get_func_ip: return prove_function_ip(walk);
	default: return 0;
	}
}

int prove_agreement(struct walk *walk, const struct requirement *need)
{
	const struct helper_row *row = need->helper;
	const struct map_desc *map = walk->call.map;
	int ret;

	if (map && writes_map(row->id) && map->flags & BPF_F_RDONLY_PROG)
		return reject(walk, map_change_forbidden);
	ret = prove_special(walk, row->id);
	if (!ret && map)
		ret = prove_map(walk, row);
	if (ret)
		return ret;
	/* Last of what concerns the call itself: a program that Linux rejects is rejected. */
	if (walk->input->has_helper && !walk->input->has_helper(row->id))
		return reject(walk, helper_missing, row->name, row->id);
	return walk->call.calls_back ? callback_prove(walk, row->id) : 0;
}

/* --- what is known after it --- */

/* It points to nothing any more: a number, but one that only those may look at who may see
 * addresses. */
void call_forget_pointer(struct walk *walk, struct reg_state *reg)
{
	if (walk->rules.may_leak)
		reg_set_unknown(reg);
	else
		reg_set_not_init(reg);
}

/* Memory that a dynptr of the packet gave. */
static bool is_packet_slice(const struct reg_state *reg)
{
	return reg->kind == REG_MEM && (reg->sub == DYNPTR_SKB || reg->sub == DYNPTR_XDP ||
					reg->sub == DYNPTR_SKB_META);
}

void call_change_packet(struct walk *walk)
{
	struct reg_cursor cursor = {0};
	struct reg_state *reg;

	walk->out->changes_packet = true;
	while ((reg = state_next_reg(&walk->state, &cursor)))
		if (reg->kind == REG_PACKET || reg->kind == REG_PACKET_META ||
		    reg->kind == REG_PACKET_END || is_packet_slice(reg))
			call_forget_pointer(walk, reg);
}

void call_forget_reference(struct walk *walk, u32 ref_id)
{
	struct reg_cursor cursor = {0};
	struct reg_state *reg;

	state_release(&walk->state, RESOURCE_REFERENCE, ref_id, NULL);
	while ((reg = state_next_reg(&walk->state, &cursor)))
		if (reg_is_pointer(reg) && reg->ref_id == ref_id)
			call_forget_pointer(walk, reg);
}

void call_write_memory(struct walk *walk)
{
	const struct call *call = &walk->call;

	for (u32 i = 0; i < call->raw_cnt; i++)
		stack_clobber(walk, &call->raw[i]);
}

static struct scalar result_range(const struct walk *walk, const struct helper_row *row)
{
	struct scalar result = scalar_unknown();

	switch (row->id) {
	case BPF_FUNC_get_stack:
	case BPF_FUNC_get_task_stack:
	case BPF_FUNC_probe_read_str:
	case BPF_FUNC_probe_read_kernel_str:
	case BPF_FUNC_probe_read_user_str: {
		result.smin = result.smin32 = -ERRNO_MAX;
		result.smax = (s64)walk->call.size_max;
		result.smax32 = (s32)walk->call.size_max;
		scalar_sync(&result);
		return result;
	}
	default: return result;
	}
}

/* An element of an array that is certainly there. An inner map may have fewer than the map that
 * stands for it, where its flag says so. */
static bool is_certain(const struct walk *walk, const struct helper_row *row)
{
	if (walk->call.map && walk->call.map->flags & BPF_F_INNER_MAP)
		return false;
	return row->id == BPF_FUNC_map_lookup_elem && walk->call.has_key &&
	       walk->call.key < walk->call.map->max_entries;
}

static void set_result_kind(struct walk *walk, const struct helper_row *row,
			    struct reg_state *result)
{
	const struct map_desc *map = walk->call.map;

	switch ((enum ret_kind)row->ret) {
	case RET_INTEGER: reg_set_scalar(result, result_range(walk, row)); break;
	case RET_VOID: reg_set_not_init(result); break;
	case RET_MAP_VALUE:
		reg_set_pointer(result, REG_MAP_VALUE);
		result->map = map;
		result->map_uid = walk->call.map_uid;
		break;
	case RET_SOCKET: reg_set_pointer(result, REG_SOCKET); break;
	case RET_TCP_SOCK: reg_set_pointer(result, REG_TCP_SOCK); break;
	case RET_SOCK_COMMON: reg_set_pointer(result, REG_SOCK_COMMON); break;
	case RET_RINGBUF_MEM:
		reg_set_pointer(result, REG_MEM);
		result->flags = REG_RINGBUF;
		result->mem_size = walk->call.memory_size;
		break;
	case RET_DYNPTR_MEM:
		reg_set_pointer(result, REG_MEM);
		result->mem_size = walk->call.memory_size;
		result->sub = walk->call.dynptr.sub;
		result->parent_id = walk->call.dynptr.id;
		result->ref_id = walk->call.dynptr.ref_id;
		break;
	case RET_MEM_OR_BTF_ID: object_set_this_cpu(&walk->call.per_cpu, result); break;
	case RET_BTF_ID:
		if (row->id == BPF_FUNC_kptr_xchg) {
			kptr_set_result(walk, result);
			break;
		}
		reg_set_pointer(result, REG_BTF);
		result->btf = walk_kernel(walk);
		result->type_id = walk_kernel_struct(walk, row->ret_btf_type);
		if (row->flags & HELPER_RET_TRUSTED)
			result->flags |= REG_TRUSTED;
		break;
	}
}

static bool casts_pointer(u32 id)
{
	return id == BPF_FUNC_tcp_sock || id == BPF_FUNC_sk_fullsock ||
	       id == BPF_FUNC_skc_to_tcp_sock || id == BPF_FUNC_skc_to_tcp6_sock ||
	       id == BPF_FUNC_skc_to_udp6_sock || id == BPF_FUNC_skc_to_mptcp_sock ||
	       id == BPF_FUNC_skc_to_tcp_timewait_sock ||
	       id == BPF_FUNC_skc_to_tcp_request_sock;
}

static bool acquires(const struct walk *walk, const struct helper_row *row)
{
	const struct map_desc *map = walk->call.map;

	return row->flags & HELPER_ACQUIRES ||
	       (row->id == BPF_FUNC_map_lookup_elem && map &&
		(map->type == BPF_MAP_TYPE_SOCKMAP || map->type == BPF_MAP_TYPE_SOCKHASH));
}

static int set_result(struct walk *walk, const struct helper_row *row)
{
	struct reg_state *result = walk_reg(walk, BPF_REG_0);

	set_result_kind(walk, row, result);
	if (!reg_is_pointer(result))
		return 0;
	if (row->flags & HELPER_RET_OR_NULL && !is_certain(walk, row)) {
		result->flags |= REG_MAY_BE_NULL;
		result->id = walk_new_id(walk);
	} else if (own_has_lock(walk, result)) {
		result->id = walk_new_id(walk);
	}
	if (casts_pointer(row->id)) {
		result->ref_id = walk->call.ref_id;
	} else if (acquires(walk, row)) {
		/* Of its own: where it may be NULL, Linux has given it one before, which
		 * counts in the log. */
		result->id = walk_new_id(walk);
		result->ref_id = result->id;
		if (!state_acquire(&walk->state,
				   (struct resource){.id = result->id, .insn = walk->at}))
			return reject(walk, too_many_references, RESOURCES_MAX);
	}
	return 0;
}

/* Behind a tail call of the main program nothing happened: it failed. A subprogram's caller
 * goes on after the other program, which may have changed the packet. */
static bool changes_packet_here(const struct walk *walk, const struct helper_row *row)
{
	if (row->id == BPF_FUNC_tail_call && walk->state.frame_cnt == 1)
		return false;
	/* What is written through a dynptr may make room in the packet. */
	if (row->id == BPF_FUNC_dynptr_write)
		return walk->call.dynptr.sub == DYNPTR_SKB ||
		       walk->call.dynptr.sub == DYNPTR_SKB_META;
	return row->flags & HELPER_CHANGES_PACKET;
}

/* Dynptrs that the helper makes or takes back. */
static int transfer_dynptr(struct walk *walk, const struct helper_row *row)
{
	switch (row->id) {
	case BPF_FUNC_dynptr_from_mem: return dynptr_make(walk, BPF_REG_4, DYNPTR_LOCAL);
	case BPF_FUNC_ringbuf_reserve_dynptr:
		return dynptr_make(walk, BPF_REG_4, DYNPTR_RINGBUF);
	case BPF_FUNC_ringbuf_submit_dynptr:
	case BPF_FUNC_ringbuf_discard_dynptr: dynptr_release(walk, BPF_REG_1); return 0;
	default: return 0;
	}
}

int transfer_helper(struct walk *walk, const struct bpf_insn *insn)
{
	const struct helper_row *row = helper_row_for((u32)insn->imm, walk->input->type);

	int ret = walk->call.calls_back ? callback_put_off(walk, row->id) : 0;

	if (ret)
		return ret;
	call_write_memory(walk);
	ret = transfer_dynptr(walk, row);
	if (ret)
		return ret;
	if (row->id == BPF_FUNC_spin_lock || row->id == BPF_FUNC_spin_unlock)
		lock_transfer(walk, BPF_REG_1, row->id == BPF_FUNC_spin_lock);
	if (walk->call.released_ref && row->id == BPF_FUNC_kptr_xchg)
		kptr_give_away(walk, walk->call.released_ref);
	else if (walk->call.released_ref)
		call_forget_reference(walk, walk->call.released_ref);
	if (walk->call.map)
		fact_call_map(walk, walk->call.map);
	for (u32 i = BPF_REG_1; i <= BPF_REG_5; i++)
		reg_set_not_init(walk_reg(walk, i));
	if (changes_packet_here(walk, row))
		call_change_packet(walk);
	if (row->id == BPF_FUNC_tail_call)
		ret = subprogram_may_end(walk, scalar_unknown());
	return ret ? ret : set_result(walk, row);
}
