/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IR_find: a look-up in a hash map (map/table.h), as table_find_sized() does it as long as one
 * look at the key's home group is enough. Where it is not, the map's own function is called.
 */
#include "jit/avx.h"
#include "jit/full.h"
#include "jit/unwind.h"
#include "map/hash.h"
#include "run/run.h"

#include <stddef.h>

/* Where what is calculated is: a call may change all of them. */
enum {
	WORK = RAX,
	ENTRY = RCX, /* a slot's content, then the element */
	OTHER = RDX,
	HOME = RDI,
	ROTATED = R9, /* of keys of 4 bytes */
	VERSION = R10,
	CONSTANT = R11,
};

const u8 full_find_argument[FIND_ARGS] = {RDI, RSI, R8, R9};

#define SLOW_MAX 16

struct find {
	struct full *full;
	struct emit *emit;
	const struct ir_insn *insn;
	const struct hash *hash;
	u32 slow[SLOW_MAX], slow_cnt; /* jumps to where the map is called */
};

static const struct ir_insn *argument(const struct find *find, u32 index)
{
	const struct ir_function *fn = find->full->fn;

	return ir_at(fn, fn->args[find->insn->args + index]);
}

static bool is_half(const struct find *find)
{
	return find->hash->table.key_size == sizeof(u32);
}

static bool has_words(const struct find *find)
{
	return find->insn->arg_cnt > FIND_WORDS;
}

static u32 word_bytes(const struct find *find, u32 from)
{
	return min(find->hash->table.key_size - from, 8u);
}

static struct x86_mem key_at(const struct find *find, u32 from)
{
	const struct ir_insn *key = argument(find, FIND_KEY);

	return key->op == IR_frame ? full_frame(find->full, key->imm + from)
				   : x86_at(full_find_argument[FIND_KEY], (s32)from);
}

/* A register with the key's word from there on: `scratch`, or where it is. */
static u8 word(const struct find *find, u32 from, u8 scratch)
{
	if (has_words(find))
		return full_find_argument[FIND_WORDS + from / 8];
	base_load_bytes(find->full->base, scratch, word_bytes(find, from), key_at(find, from));
	return scratch;
}

static void slow_if(struct find *find, enum x86_condition condition)
{
	find->slow[find->slow_cnt++] = x86_jcc32(find->emit, condition);
}

static void by_imm8(struct find *find, struct x86_op op, enum x86_width width, u8 reg, u8 imm)
{
	x86_rr(find->emit, op, width, 0, reg);
	emit8(find->emit, imm);
}

static void by_imm32(struct find *find, struct x86_op op, u8 reg, u32 imm)
{
	x86_rr(find->emit, op, W32, 0, reg);
	emit32(find->emit, imm);
}

static void add_constant(struct find *find, u8 reg, u64 constant)
{
	x86_mov_imm(find->emit, CONSTANT, constant);
	x86_rr(find->emit, x86_add_store, W64, CONSTANT, reg);
}

static void multiply(struct find *find, u8 to, u8 from, u64 factor)
{
	x86_rr(find->emit, x86_imul_imm, W64, to, from);
	emit32(find->emit, (u32)factor);
}

/* --- the key's bucket and tag --- */

static void multiply32(struct find *find, u32 factor)
{
	x86_rr(find->emit, x86_imul_imm, W32, WORK, WORK);
	emit32(find->emit, factor);
}

/* permute(), and table_spot_of_half() of that. */
static void permute_key(struct find *find)
{
	const struct table *table = &find->hash->table;
	struct base *base = find->full->base;

	base_move(base, W32, WORK, word(find, 0, WORK));
	by_imm32(find, x86_xor_imm32, WORK, (u32)table->seed);
	multiply32(find, PERMUTE_FIRST);
	base_move(base, W32, OTHER, WORK);
	by_imm8(find, x86_shr_imm8, W32, OTHER, PERMUTE_SHIFT);
	x86_rr(find->emit, x86_xor_store, W32, OTHER, WORK);
	multiply32(find, PERMUTE_SECOND);
	base_move(base, W32, ROTATED, WORK);
	by_imm8(find, x86_rol_imm8, W32, ROTATED, (u8)table->bits);
	base_move(base, W32, HOME, ROTATED);
}

