/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/xsk_library.h"
#include "base/error.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

static struct xsk_library library;
static char missing[160]; /* why there is none */

static bool find(void *handle, const char *name, void *out)
{
	void *function = dlsym(handle, name);

	if (!function)
		strncpy(missing, dlerror(), sizeof(missing) - 1);
	memcpy(out, &function, sizeof(function));
	return function;
}

static void load(void)
{
	void *xdp = dlopen("libxdp.so.1", RTLD_NOW | RTLD_LOCAL);
	void *bpf = xdp ? dlopen("libbpf.so.1", RTLD_NOW | RTLD_LOCAL) : NULL;
	bool found = bpf;

	if (!found)
		strncpy(missing, dlerror(), sizeof(missing) - 1);
#define FUNCTION(name) found = found && find(xdp, #name, &library.name);
	XSK_FUNCTIONS
#undef FUNCTION
#define FUNCTION(name) found = found && find(bpf, #name, &library.name);
	BPF_FUNCTIONS
#undef FUNCTION
}

const struct xsk_library *xsk_library(struct skep_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (!missing[0])
		return &library;
	error_set(err, SKEP_STAGE_PORT, -ENOENT, "AF_XDP needs libxdp: %s", missing);
	error_hint(err, "install libxdp1");
	return NULL;
}
