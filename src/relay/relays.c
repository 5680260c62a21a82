/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of relays, and the programs that their sockets get from maps. */
#include "relay/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct relays *of_hook(struct socket_hook *hook)
{
	return container_of(hook, struct relays, hook);
}

/* A forked process has copies of what its parent drives. */
static bool is_ours(const struct relays *relays)
{
	return relays->owner == getpid();
}

static bool is_pump(const struct relays *relays)
{
	return relays->epoll >= 0 && pthread_equal(pthread_self(), relays->pump);
}

/* --- one of them --- */

struct relay *relay_get(struct relay *relay)
{
	relay->refs++;
	return relay;
}

void relay_put(struct relay *relay)
{
	if (--relay->refs)
		return;
	pthread_mutex_destroy(&relay->sending);
	free(relay->message.held);
	free(relay->buffer);
	free(relay);
}

static struct cds_list_head *bucket_of(struct relays *relays, u64 cookie)
{
	return &relays->buckets[cookie % RELAY_BUCKETS];
}

struct relay *relay_find(struct relays *relays, u64 cookie)
{
	struct relay *relay;

	cds_list_for_each_entry (relay, bucket_of(relays, cookie), bucket)
		if (relay->sk.cookie == cookie)
			return relay;
	return NULL;
}

static struct relay *relay_new(struct relays *relays, const struct sock_ctx *sk)
{
	struct relay *relay = calloc(1, sizeof(*relay));

	if (!relay)
		return NULL;
	relay->relays = relays;
	relay->refs = 1;
	relay->sk = *sk;
	relay->sk.entry = NULL;
	relay->is_stream = sk->view.type == SOCK_STREAM;
	relay->socket = relay->end = -1;
	outlet_init(&relay->to_application, relays, -1);
	outlet_init(&relay->to_socket, relays, -1);
	CDS_INIT_LIST_HEAD(&relay->by_end);
	CDS_INIT_LIST_HEAD(&relay->runnable);
	pthread_mutex_init(&relay->sending, NULL);
	cds_list_add(&relay->bucket, bucket_of(relays, sk->cookie));
	return relay;
}

void relay_wake(struct relay *relay)
{
	if (!cds_list_empty(&relay->runnable) || relay->relays->epoll < 0)
		return;
	relay_get(relay);
	cds_list_add_tail(&relay->runnable, &relay->relays->runnable);
	if (!is_pump(relay->relays))
		pump_wake(relay->relays);
}

/* Programs run in sections; the last reference waits for them. */
static void drop_prog(struct relay *relay, enum socket_prog which)
{
	struct prog *prog = relay->progs[which];

	rcu_assign_pointer(relay->progs[which], NULL);
	if (prog)
		object_put(&prog->object);
}

static void drop_progs(struct relay *relay)
{
	for (u32 i = 0; i < SOCKET_PROGS; i++)
		drop_prog(relay, i);
}

/* The table knows it no more. */
static void forget(struct relay *relay)
{
	if (cds_list_empty(&relay->bucket))
		return;
	cds_list_del_init(&relay->bucket);
	drop_progs(relay);
	relay_put(relay);
}

void relay_end(struct relay *relay)
{
	close(relay->socket);
	close(relay->end);
	relay->socket = relay->end = -1;
	outlet_done(&relay->to_application);
	outlet_done(&relay->to_socket);
	cds_list_del_init(&relay->by_end);
	relay->is_driven = false;
	atomic_fetch_sub(&relay->relays->driven_cnt, 1);
	forget(relay);
	relay_put(relay);
}

/* --- maps --- */

static bool has_any(const struct socket_progs *progs)
{
	for (u32 i = 0; i < SOCKET_PROGS; i++)
		if (progs->of[i])
			return true;
	return false;
}

/* Whether programs of both maps would be asked for the same. */
static bool collide(const struct relay *relay, const struct socket_progs *progs)
{
	const bool verdict =
		progs->of[SOCKET_PROG_STREAM_VERDICT] || progs->of[SOCKET_PROG_VERDICT];

	return (progs->of[SOCKET_PROG_MSG] && relay->progs[SOCKET_PROG_MSG]) ||
	       (progs->of[SOCKET_PROG_PARSER] && relay->progs[SOCKET_PROG_PARSER]) ||
	       (verdict && (relay->progs[SOCKET_PROG_STREAM_VERDICT] ||
			    relay->progs[SOCKET_PROG_VERDICT]));
}

