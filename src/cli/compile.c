/* SPDX-License-Identifier: BSD-2-Clause */
/* A .bpf.c becomes an object: clang for the bpf target, with the headers that such files
 * include. */
#include "cli/session.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Newest first: newer compilers know newer instructions. $SKEP_CLANG goes before all. */
static const char *const compilers[] = {"clang-21", "clang-20", "clang-19",
					"clang-18", "clang-17", "clang-16",
					"clang",    "clang-15", "clang-14"};

static const struct {
	const char *machine, *define;
} machines[] = {
	{"x86_64", "-D__TARGET_ARCH_x86"},
	{"aarch64", "-D__TARGET_ARCH_arm64"},
	{"riscv64", "-D__TARGET_ARCH_riscv"},
	{"s390x", "-D__TARGET_ARCH_s390"},
};

static bool is_in_path(const char *name)
{
	const char *path = getenv("PATH") ?: "/usr/bin:/bin";
	char file[4096];

	for (size_t length; *path; path += length + (path[length] == ':')) {
		length = strcspn(path, ":");
		snprintf(file, sizeof(file), "%.*s/%s", (int)length, path, name);
		if (!access(file, X_OK))
			return true;
	}
	return false;
}

static const char *find_compiler(void)
{
	const char *chosen = getenv("SKEP_CLANG");

	if (chosen && *chosen)
		return chosen;
	for (u32 i = 0; i < ARRAY_SIZE(compilers); i++)
		if (is_in_path(compilers[i]))
			return compilers[i];
	return NULL;
}

static int run_compiler(char **arguments)
{
	int status, code;
	pid_t pid;

	code = posix_spawnp(&pid, arguments[0], NULL, NULL, arguments, environ);
	if (code)
		return usage_error("%s: %s", arguments[0], strerror(code));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return EXIT_NO_VERDICT;
}

/* The folder of the machine's own headers (asm/types.h), which Debian keeps apart. */
static void machine_headers(char *out, size_t size, const char **define)
{
	struct utsname host;

	uname(&host);
	*define = "-D__TARGET_ARCH_x86";
	for (u32 i = 0; i < ARRAY_SIZE(machines); i++)
		if (!strcmp(host.machine, machines[i].machine))
			*define = machines[i].define;
	snprintf(out, size, "-I/usr/include/%s-linux-gnu", host.machine);
}

int compile_program(const char *path, char **out)
{
	const char *compiler = find_compiler(), *define;
	char headers[128], object[] = "/tmp/skep-XXXXXX.bpf.o";
	int fd, code;

	if (access(path, R_OK))
		return usage_error("%s: %s", path, strerror(errno));
	if (!compiler)
		return usage_error(
			"%s: compiling needs clang (apt-get install clang), or name one "
			"in SKEP_CLANG",
			path);
	fd = mkstemps(object, strlen(".bpf.o"));
	if (fd < 0)
		return usage_error("no temporary file: %s", strerror(errno));
	close(fd);
	machine_headers(headers, sizeof(headers), &define);
	code = run_compiler((char *[]){(char *)compiler, "-g", "-O2", "-target", "bpf",
				       (char *)define, headers, "-c", (char *)path, "-o",
				       object, NULL});
	if (code) {
		unlink(object);
		return code == EXIT_NO_VERDICT
			       ? usage_error("%s: %s could not compile it", path, compiler)
			       : code;
	}
	*out = strdup(object);
	return *out ? 0 : usage_error("out of memory");
}
