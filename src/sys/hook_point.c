/* SPDX-License-Identifier: BSD-2-Clause */
/* Hooks of the host: found, asked, run. What they are is in extension.c. */
#include "base/rcu.h"
#include "sys/engine.h"
#include "sys/hosted.h"

#include <errno.h>
#include <skep/extend.h>
#include <stdlib.h>
#include <string.h>

int hook_point_attach(struct skep_hook_point *point, struct prog *prog, u64 cookie,
		      struct link **out)
{
	const struct hook_request request = {.place.is_alone = true, .cookie = cookie};
	int ret = -EBUSY;

	for (u32 i = 0; i < SKEP_HOOK_PROGS && ret == -EBUSY; i++)
		ret = link_new(&point->places[i], BPF_LINK_TYPE_TRACING, prog, &request,
			       out);
	return ret == -EBUSY ? -E2BIG : ret;
}

struct skep_hook_point *skep_hook_find(struct skep_engine *engine, const char *name)
{
	const struct host *host = &engine->hosted.host;

	for (u32 i = 0; i < host->hook_cnt; i++)
		if (!strcmp(host->hooks[i].name, name))
			return &engine->hosted.points[i];
	return NULL;
}

bool skep_hook_is_used(const struct skep_hook_point *hook)
{
	for (u32 i = 0; i < SKEP_HOOK_PROGS; i++)
		if (hook_prog(&hook->places[i]))
			return true;
	return false;
}

/* One after the other, until one returns something else than 0; each sees what the one before
 * it returned behind the arguments. */
static int run_all(struct skep_hook_point *hook, u64 *context, struct run_context *run,
		   s32 *result)
{
	for (u32 i = 0; i < SKEP_HOOK_PROGS && !*result; i++) {
		const struct chain *chain = hook_chain(&hook->places[i]);

		if (!chain)
			continue;
		run->event.cookie = attachment_cookie(chain->at[0]);
		*result = (s32)prog_run(attachment_prog(chain->at[0]), context, run);
		if (run->is_stopped)
			return -EINTR;
		if (!hook->row->has_result)
			*result = 0;
		context[hook->arg_cnt] = (u64)(s64)*result;
	}
	return 0;
}

int skep_hook_run(struct skep_hook_point *hook, const uint64_t *args, int32_t *result)
{
	u64 context[SKEP_HOOK_ARGS + 1] = {0};
	const struct run_region region = {(u8 *)context, sizeof(context)};
	struct run_context run;
	s32 last = 0;
	int ret;

	memcpy(context, args, hook->arg_cnt * sizeof(*context));
	run_begin(&run, &hook->engine->env);
	run.regions = &region;
	run.region_cnt = 1;
	run.event = (struct run_event){.function = ptr_to_u64(hook),
				       .arg_cnt = hook->arg_cnt,
				       .has_result = hook->row->has_result};
	ret = run_all(hook, context, &run, &last);
	run_end(&run);
	if (!ret && result)
		*result = last;
	return ret;
}

void *skep_run_cookie(const struct skep_run *run)
{
	const struct run_context *context = (const struct run_context *)run;
	const struct skep_engine *engine = context->env->engine;

	return engine->hosted.host.cookie;
}

struct later {
	struct rcu_head rcu;
	void *memory;
	void (*release)(void *memory);
};

static void release_later(struct rcu_head *head)
{
	struct later *later = container_of(head, struct later, rcu);

	later->release(later->memory);
	free(later);
}

int skep_free_later(void *memory, void (*release)(void *memory))
{
	struct later *later = malloc(sizeof(*later));

	if (!later)
		return -ENOMEM;
	*later = (struct later){.memory = memory, .release = release};
	call_rcu(&later->rcu, release_later);
	return 0;
}
