/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/iterator.h"

#include "base/error.h"
#include "helper/sequence.h"
#include "map/map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FUNCTION_PREFIX "bpf_iter_"

static const struct iterator_target targets[] = {
#define TARGET(name, read, walk, describe) \
	{#name, iterator_read_##read, iterator_walk_##walk, iterator_describe_##describe},
#include "sys/iterator_targets.def"
};

/* Guards the programs of all links of iterators; a leaf. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct iterator_link {
	struct link link; /* first */
	const struct iterator_target *target;
	struct iterator_scope scope;
};

static struct iterator_link *of_link(const struct link *link)
{
	return container_of(link, struct iterator_link, link);
}

/* --- the link --- */

static void scope_done(struct iterator_scope *scope)
{
	if (scope->map)
		object_put(&scope->map->object);
	free(scope->directory);
}

static void release(struct object *object)
{
	struct iterator_link *link = of_link(link_of_object(object));

	object_put(&link->link.prog->object);
	scope_done(&link->scope);
	free(link);
}

static const struct iterator_target *find_target(struct call *call, const struct prog *prog)
{
	const struct btf_view *kernel = kernel_btf_view(&call->engine->kernel_btf);
	const char *name = kernel ? btf_type_name(kernel, prog->attach_btf_id) : "";

	if (strncmp(name, FUNCTION_PREFIX, strlen(FUNCTION_PREFIX)))
		return NULL;
	for (u32 i = 0; i < ARRAY_SIZE(targets); i++)
		if (!strcmp(targets[i].name, name + strlen(FUNCTION_PREFIX)))
			return &targets[i];
	return NULL;
}

/* As far as the caller has it. */
static int read_info(struct call *call, union bpf_iter_link_info *out)
{
	const u64 from = call->attr.v.link_create.iter_info;
	const u32 size = call->attr.v.link_create.iter_info_len;

	memset(out, 0, sizeof(*out));
	if (!from != !size)
		return call_fail(call, -EINVAL, "iter_info and its length go together");
	if (size > sizeof(*out) && user_check_zero(from + sizeof(*out), size - sizeof(*out)))
		return call_fail(call, -E2BIG, "iter_info says what skep does not know");
	if (user_read(out, from, min((size_t)size, sizeof(*out))))
		return call_fail(call, -EFAULT, "iter_info cannot be read");
	return 0;
}

static int new_link(struct call *call, struct prog *prog, const struct iterator_target *target,
		    struct link **out)
{
	struct iterator_link *link = calloc(1, sizeof(*link));
	union bpf_iter_link_info info;
	int ret;

	if (!link)
		return call_fail(call, -ENOMEM, "out of memory");
	ret = read_info(call, &info);
	if (!ret)
		ret = target->read(call, &info, prog, &link->scope);
	if (ret) {
		scope_done(&link->scope);
		free(link);
		return ret;
	}
	object_init(&link->link.object, OBJECT_LINK, release);
	link->link.type = BPF_LINK_TYPE_ITER;
	link->link.attach_type = BPF_TRACE_ITER;
	link->link.prog = prog;
	link->target = target;
	object_get(&prog->object);
	*out = &link->link;
	return 0;
}

int iterator_link_create(struct call *call, struct prog *prog, struct link **out)
{
	const union bpf_attr *attr = &call->attr.v;
	const struct iterator_target *target = find_target(call, prog);

	if (attr->link_create.target_fd || attr->link_create.flags)
		return call_fail(call, -EINVAL, "target_fd %u, flags %#x of an iterator",
				 attr->link_create.target_fd, attr->link_create.flags);
	if (!target)
		return call_fail(call, -ENOENT,
				 "skep has no iterator over what the program is "
				 "for");
	return new_link(call, prog, target, out);
}

int iterator_link_update(struct call *call, struct link *link, struct prog *prog,
			 struct prog *expected)
{
	struct prog *old;
	int ret = 0;

	pthread_mutex_lock(&lock);
	old = link->prog;
	if (expected && expected != old)
		ret = -EPERM;
	else if (prog->type != old->type || prog->attach_type != old->attach_type ||
		 prog->attach_btf_id != old->attach_btf_id)
		ret = -EINVAL;
	if (!ret) {
		object_get(&prog->object);
		link->prog = prog;
	}
	pthread_mutex_unlock(&lock);
	if (ret)
		return call_fail(call, ret, "an iterator's program is replaced by one like it");
	object_put(&old->object);
	return 0;
}

