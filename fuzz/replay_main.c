/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target on files, each of which is a test:
 *
 *	replay_NAME FILE|FOLDER...           as TAP
 *	replay_NAME --raw OUT FILE|FOLDER... writes the bytes into the folder OUT, for libFuzzer
 *
 * A file named *.hex holds bytes as hex digits, with comments from # to the end of the line;
 * any other file is taken as it is.
 */
#include "base/os.h"
#include "base/strbuf.h"
#include "fuzz/fuzz.h"

#include <ctype.h>
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_LIMIT (16u << 20)

static const char *raw_folder; /* --raw */
static int replayed, failed;

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* In place: the bytes are shorter than their text. */
static bool decode_hex(char *text, size_t *size)
{
	size_t digits = 0;
	u8 *bytes = (u8 *)text;

	for (char *at = text; *at; at++) {
		if (*at == '#')
			at += strcspn(at, "\n") - 1;
		else if (isxdigit((unsigned char)*at) && digits % 2 == 0)
			bytes[digits++ / 2] = digit(*at) << 4;
		else if (isxdigit((unsigned char)*at))
			bytes[digits++ / 2] |= digit(*at);
		else if (!isspace((unsigned char)*at))
			return false;
	}
	*size = digits / 2;
	return digits % 2 == 0;
}

static bool has_suffix(const char *path, const char *suffix)
{
	size_t length = strlen(path), end = strlen(suffix);

	return length >= end && !strcmp(path + length - end, suffix);
}

static bool read_input(const char *path, char **data, size_t *size)
{
	if (os_read_file(path, FILE_LIMIT, data, size))
		return false;
	if (!has_suffix(path, ".hex") || decode_hex(*data, size))
		return true;
	free(*data);
	return false;
}

static bool write_raw(const char *name, const char *data, size_t size)
{
	struct strbuf path;
	FILE *file;
	bool done;

	strbuf_init(&path);
	strbuf_addf(&path, "%s/%s", raw_folder, name);
	file = fopen(strbuf_text(&path), "wb");
	strbuf_done(&path);
	if (!file)
		return false;
	done = fwrite(data, 1, size, file) == size;
	return !fclose(file) && done;
}

static void replay_file(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	bool done;
	size_t size;
	char *data, *exact;

	replayed++;
	done = read_input(path, &data, &size);
	if (done) {
		exact = malloc(size ? size : 1); /* so that a sanitizer sees its end */
		done = exact != NULL;
		if (done)
			memcpy(exact, data, size);
		if (done && raw_folder)
			done = write_raw(name, exact, size);
		else if (done)
			LLVMFuzzerTestOneInput((const u8 *)exact, size);
		free(exact);
		free(data);
	}
	failed += !done;
	printf("%s %d - %s%s\n", done ? "ok" : "not ok", replayed, name,
	       done ? "" : ": cannot be read or decoded");
	fflush(stdout);
}

static void replay_folder(const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, alphasort);
	struct strbuf path;

	strbuf_init(&path);
	for (int i = 0; i < count; i++) {
		strbuf_clear(&path);
		strbuf_addf(&path, "%s/%s", folder, entries[i]->d_name);
		if (*entries[i]->d_name != '.')
			replay_file(strbuf_text(&path));
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	strbuf_done(&path);
}

int main(int argc, char **argv)
{
	int first = 1;
	struct stat status;

	if (argc > 2 && !strcmp(argv[1], "--raw")) {
		raw_folder = argv[2];
		first = 3;
	}
	for (int i = first; i < argc; i++)
		if (!stat(argv[i], &status) && S_ISDIR(status.st_mode))
			replay_folder(argv[i]);
		else
			replay_file(argv[i]);
	printf("1..%d\n", replayed);
	return failed || !replayed;
}
