/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/pin.h"

#include "map/map.h"
#include "map/shared.h"
#include "sys/command.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- paths --- */

/* Appends the components of `path` to `out`, an absolute path without trailing '/'. */
static int append(char out[PATH_MAX], const char *path)
{
	size_t length = strlen(out);

	while (*path) {
		size_t part = strcspn(path, "/");

		if (part == 2 && !memcmp(path, "..", 2)) {
			char *slash = strrchr(out, '/');

			length = slash ? slash - out : 0;
		} else if (part && !(part == 1 && *path == '.')) {
			if (length + 1 + part >= PATH_MAX)
				return -ENAMETOOLONG;
			out[length++] = '/';
			memcpy(out + length, path, part);
			length += part;
		}
		out[length] = '\0';
		path += part;
		path += *path == '/';
	}
	return 0;
}

/* Absolute and without ".", ".." and "//"; symbolic links stay, as nothing need exist. */
static int normalise(const char *path, const char *directory, char out[PATH_MAX])
{
	int ret = 0;

	out[0] = '\0';
	if (!*path)
		return -ENOENT;
	if (*path != '/')
		ret = append(out, directory);
	return ret ? ret : append(out, path);
}

static int working_directory(char out[PATH_MAX])
{
	return getcwd(out, PATH_MAX) ? 0 : -errno;
}

/* path_fd names the directory that a relative path starts from. */
static int base_directory(struct call *call, char out[PATH_MAX])
{
	char link[32];
	ssize_t length;

	if (!(call->attr.v.file_flags & ATTR_PATH_FD) || call->attr.object.path_fd == AT_FDCWD)
		return working_directory(out);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", call->attr.object.path_fd);
	length = readlink(link, out, PATH_MAX - 1);
	if (length < 0)
		return -EBADF;
	out[length] = '\0';
	return *out == '/' ? 0 : -ENOTDIR;
}

static int read_path(struct call *call, char out[PATH_MAX])
{
	char path[PATH_MAX], directory[PATH_MAX];
	long length = user_read_string(path, call->attr.v.pathname, sizeof(path));
	int ret;

	if (length < 0)
		return call_fail(call, -EFAULT, "the path cannot be read");
	if (length == PATH_MAX - 1)
		return call_fail(call, -ENAMETOOLONG, "a path of %ld bytes or more", length);
	ret = base_directory(call, directory);
	if (!ret)
		ret = normalise(path, directory, out);
	return ret ? call_fail(call, ret, "path '%.200s': %s", path, strerror(-ret)) : 0;
}

/* --- the table; engine->lock is held --- */