/* table_hash(), and table_spot_of_hash() of that. */
static void hash_key(struct find *find)
{
	const struct table *table = &find->hash->table;

	x86_mov_imm(find->emit, WORK, table->seed);
	x86_mov_imm(find->emit, CONSTANT, HASH_FACTOR);
	for (u32 from = 0; from < table->key_size; from += 8) {
		x86_rr(find->emit, x86_xor_store, W64, word(find, from, OTHER), WORK);
		x86_rr(find->emit, x86_mul, W64, 0, CONSTANT);
		x86_rr(find->emit, x86_xor_store, W64, OTHER, WORK);
	}
	base_move(find->full->base, W32, HOME, WORK);
	by_imm8(find, x86_shr_imm8, W64, WORK, 64 - TAG_BITS);
}

/* The home group's address and version; a bit for each entry with the tag. The jump when there
 * is none. */
static u32 match_tags(struct find *find)
{
	const struct table *table = &find->hash->table;

	by_imm32(find, x86_and_imm32, HOME, table->mask);
	by_imm8(find, x86_shl_imm8, W64, HOME, (u8)__builtin_ctz(sizeof(struct group)));
	add_constant(find, HOME, ptr_to_u64(table->groups));
	x86_rm(find->emit, x86_load, W32, VERSION, x86_at(HOME, offsetof(struct group, lock)));
	by_imm32(find, x86_or_imm32, WORK, 1 << TAG_BITS);
	avx_match_bytes(find->emit, WORK, WORK, HOME);
	by_imm32(find, x86_and_imm32, WORK, (1 << GROUP_ENTRIES) - 1);
	return x86_jcc32(find->emit, CC_E);
}

/* --- the entry --- */

static void load_entry(struct find *find)
{
	struct x86_mem slot = x86_at(HOME, offsetof(struct group, slot));

	x86_rr(find->emit, x86_tzcnt, W32, WORK, WORK);
	slot.index = WORK;
	slot.scale = 2;
	x86_rm(find->emit, x86_load, W32, ENTRY, slot);
}

static void check_version(struct find *find)
{
	x86_rm(find->emit, x86_cmp_load, W32, VERSION, x86_at(HOME, offsetof(struct group, lock)));
	slow_if(find, CC_NE);
}

static void check_mark(struct find *find)
{
	const u32 mask = find->hash->table.element_mask;

	base_move(find->full->base, W32, OTHER, ENTRY);
	x86_rr(find->emit, x86_xor_store, W32, ROTATED, OTHER);
	by_imm32(find, x86_cmp_imm32, OTHER, mask);
	slow_if(find, CC_A);
	by_imm32(find, x86_and_imm32, ENTRY, mask);
}

/* The element's address. */
static void check_key(struct find *find)
{
	const struct table *table = &find->hash->table;

	multiply(find, OTHER, ENTRY, table->element_size);
	add_constant(find, OTHER, ptr_to_u64(table->elements));
	for (u32 from = 0; from < table->key_size; from += 8) {
		x86_rm(find->emit, x86_cmp_store, W64, word(find, from, CONSTANT),
		       x86_at(OTHER, (s32)from));
		slow_if(find, CC_NE);
	}
}

/* hash_refer() */
static void refer(struct find *find)
{
	struct x86_mem state = x86_at(CONSTANT, 0);
	u32 was_referred;

	state.index = ENTRY;
	x86_mov_imm(find->emit, CONSTANT, ptr_to_u64(find->hash->state));
	x86_rm(find->emit, x86_movzx8, W32, WORK, state);
	by_imm32(find, x86_test_imm32, WORK, ELEMENT_REFERENCED);
	was_referred = x86_jcc8(find->emit, CC_NE);
	x86_rm(find->emit, x86_store_imm8, W32, 0, state);
	emit8(find->emit, ELEMENT_IN_USE | ELEMENT_REFERENCED);
	x86_land(find->emit, was_referred);
}

