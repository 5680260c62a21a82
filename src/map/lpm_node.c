/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/lpm_node.h"

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Places of small nodes, the pieces LPM_SMALL and following: as many as the cache lines take
 * that a piece has anyway. */
static const u8 capacities[] = {3, 8, 13, 22, 40, 67, 99, LPM_SMALL_MAX};

/* A wide node whose entries are fewer becomes small. */
#define WIDE_LEAST 80

_Static_assert(LPM_SMALL + ARRAY_SIZE(capacities) == LPM_WIDE, "a kind of piece for each");
_Static_assert(LPM_WIDE < SLAB_KINDS_MAX, "as many kinds of pieces as there may be");

#define RUNS_MAX 256

/* The code of an entry; 0: it was taken out. */
#define CODE_LENGTH 8
#define CODE_BRANCH (1U << 12)
/* Behind the last there is no entry, to as many as are compared at once. */
#define CODES_AT_ONCE 8

static u32 capacity_of(const struct lpm_node *node)
{
	return capacities[node->kind - LPM_SMALL];
}

/* Each entry begins two runs at most. In words. */
static u32 targets_at(u32 capacity)
{
	u32 runs = min(2 * capacity + 1, (u32)RUNS_MAX);

	return sizeof(struct lpm_small) / sizeof(u64) + (runs + 3) / 4;
}

static size_t size_for(u32 capacity)
{
	return (targets_at(capacity) + 1 + capacity) * sizeof(u64) +
	       round_up(capacity, CODES_AT_ONCE) * sizeof(u16);
}

struct slab *lpm_slab_new(struct account *account, size_t value_size)
{
	size_t all[LPM_WIDE + 1] = {
		[LPM_VALUE] = round_up(value_size, 8), [LPM_WIDE] = sizeof(struct lpm_wide)};

	for (u32 i = 0; i < ARRAY_SIZE(capacities); i++)
		all[LPM_SMALL + i] = round_up(size_for(capacities[i]), 8);
	return slab_new(account, all, LPM_WIDE + 1);
}

static atomic_ushort *codes_of(const struct lpm_node *node)
{
	return (atomic_ushort *)(lpm_targets(node) + 1 + capacity_of(node));
}

static u32 code_of(const struct lpm_entry *entry)
{
	return entry->byte | (u32)entry->length << CODE_LENGTH |
	       (entry->is_branch ? CODE_BRANCH : 0);
}

/* Acquire pairs with the release in add_small(): the target is there. */
static u32 code_at(const struct lpm_node *node, u32 entry)
{
	return atomic_load_explicit(&codes_of(node)[entry], memory_order_acquire);
}

static u32 code_length(u32 code)
{
	return code >> CODE_LENGTH & 15;
}

/* Of prefixes of 1 to 7 bits. */
static u32 shorter_index(u8 byte, u32 length)
{
	return 1u << length | byte >> (8 - length);
}

static bool is_whole(const struct lpm_wide *wide, u8 byte)
{
	return atomic_load_explicit(&wide->whole[byte / 64], memory_order_relaxed) >>
		       byte % 64 &
	       1;
}

/* The number, from 1, of the longest prefix in the byte of at most `length` bits, and that of
 * the branch << 8; 0: none. */
static u32 scan(const struct lpm_node *node, u8 byte, u32 length)
{
	u32 best = 0, best_length = 0, branch = 0;

	for (u32 i = 0, places = capacity_of(node); i < places; i++) {
		u32 code = code_at(node, i), own = code_length(code);

		if (!code || ((code ^ byte) & 0xff) >> (8 - own))
			continue;
		if (code & CODE_BRANCH) {
			branch = i + 1;
		} else if (own > best_length && own <= length) {
			best = i + 1;
			best_length = own;
		}
	}
	return best | branch << 8;
}

static u32 version_of(const struct lpm_node *node)
{
	return atomic_load_explicit(&lpm_small(node)->version, memory_order_acquire);
}

