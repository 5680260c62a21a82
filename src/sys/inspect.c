/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"
#include "map/map.h"
#include "ir/ir.h"
#include "run/run.h"
#include "sys/engine.h"

#include <errno.h>
#include <skep/inspect.h>
#include <stdlib.h>
#include <string.h>

void skep_explanation_free(struct skep_explanation *explanation)
{
	if (explanation)
		explanation_free(explanation_of_face(explanation));
}

static int print_stage(const struct prog *prog, const char *stage, struct strbuf *out)
{
	return strncmp(stage, "ir", 2) ? verified_print(prog->verified, stage, out)
				       : ir_print_stage(prog, stage, out);
}

int skep_prog_print(struct skep_engine *engine, int prog_fd, const char *stage, char **out)
{
	struct skep_error *err = engine_error_start(engine);
	struct object *object;
	struct strbuf text;
	int code = 0;

	object = descriptor_object(engine, prog_fd, OBJECT_PROG, NULL, &code);
	if (!object)
		return error_set(err, SKEP_STAGE_CALL, -EBADF, "descriptor %d is no program",
				 prog_fd);
	strbuf_init(&text);
	code = print_stage(container_of(object, struct prog, object), stage, &text);
	object_put(object);
	if (!code && text.failed)
		code = -ENOMEM;
	if (!code) {
		*out = text.text;
		return 0;
	}
	strbuf_done(&text);
	return error_set(err, SKEP_STAGE_CALL, code,
			 code == -EINVAL	? "no stage '%s'"
			 : code == -EOPNOTSUPP ? "stage '%s': the program is not for the optimiser"
					       : "stage '%s': out of memory",
			 stage);
}

int skep_map_bytes(struct skep_engine *engine, int map_fd, uint64_t *out)
{
	struct skep_error *err = engine_error_start(engine);
	int code = 0;
	struct object *object = descriptor_object(engine, map_fd, OBJECT_MAP, NULL, &code);

	if (!object)
		return error_set(err, SKEP_STAGE_CALL, -EBADF, "descriptor %d is no map",
				 map_fd);
	*out = map_bytes(map_of_object(object));
	object_put(object);
	return 0;
}
