/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/commons.h"

#include "base/os.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC	"skepmem"
#define VERSION 1U
/* Addresses that the system gives nobody by itself on x86-64 and arm64, and that sanitizers
 * leave alone: each file has one of the places between them. */
#define PLACES_START 0x200000000000ULL
#define PLACES_END   0x600000000000ULL
#define PLACE	     (1ULL << 36)
#define TRIES	     16
#define SIZE_DEFAULT (1ULL << 30)
#define SIZE_LEAST   (1ULL << 20)
#define SPINS	     64
/* Tries of a lock until it is asked whether its owner lives. */
#define PATIENCE (SPINS * 64)

/* The first page of the file. All but `members` never changes. */
struct header {
	char magic[8];
	u32 version, page;
	u64 size, address;
	u32 slots, unused;
	u64 checksum;	     /* of all before */
	atomic_uint members; /* numbers given since somebody was alone; under the lock */
};

struct commons {
	u8 *base;
	u64 size;
	int fd; /* an open file of our own, which holds our lock */
	u32 number;
	bool is_file;	      /* it has a name, and a file system that may be full */
	pthread_mutex_t lock; /* before the file's */
	char name[PATH_MAX + 16];
};

static struct header *header_of(const struct commons *commons)
{
	return (struct header *)commons->base;
}

u8 *commons_base(const struct commons *commons)
{
	return commons->base;
}

u64 commons_start(const struct commons *commons)
{
	return header_of(commons)->page;
}

u64 commons_size(const struct commons *commons)
{
	return commons->size;
}

u32 commons_slots(const struct commons *commons)
{
	return header_of(commons)->slots;
}

u32 commons_number(const struct commons *commons)
{
	return commons->number;
}

int commons_fd(const struct commons *commons)
{
	return commons->fd;
}

const char *commons_name(const struct commons *commons)
{
	return commons->name;
}

static int refuse(const struct commons *commons, struct skep_error *err, int code,
		  const char *why)
{
	return error_set(err, SKEP_STAGE_CALL, code, "%.160s: %s", commons->name, why);
}

/* --- the file's locks: byte 0 is the lock of all, byte N that of member N --- */

static int file_lock(const struct commons *commons, int command, short type, u32 first,
		     u32 count)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = first, .l_len = count};
	int ret;

	do
		ret = fcntl(commons->fd, command, &lock);
	while (ret && errno == EINTR);
	return ret ? -errno : lock.l_type;
}

/* Whether nobody but us has one of the locks. */
static bool is_free(const struct commons *commons, u32 first, u32 count)
{
	return file_lock(commons, F_OFD_GETLK, F_WRLCK, first, count) == F_UNLCK;
}

bool commons_is_dead(const struct commons *commons, u32 member)
{
	return member != commons->number && is_free(commons, member, 1);
}

void commons_lock(struct commons *commons)
{
	pthread_mutex_lock(&commons->lock);
	file_lock(commons, F_OFD_SETLKW, F_WRLCK, 0, 1);
}

void commons_unlock(struct commons *commons)
{
	file_lock(commons, F_OFD_SETLK, F_UNLCK, 0, 1);
	pthread_mutex_unlock(&commons->lock);
}

/* --- the file --- */

static u64 checksum(const struct header *header)
{
	const u8 *bytes = (const u8 *)header;
	u64 sum = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < offsetof(struct header, checksum); i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3ULL;
	return sum;
}

static int open_file(struct commons *commons, const struct commons_params *params,
		     struct skep_error *err)
{
	char link[32];
	const char *path = params->path;

