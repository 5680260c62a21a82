/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads what each iterator of an object writes, in skep, in its checked interpreter and in the
 * running kernel, through the same libbpf calls: the texts must be equal. One line per program:
 * "ok NAME" or "not ok NAME". A program whose name begins with
 *
 *	elements_	iterates over the map of the rest of its name; a kernel may refuse such
 *programs, so that their texts are here, too
 *	own_		over this process: its threads, files or memory
 *	one_		over the calling thread
 *	root_		over the root of the cgroup tree
 *
 * usage: run OBJECT
 */
#include "shim/wrap.h"
#include "sys/engine.h"
#include "tests/linux.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_BYTES (1 << 20)
#define LOG_BYTES  (1 << 20)

struct side {
	const char *name;
	struct skep_engine *engine; /* NULL: the kernel */
	struct bpf_object *object;
	char text[TEXT_BYTES];
	long size; /* of the text; a negative errno */
};

static char load_log[LOG_BYTES];

static int keep_log(enum libbpf_print_level level, const char *format, va_list args)
{
	const size_t used = strlen(load_log);

	if (level != LIBBPF_DEBUG)
		vsnprintf(load_log + used, sizeof(load_log) - used, format, args);
	return 0;
}

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* --- the object --- */

/* Ten elements, the same everywhere. */
static void fill(struct bpf_map *map)
{
	static u64 values[512];

	for (u32 i = 0; i < 10; i++) {
		const u32 key = i;

		for (u32 at = 0; at < ARRAY_SIZE(values); at++)
			values[at] = i * 100 + at;
		bpf_map_update_elem(bpf_map__fd(map), &key, values, 0);
	}
}

static bool is_of_elements(const char *name)
{
	return has_prefix(name, "elements_");
}

static int load(struct side *side, const char *path, bool with_elements)
{
	struct bpf_program *program;

	side->object = bpf_object__open_file(path, NULL);
	if (!side->object)
		return -errno;
	bpf_object__for_each_program (program, side->object)
		bpf_program__set_autoload(
			program, with_elements || !is_of_elements(bpf_program__name(program)));
	return bpf_object__load(side->object);
}

static int side_open(struct side *side, const char *path)
{
	struct bpf_map *map;
	int ret;

	wrap_use_engine(side->engine);
	ret = load(side, path, true);
	if (ret == -EPERM && !side->engine) {
		bpf_object__close(side->object);
		printf("# this kernel refuses programs that iterate over elements\n");
		ret = load(side, path, false);
	}
	if (ret)
		return ret;
	bpf_object__for_each_map (map, side->object)
		if (bpf_map__key_size(map) == sizeof(u32) && bpf_map__max_entries(map) == 10)
			fill(map);
	return 0;
}

static void side_close(struct side *side)
{
	wrap_use_engine(side->engine);
	bpf_object__close(side->object);
	wrap_use_linux();
	skep_engine_free(side->engine);
}

/* --- a program --- */

static void say_scope(const struct side *side, const char *name, union bpf_iter_link_info *info)
{
	const char *map = name + strlen("elements_");

	if (has_prefix(name, "elements_"))
		info->map.map_fd = (u32)bpf_object__find_map_fd_by_name(side->object, map);
	else if (has_prefix(name, "own_"))
		info->task.pid = (u32)getpid();
	else if (has_prefix(name, "one_"))
		info->task.tid = (u32)gettid();
	else if (has_prefix(name, "root_"))
		info->cgroup.order = BPF_CGROUP_ITER_SELF_ONLY;
}

static long read_text(int fd, char *out)
{
	long size = 0, got;

	while ((got = read(fd, out + size, (size_t)(TEXT_BYTES - 1 - size))) > 0)
		size += got;
	out[size] = '\0';
	return got < 0 ? -errno : size;
}

static void side_run(struct side *side, const char *name)
{
	union bpf_iter_link_info info = {0};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info,
		    .link_info_len = sizeof(info));
	struct bpf_program *program = bpf_object__find_program_by_name(side->object, name);
	struct bpf_link *link;
	int fd;

	wrap_use_engine(side->engine);
	say_scope(side, name, &info);
	link = bpf_program__attach_iter(program, &opts);
	fd = link ? bpf_iter_create(bpf_link__fd(link)) : -errno;
	side->size = fd < 0 ? fd : read_text(fd, side->text);
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
}

