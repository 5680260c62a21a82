/* SPDX-License-Identifier: BSD-2-Clause */
/* Control groups: a directory of a mounted tree. */
#include "helper/kernel_cgroup.h"

#include "base/os.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define CSS_ONLINE	2 /* Linux's flag of struct cgroup_subsys_state */
#define CGROUP_FILE_MAX (1 << 16)
#define MOUNTS_MAX	(1 << 20)

const char *cgroup_mount(void)
{
	static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	struct statfs status;

	for (u32 i = 0; i < ARRAY_SIZE(mounts); i++)
		if (!statfs(mounts[i], &status) && status.f_type == CGROUP2_SUPER_MAGIC)
			return mounts[i];
	return NULL;
}

/* --- objects --- */

static u32 level_of(const char *path, const char *mount)
{
	u32 level = 0;

	for (const char *at = path + strlen(mount); *at; at++)
		level += *at == '/' && at[1];
	return level;
}

static void *make_node(struct kernel_world *world, const char *path, u32 level, u64 id)
{
	void *node = kernel_new(world, KERNEL_STRUCT_kernfs_node);
	char *name;

	if (!node)
		return NULL;
	name = kernel_hidden(node)->extra;
	snprintf(name, KERNEL_NAME_BYTES, "%s", level ? strrchr(path, '/') + 1 : "");
	kernel_set(node, KERNEL_kernfs_node_id, id);
	kernel_set(node, KERNEL_kernfs_node_name, ptr_to_u64(name));
	return node;
}

void *kernel_cgroup(struct kernel_world *world, const char *mount, const char *path)
{
	struct stat status;
	struct statfs tree;
	u32 level;
	void *group;

	if (stat(path, &status) || statfs(path, &tree) || !S_ISDIR(status.st_mode))
		return NULL;
	group = kernel_new(world, KERNEL_STRUCT_cgroup);
	if (!group)
		return NULL;
	level = level_of(path, mount);
	snprintf(kernel_hidden(group)->extra, KERNEL_PATH_BYTES, "%s", path);
	kernel_hidden(group)->key = (struct owner_key){
		OWNER_CGROUP,
		{status.st_ino, status.st_dev, tree.f_type == CGROUP2_SUPER_MAGIC}};
	kernel_set(group, KERNEL_cgroup_css_cgroup, ptr_to_u64(group));
	kernel_set(group, KERNEL_cgroup_css_flags, CSS_ONLINE);
	kernel_set(group, KERNEL_cgroup_css_id, status.st_ino);
	kernel_set(group, KERNEL_cgroup_level, level);
	kernel_hold(group, KERNEL_cgroup_kn, make_node(world, path, level, status.st_ino));
	return group;
}

const char *kernel_cgroup_path(void *group)
{
	return kernel_hidden(group)->extra;
}

bool kernel_cgroup_is_under(const char *path, void *group)
{
	const char *above = kernel_cgroup_path(group);
	const size_t length = strlen(above);

	return !strncmp(path, above, length) && (!path[length] || path[length] == '/');
}

/* --- whose --- */

/* The text of /proc/PID/cgroup behind "HIERARCHY:CONTROLLERS:", cut at the line's end. */
static bool find_line(char *text, u32 hierarchy, char **controllers, char **group)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *first = strchr(line, ':'),
		     *second = first ? strchr(first + 1, ':') : NULL;

		if (!second || strtoul(line, NULL, 10) != hierarchy)
			continue;
		*second = '\0';
		*controllers = first + 1;
		*group = second + 1;
		return true;
	}
	return false;
}

/* Where the version 1 tree of these controllers is mounted; "" where it is not. */
static void find_old_mount(const char *controllers, char *out, size_t size)
{
	char *text, *rest = NULL;
	size_t length;

	*out = '\0';
	if (os_read_file("/proc/self/mounts", MOUNTS_MAX, &text, &length))
		return;
	for (char *line = strtok_r(text, "\n", &rest); line && !*out;
	     line = strtok_r(NULL, "\n", &rest)) {
		char path[KERNEL_NAME_BYTES], type[16], options[256];

		if (sscanf(line, "%*s %255s %15s %255s", path, type, options) == 3 &&
		    !strcmp(type, "cgroup") && strstr(options, controllers))
			snprintf(out, size, "%s", path);
	}
	free(text);
}