static struct prog *get_prog(struct link *link)
{
	struct prog *prog;

	pthread_mutex_lock(&lock);
	prog = link->prog;
	object_get(&prog->object);
	pthread_mutex_unlock(&lock);
	return prog;
}

int iterator_link_info(struct call *call, const struct link *link, struct bpf_link_info *info)
{
	const struct iterator_link *own = of_link(link);
	const u64 out = info->iter.target_name;
	const u32 room = info->iter.target_name_len;
	const char *name = own->target->name;
	const u32 size = (u32)strlen(name) + 1;

	if (!out != !room)
		return call_fail(call, -EINVAL, "target_name and its length go together");
	info->iter.target_name_len = size;
	own->target->describe(&own->scope, info);
	if (!out)
		return 0;
	if (user_write(out, name, min(size, room)) ||
	    (room < size && user_write(out + room - 1, "", 1)))
		return call_fail(call, -EFAULT, "the target's name cannot be written");
	return room < size ? call_fail(call, -ENOSPC, "the target's name has %u bytes", size)
			   : 0;
}

/* --- a pass --- */

bool iterator_show(struct iterator *it, u64 first, u64 second, u64 third)
{
	struct sequence *seq = sequence_of(it->seq);
	u64 context[4] = {ptr_to_u64(it->meta), first, second, third};
	const struct run_region regions[] = {
		{(u8 *)context, sizeof(context)}, it->lent[0], it->lent[1]};
	u64 result;

	kernel_set(it->meta, KERNEL_bpf_iter_meta_seq_num, it->number++);
	seq->start = seq->text.length;
	it->run.regions = regions;
	it->run.region_cnt = ARRAY_SIZE(regions);
	result = prog_run(it->prog, context, &it->run);
	if (it->run.is_stopped)
		it->error = -EINTR;
	else if (seq->is_full)
		it->error = -E2BIG;
	else if (seq->text.failed)
		it->error = -ENOMEM;
	else if (result)
		it->error = -EAGAIN;
	return !it->error;
}

static int make_objects(struct iterator *it)
{
	static atomic_ullong session;
	struct kernel_world *world = it->call->engine->env.kernel;

	it->meta = kernel_new(world, KERNEL_STRUCT_bpf_iter_meta);
	it->seq = it->meta ? kernel_new(world, KERNEL_STRUCT_seq_file) : NULL;
	if (!it->seq)
		return -ENOMEM;
	kernel_set(it->seq, KERNEL_seq_file_size, SEQUENCE_ROOM);
	kernel_set(it->meta, KERNEL_bpf_iter_meta_seq, ptr_to_u64(it->seq));
	kernel_set(it->meta, KERNEL_bpf_iter_meta_session_id,
		   atomic_fetch_add_explicit(&session, 1, memory_order_relaxed) + 1);
	return 0;
}

/* A file that can be read only, at its start. */
static int make_file(const struct strbuf *text)
{
	const char *bytes = strbuf_text(text);
	int fd = memfd_create("bpf_iter", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t done = 0;

	if (fd < 0)
		return -errno;
	while (done < text->length) {
		ssize_t count = write(fd, bytes + done, text->length - done);

		if (count <= 0) {
			int ret = count ? -errno : -EIO;

			close(fd);
			return ret;
		}
		done += (size_t)count;
	}
	lseek(fd, 0, SEEK_SET);
	fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	return fd;
}

static int walk(struct iterator *it, const struct iterator_target *target)
{
	run_begin(&it->run, &it->call->engine->env);
	target->walk(it);
	run_end(&it->run);
	return it->error ? call_fail(it->call, it->error, "the iterator's program: %s",
				     strerror(-it->error))
			 : make_file(&sequence_of(it->seq)->text);
}

int iterator_open(struct call *call, struct link *link)
{
	struct iterator it = {.call = call, .scope = &of_link(link)->scope};
	int ret;

	if (link->type != BPF_LINK_TYPE_ITER)
		return call_fail(call, -EINVAL, "the link is no iterator");
	it.prog = get_prog(link);
	ret = make_objects(&it);
	if (!ret)
		ret = walk(&it, of_link(link)->target);
	if (it.seq)
		strbuf_done(&sequence_of(it.seq)->text);
	kernel_put(it.seq);
	kernel_put(it.meta);
	object_put(&it.prog->object);
	return ret;
}
