/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program holds: references, locks, sections. In the order in which it was acquired. */
#include "verify/state.h"

#include <string.h>

struct resource *state_acquire(struct state *state, struct resource resource)
{
	struct resources *held = &state->resources;

	if (held->count == RESOURCES_MAX)
		return NULL;
	held->all[held->count] = resource;
	return &held->all[held->count++];
}

bool state_release(struct state *state, enum resource_kind kind, u32 id, const void *owner)
{
	struct resources *held = &state->resources;

	for (u32 i = 0; i < held->count; i++) {
		if (held->all[i].kind != kind || held->all[i].id != id ||
		    held->all[i].owner != owner)
			continue;
		held->count--;
		memmove(&held->all[i], &held->all[i + 1],
			(held->count - i) * sizeof(held->all[0]));
		return true;
	}
	return false;
}

const struct resource *state_reference(const struct state *state)
{
	const struct resources *held = &state->resources;

	for (u32 i = 0; i < held->count; i++)
		if (held->all[i].kind == RESOURCE_REFERENCE)
			return &held->all[i];
	return NULL;
}

static bool is_lock(enum resource_kind kind)
{
	return kind == RESOURCE_LOCK || kind == RESOURCE_RES_LOCK ||
	       kind == RESOURCE_RES_LOCK_IRQ;
}

const struct resource *state_lock(const struct state *state)
{
	const struct resources *held = &state->resources;

	for (u32 i = held->count; i-- > 0;)
		if (is_lock(held->all[i].kind))
			return &held->all[i];
	return NULL;
}
