/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/session.h"
#include "base/os.h"
#include "cli/adapt.h"
#include "linux/fdinfo.h"
#include "linux/rights.h"
#include "shim/debug.h"
#include "shim/wrap.h"

#include <bpf/btf.h>
#include <errno.h>
#include <limits.h>
#include <skep/inspect.h>
#include <skep/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBBPF_LINE 512
#define ROUTES_MAX  (64 << 20)

/* libbpf's print function has no argument of the caller's: the session that is open. */
static struct session *listening;

static int listen_to_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (listening && (level != LIBBPF_DEBUG || strstr(format, "PROG LOAD LOG")))
		strbuf_vaddf(&listening->log, format, args);
	return 0;
}

static void print_trace(void *cookie, const char *text, size_t length)
{
	struct output *output = cookie;
	char *line = strndup(text, length && text[length - 1] == '\n' ? length - 1 : length);

	if (!line)
		return;
	output_begin(output, "printk");
	output_bare(output, "text", line);
	output_end(output);
	free(line);
}

static void keep_explanation(void *cookie, struct skep_explanation *explanation)
{
	explanations_add(&listening->explanations, explanation);
}

/* Options of the engine that are numbers. */
static int read_sizes(const struct command_line *line, struct skep_engine_opts *opts)
{
	u64 slots, memory;
	int code = option_number(line, OPTION_slots, 0, &slots)
			   ?: option_size(line, OPTION_memory, &memory);

	if (code)
		return code;
	if (slots > UINT32_MAX || (!slots && option_given(line, OPTION_slots)))
		return usage_error("--slots %s: expected 1 to 256", line->option[OPTION_slots]);
	opts->slots = (u32)slots;
	opts->memory_limit = memory;
	opts->pin_dir = line->option[OPTION_pin_dir];
	opts->region_or_private = true;
	return 0;
}

int session_set_routes(struct session *session)
{
	const char *from = session->line->option[OPTION_routes];
	struct skep_error err = {};
	char *text = NULL;
	size_t size;
	int ret;

	if (!from)
		return 0;
	if (!strcmp(from, "host"))
		return skep_routes_copy_host(session->engine, &err)
			       ? usage_error("--routes host: %s", err.text)
			       : 0;
	ret = os_read_file(from, ROUTES_MAX, &text, &size);
	if (ret)
		return usage_error("--routes %s: %s", from, strerror(-ret));
	ret = skep_routes_set(session->engine, text, size, &err);
	free(text);
	return ret ? usage_error("--routes %s: %s", from, err.text) : 0;
}

static int parse_jit_debug(const char *text, u32 *out)
{
	*out = 0;
	if (!text || debug_parse(text, out))
		return 0;
	return usage_error("--jit-debug %s: expected perf-map, perf-dump or gdb, with commas "
			   "between them",
			   text);
}

static int parse_jit_options(const struct command_line *line, struct skep_engine_opts *opts)
{
	u64 background, harden;
	int code = option_number(line, OPTION_jit_background, 0, &background)
			   ?: option_number(line, OPTION_jit_harden, 0, &harden);

	if (code)
		return code;
	if (harden > SKEP_JIT_HARDEN_ALL || background > UINT32_MAX)
		return usage_error(harden > SKEP_JIT_HARDEN_ALL
					   ? "--jit-harden: expected 0, 1 or 2"
					   : "--jit-background: expected instructions");
	opts->jit_background = (u32)background;
	opts->jit_harden = (u32)harden;
	return parse_jit_debug(line->option[OPTION_jit_debug], &opts->jit_debug);
}

static int new_engine(struct session *session, u32 rights, u32 jit, u64 fuel)
{
	struct skep_engine_opts opts = {
		.sz = sizeof(opts),
		.rights = rights,
		.rights_given = true,
		.trace = print_trace,
		.trace_cookie = &session->line->output,
		.verify_only = session->line->command->run == cmd_verify,
		.explain = keep_explanation,
		.checked = option_given(session->line, OPTION_checked),
		.jit = jit,
		.fuel = fuel,
	};
	struct skep_error err;
	int code = read_sizes(session->line, &opts) ?: parse_jit_options(session->line, &opts);

	if (code)
		return code;
	session->engine = skep_engine_new(&opts, &err);
	session->slots = opts.slots ? opts.slots : min(libbpf_num_possible_cpus(), 256);
	if (!session->engine)
		return usage_error("%s", err.text);
	wrap_use_engine(session->engine);
	debug_report_crashes(session->engine);
	return 0;
}

static int parse_jit(const char *name, u32 *jit)
{
	*jit = SKEP_JIT_DEFAULT;
	if (!name)
		return 0;
	if (!strcmp(name, "off"))
		*jit = SKEP_JIT_OFF;
	else if (!strcmp(name, "base"))
		*jit = SKEP_JIT_BASE;
	else if (!strcmp(name, "full"))
		*jit = SKEP_JIT_FULL;
	else
		return usage_error("--jit %s: expected off, base or full", name);
	return 0;
}

static int use_linux(struct session *session, u32 rights)
{
	int err = linux_drop_rights(rights);

	if (err)
		return usage_error("--rights: %s", strerror(-err));
	session->on_linux = true;
	wrap_use_linux();
	return 0;
}

