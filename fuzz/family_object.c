/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of the program's own type: counted, kept in values, in lists, in trees. */
#include "fuzz/generator.h"

#define SLOT_VALUE (-136) /* the value with the list or tree */

/* r9: a new object. */
static void emit_object(struct generator *gen)
{
	emit_const(gen, BPF_REG_1, chance(gen, 99) ? FUZZ_OWN : FUZZ_PAIR);
	emit_const(gen, BPF_REG_2, 0);
	emit_kfunc(gen, GENERATED_bpf_obj_new_impl);
	if (chance(gen, 97))
		emit_jump(gen, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, STEP_OF_EXIT);
	emit_mov(gen, BPF_REG_9, BPF_REG_0);
	emit_const(gen, BPF_REG_0, 0);
	emit_numbers(gen, BPF_REG_1);
	gen->has_types = true;
	gen->out->is_deterministic = false;
}

static void emit_drop(struct generator *gen, u8 reg, s32 node)
{
	if (chance(gen, 2))
		return;
	emit_mov(gen, BPF_REG_1, reg);
	if (node)
		emit_add(gen, BPF_REG_1, chance(gen, 98) ? -node : -node + 8);
	emit_const(gen, BPF_REG_2, 0);
	emit_kfunc(gen, GENERATED_bpf_obj_drop_impl);
}

/* r0, which may be NULL, goes. */
static void emit_drop_result(struct generator *gen, s32 node)
{
	u32 skip = gen->out->count;

	emit(gen, BPF_JMP | (chance(gen, 98) ? BPF_JEQ : BPF_JNE) | BPF_K, BPF_REG_0, 0, 0, 0);
	emit_drop(gen, BPF_REG_0, node);
	land(gen, skip);
}

static void emit_touch(struct generator *gen)
{
	if (chance(gen, 60))
		access_memory(gen, BPF_REG_9, 8 * (s32)below(gen, chance(gen, 90) ? 2 : 11));
}

static void emit_count(struct generator *gen)
{
	emit_mov(gen, BPF_REG_1, BPF_REG_9);
	emit_const(gen, BPF_REG_2, 0);
	emit_kfunc(gen, GENERATED_bpf_refcount_acquire_impl);
	emit_drop_result(gen, 0);
	emit_numbers(gen, BPF_REG_1);
	emit_touch(gen);
	emit_drop(gen, BPF_REG_9, 0);
}

/* Changes places with what a value holds. The value is looked up before there is an object. */
static void emit_exchange(struct generator *gen)
{
	emit(gen, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_10, SLOT_VALUE, 0);
	if (chance(gen, 3))
		emit_add(gen, BPF_REG_1, 8);
	emit_mov(gen, BPF_REG_2, BPF_REG_9);
	emit_helper(gen, BPF_FUNC_kptr_xchg);
	emit_drop_result(gen, 0);
	if (chance(gen, 3))
		emit_touch(gen);
}

static void emit_held_value(struct generator *gen, enum generated_map map)
{
	emit_lookup(gen, map);
	emit(gen, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_0, SLOT_VALUE, 0);
	emit_const(gen, BPF_REG_0, 0);
	emit_numbers(gen, BPF_REG_1);
}

static void finish(struct generator *gen)
{
	emit_const(gen, BPF_REG_0, pick_imm(gen));
	emit_const(gen, BPF_REG_9, pick_imm(gen));
	emit_const(gen, BPF_REG_7, pick_imm(gen));
	emit_numbers(gen, BPF_REG_1);
	emit(gen, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, SLOT_VALUE, 0);
}

/* What the value holds is looked at, as far as RCU protects it. */
static void emit_peek(struct generator *gen)
{
	bool is_protected = chance(gen, 50);

	if (is_protected)
		emit_kfunc(gen, GENERATED_bpf_rcu_read_lock);
	emit(gen, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_10, SLOT_VALUE, 0);
	emit(gen, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_2, BPF_REG_1, 0, 0);
	emit(gen, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_2, 0, 1, 0);
	emit(gen, BPF_LDX | BPF_MEM | pick_size(gen), BPF_REG_0, BPF_REG_2,
	     8 * (s32)below(gen, chance(gen, 90) ? 2 : 11), 0);
	if (is_protected && chance(gen, 96))
		emit_kfunc(gen, GENERATED_bpf_rcu_read_unlock);
}

