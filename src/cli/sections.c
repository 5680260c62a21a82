/* SPDX-License-Identifier: BSD-2-Clause */
/* What the names of newer sections mean, told to libbpf. */
#include "catalog/uapi.h"
#include "cli/adapt.h"

static const struct {
	const char *name;
	enum bpf_prog_type type;
	enum bpf_attach_type attach_type;
	u32 flags;
} sections[] = {
#define SECTION(name, type, attach_type, flags) \
	{name, BPF_PROG_TYPE_##type, (enum bpf_attach_type)(attach_type), flags},
#include "cli/sections.def"
#undef SECTION
};

static int prepare(struct bpf_program *program, struct bpf_prog_load_opts *opts, long flags)
{
	if (bpf_program__type(program) == BPF_PROG_TYPE_STRUCT_OPS)
		return struct_ops_prepare(program, opts, flags);
	opts->prog_flags |= flags;
	return 0;
}

/* libbpf keeps its handlers for the process. */
void register_sections(void)
{
	static bool is_done;

	for (u32 i = 0; !is_done && i < ARRAY_SIZE(sections); i++) {
		LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = sections[i].flags,
			    .prog_prepare_load_fn = prepare);

		libbpf_register_prog_handler(sections[i].name, sections[i].type,
					     sections[i].attach_type, &opts);
	}
	is_done = true;
}