/* Whether nothing was changed since but for the change that is under way, if any. */
static bool is_at(const struct lpm_node *node, u32 version)
{
	atomic_thread_fence(memory_order_acquire);
	return (atomic_load_explicit(&lpm_small(node)->version, memory_order_relaxed) | 1) ==
	       (version | 1);
}

static struct lpm_found find_shorter(const struct lpm_node *node, u8 byte, u32 length)
{
	_Atomic(void *) *targets = lpm_targets(node);
	struct lpm_found found;
	u32 version, number;

	do {
		version = version_of(node);
		number = scan(node, byte, length);
		found.best = lpm_target(&targets[number & 0xff]);
		found.branch = lpm_target(&targets[number >> 8]);
	} while (!is_at(node, version));
	return found;
}

struct lpm_found lpm_find_anew(const struct lpm_node *node, u8 byte)
{
	return find_shorter(node, byte, 8);
}

void *lpm_node_shorter(const struct lpm_node *node, u8 byte, u32 length)
{
	void *found = NULL;

	if (!lpm_is_wide(node))
		return find_shorter(node, byte, length).best;
	for (; length && !found; length--)
		found = lpm_target(&lpm_wide(node)->shorter[shorter_index(byte, length)]);
	return found;
}

/* The first of so many entries from `first` that has the code; CODES_AT_ONCE: none. */
static u32 find_code(const struct lpm_node *node, u32 first, u32 code)
{
#if defined(__SSE2__) && !defined(__SANITIZE_THREAD__)
	const volatile __m128i_u *codes = (const volatile __m128i_u *)(codes_of(node) + first);
	__m128i equal = _mm_cmpeq_epi16(*codes, _mm_set1_epi16((s16)code));
	u32 bytes = (u32)_mm_movemask_epi8(equal);

	atomic_signal_fence(memory_order_acquire);
	return bytes ? (u32)__builtin_ctz(bytes) / 2 : CODES_AT_ONCE;
#else
	u32 at = 0;

	while (at < CODES_AT_ONCE && code_at(node, first + at) != code)
		at++;
	return at;
#endif
}

/* The number, from 1, of the entry of a small node, or of a place without one, code 0; 0: there
 * is none. */
static u32 find_small(const struct lpm_node *node, u32 code)
{
	u32 capacity = capacity_of(node), at;

	for (u32 first = 0; first < capacity; first += CODES_AT_ONCE) {
		at = find_code(node, first, code);
		if (at < CODES_AT_ONCE)
			return first + at < capacity ? first + at + 1 : 0;
	}
	return 0;
}

static void *small_prefix(const struct lpm_node *node, u32 code)
{
	u32 version;
	void *value;

	do {
		version = version_of(node);
		value = lpm_target(&lpm_targets(node)[find_small(node, code)]);
	} while (!is_at(node, version));
	return value;
}

void *lpm_prefix(const struct lpm_node *node, u8 byte, u32 length)
{
	const struct lpm_entry wanted = {.byte = byte, .length = (u8)length};
	struct lpm_wide *wide = lpm_wide(node);

	if (!lpm_is_wide(node))
		return small_prefix(node, code_of(&wanted));
	if (length < 8)
		return lpm_target(&wide->shorter[shorter_index(byte, length)]);
	return is_whole(wide, byte) ? lpm_target(&wide->slot[byte].best) : NULL;
}

void *lpm_branch(const struct lpm_node *node, u8 byte)
{
	return lpm_is_wide(node) ? lpm_target(&lpm_wide(node)->slot[byte].branch)
				 : lpm_find(node, byte).branch;
}

/* --- all entries --- */

u32 lpm_places(const struct lpm_node *node)
{
	return lpm_is_wide(node) ? 3 * 256 : capacity_of(node);
}

/* Places of a wide node: what follows, whole bytes, shorter prefixes. */
static bool wide_at(const struct lpm_wide *wide, u32 place, struct lpm_entry *out)
{
	u32 number = place % 256;
	struct lpm_slot *slot = (struct lpm_slot *)&wide->slot[number];

	*out = (struct lpm_entry){.byte = (u8)number, .length = 8, .is_branch = place < 256};
	if (place < 256)
		out->target = lpm_target(&slot->branch);
	else if (place < 512)
		out->target = is_whole(wide, out->byte) ? lpm_target(&slot->best) : NULL;
	else if (number >= 2) {
		out->length = (u8)(31 - __builtin_clz(number));
		out->byte = (u8)(number << (8 - out->length));
		out->target = lpm_target((_Atomic(void *) *)&wide->shorter[number]);
	}
	return out->target != NULL;
}

