/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory: reads of what nobody vouches for. */
#include "helper/body.h"

#include <errno.h>
#include <string.h>

#define PAD_WITH_ZEROS 1 /* Linux's BPF_F_PAD_ZEROS */

/* Loads through the result may fault, and then give 0. */
KFUNC_BODY(bpf_rdonly_cast)
{
	return r1;
}

/* No address is one of an allocator of the kernel's. */
KFUNC_BODY(bpf_get_kmem_cache)
{
	return 0;
}

KFUNC_BODY(bpf_copy_from_user_str)
{
	char *out = u64_to_ptr(r1);
	const u32 size = r2;
	long length;

	if (r4 & ~(u64)PAD_WITH_ZEROS)
		return -EINVAL;
	if (!size)
		return 0;
	length = fault_safe_try_string(out, size, r3);
	if (r4 & PAD_WITH_ZEROS)
		memset(out + max(length, 0L), 0, size - max(length, 0L));
	return length;
}
