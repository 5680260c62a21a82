/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/global.h"

#include "verify/exception.h"
#include "verify/helpers.h"
#include "verify/precision.h"
#include "verify/prototype.h"
#include "verify/stack_object.h"
#include "verify/trace.h"

#include <errno.h>
#include <string.h>

struct globals {
	bool *is_called, *is_verified; /* each subprogram */
};

int global_init(struct walk *walk)
{
	u32 count = walk->cfg.subprog_cnt;
	struct globals *globals = arena_alloc(&walk->scratch, sizeof(*globals));

	if (!globals)
		return -ENOMEM;
	globals->is_called = arena_array(&walk->scratch, count, sizeof(bool));
	globals->is_verified = arena_array(&walk->scratch, count, sizeof(bool));
	walk->prototypes = arena_array(&walk->scratch, count, sizeof(*walk->prototypes));
	if (!globals->is_called || !globals->is_verified || !walk->prototypes)
		return -ENOMEM;
	walk->globals = globals;
	return 0;
}

/* --- arguments --- */

#define KIND(kind) (1u << (kind))
#define MEMORY_KINDS                                                                      \
	(KIND(REG_STACK) | KIND(REG_PACKET) | KIND(REG_PACKET_META) | KIND(REG_MAP_KEY) | \
	 KIND(REG_MAP_VALUE) | KIND(REG_MEM) | KIND(REG_BUFFER))

/* Plain memory and numbers may be anywhere; other pointers are given as they came. */
static int prove_place(struct walk *walk, u32 regno)
{
	struct scalar unknown = scalar_unknown();
	const struct reg_state *reg = walk_reg(walk, regno);
	char kind[REG_KIND_TEXT], bits[NUMBER_BITS_TEXT];

	if (reg->kind == REG_NOT_INIT)
		return reject(walk, pointer_variable_offset, reg_kind_text(reg, kind),
			      number_bits_text(&unknown, bits));
	if (KIND(reg->kind) & (MEMORY_KINDS | KIND(REG_SCALAR)))
		return 0;
	return reg->kind == REG_BTF ? memory_prove_fixed(walk, regno)
				    : memory_prove_unmoved(walk, regno);
}

/* The register as it is where it is not NULL. */
static int prove_bytes(struct walk *walk, u32 regno, u32 size)
{
	struct extent extent = {.reg = regno, .size = (s32)size, .may_be_empty = true};
	struct reg_state *reg = walk_reg(walk, regno);
	u16 flags = reg->flags;
	int ret;

	reg->flags &= ~REG_MAY_BE_NULL;
	extent.access = ACCESS_READ;
	ret = argument_prove_extent(walk, &extent, false);
	extent.access = ACCESS_WRITE;
	ret = ret ? ret : argument_prove_extent(walk, &extent, true);
	reg->flags = flags;
	return ret ? -EINVAL : 0; /* whatever the access alone would be refused with */
}

static int prove_memory_param(struct walk *walk, u32 index, const struct param *param)
{
	u32 regno = BPF_REG_1 + index;
	const struct reg_state *reg = walk_reg(walk, regno);
	bool may_be_null = param->flags & REG_MAY_BE_NULL;
	int ret;

	if (reg_is_null(reg)) {
		precision_need(walk, 1u << regno);
		/* Linux lets this pass, and the function follows NULL. */
		return may_be_null ? 0 : reject(walk, param_null, index);
	}
	ret = prove_bytes(walk, regno, param->size);
	if (!ret && !may_be_null && reg_may_be_null(reg))
		return reject(walk, param_null, index);
	return ret;
}

static int prove_object_param(struct walk *walk, u32 index, const struct param *param)
{
	u32 regno = BPF_REG_1 + index;
	const struct helper_arg arg = {
		.kind = ARG_BTF_ID,
		.flags = param->flags & REG_MAY_BE_NULL ? ARG_OR_NULL : 0,
		.btf_type = btf_type_name(walk_kernel(walk), param->type_id),
	};

	if (reg_is_null(walk_reg(walk, regno)) && param->flags & REG_MAY_BE_NULL) {
		precision_need(walk, 1u << regno);
		return 0;
	}
	return argument_prove_object(walk, regno, &arg);
}

static int prove_param(struct walk *walk, u32 index, const struct param *param)
{
	const struct reg_state *reg = walk_reg(walk, BPF_REG_1 + index);
	int ret;

	if (param->kind == PARAM_SCALAR)
		return reg->kind == REG_SCALAR
			       ? 0
			       : reject(walk, param_not_number, BPF_REG_1 + index);
	if (param->kind == PARAM_ANYTHING || param->flags & REG_UNTRUSTED)
		return 0;
	if (param->kind == PARAM_ARENA)
		return reg->kind == REG_SCALAR || reg->kind == REG_ARENA
			       ? 0
			       : reject(walk, param_arena, BPF_REG_1 + index);
	if (param->kind == PARAM_OBJECT)
		return prove_object_param(walk, index, param);
	ret = prove_place(walk, BPF_REG_1 + index);
	if (ret)
		return ret;
	if (param->kind == PARAM_MEMORY)
		return prove_memory_param(walk, index, param);
	if (param->kind == PARAM_DYNPTR)
		return dynptr_prove(walk, BPF_REG_1 + index, DYNPTR_NONE, false);
	return reg->kind == REG_CTX ? 0 : reject(walk, param_context, index);
}

