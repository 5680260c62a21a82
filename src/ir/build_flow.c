/* SPDX-License-Identifier: BSD-2-Clause */
/* The blocks of a function, with the subprograms that are inlined, and the edges between them. */
#include "ir/build.h"

#include <errno.h>
#include <stdlib.h>

/* A subprogram is inlined up to so many instructions; all together up to the second. */
#define INLINE_INSNS	  64
#define INLINE_INSNS_ALL  2000
#define INLINE_DEPTH	  7

u32 build_target(const struct build *build, u32 at)
{
	return at + build->code->insns[at].jump / (s32)sizeof(struct code_insn);
}

static bool is_jump(u16 op)
{
	switch (op) {
#define JUMP(name, ...)      \
	case OP_##name##64_k: \
	case OP_##name##64_x: \
	case OP_##name##32_k: \
	case OP_##name##32_x: return true;
#include "run/ops.def"
	case OP_may_goto: return true;
	default: return false;
	}
}

static bool may_inline(const struct build *build, const struct build_instance *caller,
		       const struct subprog *callee)
{
	const u32 size = callee->end - callee->start;

	return size <= INLINE_INSNS && build->inlined + size <= INLINE_INSNS_ALL &&
	       caller->depth < INLINE_DEPTH && !callee->is_global && !callee->has_tail_call &&
	       !callee->has_ld_abs && !callee->is_exception_callback &&
	       build->instance_cnt < BUILD_INSTANCES;
}

/* Decided once, when the blocks are made: the instance is there then. */
u32 build_callee(const struct build *build, u32 caller, u32 at)
{
	for (u32 i = 1; i < build->instance_cnt; i++)
		if (build->instances[i].caller == caller && build->instances[i].at == at)
			return i;
	return 0;
}

enum build_flow build_flow_of(const struct build *build, const struct build_instance *instance,
			      u32 at)
{
	const struct code_insn *insn = &build->code->insns[at];
	const struct insn_fact *fact = &build->verified->facts[at];

	if (insn->op == OP_exit)
		return FLOW_END;
	if (insn->op == OP_ja)
		return build_target(build, at) == at + 1 ? FLOW_NEXT : FLOW_JUMP;
	if (insn->op == OP_call_local &&
	    build_callee(build, (u32)(instance - build->instances), at))
		return FLOW_INLINE;
	if (!is_jump(insn->op) || fact->never_taken || build_target(build, at) == at + 1)
		return FLOW_NEXT;
	return fact->always_taken ? FLOW_JUMP : FLOW_BRANCH;
}

static bool is_live(const struct build *build, u32 at)
{
	return build->verified->facts[at].visited;
}

/* The next instruction in the program's order. */
static u32 following(const struct build *build, u32 at)
{
	return at + 1 + (build->code->insns[at].op == OP_ld_imm64);
}

static int add_instance(struct build *build, u32 caller, const struct subprog *subprog, u32 at);

/* Makes instances of the calls that are inlined: blocks end there. */
static int add_callees(struct build *build, u32 instance)
{
	const struct subprog *subprog = build->instances[instance].subprog;
	int err = 0;

	for (u32 at = subprog->start; at < subprog->end && !err; at++) {
		const struct subprog *callee;

		if (build->code->insns[at].op != OP_call_local || !is_live(build, at))
			continue;
		callee = &build->verified->subprogs[build->verified->facts[at].callee];
		if (may_inline(build, &build->instances[instance], callee))
			err = add_instance(build, instance, callee, at);
	}
	return err;
}

static void begin_block(struct build *build, u32 instance, u32 at)
{
	struct build_instance *in = &build->instances[instance];
	u32 *block = &in->block[at - in->subprog->start];

	if (*block != IR_NO_BLOCK)
		return;
	*block = ir_new_block(build->fn);
	if (build->fn->block_room > build->origin_room) {
		struct build_origin *grown = realloc(
			build->origins, build->fn->block_room * sizeof(*build->origins));

		if (!grown) {
			build->fn->failed = true;
			return;
		}
		build->origins = grown;
		build->origin_room = build->fn->block_room;
	}
	build->origins[*block] = (struct build_origin){instance, at};
}

