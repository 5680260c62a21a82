/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects of types of the program's own (bpf_obj_new), and what values and objects hold that only
 * functions made for it may touch: locks, kernel pointers, lists and trees.
 */
#ifndef SKEP_VERIFY_OWN_H
#define SKEP_VERIFY_OWN_H

#include "verify/kfunc.h"
#include "verify/memory.h"

/* --- fields (own.c) --- */

/* Of the map value or the own object behind the register; NULL: nothing that has fields. */
const struct btf_fields *own_fields(struct walk *walk, const struct reg_state *reg);
/* The map, or the types, that tell whose lock it is. */
const void *own_owner(const struct reg_state *reg);
/* What the register points to has a lock: its id tells which. */
bool own_has_lock(struct walk *walk, const struct reg_state *reg);
/* The register points to an object of the program's own, whoever owns it. */
bool own_is_object(const struct reg_state *reg);

/* --- objects (own_object.c): arguments and results of kernel functions --- */
int own_prove_object(struct walk *walk, const struct kfunc *kfunc, u32 index);
int own_prove_refcounted(struct walk *walk, const struct kfunc *kfunc, u32 index);
/* The type that bpf_obj_new() and its kin are asked for (in walk->call.type_id). */
int own_prove_new(struct walk *walk, const struct kfunc *kfunc);
void own_set_new(struct walk *walk, const struct kfunc *kfunc, struct reg_state *result);

/* --- locks (lock.c) --- */
int lock_prove(struct walk *walk, u32 regno, bool takes);
void lock_transfer(struct walk *walk, u32 regno, bool takes);
/* The object that the register points into is locked. */
bool lock_is_held(struct walk *walk, const struct reg_state *reg);
/* bpf_res_spin_lock() and its kin */
int res_lock_prove(struct walk *walk, const struct kfunc *kfunc, u32 index);
int res_lock_transfer(struct walk *walk, const struct kfunc *kfunc, u32 index);

/* --- pointers in values (kptr.c) --- */
/* A load or store of the field by the current instruction. */
int kptr_prove_access(struct walk *walk, const struct extent *extent,
		      const struct btf_field *field);
int kptr_prove_slot(struct walk *walk, u32 regno);
/* What is exchanged for it (walk->call.kptr). */
int kptr_prove_value(struct walk *walk, u32 regno);
void kptr_set_result(struct walk *walk, struct reg_state *result);
/* The value owns the reference now. */
void kptr_give_away(struct walk *walk, u32 ref_id);

/* --- lists and trees (graph.c) --- */
int graph_prove_root(struct walk *walk, const struct kfunc *kfunc, u32 index);
int graph_prove_node(struct walk *walk, const struct kfunc *kfunc, u32 index);
void graph_set_result(struct walk *walk, struct reg_state *result);
/* The reference of the node that was put in is the list's now: pointers to it are good as long
 * as the lock is held. */
void graph_give_away(struct walk *walk, u32 ref_id);
/* Such a pointer. */
void graph_borrow(struct walk *walk, struct reg_state *reg);
/* They are not any more. */
void graph_forget_borrowed(struct walk *walk);
/* A node as the comparing function of a tree gets it. */
void graph_set_node(struct walk *walk, const struct btf_field *root, struct reg_state *out);
bool graph_is_in_less(const struct walk *walk);

#endif
