/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that nobody vouches for. Kernel and user memory are both this process's, or another's
 * that is named. The kernel reads through its fault handler; here a system call does.
 */
#include "base/os.h"
#include "base/user.h"
#include "helper/body.h"
#include "helper/kernel_task.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define CHUNK 256

/* Reads what is there: bytes read, which may be fewer than asked. */
static size_t read_some(pid_t process, void *out, size_t size, u64 address)
{
	struct iovec here = {out, size}, there = {u64_to_ptr(address), size};
	ssize_t read = process_vm_readv(process, &here, 1, &there, 1, 0);

	return read < 0 ? 0 : read;
}

int fault_safe_try_in(pid_t process, void *out, size_t size, u64 address)
{
	return read_some(process, out, size, address) == size ? 0 : -EFAULT;
}

int fault_safe_try(void *out, size_t size, u64 address)
{
	return fault_safe_try_in(getpid(), out, size, address);
}

int fault_safe_read(void *out, size_t size, u64 address)
{
	int ret = fault_safe_try(out, size, address);

	if (ret)
		memset(out, 0, size);
	return ret;
}

/* Up to the end of a page at a time, so that a string may end just before memory that is not
 * there. Behind the string nothing is written. */
long fault_safe_try_string_in(pid_t process, char *out, size_t size, u64 address)
{
	const size_t page = os_page_size();
	size_t length = 0;

	while (length < size) {
		char chunk[CHUNK];
		size_t in_page = page - (address + length) % page;
		size_t step = min(min(size - length, in_page), sizeof(chunk));
		const char *end;

		if (read_some(process, chunk, step, address + length) != step)
			return -EFAULT;
		end = memchr(chunk, '\0', step);
		memcpy(out + length, chunk, end ? (size_t)(end - chunk + 1) : step);
		if (end)
			return length + (end - chunk) + 1;
		length += step;
	}
	if (size)
		out[size - 1] = '\0';
	return size;
}

long fault_safe_try_string(char *out, size_t size, u64 address)
{
	return fault_safe_try_string_in(getpid(), out, size, address);
}

long fault_safe_read_string(char *out, size_t size, u64 address)
{
	long ret = fault_safe_try_string(out, size, address);

	if (ret < 0)
		memset(out, 0, size);
	return ret;
}

/* The kernel does not even try addresses that cannot be its own: a null pointer, for one. */
static bool cannot_be_kernel(u64 address)
{
	return address < os_page_size();
}

HELPER_BODY(probe_read_user)
{
	return fault_safe_read(u64_to_ptr(r1), (u32)r2, r3);
}

HELPER_BODY(probe_read_user_str)
{
	return fault_safe_read_string(u64_to_ptr(r1), (u32)r2, r3);
}

HELPER_BODY(probe_read_kernel)
{
	s64 ret = helper_probe_read_user(r1, r2, r3, r4, r5, run);

	return ret < 0 && cannot_be_kernel(r3) ? -ERANGE : ret;
}

HELPER_BODY(probe_read_kernel_str)
{
	s64 ret = helper_probe_read_user_str(r1, r2, r3, r4, r5, run);

	return ret < 0 && cannot_be_kernel(r3) ? -ERANGE : ret;
}

HELPER_BODY(probe_read)
{
	return helper_probe_read_user(r1, r2, r3, r4, r5, run);
}

HELPER_BODY(probe_read_str)
{
	return helper_probe_read_user_str(r1, r2, r3, r4, r5, run);
}

HELPER_BODY(copy_from_user)
{
	return helper_probe_read_user(r1, r2, r3, r4, r5, run);
}

HELPER_BODY(copy_from_user_task)
{
	void *out = u64_to_ptr(r1);
	const int ret =
		r5 ? -EINVAL
		   : fault_safe_try_in(kernel_task_id(u64_to_ptr(r4)), out, (u32)r2, r3);

	if (ret)
		memset(out, 0, (u32)r2);
	return ret;
}

HELPER_BODY(probe_write_user)
{
	return user_write(r1, u64_to_ptr(r2), (u32)r3);
}
