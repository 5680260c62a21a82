/* SPDX-License-Identifier: BSD-2-Clause */
/* States packed and unpacked, and the facts that a verified program comes with. */
#include "isa/isa.h"
#include "tests/unit.h"
#include "verify/state.h"
#include "verify/verify.h"

#include <errno.h>
#include <skep/skep.h>
#include <stdlib.h>
#include <string.h>

/* --- packing --- */

static const struct live_set everything = {
	.regs = {[0 ... MAX_FRAMES - 1] = 0x3ff},
	.slots = {[0 ... MAX_FRAMES - 1] = ~0ull},
};

static void set_bytes(struct frame *frame, u32 slot, u8 kind)
{
	for (; frame->slot_cnt <= slot; frame->slot_cnt++)
		memset(frame->slots[frame->slot_cnt].bytes, BYTE_INVALID, SLOT_BYTES);
	memset(frame->slots[slot].bytes, kind, SLOT_BYTES);
}

/* Two frames: numbers and pointers in registers, a spill, zeros, a gap between them. */
static void fill_state(struct state *state)
{
	memset(state, 0, sizeof(*state));
	state->frame_cnt = 2;
	frame_init(&state->frames[0], 0, 0, 0);
	frame_init(&state->frames[1], 17, 1, 1);
	reg_set_const(&state->frames[0].regs[BPF_REG_6], 42);
	reg_set_pointer(&state->frames[1].regs[BPF_REG_1], REG_CTX);
	set_bytes(&state->frames[1], 0, BYTE_SPILL);
	reg_set_pointer(&state->frames[1].slots[0].spilled, REG_PACKET);
	state->frames[1].slots[0].spilled.range = 14;
	set_bytes(&state->frames[1], 5, BYTE_ZERO);
	state_acquire(state, (struct resource){.id = 3, .insn = 9});
}

static void a_packed_state_comes_back(void **unused)
{
	struct state *before = calloc(1, sizeof(*before)), *after = calloc(1, sizeof(*after));
	struct packed_state *packed;
	struct state_pool pool;

	state_pool_init(&pool);
	fill_state(before);
	packed = state_pack(&pool, before, &everything, PACK_ALL);
	assert_non_null(packed);
	state_unpack(packed, after);
	assert_int_equal(after->frame_cnt, 2);
	assert_int_equal(after->frames[1].call_site, 17);
	assert_int_equal(after->frames[1].slot_cnt, 6);
	assert_memory_equal(after->frames[0].regs, before->frames[0].regs,
			    sizeof(before->frames[0].regs));
	assert_int_equal(after->frames[1].regs[BPF_REG_1].kind, REG_CTX);
	assert_int_equal(after->frames[1].slots[0].spilled.range, 14);
	assert_int_equal(after->frames[1].slots[5].bytes[7], BYTE_ZERO);
	assert_int_equal(after->frames[1].slots[3].bytes[0], BYTE_INVALID);
	assert_int_equal(after->resources.all[0].insn, 9);
	state_free(&pool, packed);
	assert_ptr_equal(state_pack(&pool, before, &everything, PACK_ALL),
			 packed); /* used again */
	state_pool_done(&pool);
	free(before);
	free(after);
}

static void what_is_dead_is_not_kept(void **unused)
{
	struct state *before = calloc(1, sizeof(*before)), *after = calloc(1, sizeof(*after));
	const struct live_set nothing = {0};
	struct state_pool pool;

	state_pool_init(&pool);
	fill_state(before);
	state_unpack(state_pack(&pool, before, &nothing, PACK_ALL), after);
	assert_int_equal(after->frames[0].regs[BPF_REG_6].kind, REG_NOT_INIT);
	assert_int_equal(after->frames[1].slots[5].bytes[0], BYTE_INVALID);
	assert_int_equal(after->frames[1].regs[FRAME_REG].kind, REG_STACK);
	assert_int_equal(after->frames[1].regs[FRAME_REG].frame, 1);
	state_pool_done(&pool);
	free(before);
	free(after);
}

static void references_are_counted(void **unused)
{
	struct state *state = calloc(1, sizeof(*state));

	for (u32 i = 0; i < RESOURCES_MAX; i++)
		assert_non_null(state_acquire(state, (struct resource){.id = i + 1}));
	assert_null(state_acquire(state, (struct resource){.id = 1000}));
	assert_true(state_release(state, RESOURCE_REFERENCE, 1, NULL));
	assert_false(state_release(state, RESOURCE_REFERENCE, 1000, NULL));
	assert_false(state_release(state, RESOURCE_LOCK, 2, NULL));
	assert_int_equal(state->resources.count, RESOURCES_MAX - 1);
	assert_int_equal(state_reference(state)->id, 2);
	free(state);
}

/* --- facts --- */

static u8 value[8];
static const struct map_desc map = {
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = 4,
	.value_size = 8,
	.max_entries = 1,
	.name = "counters",
	.values = value,
	.value_stride = 8,
};

static const struct map_desc *map_by_fd(void *cookie, int fd, bool is_index, int *err)
{
	return &map;
}

static struct verified *verify_with(const char *text, enum bpf_prog_type type, u32 rights)
{
	struct verify_input input = {.type = type,
				     .flags = VERIFY_REG_FACTS,
				     .rights = rights,
				     .map_by_fd = map_by_fd};
	struct verified *verified = NULL;
	struct bpf_insn *insns;
	struct skep_error err;

