/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file that perf's documentation calls jitdump (tools/perf/Documentation/
 * jitdump-specification.txt of Linux): a header, then one record after the other.
 */
#include "base/os.h"
#include "base/strbuf.h"
#include "jit/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { JITDUMP_MAGIC = 0x4a695444, JITDUMP_VERSION = 1 };
enum record_id { CODE_LOAD = 0, DEBUG_INFO = 2, CODE_CLOSE = 3 };

struct file_header {
	u32 magic, version, total_size, elf_machine, pad, pid;
	u64 timestamp, flags;
};

struct record_header {
	u32 id, total_size;
	u64 timestamp;
};

struct code_load {
	u32 pid, tid;
	u64 vma, address, size, index;
};

struct debug_info {
	u64 address, entries;
};

struct debug_entry {
	u64 address;
	u32 line, discriminator;
};

struct jitdump {
	pthread_mutex_t lock; /* of all below */
	int fd;
	void *mark; /* the mapping by which perf finds the file */
	u64 index;
};

static u64 now(void)
{
	return os_time_ns(CLOCK_MONOTONIC);
}

/* --- the file --- */

static const char *folder_of(const char *folder)
{
	if (*folder)
		return folder;
	return getenv("JITDUMPDIR") ?: getenv("HOME") ?: ".";
}

/* folder/.debug/jit/skep-XXXXXX: 0 or a negative errno. */
static int make_folder(const char *folder, char *path, size_t size)
{
	static const char *const parts[] = {"/.debug", "/jit"};
	size_t length = (size_t)snprintf(path, size, "%s", folder_of(folder));

	for (u32 i = 0; i < ARRAY_SIZE(parts); i++) {
		if (length + 32 >= size)
			return -ENAMETOOLONG;
		length += (size_t)snprintf(path + length, size - length, "%s", parts[i]);
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
	}
	snprintf(path + length, size - length, "/skep-XXXXXX");
	return mkdtemp(path) ? 0 : -errno;
}

static bool write_all(int fd, const void *data, size_t size)
{
	return write(fd, data, size) == (ssize_t)size;
}

static int begin_file(struct jitdump *dump)
{
	const struct file_header header = {.magic = JITDUMP_MAGIC,
					   .version = JITDUMP_VERSION,
					   .total_size = sizeof(header),
					   .elf_machine = IMAGE_MACHINE,
					   .pid = (u32)getpid(),
					   .timestamp = now()};

	if (!write_all(dump->fd, &header, sizeof(header)))
		return -EIO;
	/* perf records mappings that can be executed, and looks at their files' names. */
	dump->mark =
		mmap(NULL, os_page_size(), PROT_READ | PROT_EXEC, MAP_PRIVATE, dump->fd, 0);
	return dump->mark == MAP_FAILED ? -errno : 0;
}

int jitdump_open(const char *folder, struct jitdump **out)
{
	struct jitdump *dump = calloc(1, sizeof(*dump));
	char path[1024];
	size_t length;
	int err;

	if (!dump)
		return -ENOMEM;
	pthread_mutex_init(&dump->lock, NULL);
	dump->fd = -1;
	dump->mark = MAP_FAILED;
	err = make_folder(folder, path, sizeof(path) - 32);
	if (!err) {
		length = strlen(path);
		snprintf(path + length, sizeof(path) - length, "/jit-%d.dump", (int)getpid());
		dump->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		err = dump->fd < 0 ? -errno : begin_file(dump);
	}
	if (err) {
		jitdump_close(dump);
		return err;
	}
	*out = dump;
	return 0;
}

/* --- records --- */

static void add(struct strbuf *out, const void *data, size_t size)
{
	strbuf_add(out, data, size);
}

static void add_header(struct strbuf *out, enum record_id id, size_t size)
{
	const struct record_header header = {
		.id = id, .total_size = (u32)(sizeof(header) + size), .timestamp = now()};

	add(out, &header, sizeof(header));
}

static bool is_inside(const struct code_symbol *symbol, const struct code_line *line)
{
	return line->offset >= symbol->offset && line->offset < symbol->offset + symbol->size;
}

/* Before the code that it is of. */
static void add_lines(struct strbuf *out, const struct code_image *image,
		      const struct code_symbol *symbol)
{
	struct debug_info info = {.address = ptr_to_u64(image->base + symbol->offset)};
	size_t size = sizeof(info);

	for (u32 i = 0; i < image->line_cnt; i++)
		if (is_inside(symbol, &image->lines[i])) {
			info.entries++;
			size += sizeof(struct debug_entry) +
				strlen(image->files[image->lines[i].file]) + 1;
		}
	if (!info.entries)
		return;
	add_header(out, DEBUG_INFO, size);
	add(out, &info, sizeof(info));
	for (u32 i = 0; i < image->line_cnt; i++) {
		const struct code_line *line = &image->lines[i];
		const struct debug_entry entry = {
			.address = ptr_to_u64(image->base + line->offset), .line = line->line};

		if (!is_inside(symbol, line))
			continue;
		add(out, &entry, sizeof(entry));
		add(out, image->files[line->file], strlen(image->files[line->file]) + 1);
	}
}

static void add_code(struct strbuf *out, const struct code_image *image,
		     const struct code_symbol *symbol, u64 index)
{
	const u8 *code = image->base + symbol->offset;
	const size_t name_size = strlen(symbol->name) + 1;
	const struct code_load load = {.pid = (u32)getpid(),
				       .tid = (u32)syscall(SYS_gettid),
				       .vma = ptr_to_u64(code),
				       .address = ptr_to_u64(code),
				       .size = symbol->size,
				       .index = index};

	add_header(out, CODE_LOAD, sizeof(load) + name_size + symbol->size);
	add(out, &load, sizeof(load));
	add(out, symbol->name, name_size);
	add(out, code, symbol->size);
}

/* A record that cannot be written whole would make nonsense of those behind it. */
static void append(struct jitdump *dump, const struct strbuf *records)
{
	const off_t end = lseek(dump->fd, 0, SEEK_CUR);

	if (records->failed || write_all(dump->fd, records->text, records->length))
		return;
	if (!ftruncate(dump->fd, end))
		lseek(dump->fd, end, SEEK_SET);
}

void jitdump_add(struct jitdump *dump, const struct code_image *image)
{
	struct strbuf records;

	strbuf_init(&records);
	pthread_mutex_lock(&dump->lock);
	for (u32 i = 0; i < image->symbol_cnt; i++) {
		add_lines(&records, image, &image->symbols[i]);
		add_code(&records, image, &image->symbols[i], dump->index++);
	}
	append(dump, &records);
	pthread_mutex_unlock(&dump->lock);
	strbuf_done(&records);
}

void jitdump_close(struct jitdump *dump)
{
	struct strbuf last;

	if (!dump)
		return;
	strbuf_init(&last);
	add_header(&last, CODE_CLOSE, 0);
	if (dump->mark != MAP_FAILED) {
		append(dump, &last);
		munmap(dump->mark, os_page_size());
	}
	strbuf_done(&last);
	if (dump->fd >= 0)
		close(dump->fd);
	pthread_mutex_destroy(&dump->lock);
	free(dump);
}
