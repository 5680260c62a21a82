/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs program tests as TAP:
 *
 *	programs linux|skep|checked FOLDER	every *.asm below the folder
 *	programs covered FOLDER			whether each row of isa.def is covered by a test
 */
#include "program_test.h"
#include "tests/linux.h"

#include <ftw.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct paths {
	char **items; /* owned, as are the texts */
	u32 count;
};

static struct paths found; /* nftw() passes no cookie */

static int add_path(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	size_t length = strlen(path);
	char **items;

	if (kind != FTW_F || length < 4 || strcmp(path + length - 4, ".asm"))
		return 0;
	items = reallocarray(found.items, found.count + 1, sizeof(*items));
	if (!items)
		return -1;
	found.items = items;
	found.items[found.count] = strdup(path);
	return found.items[found.count++] ? 0 : -1;
}

static int compare_paths(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

static bool find_paths(const char *folder)
{
	if (nftw(folder, add_path, 16, FTW_PHYS) || !found.count)
		return false;
	qsort(found.items, found.count, sizeof(*found.items), compare_paths);
	return true;
}

static void free_paths(void)
{
	for (u32 i = 0; i < found.count; i++)
		free(found.items[i]);
	free(found.items);
}

/* --- running --- */

/* The text as a TAP diagnostic. */
static void explain(const char *text)
{
	while (*text) {
		int length = (int)strcspn(text, "\n");

		printf("# %.*s\n", length, text);
		text += length + (text[length] == '\n');
	}
}

static bool report(u32 number, const char *name, enum outcome outcome, const char *why)
{
	switch (outcome) {
	case OUTCOME_PASS: printf("ok %u - %s\n", number, name); break;
	case OUTCOME_SKIP: printf("ok %u - %s # SKIP %s\n", number, name, why); break;
	case OUTCOME_FAIL:
		printf("not ok %u - %s\n", number, name);
		explain(why);
		break;
	}
	fflush(stdout);
	return outcome != OUTCOME_FAIL;
}

static bool run_file(u32 number, const char *path, const char *name,
		     const struct target *target)
{
	struct program_test test;
	struct skep_error err = {0};
	struct strbuf why;
	enum outcome outcome = OUTCOME_FAIL;
	bool done;

	strbuf_init(&why);
	if (program_test_read(path, &test, &err))
		strbuf_addf(&why, "%s: %s", err.where, err.text);
	else
		outcome = program_test_run(&test, target, &why);
	done = report(number, name, outcome, strbuf_text(&why));
	program_test_done(&test);
	strbuf_done(&why);
	return done;
}

static bool run_all(const char *folder, const struct target *target)
{
	bool done = true;

	for (u32 i = 0; i < found.count; i++)
		done &= run_file(i + 1, found.items[i], found.items[i] + strlen(folder) + 1,
				 target);
	printf("1..%u\n", found.count);
	return done;
}

/* --- coverage --- */

static void mark_covered(const struct program_test *test, bool *covered)
{
	for (u32 op = 1; op < INSN_OPS; op++) {
		const char *name = insn_desc(op)->name, *at = test->covers;
		size_t length = strlen(name);

		for (; at && (at = strstr(at, name)); at += length)
			if ((at == test->covers || at[-1] == ' ') &&
			    (at[length] == ' ' || !at[length]))
				covered[op] = true;
	}
}

static bool check_coverage(void)
{
	bool covered[INSN_OPS] = {true}, done = true;

	for (u32 i = 0; i < found.count; i++) {
		struct program_test test;

		if (!program_test_read(found.items[i], &test, NULL))
			mark_covered(&test, covered);
		program_test_done(&test);
	}
	for (u32 op = 1; op < INSN_OPS; op++)
		if (!covered[op]) {
			printf("# no test covers %s\n", insn_desc(op)->name);
			done = false;
		}
	printf("%s 1 - every row of isa.def is covered\n1..1\n", done ? "ok" : "not ok");
	return done;
}

/* --- targets --- */

static int linux_bpf(void *cookie, int cmd, union bpf_attr *attr, u32 size)
{
	long result = syscall(SYS_bpf, cmd, attr, size);

	return result < 0 ? -errno : (int)result;
}

static int run_on_linux(const char *folder)
{
	static const struct target target = {"Linux", true, linux_bpf, NULL};

	if (!linux_has_bpf()) {
		printf("1..0 # SKIP bpf(2) is not allowed here\n");
		return 0;
	}
	return !run_all(folder, &target);
}

static int skep_target_bpf(void *cookie, int cmd, union bpf_attr *attr, u32 size)
{
	return skep_bpf(cookie, cmd, attr, size);
}

static int run_on_skep(const char *folder, bool checked)
{
	struct skep_engine_opts opts = {.sz = sizeof(opts), .checked = checked};
	struct target target = {checked ? "skep, checked" : "skep", false, skep_target_bpf,
				NULL};
	struct skep_error err;
	struct skep_engine *engine = skep_engine_new(&opts, &err);
	bool done;

	if (!engine) {
		printf("1..1\nnot ok 1 - engine: %s\n", err.text);
		return 1;
	}
	target.cookie = engine;
	done = run_all(folder, &target);
	skep_engine_free(engine);
	return !done;
}

int main(int argc, char **argv)
{
	int status = 2;

	if (argc != 3 || !find_paths(argv[2])) {
		fprintf(stderr,
			"usage: programs linux|skep|checked|covered FOLDER, with *.asm in it\n");
		return status;
	}
	if (!strcmp(argv[1], "covered"))
		status = !check_coverage();
	else if (!strcmp(argv[1], "linux"))
		status = run_on_linux(argv[2]);
	else if (!strcmp(argv[1], "skep") || !strcmp(argv[1], "checked"))
		status = run_on_skep(argv[2], !strcmp(argv[1], "checked"));
	free_paths();
	return status;
}
