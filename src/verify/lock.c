/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks: one bpf_spin_lock at a time, any number of bpf_res_spin_locks in the order of a stack.
 * A lock is known by where it is (the map, or the program's types) and by the id of the pointer
 * that led there.
 */
#include "verify/own.h"
#include "verify/stack_object.h"

#include "verify/helpers.h"
#include "verify/precision.h"

struct lock_words {
	const char *name; /* in messages about unlocking */
	enum btf_field_kind field;
};

static const struct lock_words plain = {"bpf_spin", BTF_FIELD_SPIN_LOCK};
static const struct lock_words resilient = {"bpf_res_spin", BTF_FIELD_RES_SPIN_LOCK};

/* --- which lock --- */

static int prove_field(struct walk *walk, u32 regno, const struct lock_words *words)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	const char *text = btf_field_text(words->field);
	const struct btf_fields *fields = own_fields(walk, reg);
	bool is_map = reg->kind == REG_MAP_VALUE;
	const struct btf_field *field;
	s64 off = (s64)reg->number.bits.value + reg->off;

	if (!scalar_is_const(&reg->number))
		return reject(walk, field_variable_offset, regno, text);
	if (is_map && !reg->map->btf)
		return reject(walk, field_without_btf, reg->map->name, text);
	field = fields ? btf_field_of_kind(fields, words->field) : NULL;
	if (!field)
		return reject(walk, field_missing, is_map ? "map" : "local",
			      is_map ? reg->map->name : "kptr", text);
	if (off != field->offset)
		return reject(walk, field_offset, off, text, (s32)field->offset);
	return 0;
}

static const struct resource *find(const struct walk *walk, enum resource_kind kind, u32 id,
				   const void *owner)
{
	const struct resources *held = &walk->state.resources;

	for (u32 i = held->count; i-- > 0;)
		if (held->all[i].kind == kind && held->all[i].id == id &&
		    held->all[i].owner == owner)
			return &held->all[i];
	return NULL;
}

bool lock_is_held(struct walk *walk, const struct reg_state *reg)
{
	const void *owner = own_owner(reg);

	return find(walk, RESOURCE_LOCK, reg->id, owner) ||
	       find(walk, RESOURCE_RES_LOCK, reg->id, owner) ||
	       find(walk, RESOURCE_RES_LOCK_IRQ, reg->id, owner);
}

/* --- giving back --- */

static int prove_unlock(struct walk *walk, u32 regno, enum resource_kind kind,
			const struct lock_words *words)
{
	const struct reg_state *reg = walk_reg(walk, regno);
	const struct resource *last = state_lock(&walk->state);

	if (!last)
		return reject(walk, unlock_without_lock, words->name);
	if (!find(walk, kind, reg->id, own_owner(reg)))
		return reject(walk, unlock_other, words->name);
	if (last->id != reg->id || last->owner != own_owner(reg))
		return reject(walk, unlock_order, words->name);
	return 0;
}

static void unlock(struct walk *walk, u32 regno, enum resource_kind kind)
{
	const struct reg_state *reg = walk_reg(walk, regno);

	state_release(&walk->state, kind, reg->id, own_owner(reg));
	graph_forget_borrowed(walk);
}

static int take(struct walk *walk, u32 regno, enum resource_kind kind)
{
	const struct reg_state *reg = walk_reg(walk, regno);

	if (!state_acquire(&walk->state, (struct resource){.kind = kind,
							   .id = reg->id,
							   .insn = walk->at,
							   .owner = own_owner(reg)}))
		return reject(walk, too_many_references, RESOURCES_MAX);
	return 0;
}

/* --- bpf_spin_lock --- */

int lock_prove(struct walk *walk, u32 regno, bool takes)
{
	int ret = prove_field(walk, regno, &plain);

	if (ret)
		return ret;
	if (graph_is_in_less(walk))
		return reject(walk, lock_in_less);
	if (takes) /* under another lock no helper is called */
		return 0;
	return prove_unlock(walk, regno, RESOURCE_LOCK, &plain);
}

void lock_transfer(struct walk *walk, u32 regno, bool takes)
{
	if (takes)
		take(walk, regno, RESOURCE_LOCK);
	else
		unlock(walk, regno, RESOURCE_LOCK);
}

/* --- bpf_res_spin_lock --- */

static bool takes_lock(const struct kfunc *kfunc)
{
	return kfunc->row->special == KFUNC_RES_SPIN_LOCK ||
	       kfunc->row->special == KFUNC_RES_SPIN_LOCK_IRQSAVE;
}

static enum resource_kind kind_of(const struct kfunc *kfunc)
{
	bool has_irq = kfunc->row->special == KFUNC_RES_SPIN_LOCK_IRQSAVE ||
		       kfunc->row->special == KFUNC_RES_SPIN_UNLOCK_IRQRESTORE;

	return has_irq ? RESOURCE_RES_LOCK_IRQ : RESOURCE_RES_LOCK;
}

int res_lock_prove(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	u32 regno = kfunc_arg_reg(index);
	const struct reg_state *reg = walk_reg(walk, regno);
	int ret;

	if (reg->kind != REG_MAP_VALUE && !own_is_object(reg))
		return reject(walk, res_lock_expected, index);
	ret = prove_field(walk, regno, &resilient);
	if (ret)
		return ret;
	if (!takes_lock(kfunc))
		return prove_unlock(walk, regno, kind_of(kfunc), &resilient);
	if (find(walk, RESOURCE_RES_LOCK, reg->id, own_owner(reg)) ||
	    find(walk, RESOURCE_RES_LOCK_IRQ, reg->id, own_owner(reg)))
		return reject(walk, res_lock_again);
	return 0;
}

/* Taking it may fail: then nothing changed. */
static int put_off_failure(struct walk *walk)
{
	struct packed_state *here = walk_save(walk);
	struct scalar failed = scalar_unknown();
	int ret;

	if (!here)
		return -ENOMEM;
	failed.smin32 = -ERRNO_MAX;
	failed.smax32 = -1;
	scalar_sync(&failed);
	for (u32 i = BPF_REG_1; i <= BPF_REG_5; i++)
		reg_set_not_init(walk_reg(walk, i));
	reg_set_scalar(walk_reg(walk, BPF_REG_0), failed);
	ret = walk_put_off(walk, walk->next, false);
	walk_restore(walk, here);
	return ret;
}

int res_lock_transfer(struct walk *walk, const struct kfunc *kfunc, u32 index)
{
	int ret;

	if (!takes_lock(kfunc)) {
		unlock(walk, kfunc_arg_reg(index), kind_of(kfunc));
		return 0;
	}
	ret = put_off_failure(walk);
	return ret ? ret : take(walk, kfunc_arg_reg(index), kind_of(kfunc));
}
