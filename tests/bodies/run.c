/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs each program of an object once, in skep, in its interpreters and in the running kernel,
 * through the same libbpf calls. A program returns 0, or the line where it found something else
 * than it expects; data and global variables, zero before, must be the same everywhere. One
 * line per program: "ok NAME" or "not ok NAME".
 *
 * usage: run OBJECT [alone]	alone: without the running kernel
 */
#include "base/rcu.h"
#include "cli/adapt.h"
#include "map/own.h"
#include "shim/wrap.h"
#include "sys/engine.h"
#include "tests/linux.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>

#define DATA_BYTES	       64
#define CLEAN_ROUNDS	       20000 /* milliseconds, at least */
#define LONG_BYTES	       9000  /* what a program "long_..." gets */
#define DATA_MAX	       16384
#define SHOWN_BYTES	       512
#define TRIES		       3000 /* a program "until_..." is run again until it is content */
#define LOG_BYTES	       (1 << 20)
#define PROG_STREAM_READ_BY_FD 37 /* newer than the header */

enum { STREAMS = 2, STREAM_BYTES = 100000 }; /* what Linux keeps of each */

struct side {
	const char *name;
	struct skep_engine *engine; /* NULL: the kernel */
	struct image image;	    /* the object's */
	struct bpf_object *object;
	struct bpf_map *globals; /* NULL: the object has none */
	int load_error;
	u8 data[DATA_MAX];
	u32 size, retval;
	int code;
	void *values;
	char streams[STREAMS][STREAM_BYTES];
};

/* Syscall programs get its address as their context. */
static const char user_text[32] = "memory of user space";
static char lines[4096], load_log[LOG_BYTES];

static void keep_line(void *cookie, const char *text, size_t length)
{
	snprintf(lines, sizeof(lines), "%.*s", (int)length, text);
}

static int keep_log(enum libbpf_print_level level, const char *format, va_list args)
{
	const size_t used = strlen(load_log);

	if (level != LIBBPF_DEBUG)
		vsnprintf(load_log + used, sizeof(load_log) - used, format, args);
	return 0;
}

static void side_open(struct side *side, const char *path)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "bodies");
	struct bpf_map *map;

	wrap_use_engine(side->engine);
	side->load_error = image_read(path, &side->image);
	if (side->load_error || exceptions_find(&side->image))
		return;
	side->object = bpf_object__open_mem(side->image.data, side->image.size, &opts);
	side->load_error = side->object ? bpf_object__load(side->object) : -errno;
	if (side->load_error)
		return;
	bpf_object__for_each_map (map, side->object) {
		const char *suffix = strchr(bpf_map__name(map), '.');

		if (suffix && !strcmp(suffix, ".bss"))
			side->globals = map;
	}
	if (side->globals)
		side->values = calloc(1, bpf_map__value_size(side->globals));
}

/* With its maps and programs gone, no object of a program's own is left: not at once, as maps
 * are freed in steps, by a thread of the engine. */
static bool is_clean(struct skep_engine *engine)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	descriptors_reap(engine);
	for (u32 round = 0; round < CLEAN_ROUNDS && own_world_count(engine->env.own); round++) {
		rcu_barrier();
		nanosleep(&pause, NULL);
	}
	return !own_world_count(engine->env.own);
}

static bool side_close(struct side *side)
{
	bool clean = true;

	wrap_use_engine(side->engine);
	bpf_object__close(side->object);
	image_free(&side->image);
	free(side->values);
	wrap_use_linux();
	if (side->engine) {
		clean = is_clean(side->engine);
		printf("%s %s_gives_all_back\n", clean ? "ok" : "not ok", side->name);
		skep_engine_free(side->engine);
	}
	return clean;
}

static bool takes_data(const struct bpf_program *program)
{
	switch ((int)bpf_program__type(program)) {
	case BPF_PROG_TYPE_SYSCALL:
	case BPF_PROG_TYPE_RAW_TRACEPOINT: return false;
	default: return true;
	}
}

/* Empty where the kernel is too old for them. */
static void read_streams(struct side *side, int prog)
{
	for (u32 i = 0; i < STREAMS; i++) {
		struct {
			u64 to;
			u32 size, stream, prog_fd;
			u8 none[108];
		} attr = {
			ptr_to_u64(side->streams[i]), STREAM_BYTES - 1, i + 1, (u32)prog, {0}};
		const long length = syscall(SYS_bpf, PROG_STREAM_READ_BY_FD, &attr, 20);

		side->streams[i][length < 0 ? 0 : length] = '\0';
	}
}