void step_object(struct generator *gen)
{
	u32 kind = below(gen, 4);

	if (kind >= 2)
		emit_held_value(gen, GENERATED_HELD);
	if (kind == 3) {
		emit_peek(gen);
		finish(gen);
		return;
	}
	emit_object(gen);
	emit_touch(gen);
	if (kind == 0)
		emit_drop(gen, BPF_REG_9, 0);
	else if (kind == 1)
		emit_count(gen);
	else
		emit_exchange(gen);
	finish(gen);
}

/* --- lists and trees, r7: the value --- */

static void emit_spin(struct generator *gen, s32 helper)
{
	if (chance(gen, 2))
		return;
	emit_mov(gen, BPF_REG_1, BPF_REG_7);
	emit_helper(gen, helper);
}

static void emit_root(struct generator *gen, u8 reg)
{
	emit_mov(gen, reg, BPF_REG_7);
	emit_add(gen, reg, chance(gen, 99) ? FUZZ_ROOT : 0);
}

static void emit_put(struct generator *gen, bool is_tree)
{
	emit_root(gen, BPF_REG_1);
	emit_mov(gen, BPF_REG_2, BPF_REG_9);
	emit_add(gen, BPF_REG_2, is_tree == chance(gen, 98) ? FUZZ_OWN_TREE : FUZZ_OWN_LIST);
	if (is_tree) {
		emit_func(gen, BPF_REG_3, FUZZ_LESS);
		emit_const(gen, BPF_REG_4, 0);
		emit_const(gen, BPF_REG_5, 0);
		emit_kfunc(gen, GENERATED_bpf_rbtree_add_impl);
		return;
	}
	emit_const(gen, BPF_REG_3, 0);
	emit_const(gen, BPF_REG_4, 0);
	emit_kfunc(gen, GENERATED_bpf_list_push_front_impl);
}

/* r0: what was taken out, or NULL. */
static void emit_take(struct generator *gen, bool is_tree)
{
	u32 skip;

	emit_root(gen, BPF_REG_1);
	if (!is_tree) {
		emit_kfunc(gen, GENERATED_bpf_list_pop_front);
		return;
	}
	emit_kfunc(gen, GENERATED_bpf_rbtree_first);
	skip = gen->out->count;
	emit(gen, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, 0);
	emit_mov(gen, BPF_REG_2, BPF_REG_0);
	emit_root(gen, BPF_REG_1);
	emit_kfunc(gen, GENERATED_bpf_rbtree_remove);
	land(gen, skip);
}

void step_graph(struct generator *gen)
{
	bool is_tree = chance(gen, 50), takes = chance(gen, 60);

	if (is_tree && !may_use(gen, FUZZ_LESS))
		return;
	emit_held_value(gen, is_tree ? GENERATED_TREED : GENERATED_LISTED);
	emit_object(gen);
	emit_touch(gen);
	emit(gen, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_7, BPF_REG_10, SLOT_VALUE, 0);
	emit_spin(gen, BPF_FUNC_spin_lock);
	emit_put(gen, is_tree);
	if (chance(gen, 40)) {
		emit_const(gen, BPF_REG_0, 0);
		for (u8 reg = BPF_REG_1; reg <= BPF_REG_5; reg++)
			emit_const(gen, reg, pick_imm(gen));
		emit_touch(gen); /* no longer owned, and still there */
	}
	if (takes)
		emit_take(gen, is_tree);
	else
		emit_const(gen, BPF_REG_0, 0);
	emit_mov(gen, BPF_REG_9, BPF_REG_0);
	emit_spin(gen, BPF_FUNC_spin_unlock);
	emit_mov(gen, BPF_REG_0, BPF_REG_9);
	if (takes)
		emit_drop_result(gen, is_tree ? FUZZ_OWN_TREE : FUZZ_OWN_LIST);
	finish(gen);
}