	if (path) {
		snprintf(commons->name, sizeof(commons->name), "region '%s'", path);
		commons->is_file = true;
	} else {
		snprintf(commons->name, sizeof(commons->name), "region");
	}
	if (!path && params->fd < 0) {
		commons->fd = memfd_create("skep-region", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	} else if (!path) {
		/* An open file of our own, which has its own locks. */
		snprintf(link, sizeof(link), "/proc/self/fd/%d", params->fd);
		commons->fd = open(link, O_RDWR | O_CLOEXEC);
	} else {
		commons->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	}
	return commons->fd < 0 ? refuse(commons, err, -errno, strerror(errno)) : 0;
}

/* Who else may write it could make us do anything. */
static int check_owner(const struct commons *commons, const struct stat *file,
		       struct skep_error *err)
{
	if (!S_ISREG(file->st_mode))
		return refuse(commons, err, -EINVAL, "not a regular file");
	if (file->st_uid != geteuid() && file->st_uid != 0)
		return refuse(commons, err, -EPERM, "the file is another user's");
	if (commons->is_file && (file->st_mode & 022))
		return refuse(commons, err, -EPERM,
			      "others may write the file (chmod go-w makes it usable)");
	return 0;
}

/* --- mapping --- */

static bool map_at(struct commons *commons, u64 address)
{
	void *base = mmap(u64_to_ptr(address), commons->size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, commons->fd, 0);

	if (base == MAP_FAILED)
		return false;
	/* Old kernels take the address for a wish. */
	if (base != u64_to_ptr(address)) {
		munmap(base, commons->size);
		errno = EEXIST;
		return false;
	}
	commons->base = base;
	return true;
}

static u64 random_place(void)
{
	u64 random = 0;

	if (getrandom(&random, sizeof(random), 0) < 0)
		random = os_time_ns(CLOCK_MONOTONIC);
	return PLACES_START + random % ((PLACES_END - PLACES_START) / PLACE) * PLACE;
}

static int map_new(struct commons *commons, u64 address, struct skep_error *err)
{
	if (address && map_at(commons, address))
		return 0;
	for (u32 i = 0; !address && i < TRIES; i++)
		if (map_at(commons, random_place()))
			return 0;
	if (errno == EEXIST)
		return refuse(commons, err, -EADDRINUSE, "its address is taken");
	return refuse(commons, err, -errno, strerror(errno));
}

/* What of this process lies where the region must lie. */
static void find_tenant(u64 start, u64 end, char out[128])
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[256];
	unsigned long long from, to;

	snprintf(out, 128, "something");
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%llx-%llx", &from, &to) != 2 || from >= end || to <= start)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(out, 128, "%.100s", line);
		break;
	}
	if (maps)
		fclose(maps);
}

static int map_old(struct commons *commons, u64 address, struct skep_error *err)
{
	char tenant[128];

	if (map_at(commons, address))
		return 0;
	if (errno != EEXIST)
		return refuse(commons, err, -errno, strerror(errno));
	find_tenant(address, address + commons->size, tenant);
	error_set(err, SKEP_STAGE_CALL, -EADDRINUSE,
		  "%.100s: its address %#llx is taken in this process by '%s'", commons->name,
		  address, tenant);
	error_hint(err, "one engine of a process may use a region; join it before others map "
			"memory there");
	return -EADDRINUSE;
}

/* --- new and old files, under the file's lock --- */

static int create(struct commons *commons, const struct commons_params *params,
		  struct skep_error *err)
{
	u64 size = params->size ? params->size : SIZE_DEFAULT;
	struct header *header;
	int code;

