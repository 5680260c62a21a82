/* SPDX-License-Identifier: BSD-2-Clause */
/* The hooks of groups. */
#include "cgroup/group.h"

#include "helper/kernel_cgroup.h"
#include "map/cgroup.h"
#include "map/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TYPE(name) (1ULL << BPF_CGROUP_##name)

bool groups_have(u32 attach_type)
{
	static const u64 types =
		TYPE(SOCK_OPS) | TYPE(INET_SOCK_CREATE) | TYPE(INET4_POST_BIND) |
		TYPE(INET6_POST_BIND) | TYPE(INET4_BIND) | TYPE(INET6_BIND) |
		TYPE(INET4_CONNECT) | TYPE(INET6_CONNECT) | TYPE(UDP4_SENDMSG) |
		TYPE(UDP6_SENDMSG) | TYPE(UDP4_RECVMSG) | TYPE(UDP6_RECVMSG) |
		TYPE(INET4_GETPEERNAME) | TYPE(INET6_GETPEERNAME) | TYPE(INET4_GETSOCKNAME) |
		TYPE(INET6_GETSOCKNAME) | TYPE(GETSOCKOPT) | TYPE(SETSOCKOPT);

	return attach_type < GROUP_TYPES && (types >> attach_type & 1);
}

/* --- the tree --- */

static bool add_group(struct group_path *path, int fd, dev_t device)
{
	struct stat status;

	if (path->count == GROUP_DEPTH || fstat(fd, &status) || status.st_dev != device)
		return false;
	path->ids[path->count++] = status.st_ino;
	return true;
}

/* From the directory up to where another file system begins. */
static void walk_up(int fd, struct group_path *out)
{
	struct stat status;
	int at;

	out->count = 0;
	if (fstat(fd, &status))
		return;
	at = openat(fd, ".", O_PATH | O_CLOEXEC | O_DIRECTORY);
	while (at >= 0 && add_group(out, at, status.st_dev)) {
		const int above = openat(at, "..", O_PATH | O_CLOEXEC | O_DIRECTORY);

		close(at);
		at = above;
	}
	if (at >= 0)
		close(at);
}

int group_path_of_fd(int fd, struct group_path *out)
{
	struct owner_key key;
	int ret = owner_key_of_fd(OWNER_CGROUP, fd, &key);

	if (!ret && !key.id[2])
		ret = -EBADF;
	if (!ret)
		walk_up(fd, out);
	return ret;
}

void group_path_of_process(struct group_path *out)
{
	struct cgroup_place place;
	int fd;

	out->count = 0;
	if (cgroup_of_task(getpid(), 0, &place))
		return;
	fd = open(place.path, O_PATH | O_CLOEXEC | O_DIRECTORY);
	if (fd < 0)
		return;
	walk_up(fd, out);
	close(fd);
}

/* --- the table --- */

struct groups *groups_new(const struct run_env *env)
{
	struct groups *groups = calloc(1, sizeof(*groups));

	if (!groups)
		return NULL;
	groups->env = env;
	pthread_mutex_init(&groups->lock, NULL);
	CDS_INIT_LIST_HEAD(&groups->hooks);
	CDS_INIT_LIST_HEAD(&groups->watched);
	return groups;
}

void groups_stop(struct groups *groups)
{
	struct group_hook *at;

	if (!groups)
		return;
	cds_list_for_each_entry (at, &groups->hooks, list)
		hook_done(&at->hook);
}

void groups_free(struct groups *groups)
{
	struct group_hook *at, *next;
	struct watched *watched, *other;

	if (!groups)
		return;
	cds_list_for_each_entry_safe (at, next, &groups->hooks, list)
		free(at);
	cds_list_for_each_entry_safe (watched, other, &groups->watched, list)
		free(watched);
	pthread_mutex_destroy(&groups->lock);
	free(groups);
}

struct group_hook *group_find(struct groups *groups, u64 id, enum bpf_attach_type type)
{
	struct group_hook *at;

	cds_list_for_each_entry_rcu (at, &groups->hooks, list)
		if (at->hook.cgroup == id && at->hook.attach_type == type)
			return at;
	return NULL;
}

/* With the lock held. */
static struct group_hook *find_or_make(struct groups *groups, u64 id, enum bpf_attach_type type)
{
	struct group_hook *hook = group_find(groups, id, type);

	if (hook)
		return hook;
	hook = calloc(1, sizeof(*hook));
	if (!hook)
		return NULL;
	hook_init(&hook->hook, type, 0);
	hook->hook.cgroup = id;
	cds_list_add_tail_rcu(&hook->list, &groups->hooks);
	atomic_fetch_add(&groups->used[type], 1);
	return hook;
}

