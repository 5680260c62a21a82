/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys/code.h"
#include "base/error.h"
#include "run/native.h"
#include "sys/btf_object.h"
#include "sys/code_image.h"
#include "sys/prog_details.h"
#include "verify/line.h"

#include <errno.h>
#include <skep/skep.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- the list --- */

int code_list_init(struct code_list *list, const struct skep_engine_opts *opts,
		   struct skep_error *err)
{
	int ret = 0;

	list->debug = opts->jit_debug;
	if (opts->jit_debug & SKEP_JIT_PERF_MAP) {
		list->perf_map = perf_map_open();
		if (list->perf_map < 0)
			return error_set(err, SKEP_STAGE_CALL, list->perf_map,
					 "jit_debug: /tmp/perf-%d.map cannot be written: %s",
					 (int)getpid(), strerror(-list->perf_map));
	}
	if (opts->jit_debug & SKEP_JIT_PERF_DUMP)
		ret = jitdump_open(opts->jit_dump_folder ?: "", &list->dump);
	return ret ? error_set(err, SKEP_STAGE_CALL, ret,
			       "jit_debug: jit-%d.dump cannot be made below '%s': %s",
			       (int)getpid(), opts->jit_dump_folder ?: "", strerror(-ret))
		   : 0;
}

void code_list_done(struct code_list *list)
{
	if (list->perf_map >= 0)
		close(list->perf_map);
	jitdump_close(list->dump);
	pthread_mutex_destroy(&list->lock);
}

static void free_record(struct rcu_head *head)
{
	free(container_of(head, struct code_record, rcu));
}

static void leave(struct native *native)
{
	struct code_record *record = native->noted;

	pthread_mutex_lock(&record->list->lock);
	cds_list_del_rcu(&record->link);
	pthread_mutex_unlock(&record->list->lock);
	gdb_code_remove(record->gdb);
	call_rcu(&record->rcu, free_record);
}

/* What cannot be told for lack of memory stays untold. */
static void tell(struct code_list *list, struct code_record *record)
{
	struct built_image built;

	if (!list->debug || code_image_build(record->prog, record->native, &built))
		return;
	if (list->perf_map >= 0)
		perf_map_add(list->perf_map, &built.image);
	if (list->dump)
		jitdump_add(list->dump, &built.image);
	if (list->debug & SKEP_JIT_GDB)
		record->gdb = gdb_code_add(&built.image);
	code_image_free(&built);
}

void code_note(struct code_list *list, const struct prog *prog, struct native *native)
{
	struct code_record *record = native ? calloc(1, sizeof(*record)) : NULL;

	if (!record)
		return;
	*record = (struct code_record){.list = list,
				       .prog = prog,
				       .native = native,
				       .start = native->entry[0],
				       .end = native->end};
	native->noted = record;
	native->gone = leave;
	pthread_mutex_lock(&list->lock);
	cds_list_add_rcu(&record->link, &list->records);
	pthread_mutex_unlock(&list->lock);
	tell(list, record);
}

const struct code_record *code_find(struct code_list *list, const void *pc)
{
	struct code_record *record;

	cds_list_for_each_entry_rcu (record, &list->records, link)
		if ((const u8 *)pc >= record->start && (const u8 *)pc < record->end)
			return record;
	return NULL;
}

bool code_line_of(const struct prog *prog, u32 insn, struct source_line *out)
{
	const struct prog_details *details = prog_details(prog);
	const struct verify_input input = {.btf = prog->btf ? btf_of_object(prog->btf)->view
							    : NULL,
					   .line_info = details->line_info,
					   .line_info_cnt = details->line_info_cnt,
					   .line_info_rec_size = sizeof(*details->line_info)};

	return line_find(&input, insn, out);
}