static u32 lower_bound(const struct pin_table *table, const char *path)
{
	u32 low = 0, high = table->count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (strcmp(table->pins[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct pin_table *table, u32 at, const char *path)
{
	return at < table->count && !strcmp(table->pins[at].path, path);
}

static int reserve(struct pin_table *table)
{
	u32 capacity = table->capacity ? table->capacity * 2 : 16;
	struct pin *pins;

	if (table->count < table->capacity)
		return 0;
	pins = realloc(table->pins, capacity * sizeof(*pins));
	if (!pins)
		return -ENOMEM;
	table->pins = pins;
	table->capacity = capacity;
	return 0;
}

static int insert(struct pin_table *table, const char *path, struct object *object)
{
	u32 at = lower_bound(table, path);
	char *copy;

	if (is_at(table, at, path))
		return -EEXIST;
	copy = strdup(path);
	if (!copy || reserve(table)) {
		free(copy);
		return -ENOMEM;
	}
	memmove(table->pins + at + 1, table->pins + at,
		(table->count - at) * sizeof(*table->pins));
	table->pins[at] = (struct pin){.path = copy, .object = object_get(object)};
	table->count++;
	atomic_fetch_add_explicit(&object->users, 1, memory_order_relaxed);
	return 0;
}

/* --- commands --- */

static bool is_pinnable(const struct object *object)
{
	return object->kind == OBJECT_MAP || object->kind == OBJECT_PROG ||
	       object->kind == OBJECT_LINK;
}

static int pin_private(struct skep_engine *engine, const char *path, struct object *object)
{
	int ret;

	pthread_mutex_lock(&engine->lock);
	ret = insert(&engine->pins, path, object);
	pthread_mutex_unlock(&engine->lock);
	return ret;
}

/* A map in the region: so is its pin, which other processes see, and which outlives us. */
static bool is_common(const struct object *object)
{
	return object->kind == OBJECT_MAP &&
	       map_commons(container_of(object, struct map, object));
}

static int pin_common(struct skep_engine *engine, const char *path, struct object *object)
{
	bool is_taken;

	pthread_mutex_lock(&engine->lock);
	is_taken = is_at(&engine->pins, lower_bound(&engine->pins, path), path);
	pthread_mutex_unlock(&engine->lock);
	return is_taken ? -EEXIST : shared_pin(engine->shared, map_of_object(object), path);
}

int command_obj_pin(struct call *call)
{
	struct skep_engine *engine = call->engine;
	char path[PATH_MAX];
	struct object *object;
	int ret = 0;

	if (call->attr.v.file_flags & ~ATTR_PATH_FD)
		return call_fail(call, -EINVAL, "file_flags %#x", call->attr.v.file_flags);
	if (!(call->attr.v.file_flags & ATTR_PATH_FD) && call->attr.object.path_fd)
		return call_fail(call, -EINVAL, "path_fd without BPF_F_PATH_FD");
	object = descriptor_any(engine, call->attr.v.bpf_fd, NULL, &ret);
	if (!object)
		return call_fail(call, -EINVAL, "descriptor %u is no object",
				 call->attr.v.bpf_fd);
	ret = is_pinnable(object) ? read_path(call, path) : -EINVAL;
	if (!ret) {
		ret = is_common(object) ? pin_common(engine, path, object)
					: pin_private(engine, path, object);
		if (ret)
			call_fail(call, ret, "'%.200s': %s", path,
				  ret == -EEXIST ? "is taken" : strerror(-ret));
	}
	object_put(object);
	return ret;
}

/* -ENOENT: nobody pinned a map there. */
static struct object *find_common(struct call *call, const char *path, int *ret)
{
	const struct map_world world = engine_world(call->engine);
	struct map *map = NULL;

	*ret = -ENOENT;
	if (call->engine->shared)
		map = shared_get(call->engine->shared, path, &world, ret, call->err);
	return map ? &map->object : NULL;
}

static struct object *find(struct skep_engine *engine, const char *path)
{
	struct object *object = NULL;
	u32 at;

	pthread_mutex_lock(&engine->lock);
	at = lower_bound(&engine->pins, path);
	if (is_at(&engine->pins, at, path))
		object = object_get(engine->pins.pins[at].object);
	pthread_mutex_unlock(&engine->lock);
	return object;
}

int command_obj_get(struct call *call)
{
	u32 flags = call->attr.v.file_flags, mode;
	char path[PATH_MAX];
	struct object *object;
	int ret;

	if (call->attr.v.bpf_fd || !descriptor_mode_of_flags(flags & ~ATTR_PATH_FD, &mode))
		return call_fail(call, -EINVAL, "bpf_fd %u, file_flags %#x",
				 call->attr.v.bpf_fd, flags);
	if (!(flags & ATTR_PATH_FD) && call->attr.object.path_fd)
		return call_fail(call, -EINVAL, "path_fd without BPF_F_PATH_FD");
	ret = read_path(call, path);
	if (ret)
		return ret;
	object = find(call->engine, path);
	if (!object)
		object = find_common(call, path, &ret);
	if (!object)
		return ret == -ENOENT
			       ? call_fail(call, ret, "nothing is pinned at '%.200s'", path)
			       : ret;
	if (object->kind == OBJECT_LINK && mode != DESCRIPTOR_RDWR) {
		object_put(object);
		return call_fail(call, -EINVAL, "a link opens for reading and writing only");
	}
	descriptors_reap(call->engine);
	return call_hand_out(call, object, mode);
}

/* --- from the shim --- */

static int normalise_here(const char *path, char out[PATH_MAX])
{
	char directory[PATH_MAX];
	int ret = working_directory(directory);

	return ret ? ret : normalise(path, directory, out);
}

int pin_remove(struct skep_engine *engine, const char *path)
{
	struct pin_table *table = &engine->pins;
	struct pin removed = {0};
	char normal[PATH_MAX];
	u32 at;

	if (normalise_here(path, normal))
		return -ENOENT;
	pthread_mutex_lock(&engine->lock);
	at = lower_bound(table, normal);
	if (is_at(table, at, normal)) {
		removed = table->pins[at];
		table->count--;
		memmove(table->pins + at, table->pins + at + 1,
			(table->count - at) * sizeof(*table->pins));
	}
	pthread_mutex_unlock(&engine->lock);
	if (!removed.path)
		return engine->shared ? shared_unpin(engine->shared, normal) : -ENOENT;
	free(removed.path);
	engine_drop_user(removed.object);
	return 0;
}

void pins_done(struct skep_engine *engine)
{
	for (u32 i = 0; i < engine->pins.count; i++) {
		free(engine->pins.pins[i].path);
		engine_drop_user(engine->pins.pins[i].object);
	}
	free(engine->pins.pins);
}