static void take_progs(struct relay *relay, const struct socket_progs *progs)
{
	for (u32 i = 0; i < SOCKET_PROGS; i++)
		if (progs->of[i])
			rcu_assign_pointer(
				relay->progs[i],
				container_of(object_get(progs->of[i]), struct prog, object));
}

/* A program lets the pump do it. */
static int want(struct relay *relay, int fd, bool is_by_program)
{
	if (!is_by_program)
		return relay_drive(relay, fd);
	relay->is_wanted = true;
	relay->wanted_fd = fd;
	atomic_store_explicit(&relay->relays->is_wanted, true, memory_order_relaxed);
	if (!pump_start(relay->relays))
		relay_wake(relay);
	return 0;
}

static int enter(struct relay *relay, const struct socket_entrant *entrant)
{
	const bool is_wanted = entrant->is_wanted || has_any(&entrant->progs);
	int err;

	if (collide(relay, &entrant->progs))
		return -EBUSY;
	err = is_wanted && is_ours(relay->relays)
		      ? want(relay, entrant->fd, entrant->is_by_program)
		      : 0;
	if (err)
		return err;
	take_progs(relay, &entrant->progs);
	relay->links++;
	return 0;
}

static int join(struct socket_hook *hook, const struct socket_entrant *entrant)
{
	struct relays *relays = of_hook(hook);
	struct relay *relay;
	int err;

	pthread_mutex_lock(&relays->lock);
	relay = relay_find(relays, entrant->sk->cookie) ?: relay_new(relays, entrant->sk);
	err = relay ? enter(relay, entrant) : -ENOMEM;
	if (relay && !relay->links && !relay->is_driven)
		forget(relay);
	pthread_mutex_unlock(&relays->lock);
	return err;
}

/* What Linux stops when a socket leaves a map: what the map has now. Messages keep theirs until
 * the socket is in no map. */
static void drop_of_map(struct relay *relay, u32 progs)
{
	if (progs & 1u << SOCKET_PROG_PARSER)
		drop_prog(relay, SOCKET_PROG_PARSER);
	if (progs & (1u << SOCKET_PROG_STREAM_VERDICT | 1u << SOCKET_PROG_VERDICT)) {
		drop_prog(relay, SOCKET_PROG_STREAM_VERDICT);
		drop_prog(relay, SOCKET_PROG_VERDICT);
	}
}

static void leave(struct socket_hook *hook, u64 cookie, u32 progs)
{
	struct relays *relays = of_hook(hook);
	struct relay *relay;

	pthread_mutex_lock(&relays->lock);
	relay = relay_find(relays, cookie);
	if (relay && relay->links) {
		relay->links--;
		drop_of_map(relay, progs);
	}
	if (relay && !relay->links)
		drop_progs(relay);
	if (relay && !relay->links && !relay->is_driven)
		forget(relay);
	pthread_mutex_unlock(&relays->lock);
}

static void want_of_map(struct socket_hook *hook, int fd, const struct sock_ctx *sk)
{
	struct relays *relays = of_hook(hook);
	struct relay *relay;

	if (!is_ours(relays))
		return;
	pthread_mutex_lock(&relays->lock);
	relay = relay_find(relays, sk->cookie);
	if (relay)
		relay_drive(relay, fd);
	pthread_mutex_unlock(&relays->lock);
}

void relays_settle(struct relays *relays)
{
	struct relay *at;

	if (!atomic_load_explicit(&relays->is_wanted, memory_order_relaxed) || !is_ours(relays))
		return;
	pthread_mutex_lock(&relays->lock);
	atomic_store_explicit(&relays->is_wanted, false, memory_order_relaxed);
	cds_list_for_each_entry (at, &relays->runnable, runnable) {
		if (at->is_wanted)
			relay_drive(at, at->wanted_fd);
		at->is_wanted = false;
	}
	pthread_mutex_unlock(&relays->lock);
}

