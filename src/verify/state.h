/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known before one instruction on one path: registers, stack bytes and resources of
 * every frame. The walk has one state that it changes in place; a state that is kept (a branch
 * to be walked later, a checkpoint for pruning) is packed: only what is alive, in one block.
 */
#ifndef SKEP_VERIFY_STATE_H
#define SKEP_VERIFY_STATE_H

#include "base/arena.h"
#include "catalog/map_desc.h"
#include "verify/scalar.h"

#include <string.h>

#define FRAME_REG	 BPF_REG_10
#define MAX_FRAMES	 8
#define STACK_BYTES	 512
#define SLOT_BYTES	 8
#define STACK_SLOTS	 (STACK_BYTES / SLOT_BYTES)
#define RESOURCES_MAX	 64
#define PACKED_STEP	 16 /* packed states come in multiples of this many bytes */
#define PACKED_CLASSES	 4096
#define PACKED_REGS	 (MAX_FRAMES * (MAX_BPF_REG + STACK_SLOTS))
#define PACKED_REG_SIZE	 104 /* at most */
#define PACKET_REACH_MAX 0xffff
#define REG_KIND_TEXT	 128 /* room for reg_kind_text() */

/* What a register (or a spilled register) holds. Everything after REG_SCALAR is a pointer. */
enum reg_kind {
	REG_NOT_INIT,
	REG_SCALAR,
	REG_CTX,
	REG_MAP, /* a map itself, not its content */
	REG_MAP_VALUE,
	REG_MAP_KEY,
	REG_STACK,
	REG_PACKET,
	REG_PACKET_META,
	REG_PACKET_END,
	REG_FLOW_KEYS,
	REG_SOCKET,
	REG_SOCK_COMMON,
	REG_TCP_SOCK,
	REG_XDP_SOCK,
	REG_MEM,       /* mem_size bytes that a helper or the caller gave */
	REG_BUFFER,    /* a context's buffer: bounds are checked when it is used at run time */
	REG_TP_BUFFER, /* record of a writable raw tracepoint */
	REG_BTF,       /* object by its BTF type: the kernel's, or the program's own */
	REG_FUNC,      /* a subprogram of this program */
	REG_ARENA,     /* somewhere in the arena: any number that the arena's casts gave */
	REG_DYNPTR,    /* a dynptr that the program was given and cannot change */
	/* Only what a stack slot holds is described so. */
	REG_ITERATOR,
	REG_IRQ_FLAG,
	REG_KINDS,
};

enum reg_flags {
	REG_MAY_BE_NULL = 1 << 0,
	REG_READ_ONLY = 1 << 1,
	REG_RINGBUF = 1 << 2,	 /* REG_MEM: a whole reserved ring buffer record */
	REG_AT_END = 1 << 3,	 /* packet: at or behind its end */
	REG_BEYOND_END = 1 << 4, /* packet: behind its end */
	/* REG_BTF, and what is loaded through it: how far the pointer can be relied upon. */
	REG_TRUSTED = 1 << 5,	   /* valid as long as the program runs, or is referenced */
	REG_RCU = 1 << 6,	   /* valid until the RCU section ends */
	REG_UNTRUSTED = 1 << 7,	   /* may point anywhere: loads are guarded, nothing else */
	REG_PERCPU = 1 << 8,	   /* of a variable or object that each CPU has */
	REG_USER = 1 << 9,	   /* user space's memory */
	REG_ALLOCATED = 1 << 10,   /* an object of the program's own type (bpf_obj_new) */
	REG_NON_OWNING = 1 << 11,  /* in a list or tree under the lock that is held */
	REG_SECOND_SLOT = 1 << 12, /* REG_DYNPTR: of its slots that with the higher address */
	REG_LOW_LINK =
		1 << 13, /* REG_SCALAR: only the low 32 bits differ by `off`; the rest is 0 */
};