static u32 count_of(const struct group_hook *hook)
{
	const struct chain *chain = hook ? hook_chain(&hook->hook) : NULL;

	return chain ? chain->count : 0;
}

/* --- what may be attached: with the lock held, in a read-side section --- */

/* The nearest group above that has programs decides. */
static bool is_allowed_above(struct groups *groups, const struct group_path *path,
			     enum bpf_attach_type type)
{
	for (u32 i = 1; i < path->count; i++) {
		const struct group_hook *above = group_find(groups, path->ids[i], type);

		if (count_of(above))
			return above->mode & GROUP_MODE_FLAGS;
	}
	return true;
}

static bool has_alone(const struct group_hook *hook, const struct prog *prog)
{
	const struct chain *chain = hook_chain(&hook->hook);

	for (u32 i = 0; chain && i < chain->count; i++)
		if (!chain->at[i]->link && attachment_prog(chain->at[i]) == prog)
			return true;
	return false;
}

static int check_flags(const struct group_request *request, bool has_replaced)
{
	const u32 flags = request->flags;

	if ((flags & GROUP_MODE_FLAGS) == GROUP_MODE_FLAGS)
		return -EINVAL;
	if (flags & BPF_F_REPLACE && !(flags & BPF_F_ALLOW_MULTI))
		return -EINVAL;
	if (flags & BPF_F_REPLACE && flags & (BPF_F_BEFORE | BPF_F_AFTER))
		return -EINVAL;
	return has_replaced == !!(flags & BPF_F_REPLACE) ? 0 : -EINVAL;
}

static bool is_stale(const struct group_hook *hook, const struct group_request *request)
{
	const u64 believed = request->place->revision;

	return believed && believed != (hook ? hook->hook.revision : 1);
}

static int check_place(struct groups *groups, const struct group_path *path,
		       const struct group_hook *hook, const struct group_request *request)
{
	if (is_stale(hook, request))
		return -ESTALE;
	if (!is_allowed_above(groups, path, request->attach_type))
		return -EPERM;
	if (count_of(hook) && hook->mode != (request->flags & GROUP_MODE_FLAGS))
		return -EPERM;
	return count_of(hook) >= min(GROUP_PROGS, CHAIN_MAX) ? -E2BIG : 0;
}

/* Whether the program is there, or the one that it is to replace is not. */
static int check_programs(const struct group_hook *hook, const struct prog *prog,
			  const struct prog *replaced)
{
	if (prog != replaced && has_alone(hook, prog))
		return -EINVAL;
	return replaced && !has_alone(hook, replaced) ? -ENOENT : 0;
}

/* Behind the relative, unless it is to be before it; -EINVAL: they would not run together. */
static int find_place(const struct group_hook *hook, const struct group_request *request,
		      const struct prog *replaced, struct hook_request *out)
{
	const bool is_first = request->flags & BPF_F_PREORDER;
	const struct chain *chain = hook_chain(&hook->hook);
	struct chain_place *place = &out->place;

	*out = *request->place;
	out->revision = 0;
	place->is_first = is_first;
	place->may_repeat = true;
	place->replaced = replaced;
	place->flags = request->flags & (BPF_F_BEFORE | BPF_F_AFTER);
	if (replaced)
		*place = (struct chain_place){.flags = BPF_F_REPLACE,
					      .is_first = is_first,
					      .may_repeat = true,
					      .replaced = replaced};
	else if (place->relative && !place->flags)
		place->flags = BPF_F_AFTER;
	for (u32 i = 0; place->relative && chain && i < chain->count; i++)
		if (attachment_prog(chain->at[i]) == place->relative)
			return chain->at[i]->is_first == is_first ? 0 : -EINVAL;
	return 0;
}

/* A group that takes one program gives up the one that it has. */
static const struct prog *find_replaced(const struct group_hook *hook,
					const struct group_request *request,
					const struct prog *replaced)
{
	if (request->flags & BPF_F_ALLOW_MULTI || !count_of(hook))
		return replaced;
	return attachment_prog(hook_chain(&hook->hook)->at[0]);
}

/* Values of storage are there as soon as a program is. */
static int make_values(const struct prog *prog, const struct group_hook *hook)
{
	for (u32 i = 0; i < prog->map_cnt; i++)
		if (map_is_cgroup_storage(prog->maps[i]) &&
		    !map_cgroup_value(prog->maps[i], hook->hook.cgroup, hook->hook.attach_type,
				      0))
			return -ENOMEM;
	return 0;
}

