/* SPDX-License-Identifier: BSD-2-Clause */
/* The integer names and the handful of macros that every room uses. */
#ifndef SKEP_BASE_TYPES_H
#define SKEP_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
/* long long, as the kernel's and linux/types.h have it: one printf format everywhere. */
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;

#define ARRAY_SIZE(a)			(sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Each argument is evaluated once; the unique names let one stand inside another. */
#define min(a, b)		  COMPARE_ONCE(<, a, b, __COUNTER__)
#define max(a, b)		  COMPARE_ONCE(>, a, b, __COUNTER__)
#define COMPARE_ONCE(op, a, b, n) COMPARE_NAMED(op, a, b, n)
#define COMPARE_NAMED(op, a, b, n)                                \
	({                                                        \
		__typeof__(a) first_##n = (a);                    \
		__typeof__(b) second_##n = (b);                   \
		first_##n op second_##n ? first_##n : second_##n; \
	})

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define CACHE_LINE  64

static inline u64 round_up(u64 value, u64 power_of_two)
{
	return (value + power_of_two - 1) & ~(power_of_two - 1);
}

static inline bool is_power_of_two(u64 value)
{
	return value && !(value & (value - 1));
}

/* A pointer as a program's register holds it. */
static inline u64 ptr_to_u64(const void *ptr)
{
	return (u64)(uintptr_t)ptr;
}

static inline void *u64_to_ptr(u64 value)
{
	return (void *)(uintptr_t)value;
}

#endif