/* With one of these and no other flag an object is there for sure. */
#define REG_TRUST_FLAGS (REG_TRUSTED | REG_ALLOCATED | REG_NON_OWNING)

/*
 * A pointer is base + off + number: `off` is what constants added, `number` the rest (packet
 * pointers with the same id have the same rest). A scalar is number alone; those with the
 * same id differ by the difference of their `off`.
 */
struct reg_state {
	u8 kind;   /* enum reg_kind */
	u8 sub;	   /* of what sort: objects on the stack, and REG_MEM of a dynptr */
	u16 flags; /* enum reg_flags */
	u32 range; /* packet: bytes from base + number that are known to be there */
	s32 off;
	u32 id;	    /* of the pointer to be null-checked, of the packet range, of the scalar */
	u32 ref_id; /* the resource that this pointer lives by, 0: none */
	union {
		u32 type_id;   /* REG_BTF: in btf */
		u32 map_uid;   /* REG_MAP, REG_MAP_VALUE: which of the inner maps */
		u32 parent_id; /* REG_MEM: the dynptr that it is a part of; 0: none */
	};
	union {
		const struct map_desc *map; /* REG_MAP, REG_MAP_VALUE, REG_MAP_KEY */
		const struct btf_view *btf; /* REG_BTF: the kernel's, or the program's */
		u64 mem_size;		    /* REG_MEM */
		u64 frame;		    /* REG_STACK: index in state.frames */
		u64 subprog;		    /* REG_FUNC */
		u64 word;		    /* any of them, for comparison */
	};
	struct scalar number;
};

static inline bool reg_is_pointer(const struct reg_state *reg)
{
	return reg->kind > REG_SCALAR;
}

static inline bool reg_may_be_null(const struct reg_state *reg)
{
	return reg->flags & REG_MAY_BE_NULL;
}

static inline bool reg_is_const(const struct reg_state *reg)
{
	return reg->kind == REG_SCALAR && scalar_is_const(&reg->number);
}

static inline bool reg_is_null(const struct reg_state *reg)
{
	return reg_is_const(reg) && !reg->number.bits.value;
}

/* A byte of the stack. */
enum byte_kind {
	BYTE_INVALID, /* never written */
	BYTE_SPILL,   /* part of a spilled register */
	BYTE_MISC,    /* some number */
	BYTE_ZERO,
	/* Part of an object that only functions made for it access (stack_object.h). */
	BYTE_DYNPTR,
	BYTE_ITERATOR,
	BYTE_IRQ_FLAG,
};

#define BYTE_OBJECT 4 /* the bit that the last three have in common */

/*
 * Eight aligned bytes of the stack: slot i is [-8 (i + 1), -8 i) from the frame pointer, byte k
 * is at -8 (i + 1) + k. `spilled` counts where the first byte is BYTE_SPILL; a pointer or
 * 64-bit number has all eight so, a narrower number its low bytes.
 */
struct stack_slot {
	u8 bytes[SLOT_BYTES]; /* enum byte_kind */
	struct reg_state spilled;
};

enum callback_kind {
	CALLBACK_NONE,	/* called by the program */
	CALLBACK_NOW,	/* by a helper: its exit returns to the call of the helper */
	CALLBACK_LATER, /* by the engine, when the program is over */
	CALLBACK_WORK,	/* the same, where it may sleep */
	CALLBACK_TASK,	/* the same, on the way back to user space; its result does not count */
};

struct frame {
	struct reg_state regs[MAX_BPF_REG];
	u32 call_site; /* instruction of the call; 0 for the first frame */
	u32 subprog;
	u32 slot_cnt; /* slots beyond were never written */
	u32 rounds;   /* how often the helper that it calls has called back */
	u8 callback;  /* enum callback_kind */
	struct stack_slot slots[STACK_SLOTS];
};

enum resource_kind {
	RESOURCE_REFERENCE, /* a pointer that must be released */
	RESOURCE_LOCK,	    /* bpf_spin_lock */
	RESOURCE_RES_LOCK,  /* bpf_res_spin_lock */
	RESOURCE_RES_LOCK_IRQ,
	RESOURCE_IRQ, /* interrupts are off */
};