/* --- descriptors of the application --- */

bool relays_in_use(const struct relays *relays)
{
	return atomic_load_explicit(&relays->driven_cnt, memory_order_relaxed);
}

static struct relay *find_by_end(struct relays *relays, const struct stat *file)
{
	struct relay *relay;

	cds_list_for_each_entry (relay, &relays->driven, by_end)
		if (relay->inode == file->st_ino && relay->device == file->st_dev)
			return relay;
	return NULL;
}

struct relay *relay_of_descriptor(struct relays *relays, int fd)
{
	struct relay *relay;
	struct stat file;

	/* The pump's own calls may come back here through the preload library. */
	if (!relays_in_use(relays) || !is_ours(relays) || is_pump(relays) || fstat(fd, &file) ||
	    !S_ISSOCK(file.st_mode))
		return NULL;
	pthread_mutex_lock(&relays->lock);
	relay = find_by_end(relays, &file);
	if (relay)
		relay_get(relay);
	pthread_mutex_unlock(&relays->lock);
	return relay;
}

int relays_real(struct relays *relays, int fd)
{
	struct relay *relay = relay_of_descriptor(relays, fd);
	int real = fd;

	if (!relay)
		return fd;
	pthread_mutex_lock(&relays->lock);
	if (relay->is_driven)
		real = relay->socket;
	relay_put(relay);
	pthread_mutex_unlock(&relays->lock);
	return real;
}

static int real_of_hook(struct socket_hook *hook, int fd)
{
	return relays_real(of_hook(hook), fd);
}

/* --- all of them --- */

struct socket_hook *relays_hook(struct relays *relays)
{
	return &relays->hook;
}

struct relays *relays_new(const struct run_env *env)
{
	struct relays *relays = calloc(1, sizeof(*relays));

	if (!relays)
		return NULL;
	relays->hook = (struct socket_hook){
		.real = real_of_hook, .join = join, .leave = leave, .want = want_of_map};
	relays->env = env;
	relays->owner = getpid();
	relays->epoll = relays->wake = -1;
	for (u32 i = 0; i < RELAY_BUCKETS; i++)
		CDS_INIT_LIST_HEAD(&relays->buckets[i]);
	CDS_INIT_LIST_HEAD(&relays->driven);
	CDS_INIT_LIST_HEAD(&relays->runnable);
	pthread_mutex_init(&relays->lock, NULL);
	pthread_cond_init(&relays->drained, NULL);
	return relays;
}

void relays_before_fork(struct relays *relays)
{
	pthread_mutex_lock(&relays->lock);
}

static void forget_all(struct relays *relays)
{
	struct relay *relay;

	cds_list_for_each_entry (relay, &relays->driven, by_end) {
		close(relay->socket);
		close(relay->end);
	}
	atomic_store(&relays->driven_cnt, 0);
}

void relays_after_fork(struct relays *relays, bool is_child)
{
	if (is_child)
		forget_all(relays);
	pthread_mutex_unlock(&relays->lock);
}

static void run_out(struct relays *relays)
{
	struct relay *relay, *next;

	cds_list_for_each_entry_safe (relay, next, &relays->runnable, runnable) {
		cds_list_del_init(&relay->runnable);
		relay_put(relay);
	}
}

void relays_stop(struct relays *relays)
{
	struct relay *relay, *next;

	if (!relays)
		return;
	if (is_ours(relays))
		pump_stop(relays);
	pthread_mutex_lock(&relays->lock);
	run_out(relays);
	if (is_ours(relays))
		cds_list_for_each_entry_safe (relay, next, &relays->driven, by_end)
			relay_give_back(relay);
	for (u32 i = 0; i < RELAY_BUCKETS; i++)
		cds_list_for_each_entry_safe (relay, next, &relays->buckets[i], bucket)
			forget(relay);
	pthread_mutex_unlock(&relays->lock);
}

void relays_free(struct relays *relays)
{
	if (!relays)
		return;
	pthread_mutex_destroy(&relays->lock);
	pthread_cond_destroy(&relays->drained);
	free(relays);
}
