/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control groups: the process's own in the v2 tree. Packets are of none, and neither classes
 * nor realms are given to them.
 */
#include "map/cgroup.h"
#include "base/os.h"
#include "catalog/ctx.h"
#include "helper/body.h"
#include "helper/kernel_cgroup.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 64

/* The ids of the groups from the root to the process's: the inodes of their directories. Read
 * once: where the process is when a program first asks. */
static struct {
	u64 id[DEPTH_MAX];
	u32 count;
} groups;

static void add_group(const char *path)
{
	struct stat status;

	if (groups.count < DEPTH_MAX)
		groups.id[groups.count++] = stat(path, &status) ? 0 : status.st_ino;
}

/* `group` is "/a/b", `mount` is where "/" of it is. */
static void add_groups(const char *mount, char *group)
{
	char path[4096], *rest = NULL;
	size_t length = snprintf(path, sizeof(path), "%s", mount);

	add_group(path);
	for (char *part = strtok_r(group, "/", &rest); part;
	     part = strtok_r(NULL, "/", &rest)) {
		length += snprintf(path + length, sizeof(path) - length, "/%s", part);
		if (length >= sizeof(path))
			return;
		add_group(path);
	}
}

static void read_groups(void)
{
	const char *mount = cgroup_mount();
	char *text, *line;
	size_t size;

	if (!mount || os_read_file("/proc/self/cgroup", 1 << 16, &text, &size))
		return;
	line = strncmp(text, "0::", 3) ? strstr(text, "\n0::") : text;
	if (line) {
		line += strspn(line, "\n") + strlen("0::");
		line[strcspn(line, "\n")] = '\0';
		add_groups(mount, line);
	}
	free(text);
}

static void need_groups(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_groups);
}

HELPER_BODY(get_current_cgroup_id)
{
	need_groups();
	return groups.count ? groups.id[groups.count - 1] : 0;
}

HELPER_BODY(get_current_ancestor_cgroup_id)
{
	const s32 level = r1;

	need_groups();
	return level >= 0 && level < (s32)groups.count ? groups.id[level] : 0;
}

static bool is_under(u64 id)
{
	need_groups();
	for (u32 i = 0; i < groups.count; i++)
		if (groups.id[i] == id)
			return true;
	return false;
}

HELPER_BODY(current_task_under_cgroup)
{
	u64 id = 0;
	int err = map_cgroup_at(u64_to_ptr(r1), (u32)r2, &id);

	return err ? (u64)err : is_under(id);
}

/* A socket is under none, as it is of none. */
HELPER_BODY(skb_under_cgroup)
{
	const struct skb_ctx *skb = u64_to_ptr(r1);
	u64 id = 0;

	return skb->sk ? map_cgroup_at(u64_to_ptr(r2), (u32)r3, &id) : -ENOENT;
}

HELPER_BODY(get_local_storage)
{
	const struct map *map = u64_to_ptr(r1);

	return ptr_to_u64(run->local_storage[map_desc_is_per_cpu(&map->desc)].start);
}

#define IS_OF_NONE(name)  \
	HELPER_BODY(name) \
	{                 \
		return 0; \
	}

IS_OF_NONE(get_cgroup_classid)
IS_OF_NONE(skb_cgroup_classid)
IS_OF_NONE(skb_cgroup_id)
IS_OF_NONE(skb_ancestor_cgroup_id)
IS_OF_NONE(sk_cgroup_id)
IS_OF_NONE(sk_ancestor_cgroup_id)
IS_OF_NONE(get_route_realm)
