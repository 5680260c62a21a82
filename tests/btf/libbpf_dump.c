// SPDX-License-Identifier: BSD-2-Clause
#include "libbpf_dump.h"

#include <bpf/btf.h>
#include <stdio.h>

static void print(void *file, const char *format, va_list args)
{
	vfprintf(file, format, args);
}

char *libbpf_dump(const void *blob, size_t blob_size, unsigned int type_id, const void *data,
		  size_t size)
{
	struct btf *btf = btf__new(blob, blob_size);
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);
	struct btf_dump *dump = btf_dump__new(btf, print, file, NULL);

	btf_dump__dump_type_data(dump, type_id, data, size, NULL);
	btf_dump__free(dump);
	btf__free(btf);
	fclose(file);
	return text;
}
