/* SPDX-License-Identifier: BSD-2-Clause */
/* FUSED_NAME(name) for each superinstruction; included wherever all of them are listed. */
#define FUSED_FORMS(name)      \
	FUSED_NAME(name##64_k) \
	FUSED_NAME(name##64_x) FUSED_NAME(name##32_k) FUSED_NAME(name##32_x)
#define ALU(name, ...)	FUSED_FORMS(mov_##name)
#define JUMP(name, ...) FUSED_FORMS(add_##name)
#define LOAD(name, ...) FUSED_NAME(add_##name) FUSED_NAME(mov_add_##name)
#include "run/ops.def"

#define FUSED_WIDTHS(name) FUSED_NAME(name##64) FUSED_NAME(name##32)
#define SHIFT_JOIN(shift, join, ...) \
	FUSED_WIDTHS(shift##_##join) \
	FUSED_WIDTHS(mov_##shift##_##join) FUSED_WIDTHS(shift##_into_##join)
#define EXTEND(shift)			 FUSED_WIDTHS(extend_##shift)
#define LOAD_INTO(load, type, join, ...) FUSED_WIDTHS(load##_##join)
#define ROTATE(first, second, ...) \
	FUSED_WIDTHS(first##_##second##_a) FUSED_WIDTHS(first##_##second##_t)
#define LOAD_MERGE(load, ...)		 FUSED_WIDTHS(load##_merge)
#define LOAD_JUMP(load, type, jump, ...) FUSED_WIDTHS(load##_##jump)
#define COPY(bits, ...)			 FUSED_NAME(copy##bits)
#include "run/fused.def"
#undef FUSED_NAME
#undef FUSED_FORMS
#undef FUSED_WIDTHS
