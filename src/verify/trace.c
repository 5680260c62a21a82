/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/trace.h"

#include "isa/isa.h"

#include <stdarg.h>

void trace_insn(struct walk *walk)
{
	if (!(walk->log_level & (VERIFY_LOG_PATH | VERIFY_LOG_STATES)))
		return;
	strbuf_addf(walk->log, "%u: ", walk->at);
	insn_print(walk->insns, walk->insn_cnt, walk->at, INSN_SYNTAX_KERNEL, NULL, walk->log);
	strbuf_addc(walk->log, '\n');
}

void trace_resume(struct walk *walk, const struct pending *pending)
{
	if (!(walk->log_level & (VERIFY_LOG_PATH | VERIFY_LOG_STATES)))
		return;
	if (!(walk->log_level & VERIFY_LOG_STATES))
		strbuf_truncate(walk->log, pending->log_length);
	strbuf_addf(walk->log, "\nfrom %u to %u:\n", pending->prev, pending->insn);
}

void trace_stats(struct walk *walk)
{
	const struct verify_stats *stats = &walk->stats;

	if (!walk->log)
		return;
	if (walk->log_level & VERIFY_LOG_STATS)
		strbuf_addf(walk->log, "verification time %llu usec\n", stats->time_ns / 1000);
	strbuf_addf(walk->log,
		    "processed %u insns (limit %d) max_states_per_insn %u total_states %u "
		    "peak_states %u mark_read %u\n",
		    stats->insns_processed, INSNS_PROCESSED_MAX, stats->max_states_per_insn,
		    stats->total_states, stats->peak_states, stats->mark_read);
}
