/* SPDX-License-Identifier: BSD-2-Clause */
/* Which file an address of code is of: its build id, as the linker wrote it there. */
#include "helper/backtrace.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#define VDSO "linux-vdso" /* of no file */

struct search {
	u64 address;
	struct bpf_stack_build_id *out;
};

/* In the notes of one segment. */
static bool find_note(const u8 *at, const u8 *end, u8 id[BPF_BUILD_ID_SIZE])
{
	while ((size_t)(end - at) >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const void *)at;
		const u8 *name = at + sizeof(*note);
		const u8 *value = name + round_up(note->n_namesz, 4);

		if (value > end || note->n_descsz > (size_t)(end - value))
			return false;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof("GNU") &&
		    !memcmp(name, "GNU", sizeof("GNU")) && note->n_descsz &&
		    note->n_descsz <= BPF_BUILD_ID_SIZE) {
			memcpy(id, value, note->n_descsz);
			return true;
		}
		at = value + round_up(note->n_descsz, 4);
	}
	return false;
}

static bool find_build_id(const struct dl_phdr_info *info, u8 id[BPF_BUILD_ID_SIZE])
{
	for (u32 i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		const u8 *start = u64_to_ptr(info->dlpi_addr + part->p_vaddr);

		if (part->p_type == PT_NOTE && find_note(start, start + part->p_memsz, id))
			return true;
	}
	return false;
}

static const ElfW(Phdr) * find_segment(const struct dl_phdr_info *info, u64 address)
{
	for (u32 i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type == PT_LOAD &&
		    address - info->dlpi_addr - part->p_vaddr < part->p_filesz)
			return part;
	}
	return NULL;
}

static int visit_file(struct dl_phdr_info *info, size_t size, void *cookie)
{
	struct search *search = cookie;
	const ElfW(Phdr) *segment = find_segment(info, search->address);

	if (!segment)
		return 0;
	if (strncmp(info->dlpi_name, VDSO, strlen(VDSO)) &&
	    find_build_id(info, search->out->build_id)) {
		search->out->status = BPF_STACK_BUILD_ID_VALID;
		search->out->offset = search->address - info->dlpi_addr - segment->p_vaddr +
				      segment->p_offset;
	}
	return 1;
}

void backtrace_describe(u64 address, struct bpf_stack_build_id *out)
{
	struct search search = {address, out};

	*out = (struct bpf_stack_build_id){.status = BPF_STACK_BUILD_ID_IP, .ip = address};
	dl_iterate_phdr(visit_file, &search);
}
