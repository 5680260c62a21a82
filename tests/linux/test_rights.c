/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/rights.h"
#include "tests/unit.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void drop_all(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {};

	assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

static void names_what_is_missing(void **state)
{
	assert_string_equal(linux_missing_right(ENOENT), "");
	drop_all();
	assert_int_equal(linux_capabilities(), 0);
	assert_false(linux_has_capability(CAP_BPF));
	assert_string_equal(
		linux_missing_right(EPERM),
		" (missing: CAP_BPF for programs and maps, CAP_PERFMON for tracing, "
		"CAP_NET_ADMIN for networking)");
	assert_string_equal(linux_missing_right(EINVAL), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names_what_is_missing)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
