/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects by their BTF type: what the kernel shows of itself, and what a program makes of its
 * own types. A pointer to one is a REG_BTF; its flags say how far it can be relied upon.
 */
#ifndef SKEP_VERIFY_OBJECT_H
#define SKEP_VERIFY_OBJECT_H

#include "verify/memory.h"

/* --- types (object_type.c) --- */

/* What lies at a place of a structure. */
enum object_part {
	OBJECT_NUMBER,
	OBJECT_POINTER, /* to the structure `type_id` */
	OBJECT_OPAQUE,	/* a pointer to anything else */
	OBJECT_INNER,	/* the structure `type_id` begins there */
	/* Nothing that could be accessed so. */
	OBJECT_BEYOND,
	OBJECT_BEYOND_MEMBER,
	OBJECT_HALF_POINTER,
	OBJECT_NO_MEMBER,
	OBJECT_SIZELESS, /* a member of a type that has no size */
	OBJECT_NO_STRUCT,
};

/* A place in a structure; what is found there stands in the same record. */
struct object_place {
	const struct btf_view *btf;
	u32 type_id; /* of the structure */
	u32 off, size;
	u16 flags;	      /* REG_USER, REG_PERCPU, REG_RCU, REG_UNTRUSTED of a pointer */
	const char *structure; /* that the member is in */
	const char *member;
	u32 member_off, member_end;
};

/* Goes into the structure until something is found; `type_id` may be any type. */
enum object_part object_find(struct object_place *place);
/* The structure that begins `off` bytes into an object is of this type, or contains one as its
 * first member, and so on. `is_strict`: only itself will do. */
bool object_type_is(const struct btf_view *btf, u32 type_id, s64 off,
		    const struct btf_view *want_btf, u32 want_id, bool is_strict);
static inline bool object_is(const struct reg_state *reg, const struct btf_view *want_btf,
			     u32 want_id, bool is_strict)
{
	return object_type_is(reg->btf, reg->type_id, reg->off, want_btf, want_id, is_strict);
}

/* --- accesses (object.c) --- */

/* Through a REG_BTF: walk->access says what a load gives. */
int object_prove(struct walk *walk, const struct extent *extent);
/* Through a REG_MAP: Linux's structure of the map itself (object_map.c). */
int object_prove_map(struct walk *walk, const struct extent *extent);

/* --- arguments of helpers, variables of the kernel (object_argument.c) --- */

/* A REG_BTF can be relied upon as far as the argument asks. */
bool object_fits(const struct reg_state *reg, const struct helper_arg *arg);
/* It is of the argument's type. */
int object_prove_argument(struct walk *walk, u32 regno, const struct helper_arg *arg);
/* What the ld_imm64 of a kernel's symbol gives. */
int object_load_variable(struct walk *walk, const struct bpf_insn *insn, struct reg_state *out);
/* One CPU's part of a per-CPU object. */
int object_prove_per_cpu(struct walk *walk, u32 regno);
void object_set_this_cpu(const struct reg_state *per_cpu, struct reg_state *out);

/* --- for object_map.c --- */

/* What is at `place` of the object behind `base`: into walk->access.loaded. */
int object_prove_place(struct walk *walk, const struct reg_state *base,
		       struct object_place *place);
void object_set_access(struct walk *walk, const struct extent *extent, s64 off);

#endif
