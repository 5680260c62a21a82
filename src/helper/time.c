/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks: the kernel's own, read without entering it (vDSO). */
#include "base/os.h"
#include "helper/body.h"

#include <time.h>

HELPER_BODY(ktime_get_ns)
{
	return os_time_ns(CLOCK_MONOTONIC);
}

HELPER_BODY(ktime_get_boot_ns)
{
	return os_time_ns(CLOCK_BOOTTIME);
}

HELPER_BODY(ktime_get_coarse_ns)
{
	return os_time_ns(CLOCK_MONOTONIC_COARSE);
}

HELPER_BODY(ktime_get_tai_ns)
{
	return os_time_ns(CLOCK_TAI);
}

/*
 * Ticks of the host's kernel. The coarse clock moves once a tick, so that its resolution is the
 * tick's length; counting begins five minutes before 32 bits overflow, as in Linux.
 */
HELPER_BODY(jiffies64)
{
	struct timespec tick;
	u64 tick_ns;

	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	tick_ns = tick.tv_sec * 1000000000ull + tick.tv_nsec;
	return (u32)(-300 * (s64)(1000000000ull / tick_ns)) +
	       os_time_ns(CLOCK_MONOTONIC_COARSE) / tick_ns;
}
