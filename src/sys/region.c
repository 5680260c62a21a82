/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/region.h"

#include "base/os.h"
#include "base/slot.h"
#include "map/shared.h"
#include "sys/engine.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <skep/region.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The file of a directory of pins. */
#define FILE_NAME "region"

/* The directory and those above it; each with access for us alone when it is made. */
static int make_directories(char *path)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(path, 0700) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int pin_file(const char *directory, char out[PATH_MAX], struct skep_error *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int length, code;

	if (*directory)
		length = snprintf(out, PATH_MAX, "%s/" FILE_NAME, directory);
	else if (runtime && *runtime == '/')
		length = snprintf(out, PATH_MAX, "%s/skep/bpf/" FILE_NAME, runtime);
	else
		return error_set(err, SKEP_STAGE_CALL, -ENOENT,
				 "no directory for pins: XDG_RUNTIME_DIR is not set");
	code = length < PATH_MAX ? make_directories(out) : -ENAMETOOLONG;
	return code ? error_set(err, SKEP_STAGE_CALL, code, "directory for pins '%.150s': %s",
				out, strerror(-code))
		    : 0;
}

static int check(const struct skep_engine_opts *opts, struct skep_error *err)
{
	if (opts->region > SKEP_REGION_FD)
		return error_set(err, SKEP_STAGE_CALL, -EINVAL, "skep_engine_opts: region %u",
				 opts->region);
	if (opts->pin_dir && opts->region)
		return error_set(
			err, SKEP_STAGE_CALL, -EINVAL,
			"skep_engine_opts: pin_dir is a region, too: give one of them");
	if ((opts->region == SKEP_REGION_FILE) != (opts->region_path != NULL))
		return error_set(err, SKEP_STAGE_CALL, -EINVAL,
				 "skep_engine_opts: region_path goes with SKEP_REGION_FILE");
	return 0;
}

static int check_slots(const struct skep_engine *engine, u32 wanted, struct skep_error *err)
{
	const struct commons *commons = shared_commons(engine->shared);

	if (!wanted || wanted == commons_slots(commons))
		return 0;
	return error_set(err, SKEP_STAGE_CALL, -EINVAL,
			 "%.160s: has %u slots, %u were asked for", commons_name(commons),
			 commons_slots(commons), wanted);
}

int region_init(struct skep_engine *engine, const struct skep_engine_opts *opts,
		struct skep_error *err)
{
	struct commons_params params = {
		.fd = -1, .size = opts->region_size, .address = opts->region_address};
	char path[PATH_MAX];
	int code = check(opts, err);

	if (code || (!opts->region && !opts->pin_dir))
		return code;
	params.slots = opts->slots ? opts->slots : min(os_possible_cpus(), SLOTS_MAX);
	if (opts->pin_dir) {
		code = pin_file(opts->pin_dir, path, err);
		params.path = path;
	} else if (opts->region == SKEP_REGION_FILE) {
		params.path = opts->region_path;
	} else if (opts->region == SKEP_REGION_FD) {
		params.fd = opts->region_fd;
		if (fcntl(params.fd, F_GETFD) < 0)
			code = error_set(err, SKEP_STAGE_CALL, -EBADF,
					 "skep_engine_opts: region_fd %d is not open",
					 params.fd);
	}
	if (!code)
		code = shared_open(&params, &engine->shared, err);
	return code ? code : check_slots(engine, opts->slots, err);
}

int skep_region_fd(struct skep_engine *engine)
{
	struct skep_error *err = engine_error_start(engine);
	char path[32];
	int fd;

	if (!engine->shared)
		return error_set(err, SKEP_STAGE_CALL, -ENOENT, "the engine has no region");
	/* Another open file: the locks of ours say whether we live. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d",
		 commons_fd(shared_commons(engine->shared)));
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? error_set(err, SKEP_STAGE_CALL, -errno, "%s", strerror(errno)) : fd;
}

void *skep_region_address(struct skep_engine *engine)
{
	engine_error_start(engine);
	return engine->shared ? commons_base(shared_commons(engine->shared)) : NULL;
}
