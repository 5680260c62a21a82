/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper/kernel_file.h"

#include "base/os.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MAPS_MAX    (64 << 20)
#define INFO_MAX    4096
#define MINOR_BITS  20 /* of a device, as the kernel has it inside */
#define FMODE_READ  1
#define FMODE_WRITE 2

/* --- files --- */

static void *make_super_block(struct kernel_world *world, dev_t device, u64 magic)
{
	void *super = kernel_new(world, KERNEL_STRUCT_super_block);

	if (super) {
		kernel_set(super, KERNEL_super_block_s_dev,
			   (u64)major(device) << MINOR_BITS | minor(device));
		kernel_set(super, KERNEL_super_block_s_magic, magic);
	}
	return super;
}

static void *make_inode(struct kernel_world *world, dev_t device, u64 number, u64 magic)
{
	void *inode = kernel_new(world, KERNEL_STRUCT_inode);

	if (inode) {
		kernel_set(inode, KERNEL_inode_i_ino, number);
		kernel_hold(inode, KERNEL_inode_i_sb, make_super_block(world, device, magic));
	}
	return inode;
}

static void *make_dentry(struct kernel_world *world, const char *path)
{
	void *dentry = kernel_new(world, KERNEL_STRUCT_dentry);
	const char *name;

	if (!dentry)
		return NULL;
	snprintf(kernel_hidden(dentry)->extra, KERNEL_PATH_BYTES, "%s", path);
	name = strrchr(kernel_hidden(dentry)->extra, '/');
	name = name ? name + 1 : kernel_hidden(dentry)->extra;
	kernel_set(dentry, KERNEL_dentry_name, ptr_to_u64(name));
	kernel_set(dentry, KERNEL_dentry_length, strlen(name));
	return dentry;
}

/* Takes over the reference to the inode. */
static void *make_file(struct kernel_world *world, const char *path, void *inode)
{
	void *file = kernel_new(world, KERNEL_STRUCT_file), *dentry;

	if (!file) {
		kernel_put(inode);
		return NULL;
	}
	dentry = make_dentry(world, path);
	if (dentry)
		kernel_set(dentry, KERNEL_dentry_d_inode, ptr_to_u64(inode));
	kernel_hold(file, KERNEL_file_f_inode, inode);
	kernel_hold(file, KERNEL_file_dentry, dentry);
	return file;
}

static void describe_inode(void *inode, const char *link)
{
	struct statx status;

	if (statx(-1, link, 0, STATX_BASIC_STATS | STATX_BTIME, &status))
		return;
	kernel_hidden(inode)->key = (struct owner_key){
		OWNER_INODE,
		{(u64)status.stx_dev_major << 32 | status.stx_dev_minor, status.stx_ino,
		 (u64)status.stx_btime.tv_sec * 1000000000 + status.stx_btime.tv_nsec}};
	kernel_set(inode, KERNEL_inode_i_mode, status.stx_mode);
	kernel_set(inode, KERNEL_inode_i_uid, status.stx_uid);
	kernel_set(inode, KERNEL_inode_i_gid, status.stx_gid);
	kernel_set(inode, KERNEL_inode_i_size, status.stx_size);
	kernel_set(inode, KERNEL_inode_i_nlink, status.stx_nlink);
	kernel_set(inode, KERNEL_inode_i_rdev,
		   (u64)status.stx_rdev_major << MINOR_BITS | status.stx_rdev_minor);
}

/* Position and flags, from /proc/PID/fdinfo/FD. */
static void describe_file(void *file, pid_t task, u32 fd)
{
	char path[48], *text;
	unsigned long long position;
	unsigned int flags;
	size_t size;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%u", task, fd);
	if (os_read_file(path, INFO_MAX, &text, &size))
		return;
	if (sscanf(text, "pos: %llu flags: %o", &position, &flags) == 2) {
		kernel_set(file, KERNEL_file_f_pos, position);
		kernel_set(file, KERNEL_file_f_flags, flags);
		kernel_set(file, KERNEL_file_f_mode,
			   ((flags & 3) != 1 ? FMODE_READ : 0) |
				   ((flags & 3) ? FMODE_WRITE : 0));
	}
	free(text);
}

void *kernel_file_behind(struct kernel_world *world, const char *link)
{
	char path[KERNEL_PATH_BYTES];
	struct statfs tree = {0};
	struct stat status;
	ssize_t length;
	void *inode;

	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0 || stat(link, &status))
		return NULL;
	path[length] = '\0';
	statfs(link, &tree);
	inode = make_inode(world, status.st_dev, status.st_ino, (u64)tree.f_type);
	if (!inode)
		return NULL;
	describe_inode(inode, link);
	return make_file(world, path, inode);
}

void *kernel_file(struct kernel_world *world, pid_t task, u32 fd)
{
	char link[48];
	void *file;

	snprintf(link, sizeof(link), "/proc/%d/fd/%u", task, fd);
	file = kernel_file_behind(world, link);
	if (file)
		describe_file(file, task, fd);
	return file;
}

const char *kernel_path_text(struct kernel_world *world, u64 path)
{
	void *file = path ? kernel_around(world, KERNEL_file_path, path) : NULL;
	void *dentry = file ? u64_to_ptr(kernel_value(file, KERNEL_file_dentry)) : NULL;

	return dentry ? kernel_hidden(dentry)->extra : NULL;
}

/* --- areas --- */

int area_list_new(struct area_list *list, pid_t task, u64 from)
{
	char path[40];
	size_t size;
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/maps", task);
	ret = os_read_file(path, MAPS_MAX, &list->text, &size);
	if (!ret && !size) {
		free(list->text);
		ret = -ENOENT;
	}
	list->from = from;
	list->rest = ret ? NULL : list->text;
	if (ret)
		list->text = NULL;
	return ret == -ENOMEM ? ret : ret ? -ENOENT : 0;
}

void area_list_done(struct area_list *list)
{
	free(list->text);
	*list = (struct area_list){0};
}

/* VM_READ, VM_WRITE, VM_EXEC and VM_SHARED. */
static u64 area_flags(const char *letters)
{
	u64 flags = 0;

	for (u32 i = 0; i < 4; i++)
		if (letters[i] == "rwxs"[i])
			flags |= 1u << i;
	return flags;
}

/* A line of /proc/PID/maps. */
static void *make_area(struct kernel_world *world, const char *line, u64 from)
{
	unsigned long long start, end, offset, inode;
	unsigned int dev_major, dev_minor;
	char letters[5];
	void *area;
	int at = 0;

	if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu %n", &start, &end, letters, &offset,
		   &dev_major, &dev_minor, &inode, &at) < 7 ||
	    end <= from)
		return NULL;
	area = kernel_new(world, KERNEL_STRUCT_vm_area_struct);
	if (!area)
		return NULL;
	kernel_set(area, KERNEL_vm_area_struct_vm_start, start);
	kernel_set(area, KERNEL_vm_area_struct_vm_end, end);
	kernel_set(area, KERNEL_vm_area_struct_vm_flags, area_flags(letters));
	kernel_set(area, KERNEL_vm_area_struct_vm_pgoff, offset / os_page_size());
	if (inode)
		kernel_hold(
			area, KERNEL_vm_area_struct_vm_file,
			make_file(world, line + at,
				  make_inode(world, makedev(dev_major, dev_minor), inode, 0)));
	return area;
}

void *area_list_next(struct area_list *list, struct kernel_world *world)
{
	void *area = NULL;

	while (!area && list->rest && *list->rest) {
		char *line = list->rest, *end = strchr(line, '\n');

		list->rest = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		area = make_area(world, line, list->from);
	}
	return area;
}
