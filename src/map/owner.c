/* SPDX-License-Identifier: BSD-2-Clause */
#include "map/owner.h"

#include "map/value.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUCKETS_FIRST 64

struct owners {
	pthread_mutex_t lock;
	u64 serial; /* never that of another registry */
	struct cds_list_head *buckets;
	u32 bucket_cnt, count;
	u32 next_hearing; /* when there are so many */
	struct witnesses witnesses;
};

static int make_buckets(struct owners *owners, u32 count)
{
	struct cds_list_head *buckets = calloc(count, sizeof(*buckets));

	if (!buckets)
		return -1;
	for (u32 i = 0; i < count; i++)
		CDS_INIT_LIST_HEAD(&buckets[i]);
	owners->buckets = buckets;
	owners->bucket_cnt = count;
	return 0;
}

struct owners *owners_new(void)
{
	static atomic_ullong serial;
	struct owners *owners = calloc(1, sizeof(*owners));

	if (!owners || make_buckets(owners, BUCKETS_FIRST)) {
		free(owners);
		return NULL;
	}
	owners->serial = 1 + atomic_fetch_add_explicit(&serial, 1, memory_order_relaxed);
	owners->next_hearing = BUCKETS_FIRST;
	pthread_mutex_init(&owners->lock, NULL);
	witnesses_init(&owners->witnesses);
	return owners;
}

static void free_owner(struct rcu_head *head)
{
	struct owner *owner = container_of(head, struct owner, rcu);

	witness_done(&owner->witness);
	if (owner->object)
		owner->release_object(owner->object);
	free(owner);
}

void owners_free(struct owners *owners)
{
	struct owner *owner, *next;

	if (!owners)
		return;
	for (u32 i = 0; i < owners->bucket_cnt; i++)
		cds_list_for_each_entry_safe (owner, next, &owners->buckets[i], bucket)
			free_owner(&owner->rcu);
	free(owners->buckets);
	witnesses_done(&owners->witnesses);
	pthread_mutex_destroy(&owners->lock);
	free(owners);
}

u32 owners_count(struct owners *owners)
{
	u32 count;

	pthread_mutex_lock(&owners->lock);
	count = owners->count;
	pthread_mutex_unlock(&owners->lock);
	return count;
}

/* --- the table, under the registry's lock --- */

static u64 hash_key(const struct owner_key *key)
{
	u64 hash = key->kind + 1;

	for (u32 i = 0; i < ARRAY_SIZE(key->id); i++)
		hash = (hash ^ key->id[i]) * 0x9e3779b97f4a7c15ULL;
	return hash >> 32;
}

static struct cds_list_head *bucket_of(const struct owners *owners, const struct owner_key *key)
{
	return &owners->buckets[hash_key(key) & (owners->bucket_cnt - 1)];
}

static struct owner *find_locked(const struct owners *owners, const struct owner_key *key)
{
	struct owner *owner;

	cds_list_for_each_entry (owner, bucket_of(owners, key), bucket)
		if (!memcmp(&owner->key, key, sizeof(*key)))
			return owner;
	return NULL;
}

/* Longer chains are better than nothing, when there is no memory. */
static void grow(struct owners *owners)
{
	struct cds_list_head *old = owners->buckets;
	u32 count = owners->bucket_cnt;
	struct owner *owner, *next;

	if (owners->count < count || make_buckets(owners, count * 2))
		return;
	for (u32 i = 0; i < count; i++)
		cds_list_for_each_entry_safe (owner, next, &old[i], bucket)
			cds_list_add(&owner->bucket, bucket_of(owners, &owner->key));
	free(old);
}

static void end_of(struct owner *owner)
{
	local_storage_drop(owner);
	call_rcu(&owner->rcu, free_owner);
}

