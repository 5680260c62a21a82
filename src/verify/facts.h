/* SPDX-License-Identifier: BSD-2-Clause */
/* What is learnt of each instruction, joined over all visits: see struct insn_fact. */
#ifndef SKEP_VERIFY_FACTS_H
#define SKEP_VERIFY_FACTS_H

#include "verify/walk.h"

/* The ways that a conditional jump was seen to go, and the kind of pointer first seen. */
struct fact_notes {
	bool taken : 1, passed : 1, has_map : 1, has_unprivileged_map : 1;
	u8 kind;   /* enum reg_kind; REG_NOT_INIT: no access yet */
	u16 flags; /* enum reg_flags */
};

int facts_init(struct walk *walk);
/* What registers hold before it. */
void fact_visit_regs(struct walk *walk, bool is_first);

/* Before the instruction is carried out. */
static inline void fact_visit(struct walk *walk)
{
	struct insn_fact *fact = &walk->out->facts[walk->at];

	walk->is_revisit = fact->visited;
	if (walk->state.is_speculative)
		return; /* no run comes here */
	if (walk->out->regs)
		fact_visit_regs(walk, !fact->visited);
	fact->visited = true;
}

/* The current instruction accesses memory behind `reg`, as walk->access says. Rejects one that
 * would have to be executed in two different ways. */
int fact_memory(struct walk *walk, const struct reg_state *reg);
void fact_branch(struct walk *walk, bool taken);
/* The helper call's map. */
void fact_call_map(struct walk *walk, const struct map_desc *map);
/* A tail call through maps whose index speculation may choose has one map only. */
int facts_check_tail_calls(struct walk *walk);
void facts_finish(struct walk *walk);

#endif
