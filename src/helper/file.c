/* SPDX-License-Identifier: BSD-2-Clause */
/* Files, as objects that programs were given (kernel_file.h). */
#include "helper/body.h"
#include "helper/kernel_file.h"

#include <errno.h>
#include <string.h>

HELPER_BODY(d_path)
{
	const char *text = kernel_path_text(run->env->kernel, r1);
	const size_t size = text ? strlen(text) + 1 : 0;

	if (!(u32)r3)
		return 0;
	if (!text)
		return -EFAULT;
	if (size > (u32)r3)
		return -ENAMETOOLONG;
	memcpy(u64_to_ptr(r2), text, size);
	return size;
}
