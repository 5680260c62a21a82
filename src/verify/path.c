/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/path.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_STEPS 1024u
#define FIRST_LINKS 64

int path_init(struct walk *walk, bool keeps_steps)
{
	walk->path = arena_alloc(&walk->scratch, sizeof(*walk->path));
	if (!walk->path)
		return -ENOMEM;
	walk->path->keeps_steps = keeps_steps;
	return 0;
}

void path_done(struct walk *walk)
{
	if (!walk->path)
		return;
	free(walk->path->steps);
	free(walk->path->links);
}

/* A path without loops is at most as long as the program. */
bool path_grow(struct walk *walk)
{
	struct path *path = walk->path;
	u32 capacity = path->capacity ? path->capacity * 2 : max(walk->insn_cnt, FIRST_STEPS);
	struct step *bigger = realloc(path->steps, capacity * sizeof(*bigger));

	if (!bigger)
		return false;
	path->steps = bigger;
	path->capacity = capacity;
	return true;
}

static bool grow_links(struct path *path)
{
	u32 capacity = path->link_cap ? path->link_cap * 2 : FIRST_LINKS;
	struct link *bigger = realloc(path->links, capacity * sizeof(*bigger));

	if (!bigger)
		return false;
	path->links = bigger;
	path->link_cap = capacity;
	return true;
}

/* --- forwards and back --- */

static void append(struct walk *walk, struct step step)
{
	struct path *path = walk->path;

	if (path->count == path->capacity && !path_grow(walk))
		path->out_of_memory = true;
	else
		path->steps[path->count++] = step;
}

u32 path_length(const struct walk *walk)
{
	return walk->path->length;
}

u32 path_position(const struct walk *walk)
{
	return walk->path->count;
}

struct path_mark path_mark(const struct walk *walk)
{
	return (struct path_mark){walk->path->length, walk->path->count};
}

void path_resume(struct walk *walk, struct path_mark mark)
{
	struct path *path = walk->path;

	path->length = mark.length;
	path->count = max(path->pinned, mark.position);
	while (path->link_cnt && path->links[path->link_cnt - 1].position >= path->count)
		path->link_cnt--;
	if (path->pinned && path->pinned >= mark.position)
		append(walk, (struct step){.origin = mark.position});
}

void path_pin(struct walk *walk, u32 position)
{
	walk->path->pinned = position;
}

u64 path_bytes(const struct walk *walk)
{
	const struct path *path = walk->path;

	return path->capacity * sizeof(*path->steps) + path->link_cap * sizeof(*path->links);
}

/* --- what a step does --- */

void path_note_stack(struct walk *walk)
{
	const struct access *access = &walk->access;
	u32 first = (u32) - (access->high + access->size) / SLOT_BYTES;
	u32 last = (u32)(-access->low - 1) / SLOT_BYTES;

	path_note_slots(walk, access->frame, first, last - first + 1);
}

static void add_link(struct path *path, struct link link)
{
	if (path->link_cnt == path->link_cap && !grow_links(path))
		path->out_of_memory = true;
	else
		path->links[path->link_cnt++] = link;
}

void path_note_linked(struct walk *walk, const struct live_set *numbers)
{
	struct path *path = walk->path;
	u32 count = 0;

	if (!path->keeps_steps)
		return;
	for (u32 i = 0; i < walk->state.frame_cnt; i++)
		count += __builtin_popcount(numbers->regs[i]) +
			 __builtin_popcountll(numbers->slots[i]);
	for (u32 i = 0; i < walk->state.frame_cnt && count > 1; i++) {
		struct link link = {path->count - 1, numbers->regs[i], (u8)i,
				    numbers->slots[i]};

		if (link.regs || link.slots)
			add_link(path, link);
	}
}

/* --- for those who explain --- */

/* The steps of the present path move to the end of the list, and from there to its start. */
void path_unroll(struct walk *walk)
{
	struct path *path = walk->path;
	u32 at = path->count, first = path->count;

	if (!path->keeps_steps)
		return;
	path->listed_at = arena_array(&walk->scratch, path->length + 1, sizeof(u32));
	while (at) {
		struct step step = path->steps[--at];

		if (!step.depth) {
			at = step.origin;
			continue;
		}
		path->steps[--first] = step;
		if (path->listed_at)
			path->listed_at[path->length - (path->count - first)] = at;
	}
	path->count -= first;
	if (path->count)
		memmove(path->steps, path->steps + first, path->count * sizeof(*path->steps));
	path->link_cnt = path->pinned = 0;
}

u32 path_listed_at(const struct walk *walk, u32 index)
{
	return walk->path->listed_at ? walk->path->listed_at[index] : index;
}

/* Whether the exit at `index` goes back to the call that its frame was entered from. */
static bool returns_to_call(const struct path *path, u32 index)
{
	const struct step *steps = path->steps;
	u32 entry = index;

	if (index + 1 >= path->length || steps[index + 1].depth >= steps[index].depth)
		return false;
	while (entry && steps[entry].depth >= steps[index].depth)
		entry--;
	return steps[entry].insn == steps[index + 1].insn;
}

struct path_step path_step_at(const struct walk *walk, u32 index)
{
	const struct step *step = &walk->path->steps[index];
	u8 code = walk->insns[step->insn].code;

	return (struct path_step){
		.insn = step->insn,
		.depth = step->depth,
		.frame = step->frame,
		.slots = step_slots(step),
		.is_callback =
			code == (BPF_JMP | BPF_EXIT) && returns_to_call(walk->path, index),
	};
}
