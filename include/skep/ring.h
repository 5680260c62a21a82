/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet rings in shared memory: how another program gives packets to skep and takes packets
 *from it, at the speed of memory, without a system call and without libskep. This header is all
 *it takes.
 *
 * The file (a path, best in /dev/shm, or a memfd) holds pairs of rings, one pair per queue:
 *ring 0 of a pair leads to skep's port "ring:PATH", ring 1 away from it. Each ring has one
 *sender and one receiver:
 *
 *	0                     struct skep_ring_header
 *	SKEP_RING_FIRST       ring 0 of queue 0, ring 1 of queue 0, ring 0 of queue 1, ...,
 *	                      each header.ring_bytes long:
 *		0             struct skep_ring_index
 *		sizeof index  struct skep_ring_slot[header.slots]
 *		data_offset   header.slots times header.slot_bytes: room for packets, each
 *			      beginning with struct skep_ring_info
 *
 * The sender owns the slots from tail + slots - head on, fills them in, and then moves `head`
 * (release). The receiver sees it (acquire), may also write to the packets and the headroom
 * before them, and moves `tail` when it is done with them. Both run freely from 0 to 2^32 - 1;
 * the slot of an index is index & (slots - 1). A sender that will send no more sets
 *`is_closed`. An end is taken with a lock on one byte of the file (F_OFD_SETLK), which the
 *system takes back when a process dies; skep_ring_is_alone() asks for the other end's.
 *
 * Nothing of what the peer writes is trusted but the file's length: lay a file that strangers
 * may write to in a memfd with F_SEAL_SHRINK.
 *
 * Functions return 0 or a negative errno. A struct skep_ring is one end and is used by one
 * thread at a time.
 */
#ifndef SKEP_RING_H
#define SKEP_RING_H

#ifndef _GNU_SOURCE
#error "skep/ring.h needs _GNU_SOURCE (F_OFD_SETLK)"
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SKEP_RING_MAGIC	     0x676e697270656b73ull /* "skepring" in little endian */
#define SKEP_RING_VERSION    1
#define SKEP_RING_FIRST	     4096
#define SKEP_RING_QUEUES_MAX 16
#define SKEP_RING_SLOTS_MAX  (1u << 20)
#define SKEP_RING_HEADROOM   256 /* in front of a packet, unless its sender says otherwise */

struct skep_ring_header {
	uint64_t magic;
	uint32_t version;
	uint32_t queues;     /* 1 to SKEP_RING_QUEUES_MAX */
	uint32_t slots;	     /* of each ring; a power of two */
	uint32_t slot_bytes; /* a multiple of 64 */
	uint64_t ring_bytes; /* a multiple of 4096 */
};

struct skep_ring_index {
	uint32_t head; /* the sender's: slots sent so far */
	uint32_t is_closed;
	uint8_t away[120]; /* on another cache line, and not on its neighbour */
	uint32_t tail;	   /* the receiver's: slots given back so far */
	uint8_t rest[124];
};

struct skep_ring_slot {
	uint32_t offset; /* of the packet in the slot's room */
	uint32_t length;
	uint16_t metadata; /* so many bytes in front of the packet go with it */
	uint16_t known;	   /* SKEP_RING_*: which members of the info are set; the others are
			      old */
	uint32_t reserved; /* 0 */
};

enum skep_ring_known {
	SKEP_RING_TIME = 1,
	SKEP_RING_HASH = 2,
	SKEP_RING_VLAN = 4,
	SKEP_RING_CUT = 8,
};

/* At the start of a slot's room, for packets of which more is known than their bytes. */
struct skep_ring_info {
	uint64_t time_ns;	       /* TIME: since 1970 */
	uint32_t hash;		       /* HASH: of the flow */
	uint16_t vlan_proto, vlan_tci; /* VLAN: of a tag that is not in the bytes; host order */
	uint32_t original_length;      /* CUT: on the wire, when it was more than `length` */
	uint32_t reserved;
};

#ifdef __cplusplus
static_assert(sizeof(struct skep_ring_index) == 256 && sizeof(struct skep_ring_slot) == 16, "");
#else
_Static_assert(sizeof(struct skep_ring_index) == 256 && sizeof(struct skep_ring_slot) == 16,
	       "the layout of the file");