int session_target(struct session *session, struct command_line *line)
{
	const char *target = line->option[OPTION_target] ?: "skep";
	u32 rights, jit;
	u64 fuel;
	int code;

	*session = (struct session){.line = line};
	strbuf_init(&session->log);
	session->log.limit = 64 << 20;
	listening = session;
	libbpf_set_print(listen_to_libbpf);
	code = parse_rights(line, &rights) ?: parse_jit(line->option[OPTION_jit], &jit);
	code = code ?: option_number(line, OPTION_fuel, 0, &fuel);
	if (code)
		return code;
	if (!strcmp(target, "skep"))
		return new_engine(session, rights, jit, fuel);
	if (option_given(line, OPTION_jit))
		return usage_error(
			"--jit is for the skep target; Linux decides by net.core.bpf_jit_enable");
	if (option_given(line, OPTION_jit_background) || option_given(line, OPTION_jit_harden))
		return usage_error("--jit-background and --jit-harden are for the skep target; "
				   "Linux decides by net.core.bpf_jit_harden");
	if (option_given(line, OPTION_jit_debug))
		return usage_error("--jit-debug is for the skep target; Linux's programs are "
				   "symbols of the kernel");
	if (option_given(line, OPTION_routes))
		return usage_error("--routes is for the skep target; Linux has its own");
	if (option_given(line, OPTION_fuel))
		return usage_error("--fuel is for the skep target; Linux has no limit");
	if (strcmp(target, "linux"))
		return usage_error("--target %s: expected skep or linux", target);
	return use_linux(session, rights);
}

u64 session_map_bytes(const struct session *session, int fd)
{
	uint64_t bytes = 0;

	if (session->on_linux)
		return linux_fd_memlock(fd);
	skep_map_bytes(session->engine, fd, &bytes);
	return bytes;
}

static bool is_source(const char *path)
{
	size_t length = strlen(path);

	return length > 2 && !strcmp(path + length - 2, ".c");
}

/* Ends the text before its last line, and returns that line; NULL: there is none. */
static char *cut_last_line(char *text)
{
	size_t length = strlen(text);
	char *line;

	while (length && text[length - 1] == '\n')
		text[--length] = '\0';
	if (!length)
		return NULL;
	line = strrchr(text, '\n');
	if (!line)
		return text;
	*line = '\0';
	return line + 1;
}

/* libbpf's own words for what is wrong: its last warning that says more than "failed". */
static const char *last_words(struct session *session)
{
	char *text = session->log.text, *line = text ? cut_last_line(text) : NULL;

	while (line && line != text && strstr(line, "failed to load object"))
		line = cut_last_line(text);
	return line && !strncmp(line, "libbpf: ", 8) ? line + 8 : line;
}

/* What can be said before libbpf looks at it. */
static int read_image(struct session *session)
{
	int err = session->image.data
			  ? 0
			  : image_read(session->compiled ?: session->path, &session->image);

	if (err == -EISDIR)
		return usage_error("%s: a directory, expected an object or a .bpf.c",
				   session->path);
	if (err)
		return usage_error("%s: %s", session->path, strerror(-err));
	return check_object_types(session->path, session->image.btf);
}

/* Linux names an object by its file, up to the first point. */
static void name_object(const char *path, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');

	snprintf(out, size, "%s", slash ? slash + 1 : path);
	out[strcspn(out, ".")] = '\0';
}

static int open_object(struct session *session)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	char name[PATH_MAX];

	name_object(session->path, name, sizeof(name));
	opts.object_name = name;
	opts.relaxed_maps = arenas_find(&session->image);
	struct_ops_find(&session->image, session->line->command->run == cmd_verify);
	if (exceptions_find(&session->image))
		return usage_error("out of memory");
	register_sections();
	session->object = bpf_object__open_mem(session->image.data, session->image.size, &opts);
	if (!session->object)
		return usage_error("%s: not an object that libbpf can open: %s", session->path,
				   last_words(session) ?: strerror(errno));
	arenas_set(session->object);
	return 0;
}

static int open_file(struct session *session, const char *path)
{
	int code = 0;

	session->path = path;
	if (!session->image.data && is_source(path))
		code = compile_program(path, &session->compiled);
	if (!code)
		code = read_image(session);
	code = code ?: open_object(session);
	if (!code && option_given(session->line, OPTION_attach_prog))
		code = freplace_open_target(session);
	return code;
}

int session_open(struct session *session, struct command_line *line, const char *path)
{
	int code = session_target(session, line);

	return code ? code : open_file(session, path);
}

int session_open_bytes(struct session *session, struct command_line *line, const char *name,
		       const void *bytes, size_t size)
{
	int code = session_target(session, line);

	if (!code && image_copy(bytes, size, &session->image))
		code = usage_error("out of memory");
	return code ? code : open_file(session, name);
}

int session_open_beside(struct session *session, const struct session *first, const char *path)
{
	*session = (struct session){
		.line = first->line,
		.on_linux = first->on_linux,
		.engine = first->engine,
		.slots = first->slots,
		.is_guest = true,
	};
	strbuf_init(&session->log);
	session->log.limit = first->log.limit;
	listening = session;
	return open_file(session, path);
}

