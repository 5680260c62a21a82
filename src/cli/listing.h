/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A map as a person reads it: one line per entry, one column per member of key and value, the
 * largest first, with bars. Per-CPU counters are summed. As JSON: an array of {"key", "value"}
 * by BTF type, or entry by entry as bpftool has them.
 */
#ifndef SKEP_CLI_LISTING_H
#define SKEP_CLI_LISTING_H

#include "btf/btf.h"
#include "cli/output.h"

#include <bpf/libbpf.h>

struct listing_entry {
	u8 *key, *value; /* value: of one CPU, or of all, each rounded up to 8 bytes */
};

struct listing {
	const char *name, *type;
	const struct btf_view *types; /* NULL: shown as hex */
	u32 key_type, value_type;     /* 0: shown as hex */
	u32 key_size, value_size;
	u32 cpus;	   /* values per entry; 0: not a per-CPU map */
	const char *holds; /* the values are ids of this; NULL: plain values */
	struct listing_entry *entries;
	u32 count, room;
};

/* Reads all entries of a map that can be walked. 0 or a negative errno. */
int listing_read_map(struct listing *out, const struct bpf_map *map,
		     const struct btf_view *types);
/* Only the entry of `key`: -ENOENT when there is none. */
int listing_read_key(struct listing *out, const struct bpf_map *map,
		     const struct btf_view *types, const void *key);
void listing_done(struct listing *listing);

/* Whether this kind of map has entries that can be shown. */
bool listing_can_show(const struct bpf_map *map);

/* At most `top` entries (0: all) in text; in JSON always all, as fields of the record that is
 * open. */
void listing_print(struct listing *listing, struct output *output, u32 top);

/* bpftool's object of one entry: bytes, and "formatted" when there are types. */
void listing_json_entry(const struct listing *listing, const struct listing_entry *entry,
			struct json *json);

#endif
