/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/reaper.h"

#include "base/rcu.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* So many chores are worked on in turn: they wait together. */
#define AT_ONCE 64

struct reaper {
	atomic_uint uses;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	struct chore *first, **last;
	bool is_busy; /* chores are taken out and not done */
	bool stops, is_stopped;
	pthread_t thread;
	pid_t owner; /* the process that has the thread; 0: there is none */
};

struct reaper *reaper_new(void)
{
	struct reaper *reaper = calloc(1, sizeof(*reaper));

	if (!reaper)
		return NULL;
	reaper->uses = 1;
	reaper->last = &reaper->first;
	pthread_mutex_init(&reaper->lock, NULL);
	pthread_cond_init(&reaper->changed, NULL);
	return reaper;
}

struct reaper *reaper_get(struct reaper *reaper)
{
	atomic_fetch_add_explicit(&reaper->uses, 1, memory_order_relaxed);
	return reaper;
}

void reaper_put(struct reaper *reaper)
{
	/* Both sides: what others did with it comes before its end. */
	if (!reaper || atomic_fetch_sub_explicit(&reaper->uses, 1, memory_order_acq_rel) > 1)
		return;
	pthread_cond_destroy(&reaper->changed);
	pthread_mutex_destroy(&reaper->lock);
	free(reaper);
}

static struct chore *take_first(struct reaper *reaper)
{
	struct chore *chore = reaper->first;

	reaper->first = chore->next;
	if (!reaper->first)
		reaper->last = &reaper->first;
	return chore;
}

/* Adds to the `count` chores that are under way; how many they are then, 0: it is to stop. */
static u32 take_chores(struct reaper *reaper, struct chore *chores[AT_ONCE], u32 count)
{
	pthread_mutex_lock(&reaper->lock);
	if (!count) {
		reaper->is_busy = false;
		pthread_cond_broadcast(&reaper->changed);
		while (!reaper->first && !reaper->stops)
			pthread_cond_wait(&reaper->changed, &reaper->lock);
	}
	while (reaper->first && count < AT_ONCE)
		chores[count++] = take_first(reaper);
	reaper->is_busy = count;
	pthread_mutex_unlock(&reaper->lock);
	return count;
}

static void *work(void *cookie)
{
	struct reaper *reaper = cookie;
	struct chore *chores[AT_ONCE];
	u32 count = 0, left;

	while ((count = take_chores(reaper, chores, count))) {
		left = 0;
		for (u32 i = 0; i < count; i++)
			if (!chores[i]->step(chores[i]))
				chores[left++] = chores[i];
		if (left)
			rcu_barrier();
		count = left;
	}
	return NULL;
}

/* Under the lock. A forked process has no thread of its parent's. Signals are for the
 * application's threads. */
static bool ensure_thread(struct reaper *reaper)
{
	sigset_t all, before;
	int err;

	if (reaper->owner == getpid())
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&reaper->thread, NULL, work, reaper);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!err)
		reaper->owner = getpid();
	return !err;
}

bool reaper_add(struct reaper *reaper, struct chore *chore)
{
	bool is_queued;

	pthread_mutex_lock(&reaper->lock);
	is_queued = !reaper->is_stopped && ensure_thread(reaper);
	if (is_queued) {
		chore->next = NULL;
		*reaper->last = chore;
		reaper->last = &chore->next;
		pthread_cond_broadcast(&reaper->changed);
	}
	pthread_mutex_unlock(&reaper->lock);
	return is_queued;
}

void reaper_drain(struct reaper *reaper)
{
	pthread_mutex_lock(&reaper->lock);
	while (reaper->owner == getpid() && (reaper->first || reaper->is_busy))
		pthread_cond_wait(&reaper->changed, &reaper->lock);
	pthread_mutex_unlock(&reaper->lock);
}

void reaper_stop(struct reaper *reaper)
{
	bool has_thread;

	pthread_mutex_lock(&reaper->lock);
	reaper->stops = reaper->is_stopped = true;
	has_thread = reaper->owner == getpid();
	pthread_cond_broadcast(&reaper->changed);
	pthread_mutex_unlock(&reaper->lock);
	if (has_thread)
		pthread_join(reaper->thread, NULL);
}