void session_close(struct session *session)
{
	freplace_close(&session->freplace);
	if (session->object)
		bpf_object__close(session->object);
	exceptions_forget();
	image_free(&session->image);
	if (session->compiled)
		unlink(session->compiled);
	free(session->compiled);
	if (!session->is_guest) {
		wrap_use_linux();
		skep_engine_free(session->engine);
	}
	listening = NULL;
	explanations_done(&session->explanations);
	strbuf_done(&session->log);
}

struct bpf_program *session_program(struct session *session, const char *name)
{
	return bpf_object__find_program_by_name(session->object, name);
}

bool session_is_chosen(const struct session *session, const struct bpf_program *program)
{
	const char *section = session->line->option[OPTION_section];
	const char *name = session->line->option[OPTION_program];

	return (!section || !strcmp(section, bpf_program__section_name(program))) &&
	       (!name || !strcmp(name, bpf_program__name(program)));
}

bool session_has_prog_array(const struct session *session)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, session->object) {
		if (bpf_map__type(map) == BPF_MAP_TYPE_PROG_ARRAY)
			return true;
	}
	return false;
}

static void say_none_chosen(const struct session *session)
{
	const char *section = session->line->option[OPTION_section];
	const char *name = session->line->option[OPTION_program];

	if (name)
		usage_error("%s: no program named '%s'%s%s", session->path, name,
			    section ? " in section " : "", section ?: "");
	else if (section)
		usage_error("%s: no program in section '%s'", session->path, section);
	else
		usage_error("%s: no program", session->path);
}

int session_choose(struct session *session)
{
	struct bpf_program *program;
	int chosen = 0;

	bpf_object__for_each_program (program, session->object) {
		bpf_program__set_autoload(program, session_is_chosen(session, program));
		chosen += session_is_chosen(session, program);
	}
	if (!chosen)
		say_none_chosen(session);
	return chosen;
}

/* Nothing is known of the program itself. */
static bool is_missing_in_skep(const struct rejection *rejection)
{
	return rejection->reason && !strcmp(rejection->reason, "helper_missing");
}

/*
 * libbpf fills prog arrays after it has loaded all programs: it fails there when a program was
 * not chosen, and by then what was chosen has been accepted.
 */
static bool only_lacks_unchosen(const struct session *session)
{
	const struct command_line *line = session->line;

	return line->command->run == cmd_verify && session_has_prog_array(session) &&
	       (option_given(line, OPTION_program) || option_given(line, OPTION_section)) &&
	       strstr(strbuf_text(&session->log), "failed to initialize slot");
}

static int explain_failure(struct session *session, int code)
{
	const struct skep_error *err =
		session->engine ? skep_engine_error(session->engine) : NULL;
	const char *right = session->on_linux ? linux_missing_right(-code) : "";

	if (rejection_find(strbuf_text(&session->log), err, &session->rejection)) {
		session->rejection.explanation = session->explanations.rejected;
		rejection_print(&session->rejection, session->path);
		return is_missing_in_skep(&session->rejection) ? EXIT_NO_VERDICT
							       : EXIT_REJECTED;
	}
	if (*right)
		return usage_error("%s: Linux does not load it: %s%s", session->path,
				   strerror(-code), right);
	if (!err || !err->code || !err->text[0])
		return usage_error("%s: cannot be loaded: %s", session->path,
				   last_words(session) ?: strerror(-code));
	usage_error("%s: %s", session->path, err->text);
	if (err->hint[0])
		fprintf(stderr, "  hint: %s\n", err->hint);
	return EXIT_NO_VERDICT;
}

/*
 * Linux refuses a value size of a ring buffer; declared in the object it only names the
 * record's type, which stays in the BTF.
 */
static void drop_ring_value_sizes(struct session *session)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, session->object)
		if (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF && bpf_map__value_size(map))
			bpf_map__set_value_size(map, 0);
}

/*
 * libbpf loads a rejected program once more, for a log of its whole path. skep has explained
 * the rejection by then: a log of statistics only, asked for from the start, saves the second
 * load.
 */
static void ask_for_no_path(struct session *session)
{
	struct bpf_program *program;

	if (session->on_linux || option_given(session->line, OPTION_log_level))
		return;
	bpf_object__for_each_program (program, session->object)
		bpf_program__set_log_level(program, LOG_STATISTICS);
}

int session_load(struct session *session)
{
	int code;

	listening = session;
	drop_ring_value_sizes(session);
	ask_for_no_path(session);
	strbuf_clear(&session->log);
	code = arenas_make(session->object, session->on_linux);
	if (!code)
		code = bpf_object__load(session->object);
	if (code && !only_lacks_unchosen(session))
		return explain_failure(session, code);
	return option_given(session->line, OPTION_replace) ? freplace_attach(session) : 0;
}

const void *session_btf(struct session *session, u32 *size)
{
	const struct btf *btf = bpf_object__btf(session->object);

	return btf ? btf__raw_data(btf, size) : NULL;
}