static bool can_run(const struct side *side, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(side->object, name)) >= 0;
}

/* What programs over elements write. */
static bool is_expected(const struct side *side, const char *name)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{"elements_array",
		 "0: 0 = 0, 1\n1: 1 = 100, 101\n2: 2 = 200, 201\n3: 3 = 300, 301\n"
		 "4: 4 = 400, 401\n5: 5 = 500, 501\n6: 6 = 600, 601\n7: 7 = 700, 701\n"
		 "8: 8 = 800, 801\n9: 9 = 900, 901\n10: end, map of 10\n"},
		{"elements_percpu_array", "0 = 0\n1 = 100\n2 = 200\n3 = 300\n4 = 400\n5 = 500\n"
					  "6 = 600\n7 = 700\n8 = 800\n9 = 900\n"},
		{"elements_hash", "45, 4511 of 10\n"},
		{"elements_lru", "10\n"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(name, rows[i].name))
			return !strcmp(side->text, rows[i].text);
	return !is_of_elements(name);
}

static void print_difference(const struct side *a, const struct side *b, const char *name)
{
	size_t at = 0, start = 0;

	while (a->text[at] && a->text[at] == b->text[at])
		if (a->text[at++] == '\n')
			start = at;
	printf("# %s: %s gives %ld, %s %ld; the first lines that differ:\n# %.*s\n# %.*s\n",
	       name, a->name, a->size, b->name, b->size, (int)strcspn(a->text + start, "\n"),
	       a->text + start, (int)strcspn(b->text + start, "\n"), b->text + start);
}

static bool test_program(struct side *sides, u32 count, const char *name)
{
	bool good = true;

	for (u32 i = 0; i < count; i++) {
		if (!can_run(&sides[i], name))
			continue;
		side_run(&sides[i], name);
		if (sides[i].size == sides[0].size &&
		    (sides[0].size < 0 || !strcmp(sides[i].text, sides[0].text)))
			continue;
		print_difference(&sides[0], &sides[i], name);
		good = false;
	}
	/* a text that is empty would compare nothing */
	if (sides[0].size <= 0 || !is_expected(&sides[0], name)) {
		printf("# %s: %ld bytes: %.400s\n", name, sides[0].size, sides[0].text);
		good = false;
	}
	printf("%s %s\n", good ? "ok" : "not ok", name);
	return good;
}

/* --- what is refused --- */

static int create(const struct side *side, const char *name, u32 target_fd, u32 flags,
		  const union bpf_iter_link_info *info, u32 size)
{
	union bpf_attr attr = {0};
	long fd;

	wrap_use_engine(side->engine);
	attr.link_create.prog_fd =
		(u32)bpf_program__fd(bpf_object__find_program_by_name(side->object, name));
	attr.link_create.attach_type = BPF_TRACE_ITER;
	attr.link_create.target_fd = target_fd;
	attr.link_create.flags = flags;
	attr.link_create.iter_info = ptr_to_u64(info);
	attr.link_create.iter_info_len = size;
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	if (fd >= 0)
		close((int)fd);
	return fd >= 0 ? 0 : -errno;
}

static bool test_refusals(struct side *sides, u32 count)
{
	const struct {
		const char *what, *program;
		u32 target_fd, flags, size;
		union bpf_iter_link_info info;
	} rows[] = {
		{"flags", "own_threads", 0, 1, 0, {}},
		{"target_fd", "own_threads", 1, 0, 0, {}},
		{"a tid and a pid", "own_threads", 0, 0, 16, {.task = {.tid = 1, .pid = 1}}},
		{"a pidfd that is none", "own_threads", 0, 0, 16, {.task = {.pid_fd = 999}}},
		{"a map that is none", "elements_hash", 0, 0, 16, {.map = {.map_fd = 999}}},
		{"no map", "elements_hash", 0, 0, 16, {}},
		{"no info at all", "elements_hash", 0, 0, 0, {}},
		{"no order", "root_group", 0, 0, 16, {}},
		{"an unknown order", "root_group", 0, 0, 16, {.cgroup = {.order = 9}}},
		{"two groups",
		 "root_group",
		 0,
		 0,
		 16,
		 {.cgroup = {.order = 1, .cgroup_fd = 1, .cgroup_id = 1}}},
		{"a group that is none",
		 "root_group",
		 0,
		 0,
		 16,
		 {.cgroup = {.order = 1, .cgroup_fd = 999}}},
	};
	bool good = true;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const union bpf_iter_link_info *info = rows[i].size ? &rows[i].info : NULL;
		int first = 0;

		for (u32 s = 0; s < count && can_run(&sides[s], rows[i].program); s++) {
			int ret = create(&sides[s], rows[i].program, rows[i].target_fd,
					 rows[i].flags, info, rows[i].size);

			first = s ? first : ret;
			if (ret == first)
				continue;
			printf("# %s: %s gives %d, %s %d\n", rows[i].what, sides[0].name, first,
			       sides[s].name, ret);
			good = false;
		}
	}
	printf("%s refusals\n", good ? "ok" : "not ok");
	return good;
}

