/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel functions on control groups (kernel_cgroup.h). */
#include "helper/body.h"
#include "helper/dynptr.h"
#include "helper/kernel_cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

KFUNC_BODY(bpf_cgroup_acquire)
{
	return kernel_get(u64_to_ptr(r1)) ? r1 : 0;
}

KFUNC_BODY(bpf_cgroup_release)
{
	kernel_put(u64_to_ptr(r1));
	return 0;
}

/* Cuts the path behind the group of this level; false: it has none. */
static bool cut_to_level(char *path, size_t mount, u32 from, u32 level)
{
	for (; from > level; from--) {
		char *end = strrchr(path, '/');

		if (!end || end < path + mount)
			return false;
		*end = '\0';
	}
	return true;
}

KFUNC_BODY(bpf_cgroup_ancestor)
{
	void *group = u64_to_ptr(r1);
	const s32 level = r2;
	char path[KERNEL_PATH_BYTES];
	const char *mount = cgroup_mount();
	u32 own;

	if (!group || !mount)
		return 0;
	own = (u32)kernel_value(group, KERNEL_cgroup_level);
	if (level < 0 || (u32)level > own)
		return 0;
	snprintf(path, sizeof(path), "%s", kernel_cgroup_path(group));
	return cut_to_level(path, strlen(mount), own, (u32)level)
		       ? ptr_to_u64(kernel_cgroup(run->env->kernel, mount, path))
		       : 0;
}

KFUNC_BODY(bpf_cgroup_from_id)
{
	return ptr_to_u64(kernel_cgroup_of_id(run->env->kernel, r1));
}

/* Only those of users: the others are the kernel's business. */
KFUNC_BODY(bpf_cgroup_read_xattr)
{
	const struct dynptr *out = u64_to_ptr(r3);
	const char *name = u64_to_ptr(r2);
	const u32 size = out->data ? dynptr_size(out) : 0;
	u8 *bytes = dynptr_is_read_only(out) ? NULL : dynptr_bytes(out, 0, size);
	ssize_t length;

	if (strncmp(name, "user.", strlen("user.")) || !r1)
		return -EPERM;
	if (!bytes)
		return -EINVAL;
	length = getxattr(kernel_cgroup_path(u64_to_ptr(r1)), name, bytes, size);
	return length < 0 ? -errno : length;
}

/* --- open-coded iterators. A group that a program has stays until the section ends. --- */
struct css_iterator {
	struct cgroup_list list;
	void *current; /* reference */
	u32 next;
};

struct css_state {
	struct css_iterator *it; /* owned; NULL: nothing to come */
	u64 unused[2];
};

_Static_assert(sizeof(struct css_state) == 24, "as large as struct bpf_iter_css");

static void css_iterator_free(struct css_iterator *it)
{
	if (!it)
		return;
	kernel_put(it->current);
	cgroup_list_done(&it->list);
	free(it);
}

/* Linux's BPF_CGROUP_ITER_*. */
enum { DESCENDANTS_PRE = 2, DESCENDANTS_POST, ANCESTORS_UP };

static int order_of(u32 flags, enum cgroup_order *out)
{
	switch (flags) {
	case DESCENDANTS_PRE: *out = CGROUP_PRE; return 0;
	case DESCENDANTS_POST: *out = CGROUP_POST; return 0;
	case ANCESTORS_UP: *out = CGROUP_UP; return 0;
	default: return -EINVAL;
	}
}

/* A subsystem's state of the version 2 tree: the first member of its group. */
KFUNC_BODY(bpf_iter_css_new)
{
	struct css_state *state = u64_to_ptr(r1);
	const char *mount = cgroup_mount();
	enum cgroup_order order;
	struct css_iterator *it;
	int ret;

	*state = (struct css_state){0};
	if (order_of((u32)r3, &order))
		return -EINVAL;
	if (!r2 || !mount)
		return 0;
	it = calloc(1, sizeof(*it));
	if (!it)
		return -ENOMEM;
	ret = cgroup_list_new(&it->list, mount, kernel_cgroup_path(u64_to_ptr(r2)), order);
	if (ret)
		free(it);
	else
		state->it = it;
	return ret;
}

KFUNC_BODY(bpf_iter_css_next)
{
	struct css_iterator *it = ((struct css_state *)u64_to_ptr(r1))->it;
	void *group = NULL;

	if (!it)
		return 0;
	while (!group && it->next < it->list.count)
		group = kernel_cgroup(run->env->kernel, cgroup_mount(),
				      it->list.paths[it->next++]);
	kernel_put(it->current);
	it->current = group;
	return ptr_to_u64(group);
}

KFUNC_BODY(bpf_iter_css_destroy)
{
	struct css_state *state = u64_to_ptr(r1);

	css_iterator_free(state->it);
	*state = (struct css_state){0};
	return 0;
}
