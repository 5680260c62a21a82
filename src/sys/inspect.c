/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/run.h"
#include "sys/engine.h"

#include <errno.h>
#include <skep/inspect.h>
#include <stdlib.h>

void skep_explanation_free(struct skep_explanation *explanation)
{
	if (explanation)
		explanation_free(explanation_of_face(explanation));
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
	code = verified_print(container_of(object, struct prog, object)->verified, stage,
			      &text);
	object_put(object);
	if (!code && text.failed)
		code = -ENOMEM;
	if (!code) {
		*out = text.text;
		return 0;
	}
	strbuf_done(&text);
	return error_set(err, SKEP_STAGE_CALL, code,
			 code == -EINVAL ? "no stage '%s'" : "stage '%s': out of memory",
			 stage);
}
