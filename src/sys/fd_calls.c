/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/fd_calls.h"

#include "base/os.h"
#include "map/map.h"
#include "map/perf_event.h"
#include "relay/relays.h"
#include "sys/engine.h"
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int fd_perf_event_open(struct skep_engine *engine, const struct perf_event_attr *attr, int slot)
{
	struct perf_event *event;
	int ret;

	if (slot < 0 || (u32)slot >= slots_count(engine->env.slots))
		return -ENODEV;
	ret = perf_event_new(attr, (u32)slot, &event);
	if (ret)
		return ret;
	descriptors_reap(engine);
	ret = descriptor_open(engine, &event->object, DESCRIPTOR_RDWR);
	object_put(&event->object);
	return ret;
}

static struct perf_event *perf_event_of(struct object *object)
{
	return container_of(object, struct perf_event, object);
}

int fd_perf_event_enable(struct skep_engine *engine, int fd, bool on)
{
	int unused;
	struct object *object = descriptor_object(engine, fd, OBJECT_PERF_EVENT, NULL, &unused);

	if (!object)
		return FD_FOREIGN;
	perf_event_enable(perf_event_of(object), on);
	object_put(object);
	return 0;
}

int fd_mmap(struct skep_engine *engine, int fd, void *address, size_t length, int prot,
	    int flags, u64 offset, void **out)
{
	int ret = -ENODEV;
	u32 mode;
	struct object *object = descriptor_any(engine, fd, &mode, &ret);

	if (!object)
		return FD_FOREIGN;
	if ((prot & PROT_WRITE) && !(mode & DESCRIPTOR_WRITE))
		ret = -EACCES;
	else if (object->kind == OBJECT_MAP)
		ret = map_mmap(map_of_object(object), address, length, prot, flags, offset,
			       out);
	else if (object->kind == OBJECT_PERF_EVENT)
		ret = perf_event_mmap(perf_event_of(object), address, length, prot, flags,
				      offset, out);
	object_put(object);
	return ret;
}

const char *fd_name(struct skep_engine *engine, int fd)
{
	static const char *const names[OBJECT_KINDS] = {
		[OBJECT_MAP] = "anon_inode:bpf-map",
		[OBJECT_PROG] = "anon_inode:bpf-prog",
		[OBJECT_LINK] = "anon_inode:bpf_link",
		[OBJECT_BTF] = "anon_inode:btf",
		[OBJECT_PERF_EVENT] = "anon_inode:[perf_event]",
		[OBJECT_STATS] = "anon_inode:bpf-stats",
	};
	int unused;
	struct object *object = descriptor_any(engine, fd, NULL, &unused);
	const char *name = object ? names[object->kind] : NULL;

	object_put(object);
	return name;
}

char *fd_info(struct skep_engine *engine, int fd)
{
	int unused;
	struct object *object = descriptor_object(engine, fd, OBJECT_MAP, NULL, &unused);
	const struct map *map;
	char *text = NULL;

	if (!object)
		return NULL;
	map = map_of_object(object);
	if (asprintf(&text,
		     "map_type:\t%u\nkey_size:\t%u\nvalue_size:\t%u\nmax_entries:\t%u\n"
		     "map_flags:\t%#x\nmap_extra:\t%#llx\nmemlock:\t%llu\nmap_id:\t%u\n"
		     "frozen:\t%u\n",
		     map->desc.type, map->desc.key_size, map->desc.value_size,
		     map->desc.max_entries, map->desc.flags, map->desc.extra, map_bytes(map),
		     object->id, map->desc.frozen) < 0)
		text = NULL;
	object_put(object);
	return text;
}

int fd_kernel_btf(struct skep_engine *engine, int *out)
{
	size_t size;
	const void *data = kernel_btf_own(&engine->kernel_btf, &size);
	int fd;

	if (!data)
		return FD_FOREIGN;
	fd = os_memfd("vmlinux", 0);
	if (fd < 0)
		return fd;
	if (write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET)) {
		close(fd);
		return -EIO;
	}
	*out = fd;
	return 0;
}

void fd_refresh(struct skep_engine *engine)
{
	descriptors_refresh(engine);
}

void fd_before_fork(struct skep_engine *engine)
{
	relays_before_fork(engine->relays);
}

void fd_after_fork(struct skep_engine *engine, bool is_child)
{
	relays_after_fork(engine->relays, is_child);
}
