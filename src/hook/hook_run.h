/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs of a hook as a batch of packets finds them, and what they did to it. All packets
 * of the batch run the same programs, whatever is attached, replaced or detached meanwhile.
 */
#ifndef SKEP_HOOK_HOOK_RUN_H
#define SKEP_HOOK_HOOK_RUN_H

#include "hook/hook.h"

struct hook_run_program {
	const struct prog *prog;
	struct program_tally *tally;
	u32 proceed_on;
	u64 packets[TALLY_RESULTS], bytes[TALLY_RESULTS], ns;
};

struct hook_run {
	u32 count;
	u32 first;	 /* the place of result 0 in tallies: results of tc begin at -1 */
	s32 at_the_end;	 /* what counts as the result when all programs hand on */
	bool is_timed;	 /* BPF_ENABLE_STATS */
	bool is_generic; /* see struct attachment */
	bool is_bound;	 /* some program asks what the port knows of a packet */
	bool has_frags;	 /* every program knows of fragments */
	struct hook_run_program programs[CHAIN_MAX];
};

/* Inside a read-side section that lasts until the end of the batch. Without programs `count` is
 * 0. */
void hook_run_begin(struct hook_run *run, const struct hook *hook, u32 queue);
/* Adds up what was done. */
void hook_run_end(struct hook_run *run);

/* Runs the programs, of which there is at least one, on one packet of so many bytes: the result
 * of the last that ran, unless all hand on. */
s32 hook_run_packet(struct hook_run *run, void *ctx, struct run_context *context, u32 bytes);

/* The programs of the hook on one packet, without a batch. False: there are none. */
bool hook_run_one(const struct hook *hook, u32 queue, void *ctx, struct run_context *context,
		  u32 bytes, s32 *result);

#endif
