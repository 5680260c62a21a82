/* SPDX-License-Identifier: BSD-2-Clause */
/* Which programs run for a call of the process, and what comes of it. */
#include "cgroup/group.h"

#include "map/cgroup.h"
#include "map/socket_file.h"
#include "run/run.h"

#include <errno.h>
#include <unistd.h>

/* Linux: the group's own programs, and of those above it the ones that let others be beside
 * them; of several groups the lowest that has any, and all above that allow it. */
struct effective {
	const struct group_hook *hooks[GROUP_DEPTH];
	const struct chain *chains[GROUP_DEPTH];
	u32 count;
};

static void find_effective(struct groups *groups, const struct group_path *path,
			   enum bpf_attach_type type, struct effective *out)
{
	out->count = 0;
	for (u32 i = 0; i < path->count; i++) {
		const struct group_hook *hook = group_find(groups, path->ids[i], type);
		const struct chain *chain = hook ? hook_chain(&hook->hook) : NULL;

		if (!chain || (out->count && !(hook->mode & BPF_F_ALLOW_MULTI)))
			continue;
		out->hooks[out->count] = hook;
		out->chains[out->count++] = chain;
	}
}

static void each_of(const struct effective *effective, u32 index, bool is_first,
		    group_visit *visit, void *cookie)
{
	const struct chain *chain = effective->chains[index];

	for (u32 i = 0; i < chain->count; i++)
		if (chain->at[i]->is_first == is_first)
			visit(effective->hooks[index], chain->at[i], cookie);
}

void group_each(struct groups *groups, const struct group_path *path, enum bpf_attach_type type,
		group_visit *visit, void *cookie)
{
	struct effective effective;

	find_effective(groups, path, type, &effective);
	for (u32 i = effective.count; i > 0; i--)
		each_of(&effective, i - 1, true, visit, cookie);
	for (u32 i = 0; i < effective.count; i++)
		each_of(&effective, i, false, visit, cookie);
}

struct running {
	struct group_call *call;
	struct run_context *run;
};

/* The values of the program's storage maps. False: no memory for one. */
static bool find_storage(const struct prog *prog, const struct group_hook *hook,
			 struct run_context *run)
{
	for (u32 i = 0; i < prog->map_cnt; i++) {
		struct map *map = prog->maps[i];
		void *value;

		if (!map_is_cgroup_storage(map))
			continue;
		value = map_cgroup_value(map, hook->hook.cgroup, hook->hook.attach_type,
					 run->slot);
		if (!value)
			return false;
		run->local_storage[map_desc_is_per_cpu(&map->desc)] =
			(struct run_region){value, map->desc.value_size};
	}
	return true;
}

static void run_one(const struct group_hook *hook, const struct attachment *at, void *cookie)
{
	const struct running *running = cookie;
	struct group_call *call = running->call;
	struct run_context *run = running->run;
	const struct prog *prog = attachment_prog(at);
	u32 said;

	if (!find_storage(prog, hook, run)) {
		call->retval = -ENOMEM;
		return;
	}
	run->event = (struct run_event){.socket = call->may_join ? call->sk : NULL,
					.descriptor = call->fd,
					.retval = call->retval};
	said = (u32)prog_run(prog, call->ctx, run);
	if (call->after)
		call->after(call, run);
	call->said |= said >> 1;
	call->retval = run->event.retval;
	if (!(said & 1) && call->retval >= 0)
		call->retval = -EPERM;
}

int group_run(struct groups *groups, struct group_call *call)
{
	const struct run_region regions[] = {{(u8 *)call->sk, sizeof(*call->sk)},
					     {call->memory, call->size}};
	struct running running = {.call = call};
	struct group_path path;
	struct run_context run;

	group_path_of_process(&path);
	run_begin(&run, groups->env);
	run.regions = regions;
	run.region_cnt = call->memory ? 2 : 1;
	running.run = &run;
	group_each(groups, &path, call->type, run_one, &running);
	run_end(&run);
	return min(call->retval, 0);
}

bool group_describe(int fd, struct sock_ctx *out)
{
	if (socket_describe(fd, out))
		return false;
	out->uid = getuid();
	out->descriptor = (u32)fd + 1;
	return true;
}
