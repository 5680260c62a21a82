/* SPDX-License-Identifier: BSD-2-Clause */
#include "hook/chain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOWHERE (-2) /* nothing was said; -1 is before the first */

static u32 chain_count(const struct chain *chain)
{
	return chain ? chain->count : 0;
}

/* The one with this program and link (NULL: any); -1: none. */
static int find(const struct chain *chain, const struct prog *prog, const struct link *link)
{
	for (u32 i = 0; i < chain_count(chain); i++)
		if (chain->at[i]->prog == prog && (!link || chain->at[i]->link == link))
			return (int)i;
	return -1;
}

/* What is replaced has this link, or has none. */
static int find_replaced(const struct chain *chain, const struct chain_place *place)
{
	const int index = find(chain, place->replaced, place->replaced_link);

	if (index < 0)
		return -ENOENT;
	return place->replaced_link || !chain->at[index]->link ? index : -EBUSY;
}

/* The index before the relative's, from -1 on. */
static int index_before(const struct chain *chain, const struct chain_place *place)
{
	const int index = find(chain, place->relative, place->relative_link);

	if (!place->relative)
		return -1;
	return index < 0 ? -ENOENT : index - 1;
}

static int index_after(const struct chain *chain, const struct chain_place *place)
{
	const int index = find(chain, place->relative, place->relative_link);

	if (!place->relative)
		return (int)chain_count(chain);
	return index < 0 ? -ENOENT : index + 1;
}

/* All that was said must mean the same place. */
static int agree(int said, int *index)
{
	if (said < -1)
		return said;
	if (*index != NOWHERE && said != *index)
		return -ERANGE;
	*index = said;
	return 0;
}

/* What the relatives that it is to stand before and behind say. */
static int agree_on_relatives(const struct chain *chain, const struct chain_place *place, int *index)
{
	int ret = 0;

	if (place->flags & BPF_F_BEFORE)
		ret = agree(index_before(chain, place), index);
	if (!ret && (place->flags & BPF_F_AFTER))
		ret = agree(index_after(chain, place), index);
	return ret;
}

/* As Linux has it: the place before which (from -1 on) or behind which to insert. */
static int relative_index(const struct chain *chain, const struct chain_place *place)
{
	int index = NOWHERE, ret = 0;

	if (place->flags & BPF_F_REPLACE)
		ret = agree(find_replaced(chain, place), &index);
	ret = ret ?: agree_on_relatives(chain, place, &index);
	if (ret)
		return ret;
	if (index == NOWHERE)
		return place->relative || place->flags ? -EINVAL : (int)chain_count(chain);
	if (place->flags & BPF_F_REPLACE)
		return index;
	return place->flags & BPF_F_BEFORE ? index + 1 : index;
}

static bool comes_before(const struct prog *prog, u32 priority, const struct attachment *other)
{
	if (priority != other->priority)
		return priority < other->priority;
	return strncmp(prog->name, other->prog->name, sizeof(prog->name)) < 0;
}

static int priority_index(const struct chain *chain, const struct prog *prog, u32 priority)
{
	u32 index = 0;

	while (index < chain_count(chain) && !comes_before(prog, priority, chain->at[index]))
		index++;
	return (int)index;
}

int chain_index(const struct chain *chain, const struct prog *prog,
		const struct chain_place *place)
{
	const u32 count = chain_count(chain);

	if (count && (place->is_alone || chain->at[0]->is_alone))
		return place->is_generic != chain->at[0]->is_generic ? -EEXIST : -EBUSY;
	if (!place->may_repeat && find(chain, prog, NULL) >= 0)
		return -EEXIST;
	/* Linux: native and generic XDP are not active at the same time. */
	if (count && place->is_generic != chain->at[0]->is_generic)
		return -EEXIST;
	if (place->relative_error)
		return place->relative_error;
	if (count == CHAIN_MAX && !(place->flags & BPF_F_REPLACE))
		return -ERANGE;
	return place->is_by_priority ? priority_index(chain, prog, place->priority)
				     : relative_index(chain, place);
}

/* Of what both ends of the relative's neighbourhood say, the last word. */
static int detach_index(const struct chain *chain, const struct prog *prog,
			const struct chain_place *place)
{
	int index = NOWHERE, ret = 0;

	if (prog) {
		index = find(chain, prog, NULL);
		if (index < 0)
			return -ENOENT;
		if (chain->at[index]->link)
			return -EBUSY;
	}
	ret = agree_on_relatives(chain, place, &index);
	if (ret)
		return ret;
	if (index == NOWHERE)
		return place->relative || place->flags ? -EINVAL : (int)chain_count(chain) - 1;
	return index;
}

int chain_find(const struct chain *chain, const struct prog *prog,
	       const struct chain_place *place)
{
	int index;

	if (place->relative_error)
		return place->relative_error;
	index = detach_index(chain, prog, place);
	if (index < -1)
		return index;
	/* Before the first is the first, behind the last the last. */
	index = min(max(index, 0), (int)chain->count - 1);
	return chain->at[index]->link ? -EBUSY : index;
}

struct attachment *attachment_new(u32 queues, struct chain **with_it)
{
	const size_t size = sizeof(struct attachment) + queues * sizeof(struct program_tally);
	struct attachment *attachment =
		aligned_alloc(CACHE_LINE, round_up(size, (size_t)CACHE_LINE));

	if (!attachment)
		return NULL;
	memset(attachment, 0, size);
	attachment->queues = queues;
	attachment->for_less = malloc(sizeof(struct chain));
	*with_it = malloc(sizeof(struct chain));
	if (attachment->for_less && *with_it)
		return attachment;
	free(*with_it);
	attachment_free(attachment);
	return NULL;
}

void attachment_free(struct attachment *attachment)
{
	free(attachment->for_less);
	free(attachment);
}

void chain_insert(struct chain *to, const struct chain *from, u32 index,
		  struct attachment *attachment)
{
	const u32 count = chain_count(from);

	if (count) {
		memcpy(to->at, from->at, index * sizeof(*to->at));
		memcpy(to->at + index + 1, from->at + index, (count - index) * sizeof(*to->at));
	}
	to->at[index] = attachment;
	to->count = count + 1;
}

void chain_remove(struct chain *to, const struct chain *from, u32 index)
{
	to->count = from->count - 1;
	memcpy(to->at, from->at, index * sizeof(*to->at));
	memcpy(to->at + index, from->at + index + 1, (to->count - index) * sizeof(*to->at));
}
