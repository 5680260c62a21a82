/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs of freplace sections and the program whose functions they replace, which is in
 * another object: --attach-prog names that of a FILE to be judged, --replace the extensions of
 * a FILE to be run.
 */
#include "cli/freplace.h"

#include "cli/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_object(struct freplace *other)
{
	size_t length = strlen(other->path);
	int code = 0;

	if (length > 2 && !strcmp(other->path + length - 2, ".c"))
		code = compile_program(other->path, &other->compiled);
	if (code)
		return code;
	code = image_read(other->compiled ?: other->path, &other->image);
	if (code)
		return usage_error("%s: %s", other->path, strerror(-code));
	code = check_object_types(other->path, other->image.btf);
	if (code)
		return code;
	other->object = bpf_object__open_mem(other->image.data, other->image.size, NULL);
	return other->object ? 0
			     : usage_error("%s: not an object that libbpf can open: %s",
					   other->path, strerror(errno));
}

/* The program of this name, or, without one, the only one. NULL after a message. */
static struct bpf_program *choose(struct bpf_object *object, const char *path, const char *name)
{
	struct bpf_program *program, *found = NULL;
	u32 count = 0;

	bpf_object__for_each_program (program, object) {
		if (bpf_program__type(program) == BPF_PROG_TYPE_EXT ||
		    (name && strcmp(bpf_program__name(program), name)))
			continue;
		found = program;
		count++;
	}
	if (count == 1)
		return found;
	if (name)
		usage_error("%s: no program named '%s'", path, name);
	else if (count)
		usage_error("%s: %u programs: choose the one whose function is replaced", path,
			    count);
	else
		usage_error("%s: no program whose function could be replaced", path);
	return NULL;
}

static int replace_in(struct bpf_object *extensions, int target)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, extensions) {
		int ret = bpf_program__type(program) == BPF_PROG_TYPE_EXT
				  ? bpf_program__set_attach_target(program, target, NULL)
				  : 0;

		if (ret)
			return usage_error("%s: %s", bpf_program__name(program),
					   strerror(-ret));
	}
	return 0;
}

/* --- --attach-prog --- */

/* FILE:PROGRAM in two, unless there is a file of the whole name. */
static const char *split_name(char *spec)
{
	char *colon = strrchr(spec, ':');

	if (!colon || !access(spec, F_OK))
		return NULL;
	*colon = '\0';
	return colon + 1;
}

int freplace_open_target(struct session *session)
{
	struct freplace *other = &session->freplace;
	struct bpf_program *program, *at;
	const char *name;
	int code;

	other->path = strdup(session->line->option[OPTION_attach_prog]);
	if (!other->path)
		return usage_error("out of memory");
	name = split_name(other->path);
	code = open_object(other);
	program = code ? NULL : choose(other->object, other->path, name);
	if (!program)
		return EXIT_NO_VERDICT;
	bpf_object__for_each_program (at, other->object)
		bpf_program__set_autoload(at, at == program);
	code = bpf_object__load(other->object);
	if (code)
		return usage_error("%s: cannot be loaded: %s; `skep verify` says why",
				   other->path, strerror(-code));
	return replace_in(session->object, bpf_program__fd(program));
}

int freplace_prove_target(struct session *session)
{
	struct bpf_program *program;

	if (option_given(session->line, OPTION_attach_prog))
		return 0;
	bpf_object__for_each_program (program, session->object)
		if (bpf_program__type(program) == BPF_PROG_TYPE_EXT &&
		    bpf_program__autoload(program))
			return usage_error("%s: '%s' replaces a function of another program: "
					   "name that with --attach-prog FILE[:PROGRAM]",
					   session->path, bpf_program__name(program));
	return 0;
}

/* --- --replace --- */

static int attach_each(struct freplace *other)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, other->object) {
		struct bpf_link *link;

		if (other->link_cnt == FREPLACE_MAX)
			return usage_error("%s: more than %d programs", other->path,
					   FREPLACE_MAX);
		link = bpf_program__attach_freplace(program, 0, NULL);
		if (!link)
			return usage_error("%s: '%s' cannot be attached: %s", other->path,
					   bpf_program__name(program), strerror(errno));
		other->links[other->link_cnt++] = link;
	}
	return 0;
}

int freplace_attach(struct session *session)
{
	struct freplace *other = &session->freplace;
	struct bpf_program *target;
	int code;

	other->path = strdup(session->line->option[OPTION_replace]);
	if (!other->path)
		return usage_error("out of memory");
	code = open_object(other);
	if (code)
		return code;
	target = choose(session->object, session->path, session->line->option[OPTION_program]);
	if (!target)
		return EXIT_NO_VERDICT;
	code = replace_in(other->object, bpf_program__fd(target));
	if (code)
		return code;
	code = bpf_object__load(other->object);
	if (code)
		return usage_error(
			"%s: cannot be loaded: %s; `skep verify --attach-prog` says why",
			other->path, strerror(-code));
	return attach_each(other);
}

void freplace_close(struct freplace *other)
{
	for (u32 i = 0; i < other->link_cnt; i++)
		bpf_link__destroy(other->links[i]);
	bpf_object__close(other->object);
	image_free(&other->image);
	if (other->compiled)
		unlink(other->compiled);
	free(other->compiled);
	free(other->path);
}
