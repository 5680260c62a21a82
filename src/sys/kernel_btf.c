/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/kernel_btf.h"

#include "base/error.h"
#include "btf/declare.h"
#include "catalog/kfunc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KERNEL_BTF_PATH "/sys/kernel/btf/vmlinux"

#define DECLARE(...)	#__VA_ARGS__ "\n"
static const char declarations[] =
#include "sys/kernel_types.def"
	;
#undef DECLARE

void kernel_btf_init(struct kernel_btf *kernel)
{
	pthread_mutex_init(&kernel->lock, NULL);
	kernel->view = NULL;
	kernel->was_read = false;
	kernel->own = NULL;
	kernel->own_size = 0;
}

void kernel_btf_done(struct kernel_btf *kernel)
{
	btf_view_free(kernel->view);
	free(kernel->own);
	pthread_mutex_destroy(&kernel->lock);
}

static void *read_whole(int fd, size_t size)
{
	u8 *data = malloc(size);
	size_t done = 0;

	while (data && done < size) {
		ssize_t count = read(fd, data + done, size - done);

		if (count <= 0) {
			free(data);
			return NULL;
		}
		done += count;
	}
	return data;
}

static struct btf_view *read_view(void)
{
	int fd = access(KERNEL_BTF_PATH, R_OK) ? -1
					       : open(KERNEL_BTF_PATH, O_RDONLY | O_CLOEXEC);
	struct btf_view *view = NULL;
	struct skep_error err;
	void *data = NULL;
	struct stat info;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &info) && info.st_size > 0)
		data = read_whole(fd, info.st_size);
	if (data && btf_view_new(data, info.st_size, &view, NULL, &err))
		view = NULL;
	free(data);
	close(fd);
	return view;
}

/* As the kernel's build marks what programs may call. */
static void tag_functions(struct btf_builder *builder)
{
	const struct btf_decl_tag whole = {.component_idx = -1};

	for (u32 i = 0; i < kfunc_count(); i++) {
		u32 id = btf_builder_find_new(builder, kfunc_row(i)->name, BTF_KIND_FUNC);

		if (id)
			btf_builder_add(builder, BTF_KIND_DECL_TAG, "bpf_kfunc", 0, id, &whole,
					sizeof(whole));
	}
}

struct btf_view *kernel_btf_make(struct kernel_btf *kernel)
{
	struct btf_view *view = NULL;
	struct btf_builder builder;
	struct skep_error err;

	btf_builder_init(&builder, NULL);
	if (!btf_declare(&builder, declarations, &err)) {
		tag_functions(&builder);
		kernel->own = btf_builder_whole(&builder, &kernel->own_size);
	}
	btf_builder_done(&builder);
	if (kernel->own && btf_view_new(kernel->own, kernel->own_size, &view, NULL, &err))
		view = NULL;
	return view;
}

const struct btf_view *kernel_btf_view(struct kernel_btf *kernel)
{
	pthread_mutex_lock(&kernel->lock);
	if (!kernel->was_read)
		kernel->view = read_view() ?: kernel_btf_make(kernel);
	kernel->was_read = true;
	pthread_mutex_unlock(&kernel->lock);
	return kernel->view;
}

const void *kernel_btf_own(struct kernel_btf *kernel, size_t *size)
{
	kernel_btf_view(kernel);
	*size = kernel->own_size;
	return kernel->own;
}

int kernel_btf_extend(struct kernel_btf *kernel, struct btf_builder *builder,
		      struct skep_error *err)
{
	struct btf_view *view = NULL;
	size_t size;
	void *data = btf_builder_whole(builder, &size);
	int ret;

	if (!data)
		return error_set(err, SKEP_STAGE_BTF, -ENOMEM, "BTF: out of memory");
	ret = btf_view_new(data, size, &view, NULL, err);
	free(data);
	if (ret)
		return ret;
	btf_view_free(kernel->view);
	kernel->view = view;
	builder->base = NULL; /* it is no more */
	return 0;
}