static bool small_at(const struct lpm_node *node, u32 place, struct lpm_entry *out)
{
	u32 version, code;
	void *target;

	do {
		version = version_of(node);
		code = code_at(node, place);
		target = lpm_target(&lpm_targets(node)[place + 1]);
	} while (!is_at(node, version));
	*out = (struct lpm_entry){
		.target = target,
		.byte = (u8)code,
		.length = (u8)code_length(code),
		.is_branch = code & CODE_BRANCH,
	};
	return code;
}

bool lpm_entry_at(const struct lpm_node *node, u32 place, struct lpm_entry *out)
{
	return lpm_is_wide(node) ? wide_at(lpm_wide(node), place, out)
				 : small_at(node, place, out);
}

u32 lpm_order(const struct lpm_entry *entry)
{
	u32 end = entry->byte | 0xffu >> entry->length;

	return end * 16 + (entry->is_branch ? 1 : 10 - entry->length);
}

/* --- changes --- */

static void put(_Atomic(void *) *place, void *target)
{
	/* Release pairs with the acquire of lpm_target(): the target is complete. */
	atomic_store_explicit(place, target, memory_order_release);
}

static void set_bit(atomic_ullong *word, u32 index, bool value)
{
	u64 old = atomic_load_explicit(word, memory_order_relaxed), bit = 1ULL << index;

	atomic_store_explicit(word, value ? old | bit : old & ~bit, memory_order_relaxed);
}

/* Gives the byte its longest prefix of fewer than 8 bits. */
static void refresh(struct lpm_wide *wide, u8 byte)
{
	if (!is_whole(wide, byte))
		put(&wide->slot[byte].best, lpm_node_shorter(&wide->node, byte, 7));
}

static void set_wide_prefix(struct lpm_wide *wide, const struct lpm_entry *entry)
{
	u32 last = entry->byte | 0xffu >> entry->length;

	if (entry->length == 8) {
		if (entry->target)
			put(&wide->slot[entry->byte].best, entry->target);
		set_bit(&wide->whole[entry->byte / 64], entry->byte % 64,
			entry->target != NULL);
	} else {
		put(&wide->shorter[shorter_index(entry->byte, entry->length)], entry->target);
	}
	for (u32 byte = entry->byte; byte <= last; byte++)
		refresh(wide, (u8)byte);
}

static void set_wide(struct lpm_wide *wide, const struct lpm_entry *entry)
{
	if (entry->is_branch)
		put(&wide->slot[entry->byte].branch, entry->target);
	else
		set_wide_prefix(wide, entry);
}

/* --- small nodes --- */

static void begin_change(struct lpm_small *small)
{
	u32 version = atomic_load_explicit(&small->version, memory_order_relaxed);

	atomic_store_explicit(&small->version, version + 1, memory_order_relaxed);
	/* A reader that sees anything of what follows sees the new version too. */
	atomic_thread_fence(memory_order_release);
}

/* Release pairs with the acquire in lpm_run(). */
static void end_change(struct lpm_small *small)
{
	u32 version = atomic_load_explicit(&small->version, memory_order_relaxed);

	atomic_store_explicit(&small->version, version + 1, memory_order_release);
}

static u32 run_at(const struct lpm_small *small, u32 number)
{
	return atomic_load_explicit(&small->runs[number], memory_order_relaxed);
}

static void set_run(struct lpm_small *small, u32 number, u32 run)
{
	atomic_store_explicit(&small->runs[number], (u16)run, memory_order_relaxed);
}

static u64 starts_of(const struct lpm_small *small, u32 word)
{
	return atomic_load_explicit(&small->starts[word], memory_order_relaxed);
}

static u32 run_count(const struct lpm_small *small)
{
	return lpm_run_number(&small->node, RUNS_MAX - 1) + 1;
}