static int prove_arguments(struct walk *walk, u32 callee)
{
	const struct prototype *prototype;
	int ret = prototype_of(walk, callee, &prototype);

	for (u32 i = 0; !ret && i < prototype->param_cnt; i++)
		ret = prove_param(walk, i, &prototype->params[i]);
	return ret;
}

/* --- calls --- */

static bool may_sleep_here(const struct walk *walk)
{
	const struct sections *sections = &walk->state.resources.sections;

	return walk->input->flags & VERIFY_SLEEPABLE && !sections->rcu && !sections->preempt &&
	       !sections->irq_id;
}

int global_prove_call(struct walk *walk, u32 callee)
{
	const char *name = walk->cfg.subprogs[callee].name;
	int ret;

	memset(&walk->call, 0, sizeof(walk->call));
	ret = prove_arguments(walk, callee);
	if (ret && walk->log)
		strbuf_addf(walk->log, "Caller passes invalid args into func#%u ('%s')\n",
			    callee, name);
	if (ret)
		return ret;
	if (state_lock(&walk->state))
		return reject(walk, global_under_lock);
	if (walk->cfg.subprogs[callee].sleeps && !may_sleep_here(walk))
		return reject(walk, global_sleeps);
	if (walk->log)
		strbuf_addf(walk->log, "Func#%u ('%s') is global and assumed valid.\n", callee,
			    name);
	return 0;
}

void global_transfer_call(struct walk *walk, u32 callee)
{
	call_write_memory(walk);
	for (u32 i = BPF_REG_1; i <= BPF_REG_5; i++)
		reg_set_not_init(walk_reg(walk, i));
	reg_set_unknown(walk_reg(walk, BPF_REG_0));
	if (walk->cfg.subprogs[callee].changes_packet)
		call_change_packet(walk);
	walk->globals->is_called[callee] = true;
}

/* --- the functions themselves --- */

static void set_param(struct walk *walk, const struct param *param, struct reg_state *out)
{
	switch ((enum param_kind)param->kind) {
	case PARAM_SCALAR: reg_set_unknown(out); return;
	case PARAM_CONTEXT: reg_set_pointer(out, REG_CTX); return;
	case PARAM_MEMORY:
		reg_set_pointer(out, REG_MEM);
		out->mem_size = param->size;
		break;
	case PARAM_OBJECT:
		reg_set_pointer(out, REG_BTF);
		out->btf = walk_kernel(walk);
		out->type_id = param->type_id;
		break;
	case PARAM_ANYTHING: reg_set_pointer(out, REG_MEM); break;
	case PARAM_DYNPTR:
		reg_set_pointer(out, REG_DYNPTR);
		out->sub = DYNPTR_LOCAL;
		out->id = walk_new_id(walk);
		return;
	case PARAM_ARENA: reg_set_unknown(out); return; /* callers may pass numbers */
	}
	out->flags = param->flags;
	if (out->flags & REG_MAY_BE_NULL)
		out->id = walk_new_id(walk);
}

int global_enter(struct walk *walk, u32 subprog)
{
	const struct prototype *prototype;
	int ret;

	walk->at = walk->next = walk->cfg.subprogs[subprog].start;
	ret = prototype_of(walk, subprog, &prototype);
	if (!ret && subprog && subprog == walk->cfg.exception_callback)
		ret = exception_prove_prototype(walk, prototype);
	if (ret)
		return ret;
	memset(&walk->state.resources, 0, sizeof(walk->state.resources));
	walk->state.frame_cnt = 1;
	walk->state.is_speculative = false;
	walk->open_rounds = 0;
	frame_init(&walk->state.frames[0], 0, subprog, 0);
	for (u32 i = 0; i < prototype->param_cnt; i++)
		set_param(walk, &prototype->params[i], walk_reg(walk, BPF_REG_1 + i));
	path_resume(walk, (struct path_mark){0});
	return 0;
}

static int walk_one(struct walk *walk, u32 subprog)
{
	int ret;

	trace_function_starts(walk, subprog);
	ret = global_enter(walk, subprog);
	ret = ret ? ret : walk_program(walk);
	if (!ret)
		trace_function_ends(walk, subprog);
	return ret;
}

/* The next function that was called and not walked yet; 0: there is none. */
static u32 next_called(const struct globals *globals, u32 count, u32 after)
{
	for (u32 i = 1; i < count; i++) {
		u32 at = (after + i - 1) % count;

		if (globals->is_called[at] && !globals->is_verified[at])
			return at;
	}
	return 0;
}

int global_walk_called(struct walk *walk)
{
	struct globals *globals = walk->globals;
	u32 subprog = 0;

	globals->is_called[walk->cfg.exception_callback] |= walk->cfg.exception_callback != 0;
	while ((subprog = next_called(globals, walk->cfg.subprog_cnt, subprog + 1))) {
		int ret = walk_one(walk, subprog);

		if (ret)
			return ret;
		globals->is_verified[subprog] = true;
	}
	return 0;
}