static void load_slot(struct find *find, u8 to)
{
	base_load_run(find->full->base, to);
	x86_rm(find->emit, x86_load, W32, to, x86_at(to, offsetof(struct run_context, slot)));
}

/* hash_value() */
static void value_address(struct find *find)
{
	const struct hash *hash = find->hash;

	if (hash_is_per_cpu(hash)) {
		load_slot(find, WORK);
		multiply(find, WORK, WORK, hash->slot_stride);
		multiply(find, ENTRY, ENTRY, hash->value_space);
		x86_rr(find->emit, x86_add_store, W64, ENTRY, WORK);
		add_constant(find, WORK, ptr_to_u64(hash->values.base));
	} else if (is_half(find)) {
		multiply(find, WORK, ENTRY, hash->table.element_size);
		add_constant(find, WORK,
			     ptr_to_u64(hash->table.elements) + hash->table.key_space);
	} else {
		x86_rm(find->emit, x86_lea, W64, WORK,
		       x86_at(OTHER, (s32)hash->table.key_space));
	}
}

/* --- the other ways --- */

static void absent(struct find *find)
{
	x86_rm(find->emit, x86_cmp_imm8, W32, 0, x86_at(HOME, offsetof(struct group, next)));
	emit8(find->emit, 0);
	/* CHAIN_IS_EMPTY makes it negative. */
	slow_if(find, CC_G);
	check_version(find);
	x86_mov_imm(find->emit, WORK, 0);
}

static void store_word(struct find *find, u32 from)
{
	const u8 reg = full_find_argument[FIND_WORDS + from / 8];
	const struct x86_mem to = key_at(find, from);

	switch (word_bytes(find, from)) {
	case 1: x86_rm(find->emit, x86_store8, W32, reg, to); return;
	case 2: x86_rm(find->emit, x86_store, W16, reg, to); return;
	case 4: x86_rm(find->emit, x86_store, W32, reg, to); return;
	default: x86_rm(find->emit, x86_store, W64, reg, to); return;
	}
}

static void call_map(struct find *find)
{
	for (u32 i = 0; i < find->slow_cnt; i++)
		x86_aim(find->emit, find->slow[i], emit_offset(find->emit));
	for (u32 from = 0; has_words(find) && from < find->hash->table.key_size; from += 8)
		store_word(find, from);
	if (argument(find, FIND_KEY)->op == IR_frame)
		x86_rm(find->emit, x86_lea, W64, full_find_argument[FIND_KEY], key_at(find, 0));
	x86_mov_imm(find->emit, full_find_argument[0], ptr_to_u64(&find->hash->map));
	load_slot(find, OTHER);
	base_call(find->full->base, u64_to_ptr((u64)find->insn->imm));
}

static void pass(struct find *find)
{
	struct full_moves moves = {0};

	for (u32 i = FIND_KEY; i < find->insn->arg_cnt; i++)
		if (argument(find, i)->op != IR_frame || i != FIND_KEY)
			moves.list[moves.count++] = (struct full_move){
				full_find_argument[i],
				find->full->fn->args[find->insn->args + i], 0};
	full_move_all(find->full, &moves);
}

void full_find(struct full *full, ir_ref at)
{
	struct find find = {.full = full, .emit = full->emit, .insn = ir_at(full->fn, at)};
	u32 none, found, not_found;

	find.hash = hash_of(u64_to_ptr((u64)argument(&find, 0)->imm));
	pass(&find);
	if (is_half(&find))
		permute_key(&find);
	else
		hash_key(&find);
	none = match_tags(&find);
	load_entry(&find);
	if (is_half(&find))
		check_mark(&find);
	else
		check_key(&find);
	check_version(&find);
	if (find.hash->state)
		refer(&find);
	value_address(&find);
	found = x86_jmp32(find.emit);
	x86_aim(find.emit, none, emit_offset(find.emit));
	absent(&find);
	not_found = x86_jmp32(find.emit);
	call_map(&find);
	x86_aim(find.emit, found, emit_offset(find.emit));
	x86_aim(find.emit, not_found, emit_offset(find.emit));
	full_done(full, at, WORK);
}
