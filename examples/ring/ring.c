/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program on the other side of the port "ring:PATH": gives it COUNT packets, takes back what
 * leaves the port, and prints how many that were. It needs skep/ring.h and nothing else.
 *
 *	cc ring.c -o ring && ./ring /dev/shm/bees 1000 &
 *	skep run PROGRAM.bpf.c --on ring:/dev/shm/bees
 */
#define _GNU_SOURCE
#include <sched.h>
#include <skep/ring.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH 64

/* A UDP packet to port 9. */
static const unsigned char packet[60] = {
	2, 0, 0,  0,  0,    2,	  2,  0, 0, 0, 0,  1, 8, 0, 0x45, 0,	0, 46, 0, 0,
	0, 0, 64, 17, 0x66, 0xbb, 10, 0, 0, 1, 10, 0, 0, 2, 0x30, 0x39, 0, 9,  0, 26,
};

static unsigned long give(struct skep_ring *ring, unsigned long left)
{
	unsigned int room = skep_ring_room(ring, BATCH), count = 0;

	while (count < room && count < BATCH && count < left) {
		skep_ring_put(ring, packet, sizeof(packet));
		count++;
	}
	if (count)
		skep_ring_send(ring);
	return count;
}

static unsigned long take(struct skep_ring *ring)
{
	unsigned int waiting = skep_ring_count(ring, 1), count = 0;
	struct skep_ring_slot slot;

	while (count < waiting && skep_ring_get(ring, &slot))
		count++;
	skep_ring_release(ring);
	return count;
}

/* Both in turn, until the port has closed its side. */
static unsigned long exchange(struct skep_ring *to, struct skep_ring *from, unsigned long count)
{
	unsigned long given = 0, taken = 0, got;

	for (;;) {
		if (given < count) {
			given += give(to, count - given);
			if (given == count)
				skep_ring_end(to);
		}
		got = take(from);
		taken += got;
		if (got)
			continue;
		if (skep_ring_is_ended(from) && !skep_ring_count(from, 1))
			return taken;
		sched_yield();
	}
}

int main(int argc, char **argv)
{
	struct skep_ring_file file;
	struct skep_ring to, from;
	unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	int err;

	if (!count) {
		fprintf(stderr, "usage: ring PATH COUNT\n");
		return 2;
	}
	err = skep_ring_create(&file, argv[1], NULL);
	if (!err)
		err = skep_ring_take(&to, &file, 0, 1, 1);
	if (!err)
		err = skep_ring_take(&from, &file, 0, 0, 0);
	if (err) {
		fprintf(stderr, "ring: %s: %s\n", argv[1], strerror(-err));
		return 1;
	}
	printf("%lu given, %lu came back\n", count, exchange(&to, &from, count));
	skep_ring_unmap(&file);
	return 0;
}