/* The bit of `starts` that says whether a run begins at the byte. */
static bool is_start(const struct lpm_small *small, u32 byte)
{
	return starts_of(small, byte / 64) >> byte % 64 & 1;
}

/* With as many runs that begin before the words behind it as that makes. */
static void flip_start(struct lpm_small *small, u32 byte, int more)
{
	u32 word = byte / 64;

	atomic_store_explicit(&small->starts[word], starts_of(small, word) ^ 1ULL << byte % 64,
			      memory_order_relaxed);
	while (++word < ARRAY_SIZE(small->before))
		atomic_store_explicit(
			&small->before[word],
			(u8)(atomic_load_explicit(&small->before[word], memory_order_relaxed) +
			     more),
			memory_order_relaxed);
}

/* A run begins at the byte, if there is such a byte. */
static void begin_run(struct lpm_small *small, u32 byte)
{
	u32 number;

	if (byte == RUNS_MAX || is_start(small, byte))
		return;
	number = lpm_run_number(&small->node, (u8)byte);
	for (u32 at = run_count(small); at > number; at--)
		set_run(small, at, run_at(small, at - 1));
	flip_start(small, byte, 1);
}

/* The run that begins at the byte and the one before become one if they are the same. */
static void join_runs(struct lpm_small *small, u32 byte)
{
	u32 number, count = run_count(small);

	if (byte == 0 || byte == RUNS_MAX)
		return;
	number = lpm_run_number(&small->node, (u8)byte);
	if (run_at(small, number) != run_at(small, number - 1))
		return;
	for (u32 at = number + 1; at < count; at++)
		set_run(small, at - 1, run_at(small, at));
	flip_start(small, byte, -1);
}

/* The runs of the entry, the first and the last. */
struct span {
	u32 first, last;
};

static struct span span_of(const struct lpm_small *small, const struct lpm_entry *entry)
{
	return (struct span){
		lpm_run_number(&small->node, entry->byte),
		lpm_run_number(&small->node, (u8)(entry->byte | 0xff >> entry->length))};
}

/* Whether the prefix of that number, if any, is a shorter one. */
static bool is_shorter(const struct lpm_node *node, u32 number, u32 length)
{
	return !number || code_length(code_at(node, number - 1)) < length;
}

static void add_small(struct lpm_node *node, const struct lpm_entry *entry)
{
	struct lpm_small *small = lpm_small(node);
	u32 number = find_small(node, 0);
	struct span span;

	begin_change(small);
	small->count++;
	put(&lpm_targets(node)[number], entry->target);
	atomic_store_explicit(&codes_of(node)[number - 1], (u16)code_of(entry),
			      memory_order_release);
	begin_run(small, entry->byte);
	begin_run(small, entry->byte + (0x100u >> entry->length));
	span = span_of(small, entry);
	for (u32 i = span.first; i <= span.last; i++) {
		u32 run = run_at(small, i);

		if (entry->is_branch)
			set_run(small, i, (run & 0xff) | number << 8);
		else if (is_shorter(node, run & 0xff, entry->length))
			set_run(small, i, (run & 0xff00) | number);
	}
	end_change(small);
}

/* What the runs had from the entry they have from the longest prefix that covers it. */
static void remove_small(struct lpm_node *node, const struct lpm_entry *entry)
{
	u32 number = find_small(node, code_of(entry)), instead = 0;
	struct lpm_small *small = lpm_small(node);
	struct span span = span_of(small, entry);

	if (!entry->is_branch)
		instead = scan(node, entry->byte, entry->length - 1u) & 0xff;
	begin_change(small);
	small->count--;
	atomic_store_explicit(&codes_of(node)[number - 1], 0, memory_order_relaxed);
	for (u32 i = span.first; i <= span.last; i++) {
		u32 run = run_at(small, i);

		if (entry->is_branch)
			set_run(small, i, run & 0xff);
		else if ((run & 0xff) == number)
			set_run(small, i, (run & 0xff00) | instead);
	}
	join_runs(small, entry->byte + (0x100u >> entry->length));
	join_runs(small, entry->byte);
	end_change(small);
}

