/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/btf_object.h"
#include "sys/command.h"
#include "sys/user_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BTF_SIZE_MAX (16u << 20)

static void btf_release(struct object *object)
{
	struct btf_object *btf = btf_of_object(object);

	btf_view_free(btf->view);
	free(btf->name);
	free(btf->data);
	free(btf);
}

struct btf_object *btf_object_of_module(const char *name, void *data, size_t size)
{
	struct btf_object *btf = calloc(1, sizeof(*btf));

	if (!btf)
		return NULL;
	btf->name = strdup(name);
	if (!btf->name) {
		free(btf);
		return NULL;
	}
	btf->data = data;
	btf->size = size;
	object_init(&btf->object, OBJECT_BTF, btf_release);
	return btf;
}

static int load(struct call *call, const void *data, struct btf_object **out)
{
	const union bpf_attr *attr = &call->attr.v;
	struct btf_object *btf;
	struct user_log log;
	int ret = user_log_init(&log, call, attr->btf_log_level, attr->btf_log_buf,
				attr->btf_log_size);

	if (ret)
		return ret;
	btf = calloc(1, sizeof(*btf));
	if (!btf)
		return -ENOMEM;
	ret = btf_view_new(data, attr->btf_size, &btf->view, user_log_text(&log), call->err);
	ret = user_log_done(&log, call, offsetof(struct attr_btf_load, btf_log_true_size), ret);
	if (ret) {
		btf_view_free(btf->view);
		free(btf);
		return ret;
	}
	object_init(&btf->object, OBJECT_BTF, btf_release);
	*out = btf;
	return 0;
}

int command_btf_load(struct call *call)
{
	const union bpf_attr *attr = &call->attr.v;
	struct btf_object *btf;
	void *data;
	int ret;

	if (call->attr.btf_load.btf_flags)
		return call_fail(call, -EINVAL, "btf_flags %#x", call->attr.btf_load.btf_flags);
	if (!engine_may(call->engine, SKEP_RIGHT_BPF))
		return call_fail(call, -EPERM, "loading BTF needs CAP_BPF");
	if (attr->btf_size > BTF_SIZE_MAX)
		return call_fail(call, -E2BIG, "BTF of %u bytes", attr->btf_size);
	ret = user_duplicate(attr->btf, attr->btf_size, &data);
	if (ret)
		return ret;
	ret = load(call, data, &btf);
	free(data);
	if (ret)
		return ret;
	descriptors_reap(call->engine);
	return call_hand_out(call, &btf->object, DESCRIPTOR_READ);
}
