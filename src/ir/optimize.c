/* SPDX-License-Identifier: BSD-2-Clause */
/* The passes, from top to bottom. */
#include "ir/ir.h"
#include "base/os.h"
#include "base/strbuf.h"
#include "run/run.h"

#include <errno.h>
#include <string.h>

static void clean(struct ir_function *fn)
{
	ir_order(fn);
	if (!fn->failed)
		ir_phis(fn);
	if (!fn->failed)
		ir_fold(fn);
	if (!fn->failed)
		ir_order(fn);
	ir_merge(fn);
	if (!fn->failed)
		ir_order(fn);
}

static const struct pass {
	const char *name;
	void (*run)(struct ir_function *fn);
} passes[] = {
	{"fold", clean},
	{"dead", ir_dead}, /* the half of it, mostly: copies, and phis of what nobody reads */
	{"promote", ir_promote}, /* leaves loads and phis that are other values */
	{"fold", clean},
	{"dead", ir_dead}, /* what patterns were made of is no work to choose about */
	{"select", ir_select},
	{"number", ir_number},
	{"widen", ir_widen},
	{"forward", ir_forward},
	{"fold", clean},
	{"prepay", ir_prepay},
	{"reduce", ir_reduce},
	{"fold", clean},
	{"dead", ir_dead},
	{"hoist", ir_hoist},
	{"address", ir_address},
	{"dead", ir_dead},
};

/* Up to the last pass of the name; NULL: all of them. */
static void run_passes(struct ir_function *fn, const char *name)
{
	u32 count = ARRAY_SIZE(passes);

	while (name && count && strcmp(passes[count - 1].name, name))
		count--;
	for (u32 i = 0; i < count && !fn->failed; i++)
		passes[i].run(fn);
}

void ir_optimize(struct ir_function *fn)
{
	run_passes(fn, NULL);
}

/* --- as text --- */

#define STAGE	   "ir"
#define BEFORE_ALL "build"

/* The pass that "ir:PASS" names; NULL: all of them. False: there is none. */
static bool find_pass(const char *stage, const char **out)
{
	const size_t length = strlen(STAGE);
	const char *name = stage + length + 1;

	*out = NULL;
	if (strncmp(stage, STAGE, length))
		return false;
	if (!stage[length])
		return true;
	if (stage[length] != ':')
		return false;
	*out = name;
	for (u32 i = 0; i < ARRAY_SIZE(passes); i++)
		if (!strcmp(passes[i].name, name))
			return true;
	return !strcmp(name, BEFORE_ALL);
}

static int print_function(const struct prog *prog, u32 subprog, const char *pass,
			  struct strbuf *out)
{
	struct ir_function fn;
	int err = ir_build(&fn, prog, subprog);

	fn.has_vectors = os_has_vectors();
	fn.counts_bits = os_counts_bits();
	fn.keeps_numbers = true;
	fn.matches_bytes = os_matches_bytes();
	if (!err)
		ir_order(&fn);
	if (!err && !fn.failed)
		run_passes(&fn, pass);
	err = err ?: fn.failed ? -ENOMEM : 0;
	if (!err)
		ir_print(&fn, out);
	ir_done(&fn);
	return err;
}

int ir_print_stage(const struct prog *prog, const char *stage, struct strbuf *out)
{
	const char *pass;
	int err = 0;

	if (!find_pass(stage, &pass))
		return -EINVAL;
	if (!prog->code)
		return -EOPNOTSUPP;
	for (u32 i = 0; i < prog->verified->subprog_cnt && !err; i++)
		err = print_function(prog, i, pass, out);
	return err;
}