/* Something that must be given back before the program ends. */
struct resource {
	u8 kind; /* enum resource_kind */
	u32 id;
	u32 insn;	   /* that acquired it */
	const void *owner; /* of a lock: the map or the BTF that it is in */
};

/* Stretches of a program in which not everything is allowed. */
struct sections {
	u16 rcu, preempt; /* how often they were entered */
	u32 irq_id;	  /* the resource by which interrupts are off; 0: they are on */
};

struct resources {
	struct sections sections;
	u32 count;
	struct resource all[RESOURCES_MAX];
};

struct state {
	u32 frame_cnt;
	bool is_speculative; /* only a CPU that speculates comes here (speculation.h) */
	struct resources resources;
	struct frame frames[MAX_FRAMES];
};

static inline struct frame *state_top(struct state *state)
{
	return &state->frames[state->frame_cnt - 1];
}

static inline struct reg_state *state_reg(struct state *state, u32 reg)
{
	return &state_top(state)->regs[reg];
}

/* --- registers --- */
void reg_set_not_init(struct reg_state *reg);

/* In two parts, which compilers copy without a loop. */
static inline void reg_copy(struct reg_state *to, const struct reg_state *from)
{
	memmove(to, from, offsetof(struct reg_state, number));
	to->number = from->number;
}

static inline void reg_set_scalar(struct reg_state *reg, struct scalar number)
{
	memset(reg, 0, offsetof(struct reg_state, number));
	reg->kind = REG_SCALAR;
	reg->number = number;
}

static inline void reg_set_const(struct reg_state *reg, u64 value)
{
	reg_set_scalar(reg, scalar_const(value));
}

static inline void reg_set_unknown(struct reg_state *reg)
{
	reg_set_scalar(reg, scalar_unknown());
}

/* A number that differs from no other by a constant any more. */
static inline void reg_unlink(struct reg_state *reg)
{
	reg->id = 0;
	reg->off = 0;
	reg->flags &= ~REG_LOW_LINK;
}

/* A pointer of this kind to the start of its object. */
void reg_set_pointer(struct reg_state *reg, enum reg_kind kind);
/* A pointer to a kernel's or own object that is valid as long as the program runs, or is
 * referenced. */
bool reg_is_trusted(const struct reg_state *reg);
/* Cannot be NULL, so that a comparison with 0 is decided. */
bool reg_is_never_null(const struct reg_state *reg);
/* `end` is the end of the area that `pointer` points into. */
bool reg_bounds_packet(const struct reg_state *pointer, const struct reg_state *end);
/* Name of the type of an object; "": none is known. */
const char *reg_type_name(const struct reg_state *reg);
/* Text for messages: "map_value_or_null", "scalar", "fp", ... as in Linux's log. `out` holds
 * REG_KIND_TEXT bytes. */
const char *reg_kind_text(const struct reg_state *reg, char *out);

/* --- stack --- */
static inline bool slot_is_spill(const struct stack_slot *slot)
{
	return slot->bytes[0] == BYTE_SPILL;
}

/* A whole register: pointer or 64-bit number. */
static inline bool slot_is_full_spill(const struct stack_slot *slot)
{
	return slot->bytes[SLOT_BYTES - 1] == BYTE_SPILL;
}

/* Some byte belongs to an object. */
static inline bool slot_is_object(const struct stack_slot *slot)
{
	u64 kinds;

	memcpy(&kinds, slot->bytes, sizeof(kinds));
	return kinds & BYTE_OBJECT * 0x0101010101010101ull;
}

/* `spilled` says something. */
static inline bool slot_is_described(const struct stack_slot *slot)
{
	return slot_is_spill(slot) || slot_is_object(slot);
}

