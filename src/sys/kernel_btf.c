/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/kernel_btf.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KERNEL_BTF_PATH "/sys/kernel/btf/vmlinux"

void kernel_btf_init(struct kernel_btf *kernel)
{
	pthread_mutex_init(&kernel->lock, NULL);
	kernel->view = NULL;
	kernel->was_read = false;
}

void kernel_btf_done(struct kernel_btf *kernel)
{
	btf_view_free(kernel->view);
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
	int fd = open(KERNEL_BTF_PATH, O_RDONLY | O_CLOEXEC);
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

const struct btf_view *kernel_btf_view(struct kernel_btf *kernel)
{
	pthread_mutex_lock(&kernel->lock);
	if (!kernel->was_read)
		kernel->view = read_view();
	kernel->was_read = true;
	pthread_mutex_unlock(&kernel->lock);
	return kernel->view;
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