	if (size % os_page_size() || size < SIZE_LEAST || size > PLACE ||
	    params->address % os_page_size())
		return refuse(commons, err, -EINVAL,
			      "a new one has 1 MiB to 64 GiB of whole pages, at a page");
	commons->size = size;
	if (ftruncate(commons->fd, (off_t)size))
		return refuse(commons, err, -errno, strerror(errno));
	if (!commons->is_file)
		fcntl(commons->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
	code = map_new(commons, params->address, err);
	if (!code && commons_take(commons, 0, os_page_size()))
		code = refuse(commons, err, -ENOSPC, "no room in its file system");
	if (code)
		return code;
	header = header_of(commons);
	*header = (struct header){.version = VERSION,
				  .page = (u32)os_page_size(),
				  .size = size,
				  .address = ptr_to_u64(commons->base),
				  .slots = params->slots};
	memcpy(header->magic, MAGIC, sizeof(header->magic));
	header->checksum = checksum(header);
	return 0;
}

static int check_header(const struct commons *commons, const struct header *header,
			const struct stat *file, struct skep_error *err)
{
	if (memcmp(header->magic, MAGIC, sizeof(header->magic)))
		return refuse(commons, err, -EINVAL, "not a region of skep");
	if (header->version != VERSION)
		return error_set(err, SKEP_STAGE_CALL, -EINVAL,
				 "%.160s: version %u of regions, this skep has %u",
				 commons->name, header->version, VERSION);
	if (header->checksum != checksum(header))
		return refuse(commons, err, -EINVAL, "its header is damaged");
	if (header->page != os_page_size())
		return refuse(commons, err, -EINVAL, "made on a machine with other pages");
	if (header->size != (u64)file->st_size)
		return error_set(err, SKEP_STAGE_CALL, -EINVAL,
				 "%.160s: the file has %lld bytes, its header says %llu",
				 commons->name, (long long)file->st_size, header->size);
	if (header->size < SIZE_LEAST || header->size > PLACE || !header->slots ||
	    header->slots > 256 || header->address < header->page ||
	    header->address % header->page || header->address > PLACES_END * 2)
		return refuse(commons, err, -EINVAL, "its header makes no sense");
	return 0;
}

static int open_old(struct commons *commons, const struct stat *file, struct skep_error *err)
{
	struct header header;
	int code;

	if (pread(commons->fd, &header, sizeof(header), 0) != sizeof(header))
		return refuse(commons, err, -EINVAL, "too short for a region of skep");
	code = check_header(commons, &header, file, err);
	commons->size = header.size;
	return code ? code : map_old(commons, header.address, err);
}

/* The number is ours when we have its lock. */
static int take_number(struct commons *commons, bool is_alone, struct skep_error *err)
{
	struct header *header = header_of(commons);
	u32 number;

	if (is_alone)
		atomic_store(&header->members, 0);
	number = atomic_load(&header->members) + 1;
	if (number > COMMONS_MEMBERS)
		return refuse(commons, err, -EUSERS,
			      "255 processes have joined since one was alone; all must leave");
	if (file_lock(commons, F_OFD_SETLK, F_WRLCK, number, 1) < 0)
		return refuse(commons, err, -errno, strerror(errno));
	atomic_store(&header->members, number);
	commons->number = number;
	return 0;
}

static int join_locked(struct commons *commons, const struct commons_params *params,
		       struct skep_error *err)
{
	struct stat file;
	bool is_alone, is_new;
	int code;

	if (fstat(commons->fd, &file))
		return refuse(commons, err, -errno, strerror(errno));
	code = check_owner(commons, &file, err);
	if (code)
		return code;
	/* Whoever died before the file had its size left an empty one. */
	is_new = file.st_size == 0;
	is_alone = is_free(commons, 1, COMMONS_MEMBERS);
	code = is_new ? create(commons, params, err) : open_old(commons, &file, err);
	if (!code && is_alone && params->alone)
		code = params->alone(params->cookie, is_new, err);
	return code ? code : take_number(commons, is_alone, err);
}

static void drop(struct commons *commons)
{
	if (commons->base)
		munmap(commons->base, commons->size);
	if (commons->fd >= 0)
		close(commons->fd);
	pthread_mutex_destroy(&commons->lock);
	free(commons);
}

int commons_join(const struct commons_params *params, struct commons **out,
		 struct skep_error *err)
{
	struct commons *commons = calloc(1, sizeof(*commons));
	int code;

	if (!commons)
		return error_set(err, SKEP_STAGE_CALL, -ENOMEM, "out of memory");
	commons->fd = -1;
	pthread_mutex_init(&commons->lock, NULL);
	code = open_file(commons, params, err);
	if (!code) {
		*out = commons;
		commons_lock(commons);
		code = join_locked(commons, params, err);
		commons_unlock(commons);
	}
	if (!code)
		return 0;
	*out = NULL;
	drop(commons);
	return code;
}

void commons_leave(struct commons *commons)
{
	if (commons)
		drop(commons);
}

int commons_clear(struct commons *commons, u64 offset, u64 size)
{
	if (fallocate(commons->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		      (off_t)size)) {
		/* A file system without holes. */
		memset(commons->base + offset, 0, size);
	}
	return 0;
}

int commons_take(struct commons *commons, u64 offset, u64 size)
{
	if (!commons->is_file)
		return 0;
	return -posix_fallocate(commons->fd, (off_t)offset, (off_t)size);
}

/* --- locks --- */

void commons_spin_lock(const struct commons *commons, u32 *word)
{
	u32 owner = 0;

	for (u32 spins = 1; !__atomic_compare_exchange_n(word, &owner, commons->number, false,
							 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
	     spins++) {
		/* The lock of one who died is taken over with the next try. */
		if (spins % PATIENCE || !commons_is_dead(commons, owner))
			owner = 0;
		if (spins % SPINS == 0)
			sched_yield();
	}
}

/* Release pairs with the acquire of the next owner's exchange. */
void commons_spin_unlock(u32 *word)
{
	__atomic_store_n(word, 0, __ATOMIC_RELEASE);
}
