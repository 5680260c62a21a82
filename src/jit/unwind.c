/* SPDX-License-Identifier: BSD-2-Clause */
#include "jit/unwind.h"

#include <errno.h>

enum dwarf_op {
	CFA_nop = 0,
	CFA_advance_loc4 = 4,
	CFA_def_cfa = 0x0c,
	CFA_def_cfa_register = 0x0d,
	CFA_def_cfa_offset = 0x0e,
	CFA_advance_loc = 0x40,
	CFA_offset = 0x80,
};

enum { POINTER_FROM_HERE_32 = 0x1b };

/* libgcc's; no header of its declares them. */
void __register_frame(const void *frames);
void __deregister_frame(const void *frames);

/*
 * What a machine has: its numbers of registers are others in DWARF; what holds at a function's
 * start, with the return address's register or what stands for it; and what its first two
 * instructions do, which are FRAME_BYTES.
 */
#if defined(__aarch64__)
#define RETURN_ADDRESS 30
#define FRAME_BYTES    8 /* stp x29, x30, [sp, #-16]!; mov x29, sp */
#define DWARF_NUMBER(reg) (reg)
#define AT_START       CFA_def_cfa, 31, 0
#define FRAME                                                                          \
	CFA_advance_loc | 4, CFA_def_cfa_offset, 16, CFA_offset | 29, 2, CFA_offset | 30, 1, \
		CFA_advance_loc | 4, CFA_def_cfa_register, 29
#else
#define RETURN_ADDRESS 16
#define FRAME_BYTES    4 /* push rbp; mov rbp, rsp */
#define DWARF_NUMBER(reg) dwarf_number[reg]
#define AT_START       CFA_def_cfa, 7, 8, CFA_offset | RETURN_ADDRESS, 1
#define FRAME                                                                      \
	CFA_advance_loc | 1, CFA_def_cfa_offset, 16, CFA_offset | 6, 2, CFA_advance_loc | 3, \
		CFA_def_cfa_register, 6

static const u8 dwarf_number[] = {0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};
#endif

static void bytes(struct emit *emit, const u8 *list, u32 count)
{
	for (u32 i = 0; i < count; i++)
		emit8(emit, list[i]);
}

static void uleb(struct emit *emit, u32 value)
{
	for (; value >= 0x80; value >>= 7)
		emit8(emit, (u8)(0x80 | value));
	emit8(emit, (u8)value);
}

/* A record's length is that of what follows it, which ends on a multiple of 8 bytes. */
static void end_record(struct emit *emit, u32 start)
{
	while (emit_offset(emit) % 8)
		emit8(emit, CFA_nop);
	emit_patch32(emit, start, emit_offset(emit) - (start + 4));
}

int unwind_begin(struct emit *emit)
{
	static const u8 common[] = {1, 'z', 'R', 0, /* version, augmentation */
				    1, 0x78,
				    RETURN_ADDRESS, /* units of code and (-8) of data */
				    1, POINTER_FROM_HERE_32, AT_START};
	u32 start;

	if (emit_reserve(emit))
		return -ENOMEM;
	start = emit_offset(emit);
	emit32(emit, 0);
	emit32(emit, 0); /* no function: what all have in common */
	bytes(emit, common, sizeof(common));
	end_record(emit, start);
	return 0;
}

static void saved_registers(struct emit *emit, const struct unwind_function *function)
{
	emit8(emit, CFA_advance_loc4);
	emit32(emit, function->saved_by - FRAME_BYTES);
	for (u32 i = 0; i < function->saved_cnt; i++) {
		emit8(emit, CFA_offset | DWARF_NUMBER(function->saved[i]));
		uleb(emit, (u32)(16 - function->first_saved) / 8 + i);
	}
}

int unwind_add(struct emit *emit, u32 common, const struct unwind_function *function)
{
	static const u8 frame[] = {FRAME};
	u32 start;

	if (emit_reserve(emit))
		return -ENOMEM;
	start = emit_offset(emit);
	emit32(emit, 0);
	emit32(emit, start + 4 - common);
	emit32(emit, function->start - emit_offset(emit));
	emit32(emit, function->end - function->start);
	emit8(emit, 0);
	if (!function->has_no_frame)
		bytes(emit, frame, sizeof(frame));
	if (function->saved_cnt)
		saved_registers(emit, function);
	end_record(emit, start);
	return 0;
}

int unwind_end(struct emit *emit)
{
	if (emit_reserve(emit))
		return -ENOMEM;
	emit32(emit, 0);
	return 0;
}

void unwind_register(const void *frames)
{
	__register_frame(frames);
}

void unwind_unregister(const void *frames)
{
	__deregister_frame(frames);
}
