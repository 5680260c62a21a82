/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/os.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

u64 os_time_ns(int clock)
{
	struct timespec now = {};

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* The highest number in a list such as "0-3,8", plus one. */
static u32 cpu_list_end(const char *list)
{
	unsigned long last = 0;

	for (char *end = (char *)list; *list; list = *end ? end + 1 : end) {
		last = strtoul(list, &end, 10);
		if (end == list)
			break;
	}
	return last + 1;
}

u32 os_possible_cpus(void)
{
	size_t size;
	char *text;
	u32 count;

	if (os_read_file("/sys/devices/system/cpu/possible", 4096, &text, &size))
		return max(sysconf(_SC_NPROCESSORS_CONF), 1l);
	count = cpu_list_end(text);
	free(text);
	return count;
}

size_t os_page_size(void)
{
	static atomic_size_t known;
	size_t size = atomic_load_explicit(&known, memory_order_relaxed);

	if (unlikely(!size)) {
		size = (size_t)sysconf(_SC_PAGESIZE);
		atomic_store_explicit(&known, size, memory_order_relaxed);
	}
	return size;
}

static bool membarrier_did(int command)
{
	return syscall(SYS_membarrier, command, 0, 0) == 0;
}

bool os_barrier_ready(void)
{
	return membarrier_did(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

/* A process that was forked must register anew. */
void os_barrier(void)
{
	while (!membarrier_did(MEMBARRIER_CMD_PRIVATE_EXPEDITED))
		os_barrier_ready();
}

int os_memfd(const char *name, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int read_all(int fd, size_t limit, char **out, size_t *size)
{
	size_t capacity = 4096, length = 0;
	char *text = malloc(capacity), *larger;
	ssize_t got;

	while (text && (got = read(fd, text + length, capacity - length - 1)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		length += max(got, (ssize_t)0);
		if (got < 0 || length > limit) {
			free(text);
			return got < 0 ? -errno : -EFBIG;
		}
		if (length + 1 < capacity)
			continue;
		larger = realloc(text, capacity *= 2);
		if (!larger)
			free(text);
		text = larger;
	}
	if (!text)
		return -ENOMEM;
	text[length] = '\0';
	*out = text;
	*size = length;
	return 0;
}

int os_read_file(const char *path, size_t limit, char **out, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = read_all(fd, limit, out, size);
	close(fd);
	return err;
}

#define HUGE_PAGE (2u << 20)

void os_prefer_huge(void *memory, size_t size)
{
	const u64 page = os_page_size(), start = round_up(ptr_to_u64(memory), page);

	if (size >= HUGE_PAGE + page)
		madvise(u64_to_ptr(start), size - page, MADV_HUGEPAGE);
}

bool os_counts_bits(void)
{
#ifdef __x86_64__
	u32 a, b, c = 0, d;

	/* lzcnt, which not every compiler can be asked for by name. */
	return __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi") &&
	       __get_cpuid(0x80000001, &a, &b, &c, &d) && c & bit_LZCNT;
#elif defined(__aarch64__)
	return true;
#else
	return false;
#endif
}

bool os_has_vectors(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx2");
#elif defined(__aarch64__)
	return true;
#else
	return false;
#endif
}

bool os_matches_bytes(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("avx2");
#else
	return false;
#endif
}
