/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of what is in memory, by its type in the kernel's BTF. */
#include "btf/btf.h"
#include "helper/body.h"
#include "helper/sequence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BTF_FLAGS (BTF_F_COMPACT | BTF_F_NONAME | BTF_F_PTR_RAW | BTF_F_ZERO)
#define PAGE	  4096

/* Linux takes no address of user space for one of its own: here the null pointer's page. */
static int copy_value(u64 address, void *out, size_t size)
{
	return !fault_safe_try(out, size, address) ? 0 : address < PAGE ? -ERANGE : -EFAULT;
}

static int show(const struct run_context *run, const struct btf_ptr *what, u32 what_size,
		u64 flags, struct strbuf *out)
{
	const struct btf_view *view =
		run->env->kernel_types ? run->env->kernel_types(run->env->engine) : NULL;
	s64 size;
	void *copy;
	int ret;

	if (flags & ~(u64)BTF_FLAGS || what_size != sizeof(*what) || !view || !what->type_id)
		return -EINVAL;
	if (!btf_type(view, what->type_id))
		return -ENOENT;
	size = max(btf_size(view, what->type_id), (s64)0);
	copy = malloc((size_t)size + 1);
	if (!copy)
		return -ENOMEM;
	ret = copy_value(ptr_to_u64(what->ptr), copy, (size_t)size);
	if (!ret)
		btf_show_value(view, what->type_id, copy, (size_t)size, flags, out);
	free(copy);
	return out->failed ? -ENOMEM : ret;
}

HELPER_BODY(snprintf_btf)
{
	char *to = u64_to_ptr(r1);
	const u32 room = r2;
	struct strbuf text;
	long ret;

	strbuf_init(&text);
	ret = show(run, u64_to_ptr(r3), (u32)r4, r5, &text);
	if (room) {
		const size_t shown = ret ? 0 : min(text.length, (size_t)room - 1);

		memcpy(to, strbuf_text(&text), shown);
		to[shown] = '\0';
	}
	ret = ret ?: (long)text.length;
	strbuf_done(&text);
	return ret;
}

HELPER_BODY(seq_printf_btf)
{
	struct strbuf text;
	long ret;

	strbuf_init(&text);
	ret = show(run, u64_to_ptr(r2), (u32)r3, r4, &text);
	if (!ret)
		sequence_write(sequence_of(u64_to_ptr(r1)), strbuf_text(&text), text.length);
	strbuf_done(&text);
	return ret;
}