int cgroup_of_task(pid_t task, u32 hierarchy, struct cgroup_place *out)
{
	char file[40], *text, *controllers, *group;
	size_t size;
	int ret = -ENOENT;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", task);
	if (os_read_file(file, CGROUP_FILE_MAX, &text, &size))
		return -ESRCH;
	if (find_line(text, hierarchy, &controllers, &group)) {
		if (hierarchy)
			find_old_mount(controllers, out->mount, sizeof(out->mount));
		else
			snprintf(out->mount, sizeof(out->mount), "%s", cgroup_mount() ?: "");
		snprintf(out->path, sizeof(out->path), "%s%s", out->mount,
			 strcmp(group, "/") ? group : "");
		ret = *out->mount ? 0 : -ENOENT;
	}
	free(text);
	return ret;
}

void *kernel_cgroup_of_task(struct kernel_world *world, pid_t task, u32 hierarchy)
{
	struct cgroup_place place;

	return cgroup_of_task(task, hierarchy, &place)
		       ? NULL
		       : kernel_cgroup(world, place.mount, place.path);
}

/* --- a tree --- */

struct child {
	u64 id;
	char *path; /* owned */
};

static int by_id(const void *a, const void *b)
{
	const struct child *first = a, *second = b;

	return first->id < second->id ? -1 : first->id > second->id;
}

static bool add_path(struct cgroup_list *list, const char *path)
{
	char **paths = realloc(list->paths, (list->count + 1) * sizeof(*paths));

	if (paths)
		list->paths = paths;
	if (paths)
		paths[list->count] = strdup(path);
	if (!paths || !paths[list->count])
		return false;
	list->count++;
	return true;
}

/* The directories in one, in the order in which they were made: the kernel's. */
static bool read_children(const char *path, struct child **out, u32 *count)
{
	DIR *directory = opendir(path);
	bool complete = true;
	struct dirent *entry;

	*out = NULL;
	*count = 0;
	while (directory && complete && (entry = readdir(directory))) {
		struct child *grown;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		grown = realloc(*out, (*count + 1) * sizeof(*grown));
		complete = grown;
		if (!grown)
			break;
		*out = grown;
		grown[*count].id = entry->d_ino;
		complete = asprintf(&grown[*count].path, "%s/%s", path, entry->d_name) >= 0;
		*count += complete;
	}
	if (directory)
		closedir(directory);
	if (*count)
		qsort(*out, *count, sizeof(**out), by_id);
	return complete;
}

static bool walk(struct cgroup_list *list, const char *path, enum cgroup_order order, u32 depth)
{
	struct child *children = NULL;
	bool complete = true;
	u32 count = 0;

	if (order != CGROUP_POST)
		complete = add_path(list, path);
	if (complete && depth)
		complete = read_children(path, &children, &count);
	for (u32 i = 0; i < count; i++) {
		complete = complete && walk(list, children[i].path, order, depth - 1);
		free(children[i].path);
	}
	free(children);
	if (complete && order == CGROUP_POST)
		complete = add_path(list, path);
	return complete;
}

static bool walk_up(struct cgroup_list *list, const char *path, const char *mount)
{
	char at[KERNEL_PATH_BYTES];
	bool complete = true;

	snprintf(at, sizeof(at), "%s", path);
	while (complete && strlen(at) >= strlen(mount)) {
		complete = add_path(list, at);
		*strrchr(at, '/') = '\0';
	}
	return complete;
}

#define DEPTH_MAX 256

int cgroup_list_new(struct cgroup_list *list, const char *mount, const char *path,
		    enum cgroup_order order)
{
	bool complete = false;

	*list = (struct cgroup_list){0};
	switch (order) {
	case CGROUP_SELF: complete = add_path(list, path); break;
	case CGROUP_CHILDREN:
	case CGROUP_PRE:
	case CGROUP_POST:
		complete = walk(list, path, order, order == CGROUP_CHILDREN ? 1 : DEPTH_MAX);
		break;
	case CGROUP_UP: complete = walk_up(list, path, mount); break;
	}
	if (complete)
		return 0;
	cgroup_list_done(list);
	return -ENOMEM;
}

void cgroup_list_done(struct cgroup_list *list)
{
	for (u32 i = 0; i < list->count; i++)
		free(list->paths[i]);
	free(list->paths);
	*list = (struct cgroup_list){0};
}

void *kernel_cgroup_of_id(struct kernel_world *world, u64 id)
{
	const char *mount = cgroup_mount();
	struct cgroup_list list;
	void *found = NULL;

	if (!mount || cgroup_list_new(&list, mount, mount, CGROUP_PRE))
		return NULL;
	for (u32 i = 0; i < list.count && !found; i++) {
		struct stat status;

		if (!stat(list.paths[i], &status) && status.st_ino == id)
			found = kernel_cgroup(world, mount, list.paths[i]);
	}
	cgroup_list_done(&list);
	return found;
}
