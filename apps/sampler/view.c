/* SPDX-License-Identifier: BSD-2-Clause */
#include "view.h"

#include "cli/command.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME	  "sampler"
#define READS_MAX 100

static const u32 zero;

static const char *pin_of(const char *dir, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/" NAME, dir);
	return path;
}

/* Of a map that is there already: whether it is one of these. */
static bool is_view(int fd)
{
	struct bpf_map_info info = {};
	u32 size = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &size) && info.type == BPF_MAP_TYPE_ARRAY &&
	       info.value_size == sizeof(struct view);
}

int view_publish_open(const char *dir, int *out)
{
	char path[PATH_MAX];
	int fd = bpf_obj_get(pin_of(dir, path)), err;

	if (fd >= 0 && !is_view(fd)) {
		close(fd);
		return usage_error("%s: there is something else", path);
	}
	if (fd < 0) {
		fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, NAME, sizeof(zero), sizeof(struct view),
				    1, NULL);
		err = fd < 0 ? fd : bpf_obj_pin(fd, path);
		if (err && fd >= 0)
			close(fd);
		if (err)
			return usage_error("%s: cannot be pinned: %s", path, strerror(-err));
	}
	*out = fd;
	return 0;
}

void view_publish(int fd, struct view *view)
{
	view->sequence_again = view->sequence;
	bpf_map_update_elem(fd, &zero, view, BPF_ANY);
}

void view_publish_close(const char *dir, int fd, struct view *view)
{
	char path[PATH_MAX];

	view->is_over = 1;
	view_publish(fd, view);
	close(fd);
	/* A file of bpffs; a name of an engine stays. */
	unlink(pin_of(dir, path));
}

int view_open(const char *dir, int *out)
{
	char path[PATH_MAX];
	const int fd = bpf_obj_get(pin_of(dir, path));

	if (fd < 0)
		return usage_error("%s: %s; is `skep app sampler --pin-dir %s` running?", path,
				   strerror(-fd), dir);
	if (is_view(fd)) {
		*out = fd;
		return 0;
	}
	close(fd);
	return usage_error("%s: this is no view of a sampler of this version", path);
}

/* It may be written while it is read; then both numbers differ. */
int view_read(int fd, struct view *out)
{
	for (u32 i = 0; i < READS_MAX; i++) {
		const int err = bpf_map_lookup_elem(fd, &zero, out);

		if (err)
			return err;
		if (out->sequence == out->sequence_again)
			return 0;
	}
	return -EAGAIN;
}
