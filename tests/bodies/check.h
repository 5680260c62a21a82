/* SPDX-License-Identifier: BSD-2-Clause */
/* A program returns the line of the first expectation that fails, or 0. */
#ifndef SKEP_TESTS_BODIES_CHECK_H
#define SKEP_TESTS_BODIES_CHECK_H

#define CHECK(condition)                 \
	do {                             \
		if (!(condition))        \
			return __LINE__; \
	} while (0)

#define EINVAL	   22
#define ENOENT	   2
#define E2BIG	   7
#define EAGAIN	   11
#define EFAULT	   14
#define EBUSY	   16
#define EPERM	   1
#define EDEADLK	   35
#define ETIMEDOUT  110
#define ENOSPC	   28
#define ERANGE	   34
#define EOPNOTSUPP 95

#endif
