/* SPDX-License-Identifier: BSD-2-Clause */
#include "shim/debug.h"

#include "base/types.h"

#include <signal.h>
#include <skep/debug.h>
#include <string.h>
#include <unistd.h>

#define REPORT_SIZE 2048

bool debug_parse(const char *text, uint32_t *out)
{
	static const struct {
		const char *name;
		u32 flag;
	} names[] = {{"perf-map", SKEP_JIT_PERF_MAP},
		     {"perf-dump", SKEP_JIT_PERF_DUMP},
		     {"gdb", SKEP_JIT_GDB}};
	u32 debug = 0;

	while (*text) {
		const size_t length = strcspn(text, ",");
		u32 i = 0;

		while (i < ARRAY_SIZE(names) && (strlen(names[i].name) != length ||
						 strncmp(names[i].name, text, length) != 0))
			i++;
		if (i == ARRAY_SIZE(names))
			return false;
		debug |= names[i].flag;
		text += length + (text[length] == ',');
	}
	*out = debug;
	return true;
}

/* --- crashes --- */

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};

static struct skep_engine *watched;
static struct sigaction before[ARRAY_SIZE(crashes)];

/* Back in the code the same happens again, and what was installed before gets it; what was sent
 * from outside is sent once more. */
static void hand_on(int signal, const siginfo_t *info)
{
	for (u32 i = 0; i < ARRAY_SIZE(crashes); i++)
		if (crashes[i] == signal)
			sigaction(signal, &before[i], NULL);
	if (info->si_code <= 0)
		raise(signal);
}

static void on_crash(int signal, siginfo_t *info, void *context)
{
	static const char head[] = "skep: ",
			  tail[] = "This is a bug of skep: please report it.\n";
	char text[REPORT_SIZE];
	const size_t length =
		skep_crash_describe(watched, signal, info, context, text, sizeof(text));

	/* Where standard error is closed there is nobody to tell. */
	if (length && write(STDERR_FILENO, head, sizeof(head) - 1) > 0 &&
	    write(STDERR_FILENO, text, length) > 0)
		(void)!write(STDERR_FILENO, tail, sizeof(tail) - 1);
	hand_on(signal, info);
}

void debug_report_crashes(struct skep_engine *engine)
{
	const struct sigaction action = {.sa_sigaction = on_crash,
					 .sa_flags = SA_SIGINFO | SA_ONSTACK};

	watched = engine;
	for (u32 i = 0; i < ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &action, &before[i]);
}
