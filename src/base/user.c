/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/user.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

typedef ssize_t copy_fn(pid_t pid, const struct iovec *local, unsigned long local_count,
			const struct iovec *remote, unsigned long remote_count,
			unsigned long flags);

/* process_vm_*() refuse what the kernel cannot reach; a sandbox that forbids them leaves only
 * the plain copy. */
static int copy(copy_fn *move, void *own, u64 user, size_t size)
{
	struct iovec local = {.iov_base = own, .iov_len = size};
	struct iovec remote = {.iov_base = u64_to_ptr(user), .iov_len = size};
	ssize_t moved;

	if (!size)
		return 0;
	moved = move(getpid(), &local, 1, &remote, 1, 0);
	if (moved < 0 && (errno == ENOSYS || errno == EPERM)) {
		bool reads = move == process_vm_readv;

		memcpy(reads ? own : u64_to_ptr(user), reads ? u64_to_ptr(user) : own, size);
		return 0;
	}
	return moved == (ssize_t)size ? 0 : -EFAULT;
}

int user_read(void *to, u64 from, size_t size)
{
	return copy(process_vm_readv, to, from, size);
}

int user_write(u64 to, const void *from, size_t size)
{
	return copy(process_vm_writev, (void *)from, to, size);
}

int user_check_zero(u64 from, size_t size)
{
	u8 chunk[256];
	int ret = 0;

	while (size && !ret) {
		size_t part = min(size, sizeof(chunk));

		ret = user_read(chunk, from, part);
		for (size_t i = 0; i < part && !ret; i++)
			if (chunk[i])
				ret = -E2BIG;
		from += part;
		size -= part;
	}
	return ret;
}

/* A string may end right before memory that is not mapped: no read crosses a page's end. */
long user_read_string(char *to, u64 from, size_t size)
{
	size_t length = 0;

	while (length < size - 1) {
		size_t page_rest = 4096 - ((from + length) & 4095);
		size_t part = min(size - 1 - length, page_rest);
		char *end;

		if (user_read(to + length, from + length, part))
			return -EFAULT;
		end = memchr(to + length, '\0', part);
		if (end)
			return end - to;
		length += part;
	}
	to[length] = '\0';
	return (long)length;
}

int user_duplicate(u64 from, size_t size, void **out)
{
	void *copied;
	int ret;

	*out = NULL;
	if (!size)
		return 0;
	copied = malloc(size);
	if (!copied)
		return -ENOMEM;
	ret = user_read(copied, from, size);
	if (ret)
		free(copied);
	else
		*out = copied;
	return ret;
}
