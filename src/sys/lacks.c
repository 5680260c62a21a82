/* SPDX-License-Identifier: BSD-2-Clause */
/* What skep would need to run a program that it has only verified. */
#include "catalog/helper.h"
#include "catalog/host.h"
#include "isa/isa.h"
#include "run/run.h"
#include "sys/engine.h"

#include <errno.h>
#include <skep/inspect.h>
#include <stdlib.h>
#include <string.h>

/* One line, unless it is there already. */
static void add_line(struct strbuf *out, const char *what, const char *name)
{
	struct strbuf line;

	strbuf_init(&line);
	strbuf_addf(&line, "%s %s\n", what, name);
	if (!strstr(strbuf_text(out), strbuf_text(&line)))
		strbuf_adds(out, strbuf_text(&line));
	out->failed |= line.failed;
	strbuf_done(&line);
}

static void add_call(struct strbuf *out, struct skep_engine *engine,
		     const struct bpf_insn *insn)
{
	const struct btf_view *kernel;
	const char *name;

	switch (insn->src_reg) {
	case 0:
		if (!insn_is_host_helper(insn) && !prog_has_helper(insn->imm))
			add_line(out, "helper", helper_row(insn->imm)->name);
		break;
	case BPF_PSEUDO_KFUNC_CALL:
		kernel = kernel_btf_view(&engine->kernel_btf);
		name = kernel ? btf_type_name(kernel, insn->imm) : "";
		if (!host_has_type(hosted_host(&engine->hosted), insn->imm) &&
		    !prog_has_kfunc(name))
			add_line(out, "kernel function", name);
		break;
	}
}

static void add_all(struct strbuf *out, struct skep_engine *engine, const struct prog *prog)
{
	const struct verified *verified = prog->verified;

	for (u32 at = 0; at < verified->insn_cnt; at += insn_slots(&verified->insns[at]))
		if (verified->facts[at].visited &&
		    verified->insns[at].code == (BPF_JMP | BPF_CALL))
			add_call(out, engine, &verified->insns[at]);
}

int skep_prog_lacks(struct skep_engine *engine, int prog_fd, char **out)
{
	struct skep_error *err = engine_error_start(engine);
	struct object *object;
	struct strbuf text;
	char *list;
	int code = 0;

	object = descriptor_object(engine, prog_fd, OBJECT_PROG, NULL, &code);
	if (!object)
		return error_set(err, SKEP_STAGE_CALL, -EBADF, "descriptor %d is no program",
				 prog_fd);
	strbuf_init(&text);
	add_all(&text, engine, container_of(object, struct prog, object));
	object_put(object);
	list = text.failed ? NULL : strdup(strbuf_text(&text));
	strbuf_done(&text);
	if (!list)
		return error_set(err, SKEP_STAGE_CALL, -ENOMEM, "out of memory");
	*out = list;
	return 0;
}