static int attach(struct groups *groups, const struct group_path *path,
		  const struct group_request *request, struct prog *prog,
		  const struct prog *replaced)
{
	struct group_hook *hook = find_or_make(groups, path->ids[0], request->attach_type);
	struct hook_request place;
	int ret = hook ? check_place(groups, path, hook, request) : -ENOMEM;

	if (!ret && request->flags & BPF_F_ALLOW_MULTI)
		ret = check_programs(hook, prog, replaced);
	if (ret)
		return ret;
	ret = find_place(hook, request, find_replaced(hook, request, replaced), &place)
		      ?: make_values(prog, hook);
	if (ret)
		return ret;
	hook->mode = request->flags & GROUP_MODE_FLAGS;
	return hook_attach(&hook->hook, prog, &place);
}

int groups_attach(struct groups *groups, const struct group_request *request, struct prog *prog,
		  const struct prog *replaced)
{
	struct group_path path;
	int ret = group_path_of_fd(request->fd, &path);

	ret = ret ?: check_flags(request, replaced);
	if (ret)
		return ret;
	pthread_mutex_lock(&groups->lock);
	rcu_read_lock();
	ret = attach(groups, &path, request, prog, replaced);
	rcu_read_unlock();
	pthread_mutex_unlock(&groups->lock);
	return ret;
}

static int link_to(struct groups *groups, const struct group_path *path,
		   const struct group_request *request, struct prog *prog, struct link **out)
{
	struct group_hook *hook = find_or_make(groups, path->ids[0], request->attach_type);
	struct hook_request place;
	int ret = hook ? check_place(groups, path, hook, request) : -ENOMEM;

	ret = ret ?: find_place(hook, request, NULL, &place) ?: make_values(prog, hook);
	if (ret)
		return ret;
	hook->mode = BPF_F_ALLOW_MULTI;
	return link_new(&hook->hook, BPF_LINK_TYPE_CGROUP, prog, &place, out);
}

int groups_link(struct groups *groups, const struct group_request *request, struct prog *prog,
		struct link **out)
{
	const struct group_request multi = {request->fd, request->attach_type,
					    request->flags | BPF_F_ALLOW_MULTI, request->place};
	struct group_path path;
	int ret = group_path_of_fd(request->fd, &path);

	if (ret)
		return ret;
	pthread_mutex_lock(&groups->lock);
	rcu_read_lock();
	ret = link_to(groups, &path, &multi, prog, out);
	rcu_read_unlock();
	pthread_mutex_unlock(&groups->lock);
	return ret;
}

/* Where one program at most may be, it goes whatever is named. */
static int detach(struct group_hook *hook, const struct group_request *request,
		  const struct prog *prog)
{
	if (is_stale(hook, request))
		return -ESTALE;
	if (!count_of(hook))
		return -ENOENT;
	if (!(hook->mode & BPF_F_ALLOW_MULTI))
		return hook_take_off(&hook->hook, NULL);
	return prog ? hook_take_off(&hook->hook, prog) : -EINVAL;
}

int groups_detach(struct groups *groups, const struct group_request *request,
		  const struct prog *prog)
{
	struct group_path path;
	int ret = group_path_of_fd(request->fd, &path);

	if (ret)
		return ret;
	pthread_mutex_lock(&groups->lock);
	rcu_read_lock();
	ret = detach(group_find(groups, path.ids[0], request->attach_type), request, prog);
	rcu_read_unlock();
	pthread_mutex_unlock(&groups->lock);
	return ret;
}

/* --- what is attached --- */

static void list_one(const struct group_hook *hook, const struct attachment *at, void *cookie)
{
	struct group_listing *out = cookie;

	if (out->count < ARRAY_SIZE(out->prog_ids))
		out->prog_ids[out->count++] = attachment_prog(at)->object.id;
}

static void list_own(const struct group_hook *hook, struct group_listing *out)
{
	const struct chain *chain = hook ? hook_chain(&hook->hook) : NULL;

	out->flags = chain ? hook->mode : 0;
	out->revision = hook ? hook->hook.revision : 1;
	for (u32 i = 0; chain && i < chain->count; i++)
		list_one(hook, chain->at[i], out);
}

int groups_list(struct groups *groups, const struct group_request *request, bool is_effective,
		struct group_listing *out)
{
	struct group_path path;
	int ret = group_path_of_fd(request->fd, &path);

	if (ret)
		return ret;
	*out = (struct group_listing){0};
	rcu_read_lock();
	if (is_effective)
		group_each(groups, &path, request->attach_type, list_one, out);
	else
		list_own(group_find(groups, path.ids[0], request->attach_type), out);
	rcu_read_unlock();
	return 0;
}
