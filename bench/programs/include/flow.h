/* SPDX-License-Identifier: BSD-2-Clause */
/* a sequence number in .bss and a hash of it: pseudo-random flow ids, the same for every target
 */
static u32 flow_seq;
INLINE u32 flow_next(u32 mask)
{
	return mix32(++flow_seq) & mask;
}
/* The program that runs on two slots at once: each has a sequence of its own. */
#ifdef __bpf__
#define PAIR(operate)                                          \
	static struct {                                        \
		u32 seq, unused[31];                           \
	} pair_seq[8];                                         \
	ENTRY int pair(struct xdp_md *ctx)                     \
	{                                                      \
		u32 slot = bpf_get_smp_processor_id() & 7;     \
		if (!pair_seq[slot].seq)                       \
			pair_seq[slot].seq = (slot + 1) << 24; \
		return operate(&pair_seq[slot].seq);           \
	}
#else
#define PAIR(operate)
#endif
