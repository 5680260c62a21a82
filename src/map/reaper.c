/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/reaper.h"

#include "base/rcu.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct reaper {
	atomic_uint uses;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	struct chore *first, **last;
	bool is_busy; /* a chore is taken out and not done */
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

/* NULL: it is to stop. */
static struct chore *wait_for_chore(struct reaper *reaper)
{
	struct chore *chore;

	pthread_mutex_lock(&reaper->lock);
	reaper->is_busy = false;
	pthread_cond_broadcast(&reaper->changed);
	while (!reaper->first && !reaper->stops)
		pthread_cond_wait(&reaper->changed, &reaper->lock);
	chore = reaper->first;
	if (chore) {
		reaper->first = chore->next;
		if (!reaper->first)
			reaper->last = &reaper->first;
		reaper->is_busy = true;
	}
	pthread_mutex_unlock(&reaper->lock);
	return chore;
}

static void *work(void *cookie)
{
	struct reaper *reaper = cookie;
	struct chore *chore;

	while ((chore = wait_for_chore(reaper)))
		while (!chore->step(chore))
			rcu_barrier();
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
