/* SPDX-License-Identifier: BSD-2-Clause */
/* a sequence number in .bss and a hash of it: pseudo-random flow ids, the same for every target
 */
static u32 flow_seq;
INLINE u32 flow_next(u32 mask)
{
	return mix32(++flow_seq) & mask;
}