static void mark_blocks(struct build *build, u32 instance)
{
	const struct build_instance *in = &build->instances[instance];
	const struct subprog *subprog = in->subprog;

	begin_block(build, instance, subprog->start);
	for (u32 at = subprog->start; at < subprog->end; at = following(build, at)) {
		enum build_flow flow;

		if (!is_live(build, at))
			continue;
		flow = build_flow_of(build, in, at);
		build->keeps_fuel |= code_round(build->code, at) != 0;
		if (flow == FLOW_JUMP || flow == FLOW_BRANCH)
			begin_block(build, instance, build_target(build, at));
		if (flow == FLOW_BRANCH || flow == FLOW_INLINE)
			begin_block(build, instance, following(build, at));
	}
}

static int add_instance(struct build *build, u32 caller, const struct subprog *subprog, u32 at)
{
	const u32 size = subprog->end - subprog->start, index = build->instance_cnt++;
	struct build_instance *instance = &build->instances[index];
	const struct build_instance *from = index ? &build->instances[caller] : NULL;

	*instance = (struct build_instance){
		.subprog = subprog,
		.block = arena_array(&build->arena, size + 1, sizeof(u32)),
		.caller = caller,
		.ret = IR_NO_BLOCK,
		.frame = from ? from->frame - (s32)from->subprog->stack_depth : 0,
		.depth = from ? from->depth + 1 : 0,
		.at = at,
	};
	if (!instance->block)
		return -ENOMEM;
	for (u32 i = 0; i <= size; i++)
		instance->block[i] = IR_NO_BLOCK;
	if (index)
		build->inlined += size;
	build->fn->frame_bytes =
		max(build->fn->frame_bytes, (u32)-instance->frame + subprog->stack_depth);
	return add_callees(build, index);
}

static u32 block_at(const struct build_instance *instance, u32 at)
{
	return instance->block[at - instance->subprog->start];
}

/* The edges of the block that the instruction ends; false: it ends none. */
static bool add_edges(struct build *build, u32 index, u32 block, u32 at)
{
	struct build_instance *instance = &build->instances[index];
	const u32 next = following(build, at);
	struct build_instance *callee;

	switch (build_flow_of(build, instance, at)) {
	case FLOW_JUMP:
		ir_add_edge(build->fn, block, block_at(instance, build_target(build, at)));
		return true;
	case FLOW_BRANCH:
		ir_add_edge(build->fn, block, block_at(instance, build_target(build, at)));
		ir_add_edge(build->fn, block, block_at(instance, next));
		return true;
	case FLOW_INLINE:
		callee = &build->instances[build_callee(build, index, at)];
		callee->ret = block_at(instance, next);
		ir_add_edge(build->fn, block, block_at(callee, callee->subprog->start));
		return true;
	case FLOW_END:
		if (instance->ret != IR_NO_BLOCK)
			ir_add_edge(build->fn, block, instance->ret);
		return true;
	case FLOW_NEXT: break;
	}
	if (next >= instance->subprog->end || block_at(instance, next) == IR_NO_BLOCK)
		return false;
	ir_add_edge(build->fn, block, block_at(instance, next));
	return true;
}

static void connect(struct build *build, u32 index)
{
	const struct build_instance *instance = &build->instances[index];
	const struct subprog *subprog = instance->subprog;

	for (u32 first = subprog->start; first < subprog->end; first++) {
		u32 at = first;

		if (block_at(instance, first) == IR_NO_BLOCK || !is_live(build, first))
			continue;
		while (!add_edges(build, index, block_at(instance, first), at))
			at = following(build, at);
	}
}

int build_flow(struct build *build)
{
	const struct subprog *subprog = &build->verified->subprogs[build->fn->subprog];
	int err;

	build->instances =
		arena_array(&build->arena, BUILD_INSTANCES + 1, sizeof(*build->instances));
	if (!build->instances)
		return -ENOMEM;
	/* The entry, which nothing jumps to. */
	ir_new_block(build->fn);
	err = add_instance(build, 0, subprog, 0);
	if (err)
		return err;
	for (u32 i = 0; i < build->instance_cnt; i++)
		mark_blocks(build, i);
	if (build->fn->failed)
		return -ENOMEM;
	ir_add_edge(build->fn, 0, block_at(&build->instances[0], subprog->start));
	for (u32 i = 0; i < build->instance_cnt; i++)
		connect(build, i);
	return build->fn->failed ? -ENOMEM : 0;
}