static void forget_gone(struct owners *owners)
{
	struct owner *owner, *next;

	witnesses_begin(&owners->witnesses);
	for (u32 i = 0; i < owners->bucket_cnt; i++)
		cds_list_for_each_entry_safe (owner, next, &owners->buckets[i], bucket) {
			if (!witness_says_gone(&owners->witnesses, &owner->witness))
				continue;
			cds_list_del(&owner->bucket);
			owners->count--;
			end_of(owner);
		}
	witnesses_end(&owners->witnesses);
	owners->next_hearing = max(owners->count * 2, BUCKETS_FIRST);
}

/* --- owners --- */

static struct owner *new_owner(const struct owner_key *key)
{
	struct owner *owner = calloc(1, sizeof(*owner));

	if (!owner)
		return NULL;
	owner->key = *key;
	CDS_INIT_LIST_HEAD(&owner->values);
	return owner;
}

static void find_witness(struct owners *owners, struct owner *owner, int fd)
{
	if (owner->key.kind == OWNER_TASK)
		witness_thread(&owner->witness, (pid_t)owner->key.id[0], owner->key.id[1]);
	else if (fd >= 0 && owner->key.kind == OWNER_CGROUP)
		witness_directory(&owner->witness, fd);
	else if (fd >= 0)
		witness_file(&owners->witnesses, &owner->witness, fd);
}

static struct owner *add(struct owners *owners, const struct owner_key *key, int fd)
{
	struct owner *owner;

	if (owners->count >= owners->next_hearing)
		forget_gone(owners);
	grow(owners);
	owner = new_owner(key);
	if (!owner)
		return NULL;
	find_witness(owners, owner, fd);
	cds_list_add(&owner->bucket, bucket_of(owners, key));
	owners->count++;
	return owner;
}

struct owner *owner_find(struct owners *owners, const struct owner_key *key)
{
	struct owner *owner;

	pthread_mutex_lock(&owners->lock);
	owner = find_locked(owners, key);
	pthread_mutex_unlock(&owners->lock);
	return owner;
}

struct owner *owner_make(struct owners *owners, const struct owner_key *key, int fd)
{
	struct owner *owner;

	pthread_mutex_lock(&owners->lock);
	owner = find_locked(owners, key);
	if (!owner)
		owner = add(owners, key, fd);
	else if (owner->witness.kind == WITNESS_NONE)
		find_witness(owners, owner, fd);
	pthread_mutex_unlock(&owners->lock);
	return owner;
}

bool owner_is_gone(struct owners *owners, const struct owner_key *key)
{
	const struct owner *owner;
	bool gone;

	pthread_mutex_lock(&owners->lock);
	owner = find_locked(owners, key);
	witnesses_begin(&owners->witnesses);
	gone = !owner || witness_says_gone(&owners->witnesses, &owner->witness);
	witnesses_end(&owners->witnesses);
	pthread_mutex_unlock(&owners->lock);
	return gone;
}

struct owner *owner_unnamed(enum owner_kind kind)
{
	const struct owner_key key = {.kind = kind};

	return new_owner(&key);
}

void owner_end(struct owner *owner)
{
	if (owner)
		end_of(owner);
}

/* --- the calling thread --- */

/* Whose registry it is in; a thread runs programs of one engine, mostly. */
static _Thread_local struct {
	u64 serial;
	struct owner *owner;
} current;

static void forget_current(void)
{
	current.serial = 0;
}

static void watch_fork(void)
{
	pthread_atfork(NULL, NULL, forget_current);
}

static struct owner *make_current_task(struct owners *owners)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const pid_t thread = gettid();
	const struct owner_key key = {OWNER_TASK, {(u64)thread, thread_start_time(thread)}};

	pthread_once(&once, watch_fork);
	current.owner = key.id[1] ? owner_make(owners, &key, -1) : NULL;
	current.serial = current.owner ? owners->serial : 0;
	return current.owner;
}

struct owner *owner_current_task(struct owners *owners)
{
	return likely(current.serial == owners->serial) ? current.owner
							: make_current_task(owners);
}