/* --- frames --- */
void frame_init(struct frame *frame, u32 call_site, u32 subprog, u32 frame_index);
/* The same, but for r0 to r9. */
void frame_start(struct frame *frame, u32 call_site, u32 subprog, u32 frame_index);

/* Visits each register and each spilled register of all frames. */
struct reg_cursor {
	u32 frame, at;
};
struct reg_state *state_next_reg(struct state *state, struct reg_cursor *cursor);

/* --- resources (resources.c) --- */

/* NULL: there are too many. */
struct resource *state_acquire(struct state *state, struct resource resource);
/* `owner`: of a lock; NULL. False: none of this kind has this id. */
bool state_release(struct state *state, enum resource_kind kind, u32 id, const void *owner);
/* The oldest reference that is not released; NULL: none. */
const struct resource *state_reference(const struct state *state);
/* The lock that was taken last; NULL: none is held. */
const struct resource *state_lock(const struct state *state);

/* --- packed states --- */

/* What is alive of each frame: nothing else is kept, and nothing else need be equal. */
struct live_set {
	u16 regs[MAX_FRAMES];
	u64 slots[MAX_FRAMES];
};

extern const struct live_set all_alive;

/* The outline of a frame. */
struct packed_frame {
	u32 call_site, rounds;
	u16 subprog, regs; /* registers that are there; r10 never is */
	u8 callback, slot_cnt;
	u16 regs_at; /* its first register in packed_regs() */
	u64 slots;   /* slots with something in them */
	u64 spills;  /* those of them whose register is there, too */
};

/* A header; frames, resources, bytes of slots and registers follow it in one block. */
struct packed_state {
	u16 size_class;
	u16 slot_cnt; /* of all frames */
	u8 frame_cnt, resource_cnt;
	bool is_speculative;
	struct sections sections;
	struct packed_frame frames[];
};

static inline const struct packed_frame *packed_frame(const struct packed_state *packed,
						      u32 index)
{
	return &packed->frames[index];
}

static inline struct resource *packed_resources(const struct packed_state *packed)
{
	return (struct resource *)&packed->frames[packed->frame_cnt];
}

/* The bytes of a frame's slots, in their order. */
static inline u8 (*packed_slots(const struct packed_state *packed, u32 frame))[SLOT_BYTES]
{
	u8(*bytes)[SLOT_BYTES] = (void *)(packed_resources(packed) + packed->resource_cnt);

	for (u32 i = 0; i < frame; i++)
		bytes += __builtin_popcountll(packed->frames[i].slots);
	return bytes;
}

/* All registers: per frame registers, then spilled registers. To be read with packed_reg(). */
static inline u8 *packed_regs(const struct packed_state *packed)
{
	return (u8 *)(packed_slots(packed, 0) + packed->slot_cnt);
}

/* Reads one, and goes on to the next. */
const u8 *packed_reg(const u8 *at, struct reg_state *out);

/* Blocks that were freed, by size. */
struct state_pool {
	struct arena arena;
	u64 bytes_used; /* by blocks that are not free */
	u32 class_cnt;	/* of larger classes there were no blocks yet */
	void *free[PACKED_CLASSES];
	/* Of the state that is being packed. */
	const struct reg_state *regs[PACKED_REGS];
	u8 bytes[PACKED_REGS * PACKED_REG_SIZE];
};

enum pack_how {
	PACK_ALL,
	/* A number that is linked to no other that is alive is as good as one without an id. */
	PACK_FOR_COMPARISON,
};

void state_pool_init(struct state_pool *pool);
void state_pool_done(struct state_pool *pool);
static inline u64 state_bytes(const struct packed_state *packed)
{
	return (u64)packed->size_class * PACKED_STEP;
}

/* NULL when out of memory. */
struct packed_state *state_pack(struct state_pool *pool, const struct state *state,
				const struct live_set *live, enum pack_how how);
void state_unpack(const struct packed_state *packed, struct state *out);
void state_free(struct state_pool *pool, struct packed_state *packed);

#endif