	if (insns_assemble(text, &insns, &input.insn_cnt, &err))
		fail_msg("%s", err.text);
	input.insns = insns;
	if (verify_program(&input, &verified, &err))
		fail_msg("%s", err.text);
	assert_true(arena_adopt(&verified->arena, insns));
	return verified;
}

static struct verified *verify_text(const char *text, enum bpf_prog_type type)
{
	return verify_with(text, type, SKEP_RIGHTS_ALL);
}

/* Offsets are masked, and barriers are put where speculation could do harm. */
static void facts_guard_against_speculation(void **unused)
{
	struct verified *verified = verify_with("r2 = *(u32 *)(r1 + 0)\n"   /* 0 */
						"r2 &= 3\n"		    /* 1 */
						"r3 = map_value 0 + 4 ll\n" /* 2 */
						"r3 += r2\n"		    /* 4 */
						"*(u64 *)(r10 - 8) = r3\n"  /* 5 */
						"r6 = 1\n"		    /* 6 */
						"if r6 == 1 goto out\n"	    /* 7 */
						"r0 = *(u64 *)(r9 + 0)\n"   /* 8 */
						"out: r0 = 0\n"		    /* 9 */
						"exit",
						BPF_PROG_TYPE_SOCKET_FILTER, SKEP_RIGHT_BPF);
	const struct insn_fact *facts = verified->facts;
	struct strbuf text;

	assert_int_equal(facts[4].mask.kind, MASK_SRC);
	assert_int_equal(facts[4].mask.limit, 3);
	assert_false(facts[4].mask.is_negative || facts[4].mask.is_constant);
	assert_true(facts[5].barrier_after);
	assert_true(facts[8].barrier_before && !facts[8].visited);
	strbuf_init(&text);
	verified_print(verified, "facts", &text);
	assert_non_null(strstr(strbuf_text(&text), "offset in src up to 3"));
	assert_non_null(strstr(strbuf_text(&text), "barrier after"));
	strbuf_done(&text);
	verified_free(verified);
}

static void facts_say_what_executors_need(void **unused)
{
	struct verified *verified = verify_text("r2 = *(u32 *)(r1 + 0)\n"   /* 0: skb->len */
						"r3 = map_value 0 + 4 ll\n" /* 1 */
						"*(u32 *)(r3 + 0) = 7\n"    /* 3 */
						"*(u64 *)(r10 - 8) = 0\n"   /* 4 */
						"r6 = 1\n"		    /* 5 */
						"if r6 == 0 goto dead\n"    /* 6 */
						"if r2 > 9 goto out\n"	    /* 7 */
						"call sub\n"		    /* 8 */
						"out: r0 = 0\n"		    /* 9 */
						"exit\n"		    /* 10 */
						"dead: r0 = 1\n"	    /* 11 */
						"exit\n"		    /* 12 */
						"sub: r0 = 2\n"		    /* 13 */
						"exit",
						BPF_PROG_TYPE_SCHED_CLS);
	const struct insn_fact *facts = verified->facts;

	assert_int_equal(facts[0].mem, MEM_CTX);
	assert_string_equal(insn_fact_ctx(&facts[0])->name, "len");
	assert_ptr_equal(insn_fact_map(&facts[1]), &map);
	assert_int_equal(insn_fact_imm64(&facts[1]), ptr_to_u64(value) + 4);
	assert_int_equal(facts[3].mem, MEM_MAP_VALUE);
	assert_int_equal(facts[4].mem, MEM_STACK);
	assert_true(facts[6].never_taken);
	assert_false(facts[7].never_taken || facts[7].always_taken);
	assert_int_equal(facts[8].callee, 1);
	assert_true(facts[12].callee == -1 && !facts[12].visited);
	assert_int_equal(verified->regs[8][BPF_REG_6].kind, REG_FACT_UNKNOWN); /* dead */
	assert_int_equal(verified->regs[7][BPF_REG_2].number.umax, UINT32_MAX);
	assert_int_equal(verified->subprog_cnt, 2);
	assert_int_equal(verified->subprogs[0].stack_depth, 8);
	assert_true(verified->subprogs[1].is_reachable);
	assert_int_equal(verified->map_cnt, 1);
	verified_free(verified);
}

static void stages_are_printed(void **unused)
{
	static const struct {
		const char *stage, *want;
	} stages[] = {
		{"insns", "   0: r0 = 0x0\n   1: exit\n"},
		{"cfg", "subprogram 0 : insns 0..1, stack 0\n  0..1\n"},
		{"facts", "   0: r0 = 0x0 ;\n   1: exit ; r0=+0\n"},
	};
	struct verified *verified = verify_text("r0 = 0\nexit", BPF_PROG_TYPE_SOCKET_FILTER);
	struct strbuf text;

	strbuf_init(&text);
	for (u32 i = 0; i < ARRAY_SIZE(stages); i++) {
		strbuf_clear(&text);
		assert_int_equal(verified_print(verified, stages[i].stage, &text), 0);
		assert_string_equal(strbuf_text(&text), stages[i].want);
	}
	assert_int_equal(verified_print(verified, "nothing", &text), -EINVAL);
	strbuf_done(&text);
	verified_free(verified);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packed_state_comes_back),
		cmocka_unit_test(what_is_dead_is_not_kept),
		cmocka_unit_test(references_are_counted),
		cmocka_unit_test(facts_say_what_executors_need),
		cmocka_unit_test(facts_guard_against_speculation),
		cmocka_unit_test(stages_are_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
