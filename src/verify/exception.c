/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/exception.h"

#include "btf/btf.h"
#include "verify/btf_info.h"
#include "verify/prototype.h"
#include "verify/report.h"
#include "verify/sections.h"

#include <errno.h>
#include <string.h>

#define TAG_PREFIX "exception_callback:"

/* --- the callback --- */

/* The name that the program's tag gives; NULL: it has no such tag. */
static int find_name(const struct verify_input *input, const struct report *report,
		     const char **out)
{
	u32 func = btf_info_func(input, 0), count = btf_type_count(input->btf);

	*out = NULL;
	for (u32 id = 1; id <= count; id++) {
		const struct btf_type *type = btf_type(input->btf, id);
		const struct btf_decl_tag *tag = btf_extra(type);
		const char *name = btf_type_name(input->btf, id);

		if (btf_kind(type) != BTF_KIND_DECL_TAG || type->type != func ||
		    tag->component_idx != -1 || strncmp(name, TAG_PREFIX, strlen(TAG_PREFIX)))
			continue;
		if (*out)
			return report(report, 0, exception_callbacks);
		*out = name + strlen(TAG_PREFIX);
	}
	return 0;
}

int exception_find_callback(const struct verify_input *input, const struct report *report,
			    u32 *insn)
{
	const char *name;
	u32 func;
	int ret;

	*insn = 0;
	if (!input->func_info_cnt)
		return 0;
	ret = find_name(input, report, &name);
	if (ret || !name)
		return ret;
	func = btf_find(input->btf, name, BTF_KIND_FUNC);
	if (!func)
		return report(report, 0, exception_callback_unknown, name);
	if (btf_vlen(btf_type(input->btf, func)) != BTF_FUNC_GLOBAL)
		return report(report, 0, exception_callback_static, name);
	for (u32 i = 0; i < input->func_info_cnt; i++) {
		if (btf_info_func(input, i) != func)
			continue;
		*insn = btf_info_start(input, i);
		return *insn ? 0 : report(report, 0, exception_callback_main, *insn);
	}
	return report(report, 0, exception_callback_missing);
}

int exception_prove_prototype(struct walk *walk, const struct prototype *prototype)
{
	if (prototype->param_cnt == 1 && prototype->params[0].kind == PARAM_SCALAR)
		return 0;
	return reject(walk, exception_callback_arguments);
}

/* --- throwing --- */

int exception_prove_throw(struct walk *walk)
{
	int ret = 0;

	if (!walk->cfg.exception_callback)
		ret = prove_cookie(walk);
	return ret ? ret : section_prove_all_left(walk, "bpf_throw");
}
