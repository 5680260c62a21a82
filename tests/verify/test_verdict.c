/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs and their verdicts: one rejection at least for each row of reasons.def that the walk
 * gives (those of the program's shape are in test_cfg and test_btf_info), and programs that
 * must be accepted.
 */
#include "base/error.h"
#include "btf/btf.h"
#include "isa/isa.h"
#include "tests/unit.h"
#include "verify/reason.h"
#include "verify/verify.h"

#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- maps, by the number that a program names --- */

static u8 values[2][64];
static int some_btf; /* never looked into: that there is one is what counts */

#define ONE_FIELD(field_kind, at, bytes)                                   \
	{                                                                  \
		.kinds = BTF_FIELD_BIT(field_kind), .count = 1,            \
		.field = {                                                 \
			{.kind = field_kind, .offset = at, .size = bytes}, \
		},                                                         \
	}
#define BTF ((const struct btf_view *)(void *)&some_btf)

enum {
	HASH,
	ARRAY,
	CONSTANT,
	WRITE_ONLY,
	LOCK,
	TIMER,
	PROGS,
	RINGBUF,
	KPTR,
	STORAGE,
	TEXT,
	PLAIN,
	OPERATIONS,
	ARENA,
	OTHER_ARENA,
	OTHER_STORAGE,
	UNPRIVILEGED_PROGS,
};

static const struct map_desc maps[] = {
	[HASH] = {.type = BPF_MAP_TYPE_HASH,
		  .key_size = 8,
		  .value_size = 48,
		  .max_entries = 9,
		  .name = "hash",
		  .btf = BTF},
	[ARRAY] = {.type = BPF_MAP_TYPE_ARRAY,
		   .key_size = 4,
		   .value_size = 48,
		   .max_entries = 1,
		   .name = "array",
		   .values = values[0],
		   .value_stride = 48},
	[CONSTANT] = {.type = BPF_MAP_TYPE_ARRAY,
		      .key_size = 4,
		      .value_size = 48,
		      .max_entries = 1,
		      .name = "constant",
		      .flags = BPF_F_RDONLY_PROG,
		      .frozen = true,
		      .values = values[0],
		      .value_stride = 48},
	[WRITE_ONLY] = {.type = BPF_MAP_TYPE_ARRAY,
			.key_size = 4,
			.value_size = 48,
			.max_entries = 1,
			.name = "write_only",
			.flags = BPF_F_WRONLY_PROG,
			.values = values[0],
			.value_stride = 48},
	[LOCK] = {.type = BPF_MAP_TYPE_ARRAY,
		  .key_size = 4,
		  .value_size = 8,
		  .max_entries = 1,
		  .name = "lock",
		  .btf = BTF,
		  .fields = ONE_FIELD(BTF_FIELD_SPIN_LOCK, 4, 4)},
	[TIMER] = {.type = BPF_MAP_TYPE_ARRAY,
		   .key_size = 4,
		   .value_size = 16,
		   .max_entries = 1,
		   .name = "timer",
		   .btf = BTF,
		   .fields = ONE_FIELD(BTF_FIELD_TIMER, 0, 16)},
	[PROGS] = {.type = BPF_MAP_TYPE_PROG_ARRAY,
		   .key_size = 4,
		   .value_size = 4,
		   .max_entries = 4,
		   .name = "progs"},
	[RINGBUF] = {.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096, .name = "ringbuf"},
	[KPTR] = {.type = BPF_MAP_TYPE_HASH,
		  .key_size = 8,
		  .value_size = 24,
		  .max_entries = 1,
		  .name = "kptr",
		  .btf = BTF,
		  .fields = ONE_FIELD(BTF_FIELD_KPTR, 0, 8)},
	[STORAGE] = {.type = BPF_MAP_TYPE_CGROUP_STORAGE,
		     .key_size = 16,
		     .value_size = 64,
		     .name = "storage"},
	[TEXT] = {.type = BPF_MAP_TYPE_ARRAY,
		  .key_size = 4,
		  .value_size = 48,
		  .max_entries = 1,
		  .name = "text",
		  .flags = BPF_F_RDONLY_PROG,
		  .frozen = true,
		  .values = values[1],
		  .value_stride = 48},
	[PLAIN] = {.type = BPF_MAP_TYPE_HASH,
		   .key_size = 8,
		   .value_size = 8,
		   .max_entries = 1,
		   .name = "plain"},
	[OPERATIONS] = {.type = BPF_MAP_TYPE_STRUCT_OPS,
			.key_size = 4,
			.value_size = 64,
			.max_entries = 1,
			.name = "operations"},
	[ARENA] = {.type = BPF_MAP_TYPE_ARENA, .max_entries = 1, .name = "arena"},
	[OTHER_ARENA] = {.type = BPF_MAP_TYPE_ARENA, .max_entries = 1, .name = "other"},
	[OTHER_STORAGE] = {.type = BPF_MAP_TYPE_CGROUP_STORAGE,
			   .key_size = 16,
			   .value_size = 8,
			   .name = "other"},
	[UNPRIVILEGED_PROGS] = {.type = BPF_MAP_TYPE_PROG_ARRAY,
				.key_size = 4,
				.value_size = 4,
				.max_entries = 4,
				.name = "unprivileged",
				.by_unprivileged = true},
};

/* Many more, for a program that names too many. */
static struct map_desc crowd[100];

#define CROWD 1000

static const struct map_desc *map_by_fd(void *cookie, int fd, bool is_index, int *err)
{
	if (fd >= 0 && fd < (int)ARRAY_SIZE(maps))
		return &maps[fd];
	if (fd >= CROWD && fd < CROWD + (int)ARRAY_SIZE(crowd))
		return &crowd[fd - CROWD];
	*err = -EBADF;
	return NULL;
}

/* --- pieces of programs --- */

#define KEY	  "*(u64 *)(r10 - 8) = 0\n r2 = r10\n r2 += -8\n"
#define LOOKUP(n) KEY "r1 = map_fd " n " ll\n call 1\n"
#define FOUND	  "if r0 == 0 goto out\n"
#define OUT	  "\n out: r0 = 0\n exit"
#define RETURN	  "\n r0 = 0\n exit"
#define RANDOM	  "call 7\n"
#define RESERVE	  "r1 = map_fd 7 ll\n r2 = 8\n r3 = 0\n call 131\n"
#define SUBMIT	  "r2 = 0\n call 132\n"
#define SOCK	  "r1 = *(u64 *)(r1 + 168)\n if r1 == 0 goto out\n"
#define EACH(body)                                                                     \
	"r1 = map_fd 0 ll\n r2 = func each ll\n r3 = 0\n r4 = 0\n call 164\n r0 = 0\n" \
	"exit\n each: " body "\n r0 = 0\n exit"

/* The subprogram `body` is to make the number small that its caller adds to a pointer. */
#define EARLY_END(body)                                                                 \
	"r6 = r1\n" LOOKUP("0") FOUND                                                   \
		"r8 = r0\n" RANDOM "*(u64 *)(r10 - 16) = r0\n"                          \
		"r1 = r6\n r2 = r10\n r2 += -16\n call sub\n r1 = *(u64 *)(r10 - 16)\n" \
		"r8 += r1\n r0 = *(u8 *)(r8 + 0)\n" OUT "\n sub: r6 = r2\n" body        \
		"\n r0 = 0\n exit"

#define BPF_ONLY	SKEP_RIGHT_BPF
#define ROOT		SKEP_RIGHTS_ALL

#define COUNT_TO(limit) "r0 = 0\n again: r0 += 1\n if r0 < " limit " goto again\n r0 = 0\n exit"

struct row {
	const char *reason; /* NULL: accepted */
	const char *text;
	enum bpf_prog_type type; /* 0: socket filter */
	u32 rights;		 /* 0: all */
	u32 flags;
	enum bpf_attach_type attach_type;
	bool not_gpl, untyped;
	bool typed; /* though it takes no function's address */
	struct verify_budget budget;
};

static const struct row rows[] = {
	/* ways out of a subprogram before it wrote to its caller's stack */
	{"math_unbounded",
	 EARLY_END("r2 = map_fd 6 ll\n r3 = 0\n call 12\n *(u64 *)(r6 + 0) = 3"),
	 .typed = true},
	{"math_unbounded",
	 EARLY_END("r6 = r1\n r7 = r2\n r0 = *(u8 *)skb[5]\n"
		   "*(u64 *)(r7 + 0) = 3"),
	 .typed = true},
	{NULL, EARLY_END("*(u64 *)(r2 + 0) = 3\n r2 = map_fd 6 ll\n r3 = 0\n call 12"),
	 .typed = true},
	/* registers */
	{"not_initialised", "r0 = r2\n exit"},
	{"frame_pointer_write", "r10 = 1" RETURN},
	/* arithmetic */
	{"arithmetic_before_null_check", LOOKUP("0") "r0 += 8" RETURN},
	{"arithmetic_on_kind", "r1 = map_fd 0 ll\n r1 += 8" RETURN},
	{"math_constant", "r1 = r10\n r2 = 0x20000000\n r1 += r2" RETURN},
	{"pointer_offset", "r1 += 0x1fffffff\n r1 += 0x1fffffff" RETURN},
	{"math_unbounded", RANDOM "r1 = r10\n r1 += r0" RETURN},
	{"math_out_of_bounds",
	 RANDOM "r0 &= 1\n r0 |= 0x20000000\n r1 = r10\n r1 += r0" RETURN},
	{"pointer_bitwise", "r1 &= 1" RETURN},
	{"pointer_operator", "r1 *= 2" RETURN},
	{"pointer_32bit", "w1 += 1" RETURN},
	{"scalar_minus_pointer", "r2 = 1\n r2 -= r1" RETURN},
	{"stack_subtraction", "r2 = r10\n r2 -= 8" RETURN},
	{"pointer_and_pointer", "r1 += r10" RETURN},
	{"partial_copy", "w2 = w1" RETURN, .rights = BPF_ONLY},
	{"sign_extended_pointer", "r2 = (s32)r1" RETURN, .rights = BPF_ONLY},
	{"pointer_arithmetic", "r1 = -r1" RETURN, .rights = BPF_ONLY},
	{"pointer_comparison", "if r1 == 5 goto out" OUT, .rights = BPF_ONLY},
	{"needs_masking", "r2 = 0\n r1 += r2" RETURN, .rights = BPF_ONLY},
	{"different_operands",
	 RANDOM
	 "r2 = 8\n if r0 == 0 goto l\n r2 = 16\n l: r3 = r10\n r3 += -64\n r3 += r2" RETURN,
	 .rights = BPF_ONLY},
	{"stack_arithmetic_range", "r2 = r10\n r2 += 8" RETURN, .rights = BPF_ONLY},
	{"map_value_range", "r1 = map_value 1 + 0 ll\n r1 += 100" RETURN, .rights = BPF_ONLY},
	{"mixed_signs", RANDOM "r0 s>>= 60\n r1 = map_value 1 + 8 ll\n r1 += r0" RETURN,
	 .rights = BPF_ONLY},
	{"masked_bounds", "r2 = r10\n r2 += -512\n r3 = 0\n r2 += r3" RETURN,
	 .rights = BPF_ONLY},
	{"no_arena", "r1 = addr_space_cast(r1, 0, 1)" RETURN},
	{"function_without_type", EACH("r0 = 0"), .untyped = true},
	/* memory */
	{"bad_pointer", "r2 = 5\n r0 = *(u32 *)(r2 + 0)\n exit"},
	{"different_pointers",
	 "r2 = *(u32 *)(r1 + 0)\n *(u64 *)(r10 - 8) = 0\n if r2 == 0 goto l\n r1 = r10\n r1 += -8\n"
	 "l: r0 = *(u32 *)(r1 + 0)" RETURN},
	{"leak_into_memory", "r2 = map_value 1 + 0 ll\n *(u64 *)(r2 + 0) = r1" RETURN,
	 .rights = BPF_ONLY},
	{"read_only_object", SOCK "*(u32 *)(r1 + 0) = 1" OUT, BPF_PROG_TYPE_SCHED_CLS},
	{"negative_offset", RANDOM
	 "r0 s>>= 62\n r1 = map_value 1 + 0 ll\n r1 += r0\n r0 = *(u8 *)(r1 + 0)\n exit"},
	{"unbounded_offset",
	 "r0 = *(u32 *)(r1 + 0)\n r1 = map_value 1 + 0 ll\n r1 += r0\n r0 = *(u8 *)(r1 + 0)\n exit"},
	{"map_value_range", "r1 = map_value 1 + 0 ll\n r0 = *(u32 *)(r1 + 45)\n exit"},
	{"map_key_range", EACH("r0 = *(u64 *)(r2 + 8)")},
	{"memory_range", RESERVE FOUND "*(u64 *)(r0 + 8) = 0\n r1 = r0\n" SUBMIT OUT},
	{"packet_range", "r2 = *(u32 *)(r1 + 76)\n r0 = *(u8 *)(r2 + 0)" RETURN,
	 BPF_PROG_TYPE_SCHED_CLS},
	{"packet_read_only", "r2 = *(u32 *)(r1 + 76)\n *(u8 *)(r2 + 0) = 0" RETURN,
	 BPF_PROG_TYPE_CGROUP_SKB},
	{"key_read_only", EACH("*(u64 *)(r2 + 0) = 0")},
	{"map_write_forbidden", "r1 = map_value 2 + 0 ll\n *(u64 *)(r1 + 0) = 0" RETURN},
	{"map_read_forbidden", "r1 = map_value 3 + 0 ll\n r0 = *(u64 *)(r1 + 0)" RETURN},
	{"special_field", LOOKUP("4") FOUND "r0 = *(u32 *)(r0 + 4)" OUT,
	 BPF_PROG_TYPE_SCHED_CLS},
	{"kptr_misaligned", LOOKUP("8") FOUND "r0 = *(u32 *)(r0 + 4)" OUT},
	{"buffer_range", "r1 = *(u64 *)(r1 + 0)\n r0 = *(u8 *)(r1 - 1)" RETURN,
	 BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE},
	{"buffer_variable_offset",
	 "r6 = *(u64 *)(r1 + 0)\n" RANDOM "r0 &= 7\n r6 += r0\n r0 = *(u8 *)(r6 + 0)" RETURN,
	 BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE},
	{"ctx_access", "r0 = *(u32 *)(r1 + 1000)\n exit"},
	{"sock_access", SOCK "r0 = *(u32 *)(r1 + 1000)" OUT, BPF_PROG_TYPE_SCHED_CLS},
	{"flow_keys_range", "r2 = *(u64 *)(r1 + 144)\n r0 = *(u8 *)(r2 + 200)" RETURN,
	 BPF_PROG_TYPE_FLOW_DISSECTOR},
	{"pointer_negative_offset", "r1 += -8\n r0 = *(u32 *)(r1 + 8)\n exit"},
	{"pointer_modified", "r1 += 8\n r0 = *(u32 *)(r1 + 0)\n exit"},
	{"pointer_variable_offset",
	 "r2 = *(u32 *)(r1 + 0)\n r2 &= 4\n r1 += r2\n r0 = *(u32 *)(r1 + 0)\n exit"},
	{"misaligned", "*(u64 *)(r10 - 12) = 0" RETURN},
	{"misaligned_packet",
	 "r2 = *(u32 *)(r1 + 76)\n r3 = *(u32 *)(r1 + 80)\n r4 = r2\n r4 += 8\n"
	 "if r4 > r3 goto out\n r0 = *(u32 *)(r2 + 1)" OUT,
	 BPF_PROG_TYPE_SCHED_CLS, .flags = VERIFY_STRICT_ALIGNMENT},
	{"atomic_target", "r2 = 1\n lock *(u32 *)(r1 + 8) += w2" RETURN},
	/* stack */
	{"stack_unbounded",
	 "r0 = *(u32 *)(r1 + 0)\n r2 = r10\n r2 += r0\n *(u8 *)(r2 - 8) = 0" RETURN},
	{"stack_variable_range",
	 "r0 = *(u32 *)(r1 + 0)\n r0 &= 15\n r2 = r10\n r2 += r0\n *(u8 *)(r2 - 8) = 0" RETURN},
	{"stack_range", "*(u64 *)(r10 + 0) = 0" RETURN},
	{"stack_read_unwritten", "*(u8 *)(r10 - 8) = 0\n r0 = *(u64 *)(r10 - 8)\n exit",
	 .rights = BPF_ONLY},
	{"stack_indirect_read",
	 "*(u8 *)(r10 - 8) = 0\n r2 = r10\n r2 += -8\n r1 = map_fd 0 ll\n call 1" RETURN,
	 .rights = BPF_ONLY},
	{"stack_variable_unprivileged",
	 "r0 = *(u32 *)(r1 + 0)\n r0 &= 7\n r2 = r10\n r2 += -16\n r2 += r0" RETURN,
	 .rights = BPF_ONLY},
	{"stack_leak",
	 "*(u64 *)(r10 - 8) = r1\n r2 = 1\n r2 = atomic_fetch_add((u64 *)(r10 - 8), r2)" RETURN,
	 .rights = BPF_ONLY},
	{"fill_size", "*(u64 *)(r10 - 8) = r1\n r0 = *(u32 *)(r10 - 8)\n exit"},
	{"spill_size", "*(u32 *)(r10 - 8) = r1" RETURN},
	{"spill_corrupted", "*(u64 *)(r10 - 8) = r1\n *(u8 *)(r10 - 8) = 0" RETURN,
	 .rights = BPF_ONLY},
	{"spill_to_caller",
	 "r1 = r10\n call sub\n r0 = 0\n exit\n sub: *(u64 *)(r1 - 8) = r10" RETURN},
	/* helpers */
	{"helper_unknown", "call 9999" RETURN},
	{"helper_missing", "call 118" RETURN},
	{"helper_not_for_type", "r2 = 0\n call 44" RETURN},
	{"helper_gpl", "call 35" RETURN, BPF_PROG_TYPE_KPROBE, .not_gpl = true},
	{"helper_sleeps", "r1 = r10\n r1 += -8\n r2 = 8\n r3 = 0\n call 148" RETURN,
	 BPF_PROG_TYPE_KPROBE},
	{"call_under_lock", LOOKUP("4") FOUND "r1 = r0\n r1 += 4\n call 93\n call 7" OUT,
	 BPF_PROG_TYPE_SCHED_CLS},
	{"leak_into_helper", KEY "r1 = map_fd 11 ll\n r3 = r2\n r4 = r10\n call 2" RETURN,
	 .rights = BPF_ONLY},
	{"helper_packet", "r2 = 0\n r3 = *(u32 *)(r1 + 76)\n r4 = 4\n call 26" RETURN,
	 BPF_PROG_TYPE_SCHED_CLS},
	{"arg_kind", KEY "r1 = 0\n call 1" RETURN},
	{"not_referenced", SOCK "call 95\n if r0 == 0 goto out\n r1 = r0\n call 86" OUT,
	 BPF_PROG_TYPE_SCHED_CLS},
	{"release_offset", RESERVE FOUND "r1 = r0\n r1 += 8\n" SUBMIT OUT},
	{"two_references", RESERVE FOUND
	 "r6 = r0\n" RESERVE "if r0 == 0 goto free\n r7 = r0\n r1 = map_fd 11 ll\n"
	 "r2 = r6\n r3 = r7\n r4 = 0\n call 2\n r1 = r7\n" SUBMIT "free: r1 = r6\n" SUBMIT OUT},
	{"zero_sized_read", LOOKUP("7") RETURN},
	{"size_negative", "r2 = 0\n r3 = r10\n r3 += -8\n r4 = -1\n call 26" RETURN},
	{"size_zero", "r2 = 0\n r3 = r10\n r3 += -8\n r4 = 0\n call 26" RETURN},
	{"size_unbounded",
	 "r4 = *(u32 *)(r1 + 0)\n r4 |= 1\n r2 = 0\n r3 = r10\n r3 += -8\n call 26" RETURN},
	{"not_constant", RANDOM "r2 = r0\n r1 = map_fd 7 ll\n r3 = 0\n call 131" RETURN},
	{"string_not_constant",
	 "*(u64 *)(r10 - 8) = 0\n r1 = r10\n r1 += -8\n r2 = 8\n r3 = map_value 1 + 0 ll\n call 182" RETURN},
	{"string_variable",
	 RANDOM "*(u64 *)(r10 - 8) = 0\n r0 &= 7\n r1 = r10\n r1 += -8\n r2 = 8\n"
		"r3 = map_value 2 + 0 ll\n r3 += r0\n call 182" RETURN},
	{"string_unterminated",
	 "*(u64 *)(r10 - 8) = 0\n r1 = r10\n r1 += -8\n r2 = 8\n r3 = map_value 10 + 0 ll\n call 182" RETURN},
	{"map_change_forbidden",
	 KEY "r1 = map_fd 2 ll\n r3 = r10\n r3 += -48\n r4 = 0\n call 2" RETURN},
	{"map_helper", LOOKUP("6") RETURN},
	{"unreleased",
	 "r6 = r1\n" RESERVE FOUND "r7 = r0\n r1 = r6\n r2 = map_fd 6 ll\n r3 = 0\n call 12\n"
	 "r1 = r7\n" SUBMIT OUT},
	{"tail_call_maps",
	 "r2 = map_fd 6 ll\n r3 = *(u32 *)(r1 + 0)\n if r3 == 0 goto l\n r2 = map_fd 16 ll\n"
	 "l: call 12" RETURN},
	{NULL, "r2 = map_fd 16 ll\n r3 = *(u32 *)(r1 + 0)\n call 12" RETURN},
	{"ctx_access", "r0 = *(u32 *)(r1 + 76)" RETURN, BPF_PROG_TYPE_CGROUP_SKB,
	 .rights = SKEP_RIGHT_NET_ADMIN},
	{"ctx_access", "r0 = 0\n *(u64 *)(r1 + 152) = r0" RETURN, BPF_PROG_TYPE_CGROUP_SKB,
	 .rights = SKEP_RIGHT_NET_ADMIN},
	{"local_storage_flags", "r1 = map_fd 9 ll\n r2 = 1\n call 81" RETURN,
	 BPF_PROG_TYPE_CGROUP_SKB},
	{"field_variable_offset",
	 LOOKUP("4") FOUND "r6 = r0\n" RANDOM "r0 &= 4\n r6 += r0\n r1 = r6\n call 93" OUT,
	 BPF_PROG_TYPE_SCHED_CLS},
	{"field_without_btf", LOOKUP("11") FOUND "r1 = r0\n call 93" OUT,
	 BPF_PROG_TYPE_SCHED_CLS},
	{"field_missing", LOOKUP("0") FOUND "r1 = r0\n call 93" OUT, BPF_PROG_TYPE_SCHED_CLS},
	{"field_offset", LOOKUP("4") FOUND "r1 = r0\n call 93" OUT, BPF_PROG_TYPE_SCHED_CLS},
	{"tracing_field", LOOKUP("4") RETURN, BPF_PROG_TYPE_KPROBE},
	{"socket_filter_lock", LOOKUP("4") RETURN},
	{"unlock_without_lock", LOOKUP("4") FOUND "r1 = r0\n r1 += 4\n call 94" OUT,
	 BPF_PROG_TYPE_SCHED_CLS},
	{"unlock_other",
	 LOOKUP("4") FOUND "r6 = r0\n" LOOKUP("4") FOUND
	 "r7 = r0\n r1 = r6\n r1 += 4\n call 93\n r1 = r7\n r1 += 4\n call 94" OUT,
	 BPF_PROG_TYPE_SCHED_CLS},
	{"too_many_references",
	 "r6 = 0\n again: " RESERVE "r6 += 1\n if r6 < 70 goto again" RETURN},
	/* control flow */
	{"frame_depth", "call sub\n exit\n sub: call sub\n exit"},
	{"stack_returned", "call sub\n r0 = 0\n exit\n sub: r0 = r10\n exit"},
	{"lock_held", LOOKUP("4") FOUND "r1 = r0\n r1 += 4\n call 93" OUT,
	 BPF_PROG_TYPE_SCHED_CLS},
	{"unreleased", RESERVE RETURN},
	{"result_not_number", "r0 = r1\n exit", BPF_PROG_TYPE_CGROUP_SKB},
	{"result_unknown", RANDOM "exit", BPF_PROG_TYPE_CGROUP_SKB},
	{"result_range", "r0 = 17\n exit", BPF_PROG_TYPE_CGROUP_SKB},
	{"leak_as_result", "r0 = r1\n exit", .rights = BPF_ONLY},
	{"ld_abs_type", "r6 = r1\n r0 = *(u8 *)skb[0]\n exit", BPF_PROG_TYPE_KPROBE},
	{"ld_abs_context", "r6 = 0\n r0 = *(u8 *)skb[0]\n exit"},
	{"infinite_loop", "again: r0 = 0\n if r0 == 0 goto again\n exit"},
	{"too_complex", COUNT_TO("1000000")},
	{"too_complex", COUNT_TO("1000"), .budget = {.insns = 100}},
	{"budget", COUNT_TO("1000"), .budget = {.memory = 1}},
	{"budget", COUNT_TO("1000"), .budget = {.time_ns = 1}},
	{NULL, COUNT_TO("1000"), .budget = {.insns = 2003}},
	/* the program as a whole */
	{"program_type", "r0 = 0\n exit", (enum bpf_prog_type)1000},
	{"program_size", ""},
	{"map_fd", "r1 = map_fd 99 ll" RETURN},
	{"direct_value_offset", "r1 = map_value 1 + 0x20000000 ll" RETURN},
	{"direct_value_map", "r1 = map_value 0 + 0 ll" RETURN},
	{"direct_value_range", "r1 = map_value 1 + 48 ll" RETURN},
	{"kfunc_no_types", "call kfunc 0x10, 0x0" RETURN},
	{"struct_ops_map", "r1 = map_fd 12 ll" RETURN},
	{"second_arena", "r1 = map_fd 13 ll\n r1 = map_fd 14 ll" RETURN},
	{"second_cgroup_storage", "r1 = map_fd 9 ll\n r1 = map_fd 15 ll" RETURN,
	 BPF_PROG_TYPE_CGROUP_SKB},
	{"sleepable_map", "r1 = map_fd 6 ll" RETURN, BPF_PROG_TYPE_SYSCALL,
	 .flags = VERIFY_SLEEPABLE},
	{"map_without_for_each",
	 "r1 = map_fd 6 ll\n r2 = func each ll\n r3 = 0\n r4 = 0\n call 164" RETURN
	 "\n each: r0 = 0\n exit"},

	/* --- accepted --- */
	{NULL, "r0 = 0\n exit"},
	/* copies of a pointer are all null-checked */
	{NULL, LOOKUP("0") "r6 = r0\n" FOUND "r0 = *(u64 *)(r6 + 40)" OUT},
	/* an index that was checked */
	{NULL,
	 "r2 = *(u32 *)(r1 + 0)\n if r2 > 40 goto out\n r1 = map_value 1 + 0 ll\n r1 += r2\n"
	 "r0 = *(u64 *)(r1 + 0)" OUT},
	/* a check narrows what was copied before, at a distance */
	{NULL, "r2 = *(u32 *)(r1 + 0)\n r3 = r2\n r3 += 4\n if r2 > 40 goto out\n"
	       "r1 = map_value 1 + 0 ll\n r1 += r3\n r0 = *(u32 *)(r1 + 0)" OUT},
	/* packet bytes behind a comparison with the end */
	{NULL,
	 "r2 = *(u32 *)(r1 + 76)\n r3 = *(u32 *)(r1 + 80)\n r4 = r2\n r4 += 14\n"
	 "if r4 > r3 goto out\n r0 = *(u16 *)(r2 + 12)" OUT,
	 BPF_PROG_TYPE_SCHED_CLS},
	/* a loop that ends */
	{NULL, "r0 = 0\n again: r0 += 1\n if r0 < 1000 goto again\n exit"},
	/* spill, fill, and the low half of a constant */
	{NULL, "*(u64 *)(r10 - 8) = r1\n *(u64 *)(r10 - 16) = 7\n r1 = *(u64 *)(r10 - 8)\n"
	       "r2 = *(u32 *)(r10 - 16)\n r3 = map_value 1 + 0 ll\n r3 += r2\n"
	       "r0 = *(u8 *)(r3 + 0)\n r0 = *(u32 *)(r1 + 0)" RETURN},
	/* a constant map decides branches */
	{NULL,
	 "r1 = map_value 2 + 0 ll\n r1 = *(u64 *)(r1 + 0)\n if r1 == 0 goto l\n r0 = *(u8 *)(r1 + 0)\n"
	 "l: r0 = 0\n exit"},
	/* records and locks given back */
	{NULL, RESERVE FOUND "*(u64 *)(r0 + 0) = 1\n r1 = r0\n" SUBMIT OUT},
	{NULL,
	 LOOKUP("4") FOUND "r6 = r0\n r1 = r0\n r1 += 4\n call 93\n *(u32 *)(r6 + 0) = 1\n"
			   "r1 = r6\n r1 += 4\n call 94" OUT,
	 BPF_PROG_TYPE_SCHED_CLS},
	/* a callback that counts */
	{NULL,
	 "*(u64 *)(r10 - 8) = 0\n r1 = 10\n r2 = func each ll\n r3 = r10\n r3 += -8\n r4 = 0\n"
	 "call 181\n r0 = *(u64 *)(r10 - 8)\n exit\n"
	 "each: r0 = *(u64 *)(r2 + 0)\n r0 += 1\n *(u64 *)(r2 + 0) = r0\n r0 = 0\n exit"},
	/* a loop of unknown length, with a branch inside */
	{NULL, "r6 = 0\n again: may_goto out\n call 7\n if r0 == 0 goto again\n r6 += 1\n"
	       "goto again" OUT},
	/* a callback with a branch that changes nothing */
	{NULL, "r6 = 0\n r1 = 10\n r2 = func each ll\n r3 = r10\n r3 += -8\n r4 = 0\n"
	       "*(u64 *)(r10 - 8) = 0\n call 181\n r0 = r6\n exit\n"
	       "each: " RANDOM "if r0 == 0 goto l\n r0 = 1\n exit\n l: r0 = 0\n exit"},
	/* what a callback leaves behind is not what was there before */
	{"map_value_range",
	 "*(u64 *)(r10 - 8) = 0\n r1 = 10\n r2 = func each ll\n r3 = r10\n r3 += -8\n r4 = 0\n"
	 "call 181\n r1 = *(u64 *)(r10 - 8)\n r2 = map_value 1 + 0 ll\n r2 += r1\n"
	 "r0 = *(u8 *)(r2 + 0)\n exit\n"
	 "each: *(u64 *)(r2 + 0) = 48\n r0 = 0\n exit"},
	/* each element of a map, through its own pointer */
	{NULL, EACH("r0 = *(u64 *)(r2 + 0)\n *(u64 *)(r3 + 0) = r0")},
	/* a number passed to a function and back */
	{NULL,
	 "r1 = 3\n call sub\n r1 = map_value 1 + 0 ll\n r1 += r0\n r0 = *(u8 *)(r1 + 0)" RETURN
	 "\n sub: r0 = r1\n r0 += 1\n exit"},
	/* the unprivileged: constants, null checks, their own stack */
	{NULL, LOOKUP("0") FOUND "r0 = *(u64 *)(r0 + 40)" OUT, .rights = BPF_ONLY},
};

/* --- verification of a row --- */

/* int main(), int sub(): what func_info says of every program with two functions. */
static struct btf_view *new_btf(void)
{
	static const u32 types[] = {
		1,  BTF_KIND_INT << 24,	       4, BTF_INT_SIGNED << 24 | 32, /* 1: int */
		0,  BTF_KIND_FUNC_PROTO << 24, 1,			     /* 2: int () */
		5,  BTF_KIND_FUNC << 24,       2,			     /* 3: main */
		10, BTF_KIND_FUNC << 24,       2,			     /* 4: sub */
	};
	struct {
		struct btf_header header;
		u32 types[ARRAY_SIZE(types)];
		char strings[14];
	} blob = {
		.header = {BTF_MAGIC, BTF_VERSION, 0, sizeof(struct btf_header), 0,
			   sizeof(types), sizeof(types), 14},
		.strings = "\0int\0main\0sub",
	};
	struct btf_view *btf = NULL;

	memcpy(blob.types, types, sizeof(types));
	btf_view_new(&blob, sizeof(struct btf_header) + sizeof(types) + 14, &btf, NULL, NULL);
	return btf;
}

static bool names_function(const struct bpf_insn *insn, bool calls)
{
	if (calls)
		return insn->code == (BPF_JMP | BPF_CALL) && insn->src_reg == BPF_PSEUDO_CALL;
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_FUNC;
}

/* Where the function begins that the program calls, or whose address it takes; 0: none. */
static u32 second_function(const struct bpf_insn *insns, u32 count, bool calls)
{
	for (u32 i = 0; i < count; i++)
		if (names_function(&insns[i], calls))
			return i + 1 + (u32)insns[i].imm;
	return 0;
}

static bool has_helper(u32 id)
{
	return id != BPF_FUNC_jiffies64;
}

static int verify_insns(const struct row *row, const struct bpf_insn *insns, u32 count,
			struct skep_error *err)
{
	struct verify_input input = {
		.insns = insns,
		.insn_cnt = count,
		.type = row->type ? row->type : BPF_PROG_TYPE_SOCKET_FILTER,
		.attach_type = row->attach_type,
		.flags = row->flags,
		.rights = row->rights ? row->rights : ROOT,
		.gpl = !row->not_gpl,
		.map_by_fd = map_by_fd,
		.has_helper = has_helper,
		.budget = row->budget,
	};
	struct bpf_func_info functions[] = {{0, 3},
					    {second_function(insns, count, row->typed), 4}};
	struct btf_view *btf = new_btf();
	struct verified *verified = NULL;
	int ret;

	if (functions[1].insn_off && !row->untyped) {
		input.btf = btf;
		input.func_info = functions;
		input.func_info_cnt = 2;
		input.func_info_rec_size = sizeof(*functions);
	}
	ret = verify_program(&input, &verified, err);
	verified_free(verified);
	btf_view_free(btf);
	return ret;
}

static int verify_row(const struct row *row, struct skep_error *err)
{
	struct bpf_insn *insns = NULL;
	u32 count = 0;
	int ret = *row->text ? insns_assemble(row->text, &insns, &count, err) : 0;

	if (ret) {
		print_error("%s\n does not assemble: %s\n", row->text, err->text);
		return ret;
	}
	ret = verify_insns(row, insns, count, err);
	free(insns);
	return ret;
}

static bool is_as_wanted(const struct row *row, int ret, const struct skep_error *err)
{
	if (!row->reason)
		return !ret;
	return ret && err->reason && !strcmp(err->reason, row->reason) && err->code == ret;
}

static void programs_get_their_verdicts(void **state)
{
	u32 failures = 0;

	memset(values[1], 'a', sizeof(values[1]));
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct skep_error err = {0};
		int ret = verify_row(&rows[i], &err);

		if (is_as_wanted(&rows[i], ret, &err))
			continue;
		print_error("%s\n want %s, got %d %s at %d: %s\n", rows[i].text,
			    rows[i].reason ? rows[i].reason : "accept", ret,
			    err.reason ? err.reason : "", err.insn, err.text);
		failures++;
	}
	assert_int_equal(failures, 0);
}

/* --- what the assembler cannot say --- */

static void a_program_names_too_many_maps(void **state)
{
	struct bpf_insn insns[2 * ARRAY_SIZE(crowd) + 2] = {0};
	struct row row = {.type = BPF_PROG_TYPE_SOCKET_FILTER};
	struct skep_error err;
	u32 count = 0;

	for (u32 i = 0; i < ARRAY_SIZE(crowd); i++) {
		crowd[i] = maps[HASH];
		insns[count].code = BPF_LD | BPF_IMM | BPF_DW;
		insns[count].src_reg = BPF_PSEUDO_MAP_FD;
		insns[count].imm = CROWD + (int)i;
		count += 2;
	}
	insns[count++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K};
	insns[count++] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	assert_int_equal(verify_insns(&row, insns, count, &err), -E2BIG);
	assert_string_equal(err.reason, "too_many_maps");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_get_their_verdicts),
		cmocka_unit_test(a_program_names_too_many_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
