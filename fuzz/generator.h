/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the generator's files share: chance, emission, and the steps. A step finds numbers in r0
 * to r5, r7 and r9 and leaves numbers there.
 */
#ifndef SKEP_FUZZ_GENERATOR_H
#define SKEP_FUZZ_GENERATOR_H

#include "fuzz/generate.h"
#include "isa/isa.h"

#define STEPS_MIN      4
#define STEPS_MAX      24
#define JUMPS_MAX      512
#define LOOP_MAX       20
#define ROOM_FOR_STEP  64  /* the longest without a scope, and the exit */
#define ROOM_FOR_SCOPE 320 /* the longest with one, and the exit */
#define STEP_OF_EXIT   UINT32_MAX
#define STEP_OF_SCOPE  (UINT32_MAX - 1)
#define STACK_WRITTEN  (-64) /* the prologue writes from here up; below is anything */
#define USES_MAX       4     /* of one function */

/* Where what a program opens is on its stack. */
#define SLOT_DYNPTR   (-80)
#define SLOT_CLONE    (-96)
#define SLOT_ITERATOR (-104)
#define SLOT_INNER    (-112)
#define SLOT_FLAGS    (-120)

/* A jump whose target is known when all steps are there, or the scope that it is in ends. */
struct forward {
	u32 insn, step;
};

struct generator;
typedef void step_fn(struct generator *gen);

struct generator {
	u64 random;
	struct generated *out;
	step_fn *family; /* what this program is about; NULL: nothing particular */
	u32 step_starts[STEPS_MAX + 2];
	u32 step_cnt;
	struct forward jumps[JUMPS_MAX];
	u32 jump_cnt;
	u32 scopes;	   /* open ones: jumps lead to their ends */
	bool in_callee;	   /* r6 is 0 */
	bool goes_on_long; /* or for ever, when it is changed */
	bool has_types;
	/* Where functions are named: calls, and addresses. */
	struct uses {
		u32 insn[USES_MAX];
		u32 count;
	} uses[FUZZ_FUNCS];
};

/* --- emit.c --- */
u32 below(struct generator *gen, u32 limit);
bool chance(struct generator *gen, u32 percent);
s32 pick_imm(struct generator *gen);
/* A register that holds a number: r0 to r5, r7 or r9. */
u8 pick_number(struct generator *gen);
u8 pick_size(struct generator *gen);
u32 size_bytes(u8 size);

void emit(struct generator *gen, u8 code, u8 dst, u8 src, s32 off, s32 imm);
void emit_mov(struct generator *gen, u8 dst, u8 src);
void emit_const(struct generator *gen, u8 dst, s32 value);
void emit_add(struct generator *gen, u8 dst, s32 value);
/* r10 plus `off`. */
void emit_frame(struct generator *gen, u8 dst, s32 off);
void emit_jump(struct generator *gen, u8 code, u8 dst, u8 src, s32 imm, u32 step);
void emit_helper(struct generator *gen, s32 id);
void emit_kfunc(struct generator *gen, enum generated_kfunc kfunc);
void emit_map(struct generator *gen, u8 dst, enum generated_map map);
/* A call of a function of the program, and its address. */
void emit_call(struct generator *gen, enum fuzz_type func);
void emit_func(struct generator *gen, u8 dst, enum fuzz_type func);
bool may_use(const struct generator *gen, enum fuzz_type func);
/* A call destroyed r1 to r5: they become numbers again; r0, too. */
void emit_numbers(struct generator *gen, u8 first);
/* From `insn`, which is a jump, to here. */
void land(struct generator *gen, u32 insn);
/* Jumps between the two lead to the end. */
u32 open_scope(struct generator *gen);
void close_scope(struct generator *gen, u32 scope);
/* r0: the value of some key, NULL was sorted out. */
void emit_lookup(struct generator *gen, enum generated_map map);

/* --- step_number.c --- */
u8 pick_compare(struct generator *gen);
/* Makes a number at most `limit`, or leaves it at that. */
void bound(struct generator *gen, u8 reg, s32 limit);
step_fn step_alu, step_move, step_branch, step_loop;

/* --- step_memory.c --- */
void access_bytes(struct generator *gen, u8 base, s32 off, u8 size);
/* Mostly aligned. */
void access_memory(struct generator *gen, u8 base, s32 off);
step_fn step_stack, step_spill, step_variable, step_value, step_leak;

/* --- step_packet.c, step_call.c --- */
step_fn step_packet, step_context;
step_fn step_lookup, step_buffer, step_random, step_call, step_open_loop;
/* Some steps that fit into loops and sections. */
void emit_inner_steps(struct generator *gen, u32 most);

/* --- families, one file each --- */
step_fn step_callback, step_timer, step_dynptr, step_iterator, step_section, step_lock,
	step_object, step_graph, step_arena, step_global;

/* --- function.c --- */
void emit_steps(struct generator *gen, u32 most);
/* Returns 0 to `most`, or not quite. */
void emit_exit(struct generator *gen, s32 most);
/* All functions that are used. */
void emit_functions(struct generator *gen);

#endif