/* A map whose keys and values are shorter than the program uses. */
static bool test_sizes(struct side *sides, u32 count)
{
	bool good = true;
	int first = 0;

	for (u32 s = 0; s < count && can_run(&sides[s], "elements_hash"); s++) {
		union bpf_iter_link_info info = {0};
		int fd, ret;

		wrap_use_engine(sides[s].engine);
		fd = bpf_map_create(BPF_MAP_TYPE_HASH, NULL, 4, 4, 1, NULL);
		info.map.map_fd = (u32)fd;
		ret = create(&sides[s], "elements_hash", 0, 0, &info, sizeof(info));
		close(fd);
		first = s ? first : ret;
		good = good && ret == first && ret == -EACCES;
	}
	printf("%s sizes_of_elements\n", good ? "ok" : "not ok");
	return good;
}

static bool test_info(struct side *sides, u32 count)
{
	bool good = true;

	for (u32 s = 0; s < count; s++) {
		union bpf_iter_link_info scope = {.task = {.pid = (u32)getpid()}};
		LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &scope,
			    .link_info_len = sizeof(scope));
		struct bpf_link_info info = {0};
		char name[16] = "";
		u32 size = sizeof(info);
		struct bpf_link *link;

		wrap_use_engine(sides[s].engine);
		link = bpf_program__attach_iter(
			bpf_object__find_program_by_name(sides[s].object, "own_threads"),
			&opts);
		info.iter.target_name = ptr_to_u64(name);
		info.iter.target_name_len = sizeof(name);
		if (!link)
			good = false;
		else
			good = !bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &size) &&
			       info.type == BPF_LINK_TYPE_ITER && !strcmp(name, "task") &&
			       info.iter.target_name_len == 5 &&
			       info.iter.task.pid == (u32)getpid() &&
			       bpf_link_detach(bpf_link__fd(link)) == -EOPNOTSUPP && good;
		bpf_link__destroy(link);
	}
	printf("%s info\n", good ? "ok" : "not ok");
	return good;
}

static struct skep_engine *engine_new(bool checked)
{
	struct skep_engine_opts opts = {.sz = sizeof(opts), .checked = checked};

	return skep_engine_new(&opts, NULL);
}

int main(int argc, char **argv)
{
	static struct side sides[] = {{"skep"}, {"checked"}, {"Linux"}};
	u32 count = linux_has_bpf() ? 3 : 2;
	struct bpf_program *program;
	bool good = argc == 2;

	libbpf_set_print(keep_log);
	sides[0].engine = engine_new(false);
	sides[1].engine = engine_new(true);
	for (u32 i = 0; i < count && good; i++) {
		*load_log = '\0';
		good = !side_open(&sides[i], argv[1]);
		if (!good)
			printf("# %s: %s\nnot ok load\n", sides[i].name, load_log);
	}
	if (good) {
		bpf_object__for_each_program (program, sides[0].object) {
			good = test_program(sides, count, bpf_program__name(program)) && good;
		}
		good = test_refusals(sides, count) && good;
		good = test_sizes(sides, count) && good;
		good = test_info(sides, count) && good;
	}
	for (u32 i = 0; i < ARRAY_SIZE(sides); i++)
		side_close(&sides[i]);
	return !good;
}
