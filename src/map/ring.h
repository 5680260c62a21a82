/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers, as programs use them. Memory as Linux lays it out (include/uapi/linux/bpf.h,
 * kernel/bpf/ringbuf.c): one page that user space writes (consumer position), one page that it
 * reads (producer position), then the data, which is mapped twice so that no record is split.
 */
#ifndef SKEP_MAP_RING_H
#define SKEP_MAP_RING_H

#include "map/map.h"

/* A record of `size` bytes, NULL when there is no room. It belongs to the caller until it is
 * committed or discarded; records behind it wait. */
void *map_ring_reserve(struct map *map, u64 size);
/* `flags`: BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP. */
void map_ring_submit(void *record, u64 flags);
void map_ring_discard(void *record, u64 flags);
/* 0, -EINVAL: unknown flags, -EAGAIN: no room. */
long map_ring_output(struct map *map, const void *data, u64 size, u64 flags);
/* BPF_RB_AVAIL_DATA, BPF_RB_RING_SIZE, BPF_RB_CONS_POS, BPF_RB_PROD_POS. */
u64 map_ring_query(struct map *map, u64 what);

#endif
