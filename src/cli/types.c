/* SPDX-License-Identifier: BSD-2-Clause */
/* An object's types as a view; apart from session.c because libbpf has names of its own for the
 * same. */
#include "btf/btf.h"
#include "cli/session.h"

struct btf_view *session_types(struct session *session)
{
	struct btf_view *view = NULL;
	const void *data;
	u32 size;

	data = session_btf(session, &size);
	if (data && btf_view_new(data, size, &view, NULL, NULL))
		return NULL;
	return view;
}

int session_check_types(struct session *session)
{
	struct btf_view *view = NULL;
	struct skep_error err = {};
	const void *data;
	u32 size;

	data = session_btf(session, &size);
	if (data && btf_view_new(data, size, &view, NULL, &err))
		return usage_error("%s: its BTF is damaged: %s", session->path, err.text);
	btf_view_free(view);
	return 0;
}
