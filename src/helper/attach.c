/* SPDX-License-Identifier: BSD-2-Clause */
/* What programs ask of the event that they run for, and what they say to it (struct run_event).
 */
#include "helper/body.h"

#include <errno.h>
#include <string.h>

HELPER_BODY(get_attach_cookie)
{
	return run->event.cookie;
}

HELPER_BODY(get_func_ip)
{
	return run->event.function;
}

HELPER_BODY(get_func_arg)
{
	const u64 *args = u64_to_ptr(r1);
	u64 *out = u64_to_ptr(r3);

	if ((u32)r2 >= run->event.arg_cnt)
		return -EINVAL;
	*out = args[(u32)r2];
	return 0;
}

HELPER_BODY(get_func_ret)
{
	const u64 *args = u64_to_ptr(r1);
	u64 *out = u64_to_ptr(r2);

	if (!run->event.has_result)
		return -EOPNOTSUPP;
	*out = args[run->event.arg_cnt];
	return 0;
}

HELPER_BODY(get_func_arg_cnt)
{
	return run->event.arg_cnt;
}

HELPER_BODY(get_retval)
{
	return run->event.retval;
}

HELPER_BODY(set_retval)
{
	run->event.retval = (s32)r1;
	return 0;
}

HELPER_BODY(override_return)
{
	run->event.is_overridden = true;
	run->event.override = r2;
	return 0;
}

HELPER_BODY(perf_prog_read_value)
{
	void *out = u64_to_ptr(r2);

	if ((u32)r3 == sizeof(*run->event.counter) && run->event.counter) {
		memcpy(out, run->event.counter, sizeof(*run->event.counter));
		return 0;
	}
	memset(out, 0, (u32)r3);
	return run->event.counter ? -EINVAL : -EOPNOTSUPP;
}
