/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs program tests as TAP:
 *
 *	programs linux|skep|interpreted|checked FOLDER	every *.asm below the folder
 *	programs covered FOLDER			whether each row of isa.def is covered by a test
 */
#include "program_test.h"

#include <errno.h>
#include <ftw.h>
#include <skep/skep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* On the target, or one like it with the rights that the test is about. */
static enum outcome run_test(const struct program_test *test, const char *kind,
			     const struct target *target, struct strbuf *why)
{
	struct target other;
	enum outcome outcome;

	if (test->rights == target->rights)
		return program_test_run(test, target, why);
	if (target_open(kind, test->rights, &other)) {
		strbuf_adds(why, "cannot open such a target");
		return OUTCOME_FAIL;
	}
	outcome = program_test_run(test, &other, why);
	target_close(&other);
	return outcome;
}

static bool run_file(u32 number, const char *path, const char *name, const char *kind,
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
		outcome = run_test(&test, kind, target, &why);
	done = report(number, name, outcome, strbuf_text(&why));
	program_test_done(&test);
	strbuf_done(&why);
	return done;
}

static bool run_all(const char *folder, const char *kind, const struct target *target)
{
	bool done = true;

	for (u32 i = 0; i < found.count; i++)
		done &= run_file(i + 1, found.items[i], found.items[i] + strlen(folder) + 1,
				 kind, target);
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

static int run_on(const char *name, const char *folder)
{
	struct target target;
	int error = target_open(name, SKEP_RIGHTS_ALL, &target);
	bool done;

	if (error == -EPERM) {
		printf("1..0 # SKIP bpf(2) is not allowed here\n");
		return 0;
	}
	if (error) {
		fprintf(stderr, "%s: %s\n", name, strerror(-error));
		return 2;
	}
	done = run_all(folder, name, &target);
	target_close(&target);
	return !done;
}

int main(int argc, char **argv)
{
	int status;

	if (argc != 3 || !find_paths(argv[2])) {
		fprintf(stderr,
			"usage: programs linux|skep|checked|covered FOLDER, with *.asm in it\n");
		return 2;
	}
	status = strcmp(argv[1], "covered") ? run_on(argv[1], argv[2]) : !check_coverage();
	free_paths();
	return status;
}
