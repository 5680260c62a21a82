/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One object on one target: opened through libbpf, whose system calls go to an engine of this
 * process or to the kernel.
 */
#ifndef SKEP_CLI_SESSION_H
#define SKEP_CLI_SESSION_H

#include "cli/command.h"
#include "cli/explanation.h"
#include "cli/freplace.h"
#include "cli/image.h"
#include "cli/rejection.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <skep/skep.h>

/* The bit of log_level for statistics alone. */
#define LOG_STATISTICS 4

struct session {
	struct command_line *line;
	const char *path;   /* as the user gave it */
	char *compiled;	    /* the object made of a .bpf.c; deleted at close */
	struct image image; /* the object's bytes, as libbpf gets them */
	bool on_linux;
	struct skep_engine *engine; /* NULL on linux */
	bool is_guest;		    /* the engine is another session's */
	u32 slots;		    /* of the engine */
	struct bpf_object *object;
	struct freplace freplace; /* what it replaces, or is replaced by */
	struct strbuf log;	  /* what libbpf said: warnings and the logs of programs */
	struct explanations explanations; /* of the programs loaded so far */
	struct rejection rejection;	  /* of the load that failed; text empty: none */
};

/*
 * Compiles when needed and opens the object (nothing is loaded yet). 0 or an exit code after a
 * message. Always close.
 */
int session_open(struct session *session, struct command_line *line, const char *path);

/* Those of --routes; when there are ports, behind their opening, for the host's devices are known
 * by them. 0 or an exit code after a message. */
int session_set_routes(struct session *session);

/* The same with the bytes of an object; `name` is the path that messages have. */
int session_open_bytes(struct session *session, struct command_line *line, const char *name,
		       const void *bytes, size_t size);

/* The same in the engine of another session, which is closed after this one. */
int session_open_beside(struct session *session, const struct session *first, const char *path);

/* Loads what is autoloaded. EXIT_REJECTED: a program was rejected (said on stderr). */
int session_load(struct session *session);
void session_close(struct session *session);

/* Bytes of memory of the map behind a descriptor; 0: not known. */
u64 session_map_bytes(const struct session *session, int fd);

/* The engine or the kernel for the libbpf calls that follow, without an object. */
int session_target(struct session *session, struct command_line *line);

/*
 * Loads only the programs that --section and --program choose (all when neither is given); the
 * number chosen, 0 after a message.
 */
int session_choose(struct session *session);
bool session_is_chosen(const struct session *session, const struct bpf_program *program);
/* Programs that call one another through a prog array only run when all are loaded. */
bool session_has_prog_array(const struct session *session);
struct bpf_program *session_program(struct session *session, const char *name);

/* Applies every --set: globals before the load, map entries after it. */
int session_set_globals(struct session *session);
int session_set_entries(struct session *session);

/* Of a loaded object: from now on session_global() gives the variables themselves. (Of libbpf
 * only skeletons have that.) 0, or an exit code after a message. */
int session_share_globals(struct session *session);
/* The bytes of a global variable of that size: what it will be loaded with. NULL: there is
 * none. */
void *session_global(struct session *session, const char *name, size_t size);

/* The object's BTF as it stands; NULL: it has none. */
const void *session_btf(struct session *session, u32 *size);

/* The object's BTF as a view of src/btf; NULL: it has none. Freed by the caller. */
struct btf_view;
struct btf_view *session_types(struct session *session);
/* 0, or EXIT_NO_VERDICT after a message when nothing may be read out of it. */
int session_check_types(struct session *session);

/* 0, or an exit code after a message: the types of the object would lead libbpf astray. */
struct btf;
int check_object_types(const char *path, const struct btf *btf);

/* --rights as enum skep_rights, all when it is not given; or an exit code after a message. */
int parse_rights(const struct command_line *line, u32 *out);

/* Compiles FILE.bpf.c; *out is the object's path (malloc'ed, the caller unlinks it). */
int compile_program(const char *path, char **out);

#endif