static u32 kind_for(u32 entries)
{
	for (u32 i = 0; i < ARRAY_SIZE(capacities); i++)
		if (entries <= capacities[i])
			return LPM_SMALL + i;
	return LPM_WIDE;
}

static struct lpm_node *node_for(struct slab *slab, u32 entries)
{
	u32 kind = kind_for(entries), capacity;
	struct lpm_node *node = slab_take(slab, kind);
	struct lpm_small *small = lpm_small(node);

	if (!node)
		return NULL;
	if (kind == LPM_WIDE) {
		memset(node, 0, sizeof(struct lpm_wide));
	} else {
		capacity = capacities[kind - LPM_SMALL];
		memset(node, 0, size_for(capacity));
		small->targets_at = (u8)targets_at(capacity);
		atomic_init(&small->starts[0], 1);
		for (u32 word = 1; word < ARRAY_SIZE(small->before); word++)
			atomic_init(&small->before[word], 1);
	}
	node->kind = (u8)kind;
	return node;
}

/* --- both --- */

bool lpm_has_room(const struct lpm_node *node)
{
	return lpm_is_wide(node) || lpm_small(node)->count < capacity_of(node);
}

void lpm_add(struct lpm_node *node, const struct lpm_entry *entry)
{
	if (!lpm_is_wide(node)) {
		add_small(node, entry);
		return;
	}
	set_wide(lpm_wide(node), entry);
	lpm_wide(node)->count++;
}

struct lpm_node *lpm_node_new(struct slab *slab, u32 depth, const u8 *path, u32 path_length,
			      const struct lpm_entry *entries, u32 count)
{
	struct lpm_node *node = node_for(slab, count);

	if (!node)
		return NULL;
	node->depth = (u8)depth;
	node->path_length = (u8)path_length;
	memcpy(node->path, path, path_length);
	for (u32 i = 0; i < count; i++)
		lpm_add(node, &entries[i]);
	return node;
}

struct lpm_node *lpm_node_copy(struct slab *slab, const struct lpm_node *node, u32 more)
{
	struct lpm_node *copy = node_for(slab, lpm_count(node) + more);
	struct lpm_entry entry;

	if (!copy)
		return NULL;
	copy->depth = node->depth;
	copy->path_length = node->path_length;
	memcpy(copy->path, node->path, sizeof(copy->path));
	for (u32 i = 0, places = lpm_places(node); i < places; i++)
		if (lpm_entry_at(node, i, &entry))
			lpm_add(copy, &entry);
	return copy;
}

_Atomic(void *) *lpm_branch_place(struct lpm_node *node, u8 byte)
{
	const struct lpm_entry branch = {.byte = byte, .length = 8, .is_branch = true};

	if (lpm_is_wide(node))
		return &lpm_wide(node)->slot[byte].branch;
	return &lpm_targets(node)[find_small(node, code_of(&branch))];
}

void lpm_replace_prefix(struct lpm_node *node, u8 byte, u32 length, void *value)
{
	const struct lpm_entry prefix = {value, byte, (u8)length, false};

	if (lpm_is_wide(node))
		set_wide_prefix(lpm_wide(node), &prefix);
	else
		put(&lpm_targets(node)[find_small(node, code_of(&prefix))], value);
}

void lpm_remove(struct lpm_node *node, const struct lpm_entry *entry)
{
	struct lpm_entry nothing = *entry;

	if (!lpm_is_wide(node)) {
		remove_small(node, entry);
		return;
	}
	nothing.target = NULL;
	set_wide(lpm_wide(node), &nothing);
	lpm_wide(node)->count--;
}

u32 lpm_count(const struct lpm_node *node)
{
	return lpm_is_wide(node) ? lpm_wide(node)->count : lpm_small(node)->count;
}

bool lpm_is_sparse(const struct lpm_node *node)
{
	u32 count = lpm_count(node);

	return lpm_is_wide(node) ? count < WIDE_LEAST
				 : node->kind > LPM_SMALL && count < capacity_of(node) / 4;
}