static void side_run(struct side *side, const char *name)
{
	const struct bpf_program *program =
		bpf_object__find_program_by_name(side->object, name);
	static u8 packet[LONG_BYTES];
	u64 text = ptr_to_u64(user_text);
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	const u32 key = 0;

	for (u32 i = 0; i < sizeof(packet); i++)
		packet[i] = i;
	if (takes_data(program)) {
		opts.data_in = packet;
		opts.data_size_in = strncmp(name, "long_", 5) ? DATA_BYTES : LONG_BYTES;
		opts.data_out = side->data;
		opts.data_size_out = sizeof(side->data);
		opts.repeat = 1;
	} else if (bpf_program__type(program) == BPF_PROG_TYPE_SYSCALL) {
		opts.ctx_in = &text;
		opts.ctx_size_in = sizeof(text);
	}
	wrap_use_engine(side->engine);
	if (side->globals) {
		memset(side->values, 0, bpf_map__value_size(side->globals));
		bpf_map_update_elem(bpf_map__fd(side->globals), &key, side->values, 0);
	}
	for (u32 tries = strncmp(name, "until_", 6) ? 1 : TRIES; tries; tries--) {
		opts.retval = 0;
		side->code = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
		side->retval = opts.retval;
		if (side->code || !side->retval)
			break;
		usleep(1000);
	}
	side->size = takes_data(program) && !side->code ? opts.data_size_out : 0;
	read_streams(side, bpf_program__fd(program));
	if (side->globals)
		bpf_map_lookup_elem(bpf_map__fd(side->globals), &key, side->values);
}

/* --- what is compared --- */
static bool print_result(const struct side *side, const char *name)
{
	if (!side->code && !side->retval)
		return true;
	printf("# %s: %s: errno %d, line %u; %s\n", name, side->name, -side->code, side->retval,
	       lines);
	return false;
}

/* The first byte that differs; -1: none. */
static long difference(const void *a, const void *b, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (((const u8 *)a)[i] != ((const u8 *)b)[i])
			return (long)i;
	return -1;
}

static void print_variables(const struct side *a, const struct side *b, const char *name,
			    long at)
{
	s64 ours, theirs;

	if (at + sizeof(ours) > bpf_map__value_size(a->globals))
		return;
	memcpy(&ours, (const u8 *)a->values + at, sizeof(ours));
	memcpy(&theirs, (const u8 *)b->values + at, sizeof(theirs));
	if (ours != theirs)
		printf("# %s: variables differ at %ld: %s %lld, %s %lld\n", name, at, a->name,
		       (long long)ours, b->name, (long long)theirs);
}

static bool is_written_alike(const struct side *a, const struct side *b, const char *name)
{
	/* A kernel that had no memory for them has nothing to compare with. */
	for (u32 i = 0; i < STREAMS; i++)
		if (strcmp(a->streams[i], b->streams[i]) && (b->engine || *b->streams[i])) {
			printf("# %s: stream %u: %s '%.80s', %s '%.80s'\n", name, i + 1,
			       a->name, a->streams[i], b->name, b->streams[i]);
			return false;
		}
	return true;
}

static bool is_equal(const struct side *a, const struct side *b, const char *name)
{
	long at = a->size == b->size ? difference(a->data, b->data, a->size) : 0;

	if (at >= 0)
		printf("# %s: %s, %s: %u, %u bytes of data differ at %ld\n", name, a->name,
		       b->name, a->size, b->size, at);
	else if (a->globals)
		at = difference(a->values, b->values, bpf_map__value_size(a->globals));
	for (long i = at & ~7L; at >= 0 && a->globals && i < SHOWN_BYTES; i += 8)
		print_variables(a, b, name, i);
	return at < 0;
}

static bool test_program(struct side *sides, u32 count, const char *name)
{
	bool good = true;

	for (u32 i = 0; i < count; i++) {
		*lines = '\0';
		side_run(&sides[i], name);
		good = print_result(&sides[i], name) && good;
	}
	for (u32 i = 1; i < count; i++)
		good = is_equal(&sides[0], &sides[i], name) &&
		       is_written_alike(&sides[0], &sides[i], name) && good;
	printf("%s %s\n", good ? "ok" : "not ok", name);
	return good;
}

static struct skep_engine *engine_new(bool checked, u32 jit)
{
	struct skep_engine_opts opts = {
		.sz = sizeof(opts), .checked = checked, .trace = keep_line, .jit = jit};

	return skep_engine_new(&opts, NULL);
}

int main(int argc, char **argv)
{
	struct side sides[] = {{"optimised", engine_new(false, SKEP_JIT_FULL)},
			       {"one_pass", engine_new(false, SKEP_JIT_BASE)},
			       {"interpreted", engine_new(false, SKEP_JIT_OFF)},
			       {"checked", engine_new(true, SKEP_JIT_OFF)},
			       {"Linux", NULL}};
	u32 count = argc == 2 && linux_has_bpf() ? 5 : 4;
	struct bpf_program *program;
	bool good = argc == 2 || argc == 3;

	libbpf_set_print(keep_log);
	for (u32 i = 0; i < count && good; i++) {
		*load_log = '\0';
		side_open(&sides[i], argv[1]);
		good = !sides[i].load_error;
		if (!good)
			printf("# %s: %s\nnot ok load\n", sides[i].name, load_log);
	}
	if (good) {
		bpf_object__for_each_program (program, sides[0].object) {
			good = test_program(sides, count, bpf_program__name(program)) && good;
		}
	}
	for (u32 i = 0; i < ARRAY_SIZE(sides); i++)
		good = side_close(&sides[i]) && good;
	exceptions_forget();
	return !good;
}