#endif

/* A mapped file. */
struct skep_ring_file {
	struct skep_ring_header header; /* as checked when it was opened */
	uint8_t *memory;
	int fd;
	size_t bytes;
};

/* One end of one ring. The counts are the end's own copies: the peer's are read when they do
 * not suffice. */
struct skep_ring {
	struct skep_ring_index *index;
	struct skep_ring_slot *slots;
	uint8_t *data;
	uint32_t mask, slot_bytes;
	uint32_t own;	 /* sender: slots filled in; receiver: slots taken */
	uint32_t peer;	 /* tail or head as last read */
	int fd;		 /* the file's */
	uint32_t number; /* of the ring in the file */
};

struct skep_ring_opts {
	uint32_t queues;     /* 0: 1 */
	uint32_t slots;	     /* 0: 1024 */
	uint32_t packet_max; /* longest packet; 0: 1792 */
};

/* --- files --- */

static inline size_t skep_ring_data_offset(uint32_t slots)
{
	return sizeof(struct skep_ring_index) + sizeof(struct skep_ring_slot) * (size_t)slots;
}

static inline uint64_t skep_ring_bytes(uint32_t slots, uint32_t slot_bytes)
{
	return (skep_ring_data_offset(slots) + (uint64_t)slots * slot_bytes + 4095) & ~4095ull;
}

static inline uint64_t skep_ring_file_bytes(const struct skep_ring_header *header)
{
	return SKEP_RING_FIRST + 2ull * header->queues * header->ring_bytes;
}

static inline int skep_ring_check(const struct skep_ring_header *header, uint64_t bytes)
{
	if (header->magic != SKEP_RING_MAGIC || header->version != SKEP_RING_VERSION)
		return -EPROTO;
	if (!header->queues || header->queues > SKEP_RING_QUEUES_MAX || !header->slots ||
	    header->slots > SKEP_RING_SLOTS_MAX || (header->slots & (header->slots - 1)) ||
	    header->slot_bytes <= SKEP_RING_HEADROOM || header->slot_bytes % 64 ||
	    header->slot_bytes > (1u << 24) ||
	    header->ring_bytes != skep_ring_bytes(header->slots, header->slot_bytes) ||
	    bytes < skep_ring_file_bytes(header))
		return -EBADMSG;
	return 0;
}

/* Writes the header of an empty file (a memfd, say), and gives it its size. */
static inline int skep_ring_format(int fd, const struct skep_ring_opts *opts)
{
	struct skep_ring_header header;
	const uint32_t packet = opts && opts->packet_max ? opts->packet_max : 1792;
	uint32_t slot = (SKEP_RING_HEADROOM + packet + 63) & ~63u;

	memset(&header, 0, sizeof(header));
	header.magic = SKEP_RING_MAGIC;
	header.version = SKEP_RING_VERSION;
	header.queues = opts && opts->queues ? opts->queues : 1;
	header.slots = opts && opts->slots ? opts->slots : 1024;
	/* An odd number of cache lines: packets begin in different sets of the caches. */
	header.slot_bytes = slot / 64 % 2 ? slot : slot + 64;
	header.ring_bytes = skep_ring_bytes(header.slots, header.slot_bytes);
	if (packet > (1u << 20) || skep_ring_check(&header, ~0ull))
		return -EINVAL;
	if (ftruncate(fd, (off_t)skep_ring_file_bytes(&header)))
		return -errno;
	return pwrite(fd, &header, sizeof(header), 0) == sizeof(header) ? 0 : -EIO;
}

/* Maps a file; takes over the descriptor, also on failure. -EPROTO: it is no file of rings;
 * -EBADMSG: a broken one. */
