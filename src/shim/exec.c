/* SPDX-License-Identifier: BSD-2-Clause */
#include "shim/exec.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIBRARY "libskep-preload.so"

/* Seen from the command's folder: in a build tree, where the command stands at the top, and
 * where both are installed. `SKEP_LIBDIR` is for a command that was moved without the library.
 */
static const char *const places[] = {"/src/shim/" LIBRARY,
				     "/" SKEP_LIBDIR_FROM_BINDIR "/" LIBRARY};

static int find_library(char out[PATH_MAX])
{
	char own[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (length > 0) {
		own[length] = '\0';
		dirname(own);
		for (unsigned int i = 0; i < sizeof(places) / sizeof(*places); i++) {
			snprintf(out, PATH_MAX, "%.*s%s", PATH_MAX - 64, own, places[i]);
			if (!access(out, R_OK))
				return 0;
		}
	}
	snprintf(out, PATH_MAX, "%s/%s", SKEP_LIBDIR, LIBRARY);
	return access(out, R_OK) ? -ELIBACC : 0;
}

int shim_exec(char *const *arguments)
{
	const char *others = getenv("LD_PRELOAD");
	char library[PATH_MAX], preload[2 * PATH_MAX];
	int ret = find_library(library);

	if (ret)
		return ret;
	snprintf(preload, sizeof(preload), "%s%s%.*s", library, others && *others ? ":" : "",
		 PATH_MAX - 1, others ? others : "");
	if (setenv("LD_PRELOAD", preload, 1))
		return -errno;
	execvp(arguments[0], arguments);
	return -errno;
}