static inline int skep_ring_map(struct skep_ring_file *file, int fd)
{
	struct stat info;
	void *memory;
	int code = 0;

	memset(file, 0, sizeof(*file));
	file->fd = fd;
	if (fstat(fd, &info))
		code = -errno;
	else if (pread(fd, &file->header, sizeof(file->header), 0) != sizeof(file->header))
		code = -EPROTO;
	else
		code = skep_ring_check(&file->header, (uint64_t)info.st_size);
	if (!code) {
		file->bytes = skep_ring_file_bytes(&file->header);
		memory = mmap(NULL, file->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (memory == MAP_FAILED)
			code = -errno;
		else
			file->memory = (uint8_t *)memory;
	}
	if (code)
		close(fd);
	return code;
}

static inline int skep_ring_open(struct skep_ring_file *file, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : skep_ring_map(file, fd);
}

/*
 * Opens the file at the path, or makes it: whoever comes first, and never a half-made one. The
 * options are for making it. The file stays when all have closed it.
 */
static inline int skep_ring_create(struct skep_ring_file *file, const char *path,
				   const struct skep_ring_opts *opts)
{
	char name[4096];
	int code = skep_ring_open(file, path), fd;

	if (code != -ENOENT)
		return code;
	if ((size_t)snprintf(name, sizeof(name), "%s.%d", path, (int)getpid()) >= sizeof(name))
		return -ENAMETOOLONG;
	fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	code = skep_ring_format(fd, opts);
	close(fd);
	if (!code && link(name, path) && errno != EEXIST)
		code = -errno;
	unlink(name);
	return code ? code : skep_ring_open(file, path);
}

static inline void skep_ring_unmap(struct skep_ring_file *file)
{
	munmap(file->memory, file->bytes);
	close(file->fd); /* gives back all ends */
}

/* --- ends --- */

/* The byte whose lock stands for an end. */
static inline off_t skep_ring_lock_at(uint32_t number, int is_sender)
{
	return (off_t)(1024 + 2 * number + (is_sender ? 1 : 0));
}

/*
 * Takes an end of the ring that leads to skep's port (`to_port` not 0) or away from it. -EBUSY:
 * somebody has it. An end goes on where the one before it stopped.
 */
static inline int skep_ring_take(struct skep_ring *ring, const struct skep_ring_file *file,
				 uint32_t queue, int to_port, int is_sender)
{
	const uint32_t number = 2 * queue + (to_port ? 0 : 1);
	uint8_t *memory = file->memory + SKEP_RING_FIRST + number * file->header.ring_bytes;
	struct flock lock;

	if (queue >= file->header.queues)
		return -EINVAL;
	memset(&lock, 0, sizeof(lock));
	lock.l_type = F_WRLCK;
	lock.l_whence = SEEK_SET;
	lock.l_start = skep_ring_lock_at(number, is_sender);
	lock.l_len = 1;
	if (fcntl(file->fd, F_OFD_SETLK, &lock))
		return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
	memset(ring, 0, sizeof(*ring));
	ring->index = (struct skep_ring_index *)memory;
	ring->slots = (struct skep_ring_slot *)(memory + sizeof(struct skep_ring_index));
	ring->data = memory + skep_ring_data_offset(file->header.slots);
	ring->mask = file->header.slots - 1;
	ring->slot_bytes = file->header.slot_bytes;
	ring->fd = file->fd;
	ring->number = number;
	ring->own = __atomic_load_n(is_sender ? &ring->index->head : &ring->index->tail,
				    __ATOMIC_RELAXED);
	ring->peer = __atomic_load_n(is_sender ? &ring->index->tail : &ring->index->head,
				     __ATOMIC_ACQUIRE);
	if (is_sender)
		__atomic_store_n(&ring->index->is_closed, 0, __ATOMIC_RELEASE);
	return 0;
}

/* Whether nobody has the other end. A system call. */
static inline int skep_ring_is_alone(const struct skep_ring *ring, int is_sender)
{
	struct flock lock;

	memset(&lock, 0, sizeof(lock));
	lock.l_type = F_WRLCK;
	lock.l_whence = SEEK_SET;
	lock.l_start = skep_ring_lock_at(ring->number, !is_sender);
	lock.l_len = 1;
	return !fcntl(ring->fd, F_OFD_GETLK, &lock) && lock.l_type == F_UNLCK;
}

/* Room for a packet of so many bytes behind the usual headroom. */
static inline uint32_t skep_ring_packet_max(const struct skep_ring *ring)
{
	return ring->slot_bytes - SKEP_RING_HEADROOM;
}

static inline uint8_t *skep_ring_data(const struct skep_ring *ring, uint32_t index)
{
	return ring->data + (size_t)(index & ring->mask) * ring->slot_bytes;
}

/* --- sending --- */

/* How many packets can be put in now; asks the receiver's index when fewer than `wanted`. */
static inline uint32_t skep_ring_room(struct skep_ring *ring, uint32_t wanted)
{
	uint32_t room = ring->mask + 1 - (ring->own - ring->peer);

	if (room >= wanted)
		return room;
	ring->peer = __atomic_load_n(&ring->index->tail, __ATOMIC_ACQUIRE);
	/* A receiver that is ahead of what was sent: no room until it makes sense again. */
	if (ring->own - ring->peer > ring->mask + 1)
		ring->peer = ring->own - ring->mask - 1;
	return ring->mask + 1 - (ring->own - ring->peer);
}

static inline void skep_ring_copy(uint8_t *to, const uint8_t *from, uint32_t length)
{
	for (; length >= 64; length -= 64, to += 64, from += 64)
		__builtin_memcpy(to, from, 64);
	if (length)
		memcpy(to, from, length);
}

static inline struct skep_ring_info *skep_ring_info(const struct skep_ring *ring,
						    uint32_t index)
{
	return (struct skep_ring_info *)skep_ring_data(ring, index);
}

/*
 * Puts a packet in. There must be room for it, and it must not be longer than
 * skep_ring_packet_max(). Until skep_ring_send(), which puts it on its way, more may be said
 * about it: slot->known and skep_ring_info(ring, ring->own - 1).
 */
static inline struct skep_ring_slot *skep_ring_put(struct skep_ring *ring, const void *packet,
						   uint32_t length)
{
	struct skep_ring_slot *slot = &ring->slots[ring->own & ring->mask];

	skep_ring_copy(skep_ring_data(ring, ring->own) + SKEP_RING_HEADROOM,
		       (const uint8_t *)packet, length);
	slot->offset = SKEP_RING_HEADROOM;
	slot->length = length;
	slot->metadata = 0;
	slot->known = 0;
	slot->reserved = 0;
	ring->own++;
	return slot;
}

static inline void skep_ring_send(struct skep_ring *ring)
{
	__atomic_store_n(&ring->index->head, ring->own, __ATOMIC_RELEASE);
}

/* The receiver learns that no more will come. */
static inline void skep_ring_end(struct skep_ring *ring)
{
	skep_ring_send(ring);
	__atomic_store_n(&ring->index->is_closed, 1, __ATOMIC_RELEASE);
}

/* --- receiving --- */

/* How many packets wait; asks the sender's index when fewer than `wanted`. */
static inline uint32_t skep_ring_count(struct skep_ring *ring, uint32_t wanted)
{
	uint32_t count = ring->peer - ring->own;

	if (count >= wanted)
		return count;
	ring->peer = __atomic_load_n(&ring->index->head, __ATOMIC_ACQUIRE);
	/* A sender that is ahead of its room: nothing until it makes sense again. */
	if (ring->peer - ring->own > ring->mask + 1)
		ring->peer = ring->own;
	return ring->peer - ring->own;
}

/*
 * The next packet, of those that skep_ring_count() told. A copy of its slot goes to *slot, as
 * the sender could change it. NULL: the slot does not describe a place in its room.
 */
static inline uint8_t *skep_ring_get(struct skep_ring *ring, struct skep_ring_slot *slot)
{
	uint8_t *data = skep_ring_data(ring, ring->own);

	*slot = *(const volatile struct skep_ring_slot *)&ring->slots[ring->own & ring->mask];
	ring->own++;
	if (slot->offset > ring->slot_bytes || slot->length > ring->slot_bytes - slot->offset ||
	    slot->metadata > slot->offset)
		return NULL;
	return data + slot->offset;
}

/* All packets that were taken so far are given back. */
static inline void skep_ring_release(struct skep_ring *ring)
{
	__atomic_store_n(&ring->index->tail, ring->own, __ATOMIC_RELEASE);
}

/* Whether no more will come: ask after skep_ring_count() said 0, then once more for packets. */
static inline int skep_ring_is_ended(const struct skep_ring *ring)
{
	return __atomic_load_n(&ring->index->is_closed, __ATOMIC_ACQUIRE) != 0;
}

#ifdef __cplusplus
}
#endif
#endif
